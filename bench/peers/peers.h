/* SPDX-License-Identifier: MIT
 *
 * Other people's kernels behind softlane's own table, so that what measures ours measures theirs: the same inputs, names
 * and counters. Their `isa` is the peer's name and their `needs` NULL. They take contiguous rows (inner = 1), and losses
 * with SL_NONE or SL_MEAN and no other option.
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

/* Those that were built. Plain C with libm always is, and stands first: so many of them are compared with where no peers are
 * asked for. */
size_t peer_count(void);
size_t peer_baseline_count(void);
const sl_kernels *const *peers_built(void);

/* One thread, whatever a peer would choose: may start the program once more. Before anything else is called. */
void peers_prepare(char **argv);

#ifdef __cplusplus
}
#endif
#endif
