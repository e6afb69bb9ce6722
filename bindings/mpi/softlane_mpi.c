/* SPDX-License-Identifier: MIT
 *
 * Statistics as an MPI datatype with its operation; a vocabulary that is split over ranks; the exchange that each call makes.
 *
 * An element of the exchange has SL_PACKED_ANY bytes: packed statistics, or a record of what a rank says of its arguments. The first
 * element of each rank is its record. So the collective that carries the statistics also makes all ranks see the same status.
 */
#include "vocabulary.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* As words of 8 bytes, the lowest byte first, like packed statistics, whose first two bytes are others. */
enum { RECORD_WORDS = RECORD_BYTES / 8, RECORD_NAME = 0x504d };
_Static_assert(4 + 2 * ABOUT_COUNT <= RECORD_WORDS, "a record is as long as packed statistics");

static void put_word(unsigned char *to, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(word >> 8 * i);
}

static uint64_t get_word(const unsigned char *from)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word |= (uint64_t)from[i] << 8 * i;
    return word;
}

static void put_record(const record *r, unsigned char *to)
{
    uint64_t word[RECORD_WORDS] = {RECORD_NAME, r->status, r->rank_of_status, r->lowest};
    for (int i = 0; i < ABOUT_COUNT; i++) {
        word[4 + 2 * i] = r->about[i].hash;
        word[5 + 2 * i] = r->about[i].rank_of_other;
    }
    for (int i = 0; i < RECORD_WORDS; i++)
        put_word(to + 8 * i, word[i]);
}

static bool is_record(const unsigned char *from) { return get_word(from) == RECORD_NAME; }

static record get_record(const unsigned char *from)
{
    record r = {
        .status = get_word(from + 8), .rank_of_status = get_word(from + 16), .lowest = get_word(from + 24)};
    for (int i = 0; i < ABOUT_COUNT; i++) {
        r.about[i].hash = get_word(from + 8 * (4 + 2 * i));
        r.about[i].rank_of_other = get_word(from + 8 * (5 + 2 * i));
    }
    return r;
}

#define NO_RANK UINT64_MAX

record record_of(int rank)
{
    record r = {.status = SL_OK, .rank_of_status = NO_RANK, .lowest = (uint64_t)rank};
    for (int i = 0; i < ABOUT_COUNT; i++)
        r.about[i].rank_of_other = NO_RANK;
    return r;
}

void say_status(record *r, sl_mpi_status status)
{
    if (status != SL_OK) {
        r->status = (uint64_t)status;
        r->rank_of_status = r->lowest;
    }
}

static uint64_t lower(uint64_t a, uint64_t b) { return a < b ? a : b; }

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
        const sl_mpi_status status = (sl_mpi_status)r->status;
        snprintf(why, WHY_SIZE, "rank %llu: %s", (unsigned long long)r->rank_of_status,
                 sl_mpi_status_string(status));
        return status;
    }
    for (int i = 0; i < ABOUT_COUNT; i++)
        if (r->about[i].rank_of_other != NO_RANK) {
            snprintf(why, WHY_SIZE, "rank %llu has %s than rank %llu",
                     (unsigned long long)r->about[i].rank_of_other, subjects[i],
                     (unsigned long long)r->lowest);
            return SL_MPI_ERR_DIFFERENT;
        }
    snprintf(why, WHY_SIZE, "%s", sl_mpi_status_string(SL_OK));
    return SL_OK;
}

/* ------------------------------------------------------------------------------------------- statistics */

static void merge_packed(const unsigned char *from, unsigned char *into)
{
    sl_stats a, b;
    if (sl_stats_unpack(from, SL_PACKED_ANY, &a) == SL_OK &&
        sl_stats_unpack(into, SL_PACKED_ANY, &b) == SL_OK) {
        sl_stats_merge(&b, &a);
        (void)sl_stats_pack(&b, into, SL_PACKED_ANY);
    } else {
        memset(into, 0, SL_PACKED_ANY); /* no statistics, whatever is merged with it */
    }
}

static void merge_elements(void *from, void *into, int *length, MPI_Datatype *type)
{
    (void)type;
    for (int i = 0; i < *length; i++) {
        const unsigned char *a = (const unsigned char *)from + (size_t)i * SL_PACKED_ANY;
        unsigned char *b = (unsigned char *)into + (size_t)i * SL_PACKED_ANY;
        if (is_record(a) && is_record(b)) {
            const record of_a = get_record(a), of_b = get_record(b), both = both_records(&of_a, &of_b);
            put_record(&both, b);
        } else {
            merge_packed(a, b);
        }
    }
}

sl_mpi_status sl_mpi_stats_create(MPI_Datatype *type, MPI_Op *op)
{
    if (type == NULL || op == NULL)
        return SL_ERR_NULL;
    *type = MPI_DATATYPE_NULL;
    *op = MPI_OP_NULL;
    if (MPI_Type_contiguous(SL_PACKED_ANY, MPI_BYTE, type) == MPI_SUCCESS &&
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

/* MPI counts elements, and bytes where their number differs from rank to rank, in int. */
static bool is_countable(const introduction *a, size_t ranks)
{
    const uint64_t parts = parts_in(a->classes, a->part);
    if (a->most_rows >= INT_MAX || a->most_rows > PTRDIFF_MAX / 1024 || a->classes > PTRDIFF_MAX / 8)
        return false;
    return parts > SL_MPI_GATHERED || ranks * RECORD_BYTES + parts * a->most_rows * GATHERED_BYTES <= INT_MAX;
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
    if (!is_countable(&of[0], ranks))
        return SL_ERR_SIZE;
    for (size_t i = 0; i < ranks; i++)
        if (!is_cut_right(&of[i]))
            return SL_MPI_ERR_CUT;
    return covers(of, ranks) ? SL_OK : SL_MPI_ERR_COVER;
}

/* ----------------------------------------------------------------------------------------- a vocabulary */

static bool allocate(sl_mpi_vocabulary *v, const introduction *of)
{
    const size_t ranks = (size_t)v->ranks, rows = v->layout.most_rows;
    const size_t longest = v->own.classes < v->layout.part ? v->own.classes : v->layout.part;
    const size_t reduced = (1 + rows) * SL_PACKED_ANY;
    const size_t out = RECORD_BYTES + v->own_parts * rows * GATHERED_BYTES,
                 in = ranks * RECORD_BYTES + v->parts * rows * GATHERED_BYTES;
    v->parts_of = calloc(ranks, sizeof *v->parts_of);
    v->counts = calloc(ranks, sizeof *v->counts);
    v->offsets = calloc(ranks, sizeof *v->offsets);
    v->out = calloc(is_gathered(v) ? out : reduced, 1);
    v->in = calloc(is_gathered(v) ? in : reduced, 1);
    v->whole = calloc(rows + 1, sizeof *v->whole);
    v->of_part = calloc(rows + 1, sizeof *v->of_part);
    v->id = calloc(rows + 1, sizeof *v->id);
    v->cost = calloc(rows + 1, sizeof *v->cost);
    v->product = calloc(longest + 1, sizeof *v->product);
    if (!v->parts_of || !v->counts || !v->offsets || !v->out || !v->in || !v->whole || !v->of_part ||
        !v->id || !v->cost || !v->product)
        return false;
    for (size_t i = 0; i < ranks; i++)
        v->parts_of[i] = parts_in(of[i].own, v->layout.part);
    return true;
}

static void release(sl_mpi_vocabulary *v)
{
    if (v == NULL)
        return;
    sl_mpi_stats_free(&v->type, &v->op);
    free(v->parts_of);
    free(v->counts);
    free(v->offsets);
    free(v->out);
    free(v->in);
    free(v->whole);
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
    v->parts = parts_in(v->layout.classes, v->layout.part);
    v->own_parts = parts_in(v->own.classes, v->layout.part);
    status = sl_mpi_stats_create(&v->type, &v->op);
    return agree(v->comm, status != SL_OK ? status : allocate(v, of) ? SL_OK : SL_MPI_ERR_MEMORY);
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

static sl_mpi_status merge_gathered(sl_mpi_vocabulary *v, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        v->whole[r] = sl_stats_empty();
    for (int from = 0; from < v->ranks; from++)
        for (size_t i = 0; i < v->parts_of[from]; i++)
            for (size_t r = 0; r < rows; r++) {
                sl_stats part;
                const sl_status status =
                    sl_stats_unpack(v->in + v->offsets[from] + gathered_at(v, i, r), GATHERED_BYTES, &part);
                if (status != SL_OK)
                    return (sl_mpi_status)status;
                sl_stats_merge(&v->whole[r], &part);
            }
    return SL_OK;
}

static sl_mpi_status gather(sl_mpi_vocabulary *v, const record *own, size_t rows)
{
    int offset = 0;
    for (int i = 0; i < v->ranks; i++) {
        v->counts[i] = (int)gathered_at(v, v->parts_of[i], 0);
        v->offsets[i] = offset;
        offset += v->counts[i];
    }
    const int code =
        MPI_Allgatherv(v->out, v->counts[v->rank], MPI_BYTE, v->in, v->counts, v->offsets, MPI_BYTE, v->comm);
    if (code != MPI_SUCCESS)
        return failed(v, code);
    record all = *own;
    for (int i = 0; i < v->ranks; i++)
        if (i != v->rank) {
            const record other = get_record(v->in + v->offsets[i]);
            all = both_records(&all, &other);
        }
    const sl_mpi_status status = status_of_record(&all, v->why);
    return status != SL_OK ? status : merge_gathered(v, rows);
}

static sl_mpi_status reduce(sl_mpi_vocabulary *v, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        (void)sl_stats_pack(&v->whole[r], v->out + (1 + r) * SL_PACKED_ANY, SL_PACKED_ANY);
    memset(v->out + (1 + rows) * SL_PACKED_ANY, 0, (v->layout.most_rows - rows) * SL_PACKED_ANY);
    const int code = MPI_Allreduce(v->out, v->in, (int)(1 + v->layout.most_rows), v->type, v->op, v->comm);
    if (code != MPI_SUCCESS)
        return failed(v, code);
    const record all = get_record(v->in);
    sl_mpi_status status = status_of_record(&all, v->why);
    for (size_t r = 0; status == SL_OK && r < rows; r++)
        status = (sl_mpi_status)sl_stats_unpack(v->in + (1 + r) * SL_PACKED_ANY, SL_PACKED_ANY, &v->whole[r]);
    return status;
}

sl_mpi_status exchange(sl_mpi_vocabulary *v, const record *own, size_t rows)
{
    put_record(own, v->out);
    const sl_mpi_status status =
        is_gathered(v) ? gather(v, own, rows) : reduce(v, own->status == SL_OK ? rows : 0);
    if (status == SL_ERR_PACKED)
        snprintf(v->why, WHY_SIZE, "what was exchanged is damaged");
    return status;
}
