/* SPDX-License-Identifier: MIT
 *
 * SOFTLANE_COMPILER, SOFTLANE_FLAGS and SOFTLANE_COMMIT come from bench/CMakeLists.txt; there is no path in
 * any of them.
 */
#include "context.h"

#include "clock_rate.h"
#include "softlane.h"

#include <stdio.h>

void context_visit(const struct topology *topology, context_visitor *visit, void *user)
{
    static const char *const cache_key[CACHE_LEVELS] = {"cache_l1d", "cache_l2", "cache_l3"};
    char text[64];

    visit("softlane_version", SOFTLANE_VERSION, user);
    visit("softlane_commit", SOFTLANE_COMMIT, user);
    visit("compiler", SOFTLANE_COMPILER, user);
    visit("compiler_flags", SOFTLANE_FLAGS, user);
    visit("cpu", topology->cpu, user);
    snprintf(text, sizeof text, "%u", topology->cores);
    visit("cores", text, user);
    if (topology->core >= 0)
        snprintf(text, sizeof text, "%d", topology->core);
    visit("bound_to_cpu", topology->core >= 0 ? text : "none", user);
    visit("os", topology->os, user);
    visit("os_kernel", topology->os_kernel, user);
    visit("governor", topology->governor, user);
    const double ghz = clock_rate_ghz();
    snprintf(text, sizeof text, ghz > 0 ? "%.2f" : "unknown", ghz);
    visit("clock_ghz", text, user);
    for (int level = 0; level < CACHE_LEVELS; level++) {
        cache_text(topology->cache[level], text, sizeof text);
        visit(cache_key[level], text, user);
    }
    visit("isa_in_use", sl_isa(NULL)->isa, user);
    for (size_t i = 0; i < sl_isa_count(); i++) {
        const char *name = sl_isa_name_at(i);
        const char *why_not = sl_isa_why_not(name);
        snprintf(text, sizeof text, "isa_%s", name);
        visit(text, why_not ? why_not : "available", user);
    }
}
