/* SPDX-License-Identifier: MIT
 *
 * See peers.h. CMake defines SL_HAS_<name> for what it has built.
 */
#include "peers.h"

#include <stdlib.h>
#include <unistd.h>

static const sl_kernels *const peers[] = {
    &peer_libm,
#ifdef SL_HAS_libmvec
    &peer_libmvec,
#endif
#ifdef SL_HAS_sleef
    &peer_sleef,
#endif
#ifdef SL_HAS_eigen
    &peer_eigen,
#endif
#ifdef SL_HAS_onednn
    &peer_onednn,
#endif
#ifdef SL_HAS_xnnpack
    &peer_xnnpack,
#endif
};

size_t peer_count(void) { return sizeof peers / sizeof *peers; }

size_t peer_baseline_count(void) { return 1; }

const sl_kernels *const *peers_built(void) { return peers; }

void peers_prepare(char **argv)
{
    /* OpenMP reads its variables before main does anything */
    if (!getenv("OMP_NUM_THREADS") && setenv("OMP_NUM_THREADS", "1", 1) == 0)
        execv("/proc/self/exe", argv);
}
