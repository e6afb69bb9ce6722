/* SPDX-License-Identifier: MIT
 *
 * See rows.h.
 */
#include "rows.h"

#include <algorithm>

namespace softlane
{

namespace
{

/* Some neighbouring axes as one: so many elements, so far apart. */
struct axis_run {
    int64_t count = 1, stride = 0;
    bool is_one = true;
};

axis_run run_of(const at::Tensor &x, int64_t begin, int64_t end)
{
    axis_run run;
    for (int64_t d = end; d-- > begin;) {
        if (x.size(d) == 1)
            continue;
        if (run.count == 1)
            run.stride = x.stride(d);
        else if (x.stride(d) != run.stride * run.count)
            run.is_one = false;
        run.count *= x.size(d);
    }
    return run;
}

int64_t up_to(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

} // namespace

rows dense_rows(const at::Tensor &x, int64_t outer, int64_t classes, int64_t inner)
{
    return {x, outer, classes, inner, classes * inner, inner};
}

rows rows_of(const at::Tensor &x, int64_t axis)
{
    if (x.dim() == 0)
        return dense_rows(x, 1, 1, 1);
    const axis_run before = run_of(x, 0, axis), behind = run_of(x, axis + 1, x.dim());
    const int64_t classes = x.size(axis);
    if (x.numel() == 0 || x.is_contiguous())
        return dense_rows(x.contiguous(), before.count, classes, behind.count);
    const int64_t class_stride = classes > 1 ? x.stride(axis) : behind.count;
    const int64_t block = (classes - 1) * class_stride + behind.count;
    const bool is_shape = before.is_one && behind.is_one && (behind.count == 1 || behind.stride == 1) &&
                          class_stride >= behind.count && (behind.count > 1 || class_stride == 1) &&
                          (before.count == 1 || before.stride >= block);
    if (!is_shape)
        return dense_rows(x.contiguous(), before.count, classes, behind.count);
    return {x, before.count, classes, behind.count, before.count > 1 ? before.stride : block, class_stride};
}

chunks::chunks(const rows &r)
{
    constexpr int64_t least_elements = 65536, most_chunks = 64, together = 16, line = 64;
    const int64_t goal = std::max(least_elements, (r.size() + most_chunks - 1) / most_chunks);
    const int64_t classes = std::max<int64_t>(r.classes, 1), block = classes * std::max<int64_t>(r.inner, 1);
    outer_ = r.outer;
    inner_ = inners_ = r.inner;
    outers_ = (goal + block - 1) / block;
    if (outers_ > together)
        outers_ = up_to(outers_, together);
    if (r.inner > 1 && block > goal && !r.whole_blocks)
        inners_ = std::min(r.inner, up_to((goal + classes - 1) / classes, line));
    cuts_ = inners_ > 0 ? (inner_ + inners_ - 1) / inners_ : 1;
    if (cuts_ > 1)
        outers_ = 1;
    n_ = r.count() == 0 ? 0 : (outer_ + outers_ - 1) / outers_ * cuts_;
}

} // namespace softlane
