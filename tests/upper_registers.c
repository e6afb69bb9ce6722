/* SPDX-License-Identifier: MIT
 *
 * The upper halves of the registers after a call. SSE code, the caller's or that of libm, runs several times slower while
 * they are in use, and nothing but vzeroupper ends that. So they are clear on every way out of every kernel of every
 * ISA.
 */
#include <stdio.h>
#include <stdlib.h>

#include "assertions.h"

#if defined(__x86_64__)
#include <cpuid.h>

enum { UPPER_HALVES = 4 /* of the ymm registers, in XCR0 and XINUSE */ };

static uint64_t extended_control_register(unsigned index)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

/* Whether the CPU says which registers are in use: xgetbv takes 1 as well, and the system saves what AVX has. */
static bool can_be_seen(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) ||
        !(extended_control_register(0) & UPPER_HALVES))
        return false;
    return __get_cpuid_count(0xd, 1, &a, &b, &c, &d) && a & 4;
}

static bool in_use(void) { return extended_control_register(1) & UPPER_HALVES; }

static void clear(void) { __asm__ volatile("vzeroupper"); }

static void use(void)
{
    __asm__ volatile("vpcmpeqd %%xmm7, %%xmm7, %%xmm7\n\tvinsertf128 $1, %%xmm7, %%ymm7, %%ymm7" ::: "xmm7");
}
#else
static bool can_be_seen(void) { return false; }
static bool in_use(void) { return false; }
static void clear(void) {}
static void use(void) {}
#endif

static void skip_where_unseen(void)
{
    if (can_be_seen())
        return;
    print_message("this CPU does not say which registers are in use (no xgetbv of 1)\n");
    skip();
}

/* What is read here changes with the registers: else no test below would say anything. */
static void it_is_seen(void)
{
    skip_where_unseen();
    use();
    const bool used = in_use();
    clear();
    const bool cleared = !in_use();
    assert_true(used && cleared);
}

static size_t calls_left_in_use, all_calls;

static void check(const kernel *k, const isa *on, const call *c, const char *way)
{
    for (int streams = 0; streams < 2; streams++) {
        next_run_streams(streams);
        clear();
        run(k, on, c);
        const bool used = in_use();
        clear();
        all_calls++;
        calls_left_in_use += used;
        if (used)
            print_error("%s/%s, %zu x %zu x %zu, %s, %s: left in use\n", k->name, on->name, c->shape.outer,
                        c->shape.classes, c->shape.inner, way, streams ? "past the caches" : "in the caches");
    }
}

static void clear_after_calls(const kernel *k, const isa *on)
{
    const sl_shape shapes[] = {
        sl_rows(1, 1),       sl_rows(1, 7),      sl_rows(3, 1),      sl_rows(2, 3),      sl_rows(40, 2),
        sl_rows(100, 10),    sl_rows(33, 32),    sl_rows(1, 33),     sl_rows(5, 33),     sl_rows(17, 40),
        sl_rows(20, 100),    sl_rows(3, 1000),   sl_rows(1, 4100),   sl_rows(2, 9000),   sl_rows(1, 40000),
        sl_axis(2, 5, 3),    sl_axis(2, 10, 16), sl_axis(1, 33, 64), sl_axis(2, 40, 65), sl_axis(1, 100, 128),
        sl_axis(1, 600, 64), sl_axis(1, 3, 200), sl_rows(0, 5),      sl_axis(0, 0, 0),   sl_rows(3, 0),
        sl_axis(0, 4, 7),
    };
    generator g = {k->index};
    const size_t before = calls_left_in_use;
    skip_where_unseen();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t v = 0; v < call_spec_count(k); v++) {
            if (v != 0 && !is_chosen(k, i + 5 * v, effort(2, 10)))
                continue;
            const bool empty = elements(shapes[i]) == 0;
            sl_shape shape = shapes[i];
            if (!takes_shape(k, shape))
                shape = k->one_row ? sl_rows(1, elements(shape)) : sl_rows(rows(shape), shape.classes);
            if (shape.classes == 0 && shape.outer != 0 && is_loss(k)) /* no target is one then */
                continue;
            workload w;
            workload_make(&w, k, call_spec_at(k, v), empty ? sl_rows(3, 1) : shape,
                          distribution_at((i + v) % distribution_count()), &g);
            w.c.shape = shape;
            check(k, on, &w.c, call_spec_at(k, v)->name);
            /* all rows ignored; rows that are NaN; rows of nothing but -inf */
            if (!empty && k->second == CLASS_IDS) {
                for (size_t r = 0; r < rows(shape); r++)
                    ((int64_t *)w.second)[r] = -100;
                w.options.has_ignore_index = true;
                w.options.ignore_index = -100;
                check(k, on, &w.c, "all rows ignored");
                for (size_t r = 0; r < rows(shape); r++)
                    ((int64_t *)w.second)[r] = 0;
            }
            for (size_t e = 0; !empty && e < elements(shape); e++)
                put_bits(k->dtype, w.x, e, UINT64_MAX << (k->dtype->digits - 1)); /* -inf */
            check(k, on, &w.c, "-infinity");
            if (!empty)
                put_nan(k->dtype, w.x, 0, false, 1);
            check(k, on, &w.c, "NaN");
            workload_free(&w);
        }
    if (calls_left_in_use != before)
        fail_msg("%s/%s: %zu calls left the upper halves of the registers in use", k->name, on->name,
                 calls_left_in_use - before);
}

static void count(void)
{
    print_message("%zu of %zu calls left them in use\n", calls_left_in_use, all_calls);
}

int main(void)
{
    const topic topics[] = {
        {.name = "seen", .once = it_is_seen},
        {.name = "clear after calls", .cell = clear_after_calls},
        {.name = "count", .once = count},
    };
    return run_test_matrix("upper_registers", topics, sizeof topics / sizeof *topics);
}
