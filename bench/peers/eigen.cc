/* SPDX-License-Identifier: MIT
 *
 * Eigen's array expressions, row by row. Beside the benchmark's shim the only C++: Eigen has nothing else.
 */
#include "peers.h"

#include <Eigen/Core>

namespace
{

using row = Eigen::Map<const Eigen::ArrayXf>;
using output = Eigen::Map<Eigen::ArrayXf>;

Eigen::Index size(size_t n) { return static_cast<Eigen::Index>(n); }

void softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes, y += s.classes) {
        row from(x, size(s.classes));
        output to(y, size(s.classes));
        to = (from - from.maxCoeff()).exp();
        to *= 1 / to.sum();
    }
}

void log_softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes, y += s.classes) {
        row from(x, size(s.classes));
        const float max = from.maxCoeff();
        output(y, size(s.classes)) = from - (max + std::log((from - max).exp().sum()));
    }
}

void logsumexp(const float *x, float *lse, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes) {
        row from(x, size(s.classes));
        const float max = from.maxCoeff();
        lse[r] = max + std::log((from - max).exp().sum());
    }
}

void cross_entropy(const float *x, const int64_t *target, sl_shape s, const sl_loss_options *o, float *loss,
                   float *grad)
{
    const bool mean = o->reduction == SL_MEAN;
    const float scale = mean ? 1 / static_cast<float>(s.outer) : 1;
    double total = 0;
    for (size_t r = 0; r < s.outer; r++, x += s.classes) {
        row from(x, size(s.classes));
        const float max = from.maxCoeff();
        float sum;
        if (grad) {
            output to(grad, size(s.classes));
            to = (from - max).exp();
            sum = to.sum();
            to *= scale / sum;
            grad[target[r]] -= scale;
            grad += s.classes;
        } else {
            sum = (from - max).exp().sum();
        }
        const float one = std::log(sum) - (x[target[r]] - max);
        total += one;
        if (loss && !mean)
            loss[r] = one;
    }
    if (loss && mean)
        *loss = static_cast<float>(total / static_cast<double>(s.outer));
}

void sigmoid(const float *x, float *y, size_t n)
{
    output(y, size(n)) = row(x, size(n)).unaryExpr(Eigen::internal::scalar_logistic_op<float>());
}

sl_kernels table()
{
    sl_kernels t = {};
    t.isa = "eigen";
    t.softmax_f32 = softmax;
    t.log_softmax_f32 = log_softmax;
    t.logsumexp_f32 = logsumexp;
    t.cross_entropy_f32 = cross_entropy;
    t.sigmoid_f32 = sigmoid;
    return t;
}

} // namespace

extern "C" const sl_kernels peer_eigen = table();
