/* SPDX-License-Identifier: MIT
 *
 * The ladder that every test climbs: all kernels of kernels.def on all ISAs of isas.def that can run here.
 *
 * A test is written once, against `kernel` and `call`, and says for what it runs (a topic); ladder_climb()
 * makes one cmocka test of it per rung, named "topic: kernel/f32/isa". One adapter per signature class
 * (ladder.c) turns a call into the kernel's own parameters: a row of kernels.def is tested the moment it
 * exists, a new signature does not compile.
 *
 * Environment: SOFTLANE_EXPECT_ISA=avx2 makes every program fail at once unless that variant is the one in
 * use; SOFTLANE_TEST_EFFORT=small asks for fewer and smaller inputs, for emulated CPUs.
 */
#ifndef LADDER_H
#define LADDER_H

/* cmocka.h needs these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference.h"
#include "table.h"

/* --------------------------------------------------------------------------------------------- kernels */

typedef enum { NO_TARGET, CLASS_IDS, PROBABILITIES } target_kind;

/* The parameters of any kernel. */
typedef struct {
    const float *x;
    const void *target;             /* CLASS_IDS: int64_t per row; PROBABILITIES: float per element */
    sl_shape shape;                 /* element-wise kernels: its elements, in a row */
    const sl_loss_options *options; /* losses only */
    float *y;
} call;

typedef struct {
    const char *name;
    size_t index;       /* in kernels[] */
    bool is_map;        /* the output has the input's shape, and may be the input */
    bool by_element;    /* no element depends on another; else the unit is the row */
    target_kind target; /* anything but NO_TARGET is a loss */
    double bound[2];    /* ULP: [0] no-FMA class, [1] FMA class */
    size_t (*outputs)(const call *);
    void (*run)(const sl_kernels *, const call *);
    sl_status (*check_and_run)(const call *); /* the public function */
    void (*reference)(const call *, double *want, double *scale);
} kernel;

extern const kernel kernels[SL_KERNEL_COUNT];

/* The row of a kernel that a test is about: KERNEL(softmax). */
#define KERNEL(name) (&kernels[SL_COUNT_##name])

/* ------------------------------------------------------------------------------------------------ ISAs */

typedef struct {
    const char *name;
    size_t index;            /* for isa_at() */
    const sl_kernels *table; /* NULL where it cannot run */
    const char *why_not;
} isa;

/* The ISAs of the manifest, best first; then, on x86, scalar built with FMA: not in the library, but the
 * definition of the FMA class's bits, which nothing else on that architecture would tie to plain C. */
size_t isa_count(void);
isa isa_at(size_t i);

/* Runs the kernel, and counts it as executed. */
void run(const kernel *k, const isa *on, const call *c);

/* ----------------------------------------------------------------------------------------------- losses */

/* Ways to call a kernel: one for a map; for losses combinations of reduction, weights, smoothing and
 * ignore_index. The first is the plain loss per row or element. Weights are read from `weights`, classes
 * entries each. */
typedef struct {
    const float *class_weight, *pos_weight;
} loss_weights;

/* NULL ends the list: for (size_t v = 0; variant_name(k, v) != NULL; v++) */
const char *variant_name(const kernel *k, size_t v);
sl_loss_options variant_options(const kernel *k, size_t v, loss_weights weights);

/* The target that variants with ignore_index ignore. */
enum { IGNORED_TARGET = -100 };

/* ----------------------------------------------------------------------------------------------- topics */

/* What is tested, and on what: exactly one of rung (a kernel on an ISA), each_isa, each_kernel and once. */
typedef struct {
    const char *name;
    void (*rung)(const kernel *, const isa *);
    void (*each_isa)(const isa *);
    void (*each_kernel)(const kernel *);
    void (*once)(void);
    bool (*applies_to)(const kernel *); /* NULL: to all */
} topic;

bool is_loss(const kernel *k);
bool is_by_element(const kernel *k);

/* Runs the topics as one group of cmocka tests, then says how much of the ladder was executed. The result is main's. */
int ladder_climb(const char *group, const topic *topics, size_t count);

/* `full`, or `small` under SOFTLANE_TEST_EFFORT=small */
size_t effort(size_t full, size_t small);

size_t elements(sl_shape shape);
size_t rows(sl_shape shape);

/* malloc that fails the test instead of returning NULL. */
void *allocate(size_t count, size_t size);

#endif
