/* SPDX-License-Identifier: MIT
 *
 * hwloc is optional (SOFTLANE_HAVE_HWLOC): a cross build of softlane-info does without it.
 */
#include "topology.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef SOFTLANE_HAVE_HWLOC
#include <hwloc.h>
#endif

/* What most machines of the last ten years have at least. Assumed only when no level is known: a machine that
 * tells its L2 and no L3 has none. */
static const size_t assumed_bytes[CACHE_LEVELS] = {32 << 10, 1 << 20, 32 << 20};

static void copy_text(char *to, size_t size, const char *from) { snprintf(to, size, "%s", from); }

/* /proc/cpuinfo has a "model name" on x86; on Arm usually nothing, and then the architecture has to do. */
static void read_cpu_name(char *name, size_t size)
{
    struct utsname system;
    copy_text(name, size, uname(&system) == 0 ? system.machine : "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file)
        return;
    char line[256];
    while (fgets(line, sizeof line, file)) {
        char *value = strstr(line, ": ");
        if (value && strncmp(line, "model name", strlen("model name")) == 0) {
            value[strcspn(value, "\n")] = '\0';
            copy_text(name, size, value + 2);
            break;
        }
    }
    fclose(file);
}

/* The distribution's name, and the kernel's. */
static void read_os(struct topology *t)
{
    struct utsname system;
    const bool known = uname(&system) == 0;
    snprintf(t->os_kernel, sizeof t->os_kernel, "%s %s", known ? system.sysname : "unknown",
             known ? system.release : "");
    copy_text(t->os, sizeof t->os, known ? system.sysname : "unknown");
    FILE *file = fopen("/etc/os-release", "r");
    if (!file)
        return;
    char line[256], name[128];
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "PRETTY_NAME=\"%127[^\"]\"", name) == 1 ||
            sscanf(line, "PRETTY_NAME=%127[^\"\n]", name) == 1)
            copy_text(t->os, sizeof t->os, name);
    fclose(file);
}

/* What rules the clock. A virtual machine shows nothing of it. */
static void read_governor(struct topology *t)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor",
             t->core < 0 ? 0 : t->core);
    copy_text(t->governor, sizeof t->governor, "not shown by this machine");
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    char line[64];
    if (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        copy_text(t->governor, sizeof t->governor, line);
    }
    fclose(file);
}

#ifdef SOFTLANE_HAVE_HWLOC

/* Of the cores from the last on: the first one usually serves the machine's interrupts. */
static hwloc_obj_t unit_of(hwloc_topology_t machine, unsigned number)
{
    int cores = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_CORE);
    hwloc_obj_t core = (int)number < cores
                           ? hwloc_get_obj_by_type(machine, HWLOC_OBJ_CORE, (unsigned)cores - 1 - number)
                           : NULL;
    if (core)
        return hwloc_get_obj_inside_cpuset_by_type(machine, core->cpuset, HWLOC_OBJ_PU, 0);
    return number == 0 ? hwloc_get_obj_by_type(machine, HWLOC_OBJ_PU, 0) : NULL;
}

void topology_bind_thread(unsigned number)
{
    hwloc_topology_t machine;
    if (hwloc_topology_init(&machine) != 0)
        return;
    hwloc_obj_t unit = hwloc_topology_load(machine) == 0 ? unit_of(machine, number) : NULL;
    if (unit)
        hwloc_set_cpubind(machine, unit->cpuset, HWLOC_CPUBIND_THREAD);
    hwloc_topology_destroy(machine);
}

static void read_machine(struct topology *t, bool bind)
{
    hwloc_topology_t machine;
    if (hwloc_topology_init(&machine) != 0)
        return;
    if (hwloc_topology_load(machine) == 0) {
        int cores = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_CORE);
        hwloc_obj_t unit = unit_of(machine, 0);
        t->cores = cores > 0 ? (unsigned)cores : t->cores;
        for (hwloc_obj_t o = unit; o; o = o->parent)
            if (hwloc_obj_type_is_dcache(o->type) && o->attr->cache.depth <= CACHE_LEVELS)
                t->cache[o->attr->cache.depth - 1].bytes = o->attr->cache.size;
        if (bind && unit && hwloc_set_cpubind(machine, unit->cpuset, HWLOC_CPUBIND_THREAD) == 0)
            t->core = (int)unit->os_index;
    }
    hwloc_topology_destroy(machine);
}

#else

void topology_bind_thread(unsigned number) { (void)number; }

static void read_machine(struct topology *t, bool bind)
{
    (void)bind;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    static const int names[CACHE_LEVELS] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE,
                                            _SC_LEVEL3_CACHE_SIZE};
    for (int level = 0; level < CACHE_LEVELS; level++) {
        long bytes = sysconf(names[level]);
        t->cache[level].bytes = bytes > 0 ? (size_t)bytes : 0;
    }
#else
    (void)t;
#endif
}

#endif

struct topology topology_read(bool bind)
{
    struct topology t = {.core = -1};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    t.cores = processors > 0 ? (unsigned)processors : 1;
    read_cpu_name(t.cpu, sizeof t.cpu);
    read_machine(&t, bind);
    read_os(&t);
    read_governor(&t);
    bool l3_known_absent = t.cache[1].bytes > 0;
    for (int level = 0; level < CACHE_LEVELS; level++)
        if (t.cache[level].bytes == 0 && !(level == 2 && l3_known_absent))
            t.cache[level] = (struct cache){assumed_bytes[level], true};
    return t;
}

size_t topology_last_level(const struct topology *topology)
{
    int level = CACHE_LEVELS - 1;
    while (level > 0 && topology->cache[level].bytes == 0)
        level--;
    return topology->cache[level].bytes;
}

const char *topology_level(const struct topology *topology, size_t bytes)
{
    static const char *const name[CACHE_LEVELS] = {"L1", "L2", "L3"};
    for (int level = 0; level < CACHE_LEVELS; level++)
        if (bytes <= topology->cache[level].bytes)
            return name[level];
    return "DRAM";
}

void cache_text(struct cache cache, char *text, size_t size)
{
    const char *mark = cache.assumed ? " (assumed)" : "";
    if (cache.bytes == 0)
        snprintf(text, size, "none");
    else if (cache.bytes < 1 << 20)
        snprintf(text, size, "%.4g KiB%s", (double)cache.bytes / (1 << 10), mark);
    else
        snprintf(text, size, "%.4g MiB%s", (double)cache.bytes / (1 << 20), mark);
}
