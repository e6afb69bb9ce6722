/* SPDX-License-Identifier: MIT
 *
 * How long a step of cross-entropy, loss and gradient, would take on 1 to 1000 ranks, by softlane's one exchange and by three
 * reductions of floats. On paper: what a rank computes is measured here, by one process without MPI; messages cost what the arguments
 * say. Nothing overlaps, and all ranks are alike.
 *
 *   message      latency + bytes / bandwidth
 *   allreduce    L = ceil(log2 ranks) rounds of the whole vector, each with the operation; or, if that is less, halves of halves and back
 *                (Rabenseifner): 2 L messages, 2 (1 - 1 / ranks) of the bytes, (1 - 1 / ranks) of the operations
 *   ranks        have whole parts: the slowest one has ceil(parts / ranks) of them
 *   three        reductions of 4 bytes a row, whose operations cost nothing, between passes over the logits that cost what softlane's do
 */
#include "softlane_mpi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    double rows, classes, part, latency, bandwidth; /* us, GB/s */
} settings;

/* Nanoseconds: of an element, or of one row. */
typedef struct {
    double statistics, gradient, merge, packed_any, packed_part;
} costs;

/* ---- what is measured ---- */

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

typedef struct {
    size_t rows, classes, part, pitch;
    float *x, *y;
    int64_t *target;
    sl_stats *stats, *merged;
    unsigned char *packed;
} bench;

static void take_statistics(bench *b)
{
    sl_shape shape = sl_rows(b->rows, b->part);
    shape.in.outer = (ptrdiff_t)b->pitch;
    for (size_t first = 0; first < b->pitch; first += b->part)
        (void)sl_softmax_stats_rows_f32(b->x + first, b->target, shape, b->stats);
}

static void make_gradient(bench *b)
{
    (void)sl_cross_entropy_shard_grad_f32(b->x, b->target, sl_rows(b->rows, b->pitch),
                                          (sl_shard){0, b->classes}, NULL, b->stats, b->y);
}

static void merge(bench *b)
{
    for (size_t r = 0; r < b->rows; r++)
        sl_stats_merge(&b->merged[r], &b->stats[r]);
}

/* The same with statistics that come packed, in so many bytes; and, of any statistics, packed again. */
static void merge_packed(bench *b, size_t size)
{
    sl_stats part, whole;
    for (size_t r = 0; r < b->rows; r++) {
        (void)sl_stats_unpack(b->packed + r * SL_PACKED_ANY, size, &part);
        if (size == SL_PACKED_ANY) {
            (void)sl_stats_unpack(b->packed + r * SL_PACKED_ANY, size, &whole);
            sl_stats_merge(&whole, &part);
            (void)sl_stats_pack(&whole, b->packed + r * SL_PACKED_ANY, size);
        } else {
            sl_stats_merge(&b->merged[r], &part);
        }
    }
}

static void merge_any(bench *b) { merge_packed(b, SL_PACKED_ANY); }
static void merge_part(bench *b) { merge_packed(b, SL_PACKED_PART); }

static void pack(bench *b, size_t size)
{
    for (size_t r = 0; r < b->rows; r++)
        (void)sl_stats_pack(&b->stats[r], b->packed + r * SL_PACKED_ANY, size);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Nanoseconds of a call: the median of 15, each long enough for the clock. */
static double time_of(void (*work)(bench *), bench *b, bool fresh)
{
    enum { TIMES = 15 };
    double times[TIMES];
    work(b);
    double started = now();
    work(b);
    const size_t calls = 1 + (size_t)(1e6 / (now() - started + 100));
    for (size_t i = 0; i < TIMES; i++) {
        for (size_t r = 0; fresh && r < b->rows; r++)
            b->merged[r] = b->stats[r];
        started = now();
        for (size_t k = 0; k < calls; k++)
            work(b);
        times[i] = (now() - started) / (double)calls;
    }
    qsort(times, TIMES, sizeof *times, by_value);
    return times[TIMES / 2];
}

static bool measure(const settings *s, costs *c)
{
    bench b = {.rows = (size_t)s->rows, .classes = (size_t)s->classes, .part = (size_t)s->part};
    const size_t parts = (size_t)ceil(s->classes / s->part), some = parts < 8 ? parts : 8;
    b.part = parts == 1 ? b.classes : b.part;
    b.pitch = some * b.part;
    b.classes = b.classes < b.pitch ? b.pitch : b.classes; /* whole parts are measured */
    b.x = malloc(b.rows * b.pitch * sizeof *b.x);
    b.y = malloc(b.rows * b.pitch * sizeof *b.y);
    b.target = calloc(b.rows, sizeof *b.target);
    b.stats = malloc(b.rows * sizeof *b.stats);
    b.merged = malloc(b.rows * sizeof *b.merged);
    b.packed = malloc(b.rows * SL_PACKED_ANY);
    const bool is_there = b.x && b.y && b.target && b.stats && b.merged && b.packed;
    if (is_there) {
        uint32_t state = 1;
        for (size_t i = 0; i < b.rows * b.pitch; i++)
            b.x[i] = (float)((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-20f - 8;
        const double elements = (double)b.rows * (double)b.pitch, rows = (double)b.rows;
        c->statistics = time_of(take_statistics, &b, false) / elements;
        c->merge = time_of(merge, &b, true) / rows;
        pack(&b, SL_PACKED_ANY);
        c->packed_any = time_of(merge_any, &b, false) / rows;
        pack(&b, SL_PACKED_PART);
        c->packed_part = time_of(merge_part, &b, true) / rows;
        take_statistics(&b);
        c->gradient = time_of(make_gradient, &b, false) / elements;
    }
    free(b.x);
    free(b.y);
    free(b.target);
    free(b.stats);
    free(b.merged);
    free(b.packed);
    return is_there;
}

/* ---- what is reckoned; times in microseconds ---- */

static double least(double a, double b) { return a < b ? a : b; }

static double all_reduce(const settings *s, double ranks, double n, double bytes, double operation)
{
    const double rounds = ceil(log2(ranks)), wire = n * bytes / s->bandwidth * 1e-3,
                 work = n * operation * 1e-3;
    return least(rounds * (s->latency + wire + work),
                 2 * rounds * s->latency + (1 - 1 / ranks) * (2 * wire + work));
}

/* A rank merges the statistics of its parts, and each round those of two ranks. */
static double one_exchange(const settings *s, const costs *c, double ranks)
{
    const double own = ceil(ceil(s->classes / s->part) / ranks);
    return s->rows * own * c->merge * 1e-3 + all_reduce(s, ranks, s->rows + 1, sizeof(sl_stats), c->merge);
}

static void print_table(const settings *s, const costs *c)
{
    static const double ranks[] = {1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1000};
    const double parts = ceil(s->classes / s->part);
    printf("%.0f rows of %.0f classes, %.0f parts of %.0f; %.1f us a message, %.1f GB/s\n", s->rows,
           s->classes, parts, s->part, s->latency, s->bandwidth);
    printf("measured here: statistics %.3f ns an element, gradient %.3f; merging a row's statistics %.0f ns, "
           "packed ones of %d "
           "bytes %.0f, of %d %.0f\n\n",
           c->statistics, c->gradient, c->merge, SL_PACKED_ANY, c->packed_any, SL_PACKED_PART,
           c->packed_part);
    printf("| ranks | compute us | exchange us, 1 x %zu bytes a row | 3 x 4 bytes | step: softlane us | "
           "three reductions us |\n",
           sizeof(sl_stats));
    printf("|---:|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        const double own = ceil(parts / ranks[i]);
        const double compute =
            s->rows * least(own * s->part, s->classes) * (c->statistics + c->gradient) * 1e-3;
        const double one = one_exchange(s, c, ranks[i]), three = 3 * all_reduce(s, ranks[i], s->rows, 4, 0);
        printf("| %.0f | %.0f | %.1f | %.1f | %.0f | %.0f |\n", ranks[i], compute, one, three, compute + one,
               compute + three);
    }
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: model [--rows N] [--classes N] [--part N] [--latency US] [--bandwidth GBS]\n"
    "What a step of cross-entropy with gradient would take on 1 to 1000 ranks, in f32, from what a rank's "
    "work takes here.\n"
    "  --rows N         of a batch (64)\n"
    "  --classes N      of the vocabulary (128256)\n"
    "  --part N         classes from cut to cut (128)\n"
    "  --latency US     of a message, microseconds (2)\n"
    "  --bandwidth GBS  of a rank, GB/s (12.5)";

static int refuse(const char *what, const char *why)
{
    fprintf(stderr, "model: %s: %s (--help)\n", what, why);
    return 2;
}

int main(int argc, char **argv)
{
    settings s = {64, 128256, 128, 2, 12.5};
    const struct {
        const char *name;
        double *value, least, most;
        bool whole;
    } options[] = {{"--rows", &s.rows, 1, 1e5, true},
                   {"--classes", &s.classes, 1, 1e7, true},
                   {"--part", &s.part, 1, 1e7, true},
                   {"--latency", &s.latency, 0, 1e6, false},
                   {"--bandwidth", &s.bandwidth, 1e-3, 1e5, false}};
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0;
        char *end;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return puts(usage) < 0 ? 2 : 0;
        while (k < sizeof options / sizeof *options && strcmp(argv[i], options[k].name) != 0)
            k++;
        if (k == sizeof options / sizeof *options)
            return refuse(argv[i], "unknown argument");
        if (i + 1 == argc)
            return refuse(argv[i], "needs a number");
        const double value = strtod(argv[i + 1], &end);
        if (*argv[i + 1] == 0 || *end != 0 || !(value >= options[k].least && value <= options[k].most) ||
            (options[k].whole && value != floor(value)))
            return refuse(argv[i], "is out of its range, or no number");
        *options[k].value = value;
    }
    if (s.part > s.classes)
        s.part = s.classes;
    if (s.rows * 8 * s.part > 1e9)
        return refuse("--rows and --part", "8 parts of all rows are more than 4 GB");
    costs c = {0};
    if (!measure(&s, &c))
        return refuse("--rows and --part", "there is not enough memory");
    print_table(&s, &c);
    return fflush(stdout) != 0 ? 2 : 0;
}
