/* SPDX-License-Identifier: MIT
 *
 * Two loops, a sum and a copy, over the widest vectors of the machine. The sum is of integers: its additions
 * take one cycle, so that four accumulators keep up with any load unit. A roof is the best of its rounds, not
 * their median: it states what the core can do, and a disturbed round says nothing about that.
 */
#include "roof.h"

#include "spread.h"
#include "threads.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { ROUNDS = 7, UNROLL = 4 };
static const double round_seconds = 0.002;

/* Never inlined: a pass whose result nobody reads would be optimised away. */
#define PASS(...) __attribute__((noinline, ##__VA_ARGS__))

/* Sizes are rounded down to whole steps of UNROLL vectors. */
#define DEFINE_ROOF(suffix, attribute, vector_bytes)                                                         \
    typedef uint32_t vector_##suffix __attribute__((vector_size(vector_bytes), may_alias, aligned(4)));      \
    static attribute void read_##suffix(const float *from, float *to, size_t bytes)                          \
    {                                                                                                        \
        const vector_##suffix *v = (const vector_##suffix *)from;                                            \
        vector_##suffix s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                                              \
        for (size_t i = 0; i + UNROLL <= bytes / vector_bytes; i += UNROLL) {                                \
            s0 += v[i], s1 += v[i + 1], s2 += v[i + 2], s3 += v[i + 3];                                      \
        }                                                                                                    \
        *(vector_##suffix *)to = s0 + s1 + s2 + s3;                                                          \
    }                                                                                                        \
    static attribute void copy_##suffix(const float *from, float *to, size_t bytes)                          \
    {                                                                                                        \
        const vector_##suffix *v = (const vector_##suffix *)from;                                            \
        vector_##suffix *w = (vector_##suffix *)to;                                                          \
        for (size_t i = 0; i + UNROLL <= bytes / 2 / vector_bytes; i += UNROLL) {                            \
            w[i] = v[i], w[i + 1] = v[i + 1], w[i + 2] = v[i + 2], w[i + 3] = v[i + 3];                      \
            /* a barrier, or the compiler calls memcpy, which has its own idea of when to be non-temporal */ \
            __asm__ volatile("" ::: "memory");                                                               \
        }                                                                                                    \
    }

#define DEFINE_STREAM(suffix, attribute, vector_bytes, load, stream)                                         \
    static attribute void stream_##suffix(const float *from, float *to, size_t bytes)                        \
    {                                                                                                        \
        for (size_t i = 0; (i + 1) * vector_bytes <= bytes / 2; i++)                                         \
            stream((void *)(to + i * (vector_bytes / sizeof *to)),                                           \
                   load((const void *)(from + i * (vector_bytes / sizeof *from))));                          \
        _mm_sfence();                                                                                        \
    }

typedef void pass_function(const float *from, float *to, size_t bytes);
struct passes {
    pass_function *read, *copy, *stream; /* stream is NULL where there is no such store */
};

DEFINE_ROOF(16, PASS(), 16)
#if defined(__x86_64__)
#define PASS_32 PASS(target("avx2"))
#define PASS_64 PASS(target("avx512f"))
DEFINE_ROOF(32, PASS_32, 32)
DEFINE_ROOF(64, PASS_64, 64)
DEFINE_STREAM(16, PASS(), 16, _mm_loadu_si128, _mm_stream_si128)
DEFINE_STREAM(32, PASS_32, 32, _mm256_loadu_si256, _mm256_stream_si256)
DEFINE_STREAM(64, PASS_64, 64, _mm512_loadu_si512, _mm512_stream_si512)
#endif

static struct passes widest_passes(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return (struct passes){read_64, copy_64, stream_64};
    if (__builtin_cpu_supports("avx2"))
        return (struct passes){read_32, copy_32, stream_32};
    return (struct passes){read_16, copy_16, stream_16};
#else
    return (struct passes){read_16, copy_16, NULL};
#endif
}

static struct {
    float *source, *destination;
    size_t last_level;
} memory;

void roof_memory(void *source, void *destination, size_t last_level)
{
    memory.source = source;
    memory.destination = destination;
    memory.last_level = last_level;
}

double clock_seconds(unsigned threads)
{
    struct timespec now;
    clock_gettime(threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct part {
    pass_function *pass;
    size_t bytes;
    bool copies;
};

static void run_part(unsigned part, unsigned parts, void *user)
{
    enum { LINE = 64 };
    const struct part *p = user;
    const size_t arrays = p->copies ? 2 : 1;
    const size_t share = p->bytes / arrays / parts / LINE * LINE, first = part * share / sizeof(float);
    float sum[LINE / sizeof(float)];
    p->pass(memory.source + first, p->copies ? memory.destination + first : sum,
            parts == 1 ? p->bytes : share * arrays);
}

/* Seconds of one pass: the best of ROUNDS rounds of at least round_seconds each, and how far all of them lie apart. If
 * that is noise there are as many rounds again, up to AGAIN times. */
static struct roof_time measure(struct part part, unsigned threads)
{
    enum { AGAIN = 2, ALL_ROUNDS = ROUNDS * (1 + AGAIN) };
    double seconds[ALL_ROUNDS];
    struct spread spread = {0};
    size_t passes = 1, round = 0;
    while (round < ALL_ROUNDS) {
        double start = clock_seconds(threads);
        for (size_t i = 0; i < passes; i++)
            threads_run(threads, run_part, &part);
        double taken = clock_seconds(threads) - start;
        if (taken < round_seconds) {
            passes *= 2;
            continue;
        }
        seconds[round++] = taken / (double)passes;
        if (round % ROUNDS == 0) {
            spread = spread_of(seconds, round);
            if (!spread_is_noise(spread))
                break;
        }
    }
    return (struct roof_time){seconds[0], spread.percent}; /* sorted */
}

struct roof_time roof_time(enum roof roof, size_t bytes, unsigned threads)
{
    enum { REMEMBERED = 1024 };
    static struct {
        enum roof roof;
        size_t bytes;
        unsigned threads;
        struct roof_time time;
    } known[REMEMBERED];
    static size_t count;

    for (size_t i = 0; i < count; i++)
        if (known[i].roof == roof && known[i].bytes == bytes && known[i].threads == threads)
            return known[i].time;

    const bool copies = roof == ROOF_COPY;
    struct passes passes = widest_passes();
    struct roof_time time =
        measure((struct part){copies ? passes.copy : passes.read, bytes, copies}, threads);
    if (copies && passes.stream && bytes > memory.last_level) {
        struct roof_time streamed = measure((struct part){passes.stream, bytes, true}, threads);
        time = streamed.seconds < time.seconds ? streamed : time;
    }
    if (count < REMEMBERED) {
        known[count].roof = roof;
        known[count].bytes = bytes;
        known[count].threads = threads;
        known[count].time = time;
        count++;
    }
    return time;
}
