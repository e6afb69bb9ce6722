/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in AVX2, FMA and F16C (three features: none implies another): 8 lanes, masks in vector
 * registers.
 */
#ifndef SL_ISA_AVX2_H
#define SL_ISA_AVX2_H

#if defined(__x86_64__)
#include "vocab.h"

#if defined(_WIN32) && !defined(__clang__) /* GCC bug 54412 */
#error "softlane for Windows: gcc stores wide registers at unaligned addresses, compile by clang"
#endif

#define SL_W 8
#define SL_FMA 1
#define SL_NEEDS "avx2,fma,f16c,popcnt"

#ifdef __clang__
#include <immintrin.h>
#endif
SL_OPEN(SL_NEEDS)
#include <immintrin.h>

#include "isa/pair.h"
#include "isa/partial.h"

typedef __m256 vf;
typedef __m256i vu;
typedef __m256 vm;
typedef __m256i vt;
typedef struct {
    __m256d lo, hi;
} vw;
typedef struct {
    __m256i lo, hi;
} wu;
typedef struct {
    __m256d lo, hi;
} wm;

/* Lanes below n, as vector masks. */
SL_INLINE __m256i lanes_below(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
SL_INLINE wu wide_lanes_below(size_t n)
{
    __m256i m = lanes_below(n);
    return (wu){_mm256_cvtepi32_epi64(_mm256_castsi256_si128(m)),
                _mm256_cvtepi32_epi64(_mm256_extracti128_si256(m, 1))};
}

/* f32 */

SL_INLINE vf v_set1(float s) { return _mm256_set1_ps(s); }
SL_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
SL_INLINE void v_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
SL_INLINE vf v_load_n(const float *p, size_t n, float fill)
{
    __m256i m = lanes_below(n);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
SL_INLINE void v_store_n(float *p, vf a, size_t n) { _mm256_maskstore_ps(p, lanes_below(n), a); }
SL_INLINE void v_stream(float *p, vf a) { _mm256_stream_ps(p, a); }
SL_INLINE void stream_end(void) { _mm_sfence(); }
SL_INLINE void leave(void) { _mm256_zeroupper(); }
SL_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return SL_ROUNDED(_mm256_mul_ps(a, b)); }
SL_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
SL_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
SL_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
SL_INLINE vf v_at_most(vf a, vf b) { return v_min(a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return v_max(a, b); }
SL_INLINE vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
SL_INLINE vu v_bits(vf a) { return _mm256_castps_si256(a); }
SL_INLINE vf v_float(vu a) { return _mm256_castsi256_ps(a); }
SL_INLINE float v_fold_max(vf a)
{
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

SL_INLINE vf quarters_in_order(vf a)
{
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(a), 0xd8));
}
SL_INLINE vf v_evens(vf a, vf b) { return quarters_in_order(_mm256_shuffle_ps(a, b, 0x88)); }
SL_INLINE vf v_odds(vf a, vf b) { return quarters_in_order(_mm256_shuffle_ps(a, b, 0xdd)); }

/* Rows l and l + 4 make one register; 4 x 4 in each half change places. */
SL_INLINE void change_places(vf q[4])
{
    vf a = _mm256_unpacklo_ps(q[0], q[1]), b = _mm256_unpackhi_ps(q[0], q[1]);
    vf c = _mm256_unpacklo_ps(q[2], q[3]), d = _mm256_unpackhi_ps(q[2], q[3]);
    q[0] = _mm256_shuffle_ps(a, c, 0x44);
    q[1] = _mm256_shuffle_ps(a, c, 0xee);
    q[2] = _mm256_shuffle_ps(b, d, 0x44);
    q[3] = _mm256_shuffle_ps(b, d, 0xee);
}
SL_INLINE void v_load_transposed(const float *p, size_t step, vf q[4])
{
    SL_UNROLL
    for (size_t l = 0; l < 4; l++, p += step)
        q[l] = _mm256_set_m128(_mm_loadu_ps(p + 4 * step), _mm_loadu_ps(p));
    change_places(q);
}
SL_INLINE void v_store_transposed(float *p, size_t step, const vf q[4])
{
    vf a[4] = {q[0], q[1], q[2], q[3]};
    change_places(a);
    SL_UNROLL
    for (size_t l = 0; l < 4; l++, p += step) {
        _mm_storeu_ps(p, _mm256_castps256_ps128(a[l]));
        _mm_storeu_ps(p + 4 * step, _mm256_extractf128_ps(a[l], 1));
    }
}

/* f64 */

SL_INLINE vw v_widen(vf a)
{
    return (vw){_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1))};
}
SL_INLINE vw v_load_wide(const float *p)
{
    return (vw){_mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + 4))};
}
/* Even lanes, then odd ones: an f32 whose bits begin three bits lower is an f64, times 2^-896. Of a conversion's two steps one is a
 * shuffle; these are none. A NaN becomes a number above all sums. */
SL_INLINE vw w_add_terms(vw s, vf a)
{
    __m256i u = _mm256_castps_si256(a), odd = _mm256_and_si256(u, _mm256_set1_epi64x(-(1LL << 32)));
    return (vw){_mm256_add_pd(s.lo, _mm256_castsi256_pd(_mm256_mul_epu32(u, _mm256_set1_epi64x(1 << 29)))),
                _mm256_add_pd(s.hi, _mm256_castsi256_pd(_mm256_srli_epi64(odd, 3)))};
}
SL_INLINE __m256d sum_of_terms(__m256d a)
{
    __m256d nan = _mm256_cmp_pd(a, _mm256_set1_pd(0x1p-768), _CMP_NLT_UQ);
    return _mm256_or_pd(nan, _mm256_mul_pd(a, _mm256_set1_pd(0x1p896)));
}
SL_INLINE vw w_sum_of_terms(vw s)
{
    __m256d a = sum_of_terms(s.lo), b = sum_of_terms(s.hi);
    __m256d q = _mm256_unpacklo_pd(a, b), r = _mm256_unpackhi_pd(a, b);
    return (vw){_mm256_permute2f128_pd(q, r, 0x20), _mm256_permute2f128_pd(q, r, 0x31)};
}
SL_INLINE vf v_narrow(vw a) { return _mm256_set_m128(_mm256_cvtpd_ps(a.hi), _mm256_cvtpd_ps(a.lo)); }
SL_INLINE vw w_set1(double s) { return (vw){_mm256_set1_pd(s), _mm256_set1_pd(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
SL_INLINE void w_store(double *p, vw a)
{
    _mm256_storeu_pd(p, a.lo);
    _mm256_storeu_pd(p + 4, a.hi);
}
/* Four rows of four; and back. */
SL_INLINE void change_places_wide(__m256d q[4])
{
    __m256d a = _mm256_unpacklo_pd(q[0], q[1]), b = _mm256_unpackhi_pd(q[0], q[1]);
    __m256d c = _mm256_unpacklo_pd(q[2], q[3]), d = _mm256_unpackhi_pd(q[2], q[3]);
    q[0] = _mm256_permute2f128_pd(a, c, 0x20);
    q[1] = _mm256_permute2f128_pd(b, d, 0x20);
    q[2] = _mm256_permute2f128_pd(a, c, 0x31);
    q[3] = _mm256_permute2f128_pd(b, d, 0x31);
}
SL_INLINE void load_transposed_half(const double *p, size_t step, __m256d q[4])
{
    SL_UNROLL
    for (size_t l = 0; l < 4; l++)
        q[l] = _mm256_loadu_pd(p + l * step);
    change_places_wide(q);
}
SL_INLINE void store_transposed_half(double *p, size_t step, __m256d q[4])
{
    change_places_wide(q);
    SL_UNROLL
    for (size_t l = 0; l < 4; l++)
        _mm256_storeu_pd(p + l * step, q[l]);
}
SL_PAIRED_TRANSPOSED(w, double, vw)
SL_INLINE void w_stream(double *p, vw a)
{
    _mm256_stream_pd(p, a.lo);
    _mm256_stream_pd(p + 4, a.hi);
}
SL_PAIRED_3(vw, w_select, wm, vw, vw, _mm256_blendv_pd(c, b, a))
SL_INLINE vw w_load_n(const double *p, size_t n, double fill)
{
    wu m = wide_lanes_below(n);
    return w_select((wm){_mm256_castsi256_pd(m.lo), _mm256_castsi256_pd(m.hi)},
                    (vw){_mm256_maskload_pd(p, m.lo), _mm256_maskload_pd(p + 4, m.hi)}, w_set1(fill));
}
SL_INLINE void w_store_n(double *p, vw a, size_t n)
{
    wu m = wide_lanes_below(n);
    _mm256_maskstore_pd(p, m.lo, a.lo);
    _mm256_maskstore_pd(p + 4, m.hi, a.hi);
}
SL_PAIRED_2(vw, w_add, vw, vw, _mm256_add_pd(a, b))
SL_PAIRED_2(vw, w_sub, vw, vw, _mm256_sub_pd(a, b))
SL_PAIRED_2(vw, w_mul, vw, vw, SL_ROUNDED(_mm256_mul_pd(a, b)))
SL_PAIRED_2(vw, w_div, vw, vw, _mm256_div_pd(a, b))
SL_PAIRED_3(vw, w_fma, vw, vw, vw, _mm256_fmadd_pd(a, b, c))
SL_PAIRED_3(vw, w_fnma, vw, vw, vw, _mm256_fnmadd_pd(a, b, c))
SL_PAIRED_2(vw, w_min, vw, vw, _mm256_min_pd(a, b))
SL_PAIRED_2(vw, w_max, vw, vw, _mm256_max_pd(a, b))
SL_INLINE vw w_at_most(vw a, vw b) { return w_min(a, b); }
SL_INLINE vw w_larger(vw a, vw b) { return w_max(a, b); }
SL_PAIRED_1(vw, w_abs, vw, _mm256_andnot_pd(_mm256_set1_pd(-0.0), a))
SL_PAIRED_1(wu, w_bits, vw, _mm256_castpd_si256(a))
SL_PAIRED_1(vw, w_float, wu, _mm256_castsi256_pd(a))
SL_INLINE double w_fold_max(vw a)
{
    __m256d h = _mm256_max_pd(a.lo, a.hi);
    __m128d q = _mm_max_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_max_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE double w_fold_add(vw a)
{
    __m256d h = _mm256_add_pd(a.lo, a.hi);
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE double w_fold_terms(vw s)
{
    __m256d h =
        _mm256_add_pd(_mm256_permute2f128_pd(s.lo, s.hi, 0x20), _mm256_permute2f128_pd(s.lo, s.hi, 0x31));
    __m128d even = _mm256_castpd256_pd128(h), odd = _mm256_extractf128_pd(h, 1);
    __m128d q = _mm_add_pd(_mm_unpacklo_pd(even, odd), _mm_unpackhi_pd(even, odd));
    double sum = _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
    return sum < 0x1p-768 ? sum * 0x1p896 : (double)NAN;
}

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return _mm256_set1_epi32((int)s); }
SL_INLINE vu u_and(vu a, vu b) { return _mm256_and_si256(a, b); }
SL_INLINE vu u_or(vu a, vu b) { return _mm256_or_si256(a, b); }
SL_INLINE vu u_andnot(vu a, vu b) { return _mm256_andnot_si256(b, a); }
SL_INLINE vu u_add(vu a, vu b) { return _mm256_add_epi32(a, b); }
SL_INLINE vu u_sub(vu a, vu b) { return _mm256_sub_epi32(a, b); }
#define u_shl(a, k) _mm256_slli_epi32(a, k)
#define u_shr(a, k) _mm256_srli_epi32(a, k)

SL_INLINE wu wu_set1(uint64_t s)
{
    return (wu){_mm256_set1_epi64x((long long)s), _mm256_set1_epi64x((long long)s)};
}
SL_PAIRED_2(wu, wu_and, wu, wu, _mm256_and_si256(a, b))
SL_PAIRED_2(wu, wu_or, wu, wu, _mm256_or_si256(a, b))
SL_PAIRED_2(wu, wu_add, wu, wu, _mm256_add_epi64(a, b))
SL_PAIRED_2(wu, wu_sub, wu, wu, _mm256_sub_epi64(a, b))
#define wu_shl(a, k) ((wu){_mm256_slli_epi64((a).lo, k), _mm256_slli_epi64((a).hi, k)})
#define wu_shr(a, k) ((wu){_mm256_srli_epi64((a).lo, k), _mm256_srli_epi64((a).hi, k)})

/* truth */

SL_INLINE vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
SL_INLINE vm v_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
SL_INLINE vm v_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
SL_INLINE vm v_nlt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NLT_UQ); }
SL_INLINE vm v_nle(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NLE_UQ); }
SL_INLINE vm m_or(vm a, vm b) { return _mm256_or_ps(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return _mm256_andnot_ps(b, a); }
SL_INLINE int m_any(vm a) { return _mm256_movemask_ps(a) != 0; }
SL_INLINE int m_all(vm a) { return _mm256_movemask_ps(a) == 0xff; }
SL_INLINE int m_count(vm a) { return __builtin_popcount((unsigned)_mm256_movemask_ps(a)); }
SL_INLINE vf v_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
SL_INLINE vf v_keep(vm m, vf a) { return _mm256_and_ps(m, a); }
SL_INLINE vf v_where(vm m, vf a) { return v_keep(m, a); }
SL_INLINE vf v_fma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fma(a, b, c); }
SL_INLINE vf v_fnma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fnma(a, b, c); }

SL_PAIRED_2(wm, w_lt, vw, vw, _mm256_cmp_pd(a, b, _CMP_LT_OQ))
SL_PAIRED_2(wm, w_le, vw, vw, _mm256_cmp_pd(a, b, _CMP_LE_OQ))
SL_PAIRED_2(wm, w_eq, vw, vw, _mm256_cmp_pd(a, b, _CMP_EQ_OQ))
SL_PAIRED_2(wm, w_nlt, vw, vw, _mm256_cmp_pd(a, b, _CMP_NLT_UQ))
SL_PAIRED_2(wm, w_nle, vw, vw, _mm256_cmp_pd(a, b, _CMP_NLE_UQ))
SL_PAIRED_2(wm, wm_or, wm, wm, _mm256_or_pd(a, b))
SL_PAIRED_2(wm, wm_andnot, wm, wm, _mm256_andnot_pd(b, a))
SL_INLINE int wm_any(wm a) { return _mm256_movemask_pd(_mm256_or_pd(a.lo, a.hi)) != 0; }
SL_INLINE int wm_all(wm a) { return _mm256_movemask_pd(_mm256_and_pd(a.lo, a.hi)) == 0xf; }
SL_INLINE int wm_count(wm a)
{
    return __builtin_popcount((unsigned)(_mm256_movemask_pd(a.lo) | _mm256_movemask_pd(a.hi) << 4));
}
SL_PAIRED_2(vw, w_keep, wm, vw, _mm256_and_pd(a, b))
SL_INLINE vw w_where(wm m, vw a) { return w_keep(m, a); }
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fma(a, b, c); }
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fnma(a, b, c); }

/* table */

SL_INLINE vt t_load(const uint32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
SL_INLINE vu t_pick(vt t, vu i) { return _mm256_permutevar8x32_epi32(t, i); }
SL_INLINE vu t_pick_scaled(vt t, vu u) { return u_add(t_pick(t, u), u_shl(u, 20)); }

/* u16 */

SL_INLINE __m128i low_halves(vu a)
{
    const __m256i gather = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1, /**/
                                            0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_shuffle_epi8(a, gather), 0x08));
}
SL_INLINE vu h_load(const uint16_t *p) { return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)); }
SL_INLINE void h_store(uint16_t *p, vu a) { _mm_storeu_si128((__m128i *)p, low_halves(a)); }
SL_INLINE void h_stream(uint16_t *p, vu a) { _mm_stream_si128((__m128i *)p, low_halves(a)); }
/* By mask go pairs of u16, and a last one that has no partner by itself. */
SL_INLINE vu h_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    __m128i m = _mm256_castsi256_si128(lanes_below(n / 2));
    __m128i a = _mm_blendv_epi8(_mm_set1_epi16((short)fill), _mm_maskload_epi32((const int *)p, m), m);
    if (n < 8 && n % 2) {
        __m128i last = _mm_cmpeq_epi16(_mm_set1_epi16((short)n), _mm_setr_epi16(1, 2, 3, 4, 5, 6, 7, 8));
        a = _mm_blendv_epi8(a, _mm_set1_epi16((short)p[n - 1]), last);
    }
    return _mm256_cvtepu16_epi32(a);
}
SL_INLINE void h_store_n(uint16_t *p, vu a, size_t n)
{
    __m128i halves = low_halves(a);
    _mm_maskstore_epi32((int *)p, _mm256_castsi256_si128(lanes_below(n / 2)), halves);
    if (n < 8 && n % 2) {
        uint16_t lane[8];
        _mm_storeu_si128((__m128i *)lane, halves);
        p[n - 1] = lane[n - 1];
    }
}
SL_INLINE vf v_of_f16(vu h) { return _mm256_cvtph_ps(low_halves(h)); }
SL_INLINE vu h_of_f32(vf a) { return _mm256_cvtepu16_epi32(_mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT)); }
SL_INLINE vf v_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
SL_INLINE void v_store_f16(uint16_t *p, vf a)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}
SL_INLINE void v_stream_f16(uint16_t *p, vf a)
{
    _mm_stream_si128((__m128i *)p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

/* two u16 */

SL_INLINE vu hh_load(const uint16_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
SL_INLINE void hh_store(uint16_t *p, vu a) { _mm256_storeu_si256((__m256i *)p, a); }
SL_INLINE void hh_stream(uint16_t *p, vu a) { _mm256_stream_si256((__m256i *)p, a); }
SL_INLINE vu hh_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    __m256i m = lanes_below(n / 2), a = _mm256_set1_epi16((short)fill);
    a = _mm256_blendv_epi8(a, _mm256_maskload_epi32((const int *)p, m), m);
    if (n < 16 && n % 2) {
        const __m256i ends = _mm256_setr_epi16(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        __m256i last = _mm256_cmpeq_epi16(_mm256_set1_epi16((short)n), ends);
        a = _mm256_blendv_epi8(a, _mm256_set1_epi16((short)p[n - 1]), last);
    }
    return a;
}
SL_INLINE void hh_store_n(uint16_t *p, vu a, size_t n)
{
    _mm256_maskstore_epi32((int *)p, lanes_below(n / 2), a);
    if (n < 16 && n % 2) {
        uint16_t lane[16];
        _mm256_storeu_si256((__m256i *)lane, a);
        p[n - 1] = lane[n - 1];
    }
}
SL_INLINE vu hh_uppers(vu a, vu b) { return _mm256_blend_epi16(_mm256_srli_epi32(a, 16), b, 0xaa); }
SL_INLINE vu hh_lowers(vu a, vu b) { return _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xaa); }
SL_INLINE vu hh_add(vu a, vu b) { return _mm256_add_epi16(a, b); }
SL_INLINE vu hh_sub(vu a, vu b) { return _mm256_subs_epu16(a, b); }
#define hh_shr(a, k) _mm256_srli_epi16(a, k)

#undef SL_HALF
#undef SL_PAIRED_1
#undef SL_PAIRED_2
#undef SL_PAIRED_3
#undef SL_PAIRED_TRANSPOSED
#undef SL_PARTIAL

#endif

#endif
