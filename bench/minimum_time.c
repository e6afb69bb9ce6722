/* SPDX-License-Identifier: MIT
 *
 * SOFTLANE_BENCHMARK_VERSION, 10809 for 1.8.9, comes from bench/CMakeLists.txt.
 */
#include "minimum_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void minimum_time_adapt(int argc, char **argv)
{
    static const char flag[] = "--benchmark_min_time=";
    static char adapted[sizeof flag + 32];
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], flag, strlen(flag)) != 0)
            continue;
        const char *value = argv[i] + strlen(flag);
        char *end;
        strtod(value, &end);
        if (end == value || (*end && strcmp(end, "s") != 0) || (size_t)(end - value) > 30)
            continue; /* a number of iterations, or nothing that we know */
        snprintf(adapted, sizeof adapted, "%s%.*s%s", flag, (int)(end - value), value,
                 SOFTLANE_BENCHMARK_VERSION >= 10800 ? "s" : "");
        argv[i] = adapted;
    }
}
