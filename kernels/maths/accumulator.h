/* SPDX-License-Identifier: MIT
 *
 * Numbers with room to spare beside the kernels' arithmetic: sums, and what is made of them: quotients,
 * logarithms, factors. For f32 that is an f64; for f64 a sum and what it lost in rounding (Knuth's two-sum,
 * Dekker's product), good to 2^-100 or so.
 *
 * An acc is SL_W numbers side by side.
 *
 * Sums over the virtual lanes: an f32 row sums in f64; an f64 row carries the rounding error of every addition along
 * and folds the same way, so that no length costs digits.
 */
#ifndef SL_MATHS_ACCUMULATOR_H
#define SL_MATHS_ACCUMULATOR_H

#include "element/element.h"
#include "maths/pair_f64.h"

#if SL_F64
typedef w_acc c_acc;
#define c_acc_of w_acc_of
#define c_acc_zero w_acc_zero
#define c_acc_add w_acc_add
#define c_acc_merge w_acc_merge
#define c_acc_value w_acc_value
#define c_acc_rest w_acc_rest
#define c_acc_minus w_acc_minus
#define c_acc_times w_acc_times
#define c_acc_over w_acc_over
#define c_acc_select w_acc_select

SL_INLINE w_acc c_acc_load(const double *p) { return w_acc_of(w_load(p)); }
SL_INLINE w_acc c_acc_add_term(w_acc s, vw a) { return w_acc_add(s, a); }
SL_INLINE w_acc c_acc_of_terms(w_acc s) { return s; }
SL_INLINE w_acc c_acc_add_pair(w_acc s, vw a, vw b) { return w_acc_add(w_acc_add(s, a), b); }
SL_INLINE w_acc c_acc_add_product(w_acc s, vw a, vw b)
{
    vw product = w_mul(a, b);
    s = w_acc_add(s, product);
#if SL_FMA
    s.lost = w_add(s.lost, w_fma(a, b, w_sub(w_set1(-0.0), product)));
#endif
    return s;
}

/* One number in every lane becomes lane l of SL_W. */
typedef struct {
    double sum[SL_W], lost[SL_W];
} c_acc_lanes;

SL_INLINE void c_acc_put(c_acc_lanes *lanes, size_t l, w_acc a)
{
    lanes->sum[l] = first_lane(a.sum);
    lanes->lost[l] = first_lane(a.lost);
}
SL_INLINE void c_row_put(c_acc_lanes *lanes, size_t l, w_acc a) { c_acc_put(lanes, l, a); }
SL_INLINE w_acc c_acc_join(const c_acc_lanes *lanes)
{
    return (w_acc){w_load(lanes->sum), w_load(lanes->lost)};
}

/* The sum of the lanes of one row, by halves, in every lane. */
typedef w_acc c_row_acc;

SL_NOINLINE w_acc c_acc_fold(const w_acc part[SL_PARTS])
{
    double sum[SL_LANES], lost[SL_LANES];
    for (size_t j = 0; j < SL_PARTS; j++) {
        w_store(sum + j * SL_W, part[j].sum);
        w_store(lost + j * SL_W, part[j].lost);
    }
    for (size_t half = SL_LANES / 2; half; half /= 2)
        for (size_t l = 0; l < half; l++) {
            double a = sum[l], b = sum[l + half], there;
            sum[l] = a + b;
            there = sum[l] - a;
            lost[l] = (lost[l] + ((a - (sum[l] - there)) + (b - there))) + lost[l + half];
        }
    return (w_acc){w_set1(sum[0]), w_set1(lost[0])};
}
SL_INLINE c_row_acc c_row_fold(const w_acc *part, size_t parts) { return (void)parts, c_acc_fold(part); }
SL_INLINE w_acc c_row_in_all(c_row_acc a) { return a; }
SL_INLINE c_row_acc c_row_of(w_acc all) { return all; }
SL_INLINE double c_row_value(c_row_acc a) { return first_lane(w_acc_value(a)); }
#else
typedef vw c_acc;

SL_INLINE c_acc c_acc_of(vw a) { return a; }

SL_INLINE c_acc c_acc_zero(void) { return w_set1(0); }
SL_INLINE c_acc c_acc_add(c_acc s, vw a) { return w_add(s, a); }
SL_INLINE c_acc c_acc_merge(c_acc a, c_acc b) { return w_add(a, b); }
SL_INLINE vw c_acc_value(c_acc s) { return s; }
/* value - part, with all that the sum knows. */
SL_INLINE vw c_acc_rest(c_acc s, vw part) { return w_sub(s, part); }
SL_INLINE c_acc c_acc_minus(c_acc a, c_acc b) { return w_sub(a, b); }
SL_INLINE c_acc c_acc_times(c_acc a, vw b) { return w_mul(a, b); }
SL_INLINE c_acc c_acc_over(c_acc a, c_acc b) { return w_div(a, b); }
SL_INLINE c_acc c_acc_select(vm m, c_acc a, c_acc b)
{
    return w_select(w_lt(w_set1(0), v_widen(v_keep(m, v_set1(1)))), a, b);
}

/* Exponentials are added as terms, and c_acc_of_terms() makes a sum of what came of it. With FMA a pair is two of them; without,
 * a + b in f32 first, one conversion for two elements: two would cost 8 to 11 % more (SSE2). */
#if SL_FMA
#define c_acc_add_term w_add_terms
#define c_acc_of_terms w_sum_of_terms
#define c_fold_terms w_fold_terms
SL_INLINE c_acc c_acc_add_pair(c_acc s, vf a, vf b) { return c_acc_add_term(c_acc_add_term(s, a), b); }
#else
SL_INLINE c_acc c_acc_add_term(c_acc s, vf a) { return w_add(s, v_widen(a)); }
SL_INLINE c_acc c_acc_of_terms(c_acc s) { return s; }
SL_INLINE double c_fold_terms(c_acc s) { return w_fold_add(s); }
SL_INLINE c_acc c_acc_add_pair(c_acc s, vf a, vf b) { return w_add(s, v_widen(v_add(a, b))); }
#endif
/* Exact products: 24 + 24 bits. */
SL_INLINE c_acc c_acc_add_product(c_acc s, vw a, vw b) { return w_add(s, w_mul(a, b)); }
SL_INLINE c_acc c_acc_load(const float *p) { return v_load_wide(p); }

/* One number in every lane becomes lane l of SL_W. */
typedef struct {
    double sum[SL_W];
} c_acc_lanes;

SL_INLINE void c_acc_put(c_acc_lanes *lanes, size_t l, c_acc a) { lanes->sum[l] = first_lane(a); }
SL_INLINE void c_row_put(c_acc_lanes *lanes, size_t l, double a) { lanes->sum[l] = a; }
SL_INLINE c_acc c_acc_join(const c_acc_lanes *lanes) { return w_load(lanes->sum); }

/* The sum of the lanes of one row, by halves: a number of its own, or in every lane. What is made of numbers that are the same in
 * all lanes costs half of its operations: compilers see that both halves of a register are the same. */
typedef double c_row_acc;

/* By halves, down to one register. */
SL_INLINE c_acc parts_fold(const c_acc *part, size_t parts)
{
    vw sum[SL_PARTS];
    SL_UNROLL
    for (size_t j = 0; j < parts; j++)
        sum[j] = part[j];
    SL_UNROLL_ALL
    for (size_t half = parts / 2; half; half /= 2) {
        SL_UNROLL_ALL
        for (size_t j = 0; j < half; j++)
            sum[j] = w_add(sum[j], sum[j + half]);
    }
    return sum[0];
}
SL_INLINE c_row_acc c_row_fold(const c_acc *part, size_t parts)
{
    return w_fold_add(parts_fold(part, parts));
}
SL_INLINE double c_row_value(c_row_acc a) { return a; }
SL_INLINE c_acc c_row_in_all(c_row_acc a) { return w_set1(a); }
SL_INLINE c_row_acc c_row_of(c_acc all) { return first_lane(all); }
SL_INLINE c_acc c_acc_fold(const c_acc part[SL_PARTS]) { return w_set1(c_row_fold(part, SL_PARTS)); }

#endif

/* The sum of the terms in the lanes of one row, in their order. */
#if SL_F64
SL_INLINE c_row_acc terms_fold(const c_acc part[SL_EXP_PARTS]) { return c_row_fold(part, SL_EXP_PARTS); }
#else
SL_INLINE c_row_acc terms_fold(const c_acc part[SL_EXP_PARTS])
{
    return c_fold_terms(parts_fold(part, SL_EXP_PARTS));
}
#endif

/* Of the lanes of blocks that load_two has loaded. */
#if SL_IN_ORDER
SL_INLINE c_row_acc lanes_fold(const c_acc part[SL_EXP_PARTS]) { return terms_fold(part); }
#else
/* The last step of all is that from the even to the odd lanes. */
SL_INLINE double lanes_fold(const c_acc part[SL_EXP_PARTS])
{
#if SL_EXP_PARTS == 1
    return w_fold_add_halves(c_acc_of_terms(part[0]));
#else
    c_acc sum[SL_EXP_PARTS];
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        sum[j] = part[j];
    SL_UNROLL_ALL
    for (size_t half = SL_EXP_PARTS / 2; half > 1; half /= 2) {
        SL_UNROLL_ALL
        for (size_t j = 0; j < half; j++)
            sum[j] = w_add(sum[j], sum[j + half]);
    }
    return c_fold_terms(sum[0]) + c_fold_terms(sum[1]);
#endif
}
#endif

#endif
