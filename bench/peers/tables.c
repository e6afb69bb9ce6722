/* SPDX-License-Identifier: MIT
 *
 * The peers of one level, for peers.c to find. CMake defines SL_HAS_<name> for what it has built.
 */
#include "peers.h"

__attribute__((visibility("default"))) const sl_kernels *const softlane_peers[] = {
    &peer_libm,
#ifdef SL_HAS_libmvec
    &peer_libmvec,
#endif
#ifdef SL_HAS_sleef
    &peer_sleef,
#endif
#ifdef SL_HAS_mkl
    &peer_mkl,
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
    NULL,
};
