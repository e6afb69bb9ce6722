/* SPDX-License-Identifier: MIT
 *
 * A strip: neighbouring rows whose elements are neighbours in every class (walk.h). Class c of row l is x[c * step + l], and its
 * result goes to y[c * step_out + l].
 */
#ifndef SL_SCHEDULE_STRIP_H
#define SL_SCHEDULE_STRIP_H

#include "schedule/parts.h"

/* Before a loop over the vectors of a strip, of which wide registers make few. */
#if SL_W > 4
#define SL_UNROLL_VECTORS SL_UNROLL
#else
#define SL_UNROLL_VECTORS SL_ROLLED
#endif

typedef struct {
    const T *x;
    const T *results; /* where results will go, if that is to be prefetched, else NULL */
    size_t classes, step;
    size_t rows; /* a multiple of SL_W, or less than that */
    size_t step_out;
} strip;

/* SL_W transposed rows (transpose.h), whose results are laid out likewise. */
SL_INLINE strip strip_of_transposed(const T *x, size_t classes)
{
    return (strip){x, NULL, classes, SL_W, SL_W, SL_W};
}

/* What a loop over a strip is compiled for. */
typedef struct {
    int whole;       /* whole registers: rows >= SL_W */
    int single;      /* one register */
    int transposed;  /* that, of transposed rows */
    int full;        /* STRIP_ROWS rows */
    int keep;        /* exponentials are kept */
    int numbers;     /* all rows have a sum */
    int plain;       /* nothing but finite products */
    int shifted;     /* every register of rows has a frame of its own, and that may have a shift */
    int nontemporal; /* stores */
} strip_options;

SL_INLINE size_t strip_vectors(const strip *s) { return s->rows < SL_W ? 1 : s->rows / SL_W; }

/* The same, a constant where that is possible. */
SL_INLINE size_t strip_vectors_for(const strip *s, strip_options o)
{
    return o.single || !o.whole ? 1 : o.full ? STRIP_VECTORS : strip_vectors(s);
}

/* From class to class: a constant where that is possible. */
SL_INLINE size_t strip_step(const strip *s, strip_options o) { return o.transposed ? SL_W : s->step; }
SL_INLINE size_t strip_step_out(const strip *s, strip_options o) { return o.transposed ? SL_W : s->step_out; }

SL_INLINE int is_transposed(const strip *s)
{
    return s->step == SL_W && s->step_out == SL_W && s->rows == SL_W;
}

/* The k-th vector of class c. */
SL_INLINE reg strip_load(const strip *s, size_t c, size_t k, strip_options o)
{
    const T *p = s->x + c * strip_step(s, o) + k * SL_W;
    return o.whole ? load(p) : load_n(p, s->rows, 0);
}

SL_INLINE vw strip_load_wide(const strip *s, size_t c, size_t k, strip_options o)
{
    const T *p = s->x + c * strip_step(s, o) + k * SL_W;
    return o.whole ? load_widened(p) : c_widen(load_n(p, s->rows, 0));
}

/* To y. */
SL_INLINE void strip_store(const strip *s, T *y, size_t c, size_t k, reg a, strip_options o)
{
    T *p = y + c * strip_step_out(s, o) + k * SL_W;
    if (o.whole)
        put(p, a, o.nontemporal);
    else
        store_n(p, a, s->rows);
}

/* Class c of the next strip, and of the results: the line at element i. */
SL_INLINE void strip_prefetch_line(const strip *s, size_t c, size_t i)
{
    __builtin_prefetch(s->x + c * s->step + s->rows + i, 0, 2);
    if (s->results)
        __builtin_prefetch(s->results + c * s->step_out + i, 0, 2);
}

SL_INLINE void strip_prefetch(const strip *s, size_t c, strip_options o)
{
    enum { LINE = SL_LINE / sizeof(T) };
    if (o.full) {
        SL_UNROLL
        for (size_t i = 0; i < STRIP_ROWS; i += LINE)
            strip_prefetch_line(s, c, i);
    } else {
        SL_ROLLED
        for (size_t i = 0; i < s->rows; i += LINE)
            strip_prefetch_line(s, c, i);
    }
}

/* The same for one vector. */
SL_INLINE void strip_prefetch_vector(const strip *s, size_t c, size_t k)
{
    prefetch_elements(s->x + c * s->step + s->rows + k * SL_W, SL_W);
    if (s->results)
        prefetch_elements(s->results + c * s->step_out + k * SL_W, SL_W);
}

#endif
