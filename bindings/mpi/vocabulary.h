/* SPDX-License-Identifier: MIT
 *
 * What the sources of the binding share; no interface.
 */
#ifndef SL_MPI_VOCABULARY_H
#define SL_MPI_VOCABULARY_H

#include "softlane_mpi.h"

enum { WHY_SIZE = 256 };

/* What must be the same on all ranks in a call. */
typedef enum { ABOUT_ROWS, ABOUT_TYPE, ABOUT_OPTIONS, ABOUT_WEIGHTS, ABOUT_TARGETS, ABOUT_COUNT } subject;

/* What one rank says of its arguments, or what some ranks say together. It travels in the place of the statistics of a row, before
 * those of the rows, so that agreeing costs no collective of its own. */
typedef struct {
    sl_mpi_status status; /* that of the lowest rank that has one but SL_OK: */
    int64_t rank_of_status;
    int64_t lowest; /* of these ranks */
    struct {
        int64_t hash, rank_of_other; /* the lowest rank's; the lowest rank that has another one */
    } about[ABOUT_COUNT];
} record;

struct sl_mpi_vocabulary {
    MPI_Comm comm;
    MPI_Datatype type;
    MPI_Op op;
    int rank, ranks;
    sl_mpi_layout layout;
    sl_mpi_shard own;
    size_t own_parts;
    sl_stats *element; /* what is exchanged: a record, and the statistics of most_rows rows: */
    sl_stats *whole;
    sl_stats *of_part; /* [most_rows] of one part of the rows */
    int64_t *id;       /* [most_rows] targets, as some call wants them */
    double *cost;      /* [most_rows] losses, of L */
    double *product;   /* [part] weights times logits */
    char why[WHY_SIZE];
};

record record_of(int rank);
void say_status(record *r, sl_mpi_status status);

/* Exchanges a record and, unless it has an error, the statistics of so many rows, in v->whole: they become those of the whole rows. */
sl_mpi_status exchange(sl_mpi_vocabulary *v, const record *own, size_t rows);

#endif
