/* SPDX-License-Identifier: MIT */
#include "threads.h"

#include "arguments.h"
#include "topology.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

static struct {
    atomic_uint generation, left; /* of the job; parts that are not done */
    unsigned parts;
    threads_part *run;
    void *user;
} job;
static unsigned threads = 1; /* the caller's is one */

/* Beside other programs on a busy machine a waiting thread gives way. */
static void wait_a_little(unsigned *spins)
{
    if (++*spins % 4096 == 0)
        sched_yield();
}

static void *work(void *number)
{
    const unsigned part = (unsigned)(size_t)number;
    topology_bind_thread(part);
    for (unsigned seen = 0;;) {
        for (unsigned spins = 0; atomic_load_explicit(&job.generation, memory_order_acquire) == seen;)
            wait_a_little(&spins);
        seen++;
        if (part < job.parts)
            job.run(part, job.parts, job.user);
        atomic_fetch_sub_explicit(&job.left, 1, memory_order_release);
    }
    return NULL;
}

void threads_start(unsigned count)
{
    for (; threads < count; threads++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, (void *)(size_t)threads) != 0)
            refuse("--threads: cannot start thread %u", threads + 1);
        pthread_detach(thread);
    }
}

void threads_run(unsigned parts, threads_part *run, void *user)
{
    if (parts > 1) {
        job.parts = parts;
        job.run = run;
        job.user = user;
        atomic_store_explicit(&job.left, threads - 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&job.generation, 1, memory_order_release);
    }
    run(0, parts, user);
    for (unsigned spins = 0; parts > 1 && atomic_load_explicit(&job.left, memory_order_acquire) > 0;)
        wait_a_little(&spins);
}
