/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in AVX-512 (F, DQ, BW, VL): 16 lanes, masks in mask registers.
 */
#ifndef SL_ISA_AVX512_H
#define SL_ISA_AVX512_H

#if defined(__x86_64__)
#include "vocab.h"

#if defined(_WIN32) && !defined(__clang__) /* GCC bug 54412 */
#error "softlane for Windows: gcc stores wide registers at unaligned addresses, compile by clang"
#endif

#define SL_W 16
#define SL_FMA 1
#define SL_NEEDS "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,f16c,popcnt"

#ifdef __clang__
#include <immintrin.h>
#endif
SL_OPEN(SL_NEEDS)
#include <immintrin.h>

#include "isa/pair.h"

typedef __m512 vf;
typedef __m512i vu;
typedef __mmask16 vm;
typedef __m512i vt;
typedef struct {
    __m512d lo, hi;
} vw;
typedef struct {
    __m512i lo, hi;
} wu;
typedef struct {
    __mmask8 lo, hi;
} wm;

/* Lanes below n. */
SL_INLINE __mmask16 lanes_below(size_t n) { return (__mmask16)(n < 16 ? (1u << n) - 1 : 0xffffu); }
SL_INLINE wm wide_lanes_below(size_t n)
{
    return (wm){(__mmask8)lanes_below(n), (__mmask8)(lanes_below(n) >> 8)};
}

/* f32 */

SL_INLINE vf v_set1(float s) { return _mm512_set1_ps(s); }
SL_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
SL_INLINE void v_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
SL_INLINE vf v_load_n(const float *p, size_t n, float fill)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), lanes_below(n), p);
}
SL_INLINE void v_store_n(float *p, vf a, size_t n) { _mm512_mask_storeu_ps(p, lanes_below(n), a); }
SL_INLINE void v_stream(float *p, vf a) { _mm512_stream_ps(p, a); }
SL_INLINE void stream_end(void) { _mm_sfence(); }
SL_INLINE void leave(void) { _mm256_zeroupper(); }
SL_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return SL_ROUNDED(_mm512_mul_ps(a, b)); }
SL_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
SL_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
SL_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
SL_INLINE vf v_at_most(vf a, vf b) { return v_min(a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return v_max(a, b); }
SL_INLINE vf v_abs(vf a) { return _mm512_abs_ps(a); }
SL_INLINE vu v_bits(vf a) { return _mm512_castps_si512(a); }
SL_INLINE vf v_float(vu a) { return _mm512_castsi512_ps(a); }
SL_INLINE float v_fold_max(vf a)
{
    __m256 h = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

SL_INLINE vf v_evens(vf a, vf b)
{
    return _mm512_permutex2var_ps(
        a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b);
}
SL_INLINE vf v_odds(vf a, vf b)
{
    return _mm512_permutex2var_ps(
        a, _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), b);
}
SL_INLINE vf v_lower_halves(vf a, vf b) { return _mm512_shuffle_f32x4(a, b, 0x44); }
SL_INLINE vf v_upper_halves(vf a, vf b) { return _mm512_shuffle_f32x4(a, b, 0xee); }

/* Rows l, l + 4, l + 8, l + 12 make one register; 4 x 4 in each quarter change places. */
SL_INLINE void change_places(vf q[4])
{
    vf a = _mm512_unpacklo_ps(q[0], q[1]), b = _mm512_unpackhi_ps(q[0], q[1]);
    vf c = _mm512_unpacklo_ps(q[2], q[3]), d = _mm512_unpackhi_ps(q[2], q[3]);
    q[0] = _mm512_shuffle_ps(a, c, 0x44);
    q[1] = _mm512_shuffle_ps(a, c, 0xee);
    q[2] = _mm512_shuffle_ps(b, d, 0x44);
    q[3] = _mm512_shuffle_ps(b, d, 0xee);
}
SL_INLINE void v_load_transposed(const float *p, size_t step, vf q[4])
{
    SL_UNROLL
    for (size_t l = 0; l < 4; l++, p += step) {
        __m512 a = _mm512_castps128_ps512(_mm_loadu_ps(p));
        a = _mm512_mask_broadcast_f32x4(a, 0x00f0, _mm_loadu_ps(p + 4 * step));
        a = _mm512_mask_broadcast_f32x4(a, 0x0f00, _mm_loadu_ps(p + 8 * step));
        q[l] = _mm512_mask_broadcast_f32x4(a, 0xf000, _mm_loadu_ps(p + 12 * step));
    }
    change_places(q);
}
SL_INLINE void v_store_transposed(float *p, size_t step, const vf q[4])
{
    vf a[4] = {q[0], q[1], q[2], q[3]};
    change_places(a);
    SL_UNROLL
    for (size_t l = 0; l < 4; l++, p += step) {
        _mm_storeu_ps(p, _mm512_castps512_ps128(a[l]));
        _mm_storeu_ps(p + 4 * step, _mm512_extractf32x4_ps(a[l], 1));
        _mm_storeu_ps(p + 8 * step, _mm512_extractf32x4_ps(a[l], 2));
        _mm_storeu_ps(p + 12 * step, _mm512_extractf32x4_ps(a[l], 3));
    }
}

/* f64 */

SL_INLINE vw v_widen(vf a)
{
    return (vw){_mm512_cvtps_pd(_mm512_castps512_ps256(a)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1))};
}
SL_INLINE vw v_load_wide(const float *p)
{
    return (vw){_mm512_cvtps_pd(_mm256_loadu_ps(p)), _mm512_cvtps_pd(_mm256_loadu_ps(p + 8))};
}
/* Even lanes, then odd ones: an f32 whose bits begin three bits lower is an f64, times 2^-896. Of a conversion's two steps one is a
 * shuffle; these are none. A NaN becomes a number above all sums. */
SL_INLINE vw w_add_terms(vw s, vf a)
{
    __m512i u = _mm512_castps_si512(a), odd = _mm512_and_si512(u, _mm512_set1_epi64(-(1LL << 32)));
    return (vw){_mm512_add_pd(s.lo, _mm512_castsi512_pd(_mm512_mul_epu32(u, _mm512_set1_epi64(1 << 29)))),
                _mm512_add_pd(s.hi, _mm512_castsi512_pd(_mm512_srli_epi64(odd, 3)))};
}
SL_INLINE __m512d sum_of_terms(__m512d a)
{
    __mmask8 number = _mm512_cmp_pd_mask(a, _mm512_set1_pd(0x1p-768), _CMP_LT_OQ);
    return _mm512_mask_mul_pd(_mm512_set1_pd((double)NAN), number, a, _mm512_set1_pd(0x1p896));
}
SL_INLINE vw w_sum_of_terms(vw s)
{
    __m512i lower = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
            upper = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    s = (vw){sum_of_terms(s.lo), sum_of_terms(s.hi)};
    return (vw){_mm512_permutex2var_pd(s.lo, lower, s.hi), _mm512_permutex2var_pd(s.lo, upper, s.hi)};
}
SL_INLINE vf v_narrow(vw a)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(a.lo)), _mm512_cvtpd_ps(a.hi), 1);
}
SL_INLINE vw w_set1(double s) { return (vw){_mm512_set1_pd(s), _mm512_set1_pd(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){_mm512_loadu_pd(p), _mm512_loadu_pd(p + 8)}; }
SL_INLINE void w_store(double *p, vw a)
{
    _mm512_storeu_pd(p, a.lo);
    _mm512_storeu_pd(p + 8, a.hi);
}
/* Rows l and l + 4 make one register; 4 x 4 in each half change places. */
SL_INLINE void change_places_wide(__m512d q[4])
{
    __m512i lower = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
            upper = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    __m512d a = _mm512_unpacklo_pd(q[0], q[1]), b = _mm512_unpackhi_pd(q[0], q[1]);
    __m512d c = _mm512_unpacklo_pd(q[2], q[3]), d = _mm512_unpackhi_pd(q[2], q[3]);
    q[0] = _mm512_permutex2var_pd(a, lower, c);
    q[1] = _mm512_permutex2var_pd(b, lower, d);
    q[2] = _mm512_permutex2var_pd(a, upper, c);
    q[3] = _mm512_permutex2var_pd(b, upper, d);
}
SL_INLINE void load_transposed_half(const double *p, size_t step, __m512d q[4])
{
    SL_UNROLL
    for (size_t l = 0; l < 4; l++, p += step)
        q[l] =
            _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(p)), _mm256_loadu_pd(p + 4 * step), 1);
    change_places_wide(q);
}
SL_INLINE void store_transposed_half(double *p, size_t step, __m512d q[4])
{
    change_places_wide(q);
    SL_UNROLL
    for (size_t l = 0; l < 4; l++, p += step) {
        _mm256_storeu_pd(p, _mm512_castpd512_pd256(q[l]));
        _mm256_storeu_pd(p + 4 * step, _mm512_extractf64x4_pd(q[l], 1));
    }
}
SL_PAIRED_TRANSPOSED(w, double, vw)
SL_INLINE void w_stream(double *p, vw a)
{
    _mm512_stream_pd(p, a.lo);
    _mm512_stream_pd(p + 8, a.hi);
}
SL_INLINE vw w_load_n(const double *p, size_t n, double fill)
{
    wm m = wide_lanes_below(n);
    __m512d f = _mm512_set1_pd(fill);
    return (vw){_mm512_mask_loadu_pd(f, m.lo, p), _mm512_mask_loadu_pd(f, m.hi, p + 8)};
}
SL_INLINE void w_store_n(double *p, vw a, size_t n)
{
    wm m = wide_lanes_below(n);
    _mm512_mask_storeu_pd(p, m.lo, a.lo);
    _mm512_mask_storeu_pd(p + 8, m.hi, a.hi);
}
SL_PAIRED_2(vw, w_add, vw, vw, _mm512_add_pd(a, b))
SL_PAIRED_2(vw, w_sub, vw, vw, _mm512_sub_pd(a, b))
SL_PAIRED_2(vw, w_mul, vw, vw, SL_ROUNDED(_mm512_mul_pd(a, b)))
SL_PAIRED_2(vw, w_div, vw, vw, _mm512_div_pd(a, b))
SL_PAIRED_3(vw, w_fma, vw, vw, vw, _mm512_fmadd_pd(a, b, c))
SL_PAIRED_3(vw, w_fnma, vw, vw, vw, _mm512_fnmadd_pd(a, b, c))
SL_PAIRED_2(vw, w_min, vw, vw, _mm512_min_pd(a, b))
SL_PAIRED_2(vw, w_max, vw, vw, _mm512_max_pd(a, b))
SL_INLINE vw w_at_most(vw a, vw b) { return w_min(a, b); }
SL_INLINE vw w_larger(vw a, vw b) { return w_max(a, b); }
SL_PAIRED_1(vw, w_abs, vw, _mm512_abs_pd(a))
SL_PAIRED_1(wu, w_bits, vw, _mm512_castpd_si512(a))
SL_PAIRED_1(vw, w_float, wu, _mm512_castsi512_pd(a))
SL_INLINE double w_fold_max(vw a)
{
    __m512d s = _mm512_max_pd(a.lo, a.hi);
    __m256d h = _mm256_max_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd(s, 1));
    __m128d q = _mm_max_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_max_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE double fold_add_half(__m512d a)
{
    __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE double w_fold_add(vw a) { return fold_add_half(_mm512_add_pd(a.lo, a.hi)); }
SL_INLINE double w_fold_add_halves(vw a) { return fold_add_half(a.lo) + fold_add_half(a.hi); }
SL_INLINE double w_fold_terms(vw s)
{
    double sum = w_fold_add_halves(s);
    return sum < 0x1p-768 ? sum * 0x1p896 : (double)NAN;
}

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return _mm512_set1_epi32((int)s); }
SL_INLINE vu u_and(vu a, vu b) { return _mm512_and_si512(a, b); }
SL_INLINE vu u_or(vu a, vu b) { return _mm512_or_si512(a, b); }
SL_INLINE vu u_andnot(vu a, vu b) { return _mm512_andnot_si512(b, a); }
SL_INLINE vu u_add(vu a, vu b) { return _mm512_add_epi32(a, b); }
SL_INLINE vu u_sub(vu a, vu b) { return _mm512_sub_epi32(a, b); }
#define u_shl(a, k) _mm512_slli_epi32(a, k)
#define u_shr(a, k) _mm512_srli_epi32(a, k)

SL_INLINE wu wu_set1(uint64_t s)
{
    return (wu){_mm512_set1_epi64((long long)s), _mm512_set1_epi64((long long)s)};
}
SL_PAIRED_2(wu, wu_and, wu, wu, _mm512_and_si512(a, b))
SL_PAIRED_2(wu, wu_or, wu, wu, _mm512_or_si512(a, b))
SL_PAIRED_2(wu, wu_add, wu, wu, _mm512_add_epi64(a, b))
SL_PAIRED_2(wu, wu_sub, wu, wu, _mm512_sub_epi64(a, b))
#define wu_shl(a, k) ((wu){_mm512_slli_epi64((a).lo, k), _mm512_slli_epi64((a).hi, k)})
#define wu_shr(a, k) ((wu){_mm512_srli_epi64((a).lo, k), _mm512_srli_epi64((a).hi, k)})

/* truth */

SL_INLINE vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
SL_INLINE vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
SL_INLINE vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
SL_INLINE vm v_nlt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ); }
SL_INLINE vm v_nle(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLE_UQ); }
SL_INLINE vm m_or(vm a, vm b) { return _kor_mask16(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return _kandn_mask16(b, a); }
SL_INLINE int m_any(vm a) { return a != 0; }
SL_INLINE int m_all(vm a) { return a == 0xffff; }
SL_INLINE int m_count(vm a) { return __builtin_popcount(a); }
SL_INLINE vf v_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
SL_INLINE vf v_keep(vm m, vf a) { return _mm512_maskz_mov_ps(m, a); }
SL_INLINE vf v_where(vm m, vf a) { return (void)m, a; }
/* clang takes the intrinsic for an operation on all lanes and a selection, and may make just that of it. */
#ifdef __clang__
#define SL_MASKED_FMA(T, M, word, intrinsic, instruction)                                                    \
    SL_INLINE T word(M m, T a, T b, T c)                                                                     \
    {                                                                                                        \
        __asm__(instruction " %3, %2, %0 %{%1%}%{z%}" : "+v"(a) : "Yk"(m), "v"(b), "v"(c));                  \
        return a;                                                                                            \
    }
#else
#define SL_MASKED_FMA(T, M, word, intrinsic, instruction)                                                    \
    SL_INLINE T word(M m, T a, T b, T c) { return intrinsic(m, a, b, c); }
#endif
SL_MASKED_FMA(__m512, __mmask16, v_fma_where, _mm512_maskz_fmadd_ps, "vfmadd213ps")
SL_MASKED_FMA(__m512, __mmask16, v_fnma_where, _mm512_maskz_fnmadd_ps, "vfnmadd213ps")

SL_PAIRED_2(wm, w_lt, vw, vw, _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ))
SL_PAIRED_2(wm, w_le, vw, vw, _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ))
SL_PAIRED_2(wm, w_eq, vw, vw, _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ))
SL_PAIRED_2(wm, w_nlt, vw, vw, _mm512_cmp_pd_mask(a, b, _CMP_NLT_UQ))
SL_PAIRED_2(wm, w_nle, vw, vw, _mm512_cmp_pd_mask(a, b, _CMP_NLE_UQ))
SL_PAIRED_2(wm, wm_or, wm, wm, _kor_mask8(a, b))
SL_PAIRED_2(wm, wm_andnot, wm, wm, _kandn_mask8(b, a))
SL_INLINE int wm_any(wm a) { return (a.lo | a.hi) != 0; }
SL_INLINE int wm_all(wm a) { return (a.lo & a.hi) == 0xff; }
SL_INLINE int wm_count(wm a) { return __builtin_popcount(a.lo) + __builtin_popcount(a.hi); }
SL_PAIRED_3(vw, w_select, wm, vw, vw, _mm512_mask_blend_pd(a, c, b))
SL_PAIRED_2(vw, w_keep, wm, vw, _mm512_maskz_mov_pd(a, b))
SL_INLINE vw w_where(wm m, vw a) { return (void)m, a; }
SL_MASKED_FMA(__m512d, __mmask8, fma_half_where, _mm512_maskz_fmadd_pd, "vfmadd213pd")
SL_MASKED_FMA(__m512d, __mmask8, fnma_half_where, _mm512_maskz_fnmadd_pd, "vfnmadd213pd")
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c)
{
    return (vw){fma_half_where(m.lo, a.lo, b.lo, c.lo), fma_half_where(m.hi, a.hi, b.hi, c.hi)};
}
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c)
{
    return (vw){fnma_half_where(m.lo, a.lo, b.lo, c.lo), fnma_half_where(m.hi, a.hi, b.hi, c.hi)};
}

/* table: the permutation reads four bits of the index, so the table stands there twice. */

SL_INLINE vt t_load(const uint32_t *p)
{
    __m512i t = _mm512_broadcast_i32x8(_mm256_loadu_si256((const __m256i *)p));
    __asm__("" : "+v"(t)); /* gcc would repeat the broadcast in loops */
    return t;
}
SL_INLINE vu t_pick(vt t, vu i) { return _mm512_permutexvar_epi32(i, t); }
SL_INLINE vu t_pick_scaled(vt t, vu u) { return u_add(t_pick(t, u), u_shl(u, 20)); }

/* u16 */

SL_INLINE vu h_load(const uint16_t *p)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
}
SL_INLINE void h_store(uint16_t *p, vu a) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(a)); }
SL_INLINE void h_stream(uint16_t *p, vu a) { _mm256_stream_si256((__m256i *)p, _mm512_cvtepi32_epi16(a)); }
SL_INLINE vu h_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    return _mm512_cvtepu16_epi32(_mm256_mask_loadu_epi16(_mm256_set1_epi16((short)fill), lanes_below(n), p));
}
SL_INLINE void h_store_n(uint16_t *p, vu a, size_t n)
{
    _mm256_mask_storeu_epi16(p, lanes_below(n), _mm512_cvtepi32_epi16(a));
}
SL_INLINE vf v_of_f16(vu h) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(h)); }
SL_INLINE vu h_of_f32(vf a)
{
    return _mm512_cvtepu16_epi32(_mm512_maskz_cvtps_ph(0xffff, a, _MM_FROUND_TO_NEAREST_INT));
}
/* Named rounding, although there is none: without it clang 14 takes the load to pieces. */
SL_INLINE vf v_load_f16(const uint16_t *p)
{
    return _mm512_cvt_roundph_ps(_mm256_loadu_si256((const __m256i *)p), _MM_FROUND_NO_EXC);
}
SL_INLINE void v_store_f16(uint16_t *p, vf a)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_maskz_cvtps_ph(0xffff, a, _MM_FROUND_TO_NEAREST_INT));
}
SL_INLINE void v_stream_f16(uint16_t *p, vf a)
{
    _mm256_stream_si256((__m256i *)p, _mm512_maskz_cvtps_ph(0xffff, a, _MM_FROUND_TO_NEAREST_INT));
}

/* two u16: the selection by a constant mask of bits is one instruction. */

SL_INLINE vu hh_load(const uint16_t *p) { return _mm512_loadu_si512(p); }
SL_INLINE void hh_store(uint16_t *p, vu a) { _mm512_storeu_si512(p, a); }
SL_INLINE void hh_stream(uint16_t *p, vu a) { _mm512_stream_si512((__m512i *)(void *)p, a); }
SL_INLINE __mmask32 halves_below(size_t n) { return n < 32 ? (1u << n) - 1 : 0xffffffffu; }
SL_INLINE vu hh_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    return _mm512_mask_loadu_epi16(_mm512_set1_epi16((short)fill), halves_below(n), p);
}
SL_INLINE void hh_store_n(uint16_t *p, vu a, size_t n) { _mm512_mask_storeu_epi16(p, halves_below(n), a); }
SL_INLINE vu hh_merge(vu low, vu high)
{
    return _mm512_ternarylogic_epi32(_mm512_set1_epi32(0xffff), low, high, 0xca);
}
SL_INLINE vu hh_uppers(vu a, vu b) { return hh_merge(_mm512_srli_epi32(a, 16), b); }
SL_INLINE vu hh_lowers(vu a, vu b) { return hh_merge(a, _mm512_slli_epi32(b, 16)); }
SL_INLINE vu hh_add(vu a, vu b) { return _mm512_add_epi16(a, b); }
SL_INLINE vu hh_sub(vu a, vu b) { return _mm512_subs_epu16(a, b); }
#define hh_shr(a, k) _mm512_srli_epi16(a, k)

#undef SL_HALF
#undef SL_MASKED_FMA
#undef SL_PAIRED_1
#undef SL_PAIRED_2
#undef SL_PAIRED_3
#undef SL_PAIRED_TRANSPOSED

#endif

#endif
