/* SPDX-License-Identifier: MIT
 *
 * See torch_file.h. The text is cut into words where it stands.
 */
#include "torch_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *name;
    size_t line;
} line_names[] = {
    {"x", LINE_X},
    {"dy", LINE_SECOND},
    {"target", LINE_SECOND},
    {"ids", LINE_SECOND},
    {"weight", LINE_WEIGHT},
    {"pos_weight", LINE_POS_WEIGHT},
    {"upstream", LINE_UPSTREAM},
    {"mask", LINE_MASK},
    {"first", LINE_FIRST},
    {"length", LINE_LENGTH},
    {"sink", LINE_SINK},
    {"result", LINE_PYTORCH + RESULT},
    {"gradient", LINE_PYTORCH + GRADIENT},
    {"lse", LINE_PYTORCH + LSE},
    {"softlane_result", LINE_SOFTLANE + RESULT},
    {"softlane_gradient", LINE_SOFTLANE + GRADIENT},
    {"softlane_lse", LINE_SOFTLANE + LSE},
};

static const char *const reduction_names[] = {[SL_MEAN] = "mean", [SL_SUM] = "sum", [SL_NONE] = "none"};
static const char *const mask_names[] = {
    [SL_MASK_F32] = "f32", [SL_MASK_F16] = "f16", [SL_MASK_BF16] = "bf16", [SL_MASK_BOOL] = "bool"};

/* Where reading has got to. */
typedef struct {
    size_t line;
    torch_case *cases;
    size_t count;
    double *free_numbers;
} reader;

#define REFUSE(reader, ...)                                                                                  \
    do {                                                                                                     \
        print_error(TORCH_FILE ":%zu: ", (reader)->line);                                                    \
        fail_msg(__VA_ARGS__);                                                                               \
    } while (0)

static char *whole_file(size_t *size)
{
    FILE *f = fopen(TORCH_FILE, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        fail_msg("cannot read " TORCH_FILE);
    *size = (size_t)ftell(f);
    rewind(f);
    char *text = allocate(*size + 1, 1);
    assert_int_equal(fread(text, 1, *size, f), *size);
    text[*size] = '\0';
    fclose(f);
    return text;
}

/* Ends the text at the first separator; returns what follows it. */
static char *cut(char *text, char separator)
{
    char *end = strchr(text, separator);
    if (end == NULL)
        return text + strlen(text);
    *end = '\0';
    return end + 1;
}

static size_t row_of(const reader *r, const char *name)
{
    for (size_t i = 0; i < KERNELS; i++)
        if (strncmp(kernels[i].name, name, strlen(name)) == 0 && kernels[i].name[strlen(name)] == '/')
            return kernels[i].row;
    REFUSE(r, "no kernel: '%s'", name);
    return 0;
}

static sl_reduction reduction_of(const reader *r, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(reduction_names); i++)
        if (strcmp(name, reduction_names[i]) == 0)
            return (sl_reduction)i;
    REFUSE(r, "no reduction: '%s'", name);
    return SL_NONE;
}

static sl_mask_type mask_type_of(const reader *r, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(mask_names); i++)
        if (mask_names[i] != NULL && strcmp(name, mask_names[i]) == 0)
            return (sl_mask_type)i;
    REFUSE(r, "no type of masks: '%s'", name);
    return SL_MASK_NONE;
}

static void read_option(const reader *r, torch_case *t, const char *option)
{
    sl_loss_options *options = &t->options;
    sl_softmax_options *row_options = &t->row_options;
    char name[8];
    if (sscanf(option, "reduction=%7s", name) == 1)
        options->reduction = reduction_of(r, name);
    else if (sscanf(option, "mask=%7s", name) == 1)
        row_options->mask_type = mask_type_of(r, name);
    else if (sscanf(option, "ignore=%" SCNd64, &options->ignore_index) == 1)
        options->has_ignore_index = true;
    else if (sscanf(option, "smoothing=%lf", &options->label_smoothing) != 1 &&
             sscanf(option, "scale=%lf", &row_options->scale) != 1 &&
             sscanf(option, "softcap=%lf", &row_options->softcap) != 1 &&
             sscanf(option, "slope=%lf", &row_options->slope) != 1)
        REFUSE(r, "no option: '%s'", option);
}

/* KERNEL OUTERxCLASSESxINNER [OPTION=VALUE ...] */
static void read_title(reader *r, char *words)
{
    torch_case *t = &r->cases[r->count++];
    char *title = allocate(strlen(words) + 1, 1);
    *t = (torch_case){.line = r->line, .title = strcpy(title, words)};
    char *shape = cut(words, ' '), *option = cut(shape, ' ');
    t->row = row_of(r, words);
    if (sscanf(shape, "%zux%zux%zu", &t->shape.outer, &t->shape.classes, &t->shape.inner) != 3)
        REFUSE(r, "no shape: '%s'", shape);
    for (char *next; *option != '\0'; option = next) {
        next = cut(option, ' ');
        read_option(r, t, option);
    }
}

static numbers read_numbers(reader *r, char *word)
{
    numbers all = {r->free_numbers, 0};
    for (char *next; *word != '\0'; word = next) {
        char *end;
        next = cut(word, ' ');
        r->free_numbers[all.count++] = strtod(word, &end);
        if (end == word || *end != '\0')
            REFUSE(r, "no number: '%s'", word);
    }
    r->free_numbers += all.count;
    return all;
}

static void read_line(reader *r, char *line)
{
    char *rest = cut(line, ' ');
    if (strcmp(line, "case") == 0) {
        read_title(r, rest);
        return;
    }
    if (r->count == 0)
        REFUSE(r, "'%s' before the first case", line);
    torch_case *t = &r->cases[r->count - 1];
    if (strcmp(line, "differs") == 0) {
        t->differs = rest;
        return;
    }
    for (size_t i = 0; i < COUNT_OF(line_names); i++)
        if (strcmp(line, line_names[i].name) == 0) {
            t->lines[line_names[i].line] = read_numbers(r, rest);
            return;
        }
    REFUSE(r, "no such line: '%s'", line);
}

static void check_lines(const torch_case *t)
{
    const kernel *k = &kernels[t->row * SL_DTYPE_COUNT];
    const call c = {.shape = t->shape, .options = &t->options};
    const size_t results = output_count(k, &c, RESULT), gradients = is_loss(k) ? elements(t->shape) : 0,
                 of_rows = k->row_options ? rows(t->shape) : 0,
                 mask = t->lines[LINE_MASK].count == t->shape.classes ? t->shape.classes : elements(t->shape);
    const bool has_mask = t->row_options.mask_type != SL_MASK_NONE;
    const struct {
        size_t count;
        bool is_required;
    } want[LINES] = {
        [LINE_X] = {elements(t->shape), true},
        [LINE_SECOND] = {second_count(k, t->shape), second_is_required(k)},
        [LINE_WEIGHT] = {t->shape.classes, false},
        [LINE_POS_WEIGHT] = {t->shape.classes, false},
        [LINE_UPSTREAM] = {results, false},
        [LINE_MASK] = {k->row_options && has_mask ? mask : 0, has_mask},
        [LINE_FIRST] = {of_rows, false},
        [LINE_LENGTH] = {of_rows, false},
        [LINE_SINK] = {of_rows, false},
        [LINE_PYTORCH + RESULT] = {results, true},
        [LINE_PYTORCH + GRADIENT] = {gradients, is_loss(k)},
        [LINE_PYTORCH + LSE] = {of_rows, k->row_options},
        [LINE_SOFTLANE + RESULT] = {results, false},
        [LINE_SOFTLANE + GRADIENT] = {gradients, false},
        [LINE_SOFTLANE + LSE] = {of_rows, false},
    };
    for (size_t i = 0; i < LINES; i++)
        if (t->lines[i].at != NULL ? t->lines[i].count != want[i].count : want[i].is_required)
            fail_msg(TORCH_FILE ":%zu: %s: line %zu has %zu numbers, not %zu", t->line, t->title, i,
                     t->lines[i].count, want[i].count);
    bool has_own = false;
    for (size_t output = 0; output < OUTPUTS; output++)
        has_own = has_own || t->lines[LINE_SOFTLANE + output].at != NULL;
    if ((t->differs != NULL) != has_own)
        fail_msg(TORCH_FILE ":%zu: %s: a difference needs a reason and numbers", t->line, t->title);
}

const torch_case *read_torch_file(size_t *count)
{
    size_t size;
    char *line = whole_file(&size);
    reader r = {
        /* The shortest case, and the shortest number. */
        .cases = allocate(size / strlen("case nll 1x1x1\n") + 1, sizeof *r.cases),
        .free_numbers = allocate(size / strlen("1 ") + 1, sizeof *r.free_numbers),
    };
    for (char *next; *line != '\0'; line = next) {
        next = cut(line, '\n');
        r.line++;
        if (*line != '#')
            read_line(&r, line);
    }
    for (size_t i = 0; i < r.count; i++)
        check_lines(&r.cases[i]);
    *count = r.count;
    return r.cases;
}
