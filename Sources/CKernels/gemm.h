// Matrix products of our own for processors with AVX-512: register tiles of up to 14 rows by 32 columns over operands that are
// packed as they are read. The same frame serves float32 and bfloat16 products.
#ifndef FRESHET_GEMM_H
#define FRESHET_GEMM_H

#include "lanes.h"

#if defined(__x86_64__) && defined(__ELF__)
#define FK_HAS_AVX512_CODE 1
#include <immintrin.h>

// Rows and columns of a register tile: 28 accumulators, 2 registers for b, 1 or 2 for a.
enum { TILE_ROWS = 14, TILE_COLUMNS = 32 };

// 16 rows of 16 32-bit elements, transposed.
__attribute__((always_inline, target("avx512f"))) static inline void fk_transpose16(__m512i r[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

// Operands are packed into 32-bit words: a float, or a pair of bfloat16 numbers that follow each other along the inner side.

// c = alpha a b + beta c for one register tile of up to 14 rows and 16 or 32 columns. Word (i, l) of a is
// a[i * rows + l * steps]; b is a packed panel of k steps of 16 or 32 words; `last` names the columns of the last 16 that exist.
typedef void (*fk_tile)(size_t k, const float *a, size_t rows, size_t steps, const float *b, float *c, size_t ldc, float alpha,
                        float beta, __mmask16 last);

// A kind of number that products run on.
typedef struct {
    size_t numbers_a_word;
    // k by n (at most 32) numbers of b into a panel of 16 or 32 columns: as they are, or from b transposed.
    void (*pack_rows)(const float *b, size_t ldb, size_t k, size_t n, float *panel);
    void (*pack_columns)(const float *b, size_t ldb, size_t k, size_t n, float *panel);
    // m (at most 14) by k numbers of a, rows FK_BLOCK_WORDS words apart; NULL where a is read as it is.
    void (*pack_a)(const float *a, size_t lda, size_t k, size_t m, float *out);
    // The same from a transposed: steps 16 words apart.
    void (*pack_a_transposed)(const float *a, size_t lda, size_t k, size_t m, float *out);
    fk_tile tiles[2][TILE_ROWS];
} fk_format;

extern const fk_format fk_format_float32, fk_format_bfloat16;

// Words of the inner side and columns of b that are packed at a time: a panel of 32 KiB goes through the first-level cache,
// all of them stay in the second.
enum { FK_BLOCK_WORDS = 256, FK_BLOCK_COLUMNS = 512 };

#define FK_TILE_NAMES(v)                                                                                                    \
    {tile_1_##v, tile_2_##v, tile_3_##v,  tile_4_##v,  tile_5_##v,  tile_6_##v,  tile_7_##v,                                \
     tile_8_##v, tile_9_##v, tile_10_##v, tile_11_##v, tile_12_##v, tile_13_##v, tile_14_##v}
#define FK_TILES(v)                                                                                                         \
    TILE(1, v) TILE(2, v) TILE(3, v) TILE(4, v) TILE(5, v) TILE(6, v) TILE(7, v) TILE(8, v) TILE(9, v) TILE(10, v)          \
    TILE(11, v) TILE(12, v) TILE(13, v) TILE(14, v)

// The body of a tile function; `step` adds one step of products to an accumulator.
#define FK_TILE_BODY(m, v, step)                                                                                            \
    __m512 sum[TILE_ROWS][2];                                                                                               \
    /* Five row pointers: the two rows after each are reached by scaled addressing. */                                      \
    const float *p[5];                                                                                                      \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < m; i++) {                                                        \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < v; j++) sum[i][j] = _mm512_setzero_ps();                     \
    }                                                                                                                       \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 5; i++) p[i] = a + (size_t)(3 * i) * rows;                       \
    for (size_t l = 0; l < k; l++) {                                                                                        \
        __m512 x[2];                                                                                                        \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < v; j++) x[j] = _mm512_load_ps(b + 16 * j);                   \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < m; i++) {                                                    \
            __m512 y = _mm512_set1_ps(p[i / 3][(size_t)(i % 3) * rows]);                                                    \
            _Pragma("clang loop unroll(full)") for (int j = 0; j < v; j++) sum[i][j] = step(sum[i][j], y, x[j]);            \
        }                                                                                                                   \
        b += 16 * v;                                                                                                        \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < 5; i++) p[i] += steps;                                       \
    }                                                                                                                       \
    __m512 scale = _mm512_set1_ps(alpha), keep = _mm512_set1_ps(beta);                                                      \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < m; i++) {                                                        \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < v; j++) {                                                    \
            __mmask16 mask = j == v - 1 ? last : 0xffff;                                                                    \
            float *to = c + (size_t)i * ldc + 16 * j;                                                                       \
            __m512 value = _mm512_mul_ps(sum[i][j], scale);                                                                 \
            if (beta != 0) value = _mm512_fmadd_ps(keep, _mm512_maskz_loadu_ps(mask, to), value);                           \
            _mm512_mask_storeu_ps(to, mask, value);                                                                         \
        }                                                                                                                   \
    }

// The places among n columns that are left for vector j of 16.
#define FK_LEFT(n, j) ((n) - 16 * (j) < 16 ? (n) - 16 * (j) : 16)
#define FK_FIRST(n) ((__mmask16)((1u << (n)) - 1))
#endif

#endif
