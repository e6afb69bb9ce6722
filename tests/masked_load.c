/* SPDX-License-Identifier: MIT
 *
 * See masked_load.h. The instruction itself is asked, not the kernels: their own faults must stay failures.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "masked_load.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx"))) static void load_nothing(const float *from)
{
    static const volatile int no_lane = 0; /* that the compiler does not know */
    volatile __m256 lanes = _mm256_maskload_ps(from, _mm256_set1_epi32(no_lane));
    (void)lanes;
}

static void end_child(int signal)
{
    (void)signal;
    _exit(1);
}

static bool masked_loads_fault(void)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    float *page = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, end_child);
        load_nothing(page);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    munmap(page, size);
    return status != 0;
}

void skip_where_masked_loads_fault(const isa *on)
{
    if (strcmp(on->name, "avx2") != 0 || !masked_loads_fault())
        return;
    printf("skipped: masked loads of this emulator touch what their mask leaves out\n");
    skip();
}
#else
void skip_where_masked_loads_fault(const isa *on) { (void)on; }
#endif
