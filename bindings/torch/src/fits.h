/* SPDX-License-Identifier: MIT
 *
 * Which calls of torch.nn.functional patch() takes: those that the operators compute as PyTorch does. All others are PyTorch's, its
 * errors included.
 */
#ifndef SOFTLANE_TORCH_FITS_H
#define SOFTLANE_TORCH_FITS_H

#include "operators.h"

namespace softlane
{

/* A tensor that may be looked at: no tracer, wrapper or subclass, and no tangents of forward mode. */
bool is_plain(const at::Tensor &x);

bool fits_softmax(const at::Tensor &input);
bool fits_cross_entropy(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                        int64_t ignore_index, double label_smoothing);
bool fits_bce_with_logits(const at::Tensor &input, const at::Tensor &target, const optional_tensor &weight,
                          const optional_tensor &pos_weight);

} // namespace softlane

#endif
