/* SPDX-License-Identifier: MIT
 *
 * See clock_rate.h. The least time of several short rounds: what disturbs one makes it longer, nothing shorter. The addend
 * is in a register, because some cores fold additions of constants into no cycle at all.
 */
#include "clock_rate.h"

#include <math.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#define ADD "add %1, %0\n\t"
#elif defined(__aarch64__)
#define ADD "add %0, %0, %1\n\t"
#endif

#ifdef ADD

static double thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

enum { BLOCK = 100 };

static double ns_of(int blocks)
{
    uint64_t x = 0, y = 1;
    const double start = thread_ns();
    for (int block = 0; block < blocks; block++)
        __asm__ volatile(".rept 100\n\t" ADD ".endr" : "+r"(x) : "r"(y) : "cc");
    return thread_ns() - start;
}

/* From the difference of a long chain and a short one, which has what reading the time takes in it, too. */
double clock_rate_ghz(void)
{
    enum { ROUNDS = 10, SHORT = 100, LONG = 300 };
    double least_short = INFINITY, least_long = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        const double in_short = ns_of(SHORT), in_long = ns_of(LONG);
        least_short = in_short < least_short ? in_short : least_short;
        least_long = in_long < least_long ? in_long : least_long;
    }
    return least_long > least_short ? BLOCK * (LONG - SHORT) / (least_long - least_short) : 0;
}

#else

double clock_rate_ghz(void) { return 0; }

#endif
