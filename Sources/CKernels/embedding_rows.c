#include "reduce.h"

// The rows of a large table are rarely in a cache; the lists say which come next.
enum { ROWS_AHEAD = 8 };

// out[i] = the expression in lanes of LOAD(p) for the places of p = x, g, ... at i. The last 16 columns are read before anything is
// stored and written last: where they lie over the group before, both hold the same.
#define FK_EACH_COLUMN(out, n, LOAD, expression)                                                                            \
    do {                                                                                                                    \
        if ((n) >= 16) {                                                                                                    \
            size_t i = (n) - 16;                                                                                            \
            const f16 fk_last = (expression(LOAD));                                                                         \
            for (i = 0; i + 16 <= (n); i += 16) FK_STORE((out) + i, (expression(LOAD)));                                    \
            FK_STORE((out) + (n) - 16, fk_last);                                                                            \
        } else {                                                                                                            \
            for (size_t i = 0; i < (n); i++) (out)[i] = (expression(FK_ONE));                                               \
        }                                                                                                                   \
    } while (0)
#define FK_LANES(p) FK_LOAD((p) + i)
#define FK_ONE(p) (p)[i]

FK_CLONES void fk_gather_rows(const float *table, size_t tableStride, const int32_t *indices, size_t rows, size_t n, float *out,
                              size_t outStride) {
    for (size_t r = 0; r < rows; r++) {
        if (r + ROWS_AHEAD < rows) fk_prefetch(table + (size_t)indices[r + ROWS_AHEAD] * tableStride, n * sizeof(float));
        const float *from = table + (size_t)indices[r] * tableStride;
        float *to = out + r * outStride;
#define COPY(AT) AT(from)
        FK_EACH_COLUMN(to, n, FK_LANES, COPY);
#undef COPY
    }
}

FK_CLONES void fk_unit_rows(size_t rows, size_t n, float *x, size_t stride, float eps, float scale, float *inverses) {
    for (size_t r = 0; r < rows; r++, x += stride) {
        float length = sqrtf(fk_dot1(x, x, n));
        float inverse = 1.0f / (length > eps || length != length ? length : eps);
#define UNIT(AT) scale * (inverse * AT(x))
        FK_EACH_COLUMN(x, n, FK_LANES, UNIT);
#undef UNIT
        inverses[r] = inverse;
    }
}

FK_CLONES void fk_unit_rows_slope(size_t rows, size_t n, const float *x, size_t xStride, const float *inverses, float scale,
                                  float *g, size_t gStride, float *along) {
    for (size_t r = 0; r < rows; r++, x += xStride, g += gStride) {
        float product = fk_dot1(g, x, n), away = -product / (scale * scale), factor = scale * inverses[r];
        if (along) *along += product;
#define ACROSS(AT) factor * (AT(g) + away * AT(x))
        FK_EACH_COLUMN(g, n, FK_LANES, ACROSS);
#undef ACROSS
    }
}

FK_CLONES void fk_adagrad_rows(float *table, size_t tableStride, float *accumulators, const int32_t *indices, const _Bool *used,
                               size_t rows, size_t n, float *g, size_t gStride, float scale, float rate, float eps) {
    for (size_t r = 0; r < rows; r++, g += gStride) {
        if (r + ROWS_AHEAD < rows) {
            size_t next = (size_t)indices[r + ROWS_AHEAD];
            fk_prefetch(table + next * tableStride, n * sizeof(float));
            fk_prefetch(accumulators + next, sizeof(float));
        }
        if (n == 0 || (used && !used[r])) continue;
        float *row = table + (size_t)indices[r] * tableStride, *accumulator = accumulators + indices[r];
#define SCALED(AT) scale * AT(g)
        if (scale != 1) FK_EACH_COLUMN(g, n, FK_LANES, SCALED);
#undef SCALED
        *accumulator += fk_dot1(g, g, n) / (float)n;
        const float step = -rate / (sqrtf(*accumulator) + eps);
#define STEPPED(AT) AT(row) + step * AT(g)
        FK_EACH_COLUMN(row, n, FK_LANES, STEPPED);
#undef STEPPED
    }
}

// A strip of up to 64 columns of a pool: its sums stay in registers over all entries.
FK_INLINE void fk_pool_strip(const int lanes, const float *vectors, size_t stride, const int32_t *rows, size_t count,
                             const float *weights, float least, float *out) {
    f16 t[4];
    for (int j = 0; j < lanes; j++) t[j] = FK_LOAD(out + 16 * j);
    for (size_t e = 0; e < count; e++) {
        if (!(weights[e] > least)) continue;
        const float *row = vectors + (size_t)rows[e] * stride;
        for (int j = 0; j < lanes; j++) t[j] += weights[e] * FK_LOAD(row + 16 * j);
    }
    for (int j = 0; j < lanes; j++) FK_STORE(out + 16 * j, t[j]);
}

FK_CLONES void fk_pool_rows(const float *vectors, size_t stride, const int32_t *rows, size_t count, const float *weights,
                            float least, size_t n, float *out) {
    size_t i = 0;
    for (; i + 64 <= n; i += 64) fk_pool_strip(4, vectors + i, stride, rows, count, weights, least, out + i);
    for (; i + 16 <= n; i += 16) fk_pool_strip(1, vectors + i, stride, rows, count, weights, least, out + i);
    for (; i < n; i++)
        for (size_t e = 0; e < count; e++)
            if (weights[e] > least) out[i] += weights[e] * vectors[(size_t)rows[e] * stride + i];
}

FK_CLONES void fk_pool_rows_slope(const float *vectors, size_t stride, const int32_t *rows, size_t count, size_t pools,
                                  const float *weights, float least, size_t n, const float *outer, float *slopes,
                                  float *gradient) {
    for (size_t e = 0; e < count; e++) {
        const float *row = vectors + (size_t)rows[e] * stride;
        float *to = gradient + (size_t)rows[e] * stride;
        for (size_t k = 0; k < pools; k++) {
            const float weight = weights[k * count + e], *from = outer + k * n;
            if (!(weight > least)) {
                slopes[k * count + e] = 0;
                continue;
            }
            slopes[k * count + e] = fk_dot1(from, row, n);
#define ADDED(AT) AT(to) + weight * AT(from)
            FK_EACH_COLUMN(to, n, FK_LANES, ADDED);
#undef ADDED
        }
    }
}
