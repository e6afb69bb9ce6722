/* SPDX-License-Identifier: MIT
 *
 * A tuning file's text: what softlane-tune writes, and the library reads.
 *
 *   {"version": "0.2.0",
 *    "machine": {"cpu": "GenuineIntel 000806f8", "isas": "avx512 avx2 sse2 scalar", "caches": "48K 2048K"},
 *    "winners": [
 *   {"kernel": "softmax", "dtype": "f32", "tier": "default", "isa": "avx2", "from": 0}
 *   ]}
 *
 * JSON, of which the keys stand in this order and strings have no escapes; spaces are free. The kernel <name>_fast is the
 * tier "fast" of <name>. Winners are sorted by kernel and dtype (as in the manifests), then by `from`: 0 or a power of two
 * from 512 to 2^23. A kernel that is not listed, and sizes before its first `from`, stay as they are without a tuning.
 */
#ifndef SL_MACHINE_TUNING_H
#define SL_MACHINE_TUNING_H

#include <string.h>

#include "dispatch.h"

enum { SL_TUNE_BYTES = 1 << 16, SL_TUNE_STRING = 128 };

/* What decides which variant is the fastest. */
typedef struct {
    char cpu[SL_TUNE_STRING];    /* who made it, and its family, model and stepping */
    char isas[SL_TUNE_STRING];   /* of isas.def that can run */
    char caches[SL_TUNE_STRING]; /* data or unified, of this core's view */
} sl_machine;

sl_machine sl_machine_read(void);

/* A row of kernels.def as a file has it: a tier, and the name without it. */
#define SL_FAST_SUFFIX "_fast"
static inline size_t sl_stem_length(const char *kernel)
{
    const size_t length = strlen(kernel), suffix = sizeof SL_FAST_SUFFIX - 1;
    const bool is_fast = length > suffix && strcmp(kernel + length - suffix, SL_FAST_SUFFIX) == 0;
    return is_fast ? length - suffix : length;
}
static inline const char *sl_tier_of(const char *kernel)
{
    return kernel[sl_stem_length(kernel)] ? "fast" : "default";
}

/* The status of sl_tune_load (softlane.h) for a file's text. Fills `words` for sl_tuning_publish; they mean nothing unless
 * SL_OK is returned. */
sl_status sl_tune_parse(const char *text, size_t length, uint64_t words[SL_SLOT_COUNT]);

#endif
