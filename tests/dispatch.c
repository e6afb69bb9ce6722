/* SPDX-License-Identifier: MIT
 *
 * The choice of a variant: the list, availability and its reasons, forcing, the environment variable, and
 * first use from many threads at once.
 * WebAssembly has neither processes nor threads: there what needs them is missing.
 */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#ifndef __wasm__
#include <pthread.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <sys/prctl.h>
#endif

#include "assertions.h"
#include "cache.h"
#include "child.h"

/* -------------------------------------------------------------------------------------------- children */

#ifndef __wasm__
static void write_isa(char *to, size_t size) { snprintf(to, size, "%s", sl_isa(NULL)->isa); }

/* In use; then forced to the last of the list; then again automatic. */
static void write_isas_of_forcing(char *to, size_t size)
{
    const char *before = sl_isa(NULL)->isa;
    const bool forced = sl_isa_force(sl_isa_name_at(sl_isa_count() - 1));
    const char *while_forced = sl_isa(NULL)->isa;
    sl_isa_force(NULL);
    snprintf(to, size, "%s %d %s %s", before, forced, while_forced, sl_isa(NULL)->isa);
}

/* Forced before anything else was called. */
static void write_isa_of_first_force(char *to, size_t size)
{
    sl_isa_force(sl_isa_name_at(sl_isa_count() - 1));
    snprintf(to, size, "%s", sl_isa(NULL)->isa);
}

/* The calls that make the choice, each of them as the first one. */
static void call_kernel(void)
{
    const float x = 1;
    float y;
    sl_softmax_f32(&x, &y, sl_rows(1, 1));
}
static void call_isa(void) { sl_isa(NULL); }
static void call_isa_by_name(void) { sl_isa(sl_isa_name_at(0)); }
static void call_force(void) { sl_isa_force(sl_isa_name_at(0)); }
static void call_force_nothing(void) { sl_isa_force(NULL); }
static void call_tune_load(void) { sl_tune_load(NULL); }

static void (*const first_calls[])(void) = {call_kernel, call_isa,           call_isa_by_name,
                                            call_force,  call_force_nothing, call_tune_load};
enum { FIRST_CALLS = sizeof first_calls / sizeof *first_calls };
static size_t first_call;

/* What is in the environment after the first call is never read. */
static void write_isa_of_first_call(char *to, size_t size)
{
    first_calls[first_call]();
    for (size_t i = 0; i < sl_isa_count(); i++) {
        set_isa_wanted(sl_isa_name_at(i));
        sl_isa_force(NULL);
        sl_tune_load(NULL);
        sl_isa(sl_isa_name_at(i));
    }
    set_isa_wanted(NULL);
    sl_isa_force(NULL);
    snprintf(to, size, "%s", sl_isa(NULL)->isa);
}

enum { THREADS = 64, COLUMNS = 100 };
static pthread_barrier_t all_ready;

/* What a thread has seen: the table, and a hash of all results. */
typedef struct {
    const sl_kernels *table; /* NULL: a call failed */
    uint64_t hash;
} sight;

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

static sight use_everything(void)
{
    unsigned char x[COLUMNS * sizeof(double)];
    const double zeros[COLUMNS] = {0}; /* of any type; as class ids, too */
    const sl_loss_options options = {.reduction = SL_NONE};
    sight saw = {NULL, 0};
    bool good = true;
    memset(x, 0x38, sizeof x); /* numbers from 0 to 1 in all types */
    for (size_t k = 0; k < KERNELS; k++) {
        sl_stats result[COLUMNS] = {{0}};
        double gradient[COLUMNS] = {0};
        const call c = {.x = x,
                        .second = zeros,
                        .lse = zeros,
                        .shape = sl_rows(1, COLUMNS),
                        .options = &options,
                        .out = {result, gradient}};
        good = good && kernels[k].check_and_run(&c) == SL_OK;
        for (size_t output = 0; output < OUTPUTS; output++)
            if (kernels[k].result != STATS_PER_ROW &&
                c.out[output] != NULL) /* whose padding may be anything */
                saw.hash =
                    hash_bytes(saw.hash, c.out[output],
                               output_count(&kernels[k], &c, output) * output_size(&kernels[k], output));
    }
    saw.table = good ? sl_isa(NULL) : NULL;
    return saw;
}

static void *use_together(void *saw)
{
    pthread_barrier_wait(&all_ready);
    *(sight *)saw = use_everything();
    return NULL;
}

static void write_isa_of_threads(char *to, size_t size)
{
    pthread_t threads[THREADS];
    sight saw[THREADS] = {{NULL, 0}};
    pthread_barrier_init(&all_ready, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, use_together, &saw[i]) != 0) {
            fprintf(stderr, "thread %zu could not be created\n", i);
            exit(1);
        }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const sight alone = use_everything();
    snprintf(to, size, "%s", alone.table != NULL ? alone.table->isa : "a call failed");
    for (size_t i = 0; i < THREADS; i++)
        if (saw[i].table != alone.table || saw[i].hash != alone.hash)
            snprintf(to, size, "thread %zu saw something else", i);
}

/* SVE's, of this thread; false where there is no such length. */
static bool set_vector_length(unsigned bytes)
{
#if defined(__aarch64__) && defined(__linux__)
    const int now = prctl(PR_SVE_SET_VL, bytes);
    return now >= 0 && (unsigned)(now & PR_SVE_VL_LEN_MASK) == bytes;
#else
    (void)bytes;
    return false;
#endif
}

enum { LENGTHS = 16 };
static size_t length; /* in units of 16 bytes, less 1 */

/* The choice made there, and why it is not sve256. */
static void write_isa_of_length(char *to, size_t size)
{
    if (set_vector_length(16 * ((unsigned)length + 1))) {
        const char *why_not = sl_isa_why_not("sve256");
        snprintf(to, size, "%s: %s", sl_isa(NULL)->isa, why_not != NULL ? why_not : "available");
    }
}

/* The length changes behind the choice, and back: whether the choice can be forced, and gone back to. */
static void write_forcing_of_length(char *to, size_t size)
{
    const unsigned bytes = 16 * ((unsigned)length + 1), other = bytes == 16 ? 32 : 16;
    if (!set_vector_length(other) || !set_vector_length(bytes))
        return;
    const char *name = sl_isa(NULL)->isa;
    const bool neon = sl_isa_force("neon");
    set_vector_length(other);
    const bool by_name = sl_isa_force(name), automatic = sl_isa_force(NULL);
    const char *meanwhile = sl_isa(NULL)->isa;
    snprintf(to, size, "%d, %d %d %s, ", neon, by_name, automatic, meanwhile);
    set_vector_length(bytes);
    const size_t written = strlen(to);
    snprintf(to + written, size - written, "%d %s", sl_isa_force(NULL), sl_isa(NULL)->isa);
}
#endif

enum {
#define SL_ISA(name, ...) ROW_##name,
#include "isas.def"
#undef SL_ISA
    ISAS
};

static const char *const manifest[ISAS] = {
#define SL_ISA(name, ...) #name,
#include "isas.def"
#undef SL_ISA
};

static const char *const no_isas[] = {"",  "avx99", "AVX_2",   " scalar", "scalar ",  "avx2,fma", "avx",
                                      "S", "scala", "SCALARS", "sc\nlar", "\303\203", "[calar",   "@vx2"};
enum { NO_ISAS = sizeof no_isas / sizeof *no_isas };

/* With capitals: all letters, or every second one. */
static const char *in_capitals(const char *name, size_t every)
{
    static char text[32];
    snprintf(text, sizeof text, "%s", name);
    for (size_t i = 0; text[i]; i += every)
        text[i] = (char)toupper((unsigned char)text[i]);
    return text;
}

#ifndef __wasm__
static struct {
    answer unset, threads, threads_of_last, first_force, forcing, forcing_last, first_call[FIRST_CALLS],
        first_call_of_last[FIRST_CALLS], named[ISAS], in_capitals[ISAS], unknown[NO_ISAS], length[LENGTHS],
        forcing_of_length[LENGTHS];
} children;

static void ask_children(void)
{
    const char *last = manifest[ISAS - 1];
    children.unset = ask_child(NULL, write_isa);
    children.threads = ask_child(NULL, write_isa_of_threads);
    children.threads_of_last = ask_child(last, write_isa_of_threads);
    children.first_force = ask_child(manifest[0], write_isa_of_first_force);
    children.forcing = ask_child(NULL, write_isas_of_forcing);
    children.forcing_last = ask_child(last, write_isas_of_forcing);
    for (first_call = 0; first_call < FIRST_CALLS; first_call++) {
        children.first_call[first_call] = ask_child(NULL, write_isa_of_first_call);
        children.first_call_of_last[first_call] = ask_child(last, write_isa_of_first_call);
    }
    for (size_t i = 0; i < ISAS; i++) {
        children.named[i] = ask_child(manifest[i], write_isa);
        children.in_capitals[i] = ask_child(in_capitals(manifest[i], 1 + i % 2), write_isa);
    }
    for (size_t i = 0; i < NO_ISAS; i++)
        children.unknown[i] = ask_child(no_isas[i], write_isa);
    for (length = 0; length < LENGTHS; length++) {
        children.length[length] = ask_child(NULL, write_isa_of_length);
        children.forcing_of_length[length] = ask_child(NULL, write_forcing_of_length);
    }
}
#endif

/* ----------------------------------------------------------------------------------------------- tests */

static const char *best_available(void)
{
    for (size_t i = 0; i < ISAS; i++)
        if (sl_isa_available(manifest[i]))
            return manifest[i];
    fail_msg("no ISA can run");
    return NULL;
}

static void list_is_the_manifest(void)
{
    assert_int_equal(sl_isa_count(), ISAS);
    for (size_t i = 0; i < ISAS; i++)
        assert_string_equal(sl_isa_name_at(i), manifest[i]);
    assert_null(sl_isa_name_at(ISAS));
    assert_null(sl_isa_name_at(SIZE_MAX));
}

static void availability(void)
{
    for (size_t i = 0; i < ISAS; i++) {
        const sl_kernels *table = sl_isa(manifest[i]);
        const char *why_not = sl_isa_why_not(manifest[i]);
        assert_true(sl_isa_available(manifest[i]) == (table != NULL));
        assert_true((why_not == NULL) == (table != NULL));
        assert_true(why_not == NULL || why_not[0] != '\0');
        if (table == NULL)
            continue;
        assert_string_equal(table->isa, manifest[i]);
        assert_non_null(table->needs);
#define SLOT(dt, T, L, name) assert_non_null(table->name##_##dt);
#define SL_KERNEL(name, ...) SL_DTYPES(SLOT, name)
#define SL_F32_KERNEL(name, ...) SL_F32(SLOT, name)
#include "kernels.def"
#undef SL_KERNEL
#undef SLOT
    }
    assert_true(sl_isa_available("scalar"));
}

/* An ISA of another architecture is not built; of this one, it is and has its own table. */
static void architectures(void)
{
    const sl_kernels *tables[ISAS] = {NULL};
#define SL_ISA(name, arch, flags)                                                                            \
    if (arch)                                                                                                \
        tables[ROW_##name] = sl_isa(#name);                                                                  \
    else                                                                                                     \
        assert_string_equal(sl_isa_why_not(#name), "not built");
#include "isas.def"
#undef SL_ISA
    for (size_t i = 0; i < ISAS; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(tables[i] == NULL || tables[i] != tables[j]);
}

static void unknown_names(void)
{
    for (size_t i = 0; i < NO_ISAS; i++) {
        assert_null(sl_isa(no_isas[i]));
        assert_false(sl_isa_available(no_isas[i]));
        const char *why_not = sl_isa_why_not(no_isas[i]);
        assert_true(why_not != NULL && why_not[0] != '\0');
        const sl_kernels *before = sl_isa(NULL);
        assert_false(sl_isa_force(no_isas[i]));
        assert_ptr_equal(sl_isa(NULL), before);
    }
    assert_non_null(sl_isa_why_not(NULL));
    assert_false(sl_isa_available(NULL));
}

/* Names are matched whatever the case of their letters. */
static void capitals(void)
{
    for (size_t i = 0; i < ISAS; i++)
        for (size_t every = 1; every <= 2; every++) {
            const char *name = in_capitals(manifest[i], every);
            assert_ptr_equal(sl_isa(name), sl_isa(manifest[i]));
            assert_true(sl_isa_available(name) == sl_isa_available(manifest[i]));
            const char *why_not = sl_isa_why_not(manifest[i]);
            assert_true(why_not == NULL ? sl_isa_why_not(name) == NULL
                                        : strcmp(sl_isa_why_not(name), why_not) == 0);
            assert_true(sl_isa_force(name) == sl_isa_available(manifest[i]));
            assert_true(!sl_isa_available(name) || sl_isa(NULL) == sl_isa(manifest[i]));
            sl_isa_force(NULL);
        }
}

static void force(void)
{
    const sl_kernels *automatic = sl_isa(NULL);
    for (size_t i = 0; i < ISAS; i++) {
        const bool can = sl_isa_available(manifest[i]);
        assert_true(sl_isa_force(manifest[i]) == can);
        assert_ptr_equal(sl_isa(NULL), can ? sl_isa(manifest[i]) : automatic);
        assert_true(sl_isa_force(NULL));
        assert_ptr_equal(sl_isa(NULL), automatic);
    }
}

/* A forced variant is the one that the public functions run: its bits are its table's. */
static void force_reaches_the_kernels(const kernel *k, const isa *on)
{
    if (sl_isa(on->name) == NULL) /* not in the library */
        return;
    generator g = {14};
    workload w, forced;
    array arrays[MOST_ARRAYS];
    workload_make(&w, k, call_spec_at(k, 0), sl_rows(5, 45), distribution_at(1), &g);
    run(k, on, &w.c);
    workload_copy(&forced, &w);
    const size_t n = workload_arrays(&forced, arrays);
    for (size_t i = 0; i < n; i++)
        if (arrays[i].output != OUTPUTS)
            array_move(&arrays[i], memset(allocate(arrays[i].bytes, 1), 0xa5, arrays[i].bytes));
    assert_true(sl_isa_force(on->name));
    assert_int_equal(k->check_and_run(&forced.c), SL_OK);
    assert_true(sl_isa_force(NULL));
    assert_same_outputs(on, &w, &forced, "forced");
    free(forced.c.out[RESULT]);
    free(forced.c.out[GRADIENT]);
    workload_free(&w);
}

/* What is in use is what SOFTLANE_ISA names, in letters of either case, if that can run; else the best. */
static void choice_of_this_process(void)
{
    const char *wanted = getenv("SOFTLANE_ISA"), *want = best_available();
    for (size_t i = 0; i < ISAS && wanted != NULL; i++)
        if (strcasecmp(manifest[i], wanted) == 0 && sl_isa_available(manifest[i]))
            want = manifest[i];
    assert_string_equal(sl_isa(NULL)->isa, want);
}

#ifndef __wasm__
static void automatic_choice_is_the_best(void) { assert_string_equal(children.unset.text, best_available()); }

static void environment(void)
{
    for (size_t i = 0; i < ISAS; i++) {
        const char *want = sl_isa_available(manifest[i]) ? manifest[i] : best_available();
        assert_string_equal(children.named[i].text, want);
        assert_string_equal(children.in_capitals[i].text, want);
    }
    for (size_t i = 0; i < NO_ISAS; i++)
        assert_string_equal(children.unknown[i].text, best_available());
}

static void environment_is_read_once(void)
{
    for (size_t i = 0; i < FIRST_CALLS; i++) {
        assert_string_equal(children.first_call[i].text, best_available());
        assert_string_equal(children.first_call_of_last[i].text, manifest[ISAS - 1]);
    }
}

static void force_beats_the_environment(void)
{
    const char *best = best_available(), *last = manifest[ISAS - 1];
    char want[256];
    snprintf(want, sizeof want, "%s 1 %s %s", best, last, best);
    assert_string_equal(children.forcing.text, want);
    snprintf(want, sizeof want, "%s 1 %s %s", last, last, last);
    assert_string_equal(children.forcing_last.text, want);
    assert_string_equal(children.first_force.text, last);
}

static void first_use_by_many_threads(void)
{
    assert_string_equal(children.threads.text, best_available());
    assert_string_equal(children.threads_of_last.text, manifest[ISAS - 1]);
}

/* A variant of SVE is for one length of vectors, and asks the calling thread for it. */
static void vector_lengths(void)
{
    for (size_t i = 0; i < LENGTHS; i++) {
        const size_t bytes = 16 * (i + 1);
        const char *best = bytes == 64 ? "sve512" : bytes == 32 ? "sve256" : "neon";
        char want[256];
        if (children.length[i].text[0] == '\0' || strstr(children.length[i].text, "not built") != NULL)
            continue; /* no such length, or no compiler for SVE */
        snprintf(want, sizeof want, "%s: the vector length is %zu bytes, not 32", best, bytes);
        assert_string_equal(children.length[i].text, bytes == 32 ? "sve256: available" : want);
        const bool stays = strcmp(best, "neon") == 0;
        snprintf(want, sizeof want, "1, %d %d neon, 1 %s", stays, stays, best);
        if (children.forcing_of_length[i].text[0] != '\0')
            assert_string_equal(children.forcing_of_length[i].text, want);
    }
}
#endif

/* What the user says stays, whatever it is, when the system is asked as long as nobody has said anything. */
static void size_of_the_cache(void)
{
    sl_set_cache_bytes(SIZE_MAX);
    sl_isa(NULL);
    assert_false(sl_streams(PTRDIFF_MAX));
    sl_set_cache_bytes(1);
    sl_isa(NULL);
    assert_true(sl_streams(1));
    sl_set_cache_bytes(0);
    assert_true(sl_streams(PTRDIFF_MAX));
    assert_false(sl_streams(4096));
}

int main(void)
{
#ifndef __wasm__
    ask_children();
#endif
    const topic topics[] = {
        {.name = "list is the manifest", .once = list_is_the_manifest},
        {.name = "availability and its reasons", .once = availability},
        {.name = "architectures", .once = architectures},
        {.name = "unknown names", .once = unknown_names},
        {.name = "capitals", .once = capitals},
        {.name = "force", .once = force},
        {.name = "force reaches the kernels", .cell = force_reaches_the_kernels},
        {.name = "size of the cache", .once = size_of_the_cache},
        {.name = "choice of this process", .once = choice_of_this_process},
#ifndef __wasm__
        {.name = "automatic choice is the best", .once = automatic_choice_is_the_best},
        {.name = "environment", .once = environment},
        {.name = "environment is read once", .once = environment_is_read_once},
        {.name = "force beats the environment", .once = force_beats_the_environment},
        {.name = "first use by many threads", .once = first_use_by_many_threads},
        {.name = "vector lengths", .once = vector_lengths},
#endif
    };
    return run_test_matrix("dispatch", topics, sizeof topics / sizeof *topics);
}
