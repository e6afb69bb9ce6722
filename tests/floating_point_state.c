/* SPDX-License-Identifier: MIT
 *
 * The caller's floating-point control register: no kernel changes it, and a caller that flushes denormals
 * still gets finite results, within the bound wherever they and their inputs are normal.
 */
#include <math.h>
#include <stdlib.h>

#include "workload.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { FLUSHING = 0x8040 /* FTZ, DAZ */, CONTROL = 0xffc0 /* all but the sticky flags */ };

static uint64_t control_register(void) { return _mm_getcsr() & CONTROL; }

static void set_control_register(uint64_t value) { _mm_setcsr((unsigned)value); }
#elif defined(__aarch64__)
enum { FLUSHING = 1 << 24 /* FZ */ };

static uint64_t control_register(void)
{
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
}

static void set_control_register(uint64_t value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#else
#error "how is the floating-point control register read here?"
#endif

/* Runs the kernel with the given control register and returns what it left there. */
static uint64_t run_under(uint64_t control, const kernel *k, const isa *on, const call *c)
{
    const uint64_t before = control_register();
    set_control_register(control);
    run(k, on, c);
    const uint64_t after = control_register();
    set_control_register(before);
    return after;
}

static void register_stays(const kernel *k, const isa *on)
{
    generator g = {15};
    const uint64_t controls[] = {control_register(), control_register() | FLUSHING};
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t v = 0; v < variant_count(k); v++)
            for (size_t i = 0; i < 2 && is_chosen(k, v + 5 * d, effort(2, 20)); i++) {
                workload w;
                workload_make(&w, k, variant_at(k, v), sl_rows(5, 77), distribution_at(d), &g);
                const uint64_t after = run_under(controls[i], k, on, &w.c);
                workload_free(&w);
                if (after != controls[i])
                    fail_msg("%s/%s: control register was %#llx, is %#llx", k->name, on->name,
                             (unsigned long long)controls[i], (unsigned long long)after);
            }
}

/* Of the inputs: zeros and normal numbers only. */
static bool all_normal(const kernel *k, const void *values, size_t n)
{
    const double least = ldexp(1, k->dtype->min_exp - 1);
    for (size_t i = 0; i < n; i++) {
        const double value = fabs(k->dtype->get(values, i));
        if (value != 0 && !(value >= least && value <= largest_of(k->dtype)))
            return false;
    }
    return true;
}

static void compare(const isa *on, const workload *w, const char *distribution)
{
    const kernel *k = w->k;
    const sl_shape shape = w->c.shape;
    const bool normal =
        all_normal(k, w->x, elements(shape)) && (k->second == NO_SECOND || k->second == CLASS_IDS ||
                                                 all_normal(k, w->second, second_count(k, shape)));
    expectation e;
    expect(k, &w->c, &e);
    for (size_t output = 0; output < OUTPUTS; output++)
        for (size_t i = 0; w->c.out[output] != NULL && i < output_count(k, &w->c, output); i++) {
            const double want = (double)e.want[output][i], got = output_value(k, output, w->c.out[output], i);
            /* qemu flushes f16's denormals, which no CPU does, and bce has a slope of 1e12 at 0 */
            const bool finite = fabs(want) <= largest_of(k->dtype) && (normal || k->dtype->digits != 11);
            /* near the least normal number a result may round to it, or be flushed on its way there */
            const bool judged = normal && fabsl(e.want[output][i]) >= ldexpl(1, k->dtype->min_exp);
            if ((finite && !isfinite(got)) ||
                (judged && !(error_of(k, &w->c, output, i, &e) <= bound_of(k, on, output))))
                fail_msg("%s/%s, %s, %zu columns, output %zu: got %a, want %La", k->name, on->name,
                         distribution, shape.classes, output, got, e.want[output][i]);
        }
    expectation_free(&e);
}

static void flushing_caller(const kernel *k, const isa *on)
{
    generator g = {16};
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t n = 1; n <= 100; n++) {
            if (!is_chosen(k, n + 5 * d, effort(2, 40)))
                continue;
            workload w;
            workload_make(&w, k, variant_at(k, 0), sl_rows(3, n), distribution_at(d), &g);
            run_under(control_register() | FLUSHING, k, on, &w.c);
            compare(on, &w, distribution_at(d)->name);
            workload_free(&w);
        }
}

static bool is_signalling(const sl_ref_dtype *dt, uint64_t bits)
{
    const int fraction = dt->digits - 1;
    const uint64_t all = UINT64_MAX >> (64 - dt->size * 8),
                   infinity = all >> 1 & ~(((uint64_t)1 << fraction) - 1);
    return (bits & all >> 1) > infinity && !(bits >> (fraction - 1) & 1);
}

/* A caller that has asked for signals would get one from whatever works on such a NaN. This one has not: there is none,
 * and what comes out is quiet. */
static void signalling_nan(const kernel *k, const isa *on)
{
    generator g = {17};
    for (size_t v = 0; v < variant_count(k); v++)
        for (size_t n = 1; n <= 70; n++) {
            if (!is_chosen(k, n + 5 * v, effort(2, 20)))
                continue;
            workload w;
            workload_make(&w, k, variant_at(k, v), sl_rows(3, n), distribution_at(1), &g);
            put_nan(k->dtype, w.x, next_below(&g, elements(w.c.shape)), next_below(&g, 2), 1);
            run(k, on, &w.c);
            for (size_t output = 0; output < OUTPUTS; output++)
                for (size_t i = 0; w.c.out[output] != NULL && k->result != STATS_PER_ROW &&
                                   i < output_count(k, &w.c, output);
                     i++) {
                    const uint64_t bits = output_bits(k, output, w.c.out[output], i);
                    const sl_ref_dtype *dt =
                        output_size(k, output) == k->dtype->size ? k->dtype : &sl_ref_dtypes[SL_COUNT_f32];
                    if (is_signalling(dt, bits))
                        fail_msg("%s/%s, %s: output %zu, %zu is the signalling NaN %llx", k->name, on->name,
                                 variant_at(k, v)->name, output, i, (unsigned long long)bits);
                }
            workload_free(&w);
        }
}

int main(void)
{
    const topic topics[] = {
        {.name = "control register stays", .rung = register_stays},
        {.name = "caller flushes denormals", .rung = flushing_caller},
        {.name = "signalling NaN comes out quiet", .rung = signalling_nan},
    };
    return ladder_climb("floating_point_state", topics, sizeof topics / sizeof *topics);
}
