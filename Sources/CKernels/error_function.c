#include "lanes.h"
#include "exponential.h"

// erf by the rational approximation 7.1.26 of Abramowitz and Stegun: within 1.5e-7 of the true value.
FK_INLINE float fk_erf1(float x) {
    float a = x < 0 ? -x : x;
    float t = 1.0f / (1.0f + 0.3275911f * a);
    float series = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    float e = 1.0f - series * fk_exp1(-a * a);
    return x < 0 ? -e : e;
}

FK_CLONES void fk_gelu_erf(const float *x, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = 0.5f * x[i] * (1.0f + fk_erf1(0.70710678f * x[i]));
}
