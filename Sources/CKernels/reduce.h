// Sums over a row in 16 lanes, for functions over one row and for loops over many: the same terms in the same order in both.
#ifndef FRESHET_REDUCE_H
#define FRESHET_REDUCE_H

#include "lanes.h"

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

// The sum of a b.
FK_INLINE float fk_dot1(const float *a, const float *b, size_t n) {
#define TERM(j) FK_LOAD(a + (j)) * FK_LOAD(b + (j))
    FK_REDUCE(TERM, a[i] * b[i]);
#undef TERM
}

#endif
