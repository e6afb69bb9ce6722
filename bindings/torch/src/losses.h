/* SPDX-License-Identifier: MIT
 *
 * What the losses have in common: how chunks become one loss, and how an upstream gradient reaches softlane.
 */
#ifndef SOFTLANE_TORCH_LOSSES_H
#define SOFTLANE_TORCH_LOSSES_H

#include "operators.h"
#include "rows.h"

#include <ATen/Functions.h>
#include <c10/util/SmallVector.h>

#include <cmath>

namespace softlane
{

inline void check_reduction(int64_t reduction, const char *op)
{
    TORCH_CHECK_VALUE(reduction >= NONE && reduction <= SUM, "softlane.", op,
                      ": reduction must be 0 (none), 1 (mean) or 2 (sum), not ", reduction);
}

inline void check_cpu(const at::Tensor &x, const char *op, const char *argument)
{
    TORCH_CHECK(x.device().is_cpu() && x.layout() == at::kStrided, "softlane.", op, ": ", argument,
                " must be a dense tensor on the CPU");
}

inline sl_reduction of_softlane(int64_t reduction)
{
    return reduction == NONE ? SL_NONE : reduction == MEAN ? SL_MEAN : SL_SUM;
}

/* The sum of losses in the order of their indices; in f64 with what each addition loses. */
template <class L> L sum_in_order(const L *loss, size_t n)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < n; i++) {
        const double a = loss[i], before = sum;
        sum += a;
        const double there = sum - before;
        lost += (before - (sum - there)) + (a - there);
    }
    return (L)(std::isfinite(sum) ? sum + lost : sum);
}

/* Weights in the loss's type: one for each of n classes. */
template <class S>
at::Tensor weights_of(const optional_tensor &weight, int64_t n, const char *op, const char *argument)
{
    if (!weight || !weight->defined())
        return {};
    check_cpu(*weight, op, argument);
    TORCH_CHECK(weight->numel() == n, "softlane.", op, ": ", argument,
                " must have one element for each of the ", n, " classes, not ", weight->numel());
    TORCH_CHECK_TYPE(at::isFloatingType(weight->scalar_type()), "softlane.", op, ": ", argument,
                     " must be floating-point, not ", weight->scalar_type());
    return weight->to(S::loss_type).contiguous();
}

template <class S> const typename S::L *or_null(const at::Tensor &x)
{
    return x.defined() ? x.const_data_ptr<typename S::L>() : nullptr;
}

/* The gradient of the loss: one, or one of each row or element. */
template <class S>
at::Tensor upstream_of(const at::Tensor &grad_output, int64_t reduction, int64_t n, const char *op)
{
    check_cpu(grad_output, op, "grad_output");
    const int64_t wanted = reduction == NONE ? n : 1;
    TORCH_CHECK(grad_output.numel() == wanted, "softlane.", op, ": grad_output must have ", wanted,
                " elements, not ", grad_output.numel());
    return grad_output.to(S::loss_type).contiguous();
}

/* call(part, options, loss, grad) for all rows, where options are those given and, of a mean over several chunks, the divisor of
 * all. Returns the loss in the type of the elements: of `shape`, or reduced. */
template <class S, class Call>
at::Tensor loss_over_chunks(const rows &r, at::IntArrayRef shape, const sl_loss_options &given,
                            failure *failed, Call call)
{
    using L = typename S::L;
    const at::TensorOptions options = r.held.options();
    if (given.reduction == SL_NONE) {
        const at::Tensor loss = at::empty(shape, options.dtype(S::loss_type));
        L *to = loss.mutable_data_ptr<L>();
        for_rows(r, failed, [&](const part &p) { return call(p, given, to); });
        return loss.to(options.dtype().toScalarType());
    }
    const chunks all(r);
    L reduced = 0;
    if (all.size() <= 1 || (given.reduction == SL_MEAN && !(given.divisor > 0))) {
        /* also where the divisor of a mean is no positive number, which softlane does not take from others */
        sl_loss_options own = given;
        own.divisor = 0;
        failed->note(call(part{0, r.outer, 0, r.inner}, own, &reduced));
    } else {
        c10::SmallVector<L, 128> each((size_t)all.size());
        in_parallel(all.size(), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++)
                failed->note(call(all[i], given, &each[(size_t)i]));
        });
        reduced = sum_in_order(each.data(), each.size());
    }
    const at::Tensor loss = at::empty({}, options);
    *loss.mutable_data_ptr<typename S::element>() = (typename S::element)reduced;
    return loss;
}

} // namespace softlane

#endif
