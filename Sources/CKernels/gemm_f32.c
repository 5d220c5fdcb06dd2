#include "gemm.h"

#ifdef FK_HAS_AVX512_CODE

#define FK_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

#define STEP(sum, y, x) _mm512_fmadd_ps(y, x, sum)
#define TILE(m, v)                                                                                                          \
    FK_TARGET static void tile_##m##_##v(size_t k, const float *a, size_t rows, size_t steps, const float *b, float *c,     \
                                         size_t ldc, float alpha, float beta, __mmask16 last) {                             \
        FK_TILE_BODY(m, v, STEP)                                                                                            \
    }
FK_TILES(1)
FK_TILES(2)

FK_TARGET static void pack_rows(const float *b, size_t ldb, size_t k, size_t n, float *panel) {
    size_t v = n > 16 ? 2 : 1;
    __mmask16 last = FK_FIRST(FK_LEFT(n, v - 1));
    for (size_t l = 0; l < k; l++, b += ldb, panel += 16 * v) {
        if (v == 2) _mm512_store_ps(panel, _mm512_loadu_ps(b));
        _mm512_store_ps(panel + 16 * (v - 1), _mm512_maskz_loadu_ps(last, b + 16 * (v - 1)));
    }
}

FK_TARGET static void pack_columns(const float *b, size_t ldb, size_t k, size_t n, float *panel) {
    size_t v = n > 16 ? 2 : 1;
    for (size_t l = 0; l < k; l += 16) {
        size_t depth = FK_LEFT(k, l / 16);
        __mmask16 within = FK_FIRST(depth);
        for (size_t j = 0; j < v; j++) {
            size_t columns = FK_LEFT(n, j);
            const float *from = b + 16 * j * ldb + l;
            __m512i r[16];
            if (columns == 16) {
                for (size_t i = 0; i < 16; i++) r[i] = _mm512_maskz_loadu_epi32(within, from + i * ldb);
            } else {
                for (size_t i = 0; i < 16; i++)
                    r[i] = i < columns ? _mm512_maskz_loadu_epi32(within, from + i * ldb) : _mm512_setzero_si512();
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

FK_TARGET static void pack_a_transposed(const float *a, size_t lda, size_t k, size_t m, float *out) {
    __mmask16 mask = FK_FIRST(m);
    for (size_t l = 0; l < k; l++, a += lda, out += 16) {
        // The next tile's part of the row.
        _mm_prefetch((const char *)(a + 28), _MM_HINT_T0);
        _mm512_store_ps(out, _mm512_maskz_loadu_ps(mask, a));
    }
}

const fk_format fk_format_float32 = {
    .numbers_a_word = 1,
    .pack_rows = pack_rows,
    .pack_columns = pack_columns,
    .pack_a = NULL,
    .pack_a_transposed = pack_a_transposed,
    .tiles = {FK_TILE_NAMES(1), FK_TILE_NAMES(2)},
};
#endif
