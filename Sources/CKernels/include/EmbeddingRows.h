// Loops over rows of embedding tables and of vectors made of them, each with its way back. `rows` rows of `n` floats, `...Stride` floats
// apart; any n, no alignment. Sums over a row are those of `fk_dot`; sums over rows run in order. Nothing allocates.
#ifndef FRESHET_EMBEDDING_ROWS_H
#define FRESHET_EMBEDDING_ROWS_H

#include <stddef.h>
#include <stdint.h>

// Asks the memory for what will be read soon, whole cache lines from `start` on.
static inline void fk_prefetch(const void *start, size_t bytes) {
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)start + at);
}

// out row i = table row indices[i].
void fk_gather_rows(const float *table, size_t tableStride, const int32_t *indices, size_t rows, size_t n, float *out,
                    size_t outStride);

// Every row x = scale * (x / max(|x|, eps)); inverses[i] = 1 / max(|x|, eps).
void fk_unit_rows(size_t rows, size_t n, float *x, size_t stride, float eps, float scale, float *inverses);
// The way back: from x, the result, g = the gradient of the result becomes that of its input. `along` (NULL for none) += the sum
// over rows of g x.
void fk_unit_rows_slope(size_t rows, size_t n, const float *x, size_t xStride, const float *inverses, float scale, float *g,
                        size_t gStride, float *along);

// `fk_adagrad_row` on table row indices[i] with gradient row i, which is multiplied with `scale` first and keeps that; rows where
// used[i] is 0 stay (NULL for none). indices are distinct.
void fk_adagrad_rows(float *table, size_t tableStride, float *accumulators, const int32_t *indices, const _Bool *used, size_t rows,
                     size_t n, float *g, size_t gStride, float scale, float rate, float eps);

// out [n] += the sum over entries e of weights[e] * vectors row rows[e], where the weight is above `least`.
void fk_pool_rows(const float *vectors, size_t stride, const int32_t *rows, size_t count, const float *weights, float least, size_t n,
                  float *out);
// The way back of `pools` pools over the same entries, weights [pools, count], from outer [pools, n], the gradients of the sums:
// slopes [pools, count] of the weights, overwritten, and gradient row rows[e] += weight * outer. Entries whose weight is not above
// `least` have slope 0 and add nothing.
void fk_pool_rows_slope(const float *vectors, size_t stride, const int32_t *rows, size_t count, size_t pools, const float *weights,
                        float least, size_t n, const float *outer, float *slopes, float *gradient);

#endif
