/* SPDX-License-Identifier: MIT
 *
 * Binary cross-entropy of logits, and its gradient: the operators below autograd.
 */
#include "losses.h"

namespace softlane
{

namespace
{

constexpr const char *forward_op = "bce_with_logits", *backward_op = "bce_with_logits_backward";

/* The axis of x along which w has more than one element when it is broadcast to x; -1: there is none. */
int64_t axis_of(const at::Tensor &x, const optional_tensor &w, const char *op, const char *argument)
{
    int64_t axis = -1;
    if (!w || !w->defined())
        return axis;
    TORCH_CHECK(w->dim() <= x.dim(), "softlane.", op, ": ", argument, " has more dimensions than the input");
    for (int64_t d = 0; d < w->dim(); d++) {
        const int64_t of_x = d + x.dim() - w->dim();
        if (w->size(d) == 1)
            continue;
        TORCH_CHECK(axis < 0 && w->size(d) == x.size(of_x), "softlane.", op, ": ", argument,
                    " must be one number, or one for each class: of the input's size along one axis");
        axis = of_x;
    }
    return axis;
}

template <class S> struct call_of {
    rows logits;
    at::Tensor target, weight, pos_weight;
    sl_loss_options options;
};

template <class S>
at::Tensor expanded(const optional_tensor &weight, int64_t classes, const char *op, const char *argument)
{
    if (!weight || !weight->defined())
        return {};
    return weights_of<S>(weight->numel() == 1 ? weight->reshape({1}).expand({classes})
                                              : weight->reshape({-1}),
                         classes, op, argument);
}

template <class S>
call_of<S> checked(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                   const optional_tensor &pos_weight, int64_t reduction, const char *op)
{
    check_cpu(input, op, "input");
    check_cpu(target, op, "target");
    check_reduction(reduction, op);
    TORCH_CHECK_VALUE(target.sizes() == input.sizes(), "softlane.", op,
                      ": target must have the shape of the input, ", input.sizes(), ", not ", target.sizes());
    TORCH_CHECK_TYPE(target.scalar_type() == input.scalar_type(), "softlane.", op,
                     ": target must have the type of the input, not ", target.scalar_type());
    const int64_t of_weight = axis_of(input, weight, op, "weight");
    const int64_t of_pos_weight = axis_of(input, pos_weight, op, "pos_weight");
    TORCH_CHECK(of_weight < 0 || of_pos_weight < 0 || of_weight == of_pos_weight, "softlane.", op,
                ": pos_weight must be along the axis of weight");
    const int64_t axis = std::max(of_weight, of_pos_weight);
    call_of<S> c;
    c.target = target.contiguous();
    const at::Tensor dense = input.contiguous();
    c.logits = axis < 0 ? dense_rows(dense, dense.numel(), 1, 1) : rows_of(dense, axis);
    c.logits.whole_blocks = true;
    c.weight = expanded<S>(weight, c.logits.classes, op, "weight");
    c.pos_weight = expanded<S>(pos_weight, c.logits.classes, op, "pos_weight");
    c.options = sl_loss_defaults();
    c.options.reduction = of_softlane(reduction);
    c.options.class_weight = or_null<S>(c.weight);
    c.options.pos_weight = or_null<S>(c.pos_weight);
    if (reduction == MEAN && chunks(c.logits).size() > 1)
        c.options.divisor = (double)input.numel();
    return c;
}

} // namespace

loss_and_saved bce_with_logits_forward(const at::Tensor &input, const at::Tensor &target,
                                       const optional_tensor &weight, const optional_tensor &pos_weight,
                                       int64_t reduction, int64_t saves)
{
    return by_type(input, forward_op, "input", [&](auto lib) -> loss_and_saved {
        using S = decltype(lib);
        using L = typename S::L;
        const auto c = checked<S>(input, target, weight, pos_weight, reduction, forward_op);
        const at::Tensor grad = saves == SAVES_GRADIENT ? at::empty(input.sizes(), input.options())
                                                        : at::empty({0}, input.options());
        const auto *x = elements<S>(c.logits.held), *t = elements<S>(c.target);
        failure failed;
        at::Tensor loss = loss_over_chunks<S>(
            c.logits, input.sizes(), c.options, &failed, [&](const part &p, const sl_loss_options &o, L *to) {
                const int64_t at = c.logits.dense_at(p);
                return S::bce_with_logits(x + at, t + at, c.logits.shape_of(p), &o,
                                          o.reduction == SL_NONE ? to + at : to,
                                          saves == SAVES_GRADIENT ? writable<S>(grad) + at : nullptr);
            });
        failed.check(forward_op);
        return {loss, grad};
    });
}

at::Tensor bce_with_logits_backward(const at::Tensor &grad_output, const at::Tensor &input,
                                    const at::Tensor &target, const optional_tensor &weight,
                                    const optional_tensor &pos_weight, int64_t reduction)
{
    return by_type(input, backward_op, "input", [&](auto lib) {
        using S = decltype(lib);
        using L = typename S::L;
        const auto c = checked<S>(input, target, weight, pos_weight, reduction, backward_op);
        const at::Tensor upstream = upstream_of<S>(grad_output, reduction, input.numel(), backward_op);
        const at::Tensor grad = at::empty(input.sizes(), input.options());
        const auto *x = elements<S>(c.logits.held), *t = elements<S>(c.target);
        failure failed;
        for_rows(c.logits, &failed, [&](const part &p) {
            const int64_t at = c.logits.dense_at(p);
            sl_loss_options o = c.options;
            o.upstream = upstream.const_data_ptr<L>() + (reduction == NONE ? at : 0);
            return S::bce_with_logits(x + at, t + at, c.logits.shape_of(p), &o, nullptr,
                                      writable<S>(grad) + at);
        });
        failed.check(backward_op);
        return grad;
    });
}

} // namespace softlane
