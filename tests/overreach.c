/* SPDX-License-Identifier: MIT
 *
 * See overreach.h. The instruction itself is asked, not the kernels: their own faults must stay failures.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "overreach.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both load what lies before `end`, and nothing else. */
typedef void loads(const float *end);

__attribute__((target("avx"))) static void masked_load(const float *end)
{
    static const volatile int no_lane = 0; /* that the compiler does not know */
    volatile __m256 lanes = _mm256_maskload_ps(end, _mm256_set1_epi32(no_lane));
    (void)lanes;
}

__attribute__((target("fma"))) static void fused_load(const float *end)
{
    __m128 a = _mm_setzero_ps();
    __asm__ volatile("vfmadd132ss %1, %0, %0" : "+x"(a) : "m"(end[-1]));
}

static void end_child(int signal)
{
    (void)signal;
    _exit(1);
}

static bool faults(loads *load)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + size, size, PROT_NONE), 0);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, end_child);
        load((const float *)(pages + size));
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    munmap(pages, 2 * size);
    return status != 0;
}

void skip_where_loads_overreach(const isa *on)
{
    static const struct {
        const char *isa;
        loads *load;
    } probes[] = {{"avx2", masked_load}, {"scalar+fma", fused_load}};
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        if (strcmp(on->name, probes[i].isa) == 0 && faults(probes[i].load)) {
            printf("skipped: loads of this emulator touch what they do not load\n");
            skip();
        }
}
#else
void skip_where_loads_overreach(const isa *on) { (void)on; }
#endif
