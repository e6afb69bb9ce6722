/* SPDX-License-Identifier: MIT
 *
 * The caller's floating-point control register: no kernel changes it, and a caller that flushes denormals
 * still gets finite results, within the bound wherever they and their inputs are normal.
 */
#include <float.h>
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
        for (size_t v = 0; variant_name(k, v) != NULL; v++)
            for (size_t i = 0; i < 2; i++) {
                workload w;
                workload_make(&w, k, v, sl_rows(5, 77), distribution_at(d), &g);
                const uint64_t after = run_under(controls[i], k, on, &w.c);
                workload_free(&w);
                if (after != controls[i])
                    fail_msg("%s/f32/%s: control register was %#llx, is %#llx", k->name, on->name,
                             (unsigned long long)controls[i], (unsigned long long)after);
            }
}

static void flushing_caller(const kernel *k, const isa *on)
{
    generator g = {16};
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t n = 1; n <= 100; n += effort(1, 7)) {
            workload w;
            workload_make(&w, k, 0, sl_rows(3, n), distribution_at(d), &g);
            const size_t outputs = k->outputs(&w.c);
            double *want = allocate(outputs, sizeof *want), *scale = allocate(outputs, sizeof *scale);
            bool normal = true;
            for (size_t i = 0; i < elements(w.c.shape); i++)
                normal = normal && (w.x[i] == 0 || isnormal(w.x[i]));
            run_under(control_register() | FLUSHING, k, on, &w.c);
            k->reference(&w.c, want, scale);
            for (size_t i = 0; i < outputs; i++) {
                const float got = w.c.y[i];
                if (fabs(want[i]) <= FLT_MAX && !isfinite(got))
                    fail_msg("%s/f32/%s, %s, %zu columns: got %a, want %a", k->name, on->name,
                             distribution_at(d)->name, n, got, want[i]);
                /* near the least normal number a result may round to it, or be flushed on its way there */
                if (normal && fabs(want[i]) >= 2 * FLT_MIN &&
                    !(sl_ref_ulp_at_f32(got, want[i], scale[i]) <= k->bound[on->table->fma]))
                    fail_msg("%s/f32/%s, %s, %zu columns: got %a, want %a", k->name, on->name,
                             distribution_at(d)->name, n, got, want[i]);
            }
            free(want);
            free(scale);
            workload_free(&w);
        }
}

int main(void)
{
    const topic topics[] = {
        {.name = "control register stays", .rung = register_stays},
        {.name = "caller flushes denormals", .rung = flushing_caller},
    };
    return ladder_climb("floating_point_state", topics, sizeof topics / sizeof *topics);
}
