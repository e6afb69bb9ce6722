/* SPDX-License-Identifier: MIT
 *
 * See cmocka.h. Output looks like cmocka's.
 */
#include "cmocka.h"

#include <stdarg.h>
#include <stdlib.h>

enum { PASSED, SKIPPED, FAILED };

#ifdef __wasm__
static _Noreturn void leave(int how)
{
    if (how == SKIPPED)
        fprintf(stderr, "a test cannot be skipped here\n");
    exit(1);
}

static int run(const struct CMUnitTest *test)
{
    void *state = test->initial_state;
    test->test_func(&state);
    return PASSED;
}
#else
#include <setjmp.h>

static jmp_buf around; /* the test that runs */
static int is_running;

static _Noreturn void leave(int how)
{
    if (!is_running)
        exit(1);
    longjmp(around, how);
}

static int run(const struct CMUnitTest *test)
{
    void *state = test->initial_state;
    is_running = 1;
    const int how = setjmp(around);
    if (how == PASSED)
        test->test_func(&state);
    is_running = 0;
    return how;
}
#endif

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                            int (*set_up)(void **), int (*tear_down)(void **))
{
    static const char *const said[] = {"       OK", "  SKIPPED", "  FAILED "};
    size_t of[] = {0, 0, 0};
    if (set_up != NULL || tear_down != NULL)
        fail_msg("%s: groups are not set up here", group);
    printf("[==========] %s: Running %zu test(s).\n", group, count);
    for (size_t i = 0; i < count; i++) {
        printf("[ RUN      ] %s\n", tests[i].name);
        fflush(stdout);
        const int how = run(&tests[i]);
        of[how]++;
        printf("[%s ] %s\n", said[how], tests[i].name);
    }
    printf("[==========] %s: %zu test(s) run.\n[  PASSED  ] %zu test(s).\n", group, count, of[PASSED]);
    if (of[SKIPPED] > 0)
        printf("[  SKIPPED ] %s: %zu test(s).\n", group, of[SKIPPED]);
    if (of[FAILED] > 0)
        printf("[  FAILED  ] %s: %zu test(s).\n", group, of[FAILED]);
    fflush(stdout);
    return (int)of[FAILED];
}

_Noreturn void stand_in_skip(void) { leave(SKIPPED); }

_Noreturn void stand_in_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fprintf(stderr, "[  ERROR   ] ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n[   LINE   ] %s:%d: error: Failure!\n", file, line);
    leave(FAILED);
}

void stand_in_same_integer(const char *file, int line, const char *name_a, const char *name_b, uintmax_t a,
                           uintmax_t b)
{
    if (a != b)
        stand_in_fail(file, line, "%s is not %s: %#jx != %#jx", name_a, name_b, a, b);
}

void stand_in_range(const char *file, int line, const char *name, uintmax_t value, uintmax_t least,
                    uintmax_t most)
{
    if (value < least || value > most)
        stand_in_fail(file, line, "%s is %ju, not within %ju and %ju", name, value, least, most);
}

void stand_in_same_string(const char *file, int line, const char *a, const char *b)
{
    if (strcmp(a, b) != 0)
        stand_in_fail(file, line, "\"%s\" != \"%s\"", a, b);
}
