/* SPDX-License-Identifier: MIT
 *
 * See progress.h.
 */
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
    char what[32];
    time_t started, shown;
} task;

void progress_begin(const char *what)
{
    snprintf(task.what, sizeof task.what, "%s", what);
    task.started = task.shown = time(NULL);
}

void progress_show(double done)
{
    enum { WIDTH = 30 };
    static const char bar[] = "##############################";
    const time_t now = time(NULL);
    if (!isatty(STDERR_FILENO) || done <= 0 || now == task.shown)
        return;
    task.shown = now;
    done = fmin(done, 1);
    const long left = lround(difftime(now, task.started) * (1 - done) / done);
    fprintf(stderr, "\r%-24s [%-*.*s] %3.0f %%, %ld:%02ld left ", task.what, WIDTH, (int)(done * WIDTH), bar,
            100 * done, left / 60, left % 60);
}

void progress_clear(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%*s\r", 79, "");
    task.shown = 0;
}
