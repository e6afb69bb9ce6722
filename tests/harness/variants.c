/* SPDX-License-Identifier: MIT
 *
 * See variants.h.
 */
#include "variants.h"

#include <stdio.h>

size_t variants_available(variant **variants, const sl_kernels *const *others, size_t other_count)
{
    const size_t tables = sl_isa_count() + other_count;
    size_t count = 0;
    variant *list = allocate(KERNELS * 2 * tables, sizeof *list);
    for (size_t k = 0; k < KERNELS; k++)
        for (int gradient = 0; gradient <= is_loss(&kernels[k]); gradient++)
            for (size_t i = 0; i < tables; i++) {
                const sl_kernels *table =
                    i < sl_isa_count() ? sl_isa(sl_isa_name_at(i)) : others[i - sl_isa_count()];
                if (table != NULL && kernels[k].is_in(table))
                    list[count++] = (variant){&kernels[k], gradient, table};
            }
    *variants = list;
    return count;
}

bool variant_takes_shape(const variant *v, sl_shape shape)
{
    return takes_shape(v->kernel, shape) && (v->isa->needs != NULL || shape.inner == 1);
}

bool variants_alike(const variant *a, const variant *b)
{
    return a->kernel == b->kernel && a->gradient == b->gradient;
}

void variant_operation_text(const variant *v, char text[VARIANT_TEXT])
{
    snprintf(text, VARIANT_TEXT, "%s%s", v->kernel->operation, v->gradient ? "+grad" : "");
}

void variant_text(const variant *v, char text[VARIANT_TEXT])
{
    snprintf(text, VARIANT_TEXT, "%s%s/%s/%s", v->kernel->operation, v->gradient ? "+grad" : "",
             v->kernel->dtype->name, v->isa->isa);
}

double variant_bound(const variant *v, bool any_input)
{
    return (any_input ? bound_on_any : bound_of)(v->kernel, v->isa, v->gradient ? GRADIENT : RESULT);
}

void shape_text(sl_shape shape, char text[SHAPE_TEXT])
{
    if (shape.inner > 1)
        snprintf(text, SHAPE_TEXT, "%zux%zux%zu", shape.outer, shape.classes, shape.inner);
    else if (shape.in.outer > 0)
        snprintf(text, SHAPE_TEXT, "%zux%zup%td", shape.outer, shape.classes, shape.in.outer);
    else
        snprintf(text, SHAPE_TEXT, "%zux%zu", shape.outer, shape.classes);
}
