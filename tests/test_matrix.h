/* SPDX-License-Identifier: MIT
 *
 * The matrix that every test goes through: all kernels of kernels.def, for all element types of dtypes.def, on all
 * ISAs of isas.def that can run here.
 *
 * A test is written once, against `kernel` and `call`, and says for what it runs (a topic); run_test_matrix()
 * makes one cmocka test of it per cell, named "topic: kernel/dtype/isa". Kernels, calls and the oracle are those of
 * harness/, so a row of kernels.def or dtypes.def is tested the moment it exists.
 *
 * Environment: SOFTLANE_EXPECT_ISA=avx2 makes every program fail at once unless that variant is the one in
 * use; SOFTLANE_TEST_EFFORT=small asks for fewer and smaller inputs, for emulated CPUs; SOFTLANE_TEST_ISA=avx2 leaves
 * out the cells of all other variants, which then only serve for comparison; SOFTLANE_TEST_PART=1/2 takes every
 * second cell, 2/2 the others, so that two cores have something to do.
 */
#ifndef TEST_MATRIX_H
#define TEST_MATRIX_H

/* cmocka.h needs these four before it; the one in stand_in/ none of them. */
#ifndef __wasm__ /* which has no setjmp */
#include <setjmp.h>
#endif
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expectation.h"
#include "workload.h"

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

/* Whether SOFTLANE_TEST_ISA lets it be tested. */
bool is_asked_for(const isa *on);

/* Runs the kernel, and counts it as executed. Every other time as if its output exceeded the caches: this time or not. */
void next_run_streams(bool streams);
void run(const kernel *k, const isa *on, const call *c);

/* ----------------------------------------------------------------------------------------------- losses */

/* One way for most kernels; for losses a list in which every option occurs, alone and with others, with
 * either output and with both. The first is plain: both outputs, one loss per row or element. */
size_t call_spec_count(const kernel *k);
const call_spec *call_spec_at(const kernel *k, size_t i);

/* ----------------------------------------------------------------------------------------------- topics */

/* What is tested, and on what: exactly one of cell (a kernel on an ISA), each_isa, each_kernel and once. */
typedef struct {
    const char *name;
    bool bits_tell; /* little effort where a better ISA of the same class of bits goes through all of it */
    void (*cell)(const kernel *, const isa *);
    void (*each_isa)(const isa *);
    void (*each_kernel)(const kernel *);
    void (*once)(void);
    bool (*applies_to)(const kernel *); /* NULL: to all */
} topic;

/* Runs the topics as one group of cmocka tests, then says how much of the matrix was executed. The result is
 * main's. */
int run_test_matrix(const char *group, const topic *topics, size_t count);

/* `full`; or `small`, under SOFTLANE_TEST_EFFORT=small and where the bits tell */
size_t effort(size_t full, size_t small);

/* Element types share the work: all of it is for f32, a third for f64, a sixth for types that are storage.
 * share() is effort() divided by that; is_chosen() is for walks through cases: whether i is among those to be
 * run, one in `one_in` for f32, others for other kernels. */
size_t share(const kernel *k, size_t full, size_t small);
bool is_chosen(const kernel *k, size_t i, size_t one_in);

#endif
