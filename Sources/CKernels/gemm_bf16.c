#include "gemm.h"

#ifdef FK_HAS_AVX512_CODE

// Numbers are rounded to bfloat16 (to nearest, ties to even) as they are packed; the processor multiplies pairs and adds them in
// float32. It takes subnormal numbers as zero.

#define FK_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

#define STEP(sum, y, x) _mm512_dpbf16_ps(sum, (__m512bh)(y), (__m512bh)(x))
#define TILE(m, v)                                                                                                          \
    FK_TARGET static void tile_##m##_##v(size_t k, const float *a, size_t rows, size_t steps, const float *b, float *c,     \
                                         size_t ldc, float alpha, float beta, __mmask16 last) {                             \
        FK_TILE_BODY(m, v, STEP)                                                                                            \
    }
FK_TILES(1)
FK_TILES(2)

// Two rows of 16 numbers as 16 pairs, the first row's number low.
__attribute__((always_inline, target("avx512f,avx512bw,avx512bf16"))) static inline __m512i pairs(__m512 first, __m512 second) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20,
                                           4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(second, first));
}

// 32 numbers that follow each other as 16 pairs; `left` of them exist.
__attribute__((always_inline, target("avx512f,avx512bw,avx512bf16"))) static inline __m512i run(const float *x, size_t left) {
    __mmask16 low = left >= 16 ? 0xffff : FK_FIRST(left), high = left >= 32 ? 0xffff : left > 16 ? FK_FIRST(left - 16) : 0;
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(high, x + 16), _mm512_maskz_loadu_ps(low, x));
}

FK_TARGET static void pack_rows(const float *b, size_t ldb, size_t k, size_t n, float *panel) {
    size_t v = n > 16 ? 2 : 1;
    for (size_t j = 0; j < v; j++) {
        __mmask16 mask = FK_FIRST(FK_LEFT(n, j));
        const float *from = b + 16 * j;
        float *to = panel + 16 * j;
        size_t l = 0;
        for (; l + 2 <= k; l += 2, from += 2 * ldb, to += 16 * v)
            _mm512_store_si512(to, pairs(_mm512_maskz_loadu_ps(mask, from), _mm512_maskz_loadu_ps(mask, from + ldb)));
        if (l < k) _mm512_store_si512(to, pairs(_mm512_maskz_loadu_ps(mask, from), _mm512_setzero_ps()));
    }
}

FK_TARGET static void pack_columns(const float *b, size_t ldb, size_t k, size_t n, float *panel) {
    size_t v = n > 16 ? 2 : 1, words = (k + 1) / 2;
    for (size_t l = 0; l < words; l += 16) {
        size_t depth = words - l < 16 ? words - l : 16, left = k - 2 * l;
        for (size_t j = 0; j < v; j++) {
            size_t columns = FK_LEFT(n, j);
            const float *from = b + 16 * j * ldb + 2 * l;
            __m512i r[16];
            if (columns == 16 && left >= 32) {
                for (size_t i = 0; i < 16; i++) r[i] = run(from + i * ldb, 32);
            } else {
                for (size_t i = 0; i < 16; i++) r[i] = i < columns ? run(from + i * ldb, left) : _mm512_setzero_si512();
            }
            fk_transpose16(r);
            float *to = panel + l * 16 * v + 16 * j;
            if (depth == 16) {
                for (size_t i = 0; i < 16; i++) _mm512_store_si512(to + i * 16 * v, r[i]);
            } else {
                for (size_t i = 0; i < depth; i++) _mm512_store_si512(to + i * 16 * v, r[i]);
            }
        }
    }
}

FK_TARGET static void pack_a(const float *a, size_t lda, size_t k, size_t m, float *out) {
    for (size_t i = 0; i < m; i++) {
        const float *from = a + i * lda;
        float *to = out + i * FK_BLOCK_WORDS;
        size_t l = 0;
        for (; l + 32 <= k; l += 32) _mm512_store_si512(to + l / 2, run(from + l, 32));
        if (l < k) _mm512_store_si512(to + l / 2, run(from + l, k - l));
    }
}

FK_TARGET static void pack_a_transposed(const float *a, size_t lda, size_t k, size_t m, float *out) {
    __mmask16 mask = FK_FIRST(m);
    size_t l = 0;
    for (; l + 2 <= k; l += 2, a += 2 * lda, out += 16) {
        // The next tile's part of the rows.
        _mm_prefetch((const char *)(a + 28), _MM_HINT_T0);
        _mm_prefetch((const char *)(a + lda + 28), _MM_HINT_T0);
        _mm512_store_si512(out, pairs(_mm512_maskz_loadu_ps(mask, a), _mm512_maskz_loadu_ps(mask, a + lda)));
    }
    if (l < k) _mm512_store_si512(out, pairs(_mm512_maskz_loadu_ps(mask, a), _mm512_setzero_ps()));
}

const fk_format fk_format_bfloat16 = {
    .numbers_a_word = 2,
    .pack_rows = pack_rows,
    .pack_columns = pack_columns,
    .pack_a = pack_a,
    .pack_a_transposed = pack_a_transposed,
    .tiles = {FK_TILE_NAMES(1), FK_TILE_NAMES(2)},
};
#endif
