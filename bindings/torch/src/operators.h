/* SPDX-License-Identifier: MIT
 *
 * The operators below autograd: what computes. Above them, in autograd.cc, are those that have derivatives.
 */
#ifndef SOFTLANE_TORCH_OPERATORS_H
#define SOFTLANE_TORCH_OPERATORS_H

#include <ATen/core/Tensor.h>
#include <optional>
#include <tuple>

namespace softlane
{

/* PyTorch's numbers of reductions. */
enum reduction : int64_t { NONE = 0, MEAN = 1, SUM = 2 };

/* What the forward call of a loss leaves for the backward one. */
enum saving : int64_t { SAVES_NOTHING = 0, SAVES_LSE = 1, SAVES_GRADIENT = 2 };

using loss_and_saved = std::tuple<at::Tensor, at::Tensor>;
using optional_tensor = std::optional<at::Tensor>;

at::Tensor softmax_forward(const at::Tensor &x, int64_t dim, std::optional<at::ScalarType> type);
at::Tensor log_softmax_forward(const at::Tensor &x, int64_t dim, std::optional<at::ScalarType> type);
at::Tensor softmax_backward(const at::Tensor &dy, const at::Tensor &y, int64_t dim);
at::Tensor log_softmax_backward(const at::Tensor &dy, const at::Tensor &y, int64_t dim);

/* The target has class ids, or probabilities in the type of the input. What is saved: nothing, log-sum-exps of the rows (of class
 * ids only), or the gradient where that of the loss is 1. */
loss_and_saved cross_entropy_forward(const at::Tensor &input, const at::Tensor &target,
                                     const optional_tensor &weight, int64_t reduction, int64_t ignore_index,
                                     double label_smoothing, int64_t saves);
at::Tensor cross_entropy_backward(const at::Tensor &grad_output, const at::Tensor &input,
                                  const at::Tensor &target, const optional_tensor &weight, int64_t reduction,
                                  int64_t ignore_index, double label_smoothing, const at::Tensor &lse);

loss_and_saved bce_with_logits_forward(const at::Tensor &input, const at::Tensor &target,
                                       const optional_tensor &weight, const optional_tensor &pos_weight,
                                       int64_t reduction, int64_t saves);
at::Tensor bce_with_logits_backward(const at::Tensor &grad_output, const at::Tensor &input,
                                    const at::Tensor &target, const optional_tensor &weight,
                                    const optional_tensor &pos_weight, int64_t reduction);

} // namespace softlane

#endif
