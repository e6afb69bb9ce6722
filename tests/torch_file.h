/* SPDX-License-Identifier: MIT
 *
 * Reads tests/data/torch_cases.txt, whose format scripts/make_torch_cases.py describes. SOFTLANE_TEST_DATA, the
 * directory, comes from the build. Anything unexpected fails the test, naming the line.
 */
#ifndef TORCH_FILE_H
#define TORCH_FILE_H

#include "test_matrix.h"

#define TORCH_FILE SOFTLANE_TEST_DATA "/torch_cases.txt"

/* The lines of numbers in a case; PyTorch's and softlane's own are of OUTPUTS each. */
enum {
    LINE_X,
    LINE_SECOND,
    LINE_WEIGHT,
    LINE_POS_WEIGHT,
    LINE_UPSTREAM,
    LINE_MASK,
    LINE_FIRST,
    LINE_LENGTH,
    LINE_SINK,
    LINE_PYTORCH,
    LINE_SOFTLANE = LINE_PYTORCH + OUTPUTS,
    LINES = LINE_SOFTLANE + OUTPUTS
};

typedef struct {
    const double *at; /* NULL: not in the case */
    size_t count;
} numbers;

typedef struct {
    size_t line;
    const char *title;
    size_t row; /* in kernels.def */
    sl_shape shape;
    sl_loss_options options; /* without arrays, as these: */
    sl_softmax_options row_options;
    numbers lines[LINES]; /* what the kernel needs is there, and each has the length that the shape says */
    const char *differs;  /* why softlane deliberately gives what LINE_SOFTLANE has; NULL: it does not */
} torch_case;

/* Never freed. */
const torch_case *read_torch_file(size_t *count);

#endif
