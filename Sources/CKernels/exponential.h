// exp, log and tanh of one number without branches or calls, so that loops over them become SIMD.
#ifndef FRESHET_EXPONENTIAL_H
#define FRESHET_EXPONENTIAL_H

#include "lanes.h"

// exp(x) = 2^n e^r with n = round(x / ln 2) and |r| <= ln 2 / 2; e^r by a polynomial of degree 6.
FK_INLINE float fk_exp1(float x) {
    // NaN fails both comparisons and passes through.
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits of the sum.
    const float magic = 12582912.0f;
    float shifted = x * 1.44269504f + magic;
    float n = shifted - magic;
    uint32_t bits;
    memcpy(&bits, &shifted, 4);
    int32_t k = (int32_t)(bits - 0x4B400000u);
    // ln 2 in two parts, the first short enough that n times it is exact.
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    // Two factors, because 2^128 and 2^-149 are no normal numbers.
    int32_t half = k >> 1;
    uint32_t first = (uint32_t)(half + 127) << 23, second = (uint32_t)(k - half + 127) << 23;
    float a, b;
    memcpy(&a, &first, 4);
    memcpy(&b, &second, 4);
    return p * a * b;
}

// tanh by its odd polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel, and by that formula elsewhere.
FK_INLINE float fk_tanh1(float x) {
    float s = x * x;
    float p = -5.70498872745e-3f;
    p = p * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    float near = p * s * x + x;
    float far = 1.0f - 2.0f / (fk_exp1(2.0f * x) + 1.0f);
    return s < 0.390625f ? near : far;
}

// x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m by a polynomial in m - 1.
FK_INLINE float fk_log1(float x) {
    // Subnormal numbers are lifted into the normal range first.
    float lifted = x < 1.17549435e-38f ? x * 8388608.0f : x;
    float offset = x < 1.17549435e-38f ? -23.0f : 0.0f;
    int32_t bits;
    memcpy(&bits, &lifted, 4);
    int32_t shifted = bits - 0x3F3504F3;
    int32_t mantissa = (shifted & 0x007FFFFF) + 0x3F3504F3;
    float e = (float)(shifted >> 23) + offset, m;
    memcpy(&m, &mantissa, 4);
    float f = m - 1.0f, z = f * f;
    float p = 7.0376836292e-2f;
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    float r = p * f * z - 2.12194440e-4f * e - 0.5f * z + f + 0.693359375f * e;
    r = x == 0 ? -INFINITY : r;
    r = x == INFINITY ? INFINITY : r;
    // Not a number and everything below zero.
    return x >= 0 ? r : NAN;
}

#endif
