/* SPDX-License-Identifier: MIT
 *
 * The caller's floating-point environment. No kernel changes the control register; a caller that flushes denormals
 * still gets finite results, within the bound wherever they and their inputs are normal; and one that lets exceptions
 * trap is not interrupted by finite inputs with finite results.
 */
#define _GNU_SOURCE /* feenableexcept */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

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
#elif defined(__riscv)
enum { FLUSHING = 0 /* which RISC-V does not know */ };

static uint64_t control_register(void)
{
    uint64_t value;
    __asm__ volatile("frrm %0" : "=r"(value));
    return value;
}

static void set_control_register(uint64_t value) { __asm__ volatile("fsrm %0" : : "r"(value)); }
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
        for (size_t v = 0; v < call_spec_count(k); v++)
            for (size_t i = 0; i < 2 && is_chosen(k, v + 5 * d, effort(2, 20)); i++) {
                workload w;
                workload_make(&w, k, call_spec_at(k, v), sl_rows(5, 77), distribution_at(d), &g);
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
        all_normal(k, w->x, elements(shape)) &&
        (k->second == NO_SECOND || second_is_ids(k) || all_normal(k, w->second, second_count(k, shape)));
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
                (judged && !(error_of(k, &w->c, output, i, &e) <= bound_of(k, on->table, output))))
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
            workload_make(&w, k, call_spec_at(k, 0), sl_rows(3, n), distribution_at(d), &g);
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
    for (size_t v = 0; v < call_spec_count(k); v++)
        for (size_t n = 1; n <= 70; n++) {
            if (!is_chosen(k, n + 5 * v, effort(2, 20)))
                continue;
            workload w;
            workload_make(&w, k, call_spec_at(k, v), sl_rows(3, n), distribution_at(1), &g);
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
                                 call_spec_at(k, v)->name, output, i, (unsigned long long)bits);
                }
            workload_free(&w);
        }
}

/* In another rounding direction no bound is promised, but probabilities are numbers from 0 to 1 as near as it goes: a zero
 * may be -0, or the largest number below. */
static bool gives_probabilities(const kernel *k)
{
    return k->row == SL_COUNT_softmax || k->row == SL_COUNT_softmax_safe || k->row == SL_COUNT_sigmoid ||
           k->row == SL_COUNT_sigmoid_fast || k->row == SL_COUNT_sigmoid_exact;
}

static void other_directions(const kernel *k, const isa *on)
{
    static const int directions[] = {FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    const double least = ldexp(1, k->dtype->min_exp - k->dtype->digits);
    generator g = {21};
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t n = 1; n <= 100; n++) {
            if (!is_chosen(k, n + 5 * d, effort(10, 40)))
                continue;
            workload w;
            workload_make(&w, k, call_spec_at(k, 0), sl_rows(3, n), distribution_at(d), &g);
            for (size_t m = 0; m < sizeof directions / sizeof *directions; m++) {
                fesetround(directions[m]);
                run(k, on, &w.c);
                fesetround(FE_TONEAREST);
                for (size_t i = 0; i < 3 * n; i++) {
                    const double got = output_value(k, RESULT, w.c.out[RESULT], i);
                    if (!isnan(got) && !(got >= -least && got <= 1 + 0x1p-6))
                        fail_msg("%s/%s, %s, %zu columns, direction %zu: got %a", k->name, on->name,
                                 distribution_at(d)->name, n, m, got);
                }
            }
            workload_free(&w);
        }
}

/* ---- exceptions ---- */

enum { NEVER = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW };

/* Rows that are far from each other, wide and narrow, and reach the ends of the range: each is read in a frame that was
 * guessed from another, and may have elements that do not count beside any others. */
static void fill_directed(const sl_ref_dtype *dt, generator *g, void *x, sl_shape shape)
{
    static const double bases[] = {0,     0,    0,     20,   -60,   46.9,    88,      -128.7,
                                   130.4, 700,  -700,  4000, 8190,  8200,    -9e3,    -300,
                                   1e6,   1e20, -1e20, 1e37, 1e200, DBL_MAX, -DBL_MAX};
    static const double spreads[] = {0, 1, 1, 10, 50, 128, 140, 400, 1500, 1e4, 1e19, 1e30, DBL_MAX};
    const double largest = largest_of(dt);
    for (size_t r = 0; r < rows(shape); r++) {
        const double base = bases[next_below(g, sizeof bases / sizeof *bases)];
        const double spread = spreads[next_below(g, sizeof spreads / sizeof *spreads)];
        const bool has_ends = next_below(g, 4) == 0;
        for (size_t c = 0; c < shape.classes; c++) {
            double value = fmax(-largest, fmin(largest, base));
            value += fmin(largest, spread) * (1 - 2 * next_uniform(g));
            if (has_ends && next_below(g, 8) == 0)
                value = next_below(g, 2) ? largest : -largest;
            dt->put(x, element_at(shape, r, c), fmax(-largest, fmin(largest, value)));
        }
    }
}

/* A finite number; or -inf for a class that is masked out. */
static bool is_ordinary(double value) { return isfinite(value) || value == -INFINITY; }

/* Kernels of rows of logits may have some classes masked out. */
static bool takes_masks(const kernel *k)
{
    switch (k->row) {
    case SL_COUNT_softmax:
    case SL_COUNT_softmax_safe:
    case SL_COUNT_log_softmax:
    case SL_COUNT_log_softmax_safe:
    case SL_COUNT_softmax_wide:
    case SL_COUNT_log_softmax_wide:
    case SL_COUNT_logsumexp:
    case SL_COUNT_cross_entropy:
    case SL_COUNT_cross_entropy_soft:
    case SL_COUNT_nll:
    case SL_COUNT_cross_entropy_grad:
        return true;
    case SL_COUNT_softmax_stats:
    case SL_COUNT_softmax_stats_rows:
    case SL_COUNT_softmax_apply:
    case SL_COUNT_cross_entropy_shard_grad:
        return k->dtype->digits <=
               24; /* the sum of f64 logits is compensated, which takes infinities from another */
    default:
        return false;
    }
}

/* All classes but one of each row may be. */
static void mask_out(const kernel *k, generator *g, void *x, sl_shape shape)
{
    for (size_t r = 0; r < rows(shape); r++) {
        const size_t kept = next_below(g, shape.classes);
        for (size_t c = 0; c < shape.classes; c++)
            if (c != kept && next_below(g, 3) == 0)
                k->dtype->put(x, element_at(shape, r, c), -INFINITY);
    }
}

/* Of each row something, and no infinity but of masks. */
static bool has_ordinary_inputs(const workload *w)
{
    const kernel *k = w->k;
    const sl_shape shape = w->c.shape;
    for (size_t r = 0; r < rows(shape); r++) {
        bool any = false;
        for (size_t c = 0; c < shape.classes; c++) {
            const double value = k->dtype->get(w->x, element_at(shape, r, c));
            if (takes_masks(k) ? !is_ordinary(value) : !isfinite(value))
                return false;
            any = any || isfinite(value);
        }
        if (!any)
            return false;
    }
    const size_t others = second_is_ids(k) ? 0 : second_count(k, shape);
    for (size_t i = 0; i < others; i++)
        if (!isfinite(k->dtype->get(w->second, i)))
            return false;
    return true;
}

static bool is_sum_of_logits(const kernel *k, double sum)
{
    return takes_masks(k) ? is_ordinary(sum) : isfinite(sum);
}

static bool has_ordinary_statistics(const kernel *k, const isa *on, const workload *w)
{
    sl_stats *stats = allocate(rows(w->c.shape), sizeof *stats);
    const call c = {.x = w->x, .shape = w->c.shape, .out = {stats}};
    bool finite = true;
    run(sibling(k, SL_COUNT_softmax_stats), on, &c);
    for (size_t r = 0; r < rows(w->c.shape); r++)
        finite = finite && is_sum_of_logits(k, stats[r].logits);
    free(stats);
    return finite;
}

/* Finite, or where a class is masked out what that comes to: -inf in its place, and in the sum of the logits. */
static bool has_ordinary_results(const isa *on, const workload *w)
{
    const kernel *k = w->k;
    const bool is_mean = takes_options(k) && w->options.reduction == SL_MEAN;
    if (is_mean && mean_divisor(w) == 0) /* over nothing, whether it is asked for or not */
        return false;
    if (takes_stats(k) && !has_ordinary_statistics(k, on, w)) /* which the test matrix computes */
        return false;
    for (size_t output = 0; output < OUTPUTS; output++)
        for (size_t i = 0; w->c.out[output] != NULL && i < output_count(k, &w->c, output); i++) {
            const bool is_element =
                output == RESULT && results_per_row(k, w->c.shape) == 0 && !is_loss(k) && takes_masks(k);
            const bool is_masked = is_element && isinf(k->dtype->get(w->x, i));
            if (!isfinite(output_value(k, output, w->c.out[output], i)) && !is_masked)
                return false;
            if (k->result == STATS_PER_ROW &&
                !is_sum_of_logits(k, ((const sl_stats *)w->c.out[output])[i].logits))
                return false;
        }
    return true;
}

static void make_finite(workload *w, const kernel *k, size_t v, size_t d, sl_shape shape, generator *g)
{
    const size_t distributions = distribution_count();
    workload_make(w, k, call_spec_at(k, v), shape, distribution_at(d % distributions), g);
    if (d < distributions)
        return;
    fill_directed(k->dtype, g, w->x, shape);
    if (takes_masks(k) && next_below(g, 2))
        mask_out(k, g, w->x, shape);
    logits_to_input(k, w->x, shape);
    workload_remake_lse(w, g);
}

/* Every case that the two tests below look at. */
static void each_finite(const kernel *k, const isa *on, size_t one_in, void (*check)(const isa *, workload *))
{
    const sl_shape shapes[] = {
        sl_rows(1, 1),      sl_rows(1, 2),       sl_rows(1, 3),     sl_rows(2, 5),     sl_rows(1, 16),
        sl_rows(3, 16),     sl_rows(7, 10),      sl_rows(40, 3),    sl_rows(33, 9),    sl_rows(1, 33),
        sl_rows(5, 33),     sl_rows(3, 40),      sl_rows(19, 70),   sl_rows(1, 257),   sl_rows(3, 1100),
        sl_rows(1, 5000),   sl_axis(2, 3, 5),    sl_axis(1, 33, 8), sl_axis(1, 40, 7), sl_axis(1, 7, 66),
        sl_axis(2, 45, 64), sl_axis(1, 300, 64), sl_rows(2, 9000),
    };
    enum { SHAPES = sizeof shapes / sizeof *shapes, DIRECTED = 12 };
    generator g = {k->index + 18};
    for (size_t i = 0; i < SHAPES; i++)
        for (size_t v = 0; v < call_spec_count(k); v++)
            for (size_t d = 0; d < distribution_count() + DIRECTED; d++) {
                if (!takes_shape(k, shapes[i]) ||
                    !is_chosen(k, i + 7 * v + 3 * d, elements(shapes[i]) > 2000 ? 8 * one_in : one_in))
                    continue;
                workload w;
                make_finite(&w, k, v, d, shapes[i], &g);
                if (has_ordinary_inputs(&w))
                    check(on, &w);
                workload_free(&w);
            }
}

static void fail_with(const isa *on, const workload *w, const char *what)
{
    const sl_shape s = w->c.shape;
    const double first = w->k->dtype->get(w->x, 0);
    fail_msg("%s/%s, %zu x %zu x %zu, first element %a: %s", w->k->name, on->name, s.outer, s.classes,
             s.inner, first, what);
}

static void check_flags(const isa *on, workload *w)
{
    feclearexcept(FE_ALL_EXCEPT);
    run(w->k, on, &w->c);
    const int raised = fetestexcept(NEVER);
    feclearexcept(FE_ALL_EXCEPT);
    if (raised && has_ordinary_results(on, w))
        fail_with(on, w, raised & FE_INVALID ? "INVALID" : raised & FE_DIVBYZERO ? "DIVBYZERO" : "OVERFLOW");
}

static void no_exception(const kernel *k, const isa *on) { each_finite(k, on, effort(5, 24), check_flags); }

/* The same of a caller whose exceptions trap. */
static sigjmp_buf trapped;

static void catch_trap(int signal_number) { siglongjmp(trapped, signal_number); }

static bool runs_without_trap(const isa *on, workload *w)
{
    bool passes = false;
    if (sigsetjmp(trapped, 1) == 0) {
        feclearexcept(FE_ALL_EXCEPT);
        feenableexcept(NEVER);
        if (on != NULL) {
            run(w->k, on, &w->c);
        } else {
            volatile double zero = 0;
            zero = 1 / zero;
        }
        passes = true;
    }
    fedisableexcept(NEVER);
    feclearexcept(FE_ALL_EXCEPT);
    return passes;
}

static void check_traps(const isa *on, workload *w)
{
    run(w->k, on, &w->c);
    if (has_ordinary_results(on, w) && !runs_without_trap(on, w))
        fail_with(on, w, "trapped");
}

static void no_trap(const kernel *k, const isa *on)
{
    struct sigaction action = {.sa_handler = catch_trap}, before;
    sigaction(SIGFPE, &action, &before);
    const bool traps = !runs_without_trap(NULL, NULL);
    if (traps)
        each_finite(k, on, effort(16, 80), check_traps);
    sigaction(SIGFPE, &before, NULL);
    if (!traps) {
        print_message("exceptions do not trap here\n");
        skip();
    }
}

int main(void)
{
    const topic topics[] = {
        {.name = "control register stays", .cell = register_stays},
        {.name = "caller flushes denormals", .cell = flushing_caller},
        {.name = "signalling NaN comes out quiet", .cell = signalling_nan},
        {.name = "other rounding directions", .cell = other_directions, .applies_to = gives_probabilities},
        {.name = "no exception", .cell = no_exception},
        {.name = "no trap", .cell = no_trap},
    };
    return run_test_matrix("floating_point_state", topics, sizeof topics / sizeof *topics);
}
