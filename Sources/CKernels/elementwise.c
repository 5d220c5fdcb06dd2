#include "lanes.h"
#include "exponential.h"

#define FK_EACH(expression)                                                                                                 \
    for (size_t i = 0; i < n; i++) out[i] = (expression)

FK_CLONES void fk_axpy(float alpha, const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
}
FK_CLONES void fk_scale(float alpha, const float *x, float *out, size_t n) { FK_EACH(alpha * x[i]); }
FK_CLONES void fk_offset(float alpha, const float *x, float *out, size_t n) { FK_EACH(alpha + x[i]); }
FK_CLONES void fk_add(const float *a, const float *b, float *out, size_t n) { FK_EACH(a[i] + b[i]); }
FK_CLONES void fk_subtract(const float *a, const float *b, float *out, size_t n) { FK_EACH(a[i] - b[i]); }
FK_CLONES void fk_multiply(const float *a, const float *b, float *out, size_t n) { FK_EACH(a[i] * b[i]); }
FK_CLONES void fk_divide(const float *a, const float *b, float *out, size_t n) { FK_EACH(a[i] / b[i]); }
FK_CLONES void fk_sqrt(const float *x, float *out, size_t n) { FK_EACH(sqrtf(x[i])); }
FK_CLONES void fk_relu(const float *x, float *out, size_t n) { FK_EACH(x[i] < 0 ? 0 : x[i]); }
FK_CLONES void fk_step(const float *x, float *out, size_t n) { FK_EACH(x[i] > 0 ? 1.0f : 0.0f); }
FK_CLONES void fk_exp(const float *x, float *out, size_t n) { FK_EACH(fk_exp1(x[i])); }
FK_CLONES void fk_log(const float *x, float *out, size_t n) { FK_EACH(fk_log1(x[i])); }
FK_CLONES void fk_tanh(const float *x, float *out, size_t n) { FK_EACH(fk_tanh1(x[i])); }
FK_CLONES void fk_sigmoid(const float *x, float *out, size_t n) { FK_EACH(1.0f / (1.0f + fk_exp1(-x[i]))); }
FK_CLONES void fk_silu(const float *x, float *out, size_t n) { FK_EACH(x[i] / (1.0f + fk_exp1(-x[i]))); }
FK_CLONES void fk_gelu(const float *x, float *out, size_t n) {
    FK_EACH(0.5f * x[i] * (1.0f + fk_tanh1(0.7978845608f * (x[i] + 0.044715f * x[i] * x[i] * x[i]))));
}

FK_CLONES void fk_adam(float *p, float *m, float *v, const float *g, size_t n, float gradient_scale, float rate, float beta1,
                       float beta2, float eps, float decay, float correction1, float correction2) {
    float step = rate / correction1, scale = 1.0f / sqrtf(correction2);
    for (size_t i = 0; i < n; i++) {
        float gi = gradient_scale * g[i];
        float mi = beta1 * m[i] + (1.0f - beta1) * gi;
        float vi = beta2 * v[i] + (1.0f - beta2) * gi * gi;
        m[i] = mi;
        v[i] = vi;
        p[i] -= step * mi / (sqrtf(vi) * scale + eps) + rate * decay * p[i];
    }
}

void fk_adagrad_row(float *p, float *accumulator, const float *g, size_t n, float rate, float eps) {
    if (n == 0) return;
    *accumulator += fk_dot(g, g, n) / (float)n;
    fk_axpy(-rate / (sqrtf(*accumulator) + eps), g, p, n);
}
