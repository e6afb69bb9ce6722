/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in AVX-512 (F, DQ, BW, VL): 16 lanes, masks in mask registers.
 */
#define SL_W 16
#define SL_FMA 1
#define SL_NEEDS "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"

#ifdef __clang__
#include <immintrin.h>
#endif
SL_OPEN(SL_NEEDS)
#include <immintrin.h>

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

/* Lanes below n. */
SL_INLINE __mmask16 lanes_below(size_t n) { return (__mmask16)(n < 16 ? (1u << n) - 1 : 0xffffu); }

SL_INLINE vf v_set1(float s) { return _mm512_set1_ps(s); }
SL_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
SL_INLINE void v_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
SL_INLINE vf v_load_n(const float *p, size_t n, float fill)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), lanes_below(n), p);
}
SL_INLINE void v_store_n(float *p, vf a, size_t n) { _mm512_mask_storeu_ps(p, lanes_below(n), a); }
SL_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
SL_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
SL_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
SL_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
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

SL_INLINE vu u_set1(uint32_t s) { return _mm512_set1_epi32((int)s); }
SL_INLINE vu u_and(vu a, vu b) { return _mm512_and_si512(a, b); }
SL_INLINE vu u_add(vu a, vu b) { return _mm512_add_epi32(a, b); }
#define u_shl(a, k) _mm512_slli_epi32(a, k)

SL_INLINE vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
SL_INLINE vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
SL_INLINE vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
SL_INLINE vm v_nlt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ); }
SL_INLINE vm v_nle(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLE_UQ); }
SL_INLINE vm m_or(vm a, vm b) { return _kor_mask16(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return _kandn_mask16(b, a); }
SL_INLINE int m_any(vm a) { return a != 0; }
SL_INLINE int m_all(vm a) { return a == 0xffff; }
SL_INLINE vf v_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
SL_INLINE vf v_keep(vm m, vf a) { return _mm512_maskz_mov_ps(m, a); }

/* The permutation reads four bits of the index: the table stands there twice. */
SL_INLINE vt t_load(const uint32_t *p)
{
    return _mm512_broadcast_i32x8(_mm256_loadu_si256((const __m256i *)p));
}
SL_INLINE vu t_pick(vt t, vu i) { return _mm512_permutexvar_epi32(i, t); }

SL_INLINE vw v_widen(vf a)
{
    return (vw){_mm512_cvtps_pd(_mm512_castps512_ps256(a)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1))};
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
SL_INLINE vw w_add(vw a, vw b) { return (vw){_mm512_add_pd(a.lo, b.lo), _mm512_add_pd(a.hi, b.hi)}; }
SL_INLINE vw w_sub(vw a, vw b) { return (vw){_mm512_sub_pd(a.lo, b.lo), _mm512_sub_pd(a.hi, b.hi)}; }
SL_INLINE vw w_mul(vw a, vw b) { return (vw){_mm512_mul_pd(a.lo, b.lo), _mm512_mul_pd(a.hi, b.hi)}; }
SL_INLINE vw w_div(vw a, vw b) { return (vw){_mm512_div_pd(a.lo, b.lo), _mm512_div_pd(a.hi, b.hi)}; }
SL_INLINE vw w_fma(vw a, vw b, vw c)
{
    return (vw){_mm512_fmadd_pd(a.lo, b.lo, c.lo), _mm512_fmadd_pd(a.hi, b.hi, c.hi)};
}
SL_INLINE double w_fold_add(vw a)
{
    __m512d s = _mm512_add_pd(a.lo, a.hi);
    __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd(s, 1));
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE wu w_bits(vw a) { return (wu){_mm512_castpd_si512(a.lo), _mm512_castpd_si512(a.hi)}; }
SL_INLINE vw w_float(wu a) { return (vw){_mm512_castsi512_pd(a.lo), _mm512_castsi512_pd(a.hi)}; }
SL_INLINE wu wu_set1(uint64_t s)
{
    return (wu){_mm512_set1_epi64((long long)s), _mm512_set1_epi64((long long)s)};
}
SL_INLINE wu wu_sub(wu a, wu b) { return (wu){_mm512_sub_epi64(a.lo, b.lo), _mm512_sub_epi64(a.hi, b.hi)}; }
SL_INLINE wu wu_and(wu a, wu b) { return (wu){_mm512_and_si512(a.lo, b.lo), _mm512_and_si512(a.hi, b.hi)}; }
SL_INLINE wu wu_or(wu a, wu b) { return (wu){_mm512_or_si512(a.lo, b.lo), _mm512_or_si512(a.hi, b.hi)}; }
#define wu_shr(a, k) ((wu){_mm512_srli_epi64((a).lo, k), _mm512_srli_epi64((a).hi, k)})
