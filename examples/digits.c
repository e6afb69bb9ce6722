/* SPDX-License-Identifier: MIT
 *
 * Reads the digits with the reader of .npy files in bench, which says what is wrong with one.
 */
#include "digits.h"

#include "check_output.h"
#include "npy.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

float images[IMAGES][PIXELS], logits[IMAGES][CLASSES];
int64_t labels[IMAGES];

static struct npy read_array(const char *folder, const char *file, enum npy_type type, size_t elements)
{
    char path[4096], error[4352];
    struct npy array;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, file) >= sizeof path)
        fprintf(stderr, "the name of the folder is too long\n");
    else if (!npy_read(path, type, &array, error, sizeof error))
        fprintf(stderr, "%s\n", error);
    else if (array.shape[0] * array.shape[1] != elements)
        fprintf(stderr, "%s: holds %zux%zu elements, need %zu\n", path, array.shape[0], array.shape[1],
                elements);
    else
        return array;
    exit(2);
}

static uint32_t draw(void)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

float noise(void) { return (float)draw() * 0x1p-23f - 1; }

void read_digits(int argc, char **argv)
{
    check_output_at_exit(argv[0]);
    refuse_more(argc, argv, 1, FOLDER_OF_DIGITS);
    const char *folder = argc == 2 ? argv[1] : "tests/data";
    struct npy pixels = read_array(folder, "digits_images.npy", NPY_U8, IMAGES * PIXELS);
    struct npy scores = read_array(folder, "digits_logits.npy", NPY_F32, IMAGES * CLASSES);
    struct npy digits = read_array(folder, "digits_labels.npy", NPY_I64, IMAGES);

    int from[IMAGES]; /* shuffled (Durstenfeld) */
    for (int i = 0; i < IMAGES; i++)
        from[i] = i;
    for (int i = IMAGES - 1; i > 0; i--) {
        const int j = (int)(draw() % (uint32_t)(i + 1)), kept = from[i];
        from[i] = from[j];
        from[j] = kept;
    }
    for (int i = 0; i < IMAGES; i++) {
        for (int k = 0; k < PIXELS; k++)
            images[i][k] = (float)((const uint8_t *)pixels.data)[from[i] * PIXELS + k] / 16;
        memcpy(logits[i], (const float *)scores.data + from[i] * CLASSES, sizeof logits[i]);
        labels[i] = ((const int64_t *)digits.data)[from[i]];
    }
    free(pixels.data);
    free(scores.data);
    free(digits.data);
}
