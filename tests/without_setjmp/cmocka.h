/* SPDX-License-Identifier: MIT
 *
 * What the tests use of cmocka, where there is no setjmp (WebAssembly): the first failure ends the program, and no test can be
 * skipped.
 */
#ifndef CMOCKA_H
#define CMOCKA_H

#include <stdint.h>
#include <stdnoreturn.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state), (*teardown_func)(void **state);
    void *initial_state;
};

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                            int (*setup)(void **state), int (*teardown)(void **state));

__attribute__((format(printf, 1, 2))) void print_message(const char *format, ...);
__attribute__((format(printf, 1, 2))) void print_error(const char *format, ...);

noreturn void cmocka_fail(const char *file, int line);
void cmocka_true(intmax_t truth, const char *text, const char *file, int line);
void cmocka_equal(uintmax_t a, uintmax_t b, int want_equal, const char *file, int line);
void cmocka_same_string(const char *a, const char *b, int want_equal, const char *file, int line);
void cmocka_same_memory(const void *a, const void *b, size_t size, const char *file, int line);

#define fail() cmocka_fail(__FILE__, __LINE__)
#define fail_msg(...) (print_error("ERROR: " __VA_ARGS__), print_error("\n"), fail())
#define assert_true(truth) cmocka_true((truth) ? 1 : 0, #truth, __FILE__, __LINE__)
#define assert_false(truth) cmocka_true((truth) ? 0 : 1, "!(" #truth ")", __FILE__, __LINE__)
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_int_equal(a, b) cmocka_equal((uintmax_t)(a), (uintmax_t)(b), 1, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) cmocka_equal((uintmax_t)(a), (uintmax_t)(b), 0, __FILE__, __LINE__)
#define assert_ptr_equal(a, b) cmocka_equal((uintptr_t)(a), (uintptr_t)(b), 1, __FILE__, __LINE__)
#define assert_string_equal(a, b) cmocka_same_string(a, b, 1, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) cmocka_same_string(a, b, 0, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size) cmocka_same_memory(a, b, size, __FILE__, __LINE__)

#endif
