#include "lanes.h"
#include "exponential.h"

// exp(x - shift) into out; returns the sum. The caller hands over blocks that stay in the first-level cache between the loops.
FK_CLONES static float fk_exp_block(const float *x, float shift, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = fk_exp1(x[i] - shift);
    f16 lanes = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) lanes += FK_LOAD(out + i);
    float total = 0;
    for (int j = 0; j < 16; j++) total += lanes[j];
    for (; i < n; i++) total += out[i];
    return total;
}

enum { BLOCK = 1024 };

// Where `out` is NULL the exponentials are only summed.
static float fk_exp_shifted(const float *x, float shift, float *out, size_t n) {
    float scratch[BLOCK], total = 0;
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t length = n - i < BLOCK ? n - i : BLOCK;
        total += fk_exp_block(x + i, shift, out ? out + i : scratch, length);
    }
    return total;
}

float fk_log_sum_exp(const float *x, size_t n) {
    float top = fk_max(x, n);
    if (!(fabsf(top) <= 3.402823466e38f)) return top; // NaN, or an infinity that decides the sum
    return top + logf(fk_exp_shifted(x, top, NULL, n));
}

float fk_softmax(const float *x, float *out, size_t n) {
    float top = fk_max(x, n);
    // A row that is masked out whole (-infinity everywhere) has no distribution; zeros keep it out of every product.
    if (top == -INFINITY) {
        memset(out, 0, n * sizeof(float));
        return top;
    }
    float total = fk_exp_shifted(x, top, out, n);
    fk_scale(1.0f / total, out, out, n);
    return top + logf(total);
}

float fk_l2_normalise(const float *x, float *out, size_t n, float eps) {
    float length = sqrtf(fk_dot(x, x, n));
    float inverse = 1.0f / (length > eps || length != length ? length : eps);
    fk_scale(inverse, x, out, n);
    return inverse;
}

FK_CLONES static void fk_affine(const float *x, float mean, float inverse, const float *gain, const float *bias, float *out,
                                size_t n) {
    if (gain && bias)
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * inverse * gain[i] + bias[i];
    else if (gain)
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * inverse * gain[i];
    else if (bias)
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * inverse + bias[i];
    else
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * inverse;
}

FK_CLONES static float fk_squares_around(const float *x, float mean, size_t n) {
    f16 lanes = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        f16 d = FK_LOAD(x + i) - FK_SPLAT(mean);
        lanes += d * d;
    }
    float total = 0;
    for (int j = 0; j < 16; j++) total += lanes[j];
    for (; i < n; i++) total += (x[i] - mean) * (x[i] - mean);
    return total;
}

float fk_layer_norm(const float *x, const float *gain, const float *bias, float *out, size_t n, float eps) {
    float mean = fk_sum(x, n) / (float)n;
    float inverse = 1.0f / sqrtf(fk_squares_around(x, mean, n) / (float)n + eps);
    fk_affine(x, mean, inverse, gain, bias, out, n);
    return inverse;
}
