/* SPDX-License-Identifier: MIT
 *
 * softlane's functions by PyTorch's element types, and the way from a tensor's type to them.
 */
#ifndef SOFTLANE_TORCH_LIBRARY_H
#define SOFTLANE_TORCH_LIBRARY_H

#include <ATen/core/Tensor.h>
#include <softlane.h>

namespace softlane
{

/* Element is PyTorch's, T softlane's, L that of losses and weights. */
template <class Element> struct library;

#define SOFTLANE_LIBRARY(ELEMENT, dt, TYPE, LOSS, LOSS_TYPE)                                                 \
    template <> struct library<ELEMENT> {                                                                    \
        using element = ELEMENT;                                                                             \
        using T = TYPE;                                                                                      \
        using L = LOSS;                                                                                      \
        static constexpr at::ScalarType loss_type = at::LOSS_TYPE;                                           \
        static constexpr auto softmax = sl_softmax_##dt;                                                     \
        static constexpr auto softmax_wide = sl_softmax_wide_##dt;                                           \
        static constexpr auto softmax_backward = sl_softmax_backward_##dt;                                   \
        static constexpr auto log_softmax = sl_log_softmax_##dt;                                             \
        static constexpr auto log_softmax_wide = sl_log_softmax_wide_##dt;                                   \
        static constexpr auto log_softmax_backward = sl_log_softmax_backward_##dt;                           \
        static constexpr auto cross_entropy = sl_cross_entropy_##dt;                                         \
        static constexpr auto cross_entropy_grad = sl_cross_entropy_grad_##dt;                               \
        static constexpr auto cross_entropy_soft = sl_cross_entropy_soft_##dt;                               \
        static constexpr auto bce_with_logits = sl_bce_with_logits_##dt;                                     \
    };
SOFTLANE_LIBRARY(float, f32, float, float, kFloat)
SOFTLANE_LIBRARY(double, f64, double, double, kDouble)
SOFTLANE_LIBRARY(at::BFloat16, bf16, sl_bf16, float, kFloat)
SOFTLANE_LIBRARY(at::Half, f16, sl_f16, float, kFloat)
#undef SOFTLANE_LIBRARY

inline bool is_supported(at::ScalarType type)
{
    return type == at::kFloat || type == at::kDouble || type == at::kBFloat16 || type == at::kHalf;
}

/* f(library<Element>{}) for the type of this argument. */
template <class F> auto by_type(const at::Tensor &x, const char *op, const char *argument, F f)
{
    switch (x.scalar_type()) {
    case at::kFloat:
        return f(library<float>{});
    case at::kDouble:
        return f(library<double>{});
    case at::kBFloat16:
        return f(library<at::BFloat16>{});
    case at::kHalf:
        return f(library<at::Half>{});
    default:
        TORCH_CHECK_TYPE(false, "softlane.", op, ": ", argument,
                         " must be float32, float64, bfloat16 or float16, not ", x.scalar_type());
    }
}

/* Elements as softlane has them; storage types of 16 bits have one field of that size. */
template <class S> const typename S::T *elements(const at::Tensor &x)
{
    return reinterpret_cast<const typename S::T *>(x.const_data_ptr<typename S::element>());
}

template <class S> typename S::T *writable(const at::Tensor &x)
{
    return x.defined() ? reinterpret_cast<typename S::T *>(x.mutable_data_ptr<typename S::element>())
                       : nullptr;
}

} // namespace softlane

#endif
