/* SPDX-License-Identifier: MIT
 *
 * See story.h.
 */
#include "story.h"

#include <stdio.h>
#include <stdlib.h>

bool show_all, story_failed;

void show(const char *name, size_t n, const double *values)
{
    if (n > 12 && !show_all)
        return;
    printf("%s:", name);
    for (size_t i = 0; i < n; i++)
        printf(" %.9g", values[i]);
    printf("\n");
}

void show_floats(const char *name, size_t n, const float *values)
{
    double wide[64];
    for (size_t i = 0; i < n; i++)
        wide[i] = values[i];
    show(name, n, wide);
}

void expect(bool so, const char *what)
{
    if (!so)
        printf("NOT SO: %s\n", what);
    story_failed |= !so;
}

void call(sl_status status)
{
    if (status != SL_OK) {
        fprintf(stderr, "%s\n", sl_status_string(status));
        exit(1);
    }
}

int likeliest(const float *row)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (row[c] > row[best])
            best = c;
    return best;
}
