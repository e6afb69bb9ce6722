/* SPDX-License-Identifier: MIT
 *
 * softlane over MPI: cross-entropy of logits whose vocabulary is split over ranks, forward and backward. Loss and gradient have the
 * same bits for every number of ranks.
 *
 *   sl_mpi_vocabulary *v;
 *   sl_mpi_shard own = sl_mpi_even_shard(vocabulary, part, rank, ranks);
 *   sl_mpi_vocabulary_create(comm, (sl_mpi_layout){vocabulary, part, rows}, own, &v);
 *   sl_mpi_cross_entropy_f32(v, logits, target, sl_rows(rows, own.classes), &options, &loss, grad);
 *   sl_mpi_vocabulary_free(&v);
 *
 * Common to all functions
 *   cuts        The vocabulary is cut into parts of `part` classes, the last one may be shorter. A shard is any number of
 *               neighbouring parts: it begins at a multiple of `part`, and ends at one or with the vocabulary. Statistics are those
 *               of parts, and merging them is exact (sl_stats_merge). So results depend on `part`, never on who has which parts:
 *               ranks, their order, the algorithm of the collective.
 *   same bits   of loss, lse and gradient, on all ranks and for every number of ranks, for the same vocabulary, part and class of
 *               bits (sl_isa(NULL)->fma, which must be the same on all ranks). Loss and gradient of cross_entropy, which sees whole
 *               rows, are as close as the bounds below say, and may differ in the last bits.
 *   collective  The functions that take a communicator, and those that say so, are called by all of its ranks, in the same order.
 *               Each is one collective operation, or a few in _create and _free.
 *   status      An sl_status, or one of those below; the same on all ranks, whichever rank has seen the error, and then nothing has
 *               been written on any. sl_mpi_why() says which rank it was. Of errors of several ranks it is that of the lowest one.
 *               SL_MPI_ERR_MPI is what a rank's own MPI says: other ranks may say something else.
 *   MPI errors  come as SL_MPI_ERR_MPI: communication goes through a duplicate of the communicator, whose errors return. A rank
 *               that dies ends the job, if MPI ends jobs then (Open MPI's and MPICH's mpirun do).
 *   threads     One thread at a time for each sl_mpi_vocabulary. MPI is initialised by the caller.
 */
#ifndef SOFTLANE_MPI_H
#define SOFTLANE_MPI_H

#include <mpi.h>
#include <softlane.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------------------------------------- status */

typedef int sl_mpi_status; /* SL_OK, another sl_status, or: */
enum {
    SL_MPI_ERR_CUT = 100, /* a shard begins or ends between two cuts, or beyond the vocabulary */
    SL_MPI_ERR_COVER,     /* shards overlap, or some classes are in none */
    SL_MPI_ERR_DIFFERENT, /* ranks differ in what must be the same on all */
    SL_MPI_ERR_MEMORY,
    SL_MPI_ERR_MPI, /* a function of MPI failed */
};

/* An English phrase for a status; never NULL. */
const char *sl_mpi_status_string(sl_mpi_status status);

/* ------------------------------------------------------------------------------------------- statistics */

/* Statistics in MPI's own operations: a datatype for sl_stats, 136 bytes, and a commutative operation that merges them.
 *
 *   MPI_Allreduce(MPI_IN_PLACE, stats, rows, type, op, comm);
 *
 * Merging is exact: any order and any tree of reductions give the same bits.
 *   status  NULL, MPI. Not collective */
sl_mpi_status sl_mpi_stats_create(MPI_Datatype *type, MPI_Op *op);
void sl_mpi_stats_free(MPI_Datatype *type, MPI_Op *op);

/* --------------------------------------------------------------------------------------- the vocabulary */

/* What is the same on all ranks. */
typedef struct {
    size_t classes;   /* of the vocabulary, > 0 */
    size_t part;      /* classes from cut to cut, > 0 */
    size_t most_rows; /* of a batch. What goes over the wire has room for so many, whatever a batch has */
} sl_mpi_layout;

/* The classes of this rank; `first` of no classes means nothing. */
typedef struct {
    size_t first, classes;
} sl_mpi_shard;

/* A shard for each rank, in their order, of parts as even as can be; those of the last ranks are empty where there are fewer parts
 * than ranks. For 0 <= rank < ranks and part > 0; else empty. */
sl_mpi_shard sl_mpi_even_shard(size_t classes, size_t part, int rank, int ranks);

/* A vocabulary whose shards the ranks of comm have, and the memory of its calls. Shards may be empty, and in any order.
 *   collective, and so is _free, which sets *v to NULL; NULL in it is taken
 *   memory  on each rank 288 bytes for each of most_rows, and 8 for each class of a part
 *   status  NULL (v), OPTION (classes or part is 0), SIZE (most_rows is more than MPI can count), CUT, COVER, DIFFERENT (layouts;
 *           or sl_isa(NULL)->fma), MEMORY, MPI. *v is NULL then */
typedef struct sl_mpi_vocabulary sl_mpi_vocabulary;
sl_mpi_status sl_mpi_vocabulary_create(MPI_Comm comm, sl_mpi_layout layout, sl_mpi_shard own,
                                       sl_mpi_vocabulary **v);
void sl_mpi_vocabulary_free(sl_mpi_vocabulary **v);

/* What the last call has said, for a person: "rank 2: a target is out of range". Until the next call. */
const char *sl_mpi_why(const sl_mpi_vocabulary *v);

/* ----------------------------------------------------------------------------------------- cross-entropy */

/* Cross-entropy with class ids of a batch of rows, of each of which this rank has the logits of its shard; as sl_cross_entropy.
 *   lse_r  = log(sum_k exp(x_k))  over the whole vocabulary
 *   loss_r = (1 - s) * w_t * (lse_r - x_t) + s / classes * sum_c w_c * (lse_r - x_c) + z_loss * lse_r^2
 *            with t = target[r], s = label_smoothing, w = class_weight
 *   grad_c = u_r * (softmax(x)_c * (sum_k q_k + 2 * z_loss * lse_r) - q_c),   q_c = w_c * ((1 - s) * [c == t] + s / classes)
 *            for the classes of this shard
 *   collective  one MPI_Allreduce for the batch: 136 bytes a row, for as many rows as the layout has, and one more element for what
 *            ranks must agree on
 *   logits   rows x shard: shape = sl_rows(rows, own.classes), rows <= most_rows. Rows may have a pitch, shape.in.outer and
 *            shape.out.outer. Those of ignored rows are not read
 *   target   [rows] class ids of the whole vocabulary: the same on all ranks
 *   options  as cross_entropy, without softcap; the same on all ranks, but for lse. class_weight [classes of the vocabulary],
 *            upstream, lse: of all rows. reduction, label_smoothing, ignore_index, flags, z_loss and divisor as there
 *   loss     one, or with SL_NONE one per row, the same on all ranks. NULL: not wanted on this rank
 *   grad     rows x shard. NULL: not wanted. Either may be NULL if the other is not
 *   later    The gradient may also be made later, without communication, from the statistics of the rows:
 *            sl_cross_entropy_shard_grad(logits, target, shape, sl_mpi_shard_of(v), &options, sl_mpi_stats(v), grad)
 *   aliasing grad may be the logits, with the same pitch. Nothing else that is written may overlap another argument
 *   special values  as cross_entropy: a row with a NaN, a +inf or nothing but -inf is NaN, loss and gradient; with SL_SAFE_ROWS
 *            loss and gradient of the last are 0. A target logit of -inf costs +inf, but with weight 0 nothing. In f64 the loss
 *            is not defined where the sum of the logits (with weights: of w_c x_c) overflows and s > 0, and infinite where the
 *            difference of maximum and target's logit overflows
 *   error    loss: f32 2.0 ULP tested, f64 5.0, also where it is next to 0; 1 more with weights. With smoothing 1 more, and of the
 *            larger of the loss and s / classes * sum_c |w_c| * (|max| + |x_c|); with z_loss 1 more, and of the larger of the loss and
 *            2 z_loss |lse| max(|lse|, max |x_c|). Sums and means as those of all losses. lse: as sl_softmax_stats. Gradient: as
 *            sl_cross_entropy_shard_grad
 *   status   STRIDE, SIZE (rows > most_rows, too), NULL, OPTION (shape.classes is not that of the shard, too), OVERLAP, TARGET,
 *            DIFFERENT (rows, type of the logits, options, weights, upstream, targets), MPI. NULL without a collective if v is */
sl_mpi_status sl_mpi_cross_entropy_f32(sl_mpi_vocabulary *v, const float *logits, const int64_t *target,
                                       sl_shape shape, const sl_loss_options *options, float *loss,
                                       float *grad);
sl_mpi_status sl_mpi_cross_entropy_f64(sl_mpi_vocabulary *v, const double *logits, const int64_t *target,
                                       sl_shape shape, const sl_loss_options *options, double *loss,
                                       double *grad);
sl_mpi_status sl_mpi_cross_entropy_bf16(sl_mpi_vocabulary *v, const sl_bf16 *logits, const int64_t *target,
                                        sl_shape shape, const sl_loss_options *options, float *loss,
                                        sl_bf16 *grad);
sl_mpi_status sl_mpi_cross_entropy_f16(sl_mpi_vocabulary *v, const sl_f16 *logits, const int64_t *target,
                                       sl_shape shape, const sl_loss_options *options, float *loss,
                                       sl_f16 *grad);

/* This shard, as sl_cross_entropy_shard_grad wants it. */
sl_shard sl_mpi_shard_of(const sl_mpi_vocabulary *v);

/* The statistics of the whole rows of the last call that was SL_OK, one per row, until the next call; those of ignored rows are
 * empty. After label smoothing with class weights `logits` is the sum of w_c x_c. */
const sl_stats *sl_mpi_stats(const sl_mpi_vocabulary *v);

#ifdef __cplusplus
}
#endif
#endif
