#include "lanes.h"
#include "exponential.h"
#include "fast_exponential.h"

typedef uint32_t u16 __attribute__((vector_size(64)));

FK_CLONES void fk_layer_norm_rows(size_t rows, size_t n, const float *x, size_t xStride, const float *gain, const float *bias,
                                  float *out, size_t outStride, float *mean, float *inverse, float eps) {
    for (size_t r = 0; r < rows; r++, x += xStride, out += outStride) {
        f16 a = {0}, b = {0};
        float sum, squares;
        size_t i = 0;
        for (; i + 32 <= n; i += 32) {
            a += FK_LOAD(x + i);
            b += FK_LOAD(x + i + 16);
        }
        for (; i + 16 <= n; i += 16) a += FK_LOAD(x + i);
        FK_FOLD(a + b, sum);
        for (; i < n; i++) sum += x[i];
        const float m = sum / (float)n;
        a = b = (f16){0};
        for (i = 0; i + 32 <= n; i += 32) {
            f16 u = FK_LOAD(x + i) - m, v = FK_LOAD(x + i + 16) - m;
            a += u * u;
            b += v * v;
        }
        for (; i + 16 <= n; i += 16) {
            f16 u = FK_LOAD(x + i) - m;
            a += u * u;
        }
        FK_FOLD(a + b, squares);
        for (; i < n; i++) squares += (x[i] - m) * (x[i] - m);
        const float scale = 1.0f / sqrtf(squares / (float)n + eps);
        mean[r] = m;
        inverse[r] = scale;
        for (i = 0; i + 16 <= n; i += 16) {
            f16 y = (FK_LOAD(x + i) - m) * scale;
            if (gain) y *= FK_LOAD(gain + i);
            if (bias) y += FK_LOAD(bias + i);
            FK_STORE(out + i, y);
        }
        for (; i < n; i++) {
            float y = (x[i] - m) * scale;
            if (gain) y *= gain[i];
            if (bias) y += bias[i];
            out[i] = y;
        }
    }
}

FK_CLONES void fk_layer_norm_rows_slope(size_t rows, size_t n, const float *x, size_t xStride, const float *gain,
                                        const float *mean, const float *inverse, const float *g, size_t gStride, int32_t add,
                                        float *dx, size_t dxStride, float *dgain, float *dbias) {
    for (size_t r = 0; r < rows; r++, x += xStride, g += gStride, dx += dxStride) {
        const float m = mean[r], scale = inverse[r];
        f16 a = {0}, b = {0};
        float sum, along;
        size_t i = 0;
        // With y = (x - m) scale and h = g gain: dx = scale (h - mean(h) - y mean(h y)).
        for (; i + 16 <= n; i += 16) {
            f16 y = (FK_LOAD(x + i) - m) * scale, v = FK_LOAD(g + i), h = gain ? v * FK_LOAD(gain + i) : v;
            a += h;
            b += h * y;
            if (dgain) FK_STORE(dgain + i, FK_LOAD(dgain + i) + v * y);
            if (dbias) FK_STORE(dbias + i, FK_LOAD(dbias + i) + v);
        }
        FK_FOLD(a, sum);
        FK_FOLD(b, along);
        for (; i < n; i++) {
            float y = (x[i] - m) * scale, h = gain ? g[i] * gain[i] : g[i];
            sum += h;
            along += h * y;
            if (dgain) dgain[i] += g[i] * y;
            if (dbias) dbias[i] += g[i];
        }
        sum /= (float)n;
        along /= (float)n;
        for (i = 0; i + 16 <= n; i += 16) {
            f16 y = (FK_LOAD(x + i) - m) * scale, h = FK_LOAD(g + i);
            if (gain) h *= FK_LOAD(gain + i);
            f16 d = (h - sum - y * along) * scale;
            if (add) d += FK_LOAD(dx + i);
            FK_STORE(dx + i, d);
        }
        for (; i < n; i++) {
            float y = (x[i] - m) * scale, h = gain ? g[i] * gain[i] : g[i], d = (h - sum - y * along) * scale;
            dx[i] = add ? dx[i] + d : d;
        }
    }
}

// 32 well mixed bits of a counter under a key: the constants are those of Wellons' search for 32-bit mixers of low bias.
#define FK_MIX(c, low, high, out)                                                                                           \
    do {                                                                                                                    \
        (out) = (c) + (low);                                                                                                \
        (out) ^= (out) >> 16;                                                                                               \
        (out) *= 0x7feb352du;                                                                                               \
        (out) ^= ((out) >> 15) ^ (high);                                                                                    \
        (out) *= 0x846ca68bu;                                                                                               \
        (out) ^= (out) >> 16;                                                                                               \
    } while (0)

// Element i takes byte (i / 16) % 4 of word (i / 64) * 16 + i % 16.
FK_CLONES void fk_dropout(const float *x, const float *base, float *out, size_t n, uint32_t threshold, uint64_t key) {
    const uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
    const float scale = 256.0f / (256.0f - (float)threshold);
    u16 counter = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t i = 0;
    for (; i + 64 <= n; i += 64, counter += 16) {
        u16 bits;
        FK_MIX(counter, low, high, bits);
        for (int q = 0; q < 4; q++) {
            i16 kept = (i16)((bits >> (8 * q) & 255u) >= threshold);
            f16 y = FK_LOAD(x + i + 16 * q) * scale;
            y = FK_SELECT(kept, y, (f16){0});
            if (base) y += FK_LOAD(base + i + 16 * q);
            FK_STORE(out + i + 16 * q, y);
        }
    }
    for (; i < n; i++) {
        uint32_t c = (uint32_t)((i / 64) * 16 + i % 16), bits;
        FK_MIX(c, low, high, bits);
        float y = (bits >> (8 * (i / 16 % 4)) & 255u) >= threshold ? x[i] * scale : 0;
        out[i] = base ? base[i] + y : y;
    }
}

// 1 / (1 + e^-x), by the exponential of training.
#define FK_SIGMOID_LANES(x, out)                                                                                            \
    do {                                                                                                                    \
        f16 fk_e;                                                                                                           \
        FK_FAST_EXP(-(x), fk_e);                                                                                            \
        (out) = 1.0f / (1.0f + fk_e);                                                                                       \
    } while (0)

// gelu(x) = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3): 0.5 (1 + tanh u) is sigmoid(2 u).
#define FK_GELU_INNER(x) ((x) * (1.5957691216f + 0.07135481283f * (x) * (x)))
#define FK_GELU_INNER_SLOPE(x) (1.5957691216f + 0.21406443849f * (x) * (x))

#define FK_ACTIVATE(f, x, out)                                                                                              \
    do {                                                                                                                    \
        f16 fk_v = (x), fk_s, fk_y = fk_v;                                                                                  \
        if (f == FK_RELU) fk_y = FK_SELECT(fk_v < 0.0f, (f16){0}, fk_v);                                                    \
        if (f == FK_SILU || f == FK_SIGMOID) FK_SIGMOID_LANES(fk_v, fk_s);                                                  \
        if (f == FK_GELU) FK_SIGMOID_LANES(FK_GELU_INNER(fk_v), fk_s);                                                      \
        if (f == FK_SILU || f == FK_GELU) fk_y = fk_v * fk_s;                                                               \
        if (f == FK_SIGMOID) fk_y = fk_s;                                                                                   \
        if (f == FK_TANH)                                                                                                   \
            for (int fk_j = 0; fk_j < 16; fk_j++) fk_y[fk_j] = fk_tanh1(fk_v[fk_j]);                                        \
        (out) = fk_y;                                                                                                       \
    } while (0)

#define FK_SLOPE(f, x, out)                                                                                                 \
    do {                                                                                                                    \
        f16 fk_v = (x), fk_s, fk_y = FK_SPLAT(1.0f);                                                                        \
        if (f == FK_RELU) fk_y = FK_SELECT(fk_v > 0.0f, fk_y, (f16){0});                                                    \
        if (f == FK_SILU || f == FK_SIGMOID) FK_SIGMOID_LANES(fk_v, fk_s);                                                  \
        if (f == FK_SILU) fk_y = fk_s * (1.0f + fk_v * (1.0f - fk_s));                                                      \
        if (f == FK_SIGMOID) fk_y = fk_s * (1.0f - fk_s);                                                                   \
        if (f == FK_GELU) {                                                                                                 \
            FK_SIGMOID_LANES(FK_GELU_INNER(fk_v), fk_s);                                                                    \
            fk_y = fk_s + fk_v * fk_s * (1.0f - fk_s) * FK_GELU_INNER_SLOPE(fk_v);                                          \
        }                                                                                                                   \
        if (f == FK_TANH) {                                                                                                 \
            for (int fk_j = 0; fk_j < 16; fk_j++) fk_s[fk_j] = fk_tanh1(fk_v[fk_j]);                                        \
            fk_y = 1.0f - fk_s * fk_s;                                                                                      \
        }                                                                                                                   \
        (out) = fk_y;                                                                                                       \
    } while (0)

// One case a function, which is then a constant, so that each gets its own loop.
#define FK_EACH_ACTIVATION(f, body)                                                                                         \
    switch (f) {                                                                                                            \
    case FK_RELU: body(FK_RELU) break;                                                                                      \
    case FK_SILU: body(FK_SILU) break;                                                                                      \
    case FK_GELU: body(FK_GELU) break;                                                                                      \
    case FK_TANH: body(FK_TANH) break;                                                                                      \
    case FK_SIGMOID: body(FK_SIGMOID) break;                                                                                \
    default: body(FK_IDENTITY) break;                                                                                       \
    }

FK_CLONES void fk_activate_rows(fk_activation f, size_t rows, size_t n, float *x, size_t xStride, const float *bias, float *out,
                                size_t outStride) {
    const size_t whole = n / 16 * 16, left = n - whole;
    for (size_t r = 0; r < rows; r++, x += xStride, out += outStride) {
        f16 v, b, y;
#define BODY(F)                                                                                                             \
    for (size_t i = 0; i < whole; i += 16) {                                                                                \
        v = FK_LOAD(x + i);                                                                                                 \
        if (bias) {                                                                                                         \
            v += FK_LOAD(bias + i);                                                                                         \
            FK_STORE(x + i, v);                                                                                             \
        }                                                                                                                   \
        FK_ACTIVATE(F, v, y);                                                                                               \
        FK_STORE(out + i, y);                                                                                               \
    }                                                                                                                       \
    if (left) {                                                                                                             \
        FK_LOAD_LEFT(x + whole, left, 0, v);                                                                                \
        if (bias) {                                                                                                         \
            FK_LOAD_LEFT(bias + whole, left, 0, b);                                                                         \
            v += b;                                                                                                         \
            memcpy(x + whole, &v, left * sizeof(float));                                                                    \
        }                                                                                                                   \
        FK_ACTIVATE(F, v, y);                                                                                               \
        memcpy(out + whole, &y, left * sizeof(float));                                                                      \
    }
        FK_EACH_ACTIVATION(f, BODY)
#undef BODY
    }
}

FK_CLONES void fk_activate_rows_slope(fk_activation f, size_t rows, size_t n, const float *x, size_t xStride, float *g,
                                      size_t gStride, float *dbias) {
    const size_t whole = n / 16 * 16, left = n - whole;
    for (size_t r = 0; r < rows; r++, x += xStride, g += gStride) {
        f16 v, b, y;
#define BODY(F)                                                                                                             \
    for (size_t i = 0; i < whole; i += 16) {                                                                                \
        FK_SLOPE(F, FK_LOAD(x + i), y);                                                                                     \
        y *= FK_LOAD(g + i);                                                                                                \
        FK_STORE(g + i, y);                                                                                                 \
        if (dbias) FK_STORE(dbias + i, FK_LOAD(dbias + i) + y);                                                             \
    }                                                                                                                       \
    if (left) {                                                                                                             \
        FK_LOAD_LEFT(x + whole, left, 0, v);                                                                                \
        FK_SLOPE(F, v, y);                                                                                                  \
        FK_LOAD_LEFT(g + whole, left, 0, v);                                                                                \
        y *= v;                                                                                                             \
        memcpy(g + whole, &y, left * sizeof(float));                                                                        \
        if (dbias) {                                                                                                        \
            FK_LOAD_LEFT(dbias + whole, left, 0, b);                                                                        \
            b += y;                                                                                                         \
            memcpy(dbias + whole, &b, left * sizeof(float));                                                                \
        }                                                                                                                   \
    }
        FK_EACH_ACTIVATION(f, BODY)
#undef BODY
    }
}

FK_CLONES void fk_sum_rows_into(size_t rows, size_t n, const float *x, size_t xStride, float *out) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        f16 sum = FK_LOAD(out + i);
        for (size_t r = 0; r < rows; r++) sum += FK_LOAD(x + r * xStride + i);
        FK_STORE(out + i, sum);
    }
    for (; i < n; i++)
        for (size_t r = 0; r < rows; r++) out[i] += x[r * xStride + i];
}

FK_CLONES void fk_scatter_add_rows(float *table, size_t tableStride, const int32_t *indices, size_t rows, size_t n,
                                   const float *x, size_t xStride, float scale) {
    for (size_t r = 0; r < rows; r++) {
        if (r + 8 < rows) __builtin_prefetch(table + (size_t)indices[r + 8] * tableStride, 1);
        float *to = table + (size_t)indices[r] * tableStride;
        const float *from = x + r * xStride;
        for (size_t i = 0; i < n; i++) to[i] += scale * from[i];
    }
}
