/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in AArch64 Advanced SIMD: 4 lanes. Only vfma and vfms multiply and add: vmla is fused by one
 * compiler and not by the other. vmax and vmin treat NaN and zeros otherwise than x86, hence compare and
 * select, but where that may be.
 */
#ifndef SL_ISA_NEON_H
#define SL_ISA_NEON_H

#if defined(__aarch64__)
#include "vocab.h"

#define SL_W 4
#define SL_FMA 1
#define SL_NEEDS "asimd"

#include <arm_neon.h>
#ifdef __clang__
SL_OPEN("neon")
#else
SL_OPEN("+simd")
#endif

#include "isa/pair.h"
#include "isa/partial.h"

typedef float32x4_t vf;
typedef uint32x4_t vu;
typedef uint32x4_t vm;
typedef const uint8_t *vt; /* loaded where it is used: compilers copy pairs of registers through memory */
typedef struct {
    float64x2_t lo, hi;
} vw;
typedef struct {
    uint64x2_t lo, hi;
} wu;
typedef struct {
    uint64x2_t lo, hi;
} wm;

/* f32 */

SL_INLINE vf v_set1(float s) { return vdupq_n_f32(s); }
SL_INLINE vf v_load(const float *p) { return vld1q_f32(p); }
SL_INLINE void v_store(float *p, vf a) { vst1q_f32(p, a); }
SL_PARTIAL(v, vf, float, SL_W)
SL_INLINE void v_stream(float *p, vf a) { v_store(p, a); }
SL_INLINE void stream_end(void) {}
SL_INLINE void leave(void) {}
SL_INLINE vf v_evens(vf a, vf b) { return vuzp1q_f32(a, b); }
SL_INLINE vf v_odds(vf a, vf b) { return vuzp2q_f32(a, b); }
SL_INLINE vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return SL_ROUNDED(vmulq_f32(a, b)); }
SL_INLINE vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
SL_INLINE vf v_min(vf a, vf b)
{
    SL_OPAQUE(b);
    return vbslq_f32(vcltq_f32(a, b), a, b);
}
SL_INLINE vf v_max(vf a, vf b)
{
    SL_OPAQUE(b);
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}
SL_INLINE vf v_at_most(vf a, vf b) { return vminq_f32(a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return vmaxnmq_f32(a, b); }
SL_INLINE vf v_abs(vf a) { return vabsq_f32(a); }
SL_INLINE vu v_bits(vf a) { return vreinterpretq_u32_f32(a); }
SL_INLINE vf v_float(vu a) { return vreinterpretq_f32_u32(a); }
SL_INLINE float v_fold_max(vf a)
{
    vf h = v_max(a, vextq_f32(a, a, 2));
    return vgetq_lane_f32(v_max(h, vextq_f32(h, h, 1)), 0);
}

/* 4 x 4 change places. */
SL_INLINE vf first_pairs(vf a, vf b)
{
    return vreinterpretq_f32_f64(vtrn1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}
SL_INLINE vf second_pairs(vf a, vf b)
{
    return vreinterpretq_f32_f64(vtrn2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}
SL_INLINE void change_places(vf q[4])
{
    vf even = vtrn1q_f32(q[0], q[1]), odd = vtrn2q_f32(q[0], q[1]);
    vf even_below = vtrn1q_f32(q[2], q[3]), odd_below = vtrn2q_f32(q[2], q[3]);
    q[0] = first_pairs(even, even_below);
    q[1] = first_pairs(odd, odd_below);
    q[2] = second_pairs(even, even_below);
    q[3] = second_pairs(odd, odd_below);
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

SL_INLINE vw v_widen(vf a) { return (vw){vcvt_f64_f32(vget_low_f32(a)), vcvt_high_f64_f32(a)}; }
SL_INLINE vw v_load_wide(const float *p) { return v_widen(v_load(p)); }
SL_INLINE vf v_narrow(vw a) { return vcvt_high_f32_f64(vcvt_f32_f64(a.lo), a.hi); }
SL_INLINE vw w_set1(double s) { return (vw){vdupq_n_f64(s), vdupq_n_f64(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){vld1q_f64(p), vld1q_f64(p + 2)}; }
SL_INLINE void w_store(double *p, vw a)
{
    vst1q_f64(p, a.lo);
    vst1q_f64(p + 2, a.hi);
}
/* Two rows of four; and back. */
SL_INLINE void load_transposed_half(const double *p, size_t step, float64x2_t q[4])
{
    SL_UNROLL
    for (size_t c = 0; c < 4; c += 2) {
        float64x2_t a = vld1q_f64(p + c), b = vld1q_f64(p + step + c);
        q[c] = vtrn1q_f64(a, b);
        q[c + 1] = vtrn2q_f64(a, b);
    }
}
SL_INLINE void store_transposed_half(double *p, size_t step, const float64x2_t q[4])
{
    SL_UNROLL
    for (size_t c = 0; c < 4; c += 2) {
        vst1q_f64(p + c, vtrn1q_f64(q[c], q[c + 1]));
        vst1q_f64(p + step + c, vtrn2q_f64(q[c], q[c + 1]));
    }
}
SL_PAIRED_TRANSPOSED(w, double, vw)
SL_INLINE void w_stream(double *p, vw a) { w_store(p, a); }
SL_PARTIAL(w, vw, double, SL_W)
SL_PAIRED_2(vw, w_add, vw, vw, vaddq_f64(a, b))
SL_PAIRED_2(vw, w_sub, vw, vw, vsubq_f64(a, b))
SL_PAIRED_2(vw, w_mul, vw, vw, SL_ROUNDED(vmulq_f64(a, b)))
SL_PAIRED_2(vw, w_div, vw, vw, vdivq_f64(a, b))
SL_PAIRED_3(vw, w_fma, vw, vw, vw, vfmaq_f64(c, a, b))
SL_PAIRED_3(vw, w_fnma, vw, vw, vw, vfmsq_f64(c, a, b))
SL_INLINE float64x2_t min_f64(float64x2_t a, float64x2_t b)
{
    SL_OPAQUE(b);
    return vbslq_f64(vcltq_f64(a, b), a, b);
}
SL_INLINE float64x2_t max_f64(float64x2_t a, float64x2_t b)
{
    SL_OPAQUE(b);
    return vbslq_f64(vcgtq_f64(a, b), a, b);
}
SL_PAIRED_2(vw, w_min, vw, vw, min_f64(a, b))
SL_PAIRED_2(vw, w_max, vw, vw, max_f64(a, b))
SL_PAIRED_2(vw, w_at_most, vw, vw, vminq_f64(a, b))
SL_PAIRED_2(vw, w_larger, vw, vw, vmaxnmq_f64(a, b))
SL_PAIRED_1(vw, w_abs, vw, vabsq_f64(a))
SL_PAIRED_1(wu, w_bits, vw, vreinterpretq_u64_f64(a))
SL_PAIRED_1(vw, w_float, wu, vreinterpretq_f64_u64(a))
SL_INLINE double w_fold_max(vw a)
{
    float64x2_t q = max_f64(a.lo, a.hi);
    return vgetq_lane_f64(max_f64(q, vextq_f64(q, q, 1)), 0);
}
SL_INLINE vw w_add_terms(vw s, vf a) { return w_add(s, v_widen(a)); }
SL_INLINE vw w_sum_of_terms(vw s) { return s; }
SL_INLINE double w_fold_add(vw a)
{
    float64x2_t q = vaddq_f64(a.lo, a.hi);
    return vgetq_lane_f64(q, 0) + vgetq_lane_f64(q, 1);
}
SL_INLINE double w_fold_terms(vw s) { return w_fold_add(s); }

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return vdupq_n_u32(s); }
SL_INLINE vu u_and(vu a, vu b) { return vandq_u32(a, b); }
SL_INLINE vu u_or(vu a, vu b) { return vorrq_u32(a, b); }
SL_INLINE vu u_andnot(vu a, vu b) { return vbicq_u32(a, b); }
SL_INLINE vu u_add(vu a, vu b) { return vaddq_u32(a, b); }
SL_INLINE vu u_sub(vu a, vu b) { return vsubq_u32(a, b); }
#define u_shl(a, k) vshlq_n_u32(a, k)
#define u_shr(a, k) vshrq_n_u32(a, k)

SL_INLINE wu wu_set1(uint64_t s) { return (wu){vdupq_n_u64(s), vdupq_n_u64(s)}; }
SL_PAIRED_2(wu, wu_and, wu, wu, vandq_u64(a, b))
SL_PAIRED_2(wu, wu_or, wu, wu, vorrq_u64(a, b))
SL_PAIRED_2(wu, wu_add, wu, wu, vaddq_u64(a, b))
SL_PAIRED_2(wu, wu_sub, wu, wu, vsubq_u64(a, b))
#define wu_shl(a, k) ((wu){vshlq_n_u64((a).lo, k), vshlq_n_u64((a).hi, k)})
#define wu_shr(a, k) ((wu){vshrq_n_u64((a).lo, k), vshrq_n_u64((a).hi, k)})

/* truth */

SL_INLINE uint64x2_t not_u64(uint64x2_t a)
{
    return vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(a)));
}

SL_INLINE vm v_lt(vf a, vf b) { return vcltq_f32(a, b); }
SL_INLINE vm v_le(vf a, vf b) { return vcleq_f32(a, b); }
SL_INLINE vm v_eq(vf a, vf b) { return vceqq_f32(a, b); }
SL_INLINE vm v_nlt(vf a, vf b) { return vmvnq_u32(vcltq_f32(a, b)); }
SL_INLINE vm v_nle(vf a, vf b) { return vmvnq_u32(vcleq_f32(a, b)); }
SL_INLINE vm m_or(vm a, vm b) { return vorrq_u32(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return vbicq_u32(a, b); }
SL_INLINE int m_any(vm a) { return vmaxvq_u32(a) != 0; }
SL_INLINE int m_all(vm a) { return vminvq_u32(a) != 0; }
SL_INLINE int m_count(vm a) { return (int)vaddvq_u32(vshrq_n_u32(a, 31)); }
SL_INLINE vf v_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
SL_INLINE vf v_keep(vm m, vf a) { return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(a))); }
SL_INLINE vf v_where(vm m, vf a) { return v_keep(m, a); }
SL_INLINE vf v_fma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fma(a, b, c); }
SL_INLINE vf v_fnma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fnma(a, b, c); }

SL_PAIRED_2(wm, w_lt, vw, vw, vcltq_f64(a, b))
SL_PAIRED_2(wm, w_le, vw, vw, vcleq_f64(a, b))
SL_PAIRED_2(wm, w_eq, vw, vw, vceqq_f64(a, b))
SL_PAIRED_2(wm, w_nlt, vw, vw, not_u64(vcltq_f64(a, b)))
SL_PAIRED_2(wm, w_nle, vw, vw, not_u64(vcleq_f64(a, b)))
SL_PAIRED_2(wm, wm_or, wm, wm, vorrq_u64(a, b))
SL_PAIRED_2(wm, wm_andnot, wm, wm, vbicq_u64(a, b))
SL_INLINE int wm_any(wm a) { return m_any(vreinterpretq_u32_u64(vorrq_u64(a.lo, a.hi))); }
SL_INLINE int wm_all(wm a) { return m_all(vreinterpretq_u32_u64(vandq_u64(a.lo, a.hi))); }
SL_INLINE int wm_count(wm a) { return m_count(vcombine_u32(vmovn_u64(a.lo), vmovn_u64(a.hi))); }
SL_PAIRED_3(vw, w_select, wm, vw, vw, vbslq_f64(a, b, c))
SL_PAIRED_2(vw, w_keep, wm, vw, vreinterpretq_f64_u64(vandq_u64(a, vreinterpretq_u64_f64(b))))
SL_INLINE vw w_where(wm m, vw a) { return w_keep(m, a); }
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fma(a, b, c); }
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fnma(a, b, c); }

/* table: eight u32 are 32 bytes, so one two-register byte lookup, index i spread to bytes 4i .. 4i + 3. */

SL_INLINE vt t_load(const uint32_t *p) { return (const uint8_t *)p; }
SL_INLINE vu t_pick(vt t, vu i)
{
    vu at = vmlaq_n_u32(vdupq_n_u32(0x03020100), vandq_u32(i, vdupq_n_u32(7)), 0x04040404);
    return vreinterpretq_u32_u8(vqtbl2q_u8(vld1q_u8_x2(t), vreinterpretq_u8_u32(at)));
}
/* One operation, which compilers would make a shift and an addition of. */
SL_INLINE vu t_pick_scaled(vt t, vu u)
{
    vu sum = t_pick(t, u);
    __asm__("mla %0.4s, %1.4s, %2.4s" : "+w"(sum) : "w"(u), "w"(vdupq_n_u32(1u << 20)));
    return sum;
}

/* u16 */

SL_INLINE vu h_load(const uint16_t *p) { return vmovl_u16(vld1_u16(p)); }
SL_INLINE void h_store(uint16_t *p, vu a) { vst1_u16(p, vmovn_u32(a)); }
SL_INLINE void h_stream(uint16_t *p, vu a) { h_store(p, a); }
SL_PARTIAL(h, vu, uint16_t, SL_W)
SL_INLINE vf v_of_f16(vu h) { return vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(h))); }
SL_INLINE vu h_of_f32(vf a) { return vmovl_u16(vreinterpret_u16_f16(vcvt_f16_f32(a))); }
SL_INLINE vf v_load_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
SL_INLINE void v_store_f16(uint16_t *p, vf a) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a))); }
SL_INLINE void v_stream_f16(uint16_t *p, vf a) { v_store_f16(p, a); }

/* two u16 */

SL_INLINE uint16x8_t hh(vu a) { return vreinterpretq_u16_u32(a); }
SL_INLINE vu hh_u32(uint16x8_t a) { return vreinterpretq_u32_u16(a); }
SL_INLINE vu hh_load(const uint16_t *p) { return hh_u32(vld1q_u16(p)); }
SL_INLINE void hh_store(uint16_t *p, vu a) { vst1q_u16(p, hh(a)); }
SL_INLINE void hh_stream(uint16_t *p, vu a) { hh_store(p, a); }
SL_PARTIAL(hh, vu, uint16_t, 2 * SL_W)
SL_INLINE vu hh_uppers(vu a, vu b) { return hh_u32(vtrn2q_u16(hh(a), hh(b))); }
SL_INLINE vu hh_lowers(vu a, vu b) { return hh_u32(vtrn1q_u16(hh(a), hh(b))); }
SL_INLINE vu hh_add(vu a, vu b) { return hh_u32(vaddq_u16(hh(a), hh(b))); }
SL_INLINE vu hh_sub(vu a, vu b) { return hh_u32(vqsubq_u16(hh(a), hh(b))); }
#define hh_shr(a, k) hh_u32(vshrq_n_u16(hh(a), k))

#undef SL_HALF
#undef SL_PAIRED_1
#undef SL_PAIRED_2
#undef SL_PAIRED_3
#undef SL_PAIRED_TRANSPOSED
#undef SL_PARTIAL

#endif

#endif
