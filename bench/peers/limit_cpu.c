/* SPDX-License-Identifier: MIT
 *
 * Makes the CPU look narrower to the programs that it is preloaded into, so that a peer which chooses its code by CPUID and
 * has no variable to limit it (XNNPACK, ONNX Runtime) takes that of the level: the CPU is asked to fault on CPUID, and the
 * fault is answered with what it says, less the features above SOFTLANE_LEVEL (avx2 or sse2). Needs an x86-64 CPU with
 * CPUID faulting, on Linux; elsewhere a program that was preloaded ends with LIMIT_IMPOSSIBLE before its main.
 */
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { LIMIT_IMPOSSIBLE = 77, EAX = 0, EBX, ECX, EDX };

/* Features that are taken away, of one leaf and register of CPUID. Those of AVX-512 and AMX; those of AVX and FMA, too, which
 * leaves SSE4.2: no library has anything of its own below. */
static const struct {
    uint32_t leaf, subleaf;
    int reg;
    uint32_t above_avx2, above_sse;
} features[] = {
    {1, 0, ECX, 0, 1u << 12 | 1u << 28 | 1u << 29}, /* FMA, AVX, F16C */
    {7, 0, EBX, 1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31,
     1u << 5 /* AVX2 */},
    {7, 0, ECX, 1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14,
     1u << 9 | 1u << 10 /* VAES, VPCLMULQDQ */},
    {7, 0, EDX, 1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25, 0},
    {7, 1, EAX, 1u << 5 | 1u << 21, 1u << 4 | 1u << 23 /* AVX-VNNI, AVX-IFMA */},
    {7, 1, EDX, 1u << 8 | 1u << 19 /* AMX-COMPLEX, AVX10 */, 1u << 4 | 1u << 5 | 1u << 10},
};

static int is_sse;

static long fault_on_cpuid(int fault) { return syscall(SYS_arch_prctl, ARCH_SET_CPUID, !fault); }

static void answer(int signal_number, siginfo_t *info, void *context)
{
    static const unsigned char cpuid[] = {0x0f, 0xa2};
    greg_t *of = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (info->si_code != SI_KERNEL || memcmp((const void *)of[REG_RIP], cpuid, sizeof cpuid) != 0) {
        signal(signal_number, SIG_DFL); /* another fault: it comes again */
        return;
    }
    const uint32_t leaf = (uint32_t)of[REG_RAX], subleaf = (uint32_t)of[REG_RCX];
    uint32_t reg[4];
    fault_on_cpuid(0);
    __asm__ volatile("cpuid"
                     : "=a"(reg[EAX]), "=b"(reg[EBX]), "=c"(reg[ECX]), "=d"(reg[EDX])
                     : "a"(leaf), "c"(subleaf));
    fault_on_cpuid(1);
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (features[i].leaf == leaf && (leaf == 1 || features[i].subleaf == subleaf))
            reg[features[i].reg] &= ~(features[i].above_avx2 | (is_sse ? features[i].above_sse : 0));
    of[REG_RAX] = reg[EAX], of[REG_RBX] = reg[EBX], of[REG_RCX] = reg[ECX], of[REG_RDX] = reg[EDX];
    of[REG_RIP] += (greg_t)sizeof cpuid;
}

__attribute__((constructor)) static void limit(void)
{
    const char *level = getenv("SOFTLANE_LEVEL");
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    is_sse = level && strcmp(level, "sse2") == 0;
    if (!level || sigaction(SIGSEGV, &action, NULL) != 0 || fault_on_cpuid(1) != 0)
        _exit(LIMIT_IMPOSSIBLE);
}
