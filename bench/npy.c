/* SPDX-License-Identifier: MIT
 *
 * The .npy format (numpy.lib.format): the bytes "\x93NUMPY", a version, the length of a header, the header,
 * the data. The header is a Python dictionary literal with exactly the keys descr, fortran_order and shape,
 * in any order, padded with spaces and ended by a newline. It is parsed by hand, forwards, one token at a
 * time, and whatever does not fit the grammar is an error; sizes are believed only once the file is seen to
 * be exactly as long as they say.
 */
#define _POSIX_C_SOURCE 200809L /* fileno, fstat */

#include "npy.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    HEADER_MAX = 64 * 1024, /* numpy writes 118 bytes; version 2.0 would allow 4 GiB */
    DESCR_MAX = 64,
    ALLOWED_MAX = 128,
};

/* By rising type. The first character of a descr is the order of bytes: '<' little-endian, '>' big-endian, '|' that there is
 * none to tell. '=' and none at all, which NumPy reads and never writes, are little-endian here. */
static const struct format {
    enum npy_type type;
    char descr[4];
    size_t size;
} formats[] = {{NPY_F16, "<f2", 2}, {NPY_F32, "<f4", 4}, {NPY_F64, "<f8", 8}, {NPY_I8, "|i1", 1},
               {NPY_I16, "<i2", 2}, {NPY_I32, "<i4", 4}, {NPY_I64, "<i8", 8}, {NPY_U8, "|u1", 1},
               {NPY_U16, "<u2", 2}, {NPY_U32, "<u4", 4}, {NPY_U64, "<u8", 8}, {NPY_BF16, "<V2", 2},
               {NPY_BF16, "<u2", 2}};
enum { FORMATS = sizeof formats / sizeof formats[0] };

struct reader {
    const char *path;
    char *error;
    size_t error_size;
    enum npy_type types; /* allowed */
    const char *at;      /* the next character of the header, which ends with '\0' */
    bool fortran;        /* the order that the header states */
};

__attribute__((format(printf, 2, 3))) static bool fail(const struct reader *r, const char *format, ...)
{
    if (r->error_size == 0)
        return false;
    int used = snprintf(r->error, r->error_size, "%s: ", r->path);
    if (used >= 0 && (size_t)used < r->error_size) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(r->error + used, r->error_size - (size_t)used, format, arguments);
        va_end(arguments);
    }
    return false;
}

/* --------------------------------------------------------------------------------------------- the header */

static void skip_spaces(struct reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')
        r->at++;
}

/* Skips spaces and takes `c` if it comes next. */
static bool take(struct reader *r, char c)
{
    skip_spaces(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

/* A string literal without escapes. */
static bool take_string(struct reader *r, char *text, size_t size)
{
    skip_spaces(r);
    char quote = *r->at;
    if (quote != '\'' && quote != '"')
        return false;
    r->at++;
    size_t length = 0;
    for (; *r->at != quote; r->at++) {
        if (*r->at == '\0' || *r->at == '\\' || length + 1 >= size)
            return false;
        text[length++] = *r->at;
    }
    text[length] = '\0';
    r->at++;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    skip_spaces(r);
    size_t length = strlen(word);
    if (strncmp(r->at, word, length) != 0 || isalnum((unsigned char)r->at[length]))
        return false;
    r->at += length;
    return true;
}

static bool take_size(struct reader *r, size_t *value)
{
    skip_spaces(r);
    if (!isdigit((unsigned char)*r->at))
        return false;
    *value = 0;
    for (; isdigit((unsigned char)*r->at); r->at++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (size_t)(*r->at - '0'), value))
            return false;
    return true;
}

/* "'<f2', '<f4' or '<f8'" */
static void allowed_text(enum npy_type types, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < FORMATS && used < size; i++)
        if (formats[i].type & types) {
            size_t next = i + 1;
            while (next < FORMATS && !(formats[next].type & types))
                next++;
            const bool last = next == FORMATS;
            used += (size_t)snprintf(text + used, size - used, "%s'%s'",
                                     used == 0 ? ""
                                     : last    ? " or "
                                               : ", ",
                                     formats[i].descr);
        }
}

static bool parse_descr(struct reader *r, struct npy *array)
{
    char descr[DESCR_MAX], allowed[ALLOWED_MAX];
    allowed_text(r->types, allowed, sizeof allowed);
    if (!take_string(r, descr, sizeof descr))
        return fail(r, "its type is not a plain one, need %s", allowed);
    const bool has_order = *descr && strchr("<>=|", *descr);
    const char order = has_order ? *descr : '=', *type = descr + has_order;
    for (size_t i = 0; i < FORMATS; i++) {
        /* '|' also stands for what NumPy takes to be without an order: bytes, and its void */
        const bool without_order = formats[i].size == 1 || formats[i].descr[1] == 'V';
        if (!(formats[i].type & r->types) || strcmp(type, formats[i].descr + 1) != 0)
            continue;
        if (order == '>' && formats[i].size > 1)
            return fail(r, "is big-endian ('%s'), need little-endian ('%s')", descr, formats[i].descr);
        if (order == '|' && !without_order)
            continue;
        array->type = formats[i].type;
        return true;
    }
    return fail(r, "holds type '%s', need %s%s", descr, allowed,
                strcmp(type, "V2") == 0 ? "; for bfloat16 add --dtype bf16" : "");
}

static bool parse_order(struct reader *r, struct npy *array)
{
    (void)array;
    r->fortran = take_word(r, "True");
    return r->fortran || take_word(r, "False") ||
           fail(r, "malformed header: fortran_order is neither True nor False");
}

static bool parse_shape(struct reader *r, struct npy *array)
{
    size_t shape[2] = {0, 0};
    unsigned dimensions = 0;
    bool comma = true;
    if (!take(r, '('))
        return fail(r, "malformed header: the shape is not a tuple");
    while (!take(r, ')')) {
        size_t extent;
        if (!comma || !take_size(r, &extent))
            return fail(r, "malformed header: the shape is not a tuple of sizes");
        if (dimensions < 2)
            shape[dimensions] = extent;
        dimensions++;
        comma = take(r, ',');
    }
    if (dimensions == 1 && !comma)
        return fail(r, "malformed header: the shape is not a tuple");
    if (dimensions < 1 || dimensions > 2)
        return fail(r, "has %u dimensions, need 1 or 2", dimensions);
    array->dimensions = dimensions;
    array->shape[0] = dimensions == 2 ? shape[0] : 1;
    array->shape[1] = dimensions == 2 ? shape[1] : shape[0];
    return true;
}

static bool parse_header(struct reader *r, struct npy *array)
{
    struct {
        const char *name;
        bool (*parse)(struct reader *, struct npy *);
        bool seen;
    } keys[] = {
        {"descr", parse_descr, false}, {"fortran_order", parse_order, false}, {"shape", parse_shape, false}};
    enum { KEYS = sizeof keys / sizeof keys[0] };

    bool comma = true;
    if (!take(r, '{'))
        return fail(r, "malformed header: not a dictionary");
    while (!take(r, '}')) {
        char name[sizeof "fortran_order"];
        if (!comma || !take_string(r, name, sizeof name) || !take(r, ':'))
            return fail(r, "malformed header: no key where one must be");
        size_t k = 0;
        while (k < KEYS && strcmp(name, keys[k].name) != 0)
            k++;
        if (k == KEYS || keys[k].seen)
            return fail(r, "malformed header: the key '%s' is unknown or comes twice", name);
        keys[k].seen = true;
        if (!keys[k].parse(r, array))
            return false;
        comma = take(r, ',');
    }
    for (size_t k = 0; k < KEYS; k++)
        if (!keys[k].seen)
            return fail(r, "malformed header: the key '%s' is missing", keys[k].name);
    if (r->fortran && array->shape[0] > 1 && array->shape[1] > 1) /* else both orders are one */
        return fail(r, "is in Fortran order, need C order: numpy.ascontiguousarray(a) makes it so");
    skip_spaces(r);
    return *r->at == '\0' || fail(r, "malformed header: more follows the dictionary");
}

/* ----------------------------------------------------------------------------------------------- the file */

/* Reads the preamble and the header's text; *text is the caller's to free. */
static bool read_header(struct reader *r, FILE *file, char **text)
{
    unsigned char preamble[8], length_bytes[4] = {0};
    if (fread(preamble, 1, sizeof preamble, file) != sizeof preamble || memcmp(preamble, "\x93NUMPY", 6) != 0)
        return fail(r, "is not a .npy file");
    unsigned major = preamble[6], minor = preamble[7];
    if (major < 1 || major > 3 || minor != 0) /* 3.0 is 2.0 with names of fields in UTF-8 */
        return fail(r, "has .npy version %u.%u, need 1.0, 2.0 or 3.0", major, minor);
    size_t width = major == 1 ? 2 : 4;
    if (fread(length_bytes, 1, width, file) != width)
        return fail(r, "is truncated in its header");
    size_t length = 0;
    for (size_t i = 0; i < width; i++)
        length |= (size_t)length_bytes[i] << (8 * i);
    if (length > HEADER_MAX)
        return fail(r, "has a header of %zu bytes, more than %d", length, HEADER_MAX);
    *text = malloc(length + 1);
    if (!*text)
        return fail(r, "out of memory");
    if (fread(*text, 1, length, file) != length)
        return fail(r, "is truncated in its header");
    (*text)[length] = '\0';
    if (memchr(*text, '\0', length))
        return fail(r, "malformed header: it holds a zero byte");
    return true;
}

static size_t size_of(enum npy_type type)
{
    size_t i = 0;
    while (formats[i].type != type)
        i++;
    return formats[i].size;
}

/* From little-endian to this machine's order. */
static void put_in_order(char *data, size_t bytes, size_t size)
{
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        for (char *element = data; element < data + bytes; element += size)
            for (size_t i = 0; i < size / 2; i++) {
                const char kept = element[i];
                element[i] = element[size - 1 - i];
                element[size - 1 - i] = kept;
            }
}

/* Reads the data once the header's sizes and the file's length agree to the byte. */
static bool read_data(struct reader *r, FILE *file, struct npy *array)
{
    size_t bytes;
    if (__builtin_mul_overflow(array->shape[0], array->shape[1], &bytes) ||
        __builtin_mul_overflow(bytes, size_of(array->type), &bytes) || bytes > PTRDIFF_MAX)
        return fail(r, "its shape is too large for this machine");
    struct stat status;
    long position = ftell(file);
    if (position < 0 || fstat(fileno(file), &status) != 0)
        return fail(r, "%s", strerror(errno));
    size_t present = (size_t)(status.st_size - position);
    if (present != bytes)
        return fail(r, "%s: its shape says %zu bytes of data, it holds %zu",
                    present < bytes ? "is truncated" : "has trailing bytes", bytes, present);
    array->data = malloc(bytes ? bytes : 1);
    if (!array->data)
        return fail(r, "out of memory");
    if (fread(array->data, 1, bytes, file) != bytes) {
        free(array->data);
        return fail(r, "cannot be read to its end");
    }
    put_in_order(array->data, bytes, size_of(array->type));
    return true;
}

bool npy_read(const char *path, enum npy_type types, struct npy *array, char *error, size_t size)
{
    struct reader r = {.path = path, .error = error, .error_size = size, .types = types};
    struct npy found = {.data = NULL};
    struct stat status;
    if (*path == '\0')
        return fail(&r, "the file name is empty");
    /* Asked before opening: opening a pipe would wait for its writer. */
    if (stat(path, &status) != 0)
        return fail(&r, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return fail(&r, "is not a regular file");
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail(&r, "%s", strerror(errno));
    char *text = NULL;
    bool ok = read_header(&r, file, &text);
    if (ok) {
        r.at = text;
        ok = parse_header(&r, &found) && read_data(&r, file, &found);
    }
    free(text);
    fclose(file);
    if (ok)
        *array = found;
    return ok;
}

bool npy_integer(const struct npy *array, size_t i, int64_t *value)
{
    const void *data = array->data;
    *value = 0;
    switch (array->type) {
    case NPY_I8:
        *value = ((const int8_t *)data)[i];
        break;
    case NPY_I16:
        *value = ((const int16_t *)data)[i];
        break;
    case NPY_I32:
        *value = ((const int32_t *)data)[i];
        break;
    case NPY_I64:
        *value = ((const int64_t *)data)[i];
        break;
    case NPY_U8:
        *value = ((const uint8_t *)data)[i];
        break;
    case NPY_U16:
        *value = ((const uint16_t *)data)[i];
        break;
    case NPY_U32:
        *value = ((const uint32_t *)data)[i];
        break;
    case NPY_U64:
        if (((const uint64_t *)data)[i] > INT64_MAX) {
            *value = INT64_MAX;
            return false;
        }
        *value = (int64_t)((const uint64_t *)data)[i];
        break;
    default:
        break;
    }
    return true;
}
