/* SPDX-License-Identifier: MIT
 *
 * See peers.h.
 */
#include "peers.h"

#include "arguments.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

static const sl_kernels *const plain_c[] = {&peer_libm, &peer_detour};

const sl_kernels *const *peers_of(const char *level, size_t *count)
{
    char path[4096];
    *count = sizeof plain_c / sizeof *plain_c;
    if (!level)
        return plain_c;
    snprintf(path, sizeof path, SOFTLANE_PEERS_FOLDER "/peers_%s.so", level);
    if (access(path, R_OK) != 0)
        refuse("--peers: '%s' is none of the levels that peers were built for (%s)", level,
               SOFTLANE_PEERS_LEVELS);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        refuse("--peers: %s", dlerror());
    const sl_kernels *const *tables = dlsym(module, "softlane_peers");
    for (*count = 0; tables[*count];)
        ++*count;
    return tables;
}
