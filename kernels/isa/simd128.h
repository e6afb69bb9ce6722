/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in WebAssembly SIMD128: 4 lanes, no FMA (relaxed_madd may fuse or not, so it can keep no promise), no
 * conversion of binary16. pmin and pmax are words of the contract with their operands exchanged. Which bits a NaN has that
 * arithmetic makes is left open.
 */
#ifndef SL_ISA_SIMD128_H
#define SL_ISA_SIMD128_H

#if defined(__wasm32__) && defined(SOFTLANE_WITHOUT_SIMD128)
#include "vocab.h"

#define SL_LEFT_OUT
#elif defined(__wasm32__)
#ifndef SL_UNIT_ISA
#define SL_UNIT_ISA simd128 /* where this header is opened alone */
#endif

#include "vocab.h"

#define SL_W 4
#define SL_FMA 0
#define SL_NEEDS "simd128"
#define SL_CANONICAL_NANS

#include <wasm_simd128.h>
SL_OPEN(SL_NEEDS)

#include "isa/pair.h"
#include "isa/partial.h"

typedef v128_t vf;
typedef v128_t vu;
typedef v128_t vm;
typedef const uint32_t *vt;
typedef struct {
    v128_t lo, hi;
} vw;
typedef struct {
    v128_t lo, hi;
} wu;
typedef struct {
    v128_t lo, hi;
} wm;

/* f32 */

SL_INLINE vf v_set1(float s) { return wasm_f32x4_splat(s); }
SL_INLINE vf v_load(const float *p) { return wasm_v128_load(p); }
SL_INLINE void v_store(float *p, vf a) { wasm_v128_store(p, a); }
SL_PARTIAL(v, vf, float, SL_W)
SL_INLINE void v_stream(float *p, vf a) { v_store(p, a); }
SL_INLINE void stream_end(void) {}
SL_INLINE void leave(void) {}
SL_INLINE vf v_evens(vf a, vf b) { return wasm_i32x4_shuffle(a, b, 0, 2, 4, 6); }
SL_INLINE vf v_odds(vf a, vf b) { return wasm_i32x4_shuffle(a, b, 1, 3, 5, 7); }
SL_INLINE vf v_add(vf a, vf b) { return wasm_f32x4_add(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return wasm_f32x4_sub(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return SL_ROUNDED(wasm_f32x4_mul(a, b)); }
SL_INLINE vf v_div(vf a, vf b) { return wasm_f32x4_div(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return wasm_f32x4_add(v_mul(a, b), c); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return wasm_f32x4_sub(c, v_mul(a, b)); }
SL_INLINE vf v_min(vf a, vf b) { return wasm_f32x4_pmin(b, a); }
SL_INLINE vf v_max(vf a, vf b) { return wasm_f32x4_pmax(b, a); }
SL_INLINE vf v_at_most(vf a, vf b) { return v_min(a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return v_max(a, b); }
SL_INLINE vf v_abs(vf a) { return wasm_f32x4_abs(a); }
SL_INLINE vu v_bits(vf a) { return a; }
SL_INLINE vf v_float(vu a) { return a; }
SL_INLINE float v_fold_max(vf a)
{
    vf h = v_max(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    return wasm_f32x4_extract_lane(v_max(h, wasm_i32x4_shuffle(h, h, 1, 0, 3, 2)), 0);
}

/* The lanes of sums of exponentials are those of a register. */
SL_INLINE vf v_lower_halves(vf a, vf b) { return wasm_i64x2_shuffle(a, b, 0, 2); }
SL_INLINE vf v_upper_halves(vf a, vf b) { return wasm_i64x2_shuffle(a, b, 1, 3); }

/* 4 x 4 change places. */
SL_INLINE void change_places(vf q[4])
{
    vf first = wasm_i32x4_shuffle(q[0], q[1], 0, 4, 1, 5),
       second = wasm_i32x4_shuffle(q[0], q[1], 2, 6, 3, 7);
    vf first_below = wasm_i32x4_shuffle(q[2], q[3], 0, 4, 1, 5);
    vf second_below = wasm_i32x4_shuffle(q[2], q[3], 2, 6, 3, 7);
    q[0] = v_lower_halves(first, first_below);
    q[1] = v_upper_halves(first, first_below);
    q[2] = v_lower_halves(second, second_below);
    q[3] = v_upper_halves(second, second_below);
}
SL_INLINE void v_load_transposed(const float *p, size_t step, vf q[4])
{
    SL_UNROLL
    for (size_t l = 0; l < 4; l++)
        q[l] = v_load(p + l * step);
    change_places(q);
}
SL_INLINE void v_store_transposed(float *p, size_t step, const vf q[4])
{
    vf a[4] = {q[0], q[1], q[2], q[3]};
    change_places(a);
    SL_UNROLL
    for (size_t l = 0; l < 4; l++)
        v_store(p + l * step, a[l]);
}

/* f64 */

SL_INLINE vw v_widen(vf a)
{
    return (vw){wasm_f64x2_promote_low_f32x4(a),
                wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(a, a, 2, 3, 2, 3))};
}
SL_INLINE vw v_load_wide(const float *p)
{
    return (vw){wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(p)),
                wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(p + 2))};
}
SL_INLINE vf v_narrow(vw a)
{
    return v_lower_halves(wasm_f32x4_demote_f64x2_zero(a.lo), wasm_f32x4_demote_f64x2_zero(a.hi));
}
SL_INLINE vw w_set1(double s) { return (vw){wasm_f64x2_splat(s), wasm_f64x2_splat(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){wasm_v128_load(p), wasm_v128_load(p + 2)}; }
SL_INLINE void w_store(double *p, vw a)
{
    wasm_v128_store(p, a.lo);
    wasm_v128_store(p + 2, a.hi);
}
/* Two rows of four; and back. */
SL_INLINE void load_transposed_half(const double *p, size_t step, v128_t q[4])
{
    SL_UNROLL
    for (size_t c = 0; c < 4; c += 2) {
        v128_t a = wasm_v128_load(p + c), b = wasm_v128_load(p + step + c);
        q[c] = v_lower_halves(a, b);
        q[c + 1] = v_upper_halves(a, b);
    }
}
SL_INLINE void store_transposed_half(double *p, size_t step, const v128_t q[4])
{
    SL_UNROLL
    for (size_t c = 0; c < 4; c += 2) {
        wasm_v128_store(p + c, v_lower_halves(q[c], q[c + 1]));
        wasm_v128_store(p + step + c, v_upper_halves(q[c], q[c + 1]));
    }
}
SL_PAIRED_TRANSPOSED(w, double, vw)
SL_INLINE void w_stream(double *p, vw a) { w_store(p, a); }
SL_PARTIAL(w, vw, double, SL_W)
SL_PAIRED_2(vw, w_add, vw, vw, wasm_f64x2_add(a, b))
SL_PAIRED_2(vw, w_sub, vw, vw, wasm_f64x2_sub(a, b))
SL_PAIRED_2(vw, w_mul, vw, vw, SL_ROUNDED(wasm_f64x2_mul(a, b)))
SL_PAIRED_2(vw, w_div, vw, vw, wasm_f64x2_div(a, b))
SL_PAIRED_3(vw, w_fma, vw, vw, vw, wasm_f64x2_add(w_mul_half(a, b), c))
SL_PAIRED_3(vw, w_fnma, vw, vw, vw, wasm_f64x2_sub(c, w_mul_half(a, b)))
SL_PAIRED_2(vw, w_min, vw, vw, wasm_f64x2_pmin(b, a))
SL_PAIRED_2(vw, w_max, vw, vw, wasm_f64x2_pmax(b, a))
SL_INLINE vw w_at_most(vw a, vw b) { return w_min(a, b); }
SL_INLINE vw w_larger(vw a, vw b) { return w_max(a, b); }
SL_PAIRED_1(vw, w_abs, vw, wasm_f64x2_abs(a))
SL_PAIRED_1(wu, w_bits, vw, a)
SL_PAIRED_1(vw, w_float, wu, a)
SL_INLINE double w_fold_max(vw a)
{
    v128_t q = w_max_half(a.lo, a.hi);
    return wasm_f64x2_extract_lane(w_max_half(q, wasm_i64x2_shuffle(q, q, 1, 0)), 0);
}
SL_INLINE double w_fold_add(vw a)
{
    v128_t q = wasm_f64x2_add(a.lo, a.hi);
    return wasm_f64x2_extract_lane(q, 0) + wasm_f64x2_extract_lane(q, 1);
}
SL_INLINE double w_fold_add_halves(vw a)
{
    v128_t q = wasm_f64x2_add(v_lower_halves(a.lo, a.hi), v_upper_halves(a.lo, a.hi));
    return wasm_f64x2_extract_lane(q, 0) + wasm_f64x2_extract_lane(q, 1);
}

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return wasm_u32x4_splat(s); }
SL_INLINE vu u_and(vu a, vu b) { return wasm_v128_and(a, b); }
SL_INLINE vu u_or(vu a, vu b) { return wasm_v128_or(a, b); }
SL_INLINE vu u_andnot(vu a, vu b) { return wasm_v128_andnot(a, b); }
SL_INLINE vu u_add(vu a, vu b) { return wasm_i32x4_add(a, b); }
SL_INLINE vu u_sub(vu a, vu b) { return wasm_i32x4_sub(a, b); }
#define u_shl(a, k) wasm_i32x4_shl(a, k)
#define u_shr(a, k) wasm_u32x4_shr(a, k)

SL_INLINE wu wu_set1(uint64_t s) { return (wu){wasm_u64x2_splat(s), wasm_u64x2_splat(s)}; }
SL_PAIRED_2(wu, wu_and, wu, wu, wasm_v128_and(a, b))
SL_PAIRED_2(wu, wu_or, wu, wu, wasm_v128_or(a, b))
SL_PAIRED_2(wu, wu_add, wu, wu, wasm_i64x2_add(a, b))
SL_PAIRED_2(wu, wu_sub, wu, wu, wasm_i64x2_sub(a, b))
#define wu_shl(a, k) ((wu){wasm_i64x2_shl((a).lo, k), wasm_i64x2_shl((a).hi, k)})
#define wu_shr(a, k) ((wu){wasm_u64x2_shr((a).lo, k), wasm_u64x2_shr((a).hi, k)})

/* truth */

SL_INLINE vm v_lt(vf a, vf b) { return wasm_f32x4_lt(a, b); }
SL_INLINE vm v_le(vf a, vf b) { return wasm_f32x4_le(a, b); }
SL_INLINE vm v_eq(vf a, vf b) { return wasm_f32x4_eq(a, b); }
SL_INLINE vm v_nlt(vf a, vf b) { return wasm_v128_not(wasm_f32x4_lt(a, b)); }
SL_INLINE vm v_nle(vf a, vf b) { return wasm_v128_not(wasm_f32x4_le(a, b)); }
SL_INLINE vm m_or(vm a, vm b) { return wasm_v128_or(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return wasm_v128_andnot(a, b); }
SL_INLINE int m_any(vm a) { return wasm_v128_any_true(a); }
SL_INLINE int m_all(vm a) { return wasm_i32x4_all_true(a); }
SL_INLINE int m_count(vm a) { return __builtin_popcount(wasm_i32x4_bitmask(a)); }
SL_INLINE vf v_select(vm m, vf a, vf b) { return wasm_v128_bitselect(a, b, m); }
SL_INLINE vf v_keep(vm m, vf a) { return wasm_v128_and(m, a); }
SL_INLINE vf v_where(vm m, vf a) { return v_keep(m, a); }
SL_INLINE vf v_fma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fma(a, b, c); }
SL_INLINE vf v_fnma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fnma(a, b, c); }

SL_PAIRED_2(wm, w_lt, vw, vw, wasm_f64x2_lt(a, b))
SL_PAIRED_2(wm, w_le, vw, vw, wasm_f64x2_le(a, b))
SL_PAIRED_2(wm, w_eq, vw, vw, wasm_f64x2_eq(a, b))
SL_PAIRED_2(wm, w_nlt, vw, vw, wasm_v128_not(wasm_f64x2_lt(a, b)))
SL_PAIRED_2(wm, w_nle, vw, vw, wasm_v128_not(wasm_f64x2_le(a, b)))
SL_PAIRED_2(wm, wm_or, wm, wm, wasm_v128_or(a, b))
SL_PAIRED_2(wm, wm_andnot, wm, wm, wasm_v128_andnot(a, b))
SL_INLINE int wm_any(wm a) { return wasm_v128_any_true(wasm_v128_or(a.lo, a.hi)); }
SL_INLINE int wm_all(wm a) { return wasm_i64x2_all_true(wasm_v128_and(a.lo, a.hi)); }
SL_INLINE int wm_count(wm a)
{
    return __builtin_popcount(wasm_i64x2_bitmask(a.lo) | wasm_i64x2_bitmask(a.hi) << 2);
}
SL_PAIRED_3(vw, w_select, wm, vw, vw, wasm_v128_bitselect(b, c, a))
SL_PAIRED_2(vw, w_keep, wm, vw, wasm_v128_and(a, b))
SL_INLINE vw w_where(wm m, vw a) { return w_keep(m, a); }
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fma(a, b, c); }
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fnma(a, b, c); }

/* table: eight u32 are two registers of bytes. Index i is spread to bytes 4i .. 4i + 3; a byte that is not in a register is 0
 * there. */

SL_INLINE vt t_load(const uint32_t *p) { return p; }
SL_INLINE vu t_pick(vt t, vu i)
{
    vu first = u_shl(u_and(i, u_set1(7)), 2);
    vu at = u_or(wasm_i8x16_shuffle(first, first, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12),
                 u_set1(0x03020100));
    return u_or(wasm_i8x16_swizzle(wasm_v128_load(t), at),
                wasm_i8x16_swizzle(wasm_v128_load(t + 4), wasm_i8x16_sub(at, wasm_i8x16_splat(16))));
}
SL_INLINE vu t_pick_scaled(vt t, vu u) { return u_add(t_pick(t, u), u_shl(u, 20)); }

/* u16: narrowing would saturate. */

SL_INLINE vu h_load(const uint16_t *p) { return wasm_u32x4_load16x4(p); }
SL_INLINE void h_store(uint16_t *p, vu a)
{
    wasm_v128_store64_lane(p, wasm_i16x8_shuffle(a, a, 0, 2, 4, 6, 0, 2, 4, 6), 0);
}
SL_INLINE void h_stream(uint16_t *p, vu a) { h_store(p, a); }
SL_PARTIAL(h, vu, uint16_t, SL_W)

/* two u16 */

SL_INLINE vu hh_load(const uint16_t *p) { return wasm_v128_load(p); }
SL_INLINE void hh_store(uint16_t *p, vu a) { wasm_v128_store(p, a); }
SL_INLINE void hh_stream(uint16_t *p, vu a) { hh_store(p, a); }
SL_PARTIAL(hh, vu, uint16_t, 2 * SL_W)
SL_INLINE vu hh_merge(vu low, vu high) { return wasm_i16x8_shuffle(low, high, 0, 9, 2, 11, 4, 13, 6, 15); }
SL_INLINE vu hh_uppers(vu a, vu b) { return hh_merge(u_shr(a, 16), b); }
SL_INLINE vu hh_lowers(vu a, vu b) { return hh_merge(a, u_shl(b, 16)); }
SL_INLINE vu hh_add(vu a, vu b) { return wasm_i16x8_add(a, b); }
SL_INLINE vu hh_sub(vu a, vu b) { return wasm_u16x8_sub_sat(a, b); }
#define hh_shr(a, k) wasm_u16x8_shr(a, k)

#include "isa/half.h"

#undef SL_HALF
#undef SL_PAIRED_1
#undef SL_PAIRED_2
#undef SL_PAIRED_3
#undef SL_PAIRED_TRANSPOSED
#undef SL_PARTIAL

#endif

#endif
