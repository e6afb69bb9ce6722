/* SPDX-License-Identifier: MIT
 *
 * The operators that users call, with their derivatives: registered with PyTorch's dispatcher.
 *
 * A reduced loss forms its gradient in the forward call, as if that of the loss were 1: the kernel has the row at hand. The backward
 * call multiplies it, in place if nobody needs it again, or hands it on if the gradient of the loss is 1. float16 is different:
 * what is small would be lost before a loss scale makes it larger. There, and where each row or element has a loss of its own, the
 * backward call computes the gradient, from saved log-sum-exps.
 */
#include "fits.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/library.h>

namespace softlane
{

namespace
{

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/* ---- calls of other operators by way of the dispatcher, so that tracers see them ---- */

template <class Signature> auto handle_of(const char *name)
{
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

#define SOFTLANE_CALL(name, function)                                                                        \
    template <class... Arguments> auto call_##function(Arguments &&...arguments)                             \
    {                                                                                                        \
        static const auto handle = handle_of<decltype(function)>("softlane::" name);                         \
        return handle.call(std::forward<Arguments>(arguments)...);                                           \
    }
SOFTLANE_CALL("_softmax", softmax_forward)
SOFTLANE_CALL("_log_softmax", log_softmax_forward)
SOFTLANE_CALL("_softmax_backward", softmax_backward)
SOFTLANE_CALL("_log_softmax_backward", log_softmax_backward)
SOFTLANE_CALL("_cross_entropy_forward", cross_entropy_forward)
SOFTLANE_CALL("_cross_entropy_backward", cross_entropy_backward)
SOFTLANE_CALL("_bce_with_logits_forward", bce_with_logits_forward)
SOFTLANE_CALL("_bce_with_logits_backward", bce_with_logits_backward)
#undef SOFTLANE_CALL

/* ---- what the functions have in common ---- */

bool needs_gradient(const at::Tensor &x) { return at::GradMode::is_enabled() && x.requires_grad(); }

void check_tangent(const at::Tensor &x, const char *op, const char *argument)
{
    TORCH_CHECK(!x._fw_grad(0).defined(), "softlane.", op, ": ", argument,
                " has a tangent, and there is no derivative in forward mode");
}

void check_constant(const at::Tensor &x, const char *op, const char *argument)
{
    check_tangent(x, op, argument);
    TORCH_CHECK(!needs_gradient(x), "softlane.", op, ": ", argument,
                " requires a gradient, which softlane does not compute: detach it");
}

void check_constant(const optional_tensor &x, const char *op, const char *argument)
{
    if (x && x->defined())
        check_constant(*x, op, argument);
}

bool forms_gradient(const at::Tensor &input, int64_t reduction)
{
    return reduction != NONE && input.scalar_type() != at::kHalf;
}

/* A pointer to a node of the graph: std::shared_ptr, in PyTorch 2.15 and later an intrusive one. */
using node_pointer = decltype(torch::autograd::get_current_node());

template <class Node, class... Arguments> node_pointer make_node(Arguments &&...arguments)
{
    if constexpr (std::is_same_v<node_pointer, std::shared_ptr<torch::autograd::Node>>)
        return std::make_shared<Node>(std::forward<Arguments>(arguments)...);
    else
        return c10::make_intrusive<Node>(std::forward<Arguments>(arguments)...);
}

/* Who differentiates the gradient of a loss gets an error, not zeros. */
at::Tensor once(const at::Tensor &grad, const char *op)
{
    if (!at::GradMode::is_enabled())
        return grad;
    torch::autograd::edge_list next;
    if (const auto node = torch::autograd::get_current_node())
        next.push_back(node->next_edge(0));
    const node_pointer error = make_node<torch::autograd::Error>(
        std::string("softlane.") + op + ": its gradient has no derivative", std::move(next));
    at::Tensor result = grad.detach();
    torch::autograd::set_history(result, error);
    return result;
}

double value_of(const at::Tensor &scalar) { return scalar.item().toDouble(); }

/* A gradient that was formed for 1, for the gradient of the loss. */
at::Tensor times(const at::Tensor &grad, const at::Tensor &upstream)
{
    if (at::GradMode::is_enabled() || !is_plain(grad) || !is_plain(upstream) ||
        torch::autograd::get_current_graph_task_keep_graph())
        return at::mul(grad, upstream);
    return value_of(upstream) == 1 ? grad : grad.mul_(upstream);
}

optional_tensor optional_of(const at::Tensor &x) { return x.defined() ? optional_tensor(x) : std::nullopt; }
at::Tensor tensor_of(const optional_tensor &x) { return x ? *x : at::Tensor(); }

/* ---- softmax, log_softmax ---- */

template <bool logarithm> struct softmax_function : torch::autograd::Function<softmax_function<logarithm>> {
    static at::Tensor forward(AutogradContext *ctx, const at::Tensor &x, int64_t dim,
                              std::optional<at::ScalarType> type)
    {
        const at::AutoDispatchBelowADInplaceOrView below;
        const at::Tensor y =
            logarithm ? call_log_softmax_forward(x, dim, type) : call_softmax_forward(x, dim, type);
        ctx->save_for_backward({y});
        ctx->saved_data["dim"] = dim;
        ctx->saved_data["type"] = (int64_t)x.scalar_type();
        return y;
    }

    static variable_list backward(AutogradContext *ctx, const variable_list &grads)
    {
        const at::Tensor y = ctx->get_saved_variables()[0], &dy = grads[0];
        const int64_t dim = ctx->saved_data["dim"].toInt();
        const auto type = (at::ScalarType)ctx->saved_data["type"].toInt();
        at::Tensor dx;
        if (at::GradMode::is_enabled()) /* by what PyTorch can differentiate */
            dx = logarithm ? dy - y.exp() * dy.sum(dim, true) : y * (dy - (y * dy).sum(dim, true));
        else
            dx = logarithm ? call_log_softmax_backward(dy, y, dim) : call_softmax_backward(dy, y, dim);
        return {dx.scalar_type() == type ? dx : dx.to(type), {}, {}};
    }
};

template <bool logarithm>
at::Tensor softmax(const at::Tensor &x, int64_t dim, std::optional<at::ScalarType> type)
{
    check_tangent(x, logarithm ? "log_softmax" : "softmax", "input");
    if (needs_gradient(x))
        return softmax_function<logarithm>::apply(x, dim, type);
    const at::AutoDispatchBelowADInplaceOrView below;
    return logarithm ? call_log_softmax_forward(x, dim, type) : call_softmax_forward(x, dim, type);
}

/* ---- cross_entropy ---- */

struct cross_entropy_function : torch::autograd::Function<cross_entropy_function> {
    static at::Tensor forward(AutogradContext *ctx, const at::Tensor &input, const at::Tensor &target,
                              const optional_tensor &weight, int64_t reduction, int64_t ignore_index,
                              double label_smoothing)
    {
        const at::AutoDispatchBelowADInplaceOrView below;
        const bool forms = forms_gradient(input, reduction);
        auto [loss, saved] =
            call_cross_entropy_forward(input, target, weight, reduction, ignore_index, label_smoothing,
                                       (int64_t)(forms ? SAVES_GRADIENT : SAVES_LSE));
        if (forms) {
            ctx->save_for_backward({saved});
            return loss;
        }
        ctx->save_for_backward({saved, input, target, tensor_of(weight)});
        ctx->saved_data["reduction"] = reduction;
        ctx->saved_data["ignore_index"] = ignore_index;
        ctx->saved_data["label_smoothing"] = label_smoothing;
        return loss;
    }

    static variable_list backward(AutogradContext *ctx, const variable_list &grads)
    {
        const variable_list saved = ctx->get_saved_variables();
        at::Tensor grad;
        if (saved.size() == 1) {
            grad = times(saved[0], grads[0]);
        } else {
            const at::AutoDispatchBelowADInplaceOrView below;
            grad = call_cross_entropy_backward(grads[0], saved[1], saved[2], optional_of(saved[3]),
                                               ctx->saved_data["reduction"].toInt(),
                                               ctx->saved_data["ignore_index"].toInt(),
                                               ctx->saved_data["label_smoothing"].toDouble(), saved[0]);
        }
        return {once(grad, "cross_entropy"), {}, {}, {}, {}, {}};
    }
};

at::Tensor cross_entropy(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                         int64_t reduction, int64_t ignore_index, double label_smoothing)
{
    /* Rows along the last axis in memory, as those of a transposed (N, d, C): as a matrix, which needs no copy. */
    if (input.dim() > 2 && is_plain(input) && input.size(1) > 1 && input.stride(1) == 1 &&
        !input.is_contiguous() && target.dim() == input.dim() - 1) {
        const at::Tensor loss = cross_entropy(input.movedim(1, -1).flatten(0, -2), target.flatten(), weight,
                                              reduction, ignore_index, label_smoothing);
        return reduction == NONE ? loss.view(target.sizes()) : loss;
    }
    check_tangent(input, "cross_entropy", "input");
    check_constant(target, "cross_entropy", "target");
    check_constant(weight, "cross_entropy", "weight");
    if (needs_gradient(input))
        return cross_entropy_function::apply(input, target, weight, reduction, ignore_index, label_smoothing);
    const at::AutoDispatchBelowADInplaceOrView below;
    return std::get<0>(call_cross_entropy_forward(input, target, weight, reduction, ignore_index,
                                                  label_smoothing, (int64_t)SAVES_NOTHING));
}

/* ---- bce_with_logits ---- */

struct bce_with_logits_function : torch::autograd::Function<bce_with_logits_function> {
    static at::Tensor forward(AutogradContext *ctx, const at::Tensor &input, const at::Tensor &target,
                              const optional_tensor &weight, const optional_tensor &pos_weight,
                              int64_t reduction)
    {
        const at::AutoDispatchBelowADInplaceOrView below;
        const bool forms = forms_gradient(input, reduction);
        auto [loss, saved] = call_bce_with_logits_forward(input, target, weight, pos_weight, reduction,
                                                          (int64_t)(forms ? SAVES_GRADIENT : SAVES_NOTHING));
        if (forms) {
            ctx->save_for_backward({saved});
            return loss;
        }
        ctx->save_for_backward({input, target, tensor_of(weight), tensor_of(pos_weight)});
        ctx->saved_data["reduction"] = reduction;
        return loss;
    }

    static variable_list backward(AutogradContext *ctx, const variable_list &grads)
    {
        const variable_list saved = ctx->get_saved_variables();
        at::Tensor grad;
        if (saved.size() == 1) {
            grad = times(saved[0], grads[0]);
        } else {
            const at::AutoDispatchBelowADInplaceOrView below;
            grad = call_bce_with_logits_backward(grads[0], saved[0], saved[1], optional_of(saved[2]),
                                                 optional_of(saved[3]), ctx->saved_data["reduction"].toInt());
        }
        return {once(grad, "bce_with_logits"), {}, {}, {}, {}};
    }
};

at::Tensor bce_with_logits(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                           const optional_tensor &pos_weight, int64_t reduction)
{
    check_tangent(input, "bce_with_logits", "input");
    check_constant(target, "bce_with_logits", "target");
    check_constant(weight, "bce_with_logits", "weight");
    check_constant(pos_weight, "bce_with_logits", "pos_weight");
    if (needs_gradient(input))
        return bce_with_logits_function::apply(input, target, weight, pos_weight, reduction);
    const at::AutoDispatchBelowADInplaceOrView below;
    return std::get<0>(
        call_bce_with_logits_forward(input, target, weight, pos_weight, reduction, (int64_t)SAVES_NOTHING));
}

} // namespace

} // namespace softlane

/* ---- registration; what they compute without data stands in softlane/torch/_fake.py ---- */

TORCH_LIBRARY(softlane, m)
{
    m.def("softmax(Tensor input, int dim, ScalarType? dtype=None) -> Tensor");
    m.def("log_softmax(Tensor input, int dim, ScalarType? dtype=None) -> Tensor");
    m.def("cross_entropy(Tensor input, Tensor target, Tensor? weight=None, int reduction=1, int "
          "ignore_index=-100, "
          "float label_smoothing=0.0) -> Tensor");
    m.def("bce_with_logits(Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, "
          "int reduction=1) -> Tensor");
    m.def("_softmax(Tensor input, int dim, ScalarType? dtype) -> Tensor");
    m.def("_log_softmax(Tensor input, int dim, ScalarType? dtype) -> Tensor");
    m.def("_softmax_backward(Tensor grad_output, Tensor output, int dim) -> Tensor");
    m.def("_log_softmax_backward(Tensor grad_output, Tensor output, int dim) -> Tensor");
    m.def("_cross_entropy_forward(Tensor input, Tensor target, Tensor? weight, int reduction, int "
          "ignore_index, "
          "float label_smoothing, int saves) -> (Tensor, Tensor)");
    m.def("_cross_entropy_backward(Tensor grad_output, Tensor input, Tensor target, Tensor? weight, int "
          "reduction, "
          "int ignore_index, float label_smoothing, Tensor lse) -> Tensor");
    m.def("_bce_with_logits_forward(Tensor input, Tensor target, Tensor? weight, Tensor? pos_weight, int "
          "reduction, "
          "int saves) -> (Tensor, Tensor)");
    m.def("_bce_with_logits_backward(Tensor grad_output, Tensor input, Tensor target, Tensor? weight, "
          "Tensor? pos_weight, int reduction) -> Tensor");
}

TORCH_LIBRARY_IMPL(softlane, CompositeImplicitAutograd, m)
{
    m.impl("softmax", softlane::softmax<false>);
    m.impl("log_softmax", softlane::softmax<true>);
    m.impl("cross_entropy", softlane::cross_entropy);
    m.impl("bce_with_logits", softlane::bce_with_logits);
}

TORCH_LIBRARY_IMPL(softlane, CPU, m)
{
    m.impl("_softmax", softlane::softmax_forward);
    m.impl("_log_softmax", softlane::log_softmax_forward);
    m.impl("_softmax_backward", softlane::softmax_backward);
    m.impl("_log_softmax_backward", softlane::log_softmax_backward);
    m.impl("_cross_entropy_forward", softlane::cross_entropy_forward);
    m.impl("_cross_entropy_backward", softlane::cross_entropy_backward);
    m.impl("_bce_with_logits_forward", softlane::bce_with_logits_forward);
    m.impl("_bce_with_logits_backward", softlane::bce_with_logits_backward);
}
