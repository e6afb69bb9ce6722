/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in RISC-V vectors (RVV 1.0) of 256 bits: 8 lanes, of f64 in a group of two registers. Masks of f32 and of f64
 * are of one type, because there are as many lanes. vfmax and vfmin treat NaN and zeros otherwise than x86, hence compare and
 * merge, but where that may be. Arithmetic gives one NaN for all. The row's compiler flags open the target region.
 */
#ifndef SL_ISA_RVV256_H
#define SL_ISA_RVV256_H

#ifndef SL_UNIT_ISA
#define SL_UNIT_ISA rvv256 /* where this header is opened alone */
#endif

#include "vocab.h"

#if defined(__riscv_v_fixed_vlen) && __riscv_v_fixed_vlen == 256

#define SL_W 8
#define SL_FMA 1
#define SL_NEEDS "v,vlen256"
#define SL_CANONICAL_NANS

#include <riscv_vector.h>
SL_OPEN_BASELINE

#define SL_ONE __attribute__((riscv_rvv_vector_bits(256)))
#define SL_TWO __attribute__((riscv_rvv_vector_bits(512)))
typedef vfloat32m1_t vf SL_ONE;
typedef vuint32m1_t vu SL_ONE;
typedef vfloat64m2_t vw SL_TWO;
typedef vuint64m2_t wu SL_TWO;
typedef vuint8m1_t vm SL_ONE;
typedef vm wm;
typedef vu vt;

/* Clang moves masks through memory where they are of a type that has a length. */
SL_INLINE vm m_of(vbool32_t a) { return __riscv_vreinterpret_v_b32_u8m1(a); }
SL_INLINE vbool32_t m_bits(vm a) { return __riscv_vreinterpret_v_u8m1_b32(a); }

/* The lanes that a partial word touches: of more than there are, vsetvli may choose fewer. */
SL_INLINE size_t at_most_lanes(size_t n) { return n < SL_W ? n : SL_W; }

/* f32 */

SL_INLINE vf v_set1(float s) { return __riscv_vfmv_v_f_f32m1(s, SL_W); }
SL_INLINE vf v_load(const float *p) { return __riscv_vle32_v_f32m1(p, SL_W); }
SL_INLINE void v_store(float *p, vf a) { __riscv_vse32_v_f32m1(p, a, SL_W); }
SL_INLINE vf v_load_n(const float *p, size_t n, float fill)
{
    return __riscv_vle32_v_f32m1_tu(v_set1(fill), p, at_most_lanes(n));
}
SL_INLINE void v_store_n(float *p, vf a, size_t n) { __riscv_vse32_v_f32m1(p, a, at_most_lanes(n)); }
SL_INLINE void v_stream(float *p, vf a) { v_store(p, a); }
SL_INLINE void stream_end(void) {}
SL_INLINE void leave(void) {}
SL_INLINE vf v_add(vf a, vf b) { return __riscv_vfadd_vv_f32m1(a, b, SL_W); }
SL_INLINE vf v_sub(vf a, vf b) { return __riscv_vfsub_vv_f32m1(a, b, SL_W); }
SL_INLINE vf v_mul(vf a, vf b) { return __riscv_vfmul_vv_f32m1(a, b, SL_W); }
SL_INLINE vf v_div(vf a, vf b) { return __riscv_vfdiv_vv_f32m1(a, b, SL_W); }
SL_INLINE vf v_fma(vf a, vf b, vf c) { return __riscv_vfmacc_vv_f32m1(c, a, b, SL_W); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return __riscv_vfnmsac_vv_f32m1(c, a, b, SL_W); }
SL_INLINE vf v_min(vf a, vf b)
{
    return __riscv_vmerge_vvm_f32m1(b, a, __riscv_vmflt_vv_f32m1_b32(a, b, SL_W), SL_W);
}
SL_INLINE vf v_max(vf a, vf b)
{
    return __riscv_vmerge_vvm_f32m1(b, a, __riscv_vmfgt_vv_f32m1_b32(a, b, SL_W), SL_W);
}
SL_INLINE vf v_at_most(vf a, vf b) { return v_min(a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return __riscv_vfmax_vv_f32m1(a, b, SL_W); }
SL_INLINE vf v_abs(vf a) { return __riscv_vfabs_v_f32m1(a, SL_W); }
SL_INLINE vu v_bits(vf a) { return __riscv_vreinterpret_v_f32m1_u32m1(a); }
SL_INLINE vf v_float(vu a) { return __riscv_vreinterpret_v_u32m1_f32m1(a); }
SL_INLINE float v_fold_max(vf a)
{
    SL_UNROLL_ALL
    for (size_t half = SL_W / 2; half > 0; half /= 2)
        a = v_max(a, __riscv_vslidedown_vx_f32m1(a, half, SL_W));
    return __riscv_vfmv_f_s_f32m1_f32(a);
}

/* The even or the odd halves of u64. */
SL_INLINE vf every_second(vf a, vf b, size_t bit)
{
    vuint32m2_t both = __riscv_vcreate_v_u32m1_u32m2(v_bits(a), v_bits(b));
    return v_float(__riscv_vnsrl_wx_u32m1(__riscv_vreinterpret_v_u32m2_u64m2(both), bit, SL_W));
}
SL_INLINE vf v_evens(vf a, vf b) { return every_second(a, b, 0); }
SL_INLINE vf v_odds(vf a, vf b) { return every_second(a, b, 32); }

SL_INLINE void v_load_transposed(const float *p, size_t step, vf q[4])
{
    vfloat32m1x4_t all = __riscv_vlsseg4e32_v_f32m1x4(p, (ptrdiff_t)(step * sizeof *p), SL_W);
    q[0] = __riscv_vget_v_f32m1x4_f32m1(all, 0);
    q[1] = __riscv_vget_v_f32m1x4_f32m1(all, 1);
    q[2] = __riscv_vget_v_f32m1x4_f32m1(all, 2);
    q[3] = __riscv_vget_v_f32m1x4_f32m1(all, 3);
}
SL_INLINE void v_store_transposed(float *p, size_t step, const vf q[4])
{
    __riscv_vssseg4e32_v_f32m1x4(p, (ptrdiff_t)(step * sizeof *p),
                                 __riscv_vcreate_v_f32m1x4(q[0], q[1], q[2], q[3]), SL_W);
}

/* f64 */

SL_INLINE vw v_widen(vf a) { return __riscv_vfwcvt_f_f_v_f64m2(a, SL_W); }
SL_INLINE vw v_load_wide(const float *p) { return v_widen(v_load(p)); }
SL_INLINE vf v_narrow(vw a) { return __riscv_vfncvt_f_f_w_f32m1(a, SL_W); }
SL_INLINE vw w_set1(double s) { return __riscv_vfmv_v_f_f64m2(s, SL_W); }
SL_INLINE vw w_load(const double *p) { return __riscv_vle64_v_f64m2(p, SL_W); }
SL_INLINE void w_store(double *p, vw a) { __riscv_vse64_v_f64m2(p, a, SL_W); }
SL_INLINE vw w_load_n(const double *p, size_t n, double fill)
{
    return __riscv_vle64_v_f64m2_tu(w_set1(fill), p, at_most_lanes(n));
}
SL_INLINE void w_store_n(double *p, vw a, size_t n) { __riscv_vse64_v_f64m2(p, a, at_most_lanes(n)); }
SL_INLINE void w_stream(double *p, vw a) { w_store(p, a); }
SL_INLINE vw w_add(vw a, vw b) { return __riscv_vfadd_vv_f64m2(a, b, SL_W); }
SL_INLINE vw w_sub(vw a, vw b) { return __riscv_vfsub_vv_f64m2(a, b, SL_W); }
SL_INLINE vw w_mul(vw a, vw b) { return __riscv_vfmul_vv_f64m2(a, b, SL_W); }
SL_INLINE vw w_div(vw a, vw b) { return __riscv_vfdiv_vv_f64m2(a, b, SL_W); }
SL_INLINE vw w_fma(vw a, vw b, vw c) { return __riscv_vfmacc_vv_f64m2(c, a, b, SL_W); }
SL_INLINE vw w_fnma(vw a, vw b, vw c) { return __riscv_vfnmsac_vv_f64m2(c, a, b, SL_W); }
SL_INLINE vw w_min(vw a, vw b)
{
    return __riscv_vmerge_vvm_f64m2(b, a, __riscv_vmflt_vv_f64m2_b32(a, b, SL_W), SL_W);
}
SL_INLINE vw w_max(vw a, vw b)
{
    return __riscv_vmerge_vvm_f64m2(b, a, __riscv_vmfgt_vv_f64m2_b32(a, b, SL_W), SL_W);
}
SL_INLINE vw w_at_most(vw a, vw b) { return w_min(a, b); }
SL_INLINE vw w_larger(vw a, vw b) { return __riscv_vfmax_vv_f64m2(a, b, SL_W); }
SL_INLINE vw w_abs(vw a) { return __riscv_vfabs_v_f64m2(a, SL_W); }
SL_INLINE wu w_bits(vw a) { return __riscv_vreinterpret_v_f64m2_u64m2(a); }
SL_INLINE vw w_float(wu a) { return __riscv_vreinterpret_v_u64m2_f64m2(a); }
SL_INLINE double w_fold_max(vw a)
{
    SL_UNROLL_ALL
    for (size_t half = SL_W / 2; half > 0; half /= 2)
        a = w_max(a, __riscv_vslidedown_vx_f64m2(a, half, SL_W));
    return __riscv_vfmv_f_s_f64m2_f64(a);
}
SL_INLINE vw w_add_terms(vw s, vf a) { return __riscv_vfwadd_wv_f64m2(s, a, SL_W); }
SL_INLINE vw w_sum_of_terms(vw s) { return s; }
SL_INLINE double w_fold_add(vw a)
{
    SL_UNROLL_ALL
    for (size_t half = SL_W / 2; half > 0; half /= 2)
        a = w_add(a, __riscv_vslidedown_vx_f64m2(a, half, SL_W));
    return __riscv_vfmv_f_s_f64m2_f64(a);
}
SL_INLINE double w_fold_terms(vw s) { return w_fold_add(s); }

SL_INLINE void w_load_transposed(const double *p, size_t step, vw q[4])
{
    vfloat64m2x4_t all = __riscv_vlsseg4e64_v_f64m2x4(p, (ptrdiff_t)(step * sizeof *p), SL_W);
    q[0] = __riscv_vget_v_f64m2x4_f64m2(all, 0);
    q[1] = __riscv_vget_v_f64m2x4_f64m2(all, 1);
    q[2] = __riscv_vget_v_f64m2x4_f64m2(all, 2);
    q[3] = __riscv_vget_v_f64m2x4_f64m2(all, 3);
}
SL_INLINE void w_store_transposed(double *p, size_t step, const vw q[4])
{
    __riscv_vssseg4e64_v_f64m2x4(p, (ptrdiff_t)(step * sizeof *p),
                                 __riscv_vcreate_v_f64m2x4(q[0], q[1], q[2], q[3]), SL_W);
}

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return __riscv_vmv_v_x_u32m1(s, SL_W); }
SL_INLINE vu u_and(vu a, vu b) { return __riscv_vand_vv_u32m1(a, b, SL_W); }
SL_INLINE vu u_or(vu a, vu b) { return __riscv_vor_vv_u32m1(a, b, SL_W); }
SL_INLINE vu u_andnot(vu a, vu b) { return u_and(a, __riscv_vnot_v_u32m1(b, SL_W)); }
SL_INLINE vu u_add(vu a, vu b) { return __riscv_vadd_vv_u32m1(a, b, SL_W); }
SL_INLINE vu u_sub(vu a, vu b) { return __riscv_vsub_vv_u32m1(a, b, SL_W); }
SL_INLINE vu u_shl(vu a, size_t k) { return __riscv_vsll_vx_u32m1(a, k, SL_W); }
SL_INLINE vu u_shr(vu a, size_t k) { return __riscv_vsrl_vx_u32m1(a, k, SL_W); }

SL_INLINE wu wu_set1(uint64_t s) { return __riscv_vmv_v_x_u64m2(s, SL_W); }
SL_INLINE wu wu_and(wu a, wu b) { return __riscv_vand_vv_u64m2(a, b, SL_W); }
SL_INLINE wu wu_or(wu a, wu b) { return __riscv_vor_vv_u64m2(a, b, SL_W); }
SL_INLINE wu wu_add(wu a, wu b) { return __riscv_vadd_vv_u64m2(a, b, SL_W); }
SL_INLINE wu wu_sub(wu a, wu b) { return __riscv_vsub_vv_u64m2(a, b, SL_W); }
SL_INLINE wu wu_shl(wu a, size_t k) { return __riscv_vsll_vx_u64m2(a, k, SL_W); }
SL_INLINE wu wu_shr(wu a, size_t k) { return __riscv_vsrl_vx_u64m2(a, k, SL_W); }

/* truth */

SL_INLINE vm m_not(vm a) { return m_of(__riscv_vmnot_m_b32(m_bits(a), SL_W)); }
SL_INLINE vm m_or(vm a, vm b) { return m_of(__riscv_vmor_mm_b32(m_bits(a), m_bits(b), SL_W)); }
SL_INLINE vm m_andnot(vm a, vm b) { return m_of(__riscv_vmandn_mm_b32(m_bits(a), m_bits(b), SL_W)); }
SL_INLINE int m_count(vm a) { return (int)__riscv_vcpop_m_b32(m_bits(a), SL_W); }
SL_INLINE int m_any(vm a) { return __riscv_vfirst_m_b32(m_bits(a), SL_W) >= 0; }
SL_INLINE int m_all(vm a) { return !m_any(m_not(a)); }
SL_INLINE vm v_lt(vf a, vf b) { return m_of(__riscv_vmflt_vv_f32m1_b32(a, b, SL_W)); }
SL_INLINE vm v_le(vf a, vf b) { return m_of(__riscv_vmfle_vv_f32m1_b32(a, b, SL_W)); }
SL_INLINE vm v_eq(vf a, vf b) { return m_of(__riscv_vmfeq_vv_f32m1_b32(a, b, SL_W)); }
SL_INLINE vm v_nlt(vf a, vf b) { return m_not(v_lt(a, b)); }
SL_INLINE vm v_nle(vf a, vf b) { return m_not(v_le(a, b)); }
SL_INLINE vf v_select(vm m, vf a, vf b) { return __riscv_vmerge_vvm_f32m1(b, a, m_bits(m), SL_W); }
SL_INLINE vf v_keep(vm m, vf a) { return v_select(m, a, v_set1(0)); }
SL_INLINE vf v_where(vm m, vf a) { return v_keep(m, a); }
SL_INLINE vf v_fma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fma(a, b, c); }
SL_INLINE vf v_fnma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fnma(a, b, c); }

SL_INLINE wm wm_or(wm a, wm b) { return m_or(a, b); }
SL_INLINE wm wm_andnot(wm a, wm b) { return m_andnot(a, b); }
SL_INLINE int wm_any(wm a) { return m_any(a); }
SL_INLINE int wm_all(wm a) { return m_all(a); }
SL_INLINE int wm_count(wm a) { return m_count(a); }
SL_INLINE wm w_lt(vw a, vw b) { return m_of(__riscv_vmflt_vv_f64m2_b32(a, b, SL_W)); }
SL_INLINE wm w_le(vw a, vw b) { return m_of(__riscv_vmfle_vv_f64m2_b32(a, b, SL_W)); }
SL_INLINE wm w_eq(vw a, vw b) { return m_of(__riscv_vmfeq_vv_f64m2_b32(a, b, SL_W)); }
SL_INLINE wm w_nlt(vw a, vw b) { return m_not(w_lt(a, b)); }
SL_INLINE wm w_nle(vw a, vw b) { return m_not(w_le(a, b)); }
SL_INLINE vw w_select(wm m, vw a, vw b) { return __riscv_vmerge_vvm_f64m2(b, a, m_bits(m), SL_W); }
SL_INLINE vw w_keep(wm m, vw a) { return w_select(m, a, w_set1(0)); }
SL_INLINE vw w_where(wm m, vw a) { return w_keep(m, a); }
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fma(a, b, c); }
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fnma(a, b, c); }

/* table: a register; of an index beyond it vrgather gives 0. */

SL_INLINE vt t_load(const uint32_t *p) { return __riscv_vle32_v_u32m1(p, 8); }
SL_INLINE vu t_pick(vt t, vu i) { return __riscv_vrgather_vv_u32m1(t, u_and(i, u_set1(7)), SL_W); }
SL_INLINE vu t_pick_scaled(vt t, vu u) { return __riscv_vmacc_vx_u32m1(t_pick(t, u), 1u << 20, u, SL_W); }

/* u16 */

SL_INLINE vuint16mf2_t low_halves(vu a) { return __riscv_vncvt_x_x_w_u16mf2(a, SL_W); }
SL_INLINE vu h_load(const uint16_t *p)
{
    return __riscv_vzext_vf2_u32m1(__riscv_vle16_v_u16mf2(p, SL_W), SL_W);
}
SL_INLINE void h_store(uint16_t *p, vu a) { __riscv_vse16_v_u16mf2(p, low_halves(a), SL_W); }
SL_INLINE void h_stream(uint16_t *p, vu a) { h_store(p, a); }
SL_INLINE vu h_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    vuint16mf2_t all = __riscv_vmv_v_x_u16mf2(fill, SL_W);
    return __riscv_vzext_vf2_u32m1(__riscv_vle16_v_u16mf2_tu(all, p, at_most_lanes(n)), SL_W);
}
SL_INLINE void h_store_n(uint16_t *p, vu a, size_t n)
{
    __riscv_vse16_v_u16mf2(p, low_halves(a), at_most_lanes(n));
}

/* two u16 */

SL_INLINE vuint16m1_t hh(vu a) { return __riscv_vreinterpret_v_u32m1_u16m1(a); }
SL_INLINE vu hh_u32(vuint16m1_t a) { return __riscv_vreinterpret_v_u16m1_u32m1(a); }
SL_INLINE size_t at_most_halves(size_t n) { return n < 2 * SL_W ? n : 2 * SL_W; }
SL_INLINE vu hh_load(const uint16_t *p) { return hh_u32(__riscv_vle16_v_u16m1(p, 2 * SL_W)); }
SL_INLINE void hh_store(uint16_t *p, vu a) { __riscv_vse16_v_u16m1(p, hh(a), 2 * SL_W); }
SL_INLINE void hh_stream(uint16_t *p, vu a) { hh_store(p, a); }
SL_INLINE vu hh_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    vuint16m1_t all = __riscv_vmv_v_x_u16m1(fill, 2 * SL_W);
    return hh_u32(__riscv_vle16_v_u16m1_tu(all, p, at_most_halves(n)));
}
SL_INLINE void hh_store_n(uint16_t *p, vu a, size_t n) { __riscv_vse16_v_u16m1(p, hh(a), at_most_halves(n)); }
SL_INLINE vu hh_uppers(vu a, vu b) { return u_or(u_shr(a, 16), u_and(b, u_set1(0xffff0000))); }
SL_INLINE vu hh_lowers(vu a, vu b) { return u_or(u_and(a, u_set1(0xffff)), u_shl(b, 16)); }
SL_INLINE vu hh_add(vu a, vu b) { return hh_u32(__riscv_vadd_vv_u16m1(hh(a), hh(b), 2 * SL_W)); }
SL_INLINE vu hh_sub(vu a, vu b) { return hh_u32(__riscv_vssubu_vv_u16m1(hh(a), hh(b), 2 * SL_W)); }
SL_INLINE vu hh_shr(vu a, size_t k) { return hh_u32(__riscv_vsrl_vx_u16m1(hh(a), k, 2 * SL_W)); }

#include "isa/half.h"

#undef SL_ONE
#undef SL_TWO

#elif SL_RISCV64
#define SL_LEFT_OUT
#endif

#endif
