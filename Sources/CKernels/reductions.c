#include "reduce.h"

FK_CLONES float fk_dot(const float *a, const float *b, size_t n) { return fk_dot1(a, b, n); }

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
