/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in SSE2, the baseline of x86-64: 4 lanes, no FMA, no blend, no permute, no conversion of
 * binary16.
 */
#ifndef SL_ISA_SSE2_H
#define SL_ISA_SSE2_H

#if defined(__x86_64__)
#ifndef SL_UNIT_ISA
#define SL_UNIT_ISA sse2 /* where this header is opened alone */
#endif

#include "vocab.h"

#define SL_W 4
#define SL_FMA 0
#define SL_NEEDS "sse2"

#ifdef __clang__
#include <emmintrin.h>
#endif
SL_OPEN(SL_NEEDS)
#include <emmintrin.h>

#include "isa/pair.h"
#include "isa/partial.h"

/* The upper half in both halves. movhlps, which gcc makes of the intrinsics of that name and of unpackhi, merges into its
 * destination: where that register is still at work for somebody else, it waits for him. pshufd does not. */
SL_INLINE __m128i upper_half(__m128i a) { return _mm_shuffle_epi32(a, 0xee); }

typedef __m128 vf;
typedef __m128i vu;
typedef __m128 vm;
typedef const uint32_t *vt;
typedef struct {
    __m128d lo, hi;
} vw;
typedef struct {
    __m128i lo, hi;
} wu;
typedef struct {
    __m128d lo, hi;
} wm;

/* f32 */

SL_INLINE vf v_set1(float s) { return _mm_set1_ps(s); }
SL_INLINE vf v_load(const float *p) { return _mm_loadu_ps(p); }
SL_INLINE void v_store(float *p, vf a) { _mm_storeu_ps(p, a); }
SL_PARTIAL(v, vf, float, SL_W)
SL_INLINE void v_stream(float *p, vf a) { _mm_stream_ps(p, a); }
SL_INLINE void stream_end(void) { _mm_sfence(); }
#ifdef __AVX__ /* by the command line: then compilers copy by ymm */
SL_INLINE void leave(void) { __builtin_ia32_vzeroupper(); }
#else
SL_INLINE void leave(void) {}
#endif
SL_INLINE vf v_evens(vf a, vf b) { return _mm_shuffle_ps(a, b, 0x88); }
SL_INLINE vf v_odds(vf a, vf b) { return _mm_shuffle_ps(a, b, 0xdd); }
SL_INLINE vf v_add(vf a, vf b) { return _mm_add_ps(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return _mm_sub_ps(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return SL_ROUNDED(_mm_mul_ps(a, b)); }
SL_INLINE vf v_div(vf a, vf b) { return _mm_div_ps(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return _mm_add_ps(v_mul(a, b), c); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm_sub_ps(c, v_mul(a, b)); }
SL_INLINE vf v_min(vf a, vf b) { return _mm_min_ps(a, b); }
SL_INLINE vf v_max(vf a, vf b) { return _mm_max_ps(a, b); }
SL_INLINE vf v_at_most(vf a, vf b) { return v_min(a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return v_max(a, b); }
SL_INLINE vf v_abs(vf a) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), a); }
SL_INLINE vu v_bits(vf a) { return _mm_castps_si128(a); }
SL_INLINE vf v_float(vu a) { return _mm_castsi128_ps(a); }
SL_INLINE float v_fold_max(vf a)
{
    __m128 h = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(h, _mm_shuffle_ps(h, h, 1)));
}

/* The lanes of sums of exponentials are those of a register. */
SL_INLINE vf v_lower_halves(vf a, vf b) { return _mm_movelh_ps(a, b); }
SL_INLINE vf v_upper_halves(vf a, vf b) { return _mm_movehl_ps(b, a); }

SL_INLINE void v_load_transposed(const float *p, size_t step, vf q[4])
{
    SL_UNROLL
    for (size_t l = 0; l < 4; l++)
        q[l] = _mm_loadu_ps(p + l * step);
    _MM_TRANSPOSE4_PS(q[0], q[1], q[2], q[3]);
}
SL_INLINE void v_store_transposed(float *p, size_t step, const vf q[4])
{
    vf a[4] = {q[0], q[1], q[2], q[3]};
    _MM_TRANSPOSE4_PS(a[0], a[1], a[2], a[3]);
    SL_UNROLL
    for (size_t l = 0; l < 4; l++)
        _mm_storeu_ps(p + l * step, a[l]);
}

/* f64 */

SL_INLINE vw v_widen(vf a)
{
    return (vw){_mm_cvtps_pd(a), _mm_cvtps_pd(_mm_castsi128_ps(upper_half(_mm_castps_si128(a))))};
}
SL_INLINE __m128d widen_two(const float *p)
{
#if defined(__clang__) || defined(__AVX__)
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)p)));
#else /* gcc loads first, and a conversion in registers is a shuffle more */
    __m128d a;
    __asm__("cvtps2pd %1, %0" : "=x"(a) : "m"(*(const float(*)[2])p));
    return a;
#endif
}
SL_INLINE vw v_load_wide(const float *p) { return (vw){widen_two(p), widen_two(p + 2)}; }
SL_INLINE vf v_narrow(vw a) { return _mm_movelh_ps(_mm_cvtpd_ps(a.lo), _mm_cvtpd_ps(a.hi)); }
SL_INLINE vw w_set1(double s) { return (vw){_mm_set1_pd(s), _mm_set1_pd(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){_mm_loadu_pd(p), _mm_loadu_pd(p + 2)}; }
SL_INLINE void w_store(double *p, vw a)
{
    _mm_storeu_pd(p, a.lo);
    _mm_storeu_pd(p + 2, a.hi);
}
/* Two rows of four; and back. */
SL_INLINE void load_transposed_half(const double *p, size_t step, __m128d q[4])
{
    SL_UNROLL
    for (size_t c = 0; c < 4; c += 2) {
        __m128d a = _mm_loadu_pd(p + c), b = _mm_loadu_pd(p + step + c);
        q[c] = _mm_unpacklo_pd(a, b);
        q[c + 1] = _mm_unpackhi_pd(a, b);
    }
}
SL_INLINE void store_transposed_half(double *p, size_t step, const __m128d q[4])
{
    SL_UNROLL
    for (size_t c = 0; c < 4; c += 2) {
        _mm_storeu_pd(p + c, _mm_unpacklo_pd(q[c], q[c + 1]));
        _mm_storeu_pd(p + step + c, _mm_unpackhi_pd(q[c], q[c + 1]));
    }
}
SL_PAIRED_TRANSPOSED(w, double, vw)
SL_INLINE void w_stream(double *p, vw a)
{
    _mm_stream_pd(p, a.lo);
    _mm_stream_pd(p + 2, a.hi);
}
SL_PARTIAL(w, vw, double, SL_W)
SL_PAIRED_2(vw, w_add, vw, vw, _mm_add_pd(a, b))
SL_PAIRED_2(vw, w_sub, vw, vw, _mm_sub_pd(a, b))
SL_PAIRED_2(vw, w_mul, vw, vw, SL_ROUNDED(_mm_mul_pd(a, b)))
SL_PAIRED_2(vw, w_div, vw, vw, _mm_div_pd(a, b))
SL_PAIRED_3(vw, w_fma, vw, vw, vw, _mm_add_pd(w_mul_half(a, b), c))
SL_PAIRED_3(vw, w_fnma, vw, vw, vw, _mm_sub_pd(c, w_mul_half(a, b)))
SL_PAIRED_2(vw, w_min, vw, vw, _mm_min_pd(a, b))
SL_PAIRED_2(vw, w_max, vw, vw, _mm_max_pd(a, b))
SL_INLINE vw w_at_most(vw a, vw b) { return w_min(a, b); }
SL_INLINE vw w_larger(vw a, vw b) { return w_max(a, b); }
SL_PAIRED_1(vw, w_abs, vw, _mm_andnot_pd(_mm_set1_pd(-0.0), a))
SL_PAIRED_1(wu, w_bits, vw, _mm_castpd_si128(a))
SL_PAIRED_1(vw, w_float, wu, _mm_castsi128_pd(a))
SL_INLINE double w_fold_max(vw a)
{
    __m128d q = _mm_max_pd(a.lo, a.hi);
    return _mm_cvtsd_f64(_mm_max_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE double w_fold_add(vw a)
{
    __m128d q = _mm_add_pd(a.lo, a.hi);
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE double w_fold_add_halves(vw a)
{
    __m128d q = _mm_add_pd(_mm_unpacklo_pd(a.lo, a.hi), _mm_unpackhi_pd(a.lo, a.hi));
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return _mm_set1_epi32((int)s); }
SL_INLINE vu u_and(vu a, vu b) { return _mm_and_si128(a, b); }
SL_INLINE vu u_or(vu a, vu b) { return _mm_or_si128(a, b); }
SL_INLINE vu u_andnot(vu a, vu b) { return _mm_andnot_si128(b, a); }
SL_INLINE vu u_add(vu a, vu b) { return _mm_add_epi32(a, b); }
SL_INLINE vu u_sub(vu a, vu b) { return _mm_sub_epi32(a, b); }
#define u_shl(a, k) _mm_slli_epi32(a, k)
#define u_shr(a, k) _mm_srli_epi32(a, k)

SL_INLINE wu wu_set1(uint64_t s)
{
    return (wu){_mm_set1_epi64x((long long)s), _mm_set1_epi64x((long long)s)};
}
SL_PAIRED_2(wu, wu_and, wu, wu, _mm_and_si128(a, b))
SL_PAIRED_2(wu, wu_or, wu, wu, _mm_or_si128(a, b))
SL_PAIRED_2(wu, wu_add, wu, wu, _mm_add_epi64(a, b))
SL_PAIRED_2(wu, wu_sub, wu, wu, _mm_sub_epi64(a, b))
#define wu_shl(a, k) ((wu){_mm_slli_epi64((a).lo, k), _mm_slli_epi64((a).hi, k)})
#define wu_shr(a, k) ((wu){_mm_srli_epi64((a).lo, k), _mm_srli_epi64((a).hi, k)})

/* truth */

SL_INLINE vm v_lt(vf a, vf b) { return _mm_cmplt_ps(a, b); }
SL_INLINE vm v_le(vf a, vf b) { return _mm_cmple_ps(a, b); }
SL_INLINE vm v_eq(vf a, vf b) { return _mm_cmpeq_ps(a, b); }
SL_INLINE vm v_nlt(vf a, vf b) { return _mm_cmpnlt_ps(a, b); }
SL_INLINE vm v_nle(vf a, vf b) { return _mm_cmpnle_ps(a, b); }
SL_INLINE vm m_or(vm a, vm b) { return _mm_or_ps(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return _mm_andnot_ps(b, a); }
SL_INLINE int m_any(vm a) { return _mm_movemask_ps(a) != 0; }
SL_INLINE int m_all(vm a) { return _mm_movemask_ps(a) == 0xf; }
/* The number of ones in each number of four bits. */
SL_INLINE int ones_of(int bits) { return 0x4332322132212110 >> 4 * bits & 7; }
SL_INLINE int m_count(vm a) { return ones_of(_mm_movemask_ps(a)); }
SL_INLINE vf v_select(vm m, vf a, vf b) { return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b)); }
SL_INLINE vf v_keep(vm m, vf a) { return _mm_and_ps(m, a); }
SL_INLINE vf v_where(vm m, vf a) { return v_keep(m, a); }
SL_INLINE vf v_fma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fma(a, b, c); }
SL_INLINE vf v_fnma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fnma(a, b, c); }

SL_PAIRED_2(wm, w_lt, vw, vw, _mm_cmplt_pd(a, b))
SL_PAIRED_2(wm, w_le, vw, vw, _mm_cmple_pd(a, b))
SL_PAIRED_2(wm, w_eq, vw, vw, _mm_cmpeq_pd(a, b))
SL_PAIRED_2(wm, w_nlt, vw, vw, _mm_cmpnlt_pd(a, b))
SL_PAIRED_2(wm, w_nle, vw, vw, _mm_cmpnle_pd(a, b))
SL_PAIRED_2(wm, wm_or, wm, wm, _mm_or_pd(a, b))
SL_PAIRED_2(wm, wm_andnot, wm, wm, _mm_andnot_pd(b, a))
SL_INLINE int wm_any(wm a) { return _mm_movemask_pd(_mm_or_pd(a.lo, a.hi)) != 0; }
SL_INLINE int wm_all(wm a) { return _mm_movemask_pd(_mm_and_pd(a.lo, a.hi)) == 0x3; }
SL_INLINE int wm_count(wm a) { return ones_of(_mm_movemask_pd(a.lo) | _mm_movemask_pd(a.hi) << 2); }
SL_PAIRED_3(vw, w_select, wm, vw, vw, _mm_or_pd(_mm_and_pd(a, b), _mm_andnot_pd(a, c)))
SL_PAIRED_2(vw, w_keep, wm, vw, _mm_and_pd(a, b))
SL_INLINE vw w_where(wm m, vw a) { return w_keep(m, a); }
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fma(a, b, c); }
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fnma(a, b, c); }

/* table: no permute, so four scalar loads. Each 64-bit half of the indices leaves the vector unit in one
 * move. */

SL_INLINE vt t_load(const uint32_t *p) { return p; }
SL_INLINE vu t_pick(vt t, vu i)
{
    uint64_t i10 = (uint64_t)_mm_cvtsi128_si64(i);
    uint64_t i32 = (uint64_t)_mm_cvtsi128_si64(upper_half(i));
    __m128i t0 = _mm_cvtsi32_si128((int)t[i10 & 7]), t1 = _mm_cvtsi32_si128((int)t[i10 >> 32 & 7]);
    __m128i t2 = _mm_cvtsi32_si128((int)t[i32 & 7]), t3 = _mm_cvtsi32_si128((int)t[i32 >> 32 & 7]);
    return _mm_unpacklo_epi64(_mm_unpacklo_epi32(t0, t1), _mm_unpacklo_epi32(t2, t3));
}
SL_INLINE vu t_pick_scaled(vt t, vu u) { return u_add(t_pick(t, u), u_shl(u, 20)); }

/* u16: the only pack of 32-bit lanes is signed, so the low halves are sign-extended for it. */

SL_INLINE vu h_load(const uint16_t *p)
{
    return _mm_unpacklo_epi16(_mm_loadl_epi64((const __m128i *)p), _mm_setzero_si128());
}
SL_INLINE __m128i low_halves(vu a)
{
    __m128i low = _mm_srai_epi32(_mm_slli_epi32(a, 16), 16);
    return _mm_packs_epi32(low, low);
}
SL_INLINE void h_store(uint16_t *p, vu a) { _mm_storel_epi64((__m128i *)p, low_halves(a)); }
SL_INLINE void h_stream(uint16_t *p, vu a) { h_store(p, a); }
SL_PARTIAL(h, vu, uint16_t, SL_W)

/* two u16 */

SL_INLINE vu hh_load(const uint16_t *p) { return _mm_loadu_si128((const __m128i *)p); }
SL_INLINE void hh_store(uint16_t *p, vu a) { _mm_storeu_si128((__m128i *)p, a); }
SL_INLINE void hh_stream(uint16_t *p, vu a) { _mm_stream_si128((__m128i *)p, a); }
SL_PARTIAL(hh, vu, uint16_t, 2 * SL_W)
SL_INLINE vu hh_merge(vu low, vu high)
{
    __m128i lows = _mm_set1_epi32(0xffff);
    return _mm_or_si128(_mm_and_si128(lows, low), _mm_andnot_si128(lows, high));
}
SL_INLINE vu hh_uppers(vu a, vu b) { return hh_merge(_mm_srli_epi32(a, 16), b); }
SL_INLINE vu hh_lowers(vu a, vu b) { return hh_merge(a, _mm_slli_epi32(b, 16)); }
SL_INLINE vu hh_add(vu a, vu b) { return _mm_add_epi16(a, b); }
SL_INLINE vu hh_sub(vu a, vu b) { return _mm_subs_epu16(a, b); }
#define hh_shr(a, k) _mm_srli_epi16(a, k)

#include "isa/half.h"

#undef SL_HALF
#undef SL_PAIRED_1
#undef SL_PAIRED_2
#undef SL_PAIRED_3
#undef SL_PAIRED_TRANSPOSED
#undef SL_PARTIAL

#endif

#endif
