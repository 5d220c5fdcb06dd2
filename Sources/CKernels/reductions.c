#include "lanes.h"

// Macros rather than functions over f16: passing 64-byte vectors between functions has no stable ABI below AVX-512.
#define FK_FOLD(v, total)                                                                                                   \
    do {                                                                                                                    \
        f16 fk_v = (v);                                                                                                     \
        float fk_h[8];                                                                                                      \
        for (int fk_i = 0; fk_i < 8; fk_i++) fk_h[fk_i] = fk_v[fk_i] + fk_v[fk_i + 8];                                      \
        (total) = ((fk_h[0] + fk_h[4]) + (fk_h[2] + fk_h[6])) + ((fk_h[1] + fk_h[5]) + (fk_h[3] + fk_h[7]));                \
    } while (0)

// Four accumulators hide the latency of the additions.
#define FK_REDUCE(term, scalar)                                                                                             \
    f16 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                                                                             \
    size_t i = 0;                                                                                                           \
    for (; i + 64 <= n; i += 64) {                                                                                          \
        s0 += term(i);                                                                                                      \
        s1 += term(i + 16);                                                                                                 \
        s2 += term(i + 32);                                                                                                 \
        s3 += term(i + 48);                                                                                                 \
    }                                                                                                                       \
    for (; i + 16 <= n; i += 16) s0 += term(i);                                                                             \
    float total;                                                                                                            \
    FK_FOLD((s0 + s1) + (s2 + s3), total);                                                                                  \
    for (; i < n; i++) total += scalar;                                                                                     \
    return total

FK_CLONES float fk_dot(const float *a, const float *b, size_t n) {
#define TERM(j) FK_LOAD(a + (j)) * FK_LOAD(b + (j))
    FK_REDUCE(TERM, a[i] * b[i]);
#undef TERM
}

FK_CLONES float fk_sum(const float *x, size_t n) {
#define TERM(j) FK_LOAD(x + (j))
    FK_REDUCE(TERM, x[i]);
#undef TERM
}

FK_CLONES float fk_squared_distance(const float *a, const float *b, size_t n) {
#define TERM(j) (FK_LOAD(a + (j)) - FK_LOAD(b + (j))) * (FK_LOAD(a + (j)) - FK_LOAD(b + (j)))
    FK_REDUCE(TERM, (a[i] - b[i]) * (a[i] - b[i]));
#undef TERM
}

FK_CLONES float fk_max(const float *x, size_t n) {
    f16 m0 = FK_SPLAT(-INFINITY), m1 = m0;
    i16 undefined = {0};
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        f16 a = FK_LOAD(x + i), b = FK_LOAD(x + i + 16);
        m0 = FK_SELECT(a > m0, a, m0);
        m1 = FK_SELECT(b > m1, b, m1);
        // Only NaN differs from itself.
        undefined |= (a != a) | (b != b);
    }
    float best = -INFINITY;
    int32_t any = 0;
    for (int j = 0; j < 16; j++) {
        if (m0[j] > best) best = m0[j];
        if (m1[j] > best) best = m1[j];
        any |= undefined[j];
    }
    for (; i < n; i++) {
        if (x[i] > best) best = x[i];
        any |= x[i] != x[i];
    }
    return any ? NAN : best;
}

FK_CLONES size_t fk_next_above(const float *x, size_t from, size_t n, float threshold) {
    size_t i = from;
    for (; i + 64 <= n; i += 64) {
        f16 t = FK_SPLAT(threshold);
        i16 hit = (FK_LOAD(x + i) > t) | (FK_LOAD(x + i + 16) > t) | (FK_LOAD(x + i + 32) > t) | (FK_LOAD(x + i + 48) > t);
        int32_t any = 0;
        for (int j = 0; j < 16; j++) any |= hit[j];
        if (any) break;
    }
    while (i < n && !(x[i] > threshold)) i++;
    return i;
}
