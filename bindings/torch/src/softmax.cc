/* SPDX-License-Identifier: MIT
 *
 * softmax and log_softmax along an axis, and their gradients from results: the operators below autograd.
 */
#include "losses.h"

#include <ATen/Functions.h>
#include <ATen/WrapDimUtils.h>

namespace softlane
{

namespace
{

template <class S, class Function, class Wide>
void map_rows(const at::Tensor &x, const rows &r, const at::Tensor &y, Function narrow, Wide wide,
              const char *op)
{
    failure failed;
    const auto *from = elements<S>(r.held);
    for_rows(r, &failed, [&](const part &p) {
        const sl_shape shape = r.shape_of(p);
        if (y.scalar_type() == x.scalar_type())
            return narrow(from + r.at(p), writable<S>(y) + r.dense_at(p), shape);
        return wide(from + r.at(p), y.mutable_data_ptr<typename S::L>() + r.dense_at(p), shape);
    });
    failed.check(op);
}

at::Tensor map(const at::Tensor &x, int64_t dim, std::optional<at::ScalarType> type, const char *op,
               bool logarithm)
{
    check_cpu(x, op, "input");
    const int64_t axis = at::maybe_wrap_dim(dim, x.dim());
    const at::ScalarType result = type.value_or(x.scalar_type());
    return by_type(x, op, "input", [&](auto lib) {
        using S = decltype(lib);
        TORCH_CHECK_TYPE(result == x.scalar_type() || result == S::loss_type, "softlane.", op,
                         ": dtype must be that of the input or, of 16 bits, float32, not ", result);
        const at::Tensor y = at::empty(x.sizes(), x.options().dtype(result));
        const rows r = rows_of(x, axis);
        if (logarithm)
            map_rows<S>(x, r, y, S::log_softmax, S::log_softmax_wide, op);
        else
            map_rows<S>(x, r, y, S::softmax, S::softmax_wide, op);
        return y;
    });
}

at::Tensor map_backward(const at::Tensor &dy, const at::Tensor &y, int64_t dim, const char *op,
                        bool logarithm)
{
    check_cpu(dy, op, "grad_output");
    check_cpu(y, op, "output");
    TORCH_CHECK(dy.sizes() == y.sizes(), "softlane.", op, ": grad_output must have the shape of output");
    TORCH_CHECK_TYPE(dy.scalar_type() == y.scalar_type(), "softlane.", op,
                     ": grad_output must have the type of output");
    const int64_t axis = at::maybe_wrap_dim(dim, y.dim());
    return by_type(y, op, "output", [&](auto lib) {
        using S = decltype(lib);
        const at::Tensor dense = y.contiguous(), dense_dy = dy.contiguous(),
                         dx = at::empty(y.sizes(), y.options());
        const rows r = rows_of(dense, axis);
        const auto backward = logarithm ? S::log_softmax_backward : S::softmax_backward;
        failure failed;
        for_rows(r, &failed, [&](const part &p) {
            const int64_t at = r.dense_at(p);
            return backward(elements<S>(dense) + at, elements<S>(dense_dy) + at, writable<S>(dx) + at,
                            r.shape_of(p));
        });
        failed.check(op);
        return dx;
    });
}

} // namespace

at::Tensor softmax_forward(const at::Tensor &x, int64_t dim, std::optional<at::ScalarType> type)
{
    return map(x, dim, type, "softmax", false);
}

at::Tensor log_softmax_forward(const at::Tensor &x, int64_t dim, std::optional<at::ScalarType> type)
{
    return map(x, dim, type, "log_softmax", true);
}

at::Tensor softmax_backward(const at::Tensor &dy, const at::Tensor &y, int64_t dim)
{
    return map_backward(dy, y, dim, "softmax_backward", false);
}

at::Tensor log_softmax_backward(const at::Tensor &dy, const at::Tensor &y, int64_t dim)
{
    return map_backward(dy, y, dim, "log_softmax_backward", true);
}

} // namespace softlane
