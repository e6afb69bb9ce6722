/* SPDX-License-Identifier: MIT
 *
 * See cmocka.h. What it prints is what cmocka prints.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *current; /* the test that runs */

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                            int (*setup)(void **state), int (*teardown)(void **state))
{
    (void)setup, (void)teardown;
    printf("[==========] %s: Running %zu test(s).\n", group, count);
    for (size_t i = 0; i < count; i++) {
        void *state = tests[i].initial_state;
        current = tests[i].name;
        printf("[ RUN      ] %s\n", current);
        tests[i].test_func(&state);
        printf("[       OK ] %s\n", current);
    }
    printf("[==========] %s: %zu test(s) run.\n[  PASSED  ] %zu test(s).\n", group, count, count);
    return 0;
}

void print_message(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
}

void print_error(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
}

void cmocka_fail(const char *file, int line)
{
    fflush(stdout);
    fprintf(stderr, "[   LINE   ] --- %s:%d: error: Failure!\n[  FAILED  ] %s\n", file, line, current);
    exit(1);
}

void cmocka_true(intmax_t truth, const char *text, const char *file, int line)
{
    if (truth)
        return;
    print_error("%s\n", text);
    cmocka_fail(file, line);
}

void cmocka_equal(uintmax_t a, uintmax_t b, int want_equal, const char *file, int line)
{
    if ((a == b) == want_equal)
        return;
    print_error("%#jx %s %#jx\n", a, want_equal ? "!=" : "==", b);
    cmocka_fail(file, line);
}

void cmocka_same_string(const char *a, const char *b, int want_equal, const char *file, int line)
{
    if ((strcmp(a, b) == 0) == want_equal)
        return;
    print_error("\"%s\" %s \"%s\"\n", a, want_equal ? "!=" : "==", b);
    cmocka_fail(file, line);
}

void cmocka_same_memory(const void *a, const void *b, size_t size, const char *file, int line)
{
    if (memcmp(a, b, size) == 0)
        return;
    print_error("%zu bytes differ\n", size);
    cmocka_fail(file, line);
}
