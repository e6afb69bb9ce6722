/* SPDX-License-Identifier: MIT
 *
 * What the parts of why_softmax.c share, and the parts.
 */
#ifndef SL_EXAMPLES_STORY_H
#define SL_EXAMPLES_STORY_H

#include "digits.h"

#include <softlane.h>
#include <stdbool.h>

/* Long lines, too. */
extern bool show_all;

/* What the story says has turned out not to be so. */
extern bool story_failed;

/* Prints "name: value..."; more than 12 values only if all are wanted. */
void show(const char *name, size_t n, const double *values);
void show_floats(const char *name, size_t n, const float *values); /* at most 64 */

#define SHOW(name, ...)                                                                                      \
    show(name, sizeof(double[]){__VA_ARGS__} / sizeof(double), (const double[]){__VA_ARGS__})

void expect(bool so, const char *what);

/* Ends the program if softlane has refused a call. */
void call(sl_status status);

int likeliest(const float *row);

/* The parts, in order. */
void same_logits(void);
void comparison(void);
void one_right_class(void);
void several_labels(void);
void surface(void);
void chain_rule(void);
void loss_and_cost(void);

#endif
