/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in AArch64 Advanced SIMD: 4 lanes. Only vfma and vfms multiply and add: vmla is fused by one
 * compiler and not by the other. vmax and vmin treat NaN and zeros otherwise than x86, hence compare and
 * select.
 */
#define SL_W 4
#define SL_FMA 1
#define SL_NEEDS "asimd"

#include <arm_neon.h>
SL_OPEN("+simd")

typedef float32x4_t vf;
typedef uint32x4_t vu;
typedef uint32x4_t vm;
typedef uint8x16x2_t vt;
typedef struct {
    float64x2_t lo, hi;
} vw;
typedef struct {
    uint64x2_t lo, hi;
} wu;

SL_INLINE vf v_set1(float s) { return vdupq_n_f32(s); }
SL_INLINE vf v_load(const float *p) { return vld1q_f32(p); }
SL_INLINE void v_store(float *p, vf a) { vst1q_f32(p, a); }
SL_INLINE vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
SL_INLINE vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
SL_INLINE vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
SL_INLINE vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
SL_INLINE vf v_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
SL_INLINE vf v_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
SL_INLINE vf v_abs(vf a) { return vabsq_f32(a); }
SL_INLINE vu v_bits(vf a) { return vreinterpretq_u32_f32(a); }
SL_INLINE vf v_float(vu a) { return vreinterpretq_f32_u32(a); }

SL_INLINE float v_fold_max(vf a)
{
    vf h = v_max(a, vextq_f32(a, a, 2));
    return vgetq_lane_f32(v_max(h, vextq_f32(h, h, 1)), 0);
}

SL_INLINE vu u_set1(uint32_t s) { return vdupq_n_u32(s); }
SL_INLINE vu u_and(vu a, vu b) { return vandq_u32(a, b); }
SL_INLINE vu u_add(vu a, vu b) { return vaddq_u32(a, b); }
#define u_shl(a, k) vshlq_n_u32(a, k)

SL_INLINE vm v_lt(vf a, vf b) { return vcltq_f32(a, b); }
SL_INLINE vm v_le(vf a, vf b) { return vcleq_f32(a, b); }
SL_INLINE vm v_eq(vf a, vf b) { return vceqq_f32(a, b); }
SL_INLINE vm v_nlt(vf a, vf b) { return vmvnq_u32(vcltq_f32(a, b)); }
SL_INLINE vm v_nle(vf a, vf b) { return vmvnq_u32(vcleq_f32(a, b)); }
SL_INLINE vm m_or(vm a, vm b) { return vorrq_u32(a, b); }
SL_INLINE vm m_andnot(vm a, vm b) { return vbicq_u32(a, b); }
SL_INLINE int m_any(vm a) { return vmaxvq_u32(a) != 0; }
SL_INLINE int m_all(vm a) { return vminvq_u32(a) != 0; }
SL_INLINE vf v_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
SL_INLINE vf v_keep(vm m, vf a) { return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(a))); }

/* Eight words are 32 bytes: one two-register byte lookup, with index i spread to bytes 4i .. 4i + 3. */
SL_INLINE vt t_load(const uint32_t *p) { return vld1q_u8_x2((const uint8_t *)p); }
SL_INLINE vu t_pick(vt t, vu i)
{
    vu at = vmlaq_n_u32(vdupq_n_u32(0x03020100), vandq_u32(i, vdupq_n_u32(7)), 0x04040404);
    return vreinterpretq_u32_u8(vqtbl2q_u8(t, vreinterpretq_u8_u32(at)));
}

SL_INLINE vw v_widen(vf a) { return (vw){vcvt_f64_f32(vget_low_f32(a)), vcvt_high_f64_f32(a)}; }
SL_INLINE vf v_narrow(vw a) { return vcvt_high_f32_f64(vcvt_f32_f64(a.lo), a.hi); }
SL_INLINE vw w_set1(double s) { return (vw){vdupq_n_f64(s), vdupq_n_f64(s)}; }
SL_INLINE vw w_load(const double *p) { return (vw){vld1q_f64(p), vld1q_f64(p + 2)}; }
SL_INLINE void w_store(double *p, vw a)
{
    vst1q_f64(p, a.lo);
    vst1q_f64(p + 2, a.hi);
}
SL_INLINE vw w_add(vw a, vw b) { return (vw){vaddq_f64(a.lo, b.lo), vaddq_f64(a.hi, b.hi)}; }
SL_INLINE vw w_sub(vw a, vw b) { return (vw){vsubq_f64(a.lo, b.lo), vsubq_f64(a.hi, b.hi)}; }
SL_INLINE vw w_mul(vw a, vw b) { return (vw){vmulq_f64(a.lo, b.lo), vmulq_f64(a.hi, b.hi)}; }
SL_INLINE vw w_div(vw a, vw b) { return (vw){vdivq_f64(a.lo, b.lo), vdivq_f64(a.hi, b.hi)}; }
SL_INLINE vw w_fma(vw a, vw b, vw c)
{
    return (vw){vfmaq_f64(c.lo, a.lo, b.lo), vfmaq_f64(c.hi, a.hi, b.hi)};
}
SL_INLINE double w_fold_add(vw a)
{
    float64x2_t q = vaddq_f64(a.lo, a.hi);
    return vgetq_lane_f64(q, 0) + vgetq_lane_f64(q, 1);
}
SL_INLINE wu w_bits(vw a) { return (wu){vreinterpretq_u64_f64(a.lo), vreinterpretq_u64_f64(a.hi)}; }
SL_INLINE vw w_float(wu a) { return (vw){vreinterpretq_f64_u64(a.lo), vreinterpretq_f64_u64(a.hi)}; }
SL_INLINE wu wu_set1(uint64_t s) { return (wu){vdupq_n_u64(s), vdupq_n_u64(s)}; }
SL_INLINE wu wu_sub(wu a, wu b) { return (wu){vsubq_u64(a.lo, b.lo), vsubq_u64(a.hi, b.hi)}; }
SL_INLINE wu wu_and(wu a, wu b) { return (wu){vandq_u64(a.lo, b.lo), vandq_u64(a.hi, b.hi)}; }
SL_INLINE wu wu_or(wu a, wu b) { return (wu){vorrq_u64(a.lo, b.lo), vorrq_u64(a.hi, b.hi)}; }
#define wu_shr(a, k) ((wu){vshrq_n_u64((a).lo, k), vshrq_n_u64((a).hi, k)})

#include "partial.h"
