/* SPDX-License-Identifier: MIT
 *
 * Categorical cross-entropy, with class ids or probabilities, and its gradient: the operators below autograd.
 */
#include "losses.h"

namespace softlane
{

namespace
{

constexpr const char *forward_op = "cross_entropy", *backward_op = "cross_entropy_backward";

/* The arguments that forward and backward share, checked. */
template <class S> struct call_of {
    rows logits;
    at::Tensor target, weight;
    bool is_soft;
    c10::SmallVector<int64_t, 4> loss_shape;
    sl_loss_options options;

    const int64_t *ids(const part &p) const { return target.const_data_ptr<int64_t>() + logits.row_of(p); }
};

/* Of what is not ignored; the first target that is no class is told. */
template <class S> double divisor_of(const call_of<S> &c)
{
    using L = typename S::L;
    if (c.is_soft)
        return (double)c.logits.count();
    const int64_t *target = c.target.template const_data_ptr<int64_t>(), n = c.logits.count();
    const L *weight = or_null<S>(c.weight);
    double sum = 0;
    int64_t count = 0;
    for (int64_t r = 0; r < n; r++)
        if (target[r] != c.options.ignore_index) {
            if ((uint64_t)target[r] >= (uint64_t)c.logits.classes)
                return 0; /* softlane says so */
            sum += weight ? (double)weight[target[r]] : 0;
            count++;
        }
    return weight ? sum : (double)count;
}

/* Says which target softlane did not take. */
template <class S> void check_status(const failure &failed, const call_of<S> &c, const char *op)
{
    if (failed.status() == SL_ERR_TARGET) {
        const int64_t *target = c.target.template const_data_ptr<int64_t>(), n = c.logits.count();
        for (int64_t r = 0; r < n; r++)
            TORCH_CHECK_INDEX(target[r] == c.options.ignore_index ||
                                  (uint64_t)target[r] < (uint64_t)c.logits.classes,
                              "softlane.", op, ": target ", target[r], " of row ", r,
                              " is out of bounds: there are ", c.logits.classes, " classes");
    }
    failed.check(op);
}

template <class S>
call_of<S> checked(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                   int64_t reduction, int64_t ignore_index, double label_smoothing, const char *op)
{
    check_cpu(input, op, "input");
    check_cpu(target, op, "target");
    check_reduction(reduction, op);
    TORCH_CHECK_VALUE(label_smoothing >= 0 && label_smoothing <= 1, "softlane.", op,
                      ": label_smoothing must be in [0, 1], not ", label_smoothing);
    TORCH_CHECK(input.dim() >= 1, "softlane.", op, ": input must have an axis of classes");
    const int64_t axis = input.dim() == 1 ? 0 : 1;
    call_of<S> c;
    c.is_soft = target.sizes() == input.sizes() && at::isFloatingType(target.scalar_type());
    for (int64_t d = 0; d < input.dim(); d++)
        if (d != axis)
            c.loss_shape.push_back(input.size(d));
    if (c.is_soft) {
        TORCH_CHECK_TYPE(target.scalar_type() == input.scalar_type(), "softlane.", op,
                         ": target, of probabilities, must have the type of the input, not ",
                         target.scalar_type());
        /* both must lie alike */
        c.logits = rows_of(input.contiguous(), axis);
        c.target = target.contiguous();
    } else {
        TORCH_CHECK(target.sizes() == at::IntArrayRef(c.loss_shape), "softlane.", op,
                    ": target must have the shape ", at::IntArrayRef(c.loss_shape),
                    " (class ids) or that of the input (probabilities), not ", target.sizes());
        TORCH_CHECK_TYPE(target.scalar_type() == at::kLong || target.scalar_type() == at::kByte, "softlane.",
                         op, ": target must be int64 or uint8, or probabilities of the input's shape, not ",
                         target.scalar_type());
        c.logits = rows_of(input, axis);
        c.target = target.to(at::kLong).contiguous();
    }
    c.weight = weights_of<S>(weight, c.logits.classes, op, "weight");
    c.options = sl_loss_defaults();
    c.options.reduction = of_softlane(reduction);
    c.options.class_weight = or_null<S>(c.weight);
    c.options.label_smoothing = label_smoothing;
    if (!c.is_soft) {
        c.options.has_ignore_index = true;
        c.options.ignore_index = ignore_index;
    }
    if (reduction == MEAN && chunks(c.logits).size() > 1)
        c.options.divisor = divisor_of(c);
    return c;
}

} // namespace

loss_and_saved cross_entropy_forward(const at::Tensor &input, const at::Tensor &target,
                                     const optional_tensor &weight, int64_t reduction, int64_t ignore_index,
                                     double label_smoothing, int64_t saves)
{
    return by_type(input, forward_op, "input", [&](auto lib) -> loss_and_saved {
        using S = decltype(lib);
        using L = typename S::L;
        const auto c =
            checked<S>(input, target, weight, reduction, ignore_index, label_smoothing, forward_op);
        at::Tensor grad, lse;
        if (saves == SAVES_GRADIENT)
            grad = at::empty(input.sizes(), input.options());
        else if (saves == SAVES_LSE && !c.is_soft)
            lse = at::empty(c.loss_shape, input.options().dtype(S::loss_type));
        const auto *x = elements<S>(c.logits.held);
        L *to_lse = lse.defined() ? lse.mutable_data_ptr<L>() : nullptr;
        failure failed;
        at::Tensor loss = loss_over_chunks<S>(
            c.logits, c.loss_shape, c.options, &failed, [&](const part &p, sl_loss_options o, L *to) {
                const int64_t row = c.logits.row_of(p), at = c.logits.dense_at(p);
                L *own_loss = o.reduction == SL_NONE ? to + row : to;
                auto *own_grad = grad.defined() ? writable<S>(grad) + at : nullptr;
                o.lse = to_lse ? to_lse + row : nullptr;
                if (c.is_soft)
                    return S::cross_entropy_soft(x + at, elements<S>(c.target) + at, c.logits.shape_of(p), &o,
                                                 own_loss, own_grad);
                return S::cross_entropy(x + c.logits.at(p), c.ids(p), c.logits.shape_of(p), &o, own_loss,
                                        own_grad);
            });
        check_status(failed, c, forward_op);
        if (!grad.defined() && !lse.defined())
            lse = at::empty({0}, input.options());
        return {loss, grad.defined() ? grad : lse};
    });
}

at::Tensor cross_entropy_backward(const at::Tensor &grad_output, const at::Tensor &input,
                                  const at::Tensor &target, const optional_tensor &weight, int64_t reduction,
                                  int64_t ignore_index, double label_smoothing, const at::Tensor &lse)
{
    return by_type(input, backward_op, "input", [&](auto lib) {
        using S = decltype(lib);
        using L = typename S::L;
        const auto c =
            checked<S>(input, target, weight, reduction, ignore_index, label_smoothing, backward_op);
        const at::Tensor upstream = upstream_of<S>(grad_output, reduction, c.logits.count(), backward_op);
        const at::Tensor grad = at::empty(input.sizes(), input.options());
        const L *from_lse = nullptr;
        if (!c.is_soft) {
            TORCH_CHECK(lse.scalar_type() == S::loss_type && lse.is_contiguous() &&
                            lse.numel() == c.logits.count(),
                        "softlane.", backward_op, ": lse must be what the forward operator has saved");
            from_lse = lse.const_data_ptr<L>();
        }
        const auto *x = elements<S>(c.logits.held);
        sl_loss_options options = c.options;
        const bool by_itself = reduction == MEAN && chunks(c.logits).size() > 1 && !(options.divisor > 0);
        if (by_itself)
            options.divisor = 0;
        const auto call = [&](const part &p) {
            const int64_t row = c.logits.row_of(p), at = c.logits.dense_at(p);
            sl_loss_options o = options;
            o.upstream = upstream.const_data_ptr<L>() + (reduction == NONE ? row : 0);
            if (c.is_soft)
                return S::cross_entropy_soft(x + at, elements<S>(c.target) + at, c.logits.shape_of(p), &o,
                                             nullptr, writable<S>(grad) + at);
            return S::cross_entropy_grad(x + c.logits.at(p), c.ids(p), c.logits.shape_of(p), &o,
                                         from_lse + row, writable<S>(grad) + at);
        };
        failure failed;
        if (by_itself)
            failed.note(call(part{0, c.logits.outer, 0, c.logits.inner}));
        else
            for_rows(c.logits, &failed, call);
        check_status(failed, c, backward_op);
        return grad;
    });
}

} // namespace softlane
