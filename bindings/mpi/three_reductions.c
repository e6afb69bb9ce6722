/* SPDX-License-Identifier: MIT
 *
 * The same loss in two ways, of logits whose vocabulary is split over the ranks that mpirun starts:
 *
 *   softlane          one exchange of statistics, merged exactly: the same bits for every number of ranks
 *   three reductions  as tensor-parallel training has it: the maximum; the sum of exp(x - maximum); the target's logit. Sums of
 *                     floats depend on where the rows are cut, and on the order in which MPI adds them up
 *
 * Each has a line with the mean loss, a hash of the losses of all rows, and the largest error of one of them against long double. Run
 * it with 1, 2, 3 and 4 ranks, and compare.
 */
#include "softlane_mpi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 32 }; /* the cuts, whatever the number of ranks */

typedef struct {
    int rank, ranks;
    size_t rows, classes, part;
    sl_mpi_shard own;
    float *logits, *grad, *loss; /* [rows][own.classes], the same, [rows] */
    int64_t *target;
    long double *exact; /* [rows] losses */
} data;

static uint64_t mixed(uint64_t a)
{
    a = (a ^ (a >> 31)) * 0x9e3779b97f4a7c15u;
    a = (a ^ (a >> 29)) * 0xbf58476d1ce4e5b9u;
    return a ^ (a >> 32);
}

/* In [0, 1): of an element of the whole matrix, so that a rank can make its own columns. */
static float noise(uint64_t row, uint64_t class)
{
    return (float)(mixed(row << 32 | class) >> 40) * 0x1p-24f;
}

static bool make(data *d)
{
    const size_t n = d->rows * d->own.classes;
    d->logits = malloc((n + 1) * sizeof *d->logits);
    d->grad = malloc((n + 1) * sizeof *d->grad);
    d->loss = malloc(d->rows * sizeof *d->loss);
    d->target = malloc(d->rows * sizeof *d->target);
    d->exact = malloc(d->rows * sizeof *d->exact);
    if (!d->logits || !d->grad || !d->loss || !d->target || !d->exact)
        return false;
    for (size_t r = 0; r < d->rows; r++) {
        d->target[r] = (int64_t)(mixed(~(uint64_t)r) % d->classes);
        for (size_t i = 0; i < d->own.classes; i++)
            d->logits[r * d->own.classes + i] = 16 * noise(r, d->own.first + i) - 8;
    }
    return true;
}

static bool has(const data *d, int64_t class)
{
    return (size_t) class >= d->own.first && (size_t) class - d->own.first < d->own.classes;
}

static const float *row_of(const data *d, size_t row) { return d->logits + row * d->own.classes; }

static float target_logit(const data *d, size_t row)
{
    return has(d, d->target[row]) ? row_of(d, row)[(size_t)d->target[row] - d->own.first] : 0;
}

/* No maximum is taken away: the logits are small. */
static void make_exact(data *d)
{
    for (size_t r = 0; r < d->rows; r++) {
        long double sums[2] = {0, target_logit(d, r)};
        for (size_t i = 0; i < d->own.classes; i++)
            sums[0] += expl((long double)row_of(d, r)[i]);
        MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_LONG_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        d->exact[r] = logl(sums[0]) - sums[1];
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Loss and gradient, some times; the median of how long that takes, in seconds. */
static sl_mpi_status by_softlane(data *d, double *step)
{
    enum { TIMES = 7 };
    const sl_loss_options options = {.reduction = SL_NONE};
    double times[TIMES] = {0};
    sl_mpi_vocabulary *v;
    sl_mpi_status status =
        sl_mpi_vocabulary_create(MPI_COMM_WORLD, (sl_mpi_layout){d->classes, d->part, d->rows}, d->own, &v);
    for (int i = 0; status == SL_OK && i < TIMES; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        const double started = MPI_Wtime();
        status = sl_mpi_cross_entropy_f32(v, d->logits, d->target, sl_rows(d->rows, d->own.classes), &options,
                                          d->loss, d->grad);
        times[i] = MPI_Wtime() - started;
    }
    sl_mpi_vocabulary_free(&v);
    qsort(times, TIMES, sizeof *times, by_value);
    *step = times[TIMES / 2];
    return status;
}

static void by_three_reductions(data *d)
{
    for (size_t r = 0; r < d->rows; r++) {
        float max = -INFINITY, sum = 0, target;
        for (size_t i = 0; i < d->own.classes; i++)
            max = fmaxf(max, row_of(d, r)[i]);
        MPI_Allreduce(MPI_IN_PLACE, &max, 1, MPI_FLOAT, MPI_MAX, MPI_COMM_WORLD);
        for (size_t i = 0; i < d->own.classes; i++)
            sum += expf(row_of(d, r)[i] - max);
        MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        target = has(d, d->target[r]) ? target_logit(d, r) - max : 0;
        MPI_Allreduce(MPI_IN_PLACE, &target, 1, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        d->loss[r] = logf(sum) - target;
    }
}

static uint64_t hash_of(const float *x, size_t n)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        hash = mixed(hash + bits + 1);
    }
    return hash;
}

/* Of the whole gradient: the sum of those of its parts, which are the same for any number of ranks. */
static uint64_t hash_of_gradient(const data *d)
{
    uint64_t sum = 0;
    for (size_t r = 0; r < d->rows; r++)
        for (size_t first = 0; first < d->own.classes; first += d->part) {
            const size_t left = d->own.classes - first, n = left < d->part ? left : d->part;
            sum += mixed(hash_of(d->grad + r * d->own.classes + first, n) + r + d->own.first + first);
        }
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

static void show(const data *d, const char *name, const char *more)
{
    double mean = 0, worst = 0;
    for (size_t r = 0; r < d->rows; r++) {
        const double want = (double)d->exact[r], ulp = ldexp(1, ilogb(want) - 23),
                     error = fabs((double)d->loss[r] - want) / ulp;
        mean += (double)d->loss[r] / (double)d->rows;
        worst = fmax(worst, error);
    }
    if (d->rank == 0)
        printf("%-16s  loss %a, losses %016llx, largest error %.1f ULP%s\n", name, mean,
               (unsigned long long)hash_of(d->loss, d->rows), worst, more);
}

/* A number from 1 to most; else 0. */
static size_t number(const char *text, size_t most)
{
    char *end;
    const unsigned long long n = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && n <= most ? (size_t)n : 0;
}

static int run(data *d)
{
    char gradient[64];
    double step;
    d->part = (d->classes + PARTS - 1) / PARTS;
    d->own = sl_mpi_even_shard(d->classes, d->part, d->rank, d->ranks);
    if (!make(d)) {
        fprintf(stderr, "three_reductions: rank %d has not enough memory\n", d->rank);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    if (d->rank == 0)
        printf("%zu rows of %zu classes, parts of %zu; ranks: %d\n", d->rows, d->classes, d->part, d->ranks);
    make_exact(d);
    const sl_mpi_status status = by_softlane(d, &step);
    if (status != SL_OK) { /* on all ranks */
        if (d->rank == 0)
            fprintf(stderr, "three_reductions: %s\n", sl_mpi_status_string(status));
        return 1;
    }
    snprintf(gradient, sizeof gradient, ", gradient %016llx", (unsigned long long)hash_of_gradient(d));
    show(d, "softlane", gradient);
    by_three_reductions(d);
    show(d, "three reductions", "");
    if (d->rank == 0)
        printf("loss and gradient by softlane: %.2f ms\n", step * 1e3);
    return fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "usage: mpirun -n RANKS three_reductions [ROWS [CLASSES]]\n"
        "The same loss by softlane and by three reductions of floats: 64 rows of 128256 classes.";
    data d = {.rows = argc > 1 ? number(argv[1], 100000) : 64,
              .classes = argc > 2 ? number(argv[2], 10000000) : 128256};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &d.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &d.ranks);
    const bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    int code = help ? 0 : 2;
    if (help && d.rank == 0)
        puts(usage);
    else if (!help && (argc > 3 || d.rows == 0 || d.classes == 0) && d.rank == 0)
        fprintf(stderr, "three_reductions: '%s' is no number of %s, or there are too many arguments\n",
                argv[d.rows == 0 || argc < 3 ? 1 : 2], d.rows == 0 ? "rows" : "classes");
    else if (!help && argc <= 3 && d.rows != 0 && d.classes != 0)
        code = run(&d);
    free(d.logits);
    free(d.grad);
    free(d.loss);
    free(d.target);
    free(d.exact);
    MPI_Finalize();
    return code;
}
