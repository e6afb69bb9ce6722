/* SPDX-License-Identifier: MIT
 *
 * See fits.h.
 */
#include "fits.h"
#include "library.h"

#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/jit/frontend/tracer.h>

namespace softlane
{

bool is_plain(const at::Tensor &x)
{
    return x.device().is_cpu() && x.layout() == at::kStrided && !at::isTensorSubclassLike(x) &&
           !x._fw_grad(0).defined();
}

namespace
{

bool is_constant(const at::Tensor &x) { return is_plain(x) && !x.requires_grad(); }

/* No weight, or one of this type. */
bool is_weight(const optional_tensor &weight, at::ScalarType type)
{
    return !weight || (weight->scalar_type() == type && is_constant(*weight));
}

/* One number, or one for each element along one axis of x, which is what a weight has in common with another. */
bool is_along_axis(const at::Tensor &x, const optional_tensor &weight, int64_t *axis)
{
    if (!weight)
        return true;
    if (weight->dim() > x.dim())
        return false;
    for (int64_t d = 0; d < weight->dim(); d++) {
        const int64_t of_x = d + x.dim() - weight->dim();
        if (weight->size(d) == 1)
            continue;
        if (weight->size(d) != x.size(of_x) || (*axis >= 0 && *axis != of_x))
            return false;
        *axis = of_x;
    }
    return true;
}

} // namespace

bool fits_softmax(const at::Tensor &input)
{
    return is_supported(input.scalar_type()) && is_plain(input) && !torch::jit::tracer::isTracing() &&
           !at::autocast::is_autocast_enabled(at::kCPU);
}

bool fits_cross_entropy(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                        int64_t ignore_index, double label_smoothing)
{
    const int64_t dim = input.dim(), axis = dim == 1 ? 0 : 1;
    if (!fits_softmax(input) || !is_constant(target) || dim == 0 ||
        !(label_smoothing >= 0 && label_smoothing <= 1) || !is_weight(weight, input.scalar_type()) ||
        (weight && (weight->dim() != 1 || weight->numel() != input.size(axis))))
        return false;
    if (target.sizes() == input.sizes())
        return target.scalar_type() == input.scalar_type() && ignore_index < 0;
    if ((target.scalar_type() != at::kLong && target.scalar_type() != at::kByte) || target.dim() != dim - 1)
        return false;
    for (int64_t d = 0, of_target = 0; d < dim; d++)
        if (d != axis && input.size(d) != target.size(of_target++))
            return false;
    return input.size(axis) > 0;
}

bool fits_bce_with_logits(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                          const optional_tensor &pos_weight)
{
    int64_t axis = -1;
    return fits_softmax(input) && is_constant(target) && target.scalar_type() == input.scalar_type() &&
           target.sizes() == input.sizes() && is_weight(weight, input.scalar_type()) &&
           is_weight(pos_weight, input.scalar_type()) && is_along_axis(input, weight, &axis) &&
           is_along_axis(input, pos_weight, &axis);
}

} // namespace softlane
