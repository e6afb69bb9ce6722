/* SPDX-License-Identifier: MIT
 *
 * Parts of bce_with_logits, of parts.c: with FMA the sigmoid in two parts that its gradient is made of, from the exponential that
 * its loss has formed (operations.ops, exp_share); without, the two parts of log(1 + exp(-a)) one by one, and sigmoid(-|x|) in absolute terms,
 * as it counts where terms cancel.
 */
#ifndef SL_PROOFS_PARTS_BCE_H
#define SL_PROOFS_PARTS_BCE_H

/* In 2^-33, of a sigmoid up to 1/2; and below TINY, as sweep has it. */
#define ABSOLUTELY_HIDDEN (REFERENCE_ERROR * 0x1p32 + 0x1p-38 * 0x1p33)

#if SL_FMA
#include "operations.h"

/* q + more = sigmoid(-a), 0 <= a < 80. */
static void form_share(block *b)
{
    const c_tables tables = c_tables_load();
    float u[BLOCK], lost[BLOCK];
    for (size_t i = 0; i < BLOCK; i += SL_W) {
        long_exp exp;
        log1p_and_exp(v_load(b->x + i), tables, &exp);
        v_store(u + i, exp.value);
        v_store(lost + i, exp.lost);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        const of_exp_share s = do_exp_share(u[i], lost[i]);
        b->y[i] = s.more / s.q;
        b->wide[i] = (double)s.q + (double)s.more;
    }
}

/* a < TINY has the share of 0 but for 2^-39. */
static void tiny_shares(void)
{
    block b;
    double at = NAN;
    for (uint32_t bits = 0; next_block(&b, &bits, bits_of(TINY), 0);) {
        int near = 1;
        form_share(&b);
        at = at == at ? at : b.wide[0];
        for (size_t i = 0; i < BLOCK; i++)
            near &= fabs(b.wide[i] - at) < 0x1p-39;
        if (!near)
            fail("a tiny x has another share than 0", (double)b.x[0]);
    }
}

static void share_parts(void)
{
    worst relative = {0, 0}, absolute = {0, 0}, low = {0, 0};
    block b;
    double error[BLOCK];
    for (uint32_t bits = bits_of(TINY); next_block(&b, &bits, bits_of(80) - 1, 0);) {
        form_share(&b);
        exact_sigmoid(&b, 1);
        note_relative(&relative, &b, b.wide, b.want);
        for (size_t i = 0; i < BLOCK; i++)
            error[i] = fabs(b.wide[i] - b.want[i]) * 0x1p33;
        note(&absolute, &b, error);
        for (size_t i = 0; i < BLOCK; i++)
            error[i] = fabs((double)b.y[i]) * 0x1p24;
        note(&low, &b, error);
    }
    tiny_shares();
    print("share", relative, HIDDEN + OF_TINY);
    print("share_absolute", absolute, ABSOLUTELY_HIDDEN);
    print("share_low", low, OF_TINY);
}
#else
/* The low part beside -(exp(L) - 1 - L), and the whole, both in 2^-24 of exp(L) - 1. */
static void low_of_log1p(void)
{
    worst low = {0, 0};
    block b;
    double error[BLOCK];
    for (uint32_t bits = bits_of(TINY); next_block(&b, &bits, bits_of(0x1.5d589ep+6f), 0);) {
        form_log1p(&b);
        exact_log1p(&b, 0);
        for (size_t i = 0; i < BLOCK; i++)
            error[i] = fabs(log1p_low[i] + (b.more[i] - b.want[i])) / b.more[i] * 0x1p24;
        note(&low, &b, error);
    }
    print("log1p_low", low, HIDDEN + OF_TINY);
}
#endif

/* The relative error of L above 1/2, a from 2^-12 on. */
static void near_log1p(void)
{
    worst w = {0, 0};
    block b;
    for (uint32_t bits = bits_of(0x1p-12f); next_block(&b, &bits, bits_of(0x1.bb32p-2f), 0);) {
        form_log1p(&b);
        exact_log1p(&b, 0);
        note_relative(&w, &b, b.wide, b.want);
    }
    print("log1p_near", w, HIDDEN);
}

/* sigmoid(-|x|) as form_soft has it, in 2^-33. */
static void soft_absolute(void)
{
    worst w = {0, 0};
    block b;
    double error[BLOCK];
    for (uint32_t bits = bits_of(TINY); next_block(&b, &bits, bits_of(40), 1u << 31);) {
        form_soft(&b);
        exact_sigmoid(&b, 1);
        for (size_t i = 0; i < BLOCK; i++)
            error[i] = fabs(b.wide[i] - b.want[i]) * 0x1p33;
        note(&w, &b, error);
    }
    print("soft_absolute", w, ABSOLUTELY_HIDDEN);
}

static void bce_parts(void)
{
#if SL_FMA
    share_parts();
#else
    low_of_log1p();
#endif
    near_log1p();
    soft_absolute();
}

#endif
