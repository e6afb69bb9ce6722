/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in SVE with registers of SL_SVE_BITS, which the compiler must know (-msve-vector-bits): sve128.h, sve256.h and
 * sve512.h say how many. Masks are predicates. FMIN and FMAX treat NaN and zeros otherwise than x86, hence compare and select,
 * but where that may be. Not by clang: 14 does not unroll loops over such registers, which would lie in memory; 19 compiles
 * sve512 in f64 without end.
 */
#ifndef SL_ISA_SVE_H
#define SL_ISA_SVE_H

#if defined(__aarch64__)
#if defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS == SL_SVE_BITS && !defined(__clang__)
#include "vocab.h"

#define SL_W (SL_SVE_BITS / 32)
#define SL_FMA 1
#define SL_NEEDS "sve,vl" SL_TEXT(SL_SVE_BITS)

#include <arm_sve.h>
SL_OPEN("+sve")

#include "isa/pair.h"

#define SL_FIXED __attribute__((arm_sve_vector_bits(SL_SVE_BITS)))
#define SL_ALL_32 svptrue_b32()
#define SL_ALL_64 svptrue_b64()
enum { HALF = SL_W / 2 }; /* f64 elements in a register */

typedef svfloat32_t vf SL_FIXED;
typedef svuint32_t vu SL_FIXED;
typedef svbool_t vm SL_FIXED;
typedef svfloat64_t f64s SL_FIXED;
typedef svuint64_t u64s SL_FIXED;
typedef struct {
    f64s lo, hi;
} vw;
typedef struct {
    u64s lo, hi;
} wu;
typedef struct {
    vm lo, hi;
} wm;

/* Lanes below n. */
SL_INLINE vm lanes_below(size_t n) { return svwhilelt_b32_u64(0, n); }
SL_INLINE wm wide_lanes_below(size_t n) { return (wm){svwhilelt_b64_u64(0, n), svwhilelt_b64_u64(HALF, n)}; }

/* Rows of four, SL_W or HALF of them, as columns; and back. Four registers hold the rows one behind the other: the even elements
 * of all, and of these the even ones, are column 0. */
#define SL_TRANSPOSED(load, store, element, reg, f, lanes_below, lanes)                                      \
    SL_INLINE void load(const element *p, size_t step, reg q[4])                                             \
    {                                                                                                        \
        reg r[4];                                                                                            \
        SL_UNROLL                                                                                            \
        for (size_t k = 0; k < 4; k++) {                                                                     \
            const element *from = p + k * (lanes) / 4 * step + k * (lanes) % 4;                              \
            size_t row = ((lanes)-1) / 4;                                                                    \
            r[k] = svld1_##f(lanes_below(4), from + row * step);                                             \
            while (row-- > 0)                                                                                \
                r[k] = svsplice_##f(lanes_below(4), svld1_##f(lanes_below(4), from + row * step), r[k]);     \
        }                                                                                                    \
        reg evens = svuzp1_##f(r[0], r[1]), more_evens = svuzp1_##f(r[2], r[3]);                             \
        reg odds = svuzp2_##f(r[0], r[1]), more_odds = svuzp2_##f(r[2], r[3]);                               \
        q[0] = svuzp1_##f(evens, more_evens);                                                                \
        q[1] = svuzp1_##f(odds, more_odds);                                                                  \
        q[2] = svuzp2_##f(evens, more_evens);                                                                \
        q[3] = svuzp2_##f(odds, more_odds);                                                                  \
    }                                                                                                        \
    SL_INLINE void store(element *p, size_t step, const reg q[4])                                            \
    {                                                                                                        \
        reg evens = svzip1_##f(q[0], q[2]), more_evens = svzip2_##f(q[0], q[2]);                             \
        reg odds = svzip1_##f(q[1], q[3]), more_odds = svzip2_##f(q[1], q[3]);                               \
        reg r[4] = {svzip1_##f(evens, odds), svzip2_##f(evens, odds), svzip1_##f(more_evens, more_odds),     \
                    svzip2_##f(more_evens, more_odds)};                                                      \
        SL_UNROLL                                                                                            \
        for (size_t k = 0; k < 4; k++)                                                                       \
            for (size_t l = 0; l < (lanes); l += 4) {                                                        \
                svst1_##f(lanes_below(4), p + (k * (lanes) + l) / 4 * step + k * (lanes) % 4, r[k]);         \
                r[k] = svext_##f(r[k], r[k], 4);                                                             \
            }                                                                                                \
    }

/* f32 */

SL_INLINE vf v_set1(float s) { return svdup_n_f32(s); }
SL_INLINE vf v_load(const float *p) { return svld1_f32(SL_ALL_32, p); }
SL_INLINE void v_store(float *p, vf a) { svst1_f32(SL_ALL_32, p, a); }
SL_INLINE vf v_load_n(const float *p, size_t n, float fill)
{
    return svsel_f32(lanes_below(n), svld1_f32(lanes_below(n), p), v_set1(fill));
}
SL_INLINE void v_store_n(float *p, vf a, size_t n) { svst1_f32(lanes_below(n), p, a); }
SL_INLINE void v_stream(float *p, vf a) { svstnt1_f32(SL_ALL_32, p, a); }
SL_INLINE void stream_end(void) {}
SL_INLINE void leave(void) {}
SL_INLINE vf v_evens(vf a, vf b) { return svuzp1_f32(a, b); }
SL_INLINE vf v_odds(vf a, vf b) { return svuzp2_f32(a, b); }
SL_INLINE vf v_add(vf a, vf b) { return svadd_f32_x(SL_ALL_32, a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return svsub_f32_x(SL_ALL_32, a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return SL_ROUNDED(svmul_f32_x(SL_ALL_32, a, b)); }
SL_INLINE vf v_div(vf a, vf b) { return svdiv_f32_x(SL_ALL_32, a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return svmla_f32_x(SL_ALL_32, c, a, b); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return svmls_f32_x(SL_ALL_32, c, a, b); }
SL_INLINE vf v_min(vf a, vf b) { return svsel_f32(svcmplt_f32(SL_ALL_32, a, b), a, b); }
SL_INLINE vf v_max(vf a, vf b) { return svsel_f32(svcmpgt_f32(SL_ALL_32, a, b), a, b); }
SL_INLINE vf v_at_most(vf a, vf b) { return svmin_f32_x(SL_ALL_32, a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return svmaxnm_f32_x(SL_ALL_32, a, b); }
SL_INLINE vf v_abs(vf a) { return svabs_f32_x(SL_ALL_32, a); }
SL_INLINE vu v_bits(vf a) { return svreinterpret_u32_f32(a); }
SL_INLINE vf v_float(vu a) { return svreinterpret_f32_u32(a); }
SL_INLINE float v_fold_max(vf a)
{
    if (SL_W > 8)
        a = v_max(a, svext_f32(a, a, 8));
    if (SL_W > 4)
        a = v_max(a, svext_f32(a, a, 4));
    a = v_max(a, svext_f32(a, a, 2));
    return svlasta_f32(svpfalse_b(), v_max(a, svext_f32(a, a, 1)));
}
SL_TRANSPOSED(v_load_transposed, v_store_transposed, float, vf, f32, lanes_below, SL_W)

/* Where a register has all lanes of a sum of exponentials. */
SL_INLINE vf v_lower_halves(vf a, vf b) { return svsplice_f32(lanes_below(HALF), a, b); }
SL_INLINE vf v_upper_halves(vf a, vf b) { return svext_f32(a, svext_f32(b, b, HALF), HALF); }

/* f64: conversions take and leave the f32 in the lower half of an f64's place. */

SL_INLINE f64s widened(svuint64_t a) { return svcvt_f64_f32_x(SL_ALL_64, svreinterpret_f32_u64(a)); }
SL_INLINE vw v_widen(vf a)
{
    return (vw){widened(svunpklo_u64(v_bits(a))), widened(svunpkhi_u64(v_bits(a)))};
}
SL_INLINE vw v_load_wide(const float *p)
{
    const uint32_t *bits = (const uint32_t *)(const void *)p;
    return (vw){widened(svld1uw_u64(SL_ALL_64, bits)), widened(svld1uw_u64(SL_ALL_64, bits + HALF))};
}
SL_INLINE vf v_narrow(vw a)
{
    return svuzp1_f32(svcvt_f32_f64_x(SL_ALL_64, a.lo), svcvt_f32_f64_x(SL_ALL_64, a.hi));
}
SL_INLINE vw w_set1(double s) { return (vw){svdup_n_f64(s), svdup_n_f64(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){svld1_f64(SL_ALL_64, p), svld1_f64(SL_ALL_64, p + HALF)}; }
SL_INLINE void w_store(double *p, vw a)
{
    svst1_f64(SL_ALL_64, p, a.lo);
    svst1_f64(SL_ALL_64, p + HALF, a.hi);
}
SL_INLINE vm half_lanes_below(size_t n) { return svwhilelt_b64_u64(0, n); }
SL_TRANSPOSED(load_transposed_half, store_transposed_half, double, f64s, f64, half_lanes_below, HALF)
SL_PAIRED_TRANSPOSED(w, double, vw)
SL_INLINE void w_stream(double *p, vw a)
{
    svstnt1_f64(SL_ALL_64, p, a.lo);
    svstnt1_f64(SL_ALL_64, p + HALF, a.hi);
}
SL_INLINE vw w_load_n(const double *p, size_t n, double fill)
{
    wm m = wide_lanes_below(n);
    f64s f = svdup_n_f64(fill);
    return (vw){svsel_f64(m.lo, svld1_f64(m.lo, p), f), svsel_f64(m.hi, svld1_f64(m.hi, p + HALF), f)};
}
SL_INLINE void w_store_n(double *p, vw a, size_t n)
{
    wm m = wide_lanes_below(n);
    svst1_f64(m.lo, p, a.lo);
    svst1_f64(m.hi, p + HALF, a.hi);
}
SL_PAIRED_2(vw, w_add, vw, vw, svadd_f64_x(SL_ALL_64, a, b))
SL_PAIRED_2(vw, w_sub, vw, vw, svsub_f64_x(SL_ALL_64, a, b))
SL_PAIRED_2(vw, w_mul, vw, vw, SL_ROUNDED(svmul_f64_x(SL_ALL_64, a, b)))
SL_PAIRED_2(vw, w_div, vw, vw, svdiv_f64_x(SL_ALL_64, a, b))
SL_PAIRED_3(vw, w_fma, vw, vw, vw, svmla_f64_x(SL_ALL_64, c, a, b))
SL_PAIRED_3(vw, w_fnma, vw, vw, vw, svmls_f64_x(SL_ALL_64, c, a, b))
SL_PAIRED_2(vw, w_min, vw, vw, svsel_f64(svcmplt_f64(SL_ALL_64, a, b), a, b))
SL_PAIRED_2(vw, w_max, vw, vw, svsel_f64(svcmpgt_f64(SL_ALL_64, a, b), a, b))
SL_PAIRED_2(vw, w_at_most, vw, vw, svmin_f64_x(SL_ALL_64, a, b))
SL_PAIRED_2(vw, w_larger, vw, vw, svmaxnm_f64_x(SL_ALL_64, a, b))
SL_PAIRED_1(vw, w_abs, vw, svabs_f64_x(SL_ALL_64, a))
SL_PAIRED_1(wu, w_bits, vw, svreinterpret_u64_f64(a))
SL_PAIRED_1(vw, w_float, wu, svreinterpret_f64_u64(a))
SL_INLINE double w_fold_max(vw a)
{
    f64s q = w_max_half(a.lo, a.hi);
    if (SL_W > 8)
        q = w_max_half(q, svext_f64(q, q, 4));
    if (SL_W > 4)
        q = w_max_half(q, svext_f64(q, q, 2));
    return svlasta_f64(svpfalse_b(), w_max_half(q, svext_f64(q, q, 1)));
}
SL_INLINE double fold_add_half(f64s a)
{
    if (SL_W > 8)
        a = w_add_half(a, svext_f64(a, a, 4));
    if (SL_W > 4)
        a = w_add_half(a, svext_f64(a, a, 2));
    return svlasta_f64(svpfalse_b(), w_add_half(a, svext_f64(a, a, 1)));
}
/* Even lanes, then odd ones: each is in the lower half of an f64's place, or a shift away. */
SL_INLINE vw w_add_terms(vw s, vf a)
{
    svuint64_t u = svreinterpret_u64_f32(a);
    return w_add(s, (vw){widened(u), widened(svlsr_n_u64_x(SL_ALL_64, u, 32))});
}
SL_INLINE vw w_sum_of_terms(vw s) { return (vw){svzip1_f64(s.lo, s.hi), svzip2_f64(s.lo, s.hi)}; }
SL_INLINE double w_fold_add(vw a) { return fold_add_half(w_add_half(a.lo, a.hi)); }
SL_INLINE double w_fold_add_halves(vw a) { return fold_add_half(a.lo) + fold_add_half(a.hi); }
SL_INLINE double w_fold_terms(vw s) { return w_fold_add_halves(s); }

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return svdup_n_u32(s); }
SL_INLINE vu u_and(vu a, vu b) { return svand_u32_x(SL_ALL_32, a, b); }
SL_INLINE vu u_or(vu a, vu b) { return svorr_u32_x(SL_ALL_32, a, b); }
SL_INLINE vu u_andnot(vu a, vu b) { return svbic_u32_x(SL_ALL_32, a, b); }
SL_INLINE vu u_add(vu a, vu b) { return svadd_u32_x(SL_ALL_32, a, b); }
SL_INLINE vu u_sub(vu a, vu b) { return svsub_u32_x(SL_ALL_32, a, b); }
SL_INLINE vu u_shl(vu a, unsigned k) { return svlsl_n_u32_x(SL_ALL_32, a, k); }
SL_INLINE vu u_shr(vu a, unsigned k) { return svlsr_n_u32_x(SL_ALL_32, a, k); }

SL_INLINE wu wu_set1(uint64_t s) { return (wu){svdup_n_u64(s), svdup_n_u64(s)}; }
SL_PAIRED_2(wu, wu_and, wu, wu, svand_u64_x(SL_ALL_64, a, b))
SL_PAIRED_2(wu, wu_or, wu, wu, svorr_u64_x(SL_ALL_64, a, b))
SL_PAIRED_2(wu, wu_add, wu, wu, svadd_u64_x(SL_ALL_64, a, b))
SL_PAIRED_2(wu, wu_sub, wu, wu, svsub_u64_x(SL_ALL_64, a, b))
SL_INLINE wu wu_shl(wu a, unsigned k)
{
    return (wu){svlsl_n_u64_x(SL_ALL_64, a.lo, k), svlsl_n_u64_x(SL_ALL_64, a.hi, k)};
}
SL_INLINE wu wu_shr(wu a, unsigned k)
{
    return (wu){svlsr_n_u64_x(SL_ALL_64, a.lo, k), svlsr_n_u64_x(SL_ALL_64, a.hi, k)};
}

/* truth */

SL_INLINE vm v_lt(vf a, vf b) { return svcmplt_f32(SL_ALL_32, a, b); }
SL_INLINE vm v_le(vf a, vf b) { return svcmple_f32(SL_ALL_32, a, b); }
SL_INLINE vm v_eq(vf a, vf b) { return svcmpeq_f32(SL_ALL_32, a, b); }
SL_INLINE vm v_nlt(vf a, vf b) { return svnot_b_z(SL_ALL_32, v_lt(a, b)); }
SL_INLINE vm v_nle(vf a, vf b) { return svnot_b_z(SL_ALL_32, v_le(a, b)); }
SL_INLINE vm m_or(vm a, vm b) { return svorr_b_z(SL_ALL_32, a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return svbic_b_z(SL_ALL_32, a, b); }
SL_INLINE int m_any(vm a) { return svptest_any(SL_ALL_32, a); }
SL_INLINE int m_all(vm a) { return !svptest_any(SL_ALL_32, svnot_b_z(SL_ALL_32, a)); }
SL_INLINE int m_count(vm a) { return (int)svcntp_b32(SL_ALL_32, a); }
SL_INLINE vf v_select(vm m, vf a, vf b) { return svsel_f32(m, a, b); }
SL_INLINE vf v_keep(vm m, vf a) { return svsel_f32(m, a, v_set1(0)); }
SL_INLINE vf v_where(vm m, vf a) { return (void)m, a; }
SL_INLINE vf v_fma_where(vm m, vf a, vf b, vf c) { return svmla_f32_z(m, c, a, b); }
SL_INLINE vf v_fnma_where(vm m, vf a, vf b, vf c) { return svmls_f32_z(m, c, a, b); }

SL_PAIRED_2(wm, w_lt, vw, vw, svcmplt_f64(SL_ALL_64, a, b))
SL_PAIRED_2(wm, w_le, vw, vw, svcmple_f64(SL_ALL_64, a, b))
SL_PAIRED_2(wm, w_eq, vw, vw, svcmpeq_f64(SL_ALL_64, a, b))
SL_PAIRED_2(wm, w_nlt, vw, vw, svnot_b_z(SL_ALL_64, w_lt_half(a, b)))
SL_PAIRED_2(wm, w_nle, vw, vw, svnot_b_z(SL_ALL_64, w_le_half(a, b)))
SL_PAIRED_2(wm, wm_or, wm, wm, svorr_b_z(SL_ALL_64, a, b))
SL_PAIRED_2(wm, wm_andnot, wm, wm, svbic_b_z(SL_ALL_64, a, b))
SL_INLINE int wm_any(wm a) { return svptest_any(SL_ALL_64, svorr_b_z(SL_ALL_64, a.lo, a.hi)); }
SL_INLINE int wm_all(wm a) { return !svptest_any(SL_ALL_64, svnand_b_z(SL_ALL_64, a.lo, a.hi)); }
SL_INLINE int wm_count(wm a) { return (int)(svcntp_b64(SL_ALL_64, a.lo) + svcntp_b64(SL_ALL_64, a.hi)); }
SL_PAIRED_3(vw, w_select, wm, vw, vw, svsel_f64(a, b, c))
SL_PAIRED_2(vw, w_keep, wm, vw, svsel_f64(a, b, svdup_n_f64(0)))
SL_INLINE vw w_where(wm m, vw a) { return (void)m, a; }
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c)
{
    return (vw){svmla_f64_z(m.lo, c.lo, a.lo, b.lo), svmla_f64_z(m.hi, c.hi, a.hi, b.hi)};
}
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c)
{
    return (vw){svmls_f64_z(m.lo, c.lo, a.lo, b.lo), svmls_f64_z(m.hi, c.hi, a.hi, b.hi)};
}

/* table: one lookup in a register, or two of 128 bits; an index behind the last lane gives 0. */

#if SL_W == 4
typedef const uint32_t *vt;
SL_INLINE vt t_load(const uint32_t *p) { return p; }
SL_INLINE vu t_pick(vt t, vu u)
{
    vu at = u_and(u, u_set1(7));
    return u_or(svtbl_u32(svld1_u32(SL_ALL_32, t), at),
                svtbl_u32(svld1_u32(SL_ALL_32, t + 4), u_sub(at, u_set1(4))));
}
#else
typedef vu vt;
SL_INLINE vt t_load(const uint32_t *p) { return svld1_u32(lanes_below(8), p); }
SL_INLINE vu t_pick(vt t, vu u) { return svtbl_u32(t, u_and(u, u_set1(7))); }
#endif
SL_INLINE vu t_pick_scaled(vt t, vu u) { return svmla_n_u32_x(SL_ALL_32, t_pick(t, u), u, 1u << 20); }

/* u16: in memory 16 bits, in registers 32. Only whole lanes have a non-temporal store. */

SL_INLINE vu h_load(const uint16_t *p) { return svld1uh_u32(SL_ALL_32, p); }
SL_INLINE void h_store(uint16_t *p, vu a) { svst1h_u32(SL_ALL_32, p, a); }
SL_INLINE void h_stream(uint16_t *p, vu a) { h_store(p, a); }
SL_INLINE vu h_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    return svsel_u32(lanes_below(n), svld1uh_u32(lanes_below(n), p), u_set1(fill));
}
SL_INLINE void h_store_n(uint16_t *p, vu a, size_t n) { svst1h_u32(lanes_below(n), p, a); }
SL_INLINE vf v_of_f16(vu h) { return svcvt_f32_f16_x(SL_ALL_32, svreinterpret_f16_u32(h)); }
SL_INLINE vu h_of_f32(vf a) { return svreinterpret_u32_f16(svcvt_f16_f32_x(SL_ALL_32, a)); }
SL_INLINE vf v_load_f16(const uint16_t *p) { return v_of_f16(h_load(p)); }
SL_INLINE void v_store_f16(uint16_t *p, vf a) { h_store(p, h_of_f32(a)); }
SL_INLINE void v_stream_f16(uint16_t *p, vf a) { v_store_f16(p, a); }

/* two u16 */

SL_INLINE svuint16_t hh(vu a) { return svreinterpret_u16_u32(a); }
SL_INLINE vu hh_u32(svuint16_t a) { return svreinterpret_u32_u16(a); }
SL_INLINE vm halves_below(size_t n) { return svwhilelt_b16_u64(0, n); }
SL_INLINE vu hh_load(const uint16_t *p) { return hh_u32(svld1_u16(svptrue_b16(), p)); }
SL_INLINE void hh_store(uint16_t *p, vu a) { svst1_u16(svptrue_b16(), p, hh(a)); }
SL_INLINE void hh_stream(uint16_t *p, vu a) { svstnt1_u16(svptrue_b16(), p, hh(a)); }
SL_INLINE vu hh_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    return hh_u32(svsel_u16(halves_below(n), svld1_u16(halves_below(n), p), svdup_n_u16(fill)));
}
SL_INLINE void hh_store_n(uint16_t *p, vu a, size_t n) { svst1_u16(halves_below(n), p, hh(a)); }
SL_INLINE vu hh_uppers(vu a, vu b) { return hh_u32(svtrn2_u16(hh(a), hh(b))); }
SL_INLINE vu hh_lowers(vu a, vu b) { return hh_u32(svtrn1_u16(hh(a), hh(b))); }
SL_INLINE vu hh_add(vu a, vu b) { return hh_u32(svadd_u16_x(svptrue_b16(), hh(a), hh(b))); }
SL_INLINE vu hh_sub(vu a, vu b) { return hh_u32(svqsub_u16(hh(a), hh(b))); }
SL_INLINE vu hh_shr(vu a, uint16_t k) { return hh_u32(svlsr_n_u16_x(svptrue_b16(), hh(a), k)); }

#undef SL_ALL_32
#undef SL_ALL_64
#undef SL_FIXED
#undef SL_HALF
#undef SL_PAIRED_1
#undef SL_PAIRED_2
#undef SL_PAIRED_3
#undef SL_PAIRED_TRANSPOSED
#undef SL_TRANSPOSED

#else
#define SL_LEFT_OUT 1
#endif
#endif

#endif
