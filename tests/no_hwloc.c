/* SPDX-License-Identifier: MIT
 *
 * bench/topology.c without hwloc: what the C library knows of the caches, and what is assumed where it knows nothing.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "topology.h"

static long sizes[3]; /* L1d, L2, L3, as sysconf tells them */

/* The linker puts this in the place of sysconf. */
long __real_sysconf(int name);
long __wrap_sysconf(int name);
long __wrap_sysconf(int name)
{
    switch (name) {
    case _SC_LEVEL1_DCACHE_SIZE:
        return sizes[0];
    case _SC_LEVEL2_CACHE_SIZE:
        return sizes[1];
    case _SC_LEVEL3_CACHE_SIZE:
        return sizes[2];
    default:
        return __real_sysconf(name);
    }
}

static struct topology read_with(long l1, long l2, long l3)
{
    sizes[0] = l1;
    sizes[1] = l2;
    sizes[2] = l3;
    return topology_read(true);
}

static void expect(struct cache cache, const char *want)
{
    char text[64];
    cache_text(cache, text, sizeof text);
    assert_string_equal(text, want);
}

static void test_known(void **state)
{
    (void)state;
    const struct topology t = read_with(48 << 10, 2 << 20, 30 << 20);
    expect(t.cache[0], "48 KiB");
    expect(t.cache[1], "2 MiB");
    expect(t.cache[2], "30 MiB");
    assert_int_equal(t.core, -1);
    assert_true(t.cores >= 1);
    assert_true(t.cpu[0] != '\0');
    assert_int_equal(topology_last_level(&t), 30 << 20);
    assert_string_equal(topology_level(&t, 1 << 20), "L2");
    assert_string_equal(topology_level(&t, 31 << 20), "DRAM");
    topology_bind_thread(0); /* does nothing */
}

static void test_unknown(void **state)
{
    (void)state;
    for (long none = -1; none <= 0; none++) {
        const struct topology t = read_with(none, none, none);
        expect(t.cache[0], "32 KiB (assumed)");
        expect(t.cache[1], "1 MiB (assumed)");
        expect(t.cache[2], "32 MiB (assumed)");
        assert_int_equal(topology_last_level(&t), 32 << 20);
    }
}

static void test_no_l3(void **state)
{
    (void)state;
    const struct topology t = read_with(0, 1 << 20, 0);
    expect(t.cache[0], "32 KiB (assumed)");
    expect(t.cache[1], "1 MiB");
    expect(t.cache[2], "none");
    assert_int_equal(topology_last_level(&t), 1 << 20);
    assert_string_equal(topology_level(&t, (1 << 20) + 1), "DRAM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_no_l3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
