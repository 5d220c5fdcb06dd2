#include "lanes.h"
#ifdef __linux__
#include <sys/mman.h>
#endif

// Rows are taken 64 columns at a time, so that four registers hold the sum over many rows.
#define FK_STRIPS(d)                                                                                                         \
    for (size_t c = 0, lanes; c < (d) && (lanes = (d) - c >= 64 ? 4 : ((d) - c) / 16, 1); c += 64)

FK_INLINE void fk_sum_strip(const int lanes, const float *table, size_t d, const int32_t *rows, size_t count, float scale,
                            float *out) {
    f16 t[4] = {{0}, {0}, {0}, {0}};
    for (size_t e = 0; e < count; e++) {
        const float *row = table + (size_t)rows[e] * d;
        for (int j = 0; j < lanes; j++) t[j] += FK_LOAD(row + 16 * j);
    }
    for (int j = 0; j < lanes; j++) FK_STORE(out + 16 * j, t[j] * FK_SPLAT(scale));
}

FK_INLINE void fk_sum_rows(const float *table, size_t d, const int32_t *rows, size_t count, float scale, float *out) {
    FK_STRIPS(d) switch (lanes) {
            case 1: fk_sum_strip(1, table + c, d, rows, count, scale, out + c); break;
            case 2: fk_sum_strip(2, table + c, d, rows, count, scale, out + c); break;
            case 3: fk_sum_strip(3, table + c, d, rows, count, scale, out + c); break;
            default: fk_sum_strip(4, table + c, d, rows, count, scale, out + c); break;
        }
}

FK_INLINE float fk_dot_row(const float *a, const float *b, size_t d) {
    f16 t = {0};
    for (size_t c = 0; c < d; c += 16) t += FK_LOAD(a + c) * FK_LOAD(b + c);
    float total = 0;
    for (int j = 0; j < 16; j++) total += t[j];
    return total;
}

// The rows of a large table are rarely in a cache; the lists say which come next.
enum { ROWS_AHEAD = 6 };
FK_INLINE void fk_fetch_row(const float *row, size_t d) {
    for (size_t c = 0; c < d; c += 16) __builtin_prefetch(row + c, 1);
}

FK_CLONES void fk_gather_visible_rows(const float *table, size_t d, const int32_t *rows, size_t count, float *out, size_t outRow) {
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count && rows[i + ROWS_AHEAD] >= 0) fk_fetch_row(table + (size_t)rows[i + ROWS_AHEAD] * d, d);
        const float *row = table + (rows[i] < 0 ? 0 : (size_t)rows[i] * d);
        for (size_t c = 0; c < d; c += 16) FK_STORE(out + i * outRow + c, rows[i] < 0 ? (f16){0} : FK_LOAD(row + c));
    }
}

FK_CLONES void fk_means_of_windows(const float *table, size_t d, const int32_t *sequence, const int32_t *starts,
                                   const int32_t *ends, size_t count, float *out, size_t outRow) {
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count)
            for (int32_t e = starts[i + 1]; e < ends[i + 1]; e++) fk_fetch_row(table + (size_t)sequence[e] * d, d);
        size_t length = (size_t)(ends[i] - starts[i]);
        fk_sum_rows(table, d, sequence + starts[i], length, length ? 1.0f / (float)length : 0.0f, out + i * outRow);
    }
}

FK_CLONES void fk_add_rows(size_t m, size_t n, const float *x, float *out) {
    for (size_t c = 0; c < n; c += 16) {
        f16 t = FK_LOAD(out + c);
        for (size_t i = 0; i < m; i++) t += FK_LOAD(x + i * n + c);
        FK_STORE(out + c, t);
    }
}

FK_CLONES void fk_normalise_rows(size_t m, size_t d, float *x, float *inverse, float scale, float *scaled) {
    for (size_t i = 0; i < m; i++) {
        float *row = x + i * d, length = sqrtf(fk_dot_row(row, row, d));
        inverse[i] = 1.0f / (length < 1e-6f ? 1e-6f : length);
        for (size_t c = 0; c < d; c += 16) {
            f16 y = FK_LOAD(row + c) * FK_SPLAT(inverse[i]);
            FK_STORE(row + c, y);
            FK_STORE(scaled + i * d + c, y * FK_SPLAT(scale));
        }
    }
}

FK_CLONES void fk_normalise_rows_slope(size_t m, size_t d, const float *x, const float *inverse, float *g) {
    for (size_t i = 0; i < m; i++) {
        const float *row = x + i * d;
        float *slope = g + i * d, along = fk_dot_row(row, slope, d);
        for (size_t c = 0; c < d; c += 16)
            FK_STORE(slope + c, FK_SPLAT(inverse[i]) * (FK_LOAD(slope + c) - FK_SPLAT(along) * FK_LOAD(row + c)));
    }
}

FK_CLONES double fk_softmax_rows_slope(size_t m, size_t d, const float *users, const float *items, const int32_t *targets,
                                       const float *targetShare, const float *share, float slope, const float *sums, float *g,
                                       float *weighted, float *itemGradient) {
    double loss = 0;
    for (size_t i = 0; i < m; i++) {
        const float *user = users + i * d, *item = items + (size_t)targets[i] * d;
        float *row = g + i * d, *away = weighted + i * d, *target = itemGradient + (size_t)targets[i] * d;
        float sum = 0;
        for (int j = 0; j < 16; j++) sum += sums[16 * i + (size_t)j];
        float own = slope * fk_dot_row(user, item, d) + 0.69314718f * targetShare[i];
        loss += (double)share[i] * (double)(logf(sum) - own);
        f16 whole = FK_SPLAT(share[i] * slope), part = FK_SPLAT(share[i] * slope / sum);
        for (size_t c = 0; c < d; c += 16) {
            f16 u = FK_LOAD(user + c);
            FK_STORE(row + c, part * FK_LOAD(row + c) - whole * FK_LOAD(item + c));
            FK_STORE(away + c, part * u);
            FK_STORE(target + c, FK_LOAD(target + c) - whole * u);
        }
    }
    return loss;
}

enum { LONGEST_ROW = 512 };

FK_CLONES void fk_adagrad_rows(float *table, float *accumulators, size_t d, size_t count, const int32_t *rows,
                               const int32_t *starts, const int32_t *places, const float *gradients, float rate) {
    float g[LONGEST_ROW];
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count) {
            fk_fetch_row(table + (size_t)rows[i + ROWS_AHEAD] * d, d);
            __builtin_prefetch(accumulators + rows[i + ROWS_AHEAD], 1);
        }
        fk_sum_rows(gradients, d, places + starts[i], (size_t)(starts[i + 1] - starts[i]), 1.0f, g);
        float *row = table + (size_t)rows[i] * d, *accumulator = accumulators + rows[i];
        *accumulator += fk_dot_row(g, g, d) / (float)d;
        f16 step = FK_SPLAT(-rate / (sqrtf(*accumulator) + 1e-8f));
        for (size_t c = 0; c < d; c += 16) FK_STORE(row + c, FK_LOAD(row + c) + step * FK_LOAD(g + c));
    }
}

void fk_prefer_large_pages(void *start, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    // Whole pages of 2 MiB only.
    const uintptr_t page = (uintptr_t)2 << 20;
    uintptr_t first = ((uintptr_t)start + page - 1) / page * page, end = ((uintptr_t)start + bytes) / page * page;
    if (end > first) madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)start;
    (void)bytes;
#endif
}
