/* SPDX-License-Identifier: MIT
 *
 * The same in C++, overloaded by type as C++ would have it.
 */
#include <softlane.h>

#include <cmath>
#include <iostream>
#include <vector>

namespace
{

sl_status softmax(const std::vector<float> &x, std::vector<float> &y, sl_shape shape)
{
    return sl_softmax_f32(x.data(), y.data(), shape);
}

sl_status softmax(const std::vector<double> &x, std::vector<double> &y, sl_shape shape)
{
    return sl_softmax_f64(x.data(), y.data(), shape);
}

template <class T> bool works()
{
    const std::vector<T> logits{T(2), T(1), T(0.1)};
    std::vector<T> p(3);
    const sl_status status = softmax(logits, p, sl_rows(1, 3));
    std::cout << sl_isa(nullptr)->isa << ": " << sl_status_string(status) << ": " << p[0] << ' ' << p[1]
              << ' ' << p[2] << '\n';
    return status == SL_OK && std::abs(p[0] - T(0.659)) < T(0.001) &&
           std::abs(p[0] + p[1] + p[2] - 1) < T(1e-6);
}

} // namespace

int main() { return works<float>() && works<double>() ? 0 : 1; }
