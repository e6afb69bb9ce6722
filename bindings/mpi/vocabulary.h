/* SPDX-License-Identifier: MIT
 *
 * What the sources of the binding share; no interface.
 */
#ifndef SL_MPI_VOCABULARY_H
#define SL_MPI_VOCABULARY_H

#include "softlane_mpi.h"

/* Bytes of a record; of the statistics of a part of a row where these are gathered. Whether logits count is an option, of which ranks
 * may have different opinions: what they exchange must be of one size even then. */
enum { WHY_SIZE = 256, RECORD_BYTES = SL_PACKED_ANY, GATHERED_BYTES = SL_PACKED_PART_LOGITS };

/* What must be the same on all ranks in a call. */
typedef enum { ABOUT_ROWS, ABOUT_TYPE, ABOUT_OPTIONS, ABOUT_WEIGHTS, ABOUT_TARGETS, ABOUT_COUNT } subject;

/* What one rank says of its arguments, or what some ranks say together. It is as long as packed statistics and travels with those of
 * the rows, so that agreeing costs no collective of its own. */
typedef struct {
    uint64_t status, rank_of_status; /* that of the lowest rank that has one but SL_OK */
    uint64_t lowest;                 /* of these ranks */
    struct {
        uint64_t hash, rank_of_other; /* the lowest rank's; the lowest rank that has another one */
    } about[ABOUT_COUNT];
} record;

struct sl_mpi_vocabulary {
    MPI_Comm comm;
    MPI_Datatype type;
    MPI_Op op;
    int rank, ranks;
    sl_mpi_layout layout;
    sl_mpi_shard own;
    size_t parts, own_parts;
    size_t *parts_of;          /* [ranks] */
    int *counts, *offsets;     /* [ranks], of what is gathered */
    unsigned char *out, *in;   /* what is sent, what is received */
    sl_stats *whole, *of_part; /* [most_rows] of the whole rows, of one part */
    int64_t *id;               /* [most_rows] targets, as some call wants them */
    double *cost;              /* [most_rows] losses, of L */
    double *product;           /* [part] weights times logits */
    char why[WHY_SIZE];
};

/* Are statistics gathered, part by part, or reduced? */
static inline bool is_gathered(const sl_mpi_vocabulary *v) { return v->parts <= SL_MPI_GATHERED; }

record record_of(int rank);
void say_status(record *r, sl_mpi_status status);

/* Where the statistics of a row of part i of a rank are, in what is gathered of it. */
static inline size_t gathered_at(const sl_mpi_vocabulary *v, size_t i, size_t row)
{
    return RECORD_BYTES + (i * v->layout.most_rows + row) * GATHERED_BYTES;
}

/* Exchanges a record and, if all ranks agree, statistics: those of each part, packed in v->out, or merged ones, in v->whole. They
 * become those of the whole rows, in v->whole. */
sl_mpi_status exchange(sl_mpi_vocabulary *v, const record *own, size_t rows);

#endif
