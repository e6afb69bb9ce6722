/* SPDX-License-Identifier: MIT
 *
 * What the tests use of cmocka, for targets that no package of it is made for (CMakeLists.txt). Where there is no setjmp, the
 * first test that fails ends the program.
 */
#ifndef SOFTLANE_STAND_IN_CMOCKA_H
#define SOFTLANE_STAND_IN_CMOCKA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(function) ((struct CMUnitTest){#function, function, NULL})
#define cmocka_run_group_tests(tests, set_up, tear_down)                                                     \
    cmocka_run_group_tests_name(#tests, tests, set_up, tear_down)
#define cmocka_run_group_tests_name(name, tests, set_up, tear_down)                                          \
    _cmocka_run_group_tests(name, tests, sizeof tests / sizeof *tests, set_up, tear_down)

/* How many tests have failed. No test of softlane's sets anything up for its group: NULL twice. */
int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                            int (*set_up)(void **), int (*tear_down)(void **));

_Noreturn void stand_in_skip(void);
__attribute__((format(printf, 3, 4))) _Noreturn void stand_in_fail(const char *file, int line,
                                                                   const char *format, ...);

#define skip() stand_in_skip()
#define fail_msg(...) stand_in_fail(__FILE__, __LINE__, __VA_ARGS__)
#define print_message(...) printf(__VA_ARGS__)
#define print_error(...) fprintf(stderr, __VA_ARGS__)

#define assert_true(truth) ((truth) ? (void)0 : fail_msg("not so: %s", #truth))
#define assert_false(truth) assert_true(!(truth))
#define assert_null(pointer) assert_true((pointer) == NULL)
#define assert_non_null(pointer) assert_true((pointer) != NULL)
#define assert_int_not_equal(a, b) assert_true((uintmax_t)(a) != (uintmax_t)(b))
#define assert_string_not_equal(a, b) assert_true(strcmp(a, b) != 0)
#define assert_memory_equal(a, b, size) assert_true(memcmp(a, b, size) == 0)
#define assert_ptr_equal(a, b) assert_int_equal((uintptr_t)(a), (uintptr_t)(b))

/* These evaluate their arguments once, and say what they are. */
#define assert_int_equal(a, b)                                                                               \
    stand_in_same_integer(__FILE__, __LINE__, #a, #b, (uintmax_t)(a), (uintmax_t)(b))
#define assert_in_range(value, least, most)                                                                  \
    stand_in_range(__FILE__, __LINE__, #value, (uintmax_t)(value), (uintmax_t)(least), (uintmax_t)(most))
#define assert_string_equal(a, b) stand_in_same_string(__FILE__, __LINE__, a, b)
void stand_in_same_integer(const char *file, int line, const char *name_a, const char *name_b, uintmax_t a,
                           uintmax_t b);
void stand_in_range(const char *file, int line, const char *name, uintmax_t value, uintmax_t least,
                    uintmax_t most);
void stand_in_same_string(const char *file, int line, const char *a, const char *b);

#endif
