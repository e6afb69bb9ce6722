/* SPDX-License-Identifier: MIT
 *
 * The kernels on a real classifier's output: the digits logits of tests/data, within the bounds, and with the
 * properties that a user of the result relies on. SOFTLANE_TEST_DATA, the directory, comes from the build.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "npy.h"
#include "assertions.h"

static struct npy logits, labels;

static struct npy read_array(const char *path, enum npy_type type)
{
    struct npy array;
    char error[256];
    if (!npy_read(path, type, &array, error, sizeof error))
        fail_msg("%s", error);
    return array;
}

static void data_is_as_described(void)
{
    logits = read_array(SOFTLANE_TEST_DATA "/digits_logits.npy", NPY_F32);
    labels = read_array(SOFTLANE_TEST_DATA "/digits_labels.npy", NPY_I64);
    assert_true(logits.dimensions == 2 && logits.shape[1] == 10);
    assert_true(labels.dimensions == 1 && labels.shape[1] == logits.shape[0]);
}

/* All rows, or the first ones. */
static sl_shape shape(void) { return sl_rows(effort(logits.shape[0], 100), logits.shape[1]); }

/* Puts the data in the place of a workload's inputs, with log-sum-exps that go with it. For losses of elements every class is a
 * case of its own: is it this digit? */
static void use_data(workload *w, generator *g)
{
    const kernel *k = w->k;
    const sl_ref_dtype *dt = k->dtype;
    const size_t classes = logits.shape[1];
    const int64_t *label = labels.data;
    for (size_t e = 0; e < elements(shape()); e++) {
        const bool right = label[e / classes] == (int64_t)(e % classes);
        dt->put(w->x, e, ((const float *)logits.data)[e]);
        if (k->second == PROBABILITIES)
            dt->put(w->second, e, right);
        else if (k->second == CLASS_IDS)
            ((int64_t *)w->second)[e / classes] = label[e / classes];
    }
    logits_to_input(k, w->x, shape());
    workload_remake_lse(w, g);
}

static void within_the_bound(const kernel *k, const isa *on)
{
    generator g = {17};
    workload w;
    expectation e;
    workload_make(&w, k, call_spec_at(k, 0), shape(), distribution_at(1), &g);
    use_data(&w, &g);
    run(k, on, &w.c);
    expect(k, &w.c, &e);
    for (size_t output = 0; output < OUTPUTS; output++) {
        if (w.c.out[output] == NULL)
            continue;
        const double bound = bound_of(k, on->table, output);
        double worst = 0;
        for (size_t i = 0; i < output_count(k, &w.c, output); i++) {
            const double ulp = error_of(k, &w.c, output, i, &e);
            worst = fmax(worst, ulp);
            if (!(ulp <= bound))
                fail_msg("%s/%s: output %zu, %zu: %.3f ULP: got %a, want %La", k->name, on->name, output, i,
                         ulp, output_value(k, output, w.c.out[output], i), e.want[output][i]);
        }
        print_message("%s/%s%s: %.4f ULP of %.2f\n", k->name, on->name,
                      output == GRADIENT ? ", gradient" : "", worst, bound);
    }
    expectation_free(&e);
    workload_free(&w);
}

static void mean_loss(const kernel *k, const isa *on)
{
    generator g = {18};
    const call_spec mean = {"mean", SL_MEAN, 0, 0, {true, false}};
    workload w;
    expectation e;
    workload_make(&w, k, &mean, shape(), distribution_at(1), &g);
    use_data(&w, &g);
    run(k, on, &w.c);
    expect(k, &w.c, &e);
    print_message("%s/%s: mean %.9g\n", k->name, on->name, k->dtype->get_loss(w.c.out[RESULT], 0));
    assert_true(error_of(k, &w.c, RESULT, 0, &e) <= bound_of(k, on->table, RESULT) + 0.51);
    expectation_free(&e);
    workload_free(&w);
}

static bool is_softmax(const kernel *k) { return k->row == SL_COUNT_softmax; }

/* The labels as files of every integer type: the same class ids. */
static void labels_of_every_type(void)
{
    static const char path[] = "real_logits_labels.npy"; /* in the test's own folder */
    static const struct {
        char descr[4];
        size_t size;
    } types[] = {{"|i1", 1}, {"=i2", 2}, {"<i4", 4}, {"=i8", 8},
                 {"|u1", 1}, {"<u2", 2}, {"=u4", 4}, {"<u8", 8}};
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        char header[128];
        const size_t n = labels.shape[1];
        const int length =
            snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,)}\n",
                     types[t].descr, n);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fwrite("\x93NUMPY\x03\0", 1, 8, file);
        fwrite((const char[]){(char)length, 0, 0, 0}, 1, 4, file);
        fputs(header, file);
        for (size_t r = 0; r < n; r++)
            for (size_t byte = 0; byte < types[t].size; byte++)
                fputc((int)(((const int64_t *)labels.data)[r] >> 8 * byte & 0xff), file);
        assert_int_equal(fclose(file), 0);
        struct npy read = read_array(path, NPY_INTEGERS);
        assert_int_equal(read.shape[1], n);
        for (size_t r = 0; r < n; r++) {
            int64_t id;
            assert_true(npy_integer(&read, r, &id));
            assert_int_equal(id, ((const int64_t *)labels.data)[r]);
        }
        free(read.data);
    }
    remove(path);
}

static bool takes_class_ids(const kernel *k) { return k->second == CLASS_IDS; }

/* Of the digits but the eights, by an id that is no class in their place: the mean that the oracle gives. */
static void mean_loss_without_eights(const kernel *k, const isa *on)
{
    enum { IGNORED = -100 };
    generator g = {20};
    const call_spec mean = {"mean, ignore", SL_MEAN, IGNORE, 0, {true, false}};
    workload w;
    expectation e;
    workload_make(&w, k, &mean, shape(), distribution_at(1), &g);
    use_data(&w, &g);
    w.options.ignore_index = IGNORED;
    for (size_t r = 0; r < shape().outer; r++)
        if (((int64_t *)w.second)[r] == 8)
            ((int64_t *)w.second)[r] = IGNORED;
    run(k, on, &w.c);
    expect(k, &w.c, &e);
    assert_true(error_of(k, &w.c, RESULT, 0, &e) <= bound_of(k, on->table, RESULT) + 0.51);
    expectation_free(&e);
    workload_free(&w);
}

/* Probabilities sum to 1, and the largest is the largest logit's. */
static void softmax_is_a_distribution(const kernel *k, const isa *on)
{
    generator g = {19};
    const sl_ref_dtype *dt = k->dtype;
    const size_t classes = logits.shape[1];
    workload w;
    workload_make(&w, k, call_spec_at(k, 0), shape(), distribution_at(1), &g);
    use_data(&w, &g);
    run(k, on, &w.c);
    for (size_t r = 0; r < shape().outer; r++) {
        double x[10], p[10], sum = 0;
        for (size_t c = 0; c < classes; c++) {
            x[c] = dt->get(w.c.x, r * classes + c);
            sum += p[c] = dt->get(w.c.out[RESULT], r * classes + c);
        }
        for (size_t c = 0; c < classes; c++)
            for (size_t d = 0; d < classes; d++)
                assert_true(!(x[c] < x[d]) || p[c] <= p[d]);
        assert_true(fabs(sum - 1) <= 10 * ldexp(1, -dt->digits));
    }
    workload_free(&w);
}

int main(void)
{
    const topic topics[] = {
        {.name = "data is as described", .once = data_is_as_described},
        {.name = "labels of every type", .once = labels_of_every_type},
        {.name = "within the bound", .cell = within_the_bound},
        {.name = "mean loss", .cell = mean_loss, .applies_to = is_loss},
        {.name = "mean loss without eights", .cell = mean_loss_without_eights, .applies_to = takes_class_ids},
        {.name = "softmax is a distribution", .cell = softmax_is_a_distribution, .applies_to = is_softmax},
    };
    const int failed = run_test_matrix("real_logits", topics, sizeof topics / sizeof *topics);
    free(logits.data);
    free(labels.data);
    return failed;
}
