/* SPDX-License-Identifier: MIT
 *
 * Other people's kernels behind softlane's own table, so that what measures ours measures theirs: the same inputs, names
 * and counters. Their `isa` is the peer's name and their `needs` NULL. They take contiguous rows (inner = 1), and losses
 * with SL_NONE or SL_MEAN and no other option.
 *
 * They are built once for each level, which is the name of one of softlane's ISAs, as modules: two instances of a peer in one
 * program would share what C++ keeps once. What a library chooses by itself scripts/levels.py limits.
 */
#ifndef SL_BENCH_PEERS_H
#define SL_BENCH_PEERS_H

#ifdef __cplusplus
extern "C" {
#endif

#include "softlane.h"

#define SL_PEER(name, what) extern const sl_kernels peer_##name;
#include "peers.def"
#undef SL_PEER

/* Those that were built for a level, which stay loaded; NULL: plain C with libm, as any program has it, and detours. Refuses (arguments.h)
 * a level that there is not. */
const sl_kernels *const *peers_of(const char *level, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
