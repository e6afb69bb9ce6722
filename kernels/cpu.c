/* SPDX-License-Identifier: MIT
 *
 * CPU features, one by one, by the names that the compiler's target option uses. No feature is ever taken to
 * imply another. On x86 cpuid tells what the CPU has, and XCR0 which registers the OS saves. Asked here and not
 * through __builtin_cpu_supports, which links a constructor of libgcc into every program. On AArch64 Linux tells.
 */
#include "cpu.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* feature; leaf, register and bit of cpuid; the registers that the OS must save for it */
#define FEATURES(X)                                                                                          \
    X(sse2, 1, edx, 26, xmm)                                                                                 \
    X(popcnt, 1, ecx, 23, xmm)                                                                               \
    X(fma, 1, ecx, 12, ymm)                                                                                  \
    X(f16c, 1, ecx, 29, ymm)                                                                                 \
    X(avx2, 7, ebx, 5, ymm)                                                                                  \
    X(avx512f, 7, ebx, 16, zmm)                                                                              \
    X(avx512dq, 7, ebx, 17, zmm)                                                                             \
    X(avx512bw, 7, ebx, 30, zmm)                                                                             \
    X(avx512vl, 7, ebx, 31, zmm)

/* Their bits in XCR0. */
enum {
    STATE_xmm = 0, /* every OS that runs code of this compiler saves them */
    STATE_ymm = 0x06,
    STATE_zmm = 0xe6,
};

static bool os_saves(unsigned state)
{
    const unsigned osxsave_and_avx = 1u << 27 | 1u << 28;
    unsigned eax, ebx, ecx, edx;
    if (state == 0)
        return true;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & osxsave_and_avx) != osxsave_and_avx)
        return false;
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return (eax & state) == state;
}

static const char *lacks(const char *name, size_t length)
{
    unsigned eax, ebx, ecx, edx;
#define X(feature, leaf, reg, bit, registers)                                                                \
    if (length == sizeof #feature - 1 && memcmp(name, #feature, length) == 0) {                              \
        if (!__get_cpuid_count(leaf, 0, &eax, &ebx, &ecx, &edx) || !(reg >> bit & 1))                        \
            return "the CPU lacks " #feature;                                                                \
        return os_saves(STATE_##registers) ? NULL : "the OS does not save " #registers " state";             \
    }
    FEATURES(X)
#undef X
    return "the CPU lacks a feature that softlane cannot ask for";
}
#undef FEATURES

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#include <sys/prctl.h>

/* feature; bit of AT_HWCAP in the Linux arm64 ABI */
#define FEATURES(X)                                                                                          \
    X(asimd, 1)                                                                                              \
    X(sve, 22)

/* feature; the length of SVE's vectors, in bytes: of this thread, whose it is to change. Asked where there is SVE. */
#define LENGTHS(X)                                                                                           \
    X(vl128, 16)                                                                                             \
    X(vl256, 32)                                                                                             \
    X(vl512, 64)

/* The lengths that the architecture allows. */
#define SAY_OTHER(is, wanted)                                                                                \
    case is:                                                                                                 \
        return "the vector length is " #is " bytes, not " #wanted;
#define SAY_OTHERS(wanted)                                                                                   \
    SAY_OTHER(16, wanted)                                                                                    \
    SAY_OTHER(32, wanted)                                                                                    \
    SAY_OTHER(48, wanted)                                                                                    \
    SAY_OTHER(64, wanted)                                                                                    \
    SAY_OTHER(80, wanted)                                                                                    \
    SAY_OTHER(96, wanted)                                                                                    \
    SAY_OTHER(112, wanted)                                                                                   \
    SAY_OTHER(128, wanted)                                                                                   \
    SAY_OTHER(144, wanted)                                                                                   \
    SAY_OTHER(160, wanted)                                                                                   \
    SAY_OTHER(176, wanted)                                                                                   \
    SAY_OTHER(192, wanted)                                                                                   \
    SAY_OTHER(208, wanted)                                                                                   \
    SAY_OTHER(224, wanted)                                                                                   \
    SAY_OTHER(240, wanted)                                                                                   \
    SAY_OTHER(256, wanted)

static const char *lacks(const char *name, size_t length)
{
#define X(feature, bit)                                                                                      \
    if (length == sizeof #feature - 1 && memcmp(name, #feature, length) == 0)                                \
        return getauxval(AT_HWCAP) >> bit & 1 ? NULL : "the CPU lacks " #feature;
    FEATURES(X)
#undef X
#define X(feature, bytes)                                                                                    \
    if (length == sizeof #feature - 1 && memcmp(name, #feature, length) == 0) {                              \
        const int is = prctl(PR_SVE_GET_VL) & PR_SVE_VL_LEN_MASK;                                            \
        if (is == bytes)                                                                                     \
            return NULL;                                                                                     \
        switch (is) {                                                                                        \
            SAY_OTHERS(bytes)                                                                                \
        }                                                                                                    \
        return "the vector length is not " #bytes " bytes";                                                  \
    }
    LENGTHS(X)
#undef X
    return "the CPU lacks a feature that softlane cannot ask for";
}
#undef FEATURES
#undef LENGTHS
#undef SAY_OTHER
#undef SAY_OTHERS

#elif defined(__aarch64__)
static const char *lacks(const char *name, size_t length)
{
    if (length == 5 && memcmp(name, "asimd", 5) == 0)
        return NULL; /* mandatory in every other AArch64 system */
    return "the CPU lacks a feature that softlane cannot ask for";
}

#elif defined(__riscv) && defined(__linux__)
#include <sys/auxv.h>

/* 0 where there are no vectors, and no register to read. It is named by its number: assemblers know its name only where they may
 * use vectors. */
static unsigned long bytes_of_a_vector(void)
{
    const unsigned long hwcap_v = 1ul << ('V' - 'A'); /* COMPAT_HWCAP_ISA_V of the Linux riscv ABI */
    unsigned long vlenb = 0;
    if (getauxval(AT_HWCAP) & hwcap_v)
        __asm__ volatile("csrr %0, 0xc22" : "=r"(vlenb));
    return vlenb;
}

static const char *lacks(const char *name, size_t length)
{
    const unsigned long bytes = bytes_of_a_vector();
    if (length == 1 && *name == 'v')
        return bytes ? NULL : "the CPU lacks v";
    if (length == 7 && memcmp(name, "vlen256", 7) == 0)
        switch (bytes) {
        case 16:
            return "the vector length is 16 bytes, not 32";
        case 32:
            return NULL;
        case 64:
            return "the vector length is 64 bytes, not 32";
        case 128:
            return "the vector length is 128 bytes, not 32";
        default:
            return "the vector length is not 32 bytes";
        }
    return "the CPU lacks a feature that softlane cannot ask for";
}

#elif defined(__wasm__)
/* There is nobody to ask: an engine that lacks an instruction refuses the module that has it. */
static const char *lacks(const char *name, size_t length)
{
    return length == 7 && memcmp(name, "simd128", 7) == 0
               ? NULL
               : "the CPU lacks a feature that softlane cannot ask for";
}

#else
static const char *lacks(const char *name, size_t length)
{
    (void)name;
    (void)length;
    return "the CPU lacks a feature that softlane cannot ask for";
}
#endif

const char *sl_cpu_lacks(const char *features)
{
    for (const char *name = features; *name;) {
        size_t length = strcspn(name, ",");
        const char *why = lacks(name, length);
        if (why)
            return why;
        name += length + (name[length] == ',');
    }
    return NULL;
}
