/* SPDX-License-Identifier: MIT
 *
 * softlane-bench: every kernel x ISA x shape as a Google Benchmark, named kernel/f32/isa/ROWSxCOLUMNS. The
 * variants are called through their tables, side by side in one process, on the same pages: what differs
 * between two figures of one shape is the code.
 */
#include "arguments.h"
#include "benchmark_shim.h"
#include "context.h"
#include "distributions.h"
#include "logits.h"
#include "manifest.h"
#include "roof.h"
#include "topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct topology topology;

/* --------------------------------------------------------------------------------------------- the shapes */

enum { SHAPES_MAX = 64 };

struct shapes {
    sl_shape shape[SHAPES_MAX];
    size_t count;
};

static void add_shape(struct shapes *shapes, sl_shape shape)
{
    if (shapes->count < SHAPES_MAX)
        shapes->shape[shapes->count++] = shape;
}

static size_t at_least_one(size_t n) { return n ? n : 1; }

/* Elements of which an input and an output together fill half of a cache: the rest is for everything else. */
static size_t elements_in(struct cache cache) { return cache.bytes / 2 / (2 * sizeof(float)); }

/* Elements of one array three times the last-level cache, if that is no more than a 16th of the memory. */
static size_t elements_in_memory(void)
{
    size_t bytes = 3 * topology_last_level(&topology);
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0 && bytes > (size_t)pages / 16 * (size_t)page)
        bytes = (size_t)pages / 16 * (size_t)page;
    return bytes / sizeof(float);
}

/* Rows of every width in L2; from memory one width, in a full run all. The widths are digits, ImageNet,
 * vocabularies of language models, and their odd neighbours, whose rows end in partial blocks and start
 * unaligned. */
static void choose_row_shapes(struct shapes *shapes, bool full)
{
    static const struct {
        size_t columns;
        bool always, from_memory;
    } widths[] = {{10, true, false},    {100, true, false},    {128, false, false},
                  {1000, true, true},   {1023, true, false},   {4096, false, false},
                  {32003, true, false}, {50257, false, false}, {128256, true, false}};
    size_t small = elements_in(topology.cache[1]), large = elements_in_memory();
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        if (full || widths[i].always)
            add_shape(shapes, sl_rows(at_least_one(small / widths[i].columns), widths[i].columns));
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        if (full || widths[i].from_memory)
            add_shape(shapes, sl_rows(at_least_one(large / widths[i].columns), widths[i].columns));
    if (full)
        add_shape(shapes, sl_rows(1, large - 1));
    /* a segmentation network's output: 21 classes over images of 32 x 32 */
    const size_t pixels = 32 * 32, scene = 21;
    add_shape(shapes, sl_axis(at_least_one(small / (scene * pixels)), scene, pixels));
    if (full)
        add_shape(shapes, sl_axis(at_least_one(large / (scene * pixels)), scene, pixels));
}

/* One element short of whole vectors, so that every figure has a partial block in it. */
static void choose_element_shapes(struct shapes *shapes)
{
    for (int level = 0; level < CACHE_LEVELS; level++)
        if (topology.cache[level].bytes > 0)
            add_shape(shapes, sl_rows(1, elements_in(topology.cache[level]) - 1));
    add_shape(shapes, sl_rows(1, elements_in_memory() - 1));
}

/* --------------------------------------------------------------------------------------------- the memory */

/* One set of arrays for all cells, as large as the largest needs, written to before anything is timed. */
static struct {
    size_t elements, rows; /* what the largest cell needs */
    float *x, *y, *target_prob;
    int64_t *target_class;
    sl_shape target_shape; /* what target_class was drawn for */
    struct workload user;  /* --logits; x is NULL without */
} memory;

static void reserve(sl_shape shape)
{
    size_t rows = shape.outer * shape.inner, elements = rows * shape.classes;
    memory.elements = elements > memory.elements ? elements : memory.elements;
    memory.rows = rows > memory.rows ? rows : memory.rows;
}

/* Repeats the first `period` elements: drawing every one of them would take longer than the benchmarks. */
static void repeat(float *x, size_t period, size_t n)
{
    for (size_t i = period; i < n; i += period)
        memcpy(x + i, x, (n - i < period ? n - i : period) * sizeof *x);
}

static const distribution *distribution_named(const char *name)
{
    size_t i = 0;
    while (strcmp(distribution_at(i)->name, name) != 0)
        i++;
    return distribution_at(i);
}

static void fill_synthetic(void)
{
    enum { PERIOD = 1 << 20 };
    const size_t period = memory.elements < PERIOD ? memory.elements : PERIOD;
    generator g = {1};
    fill_rows(distribution_named("normal 3"), &g, memory.x, sl_rows(1, period));
    fill_probabilities(&g, memory.target_prob, period);
    repeat(memory.x, period, memory.elements);
    repeat(memory.target_prob, period, memory.elements);
}

static void fill_from_user(void)
{
    memcpy(memory.x, memory.user.x, memory.elements * sizeof *memory.x);
    if (memory.user.target_prob)
        memcpy(memory.target_prob, memory.user.target_prob, memory.elements * sizeof *memory.x);
}

/* x, y and target_prob in one piece, so that the roof can read any kernel's working set from x on. They start
 * at different offsets within 4 KiB: a store would else hold up loads from the same offset of other pages. */
static void allocate(void)
{
    enum { PAGE = 4096, SKEW = 1024, HUGE_PAGE = 2 << 20 };
    size_t stride = (memory.elements * sizeof(float) + PAGE - 1) / PAGE * PAGE + SKEW;
    size_t bytes = (3 * stride + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    char *all = aligned_alloc(HUGE_PAGE, bytes);
    memory.target_class = malloc(memory.rows * sizeof *memory.target_class);
    if (!all || !memory.target_class)
        refuse("out of memory: the largest shape needs %zu MiB", bytes >> 20);
#ifdef MADV_HUGEPAGE
    madvise(all, bytes, MADV_HUGEPAGE);
#endif
    memset(all, 0, bytes);
    memory.x = (float *)all;
    memory.y = (float *)(all + stride);
    memory.target_prob = (float *)(all + 2 * stride);
    if (memory.user.x)
        fill_from_user();
    else
        fill_synthetic();
    roof_memory(memory.x, memory.y, topology_last_level(&topology));
}

static struct workload prepare(sl_shape shape)
{
    static const sl_loss_options mean = {.reduction = SL_MEAN};
    if (!memory.x)
        allocate();
    struct workload w = {shape, memory.x, memory.target_prob, memory.target_class, &mean, memory.y};
    if (memory.user.x) {
        w.target_class = memory.user.target_class;
    } else if (memcmp(&shape, &memory.target_shape, sizeof shape) != 0) {
        generator g = {2};
        fill_class_ids(&g, memory.target_class, memory.x, shape);
        memory.target_shape = shape;
    }
    return w;
}

/* ---------------------------------------------------------------------------------------------- the cells */

struct cell {
    const struct kernel *kernel;
    const sl_kernels *isa;
    sl_shape shape;
    struct cell *next;
};
static struct cell *cells; /* all of them: Google Benchmark keeps pointers to them until it has run */

static void run_cell(bm_state *state, void *user)
{
    const struct cell *cell = user;
    const struct workload w = prepare(cell->shape);
    const size_t elements = workload_elements(&w);
    const size_t bytes = elements * (cell->kernel->reads + cell->kernel->writes) * sizeof(float);
    const double roof = roof_seconds(cell->kernel->writes ? ROOF_COPY : ROOF_READ, bytes);

    /* Timed here, too: Google Benchmark prints what it divides by time as a rate or in seconds. */
    size_t calls = 0;
    const double start = cpu_seconds();
    for (; bm_keep_running(state); calls++)
        cell->kernel->run(cell->isa, &w);
    const double seconds = (cpu_seconds() - start) / (double)calls;

    bm_counter(state, "elements", (double)elements);
    bm_counter(state, "ns_per_element", 1e9 * seconds / (double)elements);
    bm_counter(state, "bytes_per_second", (double)bytes / seconds);
    bm_counter(state, "x_roof", seconds / roof);
    bm_label(state, topology_level(&topology, bytes));
}

static void register_cells(const struct kernel *kernel, sl_shape shape)
{
    for (size_t i = 0; i < sl_isa_count(); i++) {
        const sl_kernels *isa = sl_isa(sl_isa_name_at(i));
        if (!isa)
            continue;
        struct cell *cell = malloc(sizeof *cell);
        if (!cell)
            refuse("out of memory");
        *cell = (struct cell){kernel, isa, shape, cells};
        cells = cell;
        char variant[64], size[64], name[2 * 64];
        variant_text(kernel, isa, variant, sizeof variant);
        shape_text(shape, size, sizeof size);
        snprintf(name, sizeof name, "%s/%s", variant, size);
        bm_register(name, run_cell, cell);
    }
    reserve(shape);
}

static void register_synthetic(bool full)
{
    struct shapes rows = {.count = 0}, elements = {.count = 0};
    choose_row_shapes(&rows, full);
    choose_element_shapes(&elements);
    for (size_t k = 0; k < kernel_count; k++) {
        const struct shapes *shapes = kernel_has_rows(&kernels[k]) ? &rows : &elements;
        for (size_t s = 0; s < shapes->count; s++)
            register_cells(&kernels[k], shapes->shape[s]);
    }
}

static void register_user(const struct workload *w)
{
    for (size_t k = 0; k < kernel_count; k++)
        if (workload_suits(&kernels[k], w))
            register_cells(&kernels[k], w->shape);
}

/* ----------------------------------------------------------------------------------------------- the rest */

static void print_help(void)
{
    printf(
        "usage: softlane-bench [flags of softlane] [flags of Google Benchmark]\n"
        "Times every kernel and instruction-set variant, named kernel/f32/isa/ROWSxCOLUMNS. Reports\n"
        "ns_per_element of CPU time, bytes_per_second of compulsory traffic, x_roof (the time over that of\n"
        "a plain read or copy of the same bytes in the same process) and the memory level of those bytes.\n\n"
        "  --full               all widths, and all of them from memory too\n"
        "%s"
        "\nFlags of Google Benchmark:\n",
        logits_help);
    bm_print_flags();
}

static void add_context(const char *key, const char *value, void *user)
{
    (void)user;
    bm_context(key, value);
}

int main(int argc, char **argv)
{
    const char *logits = NULL, *targets = NULL;
    bool full = false;
    int kept = 1;

    arguments_program("softlane-bench");
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--full") == 0)
            full = true;
        else if (!argument_value("--logits", &i, argc, argv, &logits) &&
                 !argument_value("--targets", &i, argc, argv, &targets))
            argv[kept++] = argv[i];
    }
    argc = kept;
    argv[argc] = NULL;
    bm_initialize(&argc, argv, print_help);
    if (argc > 1)
        refuse("unknown argument or bad value: '%s' (--help)", argv[1]);
    if (targets && !logits)
        refuse("--targets needs --logits");
    if (full && logits)
        refuse("--full chooses synthetic shapes and --logits brings its own: use one of them");
    arguments_check_environment();
    if (logits)
        logits_load(logits, targets, &memory.user);

    topology = topology_read(true);
    if (logits)
        register_user(&memory.user);
    else
        register_synthetic(full);
    context_visit(&topology, add_context, NULL);
    size_t ran = bm_run();
    bm_shutdown();
    return ran > 0 ? 0 : 2;
}
