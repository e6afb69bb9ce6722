/* SPDX-License-Identifier: MIT
 *
 * sl_tune_load: what it refuses, and that then nothing changes; what it applies, and that no bit changes.
 *
 * Bits cannot tell which variant has run, as all that a tuning may choose have the same. So the choice is looked at where
 * the public functions take it from, sl_active_for().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assertions.h"
#include "child.h"
#include "machine_tuning.h"

enum { LARGEST_FROM = SL_SMALLEST_FROM << (SL_SIZE_CLASSES - 2) };

/* ---------------------------------------------------------------------------------------------- the files */

static char path[] = "tune_load_XXXXXX"; /* in the working directory */

static void remove_file(void) { remove(path); }

static void write_bytes(const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static sl_status load_text(const char *text)
{
    write_bytes(text, strlen(text));
    return sl_tune_load(path);
}

/* The last variant with the bits of the automatic choice: the choice itself where there is no other. */
static const char *other(void)
{
    const char *name = NULL;
    for (size_t i = 0; i < sl_isa_count(); i++)
        if (sl_tuning_digit(sl_isa_name_at(i)) != 0)
            name = sl_isa_name_at(i);
    return name;
}

enum { TEXT = 64 << 10 };

static const char *file_of(const char *version, const char *cpu, const char *isas, const char *caches,
                           const char *winners)
{
    static char text[TEXT];
    const int n = snprintf(
        text, sizeof text,
        "{\"version\": \"%s\", \"machine\": {\"cpu\": \"%s\", \"isas\": \"%s\", \"caches\": \"%s\"},\n"
        "\"winners\": [%s]}\n",
        version, cpu, isas, caches, winners);
    assert_in_range(n, 1, sizeof text - 1);
    return text;
}

static const char *file_here(const char *winners)
{
    const sl_machine m = sl_machine_read();
    return file_of(SOFTLANE_VERSION, m.cpu, m.isas, m.caches, winners);
}

static const char *winner(const char *kernel, const char *dtype, const char *tier, const char *isa,
                          const char *from)
{
    static char lines[8][512];
    static size_t next;
    char *line = lines[next++ % 8];
    snprintf(line, sizeof lines[0],
             "{\"kernel\": \"%s\", \"dtype\": \"%s\", \"tier\": \"%s\", \"isa\": \"%s\", \"from\": %s}",
             kernel, dtype, tier, isa, from);
    return line;
}

static const char *two(const char *first, const char *second)
{
    static char text[2048];
    snprintf(text, sizeof text, "%s,\n%s", first, second);
    return text;
}

/* Every kernel and type: the other variant from 1024 elements on. */
static void load_all(void)
{
    static char winners[TEXT];
    size_t n = 0;
    for (size_t k = 0; k < KERNELS; k++) {
        char row[64], stem[64];
        snprintf(row, sizeof row, "%.*s", (int)strcspn(kernels[k].name, "/"), kernels[k].name);
        snprintf(stem, sizeof stem, "%.*s", (int)sl_stem_length(row), row);
        n += (size_t)snprintf(winners + n, sizeof winners - n, "%s%s", k ? ",\n" : "",
                              winner(stem, kernels[k].dtype->name, sl_tier_of(row), other(), "1024"));
    }
    assert_int_equal(load_text(file_here(winners)), SL_OK);
}

static const size_t softmax = SL_SLOT(softmax, f32);

static void assert_untuned(void)
{
    for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++)
        for (size_t n = 1; n != 0; n *= 2)
            assert_ptr_equal(sl_active_for(slot, n), sl_isa(NULL));
}

/* All but softmax/f32, which has the other variant from 2048 on. */
static void load_softmax(void)
{
    assert_int_equal(load_text(file_here(winner("softmax", "f32", "default", other(), "2048"))), SL_OK);
}

static void assert_softmax(void)
{
    assert_ptr_equal(sl_active_for(softmax, 0), sl_isa(NULL));
    assert_ptr_equal(sl_active_for(softmax, 2047), sl_isa(NULL));
    assert_ptr_equal(sl_active_for(softmax, 2048), sl_isa(other()));
    assert_ptr_equal(sl_active_for(softmax, SIZE_MAX), sl_isa(other()));
    assert_ptr_equal(sl_active_for(SL_SLOT(softmax, f64), SIZE_MAX), sl_isa(NULL));
}

/* ------------------------------------------------------------------------------------------------- the tests */

static void applies(void)
{
    assert_untuned();
    load_softmax();
    assert_softmax();
    assert_int_equal(sl_tune_load(NULL), SL_OK);
    assert_untuned();
    const char *automatic = sl_isa(NULL)->isa;
    assert_int_equal(load_text(file_here(two(winner("softmax", "f32", "default", other(), "0"),
                                             winner("softmax", "f32", "default", automatic, "8388608")))),
                     SL_OK);
    assert_ptr_equal(sl_active_for(softmax, 0), sl_isa(other()));
    assert_ptr_equal(sl_active_for(softmax, LARGEST_FROM - 1), sl_isa(other()));
    assert_ptr_equal(sl_active_for(softmax, LARGEST_FROM), sl_isa(automatic));
    load_all();
    for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++) {
        assert_ptr_equal(sl_active_for(slot, 1023), sl_isa(NULL));
        assert_ptr_equal(sl_active_for(slot, 1024), sl_isa(other()));
    }
    assert_int_equal(load_text(file_here("")), SL_OK);
    assert_untuned();
}

/* A tier of a kernel is tuned apart from the other. */
static void tiers(void)
{
    const size_t of_default = SL_SLOT(sigmoid, f32), of_fast = SL_SLOT(sigmoid_fast, f32);
    assert_int_equal(load_text(file_here(winner("sigmoid", "f32", "fast", other(), "1024"))), SL_OK);
    assert_ptr_equal(sl_active_for(of_default, 1024), sl_isa(NULL));
    assert_ptr_equal(sl_active_for(of_fast, 1023), sl_isa(NULL));
    assert_ptr_equal(sl_active_for(of_fast, 1024), sl_isa(other()));
    assert_int_equal(load_text(file_here(two(winner("sigmoid", "f32", "default", other(), "0"),
                                             winner("sigmoid", "f32", "fast", other(), "8192")))),
                     SL_OK);
    assert_ptr_equal(sl_active_for(of_default, 1024), sl_isa(other()));
    assert_ptr_equal(sl_active_for(of_fast, 1024), sl_isa(NULL));
    assert_ptr_equal(sl_active_for(of_fast, 8192), sl_isa(other()));
    assert_int_equal(sl_tune_load(NULL), SL_OK);
}

/* Refused, and what was loaded before stays. */
static void assert_refused(const char *text, sl_status why)
{
    const sl_status got = load_text(text);
    if (got != why)
        fail_msg("'%s' instead of '%s' for %s", sl_status_string(got), sl_status_string(why), text);
    assert_softmax();
}

static void refusals(void)
{
    const char *other_name = other();
    const sl_machine m = sl_machine_read();
    const char *good = winner("softmax", "f32", "default", other_name, "0");
    load_softmax();
    assert_int_equal(sl_tune_load("/nonexistent/tuning.json"), SL_ERR_FILE);
    assert_int_equal(sl_tune_load("/"), SL_ERR_FILE);
    assert_int_equal(sl_tune_load(""), SL_ERR_FILE);
    assert_softmax();

    assert_refused(file_of("0.0.1", m.cpu, m.isas, m.caches, good), SL_ERR_VERSION);
    assert_refused("{\"version\": \"0.9\", \"else\": [{\"a\": \"]}\\\"\"}, 1]}\n", SL_ERR_VERSION);
    assert_refused("{\"version\": \"0.9\"}", SL_ERR_VERSION);
    /* What is no file of any version comes first, and the version before the machine. */
    assert_refused(file_of("0.0.1", "another", m.isas, m.caches, good), SL_ERR_VERSION);
    assert_refused(file_of("0.0.1", "another", m.isas, m.caches, "]"), SL_ERR_FILE);
    assert_refused("{\"version\": \"0.9\"}}", SL_ERR_FILE);
    assert_refused("{\"version\": \"0.9\", [}]", SL_ERR_FILE);
    assert_refused("{\"version\": \"0.9\", \"x\": \"}", SL_ERR_FILE);
    assert_refused("{\"version\": \"0.9\", \"x\": \"\\", SL_ERR_FILE);
    assert_refused(file_of(SOFTLANE_VERSION, "another", m.isas, m.caches, two(good, good)), SL_ERR_FILE);
    assert_refused(file_of(SOFTLANE_VERSION, "another", m.isas, m.caches,
                           winner("nothing", "f32", "default", other_name, "0")),
                   SL_ERR_FILE);
    /* The winner of another machine must be one of its own variants, and may be what cannot run here. */
    assert_refused(file_of(SOFTLANE_VERSION, "another", "sse9 scalar", m.caches,
                           winner("softmax", "f32", "default", "sse9", "0")),
                   SL_ERR_MACHINE);
    assert_refused(file_of(SOFTLANE_VERSION, "another", "sse9 scalar", m.caches,
                           winner("softmax", "f32", "default", "sse", "0")),
                   SL_ERR_FILE);
    assert_refused(file_of(SOFTLANE_VERSION, "another", m.isas, m.caches, good), SL_ERR_MACHINE);
    char more_isas[SL_TUNE_STRING];
    snprintf(more_isas, sizeof more_isas, "%.100s another", m.isas);
    assert_refused(file_of(SOFTLANE_VERSION, m.cpu, more_isas, m.caches, good), SL_ERR_MACHINE);
    assert_refused(file_of(SOFTLANE_VERSION, m.cpu, "another", m.caches, good), SL_ERR_FILE);
    assert_refused(file_of(SOFTLANE_VERSION, m.cpu, m.isas, "another", good), SL_ERR_MACHINE);

    assert_refused(file_here(winner("nothing", "f32", "default", other_name, "0")), SL_ERR_FILE);
    assert_refused(file_here(winner("softmax", "f8", "default", other_name, "0")), SL_ERR_FILE);
    assert_refused(file_here(winner("softmax", "f32", "fast", other_name, "0")), SL_ERR_FILE);
    assert_refused(file_here(winner("sigmoid", "f32", "slow", other_name, "0")), SL_ERR_FILE);
    assert_refused(file_here(winner("sigmoid_fast", "f32", "default", other_name, "0")), SL_ERR_FILE);
    assert_refused(file_here(winner("sigmoid_fast", "f32", "fast", other_name, "0")), SL_ERR_FILE);
    assert_refused(file_here(winner("softmax", "f32", "default", "avx99", "0")), SL_ERR_FILE);
    assert_refused(file_here(winner("softmax", "f32", "default", "soft\\u0061", "0")), SL_ERR_FILE);
    for (size_t i = 0; i < sl_isa_count(); i++) /* of the other class of bits, or not of this machine */
        if (sl_tuning_digit(sl_isa_name_at(i)) == 0)
            assert_refused(file_here(winner("softmax", "f32", "default", sl_isa_name_at(i), "0")),
                           SL_ERR_FILE);
    static const char *const froms[] = {"",
                                        "-1",
                                        "1",
                                        "256",
                                        "513",
                                        "00",
                                        "0512",
                                        "512.0",
                                        "1e3",
                                        "null",
                                        "16777216",
                                        "83886080",
                                        "99999999999999999999"};
    for (size_t i = 0; i < sizeof froms / sizeof *froms; i++)
        assert_refused(file_here(winner("softmax", "f32", "default", other_name, froms[i])), SL_ERR_FILE);

    assert_refused(file_here(two(good, good)), SL_ERR_FILE);
    assert_refused(file_here(two(winner("softmax", "f32", "default", other_name, "1024"), good)),
                   SL_ERR_FILE);
    assert_refused(file_here(two(winner("softmax", "f64", "default", other_name, "0"), good)), SL_ERR_FILE);
    assert_refused(file_here(two(good, "")), SL_ERR_FILE);
    assert_refused(file_here("{}"), SL_ERR_FILE);
}

/* Every proper beginning of a file, and what is behind its end: no file, whatever the rest says. */
static void truncated_and_continued(void)
{
    const char *good = winner("softmax", "f32", "default", other(), "0");
    const sl_machine m = sl_machine_read();
    for (int which = 0; which < 3; which++) {
        char text[2048], bytes[sizeof text + 1];
        const sl_status whole_is = which == 0 ? SL_OK : which == 1 ? SL_ERR_VERSION : SL_ERR_MACHINE;
        const char *file = file_of(which == 1 ? "0.0.1" : SOFTLANE_VERSION, which == 2 ? "another" : m.cpu,
                                   m.isas, m.caches, good);
        const size_t whole = strlen(file) - 1; /* without the newline */
        assert_true(whole < sizeof text);
        memcpy(text, file, whole);
        load_softmax();
        for (size_t n = 0; n < whole; n++) {
            write_bytes(text, n);
            assert_int_equal(sl_tune_load(path), SL_ERR_FILE);
            assert_softmax();
        }
        memcpy(bytes, text, whole);
        for (int c = 0; c < 256; c++) {
            bytes[whole] = (char)c;
            const bool is_space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
            load_softmax();
            write_bytes(bytes, whole + 1);
            assert_int_equal(sl_tune_load(path), is_space ? whole_is : SL_ERR_FILE);
            if (!is_space || whole_is != SL_OK)
                assert_softmax();
        }
    }
}

/* Spaces to the last byte that is allowed, and one more. */
static void huge(void)
{
    static char text[SL_TUNE_BYTES + 1];
    memset(text, ' ', sizeof text);
    const char *start = file_here(winner("softmax", "f32", "default", other(), "0"));
    memcpy(text, start, strlen(start));
    load_softmax();
    write_bytes(text, SL_TUNE_BYTES + 1);
    assert_int_equal(sl_tune_load(path), SL_ERR_FILE);
    assert_softmax();
    write_bytes(text, SL_TUNE_BYTES);
    assert_int_equal(sl_tune_load(path), SL_OK);
    assert_ptr_equal(sl_active_for(softmax, 0), sl_isa(other()));
}

/* What has no end, or would be waited for. */
#ifdef _WIN32
static const char *const endless[] = {"NUL", "CON"};
static int make_folder(void) { return mkdir(path); }
static void no_pipe(void) {}
#else
static const char *const endless[] = {"/dev/zero", "/dev/null", "/dev/tty"};
static int make_folder(void) { return mkdir(path, 0700); }
static void no_pipe(void)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(10); /* without a writer */
    assert_int_equal(sl_tune_load(path), SL_ERR_FILE);
    const int reader = open(path, O_RDONLY | O_NONBLOCK), writer = open(path, O_WRONLY);
    assert_true(reader >= 0 && writer >= 0);
    assert_int_equal(sl_tune_load(path), SL_ERR_FILE); /* with one, who writes nothing */
    alarm(0);
    close(reader);
    close(writer);
    assert_int_equal(remove(path), 0);
}
#endif

static void no_files(void)
{
    load_softmax();
    assert_int_equal(remove(path), 0);
    assert_int_equal(sl_tune_load(path), SL_ERR_FILE);
    no_pipe();
    assert_int_equal(make_folder(), 0);
    assert_int_equal(sl_tune_load(path), SL_ERR_FILE);
    assert_int_equal(rmdir(path), 0);
    write_bytes("", 0);
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++)
        assert_int_equal(sl_tune_load(endless[i]), SL_ERR_FILE);
    assert_softmax();
}

static void force_goes_before(void)
{
    load_softmax();
    for (size_t i = 0; i < sl_isa_count(); i++)
        if (sl_isa_force(sl_isa_name_at(i))) {
            for (size_t n = 1; n != 0; n *= 2)
                assert_ptr_equal(sl_active_for(softmax, n), sl_isa(sl_isa_name_at(i)));
            assert_int_equal(sl_tune_load(path), SL_OK); /* nor does a load undo it */
            assert_ptr_equal(sl_active_for(softmax, 1 << 20), sl_isa(sl_isa_name_at(i)));
        }
    assert_true(sl_isa_force(NULL));
    assert_softmax();
}

/* ---- where SOFTLANE_ISA has made the choice, which only a fresh process can see ---- */

enum { MOST_ISAS = 16, SIGMOIDS = 999 };
static const char *named_isa;

/* For each variant that SOFTLANE_ISA names at the first call: what was wrong in that process, which then loads a file of
 * each variant, SOFTLANE_ISA being there and not. */
static answer of_environment[MOST_ISAS];

static void load_with_environment(char *what, size_t size)
{
    float x[SIGMOIDS], before[SIGMOIDS], after[SIGMOIDS];
    for (size_t i = 0; i < SIGMOIDS; i++)
        x[i] = (float)i / 50 - 10;
    const char *in_use = sl_isa(NULL)->isa;
    const bool is_named = strcmp(in_use, named_isa) == 0;
    sl_sigmoid_f32(x, before, SIGMOIDS);
    for (size_t i = 0; i < 2 * sl_isa_count(); i++) {
        const char *name = sl_isa_name_at(i / 2);
        set_isa_wanted(i % 2 ? NULL : named_isa);
        const bool has_class = sl_isa_available(name) && sl_isa(name)->fma == sl_isa(NULL)->fma;
        const sl_status status = load_text(file_here(winner("sigmoid", "f32", "default", name, "0")));
        const char *now = sl_active_for(SL_SLOT(sigmoid, f32), SIGMOIDS)->isa;
        sl_sigmoid_f32(x, after, SIGMOIDS);
        if (status != (has_class ? SL_OK : SL_ERR_FILE) || memcmp(before, after, sizeof after) != 0 ||
            strcmp(now, has_class && !is_named ? name : in_use) != 0)
            snprintf(what, size, "%s in use, file of %s: %s, then %s, %s bits", in_use, name,
                     sl_status_string(status), now,
                     memcmp(before, after, sizeof after) != 0 ? "other" : "the same");
        sl_tune_load(NULL);
    }
}

static void ask_children(void)
{
    for (size_t i = 0; i < sl_isa_count(); i++) {
        named_isa = sl_isa_name_at(i);
        of_environment[i] = ask_child(named_isa, load_with_environment);
    }
}

static void environment_goes_before(void)
{
    for (size_t i = 0; i < sl_isa_count(); i++)
        assert_string_equal(of_environment[i].text, "");
}

/* What is set after the first call is as good as not set. */
static void environment_comes_too_late(void)
{
    assert_non_null(sl_isa(NULL));
    set_isa_wanted("scalar");
    load_softmax();
    assert_softmax();
    set_isa_wanted(NULL);
    assert_softmax();
    assert_int_equal(sl_tune_load(NULL), SL_OK);
}

/* The public function, untuned and with the other variant, on either side of where that starts. */
static void bits_stay(const kernel *k)
{
    const sl_shape shapes[] = {sl_rows(3, 100), sl_rows(11, 100)};
    for (size_t s = 0; s < 2; s++) {
        generator g = {21};
        workload w, tuned;
        array arrays[MOST_ARRAYS];
        const isa on = {sl_isa(NULL)->isa, 0, sl_isa(NULL), NULL};
        workload_make(&w, k, call_spec_at(k, 0), shapes[s], distribution_at(1), &g);
        workload_copy(&tuned, &w);
        const size_t n = workload_arrays(&tuned, arrays);
        for (size_t i = 0; i < n; i++)
            if (arrays[i].output != OUTPUTS)
                array_move(&arrays[i], memset(allocate(arrays[i].bytes, 1), 0xa5, arrays[i].bytes));
        assert_int_equal(sl_tune_load(NULL), SL_OK);
        assert_int_equal(k->check_and_run(&w.c), SL_OK);
        load_all();
        assert_int_equal(k->check_and_run(&tuned.c), SL_OK);
        assert_same_outputs(&on, &w, &tuned, "tuned");
        free(tuned.c.out[RESULT]);
        free(tuned.c.out[GRADIENT]);
        workload_free(&w);
    }
    assert_int_equal(sl_tune_load(NULL), SL_OK);
}

/* Loads, restores and calls, all at once: each call sees one of the two choices, and the same bits. */
enum { THREADS = 8, CALLS = 200, COLUMNS = 4096 };
static float logits[COLUMNS], expected[COLUMNS];

static void *load_and_call(void *failures)
{
    float y[COLUMNS];
    for (size_t i = 0; i < CALLS; i++) {
        if (i % 4 == 0 && sl_tune_load(i % 8 ? NULL : path) != SL_OK)
            ++*(size_t *)failures;
        const sl_kernels *table = sl_active_for(softmax, COLUMNS);
        if (table != sl_isa(NULL) && table != sl_isa(other()))
            ++*(size_t *)failures;
        if (sl_softmax_f32(logits, y, sl_rows(1, COLUMNS)) != SL_OK || memcmp(y, expected, sizeof y) != 0)
            ++*(size_t *)failures;
    }
    return NULL;
}

static void threads(void)
{
    pthread_t thread[THREADS];
    size_t failures[THREADS] = {0};
    generator g = {5};
    assert_int_equal(sl_tune_load(NULL), SL_OK);
    fill_rows(distribution_at(1), &g, logits, sl_rows(1, COLUMNS));
    assert_int_equal(sl_softmax_f32(logits, expected, sl_rows(1, COLUMNS)), SL_OK);
    load_all();
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, load_and_call, &failures[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(failures[i], 0);
    }
}

/* ---- a signal handler that calls what it may have interrupted ---- */

static uint64_t of_main[SL_SLOT_COUNT], of_handler[SL_SLOT_COUNT];
#ifdef SOFTLANE_TEST_EMULATED
static void signals(void)
{
    printf("skipped: qemu crashes by itself, one time in a few, where thousands of signals interrupt a "
           "program; Windows has none\n");
    skip();
}
#else
enum { SIGNALS = 3000, PATIENCE = 60 };
static atomic_int handled, handler_failures;
static pthread_t main_thread;

static void on_signal(int signal)
{
    const int kept = errno;
    float y[COLUMNS];
    (void)signal;
    errno = 4711;
    const sl_status status = sl_tune_load(handled % 8 == 0 ? path : handled % 8 == 1 ? "/nonexistent" : NULL);
    const bool is_right = status == (handled % 8 == 1 ? SL_ERR_FILE : SL_OK);
    sl_tuning_publish(of_handler);
    if (!is_right || !sl_isa_force(sl_isa(NULL)->isa) || !sl_isa_force(NULL) ||
        sl_softmax_f32(logits, y, sl_rows(1, 64)) != SL_OK || errno != 4711)
        handler_failures++;
    errno = kept;
    handled++;
}

static void *send_signals(void *unused)
{
    (void)unused;
    for (int sent = 0; sent < SIGNALS; sent++) {
        int waited = 0;
        pthread_kill(main_thread, SIGUSR1);
        for (; handled <= sent && waited < PATIENCE * 10000; waited++)
            usleep(waited < 100 ? 0 : 100);
        if (handled <= sent) {
            fprintf(stderr, "a signal handler waits for what it has interrupted\n");
            _exit(1);
        }
    }
    return NULL;
}

/* The main flow loads all the time. Its load and the handler's each leave all functions the same digits, so that a mixture
 * of both can be told. */
static void signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal}, kept = {.sa_handler = SIG_DFL};
    const uint64_t some_digit = sl_tuning_digit(sl_isa(NULL)->isa);
    sigset_t usr1;
    pthread_t sender;
    size_t mixtures = 0, of_either[2] = {0, 0};
    for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++)
        of_handler[slot] = some_digit;
    for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++)
        of_main[slot] = some_digit << SL_TUNING_DIGIT_BITS;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    main_thread = pthread_self();
    load_all();
    handled = handler_failures = 0;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pthread_create(&sender, NULL, send_signals, NULL), 0);
    while (handled < SIGNALS) {
        uint64_t words[SL_SLOT_COUNT];
        if (handled % 16 == 0)
            sl_tune_load(path);
        sl_tuning_publish(of_main);
        pthread_sigmask(SIG_BLOCK, &usr1, NULL);
        sl_tuning_read(words);
        pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
        for (size_t slot = 1; slot < SL_SLOT_COUNT; slot++)
            if (words[slot] != words[0]) {
                mixtures++;
                break;
            }
        of_either[words[0] == of_handler[0]]++;
    }
    pthread_join(sender, NULL);
    sigaction(SIGUSR1, &kept, NULL);
    assert_int_equal(handler_failures, 0);
    assert_int_equal(mixtures, 0);
    assert_true(of_either[0] > 0);
    printf("%d signals; the handler's load came last %zu times of %zu\n", (int)handled, of_either[1],
           of_either[0] + of_either[1]);
    assert_int_equal(sl_tune_load(NULL), SL_OK);
}
#endif

/* More loads than there are numbers for them. */
static void many_loads(void)
{
    uint64_t words[SL_SLOT_COUNT];
    for (size_t i = 0; i < 70000; i++)
        sl_tuning_publish(i % 2 ? of_main : of_handler);
    sl_tuning_read(words);
    assert_memory_equal(words, of_main, sizeof words);
    load_softmax();
    assert_softmax();
    assert_int_equal(sl_tune_load(NULL), SL_OK);
}

int main(void)
{
    const int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    atexit(remove_file);
    ask_children();
    set_isa_wanted(NULL); /* which goes before a tuning */
    const topic topics[] = {
        {.name = "applies", .once = applies},
        {.name = "tiers", .once = tiers},
        {.name = "refusals", .once = refusals},
        {.name = "truncated and continued", .once = truncated_and_continued},
        {.name = "huge", .once = huge},
        {.name = "no files", .once = no_files},
        {.name = "force goes before", .once = force_goes_before},
        {.name = "environment goes before", .once = environment_goes_before},
        {.name = "environment comes too late", .once = environment_comes_too_late},
        {.name = "bits stay", .each_kernel = bits_stay},
        {.name = "threads", .once = threads},
        {.name = "signals", .once = signals},
        {.name = "many loads", .once = many_loads},
    };
    return run_test_matrix("tune_load", topics, sizeof topics / sizeof *topics);
}
