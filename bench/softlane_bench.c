/* SPDX-License-Identifier: MIT
 *
 * softlane-bench: every kernel x element type x ISA x shape as a Google Benchmark, named
 * kernel/dtype/isa/ROWSxCOLUMNS. The variants are called through their tables, side by side in one process, on the same pages: what differs
 * between two figures of one shape is the code.
 */
#include "arguments.h"
#include "benchmark_shim.h"
#include "clock_rate.h"
#include "context.h"
#include "interrupt.h"
#include "logits.h"
#include "minimum_time.h"
#include "peers.h"
#include "roof.h"
#include "scored.h"
#include "threads.h"
#include "topology.h"
#include "upper_registers.h"
#include "variants.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct topology topology;

/* --------------------------------------------------------------------------------------------- the shapes */

enum { SHAPES_MAX = 128, CORES_MAX = 256 };

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
static size_t elements_in(struct cache cache, size_t size) { return cache.bytes / 2 / (2 * size); }

/* Elements of one array three times the last-level cache, if that is no more than a 16th of the memory. */
static size_t elements_in_memory(size_t size)
{
    size_t bytes = 3 * topology_last_level(&topology);
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0 && bytes > (size_t)pages / 16 * (size_t)page)
        bytes = (size_t)pages / 16 * (size_t)page;
    return bytes / size;
}

/* How much of a choice is measured. f32 is measured completely; of the other types, which run the same
 * algorithms, what is representative. A full run gives each the next one. */
enum effort { REPRESENTATIVE, COMPLETE, EVERYTHING };

static enum effort effort_for(const sl_ref_dtype *dtype, bool full)
{
    return (dtype == &sl_ref_dtypes[SL_COUNT_f32] ? COMPLETE : REPRESENTATIVE) + full;
}

/* The widths are digits, ImageNet, vocabularies of language models, and their odd neighbours, whose rows end
 * in partial blocks and start unaligned. From memory, and across the last axis, the code is the same: there
 * one width stands for all. */
static void choose_row_shapes(struct shapes *shapes, enum effort effort, size_t size)
{
    static const struct {
        size_t columns;
        enum effort in_cache, from_memory;
    } widths[] = {
        {10, COMPLETE, EVERYTHING},       {100, COMPLETE, EVERYTHING},     {128, EVERYTHING, EVERYTHING},
        {1000, REPRESENTATIVE, COMPLETE}, {1023, COMPLETE, EVERYTHING},    {4096, EVERYTHING, EVERYTHING},
        {32003, COMPLETE, EVERYTHING},    {50257, EVERYTHING, EVERYTHING}, {128256, COMPLETE, EVERYTHING}};
    enum { WIDTHS = sizeof widths / sizeof widths[0] };
    const size_t small = elements_in(topology.cache[1], size), large = elements_in_memory(size);
    for (size_t i = 0; i < WIDTHS; i++)
        if (widths[i].in_cache <= effort)
            add_shape(shapes, sl_rows(at_least_one(small / widths[i].columns), widths[i].columns));
    for (size_t i = 0; i < WIDTHS; i++)
        if (widths[i].from_memory <= effort)
            add_shape(shapes, sl_rows(at_least_one(large / widths[i].columns), widths[i].columns));
    if (EVERYTHING <= effort)
        add_shape(shapes, sl_rows(1, large - 1));
    /* a segmentation network's output: 21 classes over images of 32 x 32 */
    const size_t pixels = 32 * 32, scene = 21;
    add_shape(shapes, sl_axis(at_least_one(small / (scene * pixels)), scene, pixels));
    if (EVERYTHING <= effort)
        add_shape(shapes, sl_axis(at_least_one(large / (scene * pixels)), scene, pixels));
}

/* One element short of whole vectors, so that every figure has a partial block in it. */
static void choose_element_shapes(struct shapes *shapes, enum effort effort, size_t size)
{
    static const enum effort in_cache[CACHE_LEVELS] = {COMPLETE, REPRESENTATIVE, COMPLETE};
    for (int level = 0; level < CACHE_LEVELS; level++)
        if (topology.cache[level].bytes > 0 && in_cache[level] <= effort)
            add_shape(shapes, sl_rows(1, elements_in(topology.cache[level], size) - 1));
    if (COMPLETE <= effort)
        add_shape(shapes, sl_rows(1, elements_in_memory(size) - 1));
}

/* For curves: one row of a few columns; then 1000 columns in more and more rows (or as many in one), 4 times those of the
 * shape before, of types other than f32 16 times, up to half of the last cache. Memory is among the other shapes. */
static void choose_size_shapes(struct shapes *shapes, bool one_row, enum effort effort, size_t size)
{
    static const struct {
        size_t columns;
        enum effort effort;
    } few[] = {{1, COMPLETE}, {4, COMPLETE}, {16, REPRESENTATIVE}, {64, COMPLETE}, {250, REPRESENTATIVE}};
    const size_t columns = 1000, largest = topology_last_level(&topology) / 2 / (2 * size);
    for (size_t i = 0; i < sizeof few / sizeof few[0]; i++)
        if (few[i].effort <= effort)
            add_shape(shapes, sl_rows(1, few[i].columns));
    for (size_t rows = 1; rows * columns <= largest; rows *= COMPLETE <= effort ? 4 : 16)
        add_shape(shapes, one_row ? sl_rows(1, rows * columns) : sl_rows(rows, columns));
}

/* From one element to 64Mi, two sizes for each power of two: first of a single row (of columns that element kernels do
 * not know of), then for row kernels as many columns in as many rows as fill the L2, and 1000 columns in 1 to 16Ki
 * rows. */
static void choose_sweep_shapes(struct shapes *shapes, bool by_element, size_t size)
{
    const size_t largest = (size_t)64 << 20, small = elements_in(topology.cache[1], size);
    for (size_t n = 1; n <= largest; n *= 2) {
        add_shape(shapes, sl_rows(1, n));
        if (n > 1 && n < largest)
            add_shape(shapes, sl_rows(1, n + n / 2));
    }
    if (by_element)
        return;
    for (size_t columns = 1; columns <= small / 2; columns *= 2) {
        add_shape(shapes, sl_rows(small / columns, columns));
        if (columns > 1)
            add_shape(shapes, sl_rows(small / (columns + columns / 2), columns + columns / 2));
    }
    for (size_t rows = 2; rows <= 16 << 10; rows *= 2)
        add_shape(shapes, sl_rows(rows, 1000));
}

/* Partial statistics are for rows that are worth dividing. */
static bool is_worth_measuring(const kernel *k, sl_shape shape)
{
    return takes_shape(k, shape) && (!k->one_row || shape.classes >= 1000);
}

/* Elements that a call goes through in no time. */
enum { QUICK = 1 << 22 };

/* Plain C with libm stands beside the ISAs everywhere. It computes as long for each element wherever the data is, so large
 * shapes of it would cost minutes and say nothing. */
static bool is_worth_comparing(const variant *v, sl_shape shape)
{
    return strcmp(v->isa->isa, "libm") != 0 || elements(shape) <= QUICK;
}

/* A peer's first call loads its code or makes what it keeps for a shape, which is not to be timed. */
static bool has_first_call(const variant *v, sl_shape shape)
{
    return !v->isa->needs && elements(shape) <= QUICK;
}

/* ---------------------------------------------------------------------------------------------- the cells */

struct cell {
    variant variant;
    sl_shape shape;
    unsigned threads;
    struct cell *next;
};
static struct cell *cells; /* all of them: Google Benchmark keeps pointers to them until it has run */

/* One set of arrays for all cells, as large as the largest needs, written to before anything is timed. */
static struct {
    size_t bytes, elements, rows; /* the most that a cell needs of an array, and of its elements and rows */
    char *x, *second, *y;
    int64_t *target_class;
    sl_stats *stats;
    struct logits user; /* --logits; x is NULL without */
} memory;

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Of all rows, and of what lies between them. */
static size_t span_of(sl_shape shape)
{
    return shape.in.outer > 0 ? shape.outer * (size_t)shape.in.outer : elements(shape);
}

static void reserve(const kernel *k, sl_shape shape)
{
    memory.elements = larger(memory.elements, span_of(shape));
    memory.rows = larger(memory.rows, rows(shape));
    memory.bytes = larger(memory.bytes, larger(span_of(shape) * larger(k->dtype->size, k->dtype->loss_size),
                                               rows(shape) * larger(choices(k, shape), 1) * sizeof(int64_t)));
}

/* x, second and y in one piece, of which a roof reads any kernel's working set from x on, and copies from its
 * first half to its second. They start at different offsets within 4 KiB: a store would else hold up loads
 * from the same offset of other pages. */
static void allocate_memory(void)
{
    enum { PAGE = 4096, SKEW = 1024, HUGE_PAGE = 2 << 20 };
    const size_t stride = (memory.bytes + PAGE - 1) / PAGE * PAGE + SKEW;
    const size_t bytes = (3 * stride + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    char *all = aligned_alloc(HUGE_PAGE, bytes);
    if (!all)
        refuse("out of memory: the largest shape needs %zu MiB", bytes >> 20);
#ifdef MADV_HUGEPAGE
    madvise(all, bytes, MADV_HUGEPAGE);
#endif
    memset(all, 0, bytes);
    memory.x = all;
    memory.second = all + stride;
    memory.y = all + 2 * stride;
    memory.target_class = allocate_zeroed(memory.rows, sizeof *memory.target_class);
    memory.stats = allocate_zeroed(memory.rows, sizeof *memory.stats);
    roof_memory(all, all + stride + stride / 2, topology_last_level(&topology));
}

/* --------------------------------------------------------------------------------------------- the inputs */

/* What inputs are copied from: so many elements of each kind and type, and then again from the start. Drawing
 * each of them would take longer than the benchmarks. */
static size_t period(void)
{
    enum { SYNTHETIC = 1 << 20 };
    return memory.user.x ? elements(memory.user.shape) : SYNTHETIC;
}

static void put_floats(const sl_ref_dtype *dtype, void *to, const float *from)
{
    for (size_t i = 0; i < period(); i++)
        dtype->put(to, i, from[i]);
}

static void put_from(const char *distribution, const sl_ref_dtype *dtype, void *to)
{
    float *x = allocate_zeroed(period(), sizeof *x);
    generator g = {1};
    size_t i = 0;
    while (strcmp(distribution_at(i)->name, distribution) != 0)
        i++;
    fill_rows(distribution_at(i), &g, x, sl_rows(1, period()));
    put_floats(dtype, to, x);
    free(x);
}

static void put_logits(const sl_ref_dtype *dtype, void *to)
{
    if (memory.user.x)
        logits_put(&memory.user, dtype, to);
    else
        put_from("normal 3", dtype, to);
}

static void put_gradients(const sl_ref_dtype *dtype, void *to) { put_from("normal 1", dtype, to); }

static void put_probabilities(const sl_ref_dtype *dtype, void *to)
{
    if (memory.user.x) {
        logits_put_one_hot(&memory.user, dtype, to);
        return;
    }
    float *p = allocate_zeroed(period(), sizeof *p);
    generator g = {2};
    fill_probabilities(&g, p, period());
    put_floats(dtype, to, p);
    free(p);
}

/* A kind of input, and its period in each element type as soon as that has been wanted. */
struct source {
    void (*put)(const sl_ref_dtype *dtype, void *to);
    void *made[SL_DTYPE_COUNT];
};

static void copy_from(struct source *source, const sl_ref_dtype *dtype, void *to, size_t elements)
{
    void **made = &source->made[dtype - sl_ref_dtypes];
    if (!*made) {
        *made = allocate_zeroed(period(), dtype->size);
        source->put(dtype, *made);
    }
    for (size_t i = 0; i < elements; i += period())
        memcpy((char *)to + i * dtype->size, *made,
               (elements - i < period() ? elements - i : period()) * dtype->size);
}

static void fill_target_class(sl_shape shape)
{
    generator g = {3};
    for (size_t r = 0; r < rows(shape); r++)
        memory.target_class[r] =
            memory.user.target ? memory.user.target[r] : (int64_t)next_below(&g, shape.classes);
}

static void fill_chosen(const kernel *k, sl_shape shape)
{
    generator g = {3};
    for (size_t i = 0; i < second_count(k, shape); i++)
        ((int64_t *)memory.second)[i] = (int64_t)next_below(&g, shape.classes);
}

static call prepare(const struct cell *cell)
{
    static struct source logits = {.put = put_logits}, gradients = {.put = put_gradients},
                         probabilities = {.put = put_probabilities};
    static sl_loss_options mean = {.reduction = SL_MEAN};
    static double loss; /* large enough for any type */
    const kernel *k = cell->variant.kernel;
    const size_t count = span_of(cell->shape);
    if (!memory.x)
        allocate_memory();
    mean.has_ignore_index = k->second == CLASS_IDS && memory.user.has_ignore_index;
    mean.ignore_index = mean.has_ignore_index ? memory.user.ignore_index : 0;
    copy_from(&logits, k->dtype, memory.x, count);
    logits_to_input_by(k, sl_isa(NULL), memory.x, k->by_element ? sl_rows(1, count) : cell->shape);
    if (k->second == DY)
        copy_from(&gradients, k->dtype, memory.second, count);
    else if (k->second == PROBABILITIES)
        copy_from(&probabilities, k->dtype, memory.second, count);
    else if (k->second == CLASS_IDS || k->second == SHARD_IDS)
        fill_target_class(cell->shape);
    else if (k->second == CHOSEN_IDS)
        fill_chosen(k, cell->shape);
    call c = {
        .x = memory.x,
        .second =
            k->second == CLASS_IDS || k->second == SHARD_IDS ? (void *)memory.target_class : memory.second,
        .shape = cell->shape,
        .options = &mean,
        .out = {is_loss(k) ? (void *)&loss : memory.y, cell->variant.gradient ? memory.y : NULL},
    };
    if (k->row_options)
        c.row_options = scored_options(k, cell->shape, &c.out[LSE]);
    if (k->result == STATS_PER_ROW)
        c.out[RESULT] = memory.stats;
    know_rows(k, sl_isa(NULL), &c, memory.stats);
    return c;
}

/* --------------------------------------------------------------------------------------------- the timing */

/* The public functions, which check their arguments and look up the table, beside the ISAs: for the cost of a call. */
static const sl_kernels public_functions = {.isa = "public", .needs = ""};

struct job {
    const struct cell *cell;
    call c;
};

static void *at_byte(const void *array, size_t offset) { return array ? (char *)array + offset : NULL; }

/* The share of one thread: whole rows, or for a kernel without rows whole lines of memory. */
static call share_of(const kernel *k, const call *c, unsigned part, unsigned parts)
{
    enum { LINE = 64 };
    static double losses[CORES_MAX][LINE / sizeof(double)]; /* one line of memory for each thread */
    const size_t all = k->by_element ? elements(c->shape) / LINE : c->shape.outer;
    const size_t first = all * part / parts, last = all * (part + 1) / parts;
    const size_t unit = k->by_element ? LINE : span_of(c->shape) / c->shape.outer;
    const size_t offset = first * unit * k->dtype->size, row = k->by_element ? 0 : first * c->shape.inner;
    call mine = *c;
    if (k->by_element)
        mine.shape = sl_rows(1, (last - first) * LINE + (part + 1 == parts ? elements(c->shape) % LINE : 0));
    else
        mine.shape.outer = last - first;
    mine.x = at_byte(c->x, offset);
    mine.second = at_byte(c->second, second_is_ids(k)
                                         ? second_count(k, c->shape) / c->shape.outer * first * second_size(k)
                                         : offset);
    mine.stats = c->stats ? c->stats + row : NULL;
    mine.lse = at_byte(c->lse, row * k->dtype->loss_size);
    mine.out[RESULT] =
        is_loss(k)
            ? losses[part]
            : at_byte(c->out[RESULT], results_per_row(k, c->shape) == 0
                                          ? first * unit * output_size(k, RESULT)
                                          : row * results_per_row(k, c->shape) * output_size(k, RESULT));
    mine.out[GRADIENT] = at_byte(c->out[GRADIENT], offset);
    return mine;
}

static void run_part(unsigned part, unsigned parts, void *user)
{
    const struct job *job = user;
    const variant *v = &job->cell->variant;
    if (v->isa == &public_functions) {
        (void)v->kernel->check_and_run(&job->c);
    } else if (parts == 1) {
        v->kernel->run(v->isa, &job->c);
    } else {
        const call mine = share_of(v->kernel, &job->c, part, parts);
        if (elements(mine.shape) > 0)
            v->kernel->run(v->isa, &mine);
    }
}

static void clear_part(unsigned part, unsigned parts, void *user)
{
    (void)part, (void)parts, (void)user;
    clear_upper_registers();
}

static void run_cell(bm_state *state, void *user)
{
    const struct cell *cell = user;
    const kernel *k = cell->variant.kernel;
    struct job job = {cell, prepare(cell)};
    const size_t count = elements(cell->shape);
    const unsigned written = k->writes + cell->variant.gradient;
    const size_t bytes = count * (k->reads + written) * k->dtype->size;
    /* Timed here, too: Google Benchmark prints what it divides by time as a rate or in seconds. */
    size_t calls = 0;
    /* A kernel sees its own rows: what goes past the caches is for all threads to fill. */
    sl_set_cache_bytes(cell->threads > 1 ? topology_last_level(&topology) / cell->threads : 0);
    if (has_first_call(&cell->variant, cell->shape))
        threads_run(cell->threads, run_part, &job);
    threads_run(cell->threads, clear_part, NULL);
    const double start = clock_seconds(cell->threads);
    for (; bm_keep_running(state); calls++)
        threads_run(cell->threads, run_part, &job);
    const double seconds = (clock_seconds(cell->threads) - start) / (double)calls;

    bm_counter(state, "elements", (double)count);
    bm_counter(state, "ns_per_element", 1e9 * seconds / (double)count);
    const double ghz = cell->threads == 1 ? clock_rate_ghz() : 0; /* at once: it changes with the load */
    if (ghz > 0) {
        bm_counter(state, "clock_ghz", ghz);
        bm_counter(state, "cycles_per_element", 1e9 * seconds / (double)count * ghz);
    }
    if (bytes > 0) {
        const struct roof_time roof = roof_time(written ? ROOF_COPY : ROOF_READ, bytes, cell->threads);
        bm_counter(state, "bytes_per_second", (double)bytes / seconds);
        bm_counter(state, "x_roof", seconds / roof.seconds);
        bm_counter(state, "roof_spread_percent", roof.spread_percent);
    }
    bm_label(state, topology_level(&topology, bytes > 0 ? bytes : count * k->dtype->size));
}

/* What is measured: the shapes chosen for this machine's caches, the sweep, or those of a file; by whom. */
struct choice {
    bool full, sizes, sweep, public;
    const char *file, *level; /* of peers; NULL: plain C alone */
    unsigned threads;
};

/* This shape on all ISAs of a kernel, and by its peers. */
static void register_cells(const variant *v, size_t isas, sl_shape shape, unsigned threads)
{
    for (size_t i = 0; i < isas; i++) {
        if (!variant_takes_shape(&v[i], shape) || (threads > 1 && !v[i].isa->needs))
            continue; /* peers are for one thread: some were made for one shape */
        if (!is_worth_comparing(&v[i], shape) || (shape.in.outer > 0 && !v[i].isa->needs))
            continue; /* nor do they know strides */
        struct cell *cell = allocate_zeroed(1, sizeof *cell);
        *cell = (struct cell){v[i], shape, threads, cells};
        cells = cell;
        char code[VARIANT_TEXT], size[SHAPE_TEXT], name[VARIANT_TEXT + SHAPE_TEXT + 32];
        variant_text(&v[i], code);
        shape_text(shape, size);
        if (threads > 1)
            snprintf(name, sizeof name, "%s/%s/threads:%u", code, size, threads);
        else
            snprintf(name, sizeof name, "%s/%s", code, size);
        bm_register(name, run_cell, cell);
    }
    reserve(v->kernel, shape);
}

/* By one thread, and by all of them where there are rows enough to split. */
static void register_in_threads(const variant *v, size_t isas, sl_shape shape, const struct choice *choice)
{
    register_cells(v, isas, shape, 1);
    if (choice->threads > 1 && (v->kernel->by_element ? shape.in.outer == 0 : shape.outer >= choice->threads))
        register_cells(v, isas, shape, choice->threads);
}

/* The shapes that lines "kernel/dtype/ROWSxCOLUMNS ..." of a file have for this kernel. What follows is not for us, nor
 * are lines that start with #. Refuses other lines. */
static void read_shapes(struct shapes *shapes, const variant *v, const char *path)
{
    char line[256], kernel[VARIANT_TEXT], cell[VARIANT_TEXT + 8], word[sizeof line];
    size_t number = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        refuse("--cells: cannot read '%s'", path);
    variant_operation_text(v, kernel);
    snprintf(cell, sizeof cell, "%s/%s/", kernel, v->kernel->dtype->name);
    while (fgets(line, sizeof line, file)) {
        unsigned long long rows, columns, pitch = 0;
        int end = 0, more = 0;
        number++;
        if (*line == '#' || sscanf(line, "%255s", word) != 1)
            continue;
        const char *shape = strrchr(word, '/');
        if (!shape || sscanf(shape, "/%8llux%12llu%n", &rows, &columns, &end) != 2 || !rows || !columns ||
            (shape[end] &&
             (sscanf(shape + end, "p%12llu%n", &pitch, &more) != 1 || shape[end + more] || pitch < columns)))
            refuse("--cells: %s:%zu: '%s' is not kernel/dtype/ROWSxCOLUMNS or ...pPITCH", path, number, word);
        if (rows > ((size_t)1 << 32) / (pitch ? pitch : columns))
            refuse("--cells: %s:%zu: more than 2^32 elements", path, number);
        sl_shape of_line = sl_rows(rows, columns);
        of_line.in.outer = of_line.out.outer = (ptrdiff_t)pitch;
        if (strncmp(word, cell, strlen(cell)) == 0 && word + strlen(cell) == shape + 1 &&
            (pitch == 0 || takes_strides(v->kernel)))
            add_shape(shapes, of_line);
    }
    fclose(file);
}

static void register_synthetic(const variant *v, size_t isas, const struct choice *choice)
{
    const kernel *k = v->kernel;
    struct shapes shapes = {.count = 0};
    if (choice->file)
        read_shapes(&shapes, v, choice->file);
    else if (choice->sizes)
        choose_size_shapes(&shapes, k->by_element || k->one_row, effort_for(k->dtype, false), k->dtype->size);
    else if (choice->sweep)
        choose_sweep_shapes(&shapes, k->by_element, k->dtype->size);
    else
        (k->by_element ? choose_element_shapes
                       : choose_row_shapes)(&shapes, effort_for(k->dtype, choice->full), k->dtype->size);
    for (size_t s = 0; s < shapes.count; s++)
        if (choice->file || choice->sweep ? takes_shape(k, shapes.shape[s])
                                          : is_worth_measuring(k, shapes.shape[s]))
            register_in_threads(v, isas, shapes.shape[s], choice);
    if (choice->sweep)
        register_cells(&(variant){k, v->gradient, &public_functions}, 1, sl_rows(1, 1), 1);
    for (size_t s = 0; choice->public && s < shapes.count; s++)
        if (takes_shape(k, shapes.shape[s]))
            register_cells(&(variant){k, v->gradient, &public_functions}, 1, shapes.shape[s], 1);
}

static void register_all(const struct choice *choice)
{
    variant *v;
    size_t peers;
    const sl_kernels *const *tables = peers_of(choice->level, &peers), *detour = scored_detour();
    const sl_kernels **others = allocate(peers + 1, sizeof *others);
    for (size_t i = 0; i < peers; i++)
        others[i] = tables[i];
    others[peers] = detour;
    const size_t count = variants_available(&v, others, peers + (detour != NULL));
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i; next < count && variants_alike(&v[i], &v[next]);)
            next++;
        if (!memory.user.x)
            register_synthetic(&v[i], next - i, choice);
        else if (logits_suit(&memory.user, v[i].kernel))
            register_in_threads(&v[i], next - i, memory.user.shape, choice);
    }
    free(v);
    free(others);
}

/* ----------------------------------------------------------------------------------------------- the rest */

static void print_help(void)
{
    printf(
        "usage: softlane-bench [flags of softlane] [flags of Google Benchmark]\n"
        "Times every kernel, element type and instruction-set variant, named kernel/dtype/isa/ROWSxCOLUMNS;\n"
        "kernel+grad is a loss and its gradient in one call. Reports\n"
        "ns_per_element of CPU time, bytes_per_second of compulsory traffic, x_roof (the time over that of\n"
        "a plain read or copy of the same bytes in the same process), clock_ghz (counted by dependent "
        "additions\n"
        "after each repetition), and the memory level of those bytes. Each runs three times, and has one "
        "line for\n"
        "the median, unless --benchmark_repetitions says otherwise.\n\n"
        "  --full               all widths, and all of them from memory too; more of types other than f32\n"
        "  --cells FILE         only the kernels and shapes of FILE: lines of kernel/dtype/ROWSxCOLUMNS, of\n"
        "                       rows with a pitch (in elements) ROWSxCOLUMNSpPITCH\n"
        "  --sizes              a few sizes from one element to the last cache: time against size\n"
        "  --sweep              shapes from 1 element to 64Mi, and the public functions with one element\n"
        "  --threads N          by one thread and by N, each on a core of its own (.../threads:N, time on "
        "the wall)\n"
        "  --public             with --cells: the public functions, too, with all that they check\n"
        "  --peers LEVEL        other people's kernels, too, as they were built for avx512, avx2 or sse2\n"
        "                       (without it plain C with libm alone, up to 4Mi elements). What a library\n"
        "                       chooses by itself is limited by scripts/levels.py, not here\n"
        "  --again N            measure what spreads by more than 10 %% (interquartile range / median of "
        "the\n"
        "                       repetitions) up to N times again (2), for a quarter of the time before at "
        "most;\n"
        "                       what then still does is noisy\n"
        "  --progress N         show how many of N repetitions have been done, where stderr is a terminal\n"
        "                       and stdout is not\n"
        "%s"
        "%s"
        "  -h, --help           this\n"
        "  --version            the version\n"
        "\nExit code: 0, or 2 for bad arguments, when nothing was measured or when the output cannot be "
        "written.\n"
        "\nFlags of Google Benchmark:\n",
        logits_help, scored_help);
    bm_print_flags();
}

static void add_context(const char *key, const char *value, void *user)
{
    (void)user;
    bm_context(key, value);
}

static unsigned number_of(const char *flag, const char *text, unsigned most, const char *why_most)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number < 1 || number > most)
        refuse("%s: '%s' is not a number from 1 to %u%s", flag, text, most, why_most);
    return (unsigned)number;
}

/* Before it takes minutes to fill it. What is there is replaced in the end. */
static void check_writable(const char *out)
{
    FILE *file = out ? fopen(out, "a") : NULL;
    if (out && !file)
        refuse("--benchmark_out: %s: cannot be written", out);
    if (file)
        fclose(file);
}

enum { FLAGS_MAX = 256 };

int main(int argc, char **argv)
{
    struct logits_flags flags = {.logits = NULL};
    struct choice choice = {.threads = 1};
    const char *threads = NULL, *progress = NULL, *again = NULL, *options = NULL;
    struct bm_options run = {.times = "ns_per_element",
                             .out = getenv("BENCHMARK_OUT"),
                             .format = getenv("BENCHMARK_OUT_FORMAT"),
                             .again = 2,
                             .again_share = 0.25,
                             .medians = !getenv("BENCHMARK_REPETITIONS")};
    /* what Google Benchmark is given: its own file is nobody's, ours has all rounds */
    char *given[FLAGS_MAX + 4] = {argv[0], "--benchmark_out=/dev/null", "--benchmark_repetitions=3"};
    int kept = 3;

    arguments_program("softlane-bench");
    if (argc > FLAGS_MAX)
        refuse("more than %d arguments", FLAGS_MAX);
    for (int i = 1; i < argc; i++) {
        argument_help_or_version(argv[i], print_help);
        if (strcmp(argv[i], "--full") == 0)
            choice.full = true;
        else if (strcmp(argv[i], "--sizes") == 0)
            choice.sizes = true;
        else if (strcmp(argv[i], "--sweep") == 0)
            choice.sweep = true;
        else if (strcmp(argv[i], "--public") == 0)
            choice.public = true;
        else if (!argument_value("--cells", &i, argc, argv, &choice.file) &&
                 !argument_value("--peers", &i, argc, argv, &choice.level) &&
                 !argument_value("--threads", &i, argc, argv, &threads) &&
                 !argument_value("--progress", &i, argc, argv, &progress) &&
                 !argument_value("--options", &i, argc, argv, &options) &&
                 !logits_argument(&flags, &i, argc, argv) &&
                 !argument_value("--again", &i, argc, argv, &again) &&
                 !argument_value("--benchmark_out", &i, argc, argv, &run.out) &&
                 !argument_value("--benchmark_out_format", &i, argc, argv, &run.format)) {
            if (strncmp(argv[i], "--benchmark_repetitions", strlen("--benchmark_repetitions")) == 0)
                run.medians = false;
            given[kept++] = argv[i];
        }
    }
    if (!run.medians) { /* the user's number, not ours */
        memmove(given + 2, given + 3, (size_t)(kept - 3) * sizeof *given);
        kept--;
    }
    given[kept] = NULL;
    minimum_time_adapt(kept, given);
    bm_initialize(&kept, given, print_help);
    if (kept > 1)
        refuse("unknown argument or bad value: '%s' (--help)", given[1]);
    logits_check_flags(&flags);
    if (options)
        scored_choose(options);
    if (choice.full + choice.sizes + choice.sweep + (choice.file != NULL) + (flags.logits != NULL) > 1)
        refuse("--full, --sizes, --sweep, --cells and --logits each choose the shapes: use one of them");
    if (options && threads)
        refuse("--options: by one thread only");
    if (choice.public && !choice.file)
        refuse("--public: needs --cells");
    if (run.format && strcmp(run.format, "json") != 0 && strcmp(run.format, "csv") != 0 &&
        strcmp(run.format, "console") != 0)
        refuse("--benchmark_out_format: '%s' is none of json, csv and console", run.format);
    run.repetitions = progress ? number_of("--progress", progress, 1 << 24, "") : 0;
    if (again)
        run.again = strcmp(again, "0") == 0 ? 0 : number_of("--again", again, 100, " (0: never)");
    check_writable(run.out);
    arguments_check_environment();
    if (flags.logits)
        logits_load(&flags, &memory.user);

    topology = topology_read(true);
    if (threads) {
        const unsigned most = topology.cores < CORES_MAX ? topology.cores : CORES_MAX;
        choice.threads = number_of("--threads", threads, most, ", the cores there are");
        threads_start(choice.threads);
    }
    register_all(&choice);
    context_visit(&topology, add_context, NULL);
    bm_context("shapes", choice.sizes ? "sizes" : choice.sweep ? "sweep" : "chosen");
    const struct bm_result result = bm_run(&run);
    bm_shutdown();
    if (!result.written)
        refuse("--benchmark_out: %s: could not be written to its end", run.out);
    return interrupted() ? interrupt_report("softlane-bench") : result.ran > 0 ? 0 : 2;
}
