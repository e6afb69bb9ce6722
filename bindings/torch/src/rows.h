/* SPDX-License-Identifier: MIT
 *
 * Tensors as softlane's shapes, and how their rows are cut into chunks for threads.
 *
 * Chunks depend on the shape alone, never on the number of threads: the loss of each is one call, and they are added in the order
 * of their indices. So a reduced loss has the same bits for any number of threads; what belongs to rows or elements has them
 * for any cut.
 */
#ifndef SOFTLANE_TORCH_ROWS_H
#define SOFTLANE_TORCH_ROWS_H

#include "library.h"

#include <atomic>
#include <cstdint>
#include <torch/csrc/stable/c/shim.h>

namespace at
{
int get_num_threads(); /* of ATen/Parallel.h, which wants OpenMP */
}

namespace softlane
{

/* Blocks of rows: `outers` of them from `outer` on, of each the `inners` positions from `inner` on. Either of them is one, or the
 * other covers all that there is: rows are neighbours. */
struct part {
    int64_t outer, outers, inner, inners;
};

/* A tensor with its classes along one axis. */
struct rows {
    at::Tensor held; /* what is read; a copy if the elements lie in a way that softlane has no shape for */
    int64_t outer, classes, inner, outer_stride, class_stride;
    bool whole_blocks = false; /* chunks are: there is a value for each element, too */

    int64_t count() const { return outer * inner; }
    int64_t size() const { return outer * classes * inner; }

    /* Elements from the first one to a part's, where it is read and where it is dense. */
    int64_t at(const part &p) const { return p.outer * outer_stride + p.inner; }
    int64_t dense_at(const part &p) const { return p.outer * classes * inner + p.inner; }
    int64_t row_of(const part &p) const { return p.outer * inner + p.inner; }

    bool is_dense() const { return class_stride == inner && outer_stride == classes * inner; }

    sl_shape shape_of(const part &p) const
    {
        sl_shape s = sl_axis((size_t)p.outers, (size_t)classes, (size_t)p.inners);
        if (p.inners != inner || !is_dense()) {
            s.in = {(ptrdiff_t)outer_stride, (ptrdiff_t)class_stride};
            s.out = {(ptrdiff_t)(classes * inner), (ptrdiff_t)inner};
        }
        return s;
    }
};

/* The rows of x, whose classes are at `axis`. */
rows rows_of(const at::Tensor &x, int64_t axis);

/* The rows of a dense tensor. */
rows dense_rows(const at::Tensor &x, int64_t outer, int64_t classes, int64_t inner);

class chunks
{
    int64_t outer_, inner_, outers_, inners_, cuts_, n_;

  public:
    explicit chunks(const rows &r);
    int64_t size() const { return n_; }
    bool is_cut() const { return cuts_ > 1; } /* within blocks: chunks are no neighbours as a whole */
    part operator[](int64_t i) const
    {
        const int64_t outer = i / cuts_ * outers_, inner = i % cuts_ * inners_;
        return {outer, std::min(outers_, outer_ - outer), inner, std::min(inners_, inner_ - inner)};
    }
    /* Neighbours as one part. */
    part from_to(int64_t begin, int64_t end) const
    {
        const int64_t outer = begin * outers_;
        return {outer, std::min(end * outers_, outer_) - outer, 0, inner_};
    }
};

/* f(begin, end) for parts of 0 to n - 1, by PyTorch's threads; f throws nothing. */
template <class F> void in_parallel(int64_t n, F f)
{
    if (n <= 1 || at::get_num_threads() == 1) {
        if (n > 0)
            f(0, n);
        return;
    }
    const auto call = [](int64_t begin, int64_t end, void *of) { (*static_cast<F *>(of))(begin, end); };
    TORCH_CHECK(torch_parallel_for(0, n, 1, call, &f) == 0, "softlane: PyTorch's threads failed");
}

/* The first failure of all threads. */
class failure
{
    std::atomic<int> status_{SL_OK};

  public:
    void note(sl_status status)
    {
        int none = SL_OK;
        if (status != SL_OK)
            status_.compare_exchange_strong(none, status);
    }
    sl_status status() const { return (sl_status)status_.load(); }
    void check(const char *op) const
    {
        TORCH_CHECK(status() == SL_OK, "softlane.", op, ": ", sl_status_string(status()));
    }
};

/* f(part), which returns a status, for all rows: each chunk by itself, or neighbours at once where only rows count. */
template <class F> void for_rows(const rows &r, failure *failed, F f)
{
    const chunks all(r);
    in_parallel(all.size(), [&](int64_t begin, int64_t end) {
        if (!all.is_cut())
            failed->note(f(all.from_to(begin, end)));
        else
            for (int64_t i = begin; i < end; i++)
                failed->note(f(all[i]));
    });
}

} // namespace softlane

#endif
