/* SPDX-License-Identifier: MIT
 *
 * What one measurement must not leave to the next. While the upper halves of the AVX registers are in use, SSE code
 * runs several times slower. Softlane's kernels leave them clear; peers need not.
 */
#ifndef SL_BENCH_UPPER_REGISTERS_H
#define SL_BENCH_UPPER_REGISTERS_H

/* Those of the calling thread's core. */
static inline void clear_upper_registers(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroupper");
#endif
}

#endif
