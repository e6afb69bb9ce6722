/* SPDX-License-Identifier: MIT
 *
 * Short rows, transposed: SL_W of them at once, class c of row l at transposed[c * SL_W + l], by blocks of four classes. The
 * last block may overlap the one before; with less than four classes each reaches into the next row.
 */
#ifndef SL_SCHEDULE_TRANSPOSE_H
#define SL_SCHEDULE_TRANSPOSE_H

#include "schedule/parts.h"

/* Short rows from where they lie into `flat`, one after the other; 0 behind. Those from `rows` on are not read, nor those that are
 * not live, unless live is NULL. */
SL_NOINLINE void gather_rows(const T *x, size_t classes, size_t pitch, size_t rows, const num *live,
                             num flat[SL_SHORT * SL_W])
{
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++)
        for (size_t i = 0; i < classes;
             i += SL_W) { /* what is stored beyond a row is overwritten by the next */
            int reads = l < rows && (!live || live[l] != 0);
            reg a = reads ? load_some(x + l * pitch + i, classes - i, 0) : c_set1(0);
            c_store(flat + l * classes + i, a);
        }
    for (size_t i = SL_W * classes; i < SL_W * classes + left(4, classes); i++)
        flat[i] = 0;
}

/* The same back. */
SL_NOINLINE void scatter_rows(const num *flat, size_t classes, size_t rows, T *y, size_t pitch)
{
    SL_ROLLED
    for (size_t l = 0; l < rows; l++)
        for (size_t i = 0; i < classes; i += SL_W)
            store_some(y + l * pitch + i, c_load(flat + l * classes + i), classes - i);
}

/* Whether blocks of four of SL_W rows are read and written where these lie: as numbers of the arithmetic's own type, and without
 * what may be between rows. Else they are in `flat`. */
SL_INLINE int are_flat(size_t classes, size_t pitch)
{
    return sizeof(T) == sizeof(num) && (pitch == classes || classes >= 4);
}

/* From row to row, there or in `flat`. */
SL_INLINE size_t flat_pitch(size_t classes, size_t pitch)
{
    return are_flat(classes, pitch) ? pitch : classes;
}

/* SL_W rows, to be transposed. */
typedef struct {
    const num *x;
    size_t classes, pitch;
} flat_rows;

SL_INLINE flat_rows load_flat(const T *x, size_t classes, size_t pitch, num flat[SL_SHORT * SL_W])
{
    if (pitch == classes)
        for (size_t line = 0; line < classes * SL_W * sizeof *x; line += SL_LINE)
            __builtin_prefetch((const char *)x + PREFETCH_BYTES + line, 0, 2);
    if (are_flat(classes, pitch))
        return (flat_rows){(const num *)(const void *)x, classes, pitch};
    if (pitch != classes)
        gather_rows(x, classes, pitch, SL_W, NULL, flat);
    else
        for (size_t i = 0; i < classes; i++)
            c_store(flat + i * SL_W, load(x + i * SL_W));
    return (flat_rows){flat, classes, classes};
}

/* Where results are put for store_flat(): at once in y, if it can take them. */
SL_INLINE num *flat_results(T *y, size_t classes, size_t pitch, int nontemporal, num flat[SL_SHORT * SL_W])
{
    return are_flat(classes, pitch) && !nontemporal ? (num *)(void *)y : flat;
}

SL_INLINE void store_flat(T *y, size_t classes, size_t pitch, const num *from, int nontemporal)
{
    if ((const void *)from == (const void *)y)
        return;
    if (pitch != classes) {
        scatter_rows(from, classes, SL_W, y, pitch);
        return;
    }
    size_t i = 0;
    if (nontemporal && (uintptr_t)y % (2 * SL_W * sizeof *y)) { /* behind an odd number of registers */
        stream(y, c_load(from));
        i = 1;
    }
    for (; i + 2 <= classes; i += 2) {
        reg two[2] = {c_load(from + i * SL_W), c_load(from + (i + 1) * SL_W)};
        in_two(two);
        put_two(y + i * SL_W, two, nontemporal);
    }
    if (i < classes)
        put(y + i * SL_W, c_load(from + i * SL_W), nontemporal);
}

/* Whether all rows of y can be put by whole registers past the caches. */
SL_INLINE int short_rows_nontemporal(const T *y, sl_shape s)
{
    return use_nontemporal(y, s.outer * s.classes) && elements_to_line(y) == 0 && pitch_out(s) == s.classes;
}

/* Where the block of class c starts. */
SL_INLINE size_t block4_at(size_t c, size_t classes) { return classes < 4 ? 0 : least(c, classes - 4); }

/* Class c of row l at transposed[c * SL_W + l]. */
SL_INLINE void transpose(flat_rows rows, T *transposed)
{
    reg q[4];
    if (rows.classes < 4) {
        c_load_transposed(rows.x, rows.pitch, q);
        for (size_t k = 0; k < rows.classes; k++)
            store(transposed + k * SL_W, q[k]);
        return;
    }
    for (size_t c = 0; c < rows.classes; c += 4) {
        size_t at = block4_at(c, rows.classes);
        c_load_transposed(rows.x + at, rows.pitch, q);
        SL_UNROLL
        for (size_t k = 0; k < 4; k++)
            store(transposed + (at + k) * SL_W, q[k]);
    }
}

/* Back into rows of less than four classes: each row's copy ends in the next one, which comes after it. */
SL_INLINE void store_few(const reg q[4], size_t classes, num *y)
{
    if (classes == 1) {
        c_store(y, q[0]);
        return;
    }
    num rows[4 * SL_W];
    c_store_transposed(rows, 4, q);
    SL_ROLLED
    for (size_t l = 0; l + 1 < SL_W; l++)
        memcpy(y + l * classes, rows + 4 * l, 4 * sizeof *y);
    num *last = y + (SL_W - 1) * classes;
    memcpy(last, rows + 4 * (SL_W - 1), 2 * sizeof *y);
    if (classes > 2)
        last[2] = rows[4 * SL_W - 2];
}

SL_INLINE void transpose_back(const T *transposed, size_t classes, num *y, size_t pitch)
{
    reg q[4];
    if (classes < 4) {
        SL_UNROLL
        for (size_t k = 0; k < 4; k++)
            q[k] = load(transposed + least(k, classes - 1) * SL_W);
        store_few(q, classes, y);
        return;
    }
    for (size_t c = 0; c < classes; c += 4) {
        size_t at = block4_at(c, classes);
        SL_UNROLL
        for (size_t k = 0; k < 4; k++)
            q[k] = load(transposed + (at + k) * SL_W);
        c_store_transposed(y + at, pitch, q);
    }
}

/* The next SL_W of `rows`. Those that are missing, or not live (live may be NULL), become 0 and are not read. Of less than
 * four classes the first elements of the next SL_W rows may be, where there is nothing between the rows. */
SL_NOINLINE void transpose_in(const T *x, size_t classes, size_t pitch, size_t rows, const num *live,
                              T transposed[SL_SHORT * SL_W])
{
    num flat[SL_SHORT * SL_W];
    const flat_rows in_flat = {flat, classes, classes};
    size_t beyond = left(4, classes); /* the last row's end, to where its quad reaches */
    int some = live && (size_t)c_count(c_lt(c_set1(0), c_load(live))) < least(SL_W, rows);
    if (some || (pitch != classes && rows < SL_W)) {
        gather_rows(x, classes, pitch, rows, live, flat);
        transpose(in_flat, transposed);
    } else if (rows >= SL_W && (pitch != classes || beyond == 0 ||
                                ((rows - SL_W) * classes >= beyond && sizeof(T) == sizeof(num)))) {
        transpose(load_flat(x, classes, pitch, flat), transposed);
    } else {
        size_t all = least(SL_W, rows) * classes;
        for (size_t i = 0; i < classes * SL_W + beyond; i += SL_W)
            c_store(flat + i, load_some(x + least(i, all), left(all, i), 0));
        transpose(in_flat, transposed);
    }
}

/* The next SL_W of `rows`, of at least one class. */
SL_NOINLINE void transpose_out(const T transposed[SL_SHORT * SL_W], size_t classes, size_t rows, T *y,
                               size_t pitch, int nontemporal)
{
    num flat[SL_SHORT * SL_W];
    if (rows >= SL_W) {
        num *to = flat_results(y, classes, pitch, nontemporal, flat);
        transpose_back(transposed, classes, to, flat_pitch(classes, pitch));
        store_flat(y, classes, pitch, to, nontemporal);
        return;
    }
    transpose_back(transposed, classes, flat, classes);
    if (pitch != classes) {
        scatter_rows(flat, classes, rows, y, pitch);
        return;
    }
    for (size_t i = 0; i < rows * classes; i += SL_W)
        store_some(y + i, c_load(flat + i), rows * classes - i);
}

#endif
