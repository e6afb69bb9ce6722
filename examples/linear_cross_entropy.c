/* SPDX-License-Identifier: MIT
 *
 * The last layer of a language model and its loss, in chunks of rows: logits = X W^T + bias by OpenBLAS, cross-entropy with the gradient
 * in place of the logits, and from that the gradients of X, W and bias. So there is room for the logits of one chunk, not of all rows.
 *
 * Beside it the whole N x V at once. The logits and so their gradients are the same numbers, but for what OpenBLAS does with a product of
 * other sizes; the gradient of W is a sum over all rows, which chunks add up in another order. The divisor option makes each chunk's
 * gradient that of the mean over all rows.
 */
#define _DEFAULT_SOURCE /* getrusage, ru_maxrss */

#include "check_output.h"
#include "usage.h"

#include <cblas.h>
#include <math.h>
#include <softlane.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct {
    size_t rows, inner, classes, chunk; /* N, D, V */
} sizes;

typedef struct {
    float *x, *w, *bias; /* [N][D], [V][D], [V] */
    int64_t *target;
} layer;

typedef struct {
    float *x, *w, *bias; /* as the layer's */
    double loss;
} gradients;

static void *array(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (p == NULL) {
        fprintf(stderr, "linear_cross_entropy: there is not enough memory\n");
        exit(2);
    }
    return p;
}

static float noise(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) * 0x1p-24f - 0.5f;
}

static layer make_layer(const sizes *s)
{
    layer l = {array(s->rows * s->inner, sizeof(float)), array(s->classes * s->inner, sizeof(float)),
               array(s->classes, sizeof(float)), array(s->rows, sizeof(int64_t))};
    const float scale = 12 / sqrtf((float)s->inner);
    for (size_t i = 0; i < s->rows * s->inner; i++)
        l.x[i] = noise();
    for (size_t i = 0; i < s->classes * s->inner; i++)
        l.w[i] = scale * noise();
    for (size_t i = 0; i < s->classes; i++)
        l.bias[i] = noise();
    for (size_t r = 0; r < s->rows; r++)
        l.target[r] = (int64_t)(r * 7919 % s->classes);
    return l;
}

static gradients make_gradients(const sizes *s)
{
    return (gradients){array(s->rows * s->inner, sizeof(float)), array(s->classes * s->inner, sizeof(float)),
                       array(s->classes, sizeof(float)), 0};
}

/* logits = X W^T + bias, of n rows from X's row `first` on */
static void make_logits(const sizes *s, const layer *l, size_t first, size_t n, float *logits)
{
    for (size_t r = 0; r < n; r++)
        memcpy(logits + r * s->classes, l->bias, s->classes * sizeof *logits);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)s->classes, (int)s->inner, 1,
                l->x + first * s->inner, (int)s->inner, l->w, (int)s->inner, 1, logits, (int)s->classes);
}

/* From the gradient of n rows of logits. Those of W and bias are added to. */
static void add_gradients(const sizes *s, const layer *l, size_t first, size_t n, const float *of_logits,
                          gradients *g)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)s->inner, (int)s->classes, 1,
                of_logits, (int)s->classes, l->w, (int)s->inner, 0, g->x + first * s->inner, (int)s->inner);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)s->classes, (int)s->inner, (int)n, 1, of_logits,
                (int)s->classes, l->x + first * s->inner, (int)s->inner, 1, g->w, (int)s->inner);
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < s->classes; c++)
            g->bias[c] += of_logits[r * s->classes + c];
}

/* Mean loss and gradients, in chunks of so many rows. */
static bool forward_and_backward(const sizes *s, const layer *l, size_t chunk, gradients *g)
{
    const sl_loss_options options = {.divisor = (double)s->rows};
    float *logits = array(chunk * s->classes, sizeof *logits), loss;
    bool done = true;
    g->loss = 0;
    memset(g->w, 0, s->classes * s->inner * sizeof *g->w);
    memset(g->bias, 0, s->classes * sizeof *g->bias);
    for (size_t first = 0; done && first < s->rows; first += chunk) {
        const size_t n = s->rows - first < chunk ? s->rows - first : chunk;
        make_logits(s, l, first, n, logits);
        done = sl_cross_entropy_f32(logits, l->target + first, sl_rows(n, s->classes), &options, &loss,
                                    logits) == SL_OK;
        add_gradients(s, l, first, n, logits, g);
        g->loss += (double)loss;
    }
    free(logits);
    return done;
}

/* ---- what is compared ---- */

/* Some OpenBLAS builds compute wrong products on some CPUs: both ways would be wrong alike. */
static bool products_are_right(const sizes *s, const layer *l)
{
    const size_t n = s->rows < 3 ? s->rows : 3;
    float *logits = array(n * s->classes, sizeof *logits);
    bool right = true;
    make_logits(s, l, 0, n, logits);
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < s->classes; c++) {
            double sum = (double)l->bias[c], size = 1;
            for (size_t i = 0; i < s->inner; i++) {
                sum += (double)l->x[r * s->inner + i] * (double)l->w[c * s->inner + i];
                size += fabs((double)l->x[r * s->inner + i] * (double)l->w[c * s->inner + i]);
            }
            right &= fabs((double)logits[r * s->classes + c] - sum) <= 1e-6 * size;
        }
    free(logits);
    if (!right)
        printf("OpenBLAS computes wrong products on this CPU (OPENBLAS_CORETYPE chooses its kernels)\n");
    return right;
}

/* The largest difference over the largest magnitude. */
static bool is_close(const char *what, const float *a, const float *b, size_t n, double tolerance)
{
    double difference = 0, most = 0;
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
        most = fmax(most, fabs((double)b[i]));
        same += memcmp(a + i, b + i, sizeof *a) == 0;
    }
    const bool close = difference <= tolerance * most;
    printf("%-16s largest difference %.1e of the largest entry, %5.1f %% with the same bits%s\n", what,
           difference / most, 100.0 * (double)same / (double)n, close ? "" : ": TOO MUCH");
    return close;
}

/* The most memory that the program has had so far, in MiB. */
static double peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
}

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double median(double a, double b, double c) { return fmax(fmin(a, b), fmin(fmax(a, b), c)); }

static bool compare(const sizes *s)
{
    enum { CHUNKS, WHOLE, WAYS, TIMES = 3 };
    const size_t chunk[WAYS] = {s->chunk, s->rows};
    const layer l = make_layer(s);
    gradients g[WAYS] = {make_gradients(s), make_gradients(s)};
    double time[WAYS][TIMES], before, after[WAYS] = {0, 0};
    bool good = products_are_right(s, &l);
    for (int way = 0; way < WAYS; way++) /* in memory from now on */
        for (size_t i = 0; i < s->classes * s->inner; i++)
            g[way].w[i] = 1;
    before = peak();
    for (size_t i = 0; good && i < TIMES; i++) /* the one that needs less memory goes first */
        for (int way = 0; good && way < WAYS; way++) {
            const double started = now();
            good = forward_and_backward(s, &l, chunk[way], &g[way]);
            time[way][i] = now() - started;
            after[way] = i == 0 ? peak() - before : after[way];
        }
    for (int way = 0; good && way < WAYS; way++)
        printf("%-10s %zu rows at once: %.3f s, logits of %.1f MiB, %.0f MiB more in memory, loss %.9g\n",
               way == CHUNKS ? "chunks," : "the whole,", chunk[way],
               median(time[way][0], time[way][1], time[way][2]),
               (double)chunk[way] * (double)s->classes * sizeof(float) / 1048576, after[way], g[way].loss);
    if (good) {
        good &= fabs(g[CHUNKS].loss - g[WHOLE].loss) <= 1e-6 * g[WHOLE].loss;
        good &= is_close("gradient of X", g[CHUNKS].x, g[WHOLE].x, s->rows * s->inner, 1e-5);
        good &= is_close("gradient of W", g[CHUNKS].w, g[WHOLE].w, s->classes * s->inner, 1e-5);
        good &= is_close("gradient of bias", g[CHUNKS].bias, g[WHOLE].bias, s->classes, 1e-5);
    }
    for (int way = 0; way < WAYS; way++) {
        free(g[way].x);
        free(g[way].w);
        free(g[way].bias);
    }
    free(l.x);
    free(l.w);
    free(l.bias);
    free(l.target);
    return good;
}

/* ---- the command line ---- */

static const char arguments[] = "[ROWS INNER CLASSES CHUNK]";

static size_t size_of(const char *name, const char *text, size_t most)
{
    char *end;
    const unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || n < 1 || n > most) {
        fprintf(stderr, "linear_cross_entropy: %s: '%s' is no number from 1 to %zu\n", name, text, most);
        exit(2);
    }
    return (size_t)n;
}

int main(int argc, char **argv)
{
    sizes s = {300, 48, 5000, 64};
    answer_help(argc, argv, arguments,
                "A linear layer with cross-entropy, forward and backward: in chunks of rows, and at once.\n"
                "ROWS x INNER times INNER x CLASSES (300 48 5000), CHUNK rows at a time (64).");
    refuse_more(argc, argv, 4, arguments);
    if (argc != 1 && argc != 5) {
        fprintf(stderr, "linear_cross_entropy: four sizes, or none: %s\n", arguments);
        return 2;
    }
    if (argc == 5) {
        s.rows = size_of("ROWS", argv[1], 1 << 20);
        s.inner = size_of("INNER", argv[2], 1 << 20);
        s.classes = size_of("CLASSES", argv[3], 1 << 24);
        s.chunk = size_of("CHUNK", argv[4], s.rows);
    }
    if ((double)s.rows * (double)s.classes > 0x1p33 ||
        ((double)s.rows + (double)s.classes) * (double)s.inner > 0x1p33) {
        fprintf(stderr, "linear_cross_entropy: more than 32 GiB for ROWS x CLASSES, or for X and W\n");
        return 2;
    }
    check_output_at_exit("linear_cross_entropy");
    return compare(&s) ? 0 : 1;
}
