/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in plain C: one lane, the definition that the other headers are tested against and the
 * baseline that speed-ups are measured from (the unit is built with the auto-vectoriser off). Its class of
 * bits is the compiler's baseline: fused where that has FMA (AArch64, RISC-V with D, or x86 with -mfma), else not;
 * never with SL_UNFUSED, for code that is to round the same everywhere.
 */
#ifndef SL_ISA_SCALAR_H
#define SL_ISA_SCALAR_H

#include "vocab.h"

#define SL_W 1
#if (defined(__FMA__) || defined(__aarch64__) || (defined(__riscv) && __riscv_flen >= 64)) &&                \
    !defined(SL_UNFUSED)
#define SL_FMA 1
#else
#define SL_FMA 0
#endif
#if SL_FMA && defined(__FMA__)
#define SL_NEEDS "fma"
#else
#define SL_NEEDS ""
#endif
#if defined(__riscv) || defined(__wasm__)
#define SL_CANONICAL_NANS
#endif

SL_OPEN_BASELINE

typedef float vf;
typedef double vw;
typedef uint32_t vu;
typedef uint64_t wu;
typedef int vm;
typedef int wm;
typedef const uint32_t *vt;

/* f32 */

SL_INLINE vf v_set1(float s) { return s; }
SL_INLINE vf v_load(const float *p) { return *p; }
SL_INLINE void v_store(float *p, vf a) { *p = a; }
SL_INLINE vf v_load_n(const float *p, size_t n, float fill) { return n ? *p : fill; }
SL_INLINE void v_store_n(float *p, vf a, size_t n)
{
    if (n)
        *p = a;
}
SL_INLINE void v_stream(float *p, vf a) { *p = a; }
SL_INLINE void stream_end(void) {}
#ifdef __AVX__ /* by the command line: then compilers copy by ymm */
SL_INLINE void leave(void) { __builtin_ia32_vzeroupper(); }
#else
SL_INLINE void leave(void) {}
#endif
SL_INLINE void v_load_transposed(const float *p, size_t step, vf q[4])
{
    (void)step;
    memcpy(q, p, 4 * sizeof *p);
}
SL_INLINE void v_store_transposed(float *p, size_t step, const vf q[4])
{
    (void)step;
    memcpy(p, q, 4 * sizeof *p);
}
SL_INLINE vf v_evens(vf a, vf b) { return (void)b, a; }
SL_INLINE vf v_odds(vf a, vf b) { return (void)a, b; }
SL_INLINE vf v_add(vf a, vf b) { return a + b; }
SL_INLINE vf v_sub(vf a, vf b) { return a - b; }
SL_INLINE vf v_mul(vf a, vf b) { return SL_ROUNDED(a * b); }
SL_INLINE vf v_div(vf a, vf b) { return a / b; }
#if SL_FMA
SL_INLINE vf v_fma(vf a, vf b, vf c) { return __builtin_fmaf(a, b, c); }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return __builtin_fmaf(-a, b, c); }
#else
SL_INLINE vf v_fma(vf a, vf b, vf c) { return SL_ROUNDED(a * b) + c; }
SL_INLINE vf v_fnma(vf a, vf b, vf c) { return c - SL_ROUNDED(a * b); }
#endif
SL_INLINE vf v_min(vf a, vf b)
{
    SL_OPAQUE(b);
    return a < b ? a : b;
}
SL_INLINE vf v_max(vf a, vf b)
{
    SL_OPAQUE(b);
    return a > b ? a : b;
}
SL_INLINE vu v_bits(vf a)
{
    vu u;
    memcpy(&u, &a, sizeof u);
    return u;
}
SL_INLINE vf v_float(vu u)
{
    vf a;
    memcpy(&a, &u, sizeof a);
    return a;
}
SL_INLINE vf v_at_most(vf a, vf b) { return v_min(a, b); }
SL_INLINE vf v_larger(vf a, vf b) { return v_max(a, b); }
SL_INLINE vf v_abs(vf a) { return v_float(v_bits(a) & 0x7fffffff); }
SL_INLINE float v_fold_max(vf a) { return a; }

/* f64 */

SL_INLINE vw v_widen(vf a) { return a; }
SL_INLINE vw v_load_wide(const float *p) { return *p; }
SL_INLINE vf v_narrow(vw a) { return (vf)a; }
SL_INLINE vw w_set1(double s) { return s; }
SL_INLINE vw w_load(const double *p) { return *p; }
SL_INLINE void w_store(double *p, vw a) { *p = a; }
SL_INLINE void w_load_transposed(const double *p, size_t step, vw q[4])
{
    (void)step;
    memcpy(q, p, 4 * sizeof *p);
}
SL_INLINE void w_store_transposed(double *p, size_t step, const vw q[4])
{
    (void)step;
    memcpy(p, q, 4 * sizeof *p);
}
SL_INLINE vw w_load_n(const double *p, size_t n, double fill) { return n ? *p : fill; }
SL_INLINE void w_store_n(double *p, vw a, size_t n)
{
    if (n)
        *p = a;
}
SL_INLINE void w_stream(double *p, vw a) { *p = a; }
SL_INLINE vw w_add(vw a, vw b) { return a + b; }
SL_INLINE vw w_sub(vw a, vw b) { return a - b; }
SL_INLINE vw w_mul(vw a, vw b) { return SL_ROUNDED(a * b); }
SL_INLINE vw w_div(vw a, vw b) { return a / b; }
#if SL_FMA
SL_INLINE vw w_fma(vw a, vw b, vw c) { return __builtin_fma(a, b, c); }
SL_INLINE vw w_fnma(vw a, vw b, vw c) { return __builtin_fma(-a, b, c); }
#else
SL_INLINE vw w_fma(vw a, vw b, vw c) { return SL_ROUNDED(a * b) + c; }
SL_INLINE vw w_fnma(vw a, vw b, vw c) { return c - SL_ROUNDED(a * b); }
#endif
SL_INLINE vw w_min(vw a, vw b)
{
    SL_OPAQUE(b);
    return a < b ? a : b;
}
SL_INLINE vw w_max(vw a, vw b)
{
    SL_OPAQUE(b);
    return a > b ? a : b;
}
SL_INLINE wu w_bits(vw a)
{
    wu u;
    memcpy(&u, &a, sizeof u);
    return u;
}
SL_INLINE vw w_float(wu u)
{
    vw a;
    memcpy(&a, &u, sizeof a);
    return a;
}
SL_INLINE vw w_at_most(vw a, vw b) { return w_min(a, b); }
SL_INLINE vw w_larger(vw a, vw b) { return w_max(a, b); }
SL_INLINE vw w_abs(vw a) { return w_float(w_bits(a) & INT64_MAX); }
SL_INLINE double w_fold_max(vw a) { return a; }
SL_INLINE vw w_add_terms(vw s, vf a) { return w_add(s, v_widen(a)); }
SL_INLINE vw w_sum_of_terms(vw s) { return s; }
SL_INLINE double w_fold_add(vw a) { return a; }
SL_INLINE double w_fold_terms(vw s) { return w_fold_add(s); }

/* u32, u64 */

SL_INLINE vu u_set1(uint32_t s) { return s; }
SL_INLINE vu u_and(vu a, vu b) { return a & b; }
SL_INLINE vu u_or(vu a, vu b) { return a | b; }
SL_INLINE vu u_andnot(vu a, vu b) { return a & ~b; }
SL_INLINE vu u_add(vu a, vu b) { return a + b; }
SL_INLINE vu u_sub(vu a, vu b) { return a - b; }
#define u_shl(a, k) ((vu)((a) << (k)))
#define u_shr(a, k) ((vu)((a) >> (k)))

SL_INLINE wu wu_set1(uint64_t s) { return s; }
SL_INLINE wu wu_and(wu a, wu b) { return a & b; }
SL_INLINE wu wu_or(wu a, wu b) { return a | b; }
SL_INLINE wu wu_add(wu a, wu b) { return a + b; }
SL_INLINE wu wu_sub(wu a, wu b) { return a - b; }
#define wu_shl(a, k) ((wu)((a) << (k)))
#define wu_shr(a, k) ((wu)((a) >> (k)))

/* truth */

SL_INLINE vm v_lt(vf a, vf b) { return a < b; }
SL_INLINE vm v_le(vf a, vf b) { return a <= b; }
SL_INLINE vm v_eq(vf a, vf b) { return a == b; }
SL_INLINE vm v_nlt(vf a, vf b) { return !(a < b); }
SL_INLINE vm v_nle(vf a, vf b) { return !(a <= b); }
SL_INLINE vm m_or(vm a, vm b) { return a | b; }
SL_INLINE vm m_andnot(vm a, vm b) { return a & !b; }
SL_INLINE int m_any(vm a) { return a; }
SL_INLINE int m_all(vm a) { return a; }
SL_INLINE int m_count(vm a) { return a; }
SL_INLINE vf v_select(vm m, vf a, vf b) { return m ? a : b; }
SL_INLINE vf v_keep(vm m, vf a) { return m ? a : 0.0f; }
SL_INLINE vf v_where(vm m, vf a)
{
    a = v_keep(m, a);
    SL_SELECTED(a);
    return a;
}
SL_INLINE vf v_fma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fma(a, b, c); }
SL_INLINE vf v_fnma_where(vm m, vf a, vf b, vf c) { return (void)m, v_fnma(a, b, c); }

SL_INLINE wm w_lt(vw a, vw b) { return a < b; }
SL_INLINE wm w_le(vw a, vw b) { return a <= b; }
SL_INLINE wm w_eq(vw a, vw b) { return a == b; }
SL_INLINE wm w_nlt(vw a, vw b) { return !(a < b); }
SL_INLINE wm w_nle(vw a, vw b) { return !(a <= b); }
SL_INLINE wm wm_or(wm a, wm b) { return a | b; }
SL_INLINE wm wm_andnot(wm a, wm b) { return a & !b; }
SL_INLINE int wm_any(wm a) { return a; }
SL_INLINE int wm_all(wm a) { return a; }
SL_INLINE int wm_count(wm a) { return a; }
SL_INLINE vw w_select(wm m, vw a, vw b) { return m ? a : b; }
SL_INLINE vw w_keep(wm m, vw a) { return m ? a : 0.0; }
SL_INLINE vw w_where(wm m, vw a)
{
    a = w_keep(m, a);
    SL_SELECTED(a);
    return a;
}
SL_INLINE vw w_fma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fma(a, b, c); }
SL_INLINE vw w_fnma_where(wm m, vw a, vw b, vw c) { return (void)m, w_fnma(a, b, c); }

/* table */

SL_INLINE vt t_load(const uint32_t *p) { return p; }
SL_INLINE vu t_pick(vt t, vu i) { return t[i & 7]; }
SL_INLINE vu t_pick_scaled(vt t, vu u) { return u_add(t_pick(t, u), u_shl(u, 20)); }

/* u16 */

SL_INLINE vu h_load(const uint16_t *p) { return *p; }
SL_INLINE void h_store(uint16_t *p, vu a) { *p = (uint16_t)a; }
SL_INLINE void h_stream(uint16_t *p, vu a) { *p = (uint16_t)a; }
SL_INLINE vu h_load_n(const uint16_t *p, size_t n, uint16_t fill) { return n ? *p : fill; }
SL_INLINE void h_store_n(uint16_t *p, vu a, size_t n)
{
    if (n)
        *p = (uint16_t)a;
}

/* two u16 */

SL_INLINE vu both(uint32_t low, uint32_t high) { return (low & 0xffff) | high << 16; }
SL_INLINE vu hh_load(const uint16_t *p) { return both(p[0], p[1]); }
SL_INLINE void hh_store(uint16_t *p, vu a)
{
    p[0] = (uint16_t)a;
    p[1] = (uint16_t)(a >> 16);
}
SL_INLINE void hh_stream(uint16_t *p, vu a) { hh_store(p, a); }
SL_INLINE vu hh_load_n(const uint16_t *p, size_t n, uint16_t fill)
{
    return both(n > 0 ? p[0] : fill, n > 1 ? p[1] : fill);
}
SL_INLINE void hh_store_n(uint16_t *p, vu a, size_t n)
{
    if (n > 0)
        p[0] = (uint16_t)a;
    if (n > 1)
        p[1] = (uint16_t)(a >> 16);
}
SL_INLINE vu hh_uppers(vu a, vu b) { return both(a >> 16, b >> 16); }
SL_INLINE vu hh_lowers(vu a, vu b) { return both(a, b); }
SL_INLINE vu hh_add(vu a, vu b) { return both(a + b, (a >> 16) + (b >> 16)); }
SL_INLINE uint32_t difference(uint32_t a, uint32_t b) { return a > b ? a - b : 0; }
SL_INLINE vu hh_sub(vu a, vu b)
{
    return both(difference(a & 0xffff, b & 0xffff), difference(a >> 16, b >> 16));
}
#define hh_shr(a, k) both(((a)&0xffff) >> (k), (a) >> 16 >> (k))

#include "isa/half.h"

#endif
