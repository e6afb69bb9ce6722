/* SPDX-License-Identifier: MIT
 *
 * See by_strides.h.
 */
#include "by_strides.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ elements by strides */

/* An array of a shape's elements, and what else lies between the first and the last one. */
typedef struct {
    sl_shape shape;
    sl_strides strides;  /* none is 0 */
    size_t size;         /* bytes of an element */
    char *all, *was;     /* pages, and their bytes before the call */
    size_t bytes, first; /* of all; where the first element is */
} strided;

enum { NAN_BYTE = 0xff, CANARY = 0xa5 };

/* In effect. */
static sl_strides strides_of(sl_shape s, sl_strides given)
{
    const ptrdiff_t classes = given.classes != 0 ? given.classes : (ptrdiff_t)s.inner;
    return (sl_strides){given.outer != 0 ? given.outer : (ptrdiff_t)s.classes * classes, classes};
}

/* Bytes from the first element to element (o, c, i). */
static size_t byte_at(const strided *a, size_t o, size_t c, size_t i)
{
    return (o * (size_t)a->strides.outer + c * (size_t)a->strides.classes + i) * a->size;
}

/* Neighbouring elements: classes of a contiguous row, or the inner ones of a class. */
static bool rows_are_runs(const strided *a) { return a->shape.inner == 1 && a->strides.classes == 1; }
static size_t runs_of_block(const strided *a) { return rows_are_runs(a) ? 1 : a->shape.classes; }
static size_t run_bytes(const strided *a)
{
    return (rows_are_runs(a) ? a->shape.classes : a->shape.inner) * a->size;
}

static size_t span_of(const strided *a)
{
    return byte_at(a, a->shape.outer - 1, a->shape.classes - 1, a->shape.inner);
}

static strided strided_new(sl_shape shape, sl_strides given, size_t size, position p)
{
    const size_t page = page_size();
    strided a = {.shape = shape, .strides = strides_of(shape, given), .size = size};
    a.bytes = (span_of(&a) / page + 3) * page;
    a.first = page + (p == RUNS_END_PAGES ? (page - run_bytes(&a) % page) % page : 0);
    a.all = pages_new(a.bytes);
    a.was = allocate(a.bytes, 1);
    return a;
}

static void strided_free(const strided *a)
{
    pages_free(a->all, a->bytes);
    free(a->was);
}

static void strided_allow(const strided *a, page_access access) { pages_allow(a->all, a->bytes, access); }

/* Between the array's own elements and a dense copy of it. */
static void copy_elements(const strided *a, char *own, char *dense, bool to_dense)
{
    const size_t bytes = run_bytes(a);
    for (size_t o = 0; o < a->shape.outer; o++)
        for (size_t c = 0; c < runs_of_block(a); c++, dense += bytes) {
            char *run = own + a->first + byte_at(a, o, c, 0);
            memcpy(to_dense ? dense : run, to_dense ? run : dense, bytes);
        }
}

/* `beside` in every byte, and the elements of a dense array, unless that is NULL. */
static void strided_fill(const strided *a, int beside, const void *dense)
{
    memset(a->all, beside, a->bytes);
    if (dense != NULL)
        copy_elements(a, a->all, (char *)dense, false);
    memcpy(a->was, a->all, a->bytes);
}

/* Pages without an element become inaccessible. */
static void strided_hide(const strided *a, page_access access)
{
    const size_t page = page_size();
    strided_allow(a, NO_ACCESS);
    for (size_t o = 0; o < a->shape.outer; o++)
        for (size_t c = 0; c < runs_of_block(a); c++) {
            const size_t at = a->first + byte_at(a, o, c, 0), from = at / page * page;
            pages_allow(a->all + from, at + run_bytes(a) - from, access);
        }
}

/* All of the elements, into a dense array; and nothing else has changed. */
static bool strided_collect(const strided *a, void *dense)
{
    copy_elements(a, a->all, dense, true);
    copy_elements(a, a->was, dense, false);
    return memcmp(a->all, a->was, a->bytes) == 0;
}

/* -------------------------------------------------------------------------------------------------- calls */

/* A workload that has been run, and the same elements by strides. */
typedef struct {
    const isa *on;
    const workload *want;
    workload w;
    strided x, second, out;
    size_t output; /* which one goes by strides, OUTPUTS: none */
    position at;
} strided_call;

static bool has_second(const strided_call *s)
{
    return s->want->k->second == DY || s->want->k->second == PROBABILITIES;
}

static void *first_of(const strided *a) { return a->all + a->first; }

static void say(const strided_call *s, const char *what)
{
    const sl_shape shape = s->w.c.shape;
    fail_msg("%s/%s, %zu x %zu x %zu, strides %td, %td in and %td, %td out: %s", s->want->k->name,
             s->on->name, shape.outer, shape.classes, shape.inner, shape.in.outer, shape.in.classes,
             shape.out.outer, shape.out.classes, what);
}

static void check_outputs(strided_call *s, const strided *written, const char *how)
{
    const kernel *k = s->want->k;
    for (size_t output = 0; output < OUTPUTS; output++) {
        if (s->w.c.out[output] == NULL)
            continue;
        const size_t n = output_count(k, &s->want->c, output);
        void *got = s->w.c.out[output];
        if (output == s->output) {
            got = allocate(n, output_size(k, output));
            if (!strided_collect(written, got))
                say(s, "something between the results was written");
        }
        if (first_difference(k, output, s->want->c.out[output], got, n) != n)
            say(s, how);
        if (output == s->output)
            free(got);
    }
}

static void clear_losses(strided_call *s)
{
    if (s->output != RESULT && s->w.c.out[RESULT] != NULL)
        memset(s->w.c.out[RESULT], CANARY,
               output_count(s->want->k, &s->want->c, RESULT) * output_size(s->want->k, RESULT));
}

static void run_by_strides(strided_call *s, const strided *written)
{
    const kernel *k = s->want->k;
    clear_losses(s);
    if (s->at != ANYWHERE) {
        strided_hide(&s->x, written == &s->x ? READ_WRITE : READ_ONLY);
        if (has_second(s))
            strided_hide(&s->second, READ_ONLY);
        if (written == &s->out)
            strided_hide(&s->out, READ_WRITE);
    }
    run(k, s->on, &s->w.c);
    strided_allow(&s->x, READ_WRITE);
    if (has_second(s))
        strided_allow(&s->second, READ_WRITE);
    if (written == &s->out)
        strided_allow(&s->out, READ_WRITE);
}

static void apart(strided_call *s, bool streams)
{
    strided_fill(&s->x, NAN_BYTE, s->want->c.x);
    strided_fill(&s->out, CANARY, NULL);
    s->w.c.x = first_of(&s->x);
    if (s->output != OUTPUTS)
        s->w.c.out[s->output] = first_of(&s->out);
    next_run_streams(streams);
    run_by_strides(s, &s->out);
    check_outputs(s, &s->out, "other bits than dense");
}

static void in_place(strided_call *s)
{
    s->w.c.shape.out = s->w.c.shape.in;
    s->w.c.out[s->output] = first_of(&s->x);
    run_by_strides(s, &s->x);
    check_outputs(s, &s->x, "other bits in place than dense");
}

/* The output that has a value for each element, or OUTPUTS. */
static size_t output_of_elements(const kernel *k)
{
    return !is_loss(k) && k->result == L_PER_ELEMENT ? RESULT : output_like_x(k);
}

void assert_same_by_strides(const isa *on, const workload *want, sl_strides in, sl_strides out, position at)
{
    const kernel *k = want->k;
    const sl_shape shape = want->c.shape;
    const size_t output = output_of_elements(k), size = k->dtype->size;
    strided_call s = {.on = on,
                      .want = want,
                      .output = output != OUTPUTS && want->c.out[output] != NULL ? output : OUTPUTS,
                      .at = at};
    workload_copy(&s.w, want);
    s.w.c.shape.in = in;
    s.w.c.shape.out = out;
    s.x = strided_new(shape, in, size, at);
    s.second = strided_new(shape, in, size, at);
    s.out = strided_new(shape, out, output != OUTPUTS ? output_size(k, output) : size, at);
    if (has_second(&s)) {
        strided_fill(&s.second, NAN_BYTE, want->c.second);
        s.w.c.second = first_of(&s.second);
    }
    void *losses = NULL;
    if (s.output != RESULT && want->c.out[RESULT] != NULL)
        s.w.c.out[RESULT] = losses = allocate(output_count(k, &want->c, RESULT), output_size(k, RESULT));
    apart(&s, false);
    apart(&s, true);
    if (s.output != OUTPUTS && s.output == output_like_x(k))
        in_place(&s);
    free(losses);
    strided_free(&s.x);
    strided_free(&s.second);
    strided_free(&s.out);
}
