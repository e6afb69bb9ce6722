/* SPDX-License-Identifier: MIT
 *
 * softlane-info: what this machine is, which variants it can run, and which one is in use.
 */
#include "arguments.h"
#include "softlane.h"
#include "topology.h"

#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    printf("usage: softlane-info\n"
           "Prints the CPU, its caches, from what size on outputs are stored past them, and every\n"
           "instruction-set variant: in use, available, or why not.\n"
           "SOFTLANE_ISA=<name> in the environment chooses the variant in use. One that is not there, or\n"
           "cannot run, is refused (exit code 2) after the list.\n\n"
           "  -h, --help           this\n"
           "  --version            the version\n"
           "\nExit code: 0, or 2 for bad arguments or when the output cannot be written.\n");
}

static void print_machine(const struct topology *t)
{
    printf("softlane  %s\n", SOFTLANE_VERSION);
    printf("cpu       %s, %u core%s\n", t->cpu, t->cores, t->cores == 1 ? "" : "s");
    printf("caches   ");
    for (int level = 0; level < CACHE_LEVELS; level++) {
        char size[64];
        cache_text(t->cache[level], size, sizeof size);
        printf("%s L%d%s %s", level ? "," : "", level + 1, level ? "" : "d", size);
    }
    printf("\n");
}

/* By the library's own account of the last level (softlane.h). */
static void print_stores(void)
{
    char size[64];
    cache_text((struct cache){sl_cache_bytes() / 2, false}, size, sizeof size);
    printf("stores    past the caches from %s on\n", size);
}

static void print_isas(void)
{
    const char *in_use = sl_isa(NULL)->isa;
    for (size_t i = 0; i < sl_isa_count(); i++) {
        const char *name = sl_isa_name_at(i);
        const char *why_not = sl_isa_why_not(name);
        printf("%-9s %-8s ", i ? "" : "isa", name);
        if (why_not) {
            printf("no: %s\n", why_not);
            continue;
        }
        const sl_kernels *isa = sl_isa(name);
        printf("%-9s  %s class of bits, needs %s\n", strcmp(name, in_use) == 0 ? "in use" : "available",
               isa->fma ? "FMA" : "no-FMA", *isa->needs ? isa->needs : "nothing");
    }
}

int main(int argc, char **argv)
{
    arguments_program("softlane-info");
    for (int i = 1; i < argc; i++) {
        argument_help_or_version(argv[i], print_help);
        refuse("unknown argument '%s' (--help)", argv[i]);
    }
    struct topology topology = topology_read(false);
    print_machine(&topology);
    print_stores();
    print_isas();
    fflush(stdout);
    arguments_check_environment(); /* after the list, which tells what it could be */
    return 0;
}
