/* SPDX-License-Identifier: MIT
 *
 * See workload.h.
 */
#include "workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t target_size(const kernel *k)
{
    return k->target == CLASS_IDS ? sizeof(int64_t) : k->target == PROBABILITIES ? sizeof(float) : 0;
}

size_t target_count(const kernel *k, sl_shape shape)
{
    return k->target == CLASS_IDS ? rows(shape) : k->target == PROBABILITIES ? elements(shape) : 0;
}

size_t element_at(sl_shape shape, size_t r, size_t c)
{
    return (r / shape.inner * shape.classes + c) * shape.inner + r % shape.inner;
}

void workload_make(workload *w, const kernel *k, size_t variant, sl_shape shape, const distribution *d,
                   generator *g)
{
    w->x = allocate(elements(shape), sizeof *w->x);
    w->class_weight = allocate(shape.classes, sizeof *w->class_weight);
    w->pos_weight = allocate(shape.classes, sizeof *w->pos_weight);
    w->target = allocate(target_count(k, shape), target_size(k));
    w->options = variant_options(k, variant, (loss_weights){w->class_weight, w->pos_weight});
    w->c = (call){w->x, w->target, shape, &w->options, NULL};
    w->c.y = allocate(k->outputs(&w->c), sizeof *w->c.y);
    fill_rows(d, g, w->x, shape);
    fill_weights(g, w->class_weight, shape.classes);
    fill_weights(g, w->pos_weight, shape.classes);
    if (k->target == PROBABILITIES)
        fill_probabilities(g, w->target, elements(shape));
    if (k->target != CLASS_IDS)
        return;
    int64_t *target = w->target;
    fill_class_ids(g, target, w->x, shape);
    for (size_t r = 0; w->options.has_ignore_index && r < rows(shape); r++)
        if (next_below(g, 4) == 0)
            target[r] = w->options.ignore_index;
}

void workload_free(workload *w)
{
    free(w->x);
    free(w->class_weight);
    free(w->pos_weight);
    free(w->target);
    free(w->c.y);
}

uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

size_t first_difference(const kernel *k, const float *a, const float *b, size_t n)
{
    if (memcmp(a, b, n * sizeof *a) == 0)
        return n;
    for (size_t i = 0; i < n; i++)
        if (bits_of(a[i]) != bits_of(b[i]) && !(k->by_element && isnan(a[i]) && isnan(b[i])))
            return i;
    return n;
}
