/* SPDX-License-Identifier: MIT
 *
 * Why softmax goes with categorical cross-entropy and sigmoid with binary cross-entropy: every number of
 * docs/why_softmax.md. Prints lines "name: value...", for people and for scripts/figures.py, which wants the long ones,
 * too (--all).
 *
 * Exponentials, logarithms, losses and gradients are the library's, from end to end; products of matrices and sums are
 * plain C without contraction. So the numbers are the same to the last digit on all CPUs with a fused multiply-add.
 */
#include "story.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--all") == 0) {
        show_all = true;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "usage: %s [--all] [FOLDER of the digits, tests/data]\n", argv[0]);
        return 2;
    }
    read_digits(argc, argv);
    printf("# %s\n", sl_isa(NULL)->isa);
    same_logits();
    comparison();
    one_right_class();
    several_labels();
    surface();
    chain_rule();
    loss_and_cost();
    return story_failed;
}
