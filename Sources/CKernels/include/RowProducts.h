// The loops of the mean-pooled tower: products on tiles that stay in the first two caches, and embedding rows. All widths
// (`n` of a product, `d` of a row) are multiples of 16; strides count floats. Nothing allocates.
#ifndef FRESHET_ROW_PRODUCTS_H
#define FRESHET_ROW_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

// What becomes of a product before it is stored.
typedef enum {
    FK_PRODUCT_PLAIN,      // out = a b
    FK_PRODUCT_ADD,        // out += a b
    FK_PRODUCT_BIAS,       // out = a b + extra, `extra` [n]
    FK_PRODUCT_BIAS_RELU,  // out = max(0, a b + extra)
    FK_PRODUCT_RELU_SLOPE, // out = a b where extra > 0, else 0; `extra` [m, n] with stride `extraStride`
    FK_PRODUCT_EXP2,       // out = 2^(a b + extra), `extra` [n]; sums[i] += the row's sum in 16 lanes, `sums` [m, 16]
} fk_product_kind;

// out[i, j] of [m, n] from the sums over l < k of a[i * aRow + l * aInner] * b[l * bRow + j]: either stride of `a` may be 1,
// so its transpose costs nothing. For FK_PRODUCT_EXP2 exponents must lie in [-125, 125].
void fk_row_product(fk_product_kind kind, size_t m, size_t n, size_t k, const float *a, size_t aRow, size_t aInner,
                    const float *b, size_t bRow, float *out, size_t outRow, const float *extra, size_t extraStride,
                    float *sums);

// out[j * outRow + i] = x[i * xRow + j] for i < m, j < n, any m and n.
void fk_transpose(size_t m, size_t n, const float *x, size_t xRow, float *out, size_t outRow);

// out[i, d] = row rows[i] of `table` [_, d], or zeros where rows[i] is below 0.
void fk_gather_visible_rows(const float *table, size_t d, const int32_t *rows, size_t count, float *out, size_t outRow);

// out[i, d] = the mean of the rows of `table` [_, d] that sequence[starts[i]] to sequence[ends[i] - 1] name; zeros where the
// window is empty.
void fk_means_of_windows(const float *table, size_t d, const int32_t *sequence, const int32_t *starts, const int32_t *ends,
                         size_t count, float *out, size_t outRow);

// out[n] += the sum of the m rows of x [m, n].
void fk_add_rows(size_t m, size_t n, const float *x, float *out);

// x[i] = x[i] / max(|x[i]|, 1e-6) for m rows, and inverse[i] = 1 / max(|x[i]|, 1e-6); scaled = scale * x.
void fk_normalise_rows(size_t m, size_t d, float *x, float *inverse, float scale, float *scaled);

// The way back through fk_normalise_rows: g[i] = inverse[i] * (g[i] - (g[i] . x[i]) x[i]), with x of unit length.
void fk_normalise_rows_slope(size_t m, size_t d, const float *x, const float *inverse, float *g);

// Softmax of a tile of m users against candidates, after the product of kind FK_PRODUCT_EXP2 gave `sums` [m, 16] and the
// product of the exponentials with the item vectors gave `g` [m, d].
//   users [m, d] of unit length; items [_, d]; targets[i] the candidate that user i chose; targetShare[i] = log2 of what the
//   target's exponent carries beside scale * (user . item); share[i] the example's share of the loss.
//   On return: g = gradient of the user vectors; weighted[i] = users[i] * share[i] * slope / sum, the right side of the
//   product that gives the items' gradient; itemGradient [_, d] has the targets' part taken off.
//   slope is 1 / temperature. Returns the loss: sum of share[i] * ln(sum of exponentials / the target's).
double fk_softmax_rows_slope(size_t m, size_t d, const float *users, const float *items, const int32_t *targets,
                             const float *targetShare, const float *share, float slope, const float *sums, float *g,
                             float *weighted, float *itemGradient);

// Row-wise Adagrad on rows that several gradients meet: for each of `count` rows, g = the sum of gradients[places[p]] for p in
// starts[i]..<starts[i + 1]; accumulators[rows[i]] += mean(g^2); table[rows[i]] -= rate * g / (sqrt(accumulator) + 1e-8).
void fk_adagrad_rows(float *table, float *accumulators, size_t d, size_t count, const int32_t *rows, const int32_t *starts,
                     const int32_t *places, const float *gradients, float rate);

// Asks for large pages under memory that is not yet touched: rows of a large table are met in no order, and each page of 4 KiB
// costs a walk through the page tables. A hint: nothing happens where the system does not listen.
void fk_prefer_large_pages(void *start, size_t bytes);

#endif
