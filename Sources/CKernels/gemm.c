#include "gemm.h"
#include "scratch.h"

#ifdef FK_HAS_AVX512_CODE
static int multiply(const fk_format *format, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
                    int transpose_a, const float *b, size_t ldb, int transpose_b, float beta, float *c, size_t ldc) {
    const size_t word = format->numbers_a_word, block_numbers = FK_BLOCK_WORDS * word;
    float *packed_b = fk_scratch(FK_SCRATCH_PACKED_B, sizeof(float) * FK_BLOCK_WORDS * FK_BLOCK_COLUMNS);
    float *packed_a = fk_scratch(FK_SCRATCH_PACKED_A, sizeof(float) * 16 * FK_BLOCK_WORDS);
    if (!packed_a || !packed_b) return 0;
    size_t inner_blocks = (k + block_numbers - 1) / block_numbers, row_tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t j0 = 0; j0 < n; j0 += FK_BLOCK_COLUMNS) {
        size_t columns = n - j0 < FK_BLOCK_COLUMNS ? n - j0 : FK_BLOCK_COLUMNS;
        for (size_t block = 0; block < inner_blocks; block++) {
            // Blocks of nearly the same depth, whole words except the last.
            size_t all = (k + word - 1) / word, w0 = block * all / inner_blocks, words = (block + 1) * all / inner_blocks - w0;
            size_t l0 = w0 * word, depth = l0 + words * word < k ? words * word : k - l0;
            for (size_t j = 0; j < columns; j += TILE_COLUMNS) {
                size_t width = columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS;
                if (transpose_b)
                    format->pack_columns(b + (j0 + j) * ldb + l0, ldb, depth, width, packed_b + j * words);
                else
                    format->pack_rows(b + l0 * ldb + j0 + j, ldb, depth, width, packed_b + j * words);
            }
            for (size_t t = 0; t < row_tiles; t++) {
                // Tiles of nearly the same height: no thin one at the end.
                size_t i0 = t * m / row_tiles, height = (t + 1) * m / row_tiles - i0;
                const float *from = a + (transpose_a ? i0 + l0 * lda : i0 * lda + l0);
                size_t rows = lda, steps = 1;
                if (transpose_a) {
                    format->pack_a_transposed(from, lda, depth, height, packed_a);
                    rows = 1;
                    steps = 16;
                } else if (format->pack_a) {
                    format->pack_a(from, lda, depth, height, packed_a);
                    rows = FK_BLOCK_WORDS;
                }
                if (transpose_a || format->pack_a) from = packed_a;
                for (size_t j = 0; j < columns; j += TILE_COLUMNS) {
                    size_t width = columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS, v = width > 16 ? 2 : 1;
                    format->tiles[v - 1][height - 1](words, from, rows, steps, packed_b + j * words, c + i0 * ldc + j0 + j, ldc,
                                                     alpha, block == 0 ? beta : 1, FK_FIRST(FK_LEFT(width, v - 1)));
                }
            }
        }
    }
    return 1;
}
#endif

int32_t fk_product_supported(int32_t precision) {
#ifdef FK_HAS_AVX512_CODE
    return __builtin_cpu_supports("x86-64-v4") && (!precision || __builtin_cpu_supports("avx512bf16"));
#else
    (void)precision;
    return 0;
#endif
}

int32_t fk_bfloat16_is_faster(void) {
#ifdef FK_HAS_AVX512_CODE
    return fk_product_supported(1) && __builtin_cpu_is("amd");
#else
    return 0;
#endif
}

int32_t fk_product(int32_t precision, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, int32_t transpose_a,
                   const float *b, size_t ldb, int32_t transpose_b, float beta, float *c, size_t ldc) {
#ifdef FK_HAS_AVX512_CODE
    if (fk_product_supported(precision))
        return multiply(precision ? &fk_format_bfloat16 : &fk_format_float32, m, n, k, alpha, a, lda, transpose_a, b, ldb,
                        transpose_b, beta, c, ldc);
#else
    (void)precision, (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)lda, (void)transpose_a, (void)b, (void)ldb;
    (void)transpose_b, (void)beta, (void)c, (void)ldc;
#endif
    return 0;
}

int32_t fk_product_is_faster(int32_t precision, size_t m, size_t n, size_t k, int32_t transpose_b) {
    if (!fk_product_supported(precision)) return 0;
    // A register tile is 14 rows by 16 or 32 columns: thin shapes leave most of it empty.
    size_t columns = (n + 15) / 16 * 16;
    if (precision) return m >= 4 && n >= 8 && k >= 8;
    if (m < 4 || 4 * n < 3 * columns) return transpose_b && m >= 2 && n >= 64;
    // OpenBLAS has direct kernels for small products whose operands lie as its loops want them.
    return m * n * k >= (transpose_b ? 1u << 17 : 1u << 19);
}
