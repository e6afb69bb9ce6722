/* SPDX-License-Identifier: MIT
 *
 * The last-level cache: what the library makes of cpuid and of /sys, on this machine beside hwloc and softlane-info, and on
 * others. Registers are those of InstLatx64's dumps (https://github.com/InstLatx64/InstLatx64).
 */
#define _GNU_SOURCE
#include "cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef SOFTLANE_HAVE_HWLOC
#include <hwloc.h>
#endif

#include "softlane.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* ----------------------------------------------------------------------------------------------- cpuid */

#if defined(__x86_64__) || defined(__i386__)

struct row {
    unsigned leaf, subleaf, registers[4];
};

struct x86 {
    const char *name;
    size_t bytes;
    struct row rows[8]; /* a leaf that is not there is one of zeros, or with `ends` none */
    bool ends;
};

#define FOUR(i, eax, ebx, ecx)                                                                               \
    {                                                                                                        \
        4, i, { eax, ebx, ecx, 0 }                                                                           \
    }
#define AMD(i, eax, ebx, ecx)                                                                                \
    {                                                                                                        \
        0x8000001d, i, { eax, ebx, ecx, 0 }                                                                  \
    }

static const struct x86 machines[] = {
    {"Zen 5 (Turin): eight instances of 32 MiB",
     32 * MIB,
     {{0x80000001, 0, {0x00b00f21, 0x40000000, 0x75c237ff, 0x2fd3fbff}},
      {0x80000006, 0, {0x40802040, 0x60804040, 0x04008140, 0x08009140}}, /* says 256 MiB */
      AMD(0, 0x00000121, 0x02c0003f, 0x3f),
      AMD(1, 0x00000122, 0x01c0003f, 0x3f),
      AMD(2, 0x00000143, 0x03c0003f, 0x3ff),
      AMD(3, 0x0001c163, 0x03c0003f, 0x7fff)},
     false},
    {"Zen 5, whose hypervisor hides the table",
     0,
     {{0x80000001, 0, {0x00b00f21, 0x40000000, 0x758237ff, 0x2fd3fbff}},
      {0x80000006, 0, {0x40802040, 0x60804040, 0x04008140, 0x08009140}}},
     false},
    {"Xeon (Sapphire Rapids)",
     84480 * KIB,
     {{0x80000001, 0, {0, 0, 0x121, 0x2c100000}},
      FOUR(0, 0xfc004121, 0x02c0003f, 0x3f),
      FOUR(1, 0xfc004122, 0x01c0003f, 0x3f),
      FOUR(2, 0xfc004143, 0x03c0003f, 0x7ff),
      FOUR(3, 0xfc1fc163, 0x0380003f, 0x15fff)},
     false},
    {"Xeon 6 of two virtual cores",
     480 * MIB,
     {{0x80000001, 0, {0, 0, 0x121, 0x2c100000}},
      FOUR(0, 0x04000121, 0x02c0003f, 0x3f),
      FOUR(1, 0x04000122, 0x03c0003f, 0x3f),
      FOUR(2, 0x04000143, 0x03c0003f, 0x7ff),
      FOUR(3, 0x04004163, 0x03c0003f, 0x77fff)},
     false},
    {"Alder Lake",
     25 * MIB,
     {FOUR(0, 0xfc004121, 0x02c0003f, 0x3f), FOUR(1, 0xfc004122, 0x01c0003f, 0x3f),
      FOUR(2, 0xfc01c143, 0x0240003f, 0x7ff), FOUR(3, 0xfc1fc163, 0x0240003f, 0x9fff)},
     false},
    {"Meteor Lake, an efficient core beside the third level",
     24 * MIB,
     {FOUR(0, 0xfc000121, 0x01c0003f, 0x3f), FOUR(1, 0xfc000122, 0x01c0003f, 0x7f),
      FOUR(2, 0xfc01c143, 0x03c0003f, 0x7ff), FOUR(3, 0xfc0fc163, 0x02c0003f, 0x7fff)},
     false},
    {"Meteor Lake, a low-power core, which does not reach it",
     2 * MIB,
     {FOUR(0, 0xfc000121, 0x01c0003f, 0x3f), FOUR(1, 0xfc000122, 0x01c0003f, 0x7f),
      FOUR(2, 0xfc01c143, 0x03c0003f, 0x7ff)},
     false},
    {"Core 2: the second level is the last, of two cores",
     4 * MIB,
     {FOUR(0, 0x04000121, 0x01c0003f, 0x3f), FOUR(1, 0x04000122, 0x01c0003f, 0x3f),
      FOUR(2, 0x04004143, 0x03c0003f, 0xfff)},
     false},
    {"i7-5775C: a fourth level, in partitions",
     128 * MIB,
     {FOUR(0, 0x1c004121, 0x01c0003f, 0x3f), FOUR(1, 0x1c004122, 0x01c0003f, 0x3f),
      FOUR(2, 0x1c004143, 0x01c0003f, 0x1ff), FOUR(3, 0x1c03c163, 0x02c0003f, 0x1fff),
      FOUR(4, 0x1c03c183, 0x03c0f03f, 0x1fff)},
     false},
    {"a virtual machine without leaf 4", 0, {{1, 0, {0x000806f8, 0, 0, 0}}}, true},
    {"a virtual machine whose leaf 4 is empty", 0, {{1, 0, {0x000806f8, 0, 0, 0}}}, false},
    {"a third level without a size",
     0,
     {FOUR(0, 0x04000121, 0x02c0003f, 0x3f), FOUR(1, 0x04000143, 0x03c0003f, 0x7ff),
      FOUR(2, 0x04000163, 0, 0)},
     false},
    {"sets without end",
     0,
     {FOUR(0, 0x04000121, 0x02c0003f, 0x3f), FOUR(1, 0x04000163, 0xffffffff, 0xffffffff)},
     false},
    {"one level", 0, {FOUR(0, 0x04000121, 0x02c0003f, 0xfff)}, false},
};
static const struct x86 *machine;

static bool cpuid_of_machine(unsigned leaf, unsigned subleaf, unsigned registers[4])
{
    memset(registers, 0, 4 * sizeof *registers);
    for (const struct row *row = machine->rows; row < machine->rows + 8; row++)
        if (row->leaf == leaf && row->subleaf == subleaf)
            memcpy(registers, row->registers, sizeof row->registers);
    return !machine->ends || leaf == 1;
}

static void test_cpuid(void **state)
{
    (void)state;
    for (machine = machines; machine < machines + sizeof machines / sizeof *machines; machine++) {
        print_message("%s\n", machine->name);
        assert_int_equal(sl_last_level_by_cpuid(cpuid_of_machine), machine->bytes);
    }
}

/* Whose every subleaf is a cache. */
static bool cpuid_without_end(unsigned leaf, unsigned subleaf, unsigned registers[4])
{
    memcpy(registers, (unsigned[4]){leaf == 4 ? 0x143 : 0, 0x03c0003f, 0x7ff, subleaf},
           4 * sizeof *registers);
    return true;
}

static void test_cpuid_without_end(void **state)
{
    (void)state;
    assert_int_equal(sl_last_level_by_cpuid(cpuid_without_end), 2 * MIB);
}

#endif

/* ------------------------------------------------------------------------------------------------ /sys */

#if defined(__linux__)

struct sysfs {
    const char *name;
    size_t bytes;
    struct {
        const char *level, *type, *size; /* NULL: no such file */
    } caches[6];
};

static const struct sysfs trees[] = {
    {"Graviton 2",
     32 * MIB,
     {{"1\n", "Data\n", "64K\n"},
      {"1\n", "Instruction\n", "64K\n"},
      {"2\n", "Unified\n", "1024K\n"},
      {"3\n", "Unified\n", "32768K\n"}}},
    {"Apple M1, an efficient core",
     4 * MIB,
     {{"1\n", "Data\n", "64K\n"}, {"1\n", "Instruction\n", "128K\n"}, {"2\n", "Unified\n", "4096K\n"}}},
    {"the order of levels is not said",
     32 * MIB,
     {{"3\n", "Unified\n", "32768K\n"}, {"2\n", "Unified\n", "1024K\n"}, {"1\n", "Data\n", "64K\n"}}},
    {"the highest level holds instructions",
     1 * MIB,
     {{"1\n", "Data\n", "64K\n"}, {"2\n", "Unified\n", "1024K\n"}, {"3\n", "Instruction\n", "2048K\n"}}},
    {"firmware that tells no sizes",
     0,
     {{"1\n", "Data\n", NULL}, {"1\n", "Instruction\n", NULL}, {"2\n", "Unified\n", NULL}}},
    {"nor that of the last level",
     0,
     {{"1\n", "Data\n", "64K\n"}, {"2\n", "Unified\n", "1024K\n"}, {"3\n", "Unified\n", NULL}}},
    {"no caches", 0, {{NULL, NULL, NULL}}},
    {"one level", 0, {{"1\n", "Data\n", "128K\n"}}},
    {"without ends of lines", 8 * MIB, {{"2", "Unified", "8192K"}}},
    {"zero", 0, {{"3\n", "Unified\n", "0K\n"}}},
    {"small", 0, {{"3\n", "Unified\n", "63K\n"}}},
    {"the smallest", 64 * KIB, {{"3\n", "Unified\n", "64K\n"}}},
    {"the largest", 1024 * MIB, {{"3\n", "Unified\n", "1048576K\n"}}},
    {"larger", 0, {{"3\n", "Unified\n", "1048577K\n"}}},
    {"very large", 0, {{"3\n", "Unified\n", "99999999999999999999999999999999999K\n"}}},
    {"another unit", 0, {{"3\n", "Unified\n", "32M\n"}}},
    {"no unit", 0, {{"3\n", "Unified\n", "33554432\n"}}},
    {"negative", 0, {{"3\n", "Unified\n", "-32768K\n"}}},
    {"empty files", 0, {{"", "", ""}}},
    {"words", 0, {{"three\n", "Unified\n", "32768K\n"}}},
};

static const char *const files[] = {"level", "type", "size"};

static void at(char path[96], const char *folder, int index, const char *file)
{
    snprintf(path, 96, "%s/index%d%s%s", folder, index, *file ? "/" : "", file);
}

static size_t last_level_of(const struct sysfs *tree)
{
    char folder[] = "/tmp/softlane_cache_XXXXXX", path[96];
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 6; i++) {
        const char *const texts[] = {tree->caches[i].level, tree->caches[i].type, tree->caches[i].size};
        at(path, folder, i, "");
        if (texts[0])
            assert_int_equal(mkdir(path, 0700), 0);
        for (int f = 0; f < 3; f++)
            if (texts[f]) {
                at(path, folder, i, files[f]);
                FILE *file = fopen(path, "w");
                assert_non_null(file);
                assert_true(fputs(texts[f], file) >= 0);
                assert_int_equal(fclose(file), 0);
            }
    }
    const int open_folder = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(open_folder >= 0);
    const size_t bytes = sl_last_level_by_sysfs(open_folder);
    close(open_folder);
    for (int i = 0; i < 6; i++) {
        for (int f = 0; f < 3; f++) {
            at(path, folder, i, files[f]);
            remove(path);
        }
        at(path, folder, i, "");
        remove(path);
    }
    assert_int_equal(remove(folder), 0);
    return bytes;
}

static void test_sysfs(void **state)
{
    (void)state;
    for (const struct sysfs *tree = trees; tree < trees + sizeof trees / sizeof *trees; tree++) {
        print_message("%s\n", tree->name);
        assert_int_equal(last_level_of(tree), tree->bytes);
    }
    assert_int_equal(sl_last_level_by_sysfs(-1), 0);
}

#endif

/* ---------------------------------------------------------------------------------------- this machine */

static void test_setting(void **state)
{
    (void)state;
    const size_t system = sl_cache_bytes();
    assert_in_range(system, 64 * KIB, 1024 * MIB);
    sl_set_cache_bytes(system / 2);
    assert_int_equal(sl_cache_bytes(), system / 2);
    assert_true(sl_streams(system / 4 + 1));
    assert_false(sl_streams(system / 4));
    sl_set_cache_bytes(1);
    assert_int_equal(sl_cache_bytes(), 1);
    errno = ENOTTY;
    sl_set_cache_bytes(0);
    assert_int_equal(errno, ENOTTY);
    assert_int_equal(sl_cache_bytes(), system);
}

static void test_prefetch(void **state)
{
    (void)state;
    sl_set_cache_bytes(32 * MIB);
    assert_false(sl_prefetches(16 * MIB));
    assert_false(sl_prefetches(SIZE_MAX));
    sl_set_cache_bytes(480 * MIB);
    assert_false(sl_prefetches(MIB / 2));
    assert_true(sl_prefetches(MIB / 2 + 1));
    sl_set_cache_bytes(0);
}

/* The size that the library takes from the system, not the one that it assumes; else 0. */
static size_t known(void)
{
    size_t bytes = 0;
#if defined(__x86_64__) || defined(__i386__)
    bytes = sl_last_level_by_cpuid(sl_cpuid);
#elif defined(__linux__)
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache", sched_getcpu());
    const int folder = open(path, O_RDONLY | O_DIRECTORY);
    bytes = sl_last_level_by_sysfs(folder);
    close(folder);
#endif
    return bytes;
}

static void test_known(void **state)
{
    (void)state;
    if (!known()) {
        print_message("skipped: the system does not know\n");
        skip();
    }
    assert_int_equal(sl_cache_bytes(), known());
}

static void test_hwloc(void **state)
{
    (void)state;
#if defined(SOFTLANE_HAVE_HWLOC) && !defined(SOFTLANE_TEST_EMULATED)
    hwloc_topology_t topology;
    size_t bytes = 0;
    assert_int_equal(hwloc_topology_init(&topology), 0);
    assert_int_equal(hwloc_topology_load(topology), 0);
    for (hwloc_obj_t o = hwloc_get_pu_obj_by_os_index(topology, (unsigned)sched_getcpu()); o; o = o->parent)
        if (hwloc_obj_type_is_dcache(o->type))
            bytes = o->attr->cache.size;
    hwloc_topology_destroy(topology);
    print_message("softlane %zu KiB, hwloc %zu KiB\n", sl_cache_bytes() >> 10, bytes >> 10);
    if (known() && bytes) {
        assert_int_equal(sl_cache_bytes(), bytes);
        return;
    }
    print_message("skipped: one of them does not know\n");
#else
    print_message("skipped: no hwloc, or an emulated CPU, of which it sees the real one\n");
#endif
    skip();
}

/* "stores    past the caches from 16 MiB on" */
static void test_info(void **state)
{
    (void)state;
#if defined(SOFTLANE_TEST_INFO) && !defined(SOFTLANE_TEST_EMULATED)
    unsetenv("SOFTLANE_ISA");
    FILE *info = popen("'" SOFTLANE_TEST_INFO "'", "r");
    assert_non_null(info);
    char line[256], unit[4] = "";
    double size = 0;
    int found = 0;
    while (fgets(line, sizeof line, info))
        found += sscanf(line, "stores past the caches from %lf %3s on", &size, unit) == 2;
    assert_int_equal(pclose(info), 0);
    assert_int_equal(found, 1);
    size *= strcmp(unit, "MiB") == 0 ? (double)MIB : (double)KIB;
    const double wanted = (double)sl_cache_bytes() / 2;
    assert_true(size > 0.999 * wanted && size < 1.001 * wanted); /* four digits */
#else
    print_message("skipped: softlane-info would run elsewhere\n");
    skip();
#endif
}

/* On one core, before the library asks: on another it might get another answer. */
static void stay(void)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__) || defined(__i386__)
        cmocka_unit_test(test_cpuid),
        cmocka_unit_test(test_cpuid_without_end),
#endif
#if defined(__linux__)
        cmocka_unit_test(test_sysfs),
#endif
        cmocka_unit_test(test_setting),
        cmocka_unit_test(test_prefetch),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_hwloc),
        cmocka_unit_test(test_info),
    };
    stay();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
