/* SPDX-License-Identifier: MIT
 *
 * The user's own logits: --logits FILE.npy [--dtype bf16] [--targets FILE.npy [--ignore-index N]].
 */
#ifndef SL_BENCH_LOGITS_H
#define SL_BENCH_LOGITS_H

#include "variants.h"

/* The part of a --help text that explains the flags. */
extern const char logits_help[];

/* What the command line says of them; NULL: nothing. */
struct logits_flags {
    const char *logits, *dtype, *targets, *ignore_index;
};

/* If argv[*i] is one of the flags takes its value, as argument_value does. */
bool logits_argument(struct logits_flags *flags, int *i, int argc, char **argv);

struct logits {
    sl_shape shape;
    double *x;
    int64_t *target; /* one per row; NULL without --targets */
    bool has_ignore_index;
    int64_t ignore_index; /* rows with this target are ignored */
};

/* Refuses flags that go with others, without these (arguments.h). */
void logits_check_flags(const struct logits_flags *flags);

/* The arrays live until the program ends. Refuses bad files and class ids (arguments.h); notes on stderr which
 * kernels stay out for want of targets, and how many rows are ignored. */
void logits_load(const struct logits_flags *flags, struct logits *l);

/* They have what the kernel needs. */
bool logits_suit(const struct logits *l, const kernel *k);

/* All logits as elements of a type. Where it cannot hold them they are rounded, or become infinite, and a note on
 * stderr says so, once for each type. */
void logits_put(const struct logits *l, const sl_ref_dtype *dtype, void *to);

/* The targets as probabilities, shaped as the logits: 1 for the target, 0 for all others; all 0 in ignored rows. */
void logits_put_one_hot(const struct logits *l, const sl_ref_dtype *dtype, void *to);

#endif
