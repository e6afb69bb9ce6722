/* SPDX-License-Identifier: MIT
 *
 * Run by mpirun with any number of ranks. Each case is computed by all ranks together, in several splits, and by each rank for itself,
 * as the one rank of MPI_COMM_SELF: bits must be equal. A hash of all results is printed, which must be the same whatever the number of
 * ranks (tests/run compares). One rank holds losses and gradients to their bounds against the oracle, and counts whose bits are those
 * of sl_cross_entropy. Then everything that can be wrong is wrong on one rank alone: all ranks must say so alike, and write nothing.
 *
 *   test_mpi             all of that
 *   test_mpi --killed    the last rank kills itself before a call
 *   test_mpi --mixed     expects ranks of different classes of bits, and that they are refused
 */
#define _POSIX_C_SOURCE 200809L /* kill, getpid */

#include "reference.h"
#include "softlane_mpi.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int rank, ranks;
static unsigned long long passed, failed;

static void check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void check(bool ok, const char *format, ...)
{
    va_list arguments;
    passed += ok;
    failed += !ok;
    if (ok || failed > 20)
        return;
    fprintf(stderr, "FAILED (rank %d of %d): ", rank, ranks);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);
    if (p == NULL) {
        fprintf(stderr, "no memory\n");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return p;
}

/* ---- MPI's own functions, counted, and made to fail ---- */

static int collectives;
static bool mpi_fails;

/* What fails goes to the error handler of the communicator, which must let it return. */
int MPI_Allreduce(const void *from, void *to, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    collectives++;
    return PMPI_Allreduce(from, to, n, mpi_fails ? MPI_DATATYPE_NULL : type, op, comm);
}

/* ---- the functions of each type ---- */

typedef struct {
    const sl_ref_dtype *dt;
    sl_mpi_status (*split)(sl_mpi_vocabulary *v, const void *x, const int64_t *target, sl_shape shape,
                           const sl_loss_options *o, void *loss, void *grad);
    sl_status (*whole)(const void *x, const int64_t *target, sl_shape shape, const sl_loss_options *o,
                       void *loss, void *grad);
    sl_status (*later)(const void *x, const int64_t *target, sl_shape shape, sl_shard shard,
                       const sl_loss_options *o, const sl_stats *stats, void *grad);
} functions;

#define FUNCTIONS(dt, T, L, unused)                                                                          \
    static sl_mpi_status split_##dt(sl_mpi_vocabulary *v, const void *x, const int64_t *target,              \
                                    sl_shape shape, const sl_loss_options *o, void *loss, void *grad)        \
    {                                                                                                        \
        return sl_mpi_cross_entropy_##dt(v, x, target, shape, o, loss, grad);                                \
    }                                                                                                        \
    static sl_status whole_##dt(const void *x, const int64_t *target, sl_shape shape,                        \
                                const sl_loss_options *o, void *loss, void *grad)                            \
    {                                                                                                        \
        return sl_cross_entropy_##dt(x, target, shape, o, loss, grad);                                       \
    }                                                                                                        \
    static sl_status later_##dt(const void *x, const int64_t *target, sl_shape shape, sl_shard shard,        \
                                const sl_loss_options *o, const sl_stats *stats, void *grad)                 \
    {                                                                                                        \
        return sl_cross_entropy_shard_grad_##dt(x, target, shape, shard, o, stats, grad);                    \
    }
SL_DTYPES(FUNCTIONS, )
#define ROW(name, T, L, unused)                                                                              \
    {.dt = &sl_ref_dtypes[SL_COUNT_##name],                                                                  \
     .split = split_##name,                                                                                  \
     .whole = whole_##name,                                                                                  \
     .later = later_##name},
static const functions all_types[] = {SL_DTYPES(ROW, )};

/* ---- inputs ---- */

static uint64_t state;

static double uniform(void) /* in [0, 1) */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

typedef struct {
    size_t classes, part, rows;
} dimensions;

/* 8, 10 and 65 parts; a part that is shorter; one part; fewer parts than ranks; one row. */
static const dimensions sizes[] = {{1000, 125, 19}, {1000, 100, 19}, {2077, 32, 9}, {50, 64, 9},
                                   {7, 3, 5},       {1, 1, 3},       {300, 50, 1},  {4096, 512, 9}};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Kinds of rows: ordinary; far apart; and special rows, one after the other. */
enum { ORDINARY, WIDE, SPECIAL, KINDS };

static void fill(const functions *f, void *x, int64_t *target, dimensions s, int kind)
{
    for (size_t r = 0; r < s.rows; r++) {
        target[r] = (int64_t)(uniform() * (double)s.classes);
        const double width = kind == WIDE ? 60 : 4, offset = kind == WIDE ? 200 * (uniform() - 0.5) : 0;
        for (size_t c = 0; c < s.classes; c++) {
            const double sum = uniform() + uniform() + uniform() - 1.5;
            f->dt->put(x, r * s.classes + c, offset + width * sum);
        }
        const size_t at = (size_t)(uniform() * (double)s.classes), t = (size_t)target[r];
        const double special[] = {NAN, INFINITY, -INFINITY, 30, -30};
        if (kind == SPECIAL && r % 8 < 5) /* one element */
            f->dt->put(x, r * s.classes + at, special[r % 8]);
        if (kind == SPECIAL && r % 8 == 5) /* the target costs everything */
            f->dt->put(x, r * s.classes + t, -INFINITY);
        for (size_t c = 0; kind == SPECIAL && r % 8 >= 6 && c < s.classes; c++)
            f->dt->put(x, r * s.classes + c, r % 8 == 6 ? -INFINITY : 3); /* masked throughout; all equal */
    }
}

/* ---- options ---- */

typedef struct {
    const char *name;
    sl_reduction reduction;
    double smoothing, z_loss, divisor;
    bool weights, upstream, ignores;
    unsigned flags;
} choice;

static const choice choices[] = {
    {.name = "mean"},
    {.name = "none", .reduction = SL_NONE},
    {.name = "sum, upstream", .reduction = SL_SUM, .upstream = true},
    {.name = "none, upstream, weights", .reduction = SL_NONE, .upstream = true, .weights = true},
    {.name = "mean, weights, ignored rows", .weights = true, .ignores = true},
    {.name = "mean, smoothing", .smoothing = 0.1},
    {.name = "none, smoothing", .reduction = SL_NONE, .smoothing = 0.1},
    {.name = "mean, smoothing, weights, ignored rows", .smoothing = 0.2, .weights = true, .ignores = true},
    {.name = "none, smoothing, weights", .reduction = SL_NONE, .smoothing = 0.2, .weights = true},
    {.name = "none, smoothing 1", .reduction = SL_NONE, .smoothing = 1},
    {.name = "none, z-loss", .reduction = SL_NONE, .z_loss = 1e-3},
    {.name = "mean, divisor, upstream, safe rows",
     .divisor = 1000,
     .upstream = true,
     .ignores = true,
     .flags = SL_SAFE_ROWS},
};
enum { CHOICES = sizeof choices / sizeof *choices, IGNORED = -100 };

/* ---- one case ---- */

typedef struct {
    const functions *f;
    dimensions s;
    int kind;
    const choice *c;
    void *x; /* [rows][classes] */
    int64_t *target;
    void *weight, *upstream;
    sl_loss_options o;
    char text[160];
} cased;

typedef struct {
    void *loss, *lse, *grad; /* grad: [rows][classes of a shard] */
} results;

static size_t losses_of(const cased *k) { return k->c->reduction == SL_NONE ? k->s.rows : 1; }

static results make_results(const cased *k, size_t classes)
{
    return (results){allocate(k->s.rows, k->f->dt->loss_size), allocate(k->s.rows, k->f->dt->loss_size),
                     allocate(k->s.rows * classes, k->f->dt->size)};
}

static void free_results(results *r)
{
    free(r->loss);
    free(r->lse);
    free(r->grad);
}

static cased make_case(const functions *f, dimensions s, int kind, const choice *c)
{
    cased k = {.f = f,
               .s = s,
               .kind = kind,
               .c = c,
               .x = allocate(s.rows * s.classes, f->dt->size),
               .target = allocate(s.rows, sizeof(int64_t)),
               .weight = allocate(s.classes, f->dt->loss_size),
               .upstream = allocate(s.rows, f->dt->loss_size)};
    state = 7 + s.classes + (uint64_t)kind; /* the same on all ranks */
    fill(f, k.x, k.target, s, kind);
    for (size_t i = 0; i < s.classes; i++)
        f->dt->put_loss(k.weight, i, i % 5 == 3 ? 0 : 0.5 + uniform());
    for (size_t r = 0; r < s.rows; r++)
        f->dt->put_loss(k.upstream, r, uniform() - 0.5);
    for (size_t r = 0; c->ignores && r < s.rows; r += 3) {
        k.target[r] = IGNORED;
        for (size_t i = 0; i < s.classes; i++) /* must not be looked at */
            f->dt->put(k.x, r * s.classes + i, NAN);
    }
    k.o = (sl_loss_options){.reduction = c->reduction,
                            .class_weight = c->weights ? k.weight : NULL,
                            .label_smoothing = c->smoothing,
                            .has_ignore_index = c->ignores,
                            .ignore_index = c->ignores ? IGNORED : 0,
                            .upstream = c->upstream ? k.upstream : NULL,
                            .flags = c->flags,
                            .z_loss = c->z_loss,
                            .divisor = c->divisor};
    snprintf(k.text, sizeof k.text, "%s, %zux%zu, parts of %zu, kind %d, %s", f->dt->name, s.rows, s.classes,
             s.part, kind, c->name);
    return k;
}

static void free_case(cased *k)
{
    free(k->x);
    free(k->target);
    free(k->weight);
    free(k->upstream);
}

/* The columns of a shard, rows `pitch` apart; what lies between is `filler`. */
static void *columns_of(const cased *k, sl_mpi_shard own, size_t pitch, unsigned char filler)
{
    const size_t size = k->f->dt->size;
    char *x = allocate(k->s.rows * pitch, size);
    memset(x, filler, k->s.rows * pitch * size);
    for (size_t r = 0; r < k->s.rows && own.classes != 0; r++)
        memcpy(x + r * pitch * size, (char *)k->x + (r * k->s.classes + own.first) * size,
               own.classes * size);
    return x;
}

static sl_mpi_vocabulary *create(MPI_Comm comm, const cased *k, sl_mpi_shard own)
{
    sl_mpi_vocabulary *v;
    const sl_mpi_status status =
        sl_mpi_vocabulary_create(comm, (sl_mpi_layout){k->s.classes, k->s.part, k->s.rows + 2}, own, &v);
    check(status == SL_OK && v != NULL, "%s: create: %s", k->text, sl_mpi_status_string(status));
    return v;
}

/* ---- one rank's answer, against the oracle and beside sl_cross_entropy ---- */

typedef struct {
    double loss, grad; /* largest errors in ULP */
    unsigned long long losses, same_losses, entries, same_entries;
} comparison;
static comparison compared[4];

static bool alike(double a, double b)
{
    return isnan(a) ? isnan(b) != 0 : isinf(a) ? a == b : isfinite(b) != 0;
}

static double *widened(const cased *k)
{
    double *x = allocate(k->s.rows * k->s.classes, sizeof *x);
    for (size_t i = 0; i < k->s.rows * k->s.classes; i++)
        x[i] = k->f->dt->get(k->x, i);
    return x;
}

/* s / classes * sum_c |w_c| (|max| + |x_c|), and what the z-loss adds */
static sl_real scale_of_row(const cased *k, const double *x, sl_real lse)
{
    sl_real most = -INFINITY, farthest = 0, sum = 0;
    for (size_t c = 0; c < k->s.classes; c++) {
        most = fmaxl(most, x[c]);
        farthest = fmaxl(farthest, fabsl((sl_real)x[c]));
    }
    for (size_t c = 0; c < k->s.classes; c++)
        sum += fabsl(fabsl(most) + fabsl((sl_real)x[c])) *
               (k->c->weights ? k->f->dt->get_loss(k->weight, c) : 1);
    return k->c->smoothing / (sl_real)k->s.classes * sum +
           2 * k->c->z_loss * fabsl(lse) * fmaxl(fabsl(lse), farthest);
}

static void compare_with_oracle(const cased *k, const results *got)
{
    const sl_ref_dtype *dt = k->f->dt;
    const bool wide = dt->long_arithmetic;
    const size_t n = k->s.rows * k->s.classes;
    double *x = widened(k), weight[4096], upstream[64];
    for (size_t i = 0; i < k->s.classes; i++)
        weight[i] = dt->get_loss(k->weight, i);
    for (size_t i = 0; i < k->s.rows; i++)
        upstream[i] = dt->get_loss(k->upstream, i);
    sl_real *loss = allocate(k->s.rows, sizeof *loss), *lse = allocate(k->s.rows, sizeof *lse),
            *grad = allocate(n, sizeof *grad), *scale = allocate(n, sizeof *scale);
    const sl_ref_options o = {.reduction = k->o.reduction,
                              .class_weight = k->o.class_weight ? weight : NULL,
                              .label_smoothing = k->o.label_smoothing,
                              .has_ignore_index = k->o.has_ignore_index,
                              .ignore_index = k->o.ignore_index,
                              .upstream = k->o.upstream ? upstream : NULL,
                              .flags = k->o.flags,
                              .z_loss = k->o.z_loss,
                              .divisor = k->o.divisor,
                              .lse = lse};
    const sl_shape shape = sl_rows(k->s.rows, k->s.classes);
    (wide ? sl_ref_cross_entropy_long : sl_ref_cross_entropy_double)(x, k->target, shape, &o, loss, NULL,
                                                                     NULL);
    (wide ? sl_ref_cross_entropy_shard_grad_long
          : sl_ref_cross_entropy_shard_grad_double)(x, k->target, shape, &o, grad, scale);
    const bool fma = sl_isa(NULL)->fma;
    comparison *all = &compared[k->f - all_types];
    for (size_t r = 0; r < losses_of(k); r++) {
        const bool single = k->c->reduction == SL_NONE;
        sl_real unit = fabsl(loss[r]);
        for (size_t i = 0; k->c->smoothing > 0 || k->c->z_loss > 0 ? i < (single ? 1 : k->s.rows) : false;
             i++) {
            const size_t row = single ? r : i;
            if (k->target[row] == IGNORED)
                continue;
            const sl_real of_row = scale_of_row(k, x + row * k->s.classes, lse[row]);
            unit = fmaxl(unit, isfinite((double)of_row) ? of_row : 0);
        }
        const double bound =
            (wide ? 5 : 2) + (k->c->smoothing > 0) + (k->c->weights) + (k->c->z_loss > 0) + (single ? 0 : 1);
        const double value = dt->get_loss(got->loss, r),
                     ulp = sl_ref_ulp(value, loss[r], unit, dt->loss_digits, dt->loss_min_exp);
        check(ulp <= bound, "%s: loss %zu: %g ULP: %a, not %La", k->text, r, ulp, value, loss[r]);
        if (k->c->smoothing == 0 && ulp > all->loss)
            all->loss = ulp;
    }
    for (size_t i = 0; i < n; i++) {
        const double bound = (dt->digits < 24 ? 0.51
                              : wide          ? 7
                              : fma           ? 4.6
                                              : 5.2) +
                             (dt->digits < 24 ? 0 : 2 * (k->c->smoothing > 0) + k->c->weights + 2);
        const double value = dt->get(got->grad, i),
                     ulp = sl_ref_ulp(value, grad[i], scale[i], dt->digits, dt->min_exp);
        check(ulp <= bound, "%s: gradient %zu: %g ULP: %a, not %La", k->text, i, ulp, value, grad[i]);
        if (ulp > all->grad)
            all->grad = ulp;
    }
    free(x);
    free(loss);
    free(lse);
    free(grad);
    free(scale);
}

static void compare_with_library(const cased *k, const results *got)
{
    const sl_ref_dtype *dt = k->f->dt;
    results whole = make_results(k, k->s.classes);
    sl_loss_options o = k->o;
    o.lse = whole.lse;
    comparison *all = &compared[k->f - all_types];
    check(k->f->whole(k->x, k->target, sl_rows(k->s.rows, k->s.classes), &o, whole.loss, whole.grad) == SL_OK,
          "%s: sl_cross_entropy", k->text);
    for (size_t r = 0; r < losses_of(k); r++) {
        const double a = dt->get_loss(got->loss, r), b = dt->get_loss(whole.loss, r);
        check(alike(a, b), "%s: loss %zu is %g, of sl_cross_entropy %g", k->text, r, a, b);
        all->losses++;
        all->same_losses += memcmp((char *)got->loss + r * dt->loss_size,
                                   (char *)whole.loss + r * dt->loss_size, dt->loss_size) == 0;
    }
    for (size_t r = 0; r < k->s.rows; r++) {
        const double a = dt->get_loss(got->lse, r), b = dt->get_loss(whole.lse, r);
        check(alike(a, b) && !(fabs(a - b) > 1e-5 * fmax(fabs(a), 1)),
              "%s: lse %zu is %g, of sl_cross_entropy %g", k->text, r, a, b);
    }
    for (size_t i = 0; i < k->s.rows * k->s.classes; i++) {
        const double a = dt->get(got->grad, i), b = dt->get(whole.grad, i);
        check(alike(a, b), "%s: gradient %zu is %g, of sl_cross_entropy %g", k->text, i, a, b);
        all->entries++;
        all->same_entries +=
            memcmp((char *)got->grad + i * dt->size, (char *)whole.grad + i * dt->size, dt->size) == 0;
    }
    free_results(&whole);
}

/* ---- the same by all ranks ---- */

/* Ways to split: evenly; the ranks the other way round; everything on the last rank; nothing on the first. */
enum { EVEN, REVERSED, ALL_ON_THE_LAST, NONE_ON_THE_FIRST, SPLITS };

static sl_mpi_shard shard_of(const cased *k, int split)
{
    switch (split) {
    case REVERSED:
        return sl_mpi_even_shard(k->s.classes, k->s.part, ranks - 1 - rank, ranks);
    case ALL_ON_THE_LAST:
        return (sl_mpi_shard){0, rank == ranks - 1 ? k->s.classes : 0};
    case NONE_ON_THE_FIRST:
        return ranks > 1 ? sl_mpi_even_shard(k->s.classes, k->s.part, rank - 1, ranks - 1)
                         : (sl_mpi_shard){0, k->s.classes};
    default:
        return sl_mpi_even_shard(k->s.classes, k->s.part, rank, ranks);
    }
}

static bool same_columns(const cased *k, const void *part, size_t pitch, sl_mpi_shard own, const void *whole)
{
    const size_t size = k->f->dt->size;
    for (size_t r = 0; r < k->s.rows; r++)
        if (memcmp((const char *)part + r * pitch * size,
                   (const char *)whole + (r * k->s.classes + own.first) * size, own.classes * size) != 0)
            return false;
    return true;
}

static bool gaps_hold(const cased *k, const void *part, size_t pitch, sl_mpi_shard own, unsigned char filler)
{
    const size_t size = k->f->dt->size;
    const unsigned char *p = part;
    for (size_t r = 0; r + 1 < k->s.rows; r++)
        for (size_t i = (r * pitch + own.classes) * size; i < (r + 1) * pitch * size; i++)
            if (p[i] != filler)
                return false;
    return true;
}

static void by_all_ranks(const cased *k, const results *want, int split)
{
    const sl_ref_dtype *dt = k->f->dt;
    const sl_mpi_shard own = shard_of(k, split);
    const size_t pitch = own.classes + 3, losses = losses_of(k) * dt->loss_size, rows = k->s.rows;
    sl_mpi_vocabulary *v = create(MPI_COMM_WORLD, k, own);
    if (v == NULL)
        return;
    results got = make_results(k, pitch);
    void *x = columns_of(k, own, pitch, 0xff);
    sl_shape shape = sl_rows(rows, own.classes), dense_out = shape;
    shape.in.outer = shape.out.outer = (ptrdiff_t)pitch;
    dense_out.in.outer = (ptrdiff_t)pitch;
    sl_loss_options o = k->o;
    o.lse = got.lse;
    collectives = 0;
    sl_mpi_status status = k->f->split(v, x, k->target, dense_out, &o, got.loss, got.grad);
    check(status == SL_OK && collectives == 1, "%s, split %d: %s, %d collectives", k->text, split,
          sl_mpi_why(v), collectives);
    check(memcmp(got.loss, want->loss, losses) == 0, "%s, split %d: loss %a, of one rank %a", k->text, split,
          dt->get_loss(got.loss, 0), dt->get_loss(want->loss, 0));
    check(memcmp(got.lse, want->lse, rows * dt->loss_size) == 0, "%s, split %d: lse", k->text, split);
    check(same_columns(k, got.grad, own.classes, own, want->grad), "%s, split %d: gradient", k->text, split);

    for (size_t r = 0; r < rows; r++) { /* ignored rows are not looked at */
        const bool ignored = k->o.has_ignore_index && k->target[r] == IGNORED;
        check(sl_mpi_stats(v)[r].count == (ignored ? 0 : k->s.classes), "%s, split %d: statistics of row %zu",
              k->text, split, r);
    }

    /* From what was saved; forward alone; the gradient alone; in place, with gaps that stay. */
    o.lse = NULL;
    memset(got.grad, 0, rows * own.classes * dt->size);
    check(k->f->later(x, k->target, dense_out, sl_mpi_shard_of(v), &o, sl_mpi_stats(v), got.grad) == SL_OK &&
              same_columns(k, got.grad, own.classes, own, want->grad),
          "%s, split %d: gradient from statistics", k->text, split);
    memset(got.loss, 0, losses);
    status = k->f->split(v, x, k->target, dense_out, &o, got.loss, NULL);
    check(status == SL_OK && memcmp(got.loss, want->loss, losses) == 0, "%s, split %d: forward alone",
          k->text, split);
    status = k->f->split(v, x, k->target, shape, &o, NULL, x);
    check(status == SL_OK && same_columns(k, x, pitch, own, want->grad) && gaps_hold(k, x, pitch, own, 0xff),
          "%s, split %d: in place", k->text, split);
    free(x);
    free_results(&got);
    sl_mpi_vocabulary_free(&v);
    check(v == NULL, "free");
}

static uint64_t all_bits = 0xcbf29ce484222325u;

static void hash_bytes(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        all_bits = (all_bits ^ ((const unsigned char *)p)[i]) * 0x100000001b3u;
}

static void test_case(const functions *f, dimensions s, int kind, const choice *c)
{
    cased k = make_case(f, s, kind, c);
    results alone = make_results(&k, s.classes);
    sl_mpi_vocabulary *v = create(MPI_COMM_SELF, &k, (sl_mpi_shard){0, s.classes});
    if (v != NULL) {
        k.o.lse = alone.lse;
        const sl_mpi_status status =
            f->split(v, k.x, k.target, sl_rows(s.rows, s.classes), &k.o, alone.loss, alone.grad);
        k.o.lse = NULL;
        check(status == SL_OK, "%s: %s", k.text, sl_mpi_why(v));
        hash_bytes(alone.loss, losses_of(&k) * f->dt->loss_size);
        hash_bytes(alone.lse, s.rows * f->dt->loss_size);
        hash_bytes(alone.grad, s.rows * s.classes * f->dt->size);
        /* With more ranks the bits are the same. */
        if (ranks == 1 && kind != SPECIAL &&
            !(kind == WIDE && f->dt->digits == 11)) /* f16 of 300: too coarse */
            compare_with_oracle(&k, &alone);
        if (ranks == 1 && kind != WIDE)
            compare_with_library(&k, &alone);
        sl_mpi_vocabulary_free(&v);
    }
    for (int split = 0; split < SPLITS; split++)
        by_all_ranks(&k, &alone, split);
    free_results(&alone);
    free_case(&k);
}

static void test_all_cases(void)
{
    for (size_t f = 0; f < sizeof all_types / sizeof *all_types; f++)
        for (size_t s = 0; s < SIZES; s++)
            for (int kind = 0; kind < KINDS; kind++)
                for (size_t c = 0; c < CHOICES; c++)
                    if (s < 2 || c % 3 == s % 3 || sizes[s].classes < 100) /* a third of the larger ones */
                        test_case(&all_types[f], sizes[s], kind, &choices[c]);
}

/* Fewer rows than there is room for, none at all, and more again. */
static void test_batches_of_several_sizes(void)
{
    cased k = make_case(&all_types[0], sizes[1], ORDINARY, &choices[0]);
    const sl_mpi_shard own = shard_of(&k, EVEN);
    sl_mpi_vocabulary *v = create(MPI_COMM_WORLD, &k, own),
                      *alone = create(MPI_COMM_SELF, &k, (sl_mpi_shard){0, k.s.classes});
    void *x = columns_of(&k, own, own.classes, 0);
    const size_t rows[] = {19, 3, 0, 12};
    for (size_t i = 0; i < 4; i++) {
        float a = -1, b = -2;
        check(sl_mpi_cross_entropy_f32(v, x, k.target, sl_rows(rows[i], own.classes), NULL, &a, NULL) ==
                      SL_OK &&
                  sl_mpi_cross_entropy_f32(alone, k.x, k.target, sl_rows(rows[i], k.s.classes), NULL, &b,
                                           NULL) == SL_OK &&
                  (rows[i] == 0 ? isnan(a) : memcmp(&a, &b, sizeof a) == 0),
              "%zu rows: %s; %g, %g", rows[i], sl_mpi_why(v), a, b);
    }
    sl_loss_options o = {.flags = SL_EMPTY_MEAN_ZERO};
    float loss = -1;
    check(sl_mpi_cross_entropy_f32(v, x, k.target, sl_rows(0, own.classes), &o, &loss, NULL) == SL_OK &&
              loss == 0,
          "a mean over nothing is %g", loss);
    /* Weights whose sum over the rows is negative, as the library has them. */
    float *weight = allocate(k.s.classes, sizeof *weight), whole = 0;
    for (size_t i = 0; i < k.s.classes; i++)
        weight[i] = -0.5f;
    o = (sl_loss_options){.class_weight = weight};
    check(sl_mpi_cross_entropy_f32(v, x, k.target, sl_rows(19, own.classes), &o, &loss, NULL) == SL_OK &&
              sl_cross_entropy_f32(k.x, k.target, sl_rows(19, k.s.classes), &o, &whole, NULL) == SL_OK &&
              fabsf(loss - whole) <= 1e-6f * whole,
          "negative weights: %g, of sl_cross_entropy %g", loss, whole);
    free(weight);
    free(x);
    free_case(&k);
    sl_mpi_vocabulary_free(&v);
    sl_mpi_vocabulary_free(&alone);
}

/* ---- statistics in MPI's own operations ---- */

static void test_statistics(void)
{
    enum { ROWS = 5, CLASSES = 640 };
    MPI_Datatype type;
    MPI_Op op;
    check(sl_mpi_stats_create(NULL, &op) == SL_ERR_NULL && sl_mpi_stats_create(&type, NULL) == SL_ERR_NULL,
          "sl_mpi_stats_create of NULL");
    if (sl_mpi_stats_create(&type, &op) != SL_OK) {
        check(false, "sl_mpi_stats_create");
        return;
    }
    int commutes = 0;
    MPI_Op_commutative(op, &commutes);
    check(commutes == 1, "the operation commutes");
    float *x = allocate(ROWS * CLASSES, sizeof *x);
    state = 3;
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        x[i] = (float)(20 * uniform());
    sl_stats want[ROWS], got[ROWS];
    for (int r = 0; r < ROWS; r++) {
        const size_t n = CLASSES / (size_t)ranks, first = (size_t)rank * n;
        want[r] = sl_stats_empty();
        for (int i = 0; i < ranks; i++) {
            sl_stats part;
            sl_softmax_stats_f32(x + r * CLASSES + (size_t)i * n, n, &part);
            sl_stats_merge(&want[r], &part);
        }
        sl_softmax_stats_f32(x + r * CLASSES + first, n, &got[r]);
    }
    MPI_Allreduce(MPI_IN_PLACE, got, ROWS, type, op, MPI_COMM_WORLD);
    for (int r = 0; r < ROWS; r++) /* all that is public */
        check(memcmp(&got[r], &want[r], offsetof(sl_stats, exact_rest)) == 0,
              "statistics reduced by MPI, row %d", r);
    int size = 0;
    MPI_Aint low = 0, extent = 0;
    MPI_Type_size(type, &size);
    MPI_Type_get_extent(type, &low, &extent);
    check(size == (int)sizeof *got && low == 0 && extent == (MPI_Aint)sizeof *got,
          "the type has %d bytes, %ld from %ld on", size, (long)extent, (long)low);
    sl_mpi_stats_free(&type, &op);
    check(type == MPI_DATATYPE_NULL && op == MPI_OP_NULL, "sl_mpi_stats_free");
    free(x);
}

/* ---- what is wrong ---- */

static void expect_alike(sl_mpi_status status, sl_mpi_status want, const char *what, const char *why)
{
    int least = status, most = status;
    PMPI_Allreduce(&status, &least, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    PMPI_Allreduce(&status, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    check(status == want && least == most, "%s: status %d (%s), on other ranks %d to %d, not %d: %s", what,
          status, sl_mpi_status_string(status), least, most, want, why);
}

static sl_mpi_status create_status(size_t classes, size_t part, size_t rows, sl_mpi_shard own)
{
    sl_mpi_vocabulary *v = (sl_mpi_vocabulary *)&classes;
    const sl_mpi_status status =
        sl_mpi_vocabulary_create(MPI_COMM_WORLD, (sl_mpi_layout){classes, part, rows}, own, &v);
    check((status == SL_OK) == (v != NULL), "*v after %s", sl_mpi_status_string(status));
    sl_mpi_vocabulary_free(&v);
    return status;
}

static void test_wrong_shards(void)
{
    const int last = ranks - 1;
    const sl_mpi_shard own = sl_mpi_even_shard(1000, 100, rank, ranks);
    sl_mpi_shard bad = own;
    expect_alike(create_status(1000, 100, 8, own), SL_OK, "even shards", "");
    bad.classes = rank == last ? own.classes - 1 : own.classes;
    expect_alike(create_status(1000, 100, 8, bad), SL_MPI_ERR_CUT, "a shard ends too early", "");
    bad.classes = rank == last ? own.classes - 100 : own.classes;
    expect_alike(create_status(1000, 100, 8, bad), SL_MPI_ERR_COVER, "a part that nobody has", "");
    bad.classes = rank == last ? own.classes + 100 : own.classes;
    expect_alike(create_status(1000, 100, 8, bad), SL_MPI_ERR_CUT, "a shard beyond the vocabulary", "");
    bad.classes = rank == last ? SIZE_MAX - 99 : own.classes;
    expect_alike(create_status(1000, 100, 8, bad), SL_MPI_ERR_CUT, "a shard of all classes that there may be",
                 "");
    bad = rank == 0 ? (sl_mpi_shard){50, 100} : own;
    expect_alike(create_status(1000, 100, 8, bad), SL_MPI_ERR_CUT, "a shard begins between two cuts", "");
    bad = rank == 0 ? (sl_mpi_shard){0, 1000} : own;
    expect_alike(create_status(1000, 100, 8, bad), ranks > 1 ? SL_MPI_ERR_COVER : SL_OK,
                 "a class in two shards", "");
    bad = rank == 0 ? (sl_mpi_shard){0, 500} : rank == 1 ? (sl_mpi_shard){400, 500} : (sl_mpi_shard){0, 0};
    expect_alike(create_status(1000, 100, 8, bad), SL_MPI_ERR_COVER,
                 "as many classes as there are, some of them twice", "");
    const sl_mpi_status different = ranks > 1 ? SL_MPI_ERR_DIFFERENT : SL_OK;
    expect_alike(create_status(1000, rank == last ? 50 : 100, 8, own), different, "different parts", "");
    expect_alike(create_status(1000, 100, rank == last ? 9 : 8, own), different, "different most_rows", "");
    expect_alike(create_status(rank == last && ranks > 1 ? 1001 : 1000, 100, 8, own), different,
                 "different vocabularies", "");
    expect_alike(create_status(1000, rank == last ? 0 : 100, 8, own), SL_ERR_OPTION, "no part", "");
    expect_alike(create_status(0, 100, 8, (sl_mpi_shard){0, 0}), SL_ERR_OPTION, "no classes", "");
    expect_alike(create_status(1000, 100, SIZE_MAX / 2, own), SL_ERR_SIZE, "more rows than there can be", "");
    sl_mpi_vocabulary *v;
    expect_alike(sl_mpi_vocabulary_create(MPI_COMM_WORLD, (sl_mpi_layout){1000, 100, 8}, own,
                                          rank == last ? NULL : &v),
                 SL_ERR_NULL, "NULL on one rank", "");
    check(rank == last || v == NULL, "nothing was made");
    sl_mpi_vocabulary_free(NULL);
}

enum { WRONG_ROWS = 12, WRONG_CLASSES = 60 };

/* A call that is right, of which each test makes something wrong on one rank. */
typedef struct {
    sl_mpi_vocabulary *v;
    float x[WRONG_ROWS * WRONG_CLASSES], grad[WRONG_ROWS * WRONG_CLASSES], loss[WRONG_ROWS], lse[WRONG_ROWS],
        weight[WRONG_CLASSES], upstream[WRONG_ROWS];
    int64_t target[WRONG_ROWS];
    float *logits, *to, *loss_to;
    const int64_t *targets;
    sl_shape shape;
    sl_loss_options o;
} wrong;

static void reset(wrong *w)
{
    memset(w->grad, 0x77, sizeof w->grad);
    memset(w->loss, 0x77, sizeof w->loss);
    memset(w->lse, 0x77, sizeof w->lse);
    for (size_t i = 0; i < WRONG_ROWS * WRONG_CLASSES; i++)
        w->x[i] = (float)(i % 17);
    for (size_t i = 0; i < WRONG_CLASSES; i++)
        w->weight[i] = 1 + (float)i;
    for (size_t i = 0; i < WRONG_ROWS; i++)
        w->upstream[i] = 1, w->target[i] = (int64_t)(5 * i);
    w->logits = w->x;
    w->to = w->grad;
    w->loss_to = w->loss;
    w->targets = w->target;
    w->shape = sl_rows(WRONG_ROWS, sl_mpi_even_shard(WRONG_CLASSES, 6, rank, ranks).classes);
    w->o = (sl_loss_options){.reduction = SL_NONE,
                             .class_weight = w->weight,
                             .upstream = w->upstream,
                             .label_smoothing = 0.1,
                             .has_ignore_index = true,
                             .ignore_index = -1,
                             .lse = w->lse};
}

static bool holds(const void *p, size_t n, unsigned char value)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)p)[i] != value)
            return false;
    return true;
}

static void expect_status(wrong *w, sl_mpi_status want, const char *what)
{
    wrong before;
    memcpy(&before, w, sizeof before);
    collectives = 0;
    const sl_mpi_status status =
        sl_mpi_cross_entropy_f32(w->v, w->logits, w->targets, w->shape, &w->o, w->loss_to, w->to);
    expect_alike(status, want, what, sl_mpi_why(w->v));
    check(collectives == 1, "%s: %d collectives", what, collectives);
    if (want != SL_OK) {
        check(memcmp(&before, w, sizeof before) == 0, "%s: something was written", what);
        check(strstr(sl_mpi_why(w->v), want == SL_MPI_ERR_MPI ? "MPI" : "rank") != NULL, "%s: '%s'", what,
              sl_mpi_why(w->v));
    } else {
        check(!holds(w->loss, sizeof w->loss, 0x77), "%s: nothing was written", what);
    }
    reset(w);
}

static void test_wrong_arguments(sl_mpi_layout layout)
{
    static wrong w;
    const bool me = rank == ranks - 1; /* whose arguments are wrong */
    const sl_mpi_status different = ranks > 1 ? SL_MPI_ERR_DIFFERENT : SL_OK;
    check(sl_mpi_vocabulary_create(MPI_COMM_WORLD, layout,
                                   sl_mpi_even_shard(layout.classes, layout.part, rank, ranks),
                                   &w.v) == SL_OK,
          "create");
    reset(&w);
#define ON_ONE(change, want, what)                                                                           \
    do {                                                                                                     \
        if (me) {                                                                                            \
            change;                                                                                          \
        }                                                                                                    \
        expect_status(&w, want, what);                                                                       \
    } while (0)
    ON_ONE(w.target[7] = WRONG_CLASSES, SL_ERR_TARGET, "in the first call a target beyond the vocabulary");
    expect_status(&w, SL_OK, "nothing");
    ON_ONE(w.target[7] = WRONG_CLASSES, SL_ERR_TARGET, "a target beyond the vocabulary");
    ON_ONE(w.target[0] = -7, SL_ERR_TARGET, "a negative target");
    ON_ONE(w.logits = w.shape.classes ? NULL : w.logits, w.shape.classes ? SL_ERR_NULL : SL_OK,
           "logits NULL");
    ON_ONE(w.targets = NULL, SL_ERR_NULL, "targets NULL");
    ON_ONE(w.loss_to = w.to = NULL, SL_ERR_NULL, "neither loss nor gradient");
    ON_ONE(w.shape.outer = WRONG_ROWS + 1, SL_ERR_SIZE, "more rows than there is room for");
    ON_ONE(w.shape.outer = SIZE_MAX / 2, SL_ERR_SIZE, "rows without end");
    ON_ONE(w.shape.classes++, SL_ERR_OPTION, "another number of classes");
    ON_ONE(w.shape.classes++; w.to = NULL, SL_ERR_OPTION, "the same without gradient");
    ON_ONE(w.shape.inner = 2, SL_ERR_OPTION, "inner 2");
    ON_ONE(w.shape.in.outer = -1, SL_ERR_STRIDE, "a negative stride");
    ON_ONE(w.shape.in.outer = -1; w.to = NULL, SL_ERR_STRIDE, "the same without gradient");
    ON_ONE(w.o.label_smoothing = 1.5, SL_ERR_OPTION, "smoothing 1.5");
    ON_ONE(w.o.label_smoothing = 1.5; w.to = NULL, SL_ERR_OPTION, "the same without gradient");
    ON_ONE(w.o.softcap = 30, SL_ERR_OPTION, "softcap");
    ON_ONE(w.o.pos_weight = w.weight, SL_ERR_OPTION, "pos_weight");
    ON_ONE(w.o.has_ignore_index = false, SL_ERR_OPTION, "ignore_index without has_ignore_index");
    ON_ONE(w.o.divisor = 3, SL_ERR_OPTION, "a divisor of no mean");
    ON_ONE(w.loss_to = w.upstream, SL_ERR_OVERLAP, "the loss upon the upstream gradient");
    ON_ONE(w.loss_to = w.lse, SL_ERR_OVERLAP, "the loss upon the log-sum-exps");
    ON_ONE(w.loss_to = (float *)(void *)w.target, SL_ERR_OVERLAP, "the loss upon the targets");
    ON_ONE(w.loss_to = (float *)(void *)&w.o, SL_ERR_OVERLAP, "the loss upon the options");
    ON_ONE(w.o.lse = w.weight + 1, SL_ERR_OVERLAP, "the log-sum-exps upon the weights");
    if (sl_mpi_even_shard(layout.classes, layout.part, ranks - 1, ranks).classes != 0) {
        ON_ONE(w.to = w.x + 1, SL_ERR_OVERLAP, "the gradient upon the logits, one element on");
        ON_ONE(w.to = w.upstream, SL_ERR_OVERLAP, "the gradient upon the upstream gradient");
        ON_ONE(w.loss_to = w.x, SL_ERR_OVERLAP, "the loss upon the logits");
    }
    ON_ONE(w.shape.outer--, different, "fewer rows");
    ON_ONE(w.target[3] = 1, different, "other targets");
    ON_ONE(w.target[3] = -1, different, "a row that is ignored");
    ON_ONE(w.weight[9] = 2.5f, different, "another weight");
    ON_ONE(w.o.class_weight = NULL, different, "no weights");
    ON_ONE(w.upstream[2] = 0.5f, different, "another upstream gradient");
    ON_ONE(w.o.label_smoothing = 0, different, "no smoothing");
    ON_ONE(w.o.reduction = SL_SUM, different, "another reduction");
    ON_ONE(w.o.z_loss = 1e-4, different, "a z-loss");
    ON_ONE(w.o.flags = SL_SAFE_ROWS, different, "other flags");
    ON_ONE(w.o.lse = NULL, SL_OK, "no log-sum-exps");
    ON_ONE(w.to = NULL, SL_OK, "no gradient");
    if (ranks > 1) { /* the lowest rank's comes first */
        w.targets = me ? NULL : w.targets;
        w.o.softcap = rank == 0 ? 1 : 0;
        expect_status(&w, SL_ERR_OPTION, "two errors");
    }
    if (me) { /* another function */
        double x[WRONG_ROWS * WRONG_CLASSES] = {0}, loss[WRONG_ROWS];
        sl_loss_options o = {.reduction = SL_NONE};
        const sl_mpi_status status = sl_mpi_cross_entropy_f64(w.v, x, w.target, w.shape, &o, loss, NULL);
        expect_alike(status, different, "another type", sl_mpi_why(w.v));
    } else {
        w.o = (sl_loss_options){.reduction = SL_NONE};
        const sl_mpi_status status =
            sl_mpi_cross_entropy_f32(w.v, w.x, w.target, w.shape, &w.o, w.loss, NULL);
        expect_alike(status, different, "another type", sl_mpi_why(w.v));
    }
    reset(&w);
    mpi_fails = true;
    expect_status(&w, SL_MPI_ERR_MPI, "MPI fails");
    mpi_fails = false;
    expect_status(&w, SL_OK, "after all errors");
    sl_mpi_vocabulary *v = w.v;
    w.v = NULL;
    check(sl_mpi_cross_entropy_f32(NULL, w.x, w.target, w.shape, &w.o, w.loss, NULL) == SL_ERR_NULL,
          "v is NULL");
    sl_mpi_vocabulary_free(&v);
}

/* ---- the program ---- */

static int end_with(int code)
{
    unsigned long long own[2] = {passed, failed}, all[2] = {0, 0};
    PMPI_Allreduce(own, all, 2, MPI_UNSIGNED_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%llu passed, %llu failed\n", all[0], all[1]);
    MPI_Finalize();
    return all[1] != 0 ? 1 : code;
}

static int killed(void)
{
    const sl_mpi_shard own = sl_mpi_even_shard(1000, 10, rank, ranks);
    sl_mpi_vocabulary *v;
    float *x = allocate(own.classes, sizeof *x), loss;
    const int64_t target = 3;
    if (sl_mpi_vocabulary_create(MPI_COMM_WORLD, (sl_mpi_layout){1000, 10, 1}, own, &v) != SL_OK)
        return 3;
    if (rank == ranks - 1)
        kill(getpid(), SIGKILL);
    const sl_mpi_status status =
        sl_mpi_cross_entropy_f32(v, x, &target, sl_rows(1, own.classes), NULL, &loss, NULL);
    fprintf(stderr, "rank %d: %s\n", rank, sl_mpi_why(v));
    return status == SL_OK ? 0 : 4;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (argc == 2 && strcmp(argv[1], "--killed") == 0)
        return killed();
    if (argc == 2 && strcmp(argv[1], "--mixed") == 0) {
        expect_alike(create_status(1000, 100, 8, sl_mpi_even_shard(1000, 100, rank, ranks)),
                     SL_MPI_ERR_DIFFERENT, "classes of bits", "");
        return end_with(0);
    }
    if (argc != 1) {
        fprintf(stderr, "test_mpi: unexpected argument '%s'\n", argv[1]);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    test_all_cases();
    test_batches_of_several_sizes();
    test_statistics();
    test_wrong_shards();
    test_wrong_arguments((sl_mpi_layout){WRONG_CLASSES, 6, WRONG_ROWS});
    if (rank == 0) {
        printf("%d ranks, %s, bits %016llx\n", ranks, sl_isa(NULL)->isa, (unsigned long long)all_bits);
        for (size_t i = 0; ranks == 1 && i < sizeof all_types / sizeof *all_types; i++)
            printf("%s: largest error of a loss %.2f ULP, of a gradient %.2f; the bits of sl_cross_entropy: "
                   "%llu of "
                   "%llu losses, %llu of %llu entries of gradients\n",
                   all_types[i].dt->name, compared[i].loss, compared[i].grad, compared[i].same_losses,
                   compared[i].losses, compared[i].same_entries, compared[i].entries);
    }
    return end_with(0);
}
