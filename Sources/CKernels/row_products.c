#include "lanes.h"

// A micro-kernel keeps a piece of `out` of up to 6 rows and 64 columns in 24 registers; for each l it takes one element of `a`
// for each row and 64 elements of `b`. With 24 multiply-adds to 10 loads it runs at the rate of the multiply-adds.

// 2^x by rounding and a polynomial of degree 5 in the rest, which is at most 1/2: relative error below 2e-7 (the polynomial with the
// smallest one that is 1 at 0). |x| <= 125.
FK_INLINE void fk_exp2_lanes(f16 *x) {
    const f16 magic = FK_SPLAT(12582912.0f);
    f16 shifted = *x + magic;
    f16 r = *x - (shifted - magic);
    f16 p = FK_SPLAT(0x1.5bba14p-10f);
    p = p * r + FK_SPLAT(0x1.3cea88p-7f);
    p = p * r + FK_SPLAT(0x1.c6b752p-5f);
    p = p * r + FK_SPLAT(0x1.ebf9bcp-3f);
    p = p * r + FK_SPLAT(0x1.62e42ap-1f);
    p = p * r + FK_SPLAT(1.0f);
    // The low bits of `shifted` are the whole part; the shift moves them into the exponent and the rest out.
    i16 whole, bits;
    memcpy(&whole, &shifted, sizeof whole);
    memcpy(&bits, &p, sizeof bits);
    bits += whole << 23;
    memcpy(x, &bits, sizeof bits);
}

FK_INLINE void fk_piece(const int rows, const int lanes, const fk_product_kind kind, size_t k, const float *restrict a,
                        size_t aRow, size_t aInner, const float *restrict b, size_t bRow, float *restrict out, size_t outRow,
                        const float *extra, size_t extraRow, float *sums) {
    f16 t[6][4];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < lanes; j++)
            t[i][j] = kind == FK_PRODUCT_ADD ? FK_LOAD(out + (size_t)i * outRow + 16 * j) : (f16){0};
    for (size_t l = 0; l < k; l++) {
        f16 v[4];
        for (int j = 0; j < lanes; j++) v[j] = FK_LOAD(b + l * bRow + 16 * j);
        for (int i = 0; i < rows; i++) {
            f16 x = FK_SPLAT(a[(size_t)i * aRow + l * aInner]);
            for (int j = 0; j < lanes; j++) t[i][j] += x * v[j];
        }
    }
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < lanes; j++) {
            f16 y = t[i][j];
            if (kind == FK_PRODUCT_BIAS || kind == FK_PRODUCT_BIAS_RELU || kind == FK_PRODUCT_EXP2) y += FK_LOAD(extra + 16 * j);
            if (kind == FK_PRODUCT_BIAS_RELU) y = __builtin_elementwise_max(y, (f16){0});
            if (kind == FK_PRODUCT_RELU_SLOPE) y = FK_SELECT(FK_LOAD(extra + (size_t)i * extraRow + 16 * j) > (f16){0}, y, (f16){0});
            if (kind == FK_PRODUCT_EXP2) fk_exp2_lanes(&y);
            t[i][j] = y;
            FK_STORE(out + (size_t)i * outRow + 16 * j, y);
        }
        if (kind == FK_PRODUCT_EXP2) {
            f16 total = FK_LOAD(sums + 16 * i);
            for (int j = 0; j < lanes; j++) total += t[i][j];
            FK_STORE(sums + 16 * i, total);
        }
    }
}

#define FK_PIECE(ROWS, LANES, KIND)                                                                                          \
    fk_piece(ROWS, LANES, KIND, k, a + i * aRow, aRow, aInner, b + j, bRow, out + i * outRow + j, outRow,                    \
             extra + i * extraRow + j, extraRow, sums + 16 * i)

#define FK_PIECES(LANES, KIND)                                                                                               \
    for (size_t i = 0; i < m; i += 6) switch (m - i) {                                                                       \
            case 1: FK_PIECE(1, LANES, KIND); break;                                                                         \
            case 2: FK_PIECE(2, LANES, KIND); break;                                                                         \
            case 3: FK_PIECE(3, LANES, KIND); break;                                                                         \
            case 4: FK_PIECE(4, LANES, KIND); break;                                                                         \
            case 5: FK_PIECE(5, LANES, KIND); break;                                                                         \
            default: FK_PIECE(6, LANES, KIND); break;                                                                        \
        }

#define FK_PRODUCT(NAME, KIND)                                                                                               \
    FK_CLONES static void NAME(size_t m, size_t n, size_t k, const float *a, size_t aRow, size_t aInner, const float *b,     \
                               size_t bRow, float *out, size_t outRow, const float *extra, size_t extraRow, float *sums) {   \
        for (size_t j = 0; j < n; j += 64) {                                                                                 \
            if (n - j >= 64) {                                                                                               \
                FK_PIECES(4, KIND)                                                                                           \
            } else if (n - j == 48) {                                                                                        \
                FK_PIECES(3, KIND)                                                                                           \
            } else if (n - j == 32) {                                                                                        \
                FK_PIECES(2, KIND)                                                                                           \
            } else {                                                                                                         \
                FK_PIECES(1, KIND)                                                                                           \
            }                                                                                                                \
        }                                                                                                                    \
    }

FK_PRODUCT(fk_product_plain, FK_PRODUCT_PLAIN)
FK_PRODUCT(fk_product_add, FK_PRODUCT_ADD)
FK_PRODUCT(fk_product_bias, FK_PRODUCT_BIAS)
FK_PRODUCT(fk_product_bias_relu, FK_PRODUCT_BIAS_RELU)
FK_PRODUCT(fk_product_relu_slope, FK_PRODUCT_RELU_SLOPE)
FK_PRODUCT(fk_product_exp2, FK_PRODUCT_EXP2)

// 128 rows of 64 columns of `b` are 32 KiB: with the piece's rows of `a` they fit the first-level cache.
enum { INNER_BLOCK = 128 };

void fk_row_product(fk_product_kind kind, size_t m, size_t n, size_t k, const float *a, size_t aRow, size_t aInner,
                    const float *b, size_t bRow, float *out, size_t outRow, const float *extra, size_t extraRow,
                    float *sums) {
    // A long inner sum of a plain product is cut; kinds that change the result see it whole.
    if ((kind == FK_PRODUCT_PLAIN || kind == FK_PRODUCT_ADD) && k > INNER_BLOCK) {
        for (size_t l = 0; l < k; l += INNER_BLOCK)
            fk_row_product(l == 0 ? kind : FK_PRODUCT_ADD, m, n, k - l < INNER_BLOCK ? k - l : INNER_BLOCK, a + l * aInner, aRow,
                           aInner, b + l * bRow, bRow, out, outRow, extra, extraRow, sums);
        return;
    }
    switch (kind) {
        case FK_PRODUCT_PLAIN: fk_product_plain(m, n, k, a, aRow, aInner, b, bRow, out, outRow, extra, 0, sums); break;
        case FK_PRODUCT_ADD: fk_product_add(m, n, k, a, aRow, aInner, b, bRow, out, outRow, extra, 0, sums); break;
        case FK_PRODUCT_BIAS: fk_product_bias(m, n, k, a, aRow, aInner, b, bRow, out, outRow, extra, 0, sums); break;
        case FK_PRODUCT_BIAS_RELU: fk_product_bias_relu(m, n, k, a, aRow, aInner, b, bRow, out, outRow, extra, 0, sums); break;
        case FK_PRODUCT_RELU_SLOPE:
            fk_product_relu_slope(m, n, k, a, aRow, aInner, b, bRow, out, outRow, extra, extraRow, sums);
            break;
        case FK_PRODUCT_EXP2: fk_product_exp2(m, n, k, a, aRow, aInner, b, bRow, out, outRow, extra, 0, sums); break;
    }
}

FK_CLONES void fk_transpose(size_t m, size_t n, const float *x, size_t xRow, float *out, size_t outRow) {
    for (size_t i0 = 0; i0 < m; i0 += 16)
        for (size_t j0 = 0; j0 < n; j0 += 16)
            for (size_t j = j0; j < n && j < j0 + 16; j++)
                for (size_t i = i0; i < m && i < i0 + 16; i++) out[j * outRow + i] = x[i * xRow + j];
}
