// Products on tiles that stay in the first two caches, whose widths `n` are multiples of 16, transposes, and large pages. Strides count
// floats. Nothing allocates.
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

// Asks for large pages under memory that is not yet touched: rows of a large table are met in no order, and each page of 4 KiB
// costs a walk through the page tables. A hint: nothing happens where the system does not listen.
void fk_prefer_large_pages(void *start, size_t bytes);

#endif
