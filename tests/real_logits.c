/* SPDX-License-Identifier: MIT
 *
 * The kernels on a real classifier's output: the digits logits of tests/data, within the bounds, and with the
 * properties that a user of the result relies on. SOFTLANE_TEST_DATA, the directory, comes from the build.
 */
#include <math.h>
#include <stdlib.h>

#include "npy.h"
#include "workload.h"

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

static sl_shape shape(void) { return sl_rows(logits.shape[0], logits.shape[1]); }

/* For bce every class is a question of its own: is it this digit? */
static float *labels_as_probabilities(void)
{
    float *probability = allocate(elements(shape()), sizeof *probability);
    for (size_t r = 0; r < logits.shape[0]; r++)
        for (size_t c = 0; c < logits.shape[1]; c++)
            probability[r * logits.shape[1] + c] = ((const int64_t *)labels.data)[r] == (int64_t)c;
    return probability;
}

static void within_the_bound(const kernel *k, const isa *on)
{
    const sl_loss_options options = {.reduction = SL_NONE};
    float *probability = labels_as_probabilities(), *y = allocate(elements(shape()), sizeof *y);
    double *want = allocate(elements(shape()), sizeof *want),
           *scale = allocate(elements(shape()), sizeof *scale);
    const call c = {logits.data, k->target == CLASS_IDS ? labels.data : probability, shape(), &options, y};
    double worst = 0;
    run(k, on, &c);
    k->reference(&c, want, scale);
    for (size_t i = 0; i < k->outputs(&c); i++) {
        const double ulp = sl_ref_ulp_at_f32(y[i], want[i], scale[i]);
        worst = fmax(worst, ulp);
        if (!(ulp <= k->bound[on->table->fma]))
            fail_msg("%s/f32/%s: output %zu: %.3f ULP: got %a, want %a", k->name, on->name, i, ulp, y[i],
                     want[i]);
    }
    print_message("%s/f32/%s: %.4f ULP of %.2f\n", k->name, on->name, worst, k->bound[on->table->fma]);
    free(probability);
    free(y);
    free(want);
    free(scale);
}

static void mean_loss(const kernel *k, const isa *on)
{
    const sl_loss_options options = {.reduction = SL_MEAN};
    float *probability = labels_as_probabilities(), loss;
    const call c = {logits.data, k->target == CLASS_IDS ? labels.data : probability, shape(), &options,
                    &loss};
    double want, scale;
    run(k, on, &c);
    k->reference(&c, &want, &scale);
    print_message("%s/f32/%s: mean %.9g\n", k->name, on->name, loss);
    assert_true(sl_ref_ulp_f32(loss, want) <= k->bound[on->table->fma] + 0.51);
    free(probability);
}

/* Probabilities sum to 1, and the largest is the largest logit's. */
static void softmax_is_a_distribution(const isa *on)
{
    float *y = allocate(elements(shape()), sizeof *y);
    run(KERNEL(softmax), on, &(call){.x = logits.data, .y = y, .shape = shape()});
    for (size_t r = 0; r < logits.shape[0]; r++) {
        const float *x = (const float *)logits.data + r * logits.shape[1], *p = y + r * logits.shape[1];
        double sum = 0;
        for (size_t c = 0; c < logits.shape[1]; c++) {
            sum += p[c];
            for (size_t d = 0; d < logits.shape[1]; d++)
                assert_true(!(x[c] < x[d]) || p[c] <= p[d]);
        }
        assert_true(fabs(sum - 1) < 1e-6);
    }
    free(y);
}

int main(void)
{
    const topic topics[] = {
        {.name = "data is as described", .once = data_is_as_described},
        {.name = "within the bound", .rung = within_the_bound},
        {.name = "mean loss", .rung = mean_loss, .applies_to = is_loss},
        {.name = "softmax is a distribution", .each_isa = softmax_is_a_distribution},
    };
    const int failed = ladder_climb("real_logits", topics, sizeof topics / sizeof *topics);
    free(logits.data);
    free(labels.data);
    return failed;
}
