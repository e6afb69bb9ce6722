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
#include "usage.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *const arguments = "[--all] " FOLDER_OF_DIGITS;
    answer_help(argc, argv, arguments, "The numbers of docs/why_softmax.md; --all: the long ones, too.");
    if (argc > 1 && strcmp(argv[1], "--all") == 0) {
        show_all = true;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    refuse_more(argc, argv, 1, arguments);
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
