/* SPDX-License-Identifier: MIT
 *
 * The stack that a call takes, whatever the kernel, the ISA, the shape and the options: at most 32 KiB, as softlane.h says, of which
 * the public function in front of the kernel has one. Every call runs in a thread whose stack was filled with a pattern; what has
 * been written over tells.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

enum { STACK_BYTES = 31 << 10, STACK = 1 << 17, PATTERN = 0xa5 };

typedef struct {
    const kernel *k;
    const isa *on;
    const call *c;
} task;

static unsigned char *stack;

static void *run_task(void *of)
{
    const task *t = of;
    if (t->c)
        run(t->k, t->on, t->c);
    return NULL;
}

/* Bytes of the stack that a thread writes, from its top on. */
static size_t written_by(const task *t)
{
    pthread_attr_t attributes;
    pthread_t thread;
    memset(stack, PATTERN, STACK);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run_task, (void *)t), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    size_t i = 0;
    while (i < STACK && stack[i] == PATTERN)
        i++;
    return STACK - i;
}

static size_t largest;
static char largest_name[64];

static void small_stack(const kernel *k, const isa *on)
{
    const sl_shape shapes[] = {
        sl_rows(1, 10),       sl_rows(17, 3),      sl_rows(40, 32),    sl_rows(1, 33),
        sl_rows(33, 100),     sl_rows(17, 512),    sl_rows(5, 1000),   sl_rows(3, 4096),
        sl_rows(2, 5000),     sl_axis(2, 10, 70),  sl_axis(1, 33, 65), sl_axis(1, 64, 130),
        sl_axis(1, 100, 128), sl_axis(1, 300, 64), sl_axis(2, 40, 5),
    };
    generator g = {k->index};
    size_t worst = 0;
    if (INSTRUMENTED) {
        print_message("skipped: instrumented code, and code without optimisation, takes more\n");
        skip();
    }
    const task nothing = {k, on, NULL};
    const size_t without = written_by(&nothing);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t v = 0; v < call_spec_count(k); v++) {
            if (v != 0 && !is_chosen(k, i + 5 * v, effort(2, 10)))
                continue;
            const size_t n = shapes[i].outer * shapes[i].classes * shapes[i].inner;
            workload w;
            workload_make(&w, k, call_spec_at(k, v),
                          takes_shape(k, shapes[i]) ? shapes[i]
                          : k->one_row              ? sl_rows(1, n)
                                                    : sl_rows(rows(shapes[i]), shapes[i].classes),
                          distribution_at((i + v) % distribution_count()), &g);
            for (int streams = 0; streams < 2; streams++) {
                const task t = {k, on, &w.c};
                next_run_streams(streams);
                const size_t with = written_by(&t);
                if (with > without && with - without > worst)
                    worst = with - without;
                if (with > without + STACK_BYTES)
                    fail_msg("%s/%s, %zu x %zu x %zu, %s: %zu bytes of stack", k->name, on->name,
                             w.c.shape.outer, w.c.shape.classes, w.c.shape.inner, call_spec_at(k, v)->name,
                             with - without);
            }
            workload_free(&w);
        }
    if (worst > largest) {
        largest = worst;
        snprintf(largest_name, sizeof largest_name, "%s/%s", k->name, on->name);
    }
}

/* A function that writes as much as is allowed is seen to. */
static __attribute__((noinline)) void *write_much(void *of)
{
    volatile unsigned char bytes[STACK_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    return of;
}

static void it_is_seen(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    memset(stack, PATTERN, STACK);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, STACK);
    assert_int_equal(pthread_create(&thread, &attributes, write_much, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    size_t i = 0;
    while (stack[i] == PATTERN)
        i++;
    assert_true(STACK - i > STACK_BYTES);
}

static void report(void) { print_message("largest: %zu bytes, %s\n", largest, largest_name); }

int main(void)
{
    const topic topics[] = {
        {.name = "seen", .once = it_is_seen},
        {.name = "stack", .cell = small_stack},
        {.name = "report", .once = report},
    };
    if (posix_memalign((void **)&stack, 4096, STACK)) {
        fputs("no memory\n", stderr);
        return 1;
    }
    return run_test_matrix("stack", topics, sizeof topics / sizeof *topics);
}
