/* SPDX-License-Identifier: MIT
 *
 * POSIX threads, started for each loop: thread i takes parts i, i + threads, i + 2 threads ... What they compute is in parts.c.
 */
#include "parts.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct {
    size_t first, step, parts;
    part_of_work *run;
    void *work;
} share;

static void *take_share(void *of_thread)
{
    const share *s = of_thread;
    for (size_t i = s->first; i < s->parts; i += s->step)
        s->run(s->work, i);
    return NULL;
}

static void in_parallel(size_t threads, size_t parts, part_of_work *run, void *work)
{
    pthread_t id[MOST_THREADS];
    share of[MOST_THREADS] = {{0, threads, parts, run, work}};
    for (size_t i = 1; i < threads; i++) {
        of[i] = (share){i, threads, parts, run, work};
        if (pthread_create(&id[i], NULL, take_share, &of[i]) != 0)
            exit(1);
    }
    take_share(&of[0]);
    for (size_t i = 1; i < threads; i++)
        pthread_join(id[i], NULL);
}

int main(int argc, char **argv) { return run_example(argc, argv, "threads", "POSIX threads", in_parallel); }
