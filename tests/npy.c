/* SPDX-License-Identifier: MIT
 *
 * The .npy reader: takes exactly the arrays it promises (bench/npy.h), and refuses everything else with a
 * reason. Every refused file differs from a good one in one thing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "npy.h"

static const char path[] = "npy_test.npy"; /* in the working directory, which is the test's own in ctest */

#define DICTIONARY(descr, order, shape)                                                                      \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"
static const char plain[] = DICTIONARY("'<f4'", "False", "(2, 3)");

/* A file with the given version, header text and bytes of data (their values count up from 0). */
static void write_file(unsigned version, const char *header, size_t header_length, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite("\x93NUMPY", 1, 6, file);
    fputc((int)version, file);
    fputc(0, file);
    for (size_t i = 0; i < (version == 1 ? 2u : 4u); i++)
        fputc((int)(header_length >> (8 * i) & 0xff), file);
    fwrite(header, 1, strlen(header), file);
    for (size_t i = 0; i < bytes; i++)
        fputc((int)i, file);
    assert_int_equal(fclose(file), 0);
}

static size_t size_of(enum npy_type type)
{
    return type & (NPY_I8 | NPY_U8)                          ? 1
           : type & (NPY_F16 | NPY_BF16 | NPY_I16 | NPY_U16) ? 2
           : type & (NPY_F32 | NPY_I32 | NPY_U32)            ? 4
                                                             : 8;
}

/* Among `types` the file's is found to be `type`. */
static void assert_read_as(enum npy_type types, enum npy_type type, unsigned dimensions, size_t rows,
                           size_t columns)
{
    char error[256] = "";
    struct npy array;
    if (!npy_read(path, types, &array, error, sizeof error))
        fail_msg("refused: %s", error);
    assert_int_equal(array.type, type);
    assert_int_equal(array.dimensions, dimensions);
    assert_int_equal(array.shape[0], rows);
    assert_int_equal(array.shape[1], columns);
    const size_t mirrored = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? size_of(type) - 1 : 0;
    for (size_t i = 0; i < rows * columns * size_of(type); i++)
        assert_int_equal(((unsigned char *)array.data)[i ^ mirrored], i & 0xff);
    free(array.data);
}

static void assert_read(enum npy_type type, unsigned dimensions, size_t rows, size_t columns)
{
    assert_read_as(type, type, dimensions, rows, columns);
}

/* The reason must hold `reason`, the message must start with the file's name, and *array must stay as it was.
 */
static void assert_refused(const char *file, enum npy_type type, const char *reason)
{
    char error[256] = "";
    struct npy array, before;
    memset(&array, 0x5a, sizeof array);
    memset(&before, 0x5a, sizeof before);
    if (npy_read(file, type, &array, error, sizeof error))
        fail_msg("was not refused; expected: %s", reason);
    if (strncmp(error, file, strlen(file)) != 0 || !strstr(error, reason))
        fail_msg("got the reason '%s', expected '%s'", error, reason);
    assert_memory_equal(&array, &before, sizeof array);
}

static void assert_header_refused(const char *header, size_t bytes, const char *reason)
{
    write_file(1, header, strlen(header), bytes);
    assert_refused(path, NPY_F32, reason);
}

static void reads_what_it_promises(void **state)
{
    (void)state;
    write_file(1, plain, strlen(plain), 24);
    assert_read(NPY_F32, 2, 2, 3);
    write_file(2, plain, strlen(plain), 24);
    assert_read(NPY_F32, 2, 2, 3);
    write_file(3, plain, strlen(plain), 24);
    assert_read(NPY_F32, 2, 2, 3);
    const char *headers[] = {
        DICTIONARY("'<f4'", "False", "(6,)"),
        "{\"shape\":(6,),\"fortran_order\":False,\"descr\":\"<f4\"}",
        "  { 'fortran_order' : False , 'shape' : ( 6 , ) , 'descr' : '<f4' }      \n",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        write_file(1, headers[i], strlen(headers[i]), 24);
        assert_read(NPY_F32, 1, 1, 6);
    }
    const char *empty = DICTIONARY("'<f4'", "False", "(0, 10)");
    write_file(1, empty, strlen(empty), 0);
    assert_read(NPY_F32, 2, 0, 10);
    const char *ids = DICTIONARY("'<i8'", "False", "(5,)");
    write_file(1, ids, strlen(ids), 40);
    assert_read(NPY_I64, 1, 1, 5);
    const char *bytes = DICTIONARY("'|u1'", "False", "(2, 3)");
    write_file(1, bytes, strlen(bytes), 6);
    assert_read(NPY_U8, 2, 2, 3);
    /* where there is but one row or column Fortran's order is C's */
    const char *columns[] = {DICTIONARY("'<f4'", "True", "(6,)"), DICTIONARY("'<f4'", "True", "(1, 6)"),
                             DICTIONARY("'<f4'", "True", "(6, 1)")};
    for (size_t i = 0; i < 3; i++) {
        write_file(1, columns[i], strlen(columns[i]), 24);
        assert_read(NPY_F32, i == 0 ? 1 : 2, i == 2 ? 6 : 1, i == 2 ? 1 : 6);
    }
}

/* A file of `bytes` bytes whose header has this descr. */
static void write_type(const char *descr, const char *shape, size_t bytes)
{
    char header[128];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s}\n", descr, shape);
    write_file(1, header, strlen(header), bytes);
}

/* '=' and no sign at all are the machine's order; what has one byte, or is void, needs none. */
static void takes_all_spellings_of_a_type(void **state)
{
    (void)state;
    static const struct {
        enum npy_type type;
        const char *name;
        const char *orders[5];
    } types[] = {
        {NPY_F16, "f2", {"<", "=", ""}},  {NPY_F32, "f4", {"<", "=", ""}},
        {NPY_F64, "f8", {"<", "=", ""}},  {NPY_I8, "i1", {"|", "<", "=", "", ">"}},
        {NPY_I16, "i2", {"<", "=", ""}},  {NPY_I32, "i4", {"<", "=", ""}},
        {NPY_I64, "i8", {"<", "=", ""}},  {NPY_U8, "u1", {"|", "<", "=", "", ">"}},
        {NPY_U16, "u2", {"<", "=", ""}},  {NPY_U32, "u4", {"<", "=", ""}},
        {NPY_U64, "u8", {"<", "=", ""}},  {NPY_BF16, "V2", {"<", "|", "=", ""}},
        {NPY_BF16, "u2", {"<", "=", ""}},
    };
    static const char *const marks[] = {"<", "|", "=", "", ">"};
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        const size_t bytes = 6 * size_of(types[t].type);
        for (size_t m = 0; m < 5; m++) {
            char descr[8];
            bool allowed = false;
            for (size_t i = 0; i < 5 && types[t].orders[i]; i++)
                allowed = allowed || strcmp(types[t].orders[i], marks[m]) == 0;
            snprintf(descr, sizeof descr, "%s%s", marks[m], types[t].name);
            write_type(descr, "(2, 3)", bytes);
            if (allowed)
                assert_read(types[t].type, 2, 2, 3);
            else
                assert_refused(path, types[t].type, *marks[m] == '>' ? "is big-endian ('>" : "holds type '|");
        }
    }
}

/* Two bytes are a bfloat16 for who says so, and an integer or nothing else. */
static void bfloat16_is_told(void **state)
{
    (void)state;
    write_type("<V2", "(2, 3)", 12);
    assert_refused(path, NPY_FLOATS,
                   "holds type '<V2', need '<f2', '<f4' or '<f8'; for bfloat16 add --dtype bf16");
    assert_refused(path, NPY_INTEGERS, "holds type '<V2'");
    write_type("<V4", "(2, 3)", 24);
    assert_refused(path, NPY_BF16, "holds type '<V4', need '<V2' or '<u2'");
    write_type("<f2", "(2, 3)", 12);
    assert_refused(path, NPY_BF16, "holds type '<f2', need '<V2' or '<u2'");
    write_type("<u2", "(2, 3)", 12);
    assert_refused(path, NPY_FLOATS, "holds type '<u2'");
}

static void integers_keep_their_values(void **state)
{
    (void)state;
    static const struct {
        const char *descr;
        enum npy_type type;
        int64_t first, last; /* of the bytes 0, 1, 2 ..., and of the last element with all bits set */
    } types[] = {
        {"|i1", NPY_I8, 0, -1},
        {"<i2", NPY_I16, 0x0100, -1},
        {"<i4", NPY_I32, 0x03020100, -1},
        {"<i8", NPY_I64, 0x0706050403020100, -1},
        {"|u1", NPY_U8, 0, 0xff},
        {"<u2", NPY_U16, 0x0100, 0xffff},
        {"<u4", NPY_U32, 0x03020100, 0xffffffff},
        {"<u8", NPY_U64, 0x0706050403020100, INT64_MAX},
    };
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        char error[256] = "";
        struct npy array;
        int64_t value;
        write_type(types[t].descr, "(3,)", 3 * size_of(types[t].type));
        if (!npy_read(path, NPY_INTEGERS, &array, error, sizeof error))
            fail_msg("%s", error);
        assert_int_equal(array.type, types[t].type);
        memset((char *)array.data + 2 * size_of(array.type), 0xff, size_of(array.type));
        assert_true(npy_integer(&array, 0, &value));
        assert_int_equal(value, types[t].first);
        assert_int_equal(npy_integer(&array, 2, &value), array.type != NPY_U64); /* which is too large */
        assert_int_equal(value, types[t].last);
        free(array.data);
    }
}

static void tells_types_apart(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum npy_type type;
    } files[] = {{DICTIONARY("'<f2'", "False", "(2, 3)"), NPY_F16},
                 {DICTIONARY("'<f4'", "False", "(2, 3)"), NPY_F32},
                 {DICTIONARY("'<f8'", "False", "(2, 3)"), NPY_F64},
                 /* the shape may come before the type */
                 {"{'shape': (2, 3), 'fortran_order': False, 'descr': '<f2'}", NPY_F16}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_file(1, files[i].header, strlen(files[i].header), 6 * size_of(files[i].type));
        assert_read_as(NPY_FLOATS, files[i].type, 2, 2, 3);
        assert_refused(path, NPY_FLOATS & ~files[i].type, "holds type");
    }
    const char *ids = DICTIONARY("'<i8'", "False", "(3,)");
    write_file(1, ids, strlen(ids), 24);
    assert_refused(path, NPY_FLOATS, "holds type '<i8', need '<f2', '<f4' or '<f8'");
}

static void refuses_other_arrays(void **state)
{
    (void)state;
    assert_header_refused(DICTIONARY("'<f8'", "False", "(2, 3)"), 48, "holds type '<f8'");
    assert_header_refused(DICTIONARY("'>f4'", "False", "(2, 3)"), 24,
                          "is big-endian ('>f4'), need little-endian ('<f4')");
    assert_header_refused(DICTIONARY("'|b1'", "False", "(2, 3)"), 6, "holds type '|b1'");
    assert_header_refused(DICTIONARY("'<c8'", "False", "(2, 3)"), 48, "holds type '<c8'");
    assert_header_refused(DICTIONARY("'<f16'", "False", "(2, 3)"), 96, "holds type '<f16'");
    assert_header_refused(DICTIONARY("''", "False", "(2, 3)"), 24, "holds type ''");
    assert_header_refused(DICTIONARY("'<'", "False", "(2, 3)"), 24, "holds type '<'");
    assert_header_refused(DICTIONARY("'=<f4'", "False", "(2, 3)"), 24, "holds type '=<f4'");
    assert_header_refused(DICTIONARY("'<i8'", "False", "(3,)"), 24, "holds type '<i8'");
    assert_header_refused(DICTIONARY("[('a', '<f4')]", "False", "(6,)"), 24, "its type is not a plain one");
    assert_header_refused(DICTIONARY("'<f4'", "True", "(2, 3)"), 24, "Fortran order");
    assert_header_refused(DICTIONARY("'<f4'", "False", "()"), 4, "0 dimensions");
    assert_header_refused(DICTIONARY("'<f4'", "False", "(1, 2, 3)"), 24, "3 dimensions");
    write_file(1, plain, strlen(plain), 24);
    assert_refused(path, NPY_INTEGERS,
                   "holds type '<f4', need '|i1', '<i2', '<i4', '<i8', '|u1', '<u2', '<u4' or '<u8'");
}

static void refuses_wrong_lengths(void **state)
{
    (void)state;
    assert_header_refused(plain, 23, "is truncated");
    assert_header_refused(plain, 0, "is truncated");
    assert_header_refused(plain, 25, "has trailing bytes");
    assert_header_refused(DICTIONARY("'<f4'", "False", "(4611686018427387905,)"), 4, "too large");
    assert_header_refused(DICTIONARY("'<f4'", "False", "(4294967296, 4294967297)"), 4, "too large");
    assert_header_refused(DICTIONARY("'<f4'", "False", "(18446744073709551617,)"), 4, "tuple of sizes");
    write_file(1, plain, strlen(plain) + 100, 24);
    assert_refused(path, NPY_F32, "truncated in its header");
    write_file(2, plain, 0xffffffff, 24);
    assert_refused(path, NPY_F32, "has a header of");
    write_file(4, plain, strlen(plain), 24);
    assert_refused(path, NPY_F32, "version 4.0, need 1.0, 2.0 or 3.0");
    write_file(0, plain, strlen(plain), 24);
    assert_refused(path, NPY_F32, "version 0.0");
}

static void refuses_malformed_headers(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "",
        "{",
        "{}",
        "[]",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} + {}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': Falsehood, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,",
        "{'descr: '<f4', 'fortran_order': False, 'shape': (6,)}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_header_refused(headers[i], 24, "malformed header");
    assert_header_refused("{'descr': '<f4", 24, "not a plain one");
    write_file(1, plain, strlen(plain) + 4, 28); /* the header swallows data, which starts with a zero byte */
    assert_refused(path, NPY_F32, "zero byte");
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_refused(path, NPY_F32, "not a .npy file");
    file = fopen(path, "wb");
    assert_non_null(file);
    fputs("PK\003\004 a zip archive, as .npz files are", file);
    assert_int_equal(fclose(file), 0);
    assert_refused(path, NPY_F32, "not a .npy file");
    assert_refused("", NPY_F32, "name is empty");
    assert_refused(".", NPY_F32, "not a regular file");
    assert_refused("/dev/null", NPY_F32, "not a regular file");
    assert_refused("no_such_file.npy", NPY_F32, "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_promises),
        cmocka_unit_test(tells_types_apart),
        cmocka_unit_test(refuses_other_arrays),
        cmocka_unit_test(refuses_wrong_lengths),
        cmocka_unit_test(refuses_malformed_headers),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(bfloat16_is_told),
        cmocka_unit_test(integers_keep_their_values),
        cmocka_unit_test(takes_all_spellings_of_a_type),
    };
    int failed = cmocka_run_group_tests_name("npy", tests, NULL, NULL);
    remove(path);
    return failed;
}
