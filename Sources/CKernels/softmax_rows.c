#include "lanes.h"
#include "fast_exponential.h"

FK_CLONES void fk_correct_and_top_rows(size_t rows, size_t n, float *x, size_t stride, const float *corrections, float *top) {
    for (size_t r = 0; r < rows; r++, x += stride) {
        f16 best = FK_SPLAT(top[r]), other = best;
        i16 undefined = {0};
        size_t i = 0;
#define EACH(p, best)                                                                                                       \
    do {                                                                                                                    \
        f16 v = FK_LOAD(p);                                                                                                 \
        if (corrections) {                                                                                                  \
            v += FK_LOAD(corrections + ((p) - x));                                                                          \
            FK_STORE(p, v);                                                                                                 \
        }                                                                                                                   \
        best = FK_SELECT(v > best, v, best);                                                                                \
        undefined |= v != v;                                                                                                \
    } while (0)
        for (; i + 32 <= n; i += 32) {
            EACH(x + i, best);
            EACH(x + i + 16, other);
        }
        for (; i + 16 <= n; i += 16) EACH(x + i, best);
#undef EACH
        float largest = top[r];
        int32_t any = largest != largest;
        for (; i < n; i++) {
            if (corrections) x[i] += corrections[i];
            if (x[i] > largest) largest = x[i];
            any |= x[i] != x[i];
        }
        for (int j = 0; j < 16; j++) {
            if (best[j] > largest) largest = best[j];
            if (other[j] > largest) largest = other[j];
            any |= undefined[j];
        }
        top[r] = any ? NAN : largest;
    }
}

FK_CLONES void fk_exp_sum_rows(size_t rows, size_t n, float *x, size_t stride, const float *corrections, const float *shift,
                               float *sums) {
    for (size_t r = 0; r < rows; r++, x += stride) {
        f16 a = {0}, b = {0}, u, v;
        const float s = shift[r];
        size_t i = 0;
        if (corrections) {
            for (; i + 32 <= n; i += 32) {
                FK_FAST_EXP(FK_LOAD(x + i) + (FK_LOAD(corrections + i) - s), u);
                FK_FAST_EXP(FK_LOAD(x + i + 16) + (FK_LOAD(corrections + i + 16) - s), v);
                a += u;
                b += v;
                FK_STORE(x + i, u);
                FK_STORE(x + i + 16, v);
            }
        } else {
            for (; i + 32 <= n; i += 32) {
                FK_FAST_EXP(FK_LOAD(x + i) - s, u);
                FK_FAST_EXP(FK_LOAD(x + i + 16) - s, v);
                a += u;
                b += v;
                FK_STORE(x + i, u);
                FK_STORE(x + i + 16, v);
            }
        }
        for (; i < n; i += 16) {
            size_t left = n - i < 16 ? n - i : 16;
            FK_LOAD_LEFT(x + i, left, -INFINITY, u);
            v = (f16){0};
            if (corrections) FK_LOAD_LEFT(corrections + i, left, 0, v);
            FK_FAST_EXP(u + (v - s), u);
            a += u;
            memcpy(x + i, &u, left * sizeof(float));
        }
        float total;
        FK_FOLD(a + b, total);
        sums[r] += total;
    }
}

// One row of attention scores in lanes: runs the statements with the group's place in i, its scores in v, its biases in bias, and -1 in the
// lanes of `live` that exist; stores v if asked.
#define FK_CAUSAL_GROUPS(store, ...)                                                                                        \
    for (size_t i = 0; i < n; i += 16) {                                                                                    \
        size_t left = n - i < 16 ? n - i : 16;                                                                              \
        f16 v, bias = {0};                                                                                                  \
        if (i >= entries) {                                                                                                 \
            if (store) memset(row + i, 0, left * sizeof(float));                                                            \
            continue;                                                                                                       \
        }                                                                                                                   \
        size_t present = entries - i < 16 ? entries - i : 16;                                                               \
        i16 live = places < (int32_t)present;                                                                               \
        if (left == 16) v = FK_LOAD(row + i);                                                                               \
        else FK_LOAD_LEFT(row + i, left, 0, v);                                                                             \
        if (biases) {                                                                                                       \
            if (present == 16) bias = FK_LOAD(biases - r + i);                                                              \
            else FK_LOAD_LEFT(biases - r + i, present, 0, bias);                                                            \
        }                                                                                                                   \
        __VA_ARGS__                                                                                                         \
        if (store) {                                                                                                        \
            if (left == 16) FK_STORE(row + i, v);                                                                           \
            else memcpy(row + i, &v, left * sizeof(float));                                                                 \
        }                                                                                                                   \
    }

static const i16 places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

FK_CLONES void fk_causal_softmax_rows(size_t rows, size_t n, size_t first, float *s, size_t stride, float scale,
                                      const float *biases, float *logSums) {
    for (size_t r = 0; r < rows; r++) {
        float *row = s + r * stride;
        const size_t entries = first + r + 1 < n ? first + r + 1 : n;
        f16 best = FK_SPLAT(-INFINITY), sum = {0};
        i16 undefined = {0};
        FK_CAUSAL_GROUPS(1,
            {
                v = v * scale + bias;
                v = FK_SELECT(live, v, FK_SPLAT(-INFINITY));
                best = FK_SELECT(v > best, v, best);
                undefined |= v != v;
            })
        float top = -INFINITY, total;
        int32_t any = 0;
        for (int j = 0; j < 16; j++) {
            if (best[j] > top) top = best[j];
            any |= undefined[j];
        }
        if (any) top = NAN;
        // Nothing but -infinity has no distribution: zeros keep the row out of every product.
        const float shift = top == -INFINITY ? 0 : top;
        for (size_t i = 0; i < entries; i += 16) {
            f16 v;
            size_t left = n - i < 16 ? n - i : 16;
            if (left == 16) v = FK_LOAD(row + i);
            else FK_LOAD_LEFT(row + i, left, -INFINITY, v);
            // What lies beyond the entries is -infinity within the group, and 0 after it.
            FK_FAST_EXP(v - shift, v);
            sum += v;
            if (left == 16) FK_STORE(row + i, v);
            else memcpy(row + i, &v, left * sizeof(float));
        }
        FK_FOLD(sum, total);
        logSums[r] = top == -INFINITY ? top : top + logf(total);
        const float inverse = total > 0 || total != total ? 1.0f / total : 0;
        for (size_t i = 0; i < entries; i++) row[i] *= inverse;
    }
}

FK_CLONES void fk_causal_softmax_again_rows(size_t rows, size_t n, size_t first, float *s, size_t stride, float scale,
                                            const float *biases, const float *logSums) {
    for (size_t r = 0; r < rows; r++) {
        float *row = s + r * stride;
        const size_t entries = first + r + 1 < n ? first + r + 1 : n;
        // A row without a distribution: every weight is 0.
        const float shift = logSums[r] == -INFINITY ? INFINITY : logSums[r];
        FK_CAUSAL_GROUPS(1,
            {
                v = v * scale + bias;
                v = FK_SELECT(live, v, FK_SPLAT(-INFINITY));
                FK_FAST_EXP(v - shift, v);
            })
    }
}

FK_CLONES void fk_causal_softmax_rows_slope(size_t rows, size_t n, size_t first, const float *p, size_t pStride, float *g,
                                            size_t gStride, float scale, const float *along, float *biasSlopes) {
    for (size_t r = 0; r < rows; r++) {
        const float *weights = p + r * pStride;
        float *row = g + r * gStride, *slopes = biasSlopes ? biasSlopes - r : NULL;
        const size_t entries = first + r + 1 < n ? first + r + 1 : n;
        const float mean = along[r];
        for (size_t i = 0; i < entries; i++) row[i] = weights[i] * (row[i] - mean);
        if (slopes)
            for (size_t i = 0; i < entries; i++) slopes[i] += row[i];
        for (size_t i = 0; i < entries; i++) row[i] *= scale;
        memset(row + entries, 0, (n - entries) * sizeof(float));
    }
}

FK_CLONES void fk_causal_silu_rows(size_t rows, size_t n, size_t first, float *s, size_t stride, float scale,
                                   const float *biases, float weight) {
    for (size_t r = 0; r < rows; r++) {
        float *row = s + r * stride;
        const size_t entries = first + r + 1 < n ? first + r + 1 : n;
        FK_CAUSAL_GROUPS(1,
            {
                v = v * scale + bias;
                f16 e;
                FK_FAST_EXP(-v, e);
                v = FK_SELECT(live, v / (1.0f + e) * weight, (f16){0});
            })
    }
}

FK_CLONES void fk_causal_silu_rows_slope(size_t rows, size_t n, size_t first, const float *s, size_t sStride, float *g,
                                         size_t gStride, float scale, const float *biases, float weight, float *biasSlopes) {
    for (size_t r = 0; r < rows; r++) {
        float *row = (float *)s + r * sStride, *slope = g + r * gStride, *slopes = biasSlopes ? biasSlopes - r : NULL;
        const size_t entries = first + r + 1 < n ? first + r + 1 : n;
        FK_CAUSAL_GROUPS(0,
            {
                v = v * scale + bias;
                f16 e, d;
                FK_FAST_EXP(-v, e);
                f16 y = 1.0f / (1.0f + e);
                if (left == 16) d = FK_LOAD(slope + i);
                else FK_LOAD_LEFT(slope + i, left, 0, d);
                d = FK_SELECT(live, d * (y * (1.0f + v * (1.0f - y)) * weight), (f16){0});
                if (slopes) {
                    f16 sum;
                    if (present == 16) {
                        FK_STORE(slopes + i, FK_LOAD(slopes + i) + d);
                    } else {
                        FK_LOAD_LEFT(slopes + i, present, 0, sum);
                        sum += d;
                        memcpy(slopes + i, &sum, present * sizeof(float));
                    }
                }
                d *= scale;
                if (left == 16) FK_STORE(slope + i, d);
                else memcpy(slope + i, &d, left * sizeof(float));
            })
        memset(slope + entries, 0, (n - entries) * sizeof(float));
    }
}
