/* SPDX-License-Identifier: MIT
 *
 * The rule of bench/spread.h, and what benchmark_shim.h makes of it: what spreads is measured again, a bounded number of
 * times, and marked in the file if it still does. The "times" are from lists, so nothing depends on a clock.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "benchmark_shim.h"
#include "spread.h"

/* ------------------------------------------------------------------------------------------------- the rule */

static void check(size_t n, const double *values, double median, double low, double high, double percent)
{
    double x[16];
    memcpy(x, values, n * sizeof *x);
    const struct spread s = spread_of(x, n);
    assert_true(fabs(s.median - median) < 1e-12 && fabs(s.low - low) < 1e-12 && fabs(s.high - high) < 1e-12);
    assert_true(fabs(s.percent - percent) < 1e-9);
}

static void test_rule(void **state)
{
    (void)state;
    check(1, (double[]){3}, 3, 3, 3, -1); /* not known */
    check(2, (double[]){2, 1}, 1.5, 1.25, 1.75, 100 * 0.5 / 1.5);
    check(3, (double[]){4, 1, 2}, 2, 1.5, 3, 75);
    check(4, (double[]){4, 3, 1, 2}, 2.5, 1.75, 3.25, 60);
    check(9, (double[]){5, 5, 5, 100, 5, 5, 5, 5, 5}, 5, 5, 5, 0); /* one disturbed repetition */
    assert_false(spread_is_noise(spread_of((double[]){1}, 1)));
    assert_false(spread_is_noise(spread_of((double[]){1, 1.199, 1}, 3)));
    assert_true(spread_is_noise(spread_of((double[]){1, 1.201, 1}, 3)));
    assert_true(spread_is_noise(spread_of((double[]){1, NAN, 1}, 3)));
}

/* ----------------------------------------------------------------------------------------------- the rounds */

/* A benchmark that pretends: each repetition "takes" the next of these, and from the last on that. */
struct script {
    const char *name;
    double times[12];
    size_t count, next;
    size_t interrupts; /* in this call, if it is not 0 */
};

enum { AGAIN = 2, REPETITIONS = 3, SCRIPTS = 4 };
static struct script scripts[SCRIPTS] = {
    {"a/calm", {1, 1.01, 1.02}, 3, 0, 0},
    {"b/disturbed", {1, 3, 1}, 3, 0, 0}, /* the second round calms it */
    {"c/noisy", {1, 2, 3, 4, 1, 2, 3, 4, 1}, 9, 0, 0},
    {"d/left/out", {1, 2, 3}, 3, 0, 0}, /* by the filter */
};

static void pretend(bm_state *state, void *user)
{
    struct script *script = user;
    while (bm_keep_running(state))
        ;
    const size_t i = script->next < script->count ? script->next : script->count - 1;
    script->next++;
    if (script->next == script->interrupts)
        raise(SIGINT);
    bm_counter(state, "ns_per_element", script->times[i]);
}

static char *content_of(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part))) {
        count++;
        text += strlen(part);
    }
    return count;
}

/* How many objects of the file are named so and contain all that. */
static size_t entries(const char *json, const char *name, const char *has, const char *has_too)
{
    char wanted[128];
    size_t count = 0;
    snprintf(wanted, sizeof wanted, "\"run_name\": \"%s\"", name);
    for (const char *at = json; (at = strstr(at, wanted)); at++) {
        char entry[2048];
        const size_t length = strcspn(at, "}");
        assert_true(length < sizeof entry);
        memcpy(entry, at, length);
        entry[length] = '\0';
        count += strstr(entry, has) && strstr(entry, has_too);
    }
    return count;
}

static void test_rounds(void **state)
{
    (void)state;
    char path[] = "/tmp/softlane_noise_XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    char *flags[] = {"test",
                     "--benchmark_out=/dev/null",
                     "--benchmark_repetitions=3",
                     "--benchmark_min_time=0.000000001",
                     "--benchmark_filter=^./[a-z]+$",
                     NULL};
    int count = sizeof flags / sizeof *flags - 1;
    bm_initialize(&count, flags, NULL);
    assert_int_equal(count, 1);
    for (size_t i = 0; i < SCRIPTS; i++)
        bm_register(scripts[i].name, pretend, &scripts[i]);
    const struct bm_result result = bm_run(&(struct bm_options){.again = AGAIN,
                                                                .again_share = 1e9,
                                                                .medians = true,
                                                                .times = "ns_per_element",
                                                                .out = path,
                                                                .format = "json"});
    assert_int_equal(result.ran, 3);
    assert_true(result.written);
    assert_int_equal(scripts[3].next, 0);

    char *json = content_of(path);
    const char *const iteration = "\"run_type\": \"iteration\"";
    const char *const calm = "\"noisy\": 0.0", *const noisy = "\"noisy\": 1.0";
    /* Google Benchmark calls a benchmark more often than it has repetitions where it looks for a number of iterations: whatever
     * it skips, the first list is calm, the second noisy at first and then calm, the third always noisy. */
    assert_int_equal(entries(json, "a/calm", iteration, calm), REPETITIONS);
    assert_int_equal(entries(json, "b/disturbed", iteration, calm), 2 * REPETITIONS);
    assert_int_equal(entries(json, "c/noisy", iteration, noisy), REPETITIONS * (1 + AGAIN));
    assert_int_equal(result.noisy, 1);
    assert_int_equal(count_of(json, "\"spread_percent\""), REPETITIONS * (1 + 2 + 1 + AGAIN));
    assert_int_equal(entries(json, "c/noisy", "\"repetition_index\": 8", "\"repetitions\": 9"), 1);
    assert_int_equal(entries(json, "c/noisy", "\"run_type\": \"aggregate\"", ""), 0);
    assert_true(entries(json, "a/calm", "\"run_type\": \"aggregate\"", "") > 0);
    free(json);
    remove(path);
}

/* What the second round has measured until then counts; what it has left out is not in the file. */
static void test_interruption(void **state)
{
    (void)state;
    static struct script stopped = {"e/stopped", {1, 2, 3, 4, 5, 6, 7, 8, 9}, 9, 0, REPETITIONS + 2};
    char path[] = "/tmp/softlane_noise_XXXXXX";
    assert_true(mkstemp(path) >= 0);
    bm_register(stopped.name, pretend, &stopped);
    const struct bm_result result = bm_run(&(struct bm_options){
        .again = AGAIN, .again_share = 1e9, .times = "ns_per_element", .out = path, .format = "json"});
    assert_true(result.written);
    char *json = content_of(path);
    const size_t count = entries(json, "e/stopped", "\"noisy\": 1.0", "\"ns_per_element\"");
    assert_true(count > REPETITIONS && count < 2 * REPETITIONS);
    assert_int_equal(count_of(json, "interrupted"), 0);
    free(json);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule), cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_interruption), /* the last: from then on all is interrupted */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
