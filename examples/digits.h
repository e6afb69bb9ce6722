/* SPDX-License-Identifier: MIT
 *
 * The data of the examples: 1797 handwritten digits of 8x8 pixels (UCI, scripts/make_digits.py), in an order drawn at
 * random that is always the same.
 */
#ifndef SL_EXAMPLES_DIGITS_H
#define SL_EXAMPLES_DIGITS_H

#include <stdint.h>

enum {
    IMAGES = 1797,
    TRAINING = 1347, /* the first three quarters are to be learned from, the others to be tested with */
    PIXELS = 64,
    CLASSES = 10
};

extern float images[IMAGES][PIXELS];  /* ink, from 0 to 1 */
extern float logits[IMAGES][CLASSES]; /* what a classifier says of them */
extern int64_t labels[IMAGES];        /* what they are */

/* Their argument. */
#define FOLDER_OF_DIGITS "[FOLDER of the digits, tests/data]"

/* Reads them from the folder that the command line names, else from tests/data; or ends the program with 2. What it
 * prints is checked at its exit (check_output.h). */
void read_digits(int argc, char **argv);

/* Uniform in [-1, 1): a linear congruential generator, so that all machines draw the same. */
float noise(void);

#endif
