/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in AVX2 and FMA (two features: neither implies the other): 8 lanes, masks in vector
 * registers.
 */
#define SL_W 8
#define SL_FMA 1
#define SL_NEEDS "avx2,fma"

#ifdef __clang__
#include <immintrin.h>
#endif
SL_OPEN(SL_NEEDS)
#include <immintrin.h>

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

/* Lanes below n, as a vector mask. */
SL_INLINE __m256i lanes_below(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

SL_INLINE vf v_set1(float s) { return _mm256_set1_ps(s); }
SL_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
SL_INLINE void v_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
SL_INLINE vf v_load_n(const float *p, size_t n, float fill)
{
    __m256i m = lanes_below(n);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
SL_INLINE void v_store_n(float *p, vf a, size_t n) { _mm256_maskstore_ps(p, lanes_below(n), a); }
SL_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
SL_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
SL_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
SL_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
SL_INLINE vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
SL_INLINE vu v_bits(vf a) { return _mm256_castps_si256(a); }
SL_INLINE vf v_float(vu a) { return _mm256_castsi256_ps(a); }

SL_INLINE float v_fold_max(vf a)
{
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

SL_INLINE vu u_set1(uint32_t s) { return _mm256_set1_epi32((int)s); }
SL_INLINE vu u_and(vu a, vu b) { return _mm256_and_si256(a, b); }
SL_INLINE vu u_add(vu a, vu b) { return _mm256_add_epi32(a, b); }
#define u_shl(a, k) _mm256_slli_epi32(a, k)

SL_INLINE vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
SL_INLINE vm v_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
SL_INLINE vm v_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
SL_INLINE vm v_nlt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NLT_UQ); }
SL_INLINE vm v_nle(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NLE_UQ); }
SL_INLINE vm m_or(vm a, vm b) { return _mm256_or_ps(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return _mm256_andnot_ps(b, a); }
SL_INLINE int m_any(vm a) { return _mm256_movemask_ps(a) != 0; }
SL_INLINE int m_all(vm a) { return _mm256_movemask_ps(a) == 0xff; }
SL_INLINE vf v_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
SL_INLINE vf v_keep(vm m, vf a) { return _mm256_and_ps(m, a); }

SL_INLINE vt t_load(const uint32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
SL_INLINE vu t_pick(vt t, vu i) { return _mm256_permutevar8x32_epi32(t, i); }

SL_INLINE vw v_widen(vf a)
{
    return (vw){_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1))};
}
SL_INLINE vf v_narrow(vw a) { return _mm256_set_m128(_mm256_cvtpd_ps(a.hi), _mm256_cvtpd_ps(a.lo)); }
SL_INLINE vw w_set1(double s) { return (vw){_mm256_set1_pd(s), _mm256_set1_pd(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
SL_INLINE void w_store(double *p, vw a)
{
    _mm256_storeu_pd(p, a.lo);
    _mm256_storeu_pd(p + 4, a.hi);
}
SL_INLINE vw w_add(vw a, vw b) { return (vw){_mm256_add_pd(a.lo, b.lo), _mm256_add_pd(a.hi, b.hi)}; }
SL_INLINE vw w_sub(vw a, vw b) { return (vw){_mm256_sub_pd(a.lo, b.lo), _mm256_sub_pd(a.hi, b.hi)}; }
SL_INLINE vw w_mul(vw a, vw b) { return (vw){_mm256_mul_pd(a.lo, b.lo), _mm256_mul_pd(a.hi, b.hi)}; }
SL_INLINE vw w_div(vw a, vw b) { return (vw){_mm256_div_pd(a.lo, b.lo), _mm256_div_pd(a.hi, b.hi)}; }
SL_INLINE vw w_fma(vw a, vw b, vw c)
{
    return (vw){_mm256_fmadd_pd(a.lo, b.lo, c.lo), _mm256_fmadd_pd(a.hi, b.hi, c.hi)};
}
SL_INLINE double w_fold_add(vw a)
{
    __m256d h = _mm256_add_pd(a.lo, a.hi);
    __m128d q = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
    return _mm_cvtsd_f64(_mm_add_sd(q, _mm_unpackhi_pd(q, q)));
}
SL_INLINE wu w_bits(vw a) { return (wu){_mm256_castpd_si256(a.lo), _mm256_castpd_si256(a.hi)}; }
SL_INLINE vw w_float(wu a) { return (vw){_mm256_castsi256_pd(a.lo), _mm256_castsi256_pd(a.hi)}; }
SL_INLINE wu wu_set1(uint64_t s)
{
    return (wu){_mm256_set1_epi64x((long long)s), _mm256_set1_epi64x((long long)s)};
}
SL_INLINE wu wu_sub(wu a, wu b) { return (wu){_mm256_sub_epi64(a.lo, b.lo), _mm256_sub_epi64(a.hi, b.hi)}; }
SL_INLINE wu wu_and(wu a, wu b) { return (wu){_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)}; }
SL_INLINE wu wu_or(wu a, wu b) { return (wu){_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)}; }
#define wu_shr(a, k) ((wu){_mm256_srli_epi64((a).lo, k), _mm256_srli_epi64((a).hi, k)})
