/* SPDX-License-Identifier: MIT
 *
 * A pool of threads that a program may have already: they wait for work, and each takes the next part that nobody has. The caller works,
 * too. What they compute is in parts.c.
 */
#include "parts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Workers 1 to MOST_THREADS - 1. Everything but `next` is guarded by `lock`. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t has_work, is_done;
    unsigned long round; /* of work */
    size_t threads, busy, parts;
    part_of_work *run;
    void *work;
    bool ends;
    pthread_t id[MOST_THREADS];
    atomic_size_t next;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .has_work = PTHREAD_COND_INITIALIZER,
          .is_done = PTHREAD_COND_INITIALIZER};

static void take_parts(part_of_work *run, void *work, size_t parts)
{
    for (size_t i; (i = atomic_fetch_add(&pool.next, 1)) < parts;)
        run(work, i);
}

static void *worker(void *number)
{
    const size_t mine = *(const size_t *)number;
    unsigned long done = 0;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (!pool.ends && (pool.round == done || mine >= pool.threads))
            pthread_cond_wait(&pool.has_work, &pool.lock);
        if (pool.ends)
            break;
        done = pool.round;
        part_of_work *run = pool.run;
        void *work = pool.work;
        const size_t parts = pool.parts;
        pthread_mutex_unlock(&pool.lock);
        take_parts(run, work, parts);
        pthread_mutex_lock(&pool.lock);
        if (--pool.busy == 0)
            pthread_cond_signal(&pool.is_done);
    }
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

static void in_parallel(size_t threads, size_t parts, part_of_work *run, void *work)
{
    pthread_mutex_lock(&pool.lock);
    pool.run = run;
    pool.work = work;
    pool.parts = parts;
    pool.threads = threads;
    pool.busy = threads - 1;
    pool.round++;
    atomic_store(&pool.next, 0);
    if (threads > 1)
        pthread_cond_broadcast(&pool.has_work);
    pthread_mutex_unlock(&pool.lock);
    take_parts(run, work, parts);
    pthread_mutex_lock(&pool.lock);
    while (pool.busy != 0)
        pthread_cond_wait(&pool.is_done, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

static void start(void)
{
    static size_t number[MOST_THREADS];
    for (size_t i = 1; i < MOST_THREADS; i++) {
        number[i] = i;
        if (pthread_create(&pool.id[i], NULL, worker, &number[i]) != 0)
            exit(1);
    }
}

static void stop(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.ends = true;
    pthread_cond_broadcast(&pool.has_work);
    pthread_mutex_unlock(&pool.lock);
    for (size_t i = 1; i < MOST_THREADS; i++)
        pthread_join(pool.id[i], NULL);
}

int main(int argc, char **argv)
{
    start();
    const int code = run_example(argc, argv, "threads_pool", "a pool of threads", in_parallel);
    stop();
    return code;
}
