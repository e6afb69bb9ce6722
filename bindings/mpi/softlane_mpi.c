/* SPDX-License-Identifier: MIT
 *
 * Statistics as an MPI datatype with its operation; a vocabulary that is split over ranks; the exchange that each call makes.
 *
 * The exchange is one reduction: a record of what a rank says of its arguments, and then statistics, one element for each row. So the
 * collective that carries the statistics also makes all ranks see the same status. Elements are sl_stats as they are in memory: packed
 * ones are 128 bytes instead of 136, but packing and unpacking takes three times as long as the merging itself (README.md).
 */
#include "vocabulary.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

const char *sl_mpi_status_string(sl_mpi_status status)
{
    switch (status) {
    case SL_MPI_ERR_CUT:
        return "a shard begins or ends between two cuts, or beyond the vocabulary";
    case SL_MPI_ERR_COVER:
        return "shards overlap, or some classes are in none";
    case SL_MPI_ERR_DIFFERENT:
        return "ranks differ in what must be the same on all";
    case SL_MPI_ERR_MEMORY:
        return "there is not enough memory";
    case SL_MPI_ERR_MPI:
        return "a function of MPI failed";
    default:
        return sl_status_string((sl_status)status);
    }
}

/* ---------------------------------------------------------------------------------------------- records */

/* A record in the place of statistics is told by a count that these never have; what is in fields of double is small and whole. */
#define RECORD_COUNT UINT64_MAX
enum { DIGITS = sizeof(((sl_stats *)0)->exact_rest.digit) / sizeof(int64_t) };
_Static_assert((int)ABOUT_COUNT <= (int)DIGITS, "a record fits into statistics");

static sl_stats put_record(const record *r)
{
    sl_stats s = {.max = (double)r->status,
                  .rest = (double)r->rank_of_status,
                  .target = (double)r->lowest,
                  .count = RECORD_COUNT};
    for (int i = 0; i < ABOUT_COUNT; i++) {
        s.exact_rest.digit[i] = r->about[i].hash;
        s.exact_logits.digit[i] = r->about[i].rank_of_other;
    }
    return s;
}

static record get_record(const sl_stats *s)
{
    record r = {
        .status = (sl_mpi_status)s->max, .rank_of_status = (int64_t)s->rest, .lowest = (int64_t)s->target};
    for (int i = 0; i < ABOUT_COUNT; i++) {
        r.about[i].hash = s->exact_rest.digit[i];
        r.about[i].rank_of_other = s->exact_logits.digit[i];
    }
    return r;
}

/* Above all ranks, and whole as a double. */
#define NO_RANK ((int64_t)1 << 40)

record record_of(int rank)
{
    record r = {.status = SL_OK, .rank_of_status = NO_RANK, .lowest = rank};
    for (int i = 0; i < ABOUT_COUNT; i++)
        r.about[i].rank_of_other = NO_RANK;
    return r;
}

void say_status(record *r, sl_mpi_status status)
{
    if (status != SL_OK) {
        r->status = status;
        r->rank_of_status = r->lowest;
    }
}

static int64_t lower(int64_t a, int64_t b) { return a < b ? a : b; }

/* Commutative and associative: `other` is always the lowest rank that differs from the lowest one. */
static record both_records(const record *a, const record *b)
{
    const record *first = a->lowest < b->lowest ? a : b, *second = first == a ? b : a;
    record r = *first;
    if (second->rank_of_status < first->rank_of_status) {
        r.status = second->status;
        r.rank_of_status = second->rank_of_status;
    }
    for (int i = 0; i < ABOUT_COUNT; i++) {
        const bool same = first->about[i].hash == second->about[i].hash;
        r.about[i].rank_of_other =
            lower(first->about[i].rank_of_other, same ? second->about[i].rank_of_other : second->lowest);
    }
    return r;
}

/* What all ranks together say, and why. */
static sl_mpi_status status_of_record(const record *r, char why[WHY_SIZE])
{
    static const char *const subjects[ABOUT_COUNT] = {
        "another number of rows", "another type of logits", "other options",
        "other class weights or upstream gradients", "other targets"};
    if (r->status != SL_OK) {
        snprintf(why, WHY_SIZE, "rank %lld: %s", (long long)r->rank_of_status,
                 sl_mpi_status_string(r->status));
        return r->status;
    }
    for (int i = 0; i < ABOUT_COUNT; i++)
        if (r->about[i].rank_of_other != NO_RANK) {
            snprintf(why, WHY_SIZE, "rank %lld has %s than rank %lld", (long long)r->about[i].rank_of_other,
                     subjects[i], (long long)r->lowest);
            return SL_MPI_ERR_DIFFERENT;
        }
    snprintf(why, WHY_SIZE, "%s", sl_mpi_status_string(SL_OK));
    return SL_OK;
}

/* ------------------------------------------------------------------------------------------- statistics */

static void merge_elements(void *from, void *into, int *length, MPI_Datatype *type)
{
    const sl_stats *a = from;
    sl_stats *b = into;
    (void)type;
    for (int i = 0; i < *length; i++)
        if (a[i].count == RECORD_COUNT && b[i].count == RECORD_COUNT) {
            const record of_a = get_record(&a[i]), of_b = get_record(&b[i]),
                         both = both_records(&of_a, &of_b);
            b[i] = put_record(&both);
        } else {
            sl_stats_merge(&b[i], &a[i]);
        }
}

sl_mpi_status sl_mpi_stats_create(MPI_Datatype *type, MPI_Op *op)
{
    if (type == NULL || op == NULL)
        return SL_ERR_NULL;
    *type = MPI_DATATYPE_NULL;
    *op = MPI_OP_NULL;
    const int lengths[] = {4, 1, 12};
    const MPI_Aint at[] = {offsetof(sl_stats, max), offsetof(sl_stats, count),
                           offsetof(sl_stats, exact_rest)};
    const MPI_Datatype of[] = {MPI_DOUBLE, MPI_UINT64_T, MPI_INT64_T};
    _Static_assert(sizeof(sl_stats) == 17 * 8, "numbers of 8 bytes, without gaps");
    if (MPI_Type_create_struct(3, lengths, at, of, type) == MPI_SUCCESS &&
        MPI_Type_commit(type) == MPI_SUCCESS && MPI_Op_create(merge_elements, 1, op) == MPI_SUCCESS)
        return SL_OK;
    sl_mpi_stats_free(type, op);
    return SL_MPI_ERR_MPI;
}

void sl_mpi_stats_free(MPI_Datatype *type, MPI_Op *op)
{
    if (type != NULL && *type != MPI_DATATYPE_NULL)
        MPI_Type_free(type);
    if (op != NULL && *op != MPI_OP_NULL)
        MPI_Op_free(op);
}

/* ----------------------------------------------------------------------------------------------- shards */

static size_t parts_in(size_t classes, size_t part) { return classes / part + (classes % part != 0); }

sl_mpi_shard sl_mpi_even_shard(size_t classes, size_t part, int rank, int ranks)
{
    if (part == 0 || rank < 0 || rank >= ranks)
        return (sl_mpi_shard){0, 0};
    const size_t parts = parts_in(classes, part), n = (size_t)ranks, i = (size_t)rank;
    const size_t each = parts / n, more = parts % n;
    const size_t begin = i * each + (i < more ? i : more), end = begin + each + (i < more);
    if (begin == end)
        return (sl_mpi_shard){0, 0};
    return (sl_mpi_shard){begin * part, (end == parts ? classes : end * part) - begin * part};
}

/* What a rank says of itself when a vocabulary is created. */
typedef struct {
    uint64_t status, classes, part, most_rows, fma, first, own;
} introduction;
enum { INTRODUCTION_WORDS = sizeof(introduction) / sizeof(uint64_t) };

static introduction introduction_of(sl_mpi_layout layout, sl_mpi_shard own, const void *result)
{
    return (introduction){.status = result == NULL                            ? SL_ERR_NULL
                                    : layout.classes == 0 || layout.part == 0 ? SL_ERR_OPTION
                                                                              : SL_OK,
                          .classes = layout.classes,
                          .part = layout.part,
                          .most_rows = layout.most_rows,
                          .fma = sl_isa(NULL)->fma,
                          .first = own.classes != 0 ? own.first : 0,
                          .own = own.classes};
}

static bool is_same_layout(const introduction *a, const introduction *b)
{
    return a->classes == b->classes && a->part == b->part && a->most_rows == b->most_rows && a->fma == b->fma;
}

/* MPI counts elements in int. */
static bool is_countable(const introduction *a)
{
    return a->most_rows < INT_MAX && a->most_rows < PTRDIFF_MAX / 1024 && a->classes < PTRDIFF_MAX / 8;
}

static bool is_cut_right(const introduction *a)
{
    if (a->own == 0)
        return true;
    if (a->first >= a->classes || a->own > a->classes - a->first || a->first % a->part != 0)
        return false;
    return a->first + a->own == a->classes || a->own % a->part == 0;
}

static bool covers(const introduction *of, size_t ranks)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ranks; i++) {
        for (size_t k = 0; k < i; k++)
            if (of[i].first < of[k].first + of[k].own && of[k].first < of[i].first + of[i].own)
                return false;
        sum += of[i].own;
    }
    return sum == of[0].classes;
}

/* All ranks look at the same introductions, and so come to the same end. */
static sl_mpi_status status_of_introductions(const introduction *of, size_t ranks)
{
    for (size_t i = 0; i < ranks; i++)
        if (of[i].status != SL_OK)
            return (sl_mpi_status)of[i].status;
    for (size_t i = 1; i < ranks; i++)
        if (!is_same_layout(&of[i], &of[0]))
            return SL_MPI_ERR_DIFFERENT;
    if (!is_countable(&of[0]))
        return SL_ERR_SIZE;
    for (size_t i = 0; i < ranks; i++)
        if (!is_cut_right(&of[i]))
            return SL_MPI_ERR_CUT;
    return covers(of, ranks) ? SL_OK : SL_MPI_ERR_COVER;
}

/* ----------------------------------------------------------------------------------------- a vocabulary */

static bool allocate(sl_mpi_vocabulary *v)
{
    const size_t rows = v->layout.most_rows, part = v->layout.part, own = v->own.classes;
    v->element = calloc(rows + 1, sizeof *v->element);
    v->of_part = calloc(rows + 1, sizeof *v->of_part);
    v->id = calloc(rows + 1, sizeof *v->id);
    v->cost = calloc(rows + 1, sizeof *v->cost);
    v->product = calloc((own < part ? own : part) + 1, sizeof *v->product);
    v->whole = v->element + 1;
    return v->element && v->of_part && v->id && v->cost && v->product;
}

static void release(sl_mpi_vocabulary *v)
{
    if (v == NULL)
        return;
    sl_mpi_stats_free(&v->type, &v->op);
    free(v->element);
    free(v->of_part);
    free(v->id);
    free(v->cost);
    free(v->product);
    free(v);
}

/* The highest status of all ranks. */
static sl_mpi_status agree(MPI_Comm comm, sl_mpi_status own)
{
    sl_mpi_status all = own;
    return MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, comm) == MPI_SUCCESS ? all : SL_MPI_ERR_MPI;
}

static sl_mpi_status introduce(sl_mpi_vocabulary *v, const introduction *own, introduction *of)
{
    sl_mpi_status status = agree(v->comm, of != NULL ? SL_OK : SL_MPI_ERR_MEMORY);
    if (status != SL_OK)
        return status;
    if (MPI_Allgather(own, INTRODUCTION_WORDS, MPI_UINT64_T, of, INTRODUCTION_WORDS, MPI_UINT64_T, v->comm) !=
        MPI_SUCCESS)
        return SL_MPI_ERR_MPI;
    status = status_of_introductions(of, (size_t)v->ranks);
    if (status != SL_OK)
        return status;
    v->own_parts = parts_in(v->own.classes, v->layout.part);
    status = sl_mpi_stats_create(&v->type, &v->op);
    return agree(v->comm, status != SL_OK ? status : allocate(v) ? SL_OK : SL_MPI_ERR_MEMORY);
}

sl_mpi_status sl_mpi_vocabulary_create(MPI_Comm comm, sl_mpi_layout layout, sl_mpi_shard own,
                                       sl_mpi_vocabulary **v)
{
    const introduction mine = introduction_of(layout, own, v);
    sl_mpi_vocabulary here = {.comm = MPI_COMM_NULL,
                              .type = MPI_DATATYPE_NULL,
                              .op = MPI_OP_NULL,
                              .layout = layout,
                              .own = {(size_t)mine.first, own.classes}};
    if (v != NULL)
        *v = NULL;
    if (MPI_Comm_dup(comm, &here.comm) != MPI_SUCCESS)
        return SL_MPI_ERR_MPI;
    MPI_Comm_set_errhandler(here.comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(here.comm, &here.rank);
    MPI_Comm_size(here.comm, &here.ranks);
    sl_mpi_vocabulary *made = malloc(sizeof *made);
    introduction *of = made != NULL ? calloc((size_t)here.ranks, sizeof *of) : NULL;
    const sl_mpi_status status = introduce(&here, &mine, of);
    free(of);
    if (made != NULL)
        *made = here;
    if (status != SL_OK) {
        MPI_Comm_free(&here.comm);
        release(made);
        return status;
    }
    snprintf(made->why, WHY_SIZE, "%s", sl_mpi_status_string(SL_OK));
    *v = made;
    return SL_OK;
}

void sl_mpi_vocabulary_free(sl_mpi_vocabulary **v)
{
    if (v == NULL || *v == NULL)
        return;
    MPI_Comm_free(&(*v)->comm);
    release(*v);
    *v = NULL;
}

const char *sl_mpi_why(const sl_mpi_vocabulary *v)
{
    return v != NULL ? v->why : sl_mpi_status_string(SL_ERR_NULL);
}

sl_shard sl_mpi_shard_of(const sl_mpi_vocabulary *v) { return (sl_shard){v->own.first, v->layout.classes}; }

const sl_stats *sl_mpi_stats(const sl_mpi_vocabulary *v) { return v->whole; }

/* ------------------------------------------------------------------------------------------- the exchange */

static sl_mpi_status failed(sl_mpi_vocabulary *v, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (MPI_Error_string(code, text, &length) != MPI_SUCCESS)
        length = 0;
    snprintf(v->why, WHY_SIZE, "rank %d: %s: %.*s", v->rank, sl_mpi_status_string(SL_MPI_ERR_MPI), length,
             text);
    return SL_MPI_ERR_MPI;
}

sl_mpi_status exchange(sl_mpi_vocabulary *v, const record *own, size_t rows)
{
    for (size_t r = own->status == SL_OK ? rows : 0; r < v->layout.most_rows; r++)
        v->whole[r] = sl_stats_empty();
    v->element[0] = put_record(own);
    const int code =
        MPI_Allreduce(MPI_IN_PLACE, v->element, (int)(1 + v->layout.most_rows), v->type, v->op, v->comm);
    if (code != MPI_SUCCESS)
        return failed(v, code);
    const record all = get_record(&v->element[0]);
    return status_of_record(&all, v->why);
}
