// The exponential for the inside of losses, attention and activations, in 16 lanes.
#ifndef FRESHET_FAST_EXPONENTIAL_H
#define FRESHET_FAST_EXPONENTIAL_H

#include "lanes.h"

// e^x of 16 numbers at once, for the inside of losses and attention: relative error below 4e-7, 0 below -87, infinity above 88.4,
// NaN stays NaN. About half the work of `fk_exp1`, which is within 2 units in the last place and has gradual underflow.
#define FK_FAST_EXP(v, out)                                                                                                 \
    do {                                                                                                                    \
        f16 fk_x = (v);                                                                                                     \
        i16 fk_low = fk_x < -87.0f, fk_high = fk_x > 89.0f;                                                                 \
        fk_x = FK_SELECT(fk_high, FK_SPLAT(89.0f), fk_x);                                                                   \
        /* 1.5 * 2^23 + 127: the low bits of the sum are the exponent of 2^n, ready to be moved to their place. */          \
        f16 fk_sum = fk_x * 1.44269504f + 12583039.0f, fk_n = fk_sum - 12583039.0f;                                         \
        /* ln 2 in two parts, the first short enough that n times it is exact, with or without fused multiply-add. */       \
        f16 fk_r = fk_x - fk_n * 0.693359375f;                                                                              \
        fk_r = fk_r - fk_n * -2.12194440e-4f;                                                                               \
        i16 fk_power = (i16)fk_sum << 23;                                                                                   \
        /* e^r for |r| <= ln 2 / 2: the polynomial of degree 5 with the smallest relative error, but 1 at 0. */             \
        f16 fk_p = fk_r * 0x1.0fe5c6p-7f + 0x1.575eeep-5f;                                                                  \
        fk_p = fk_p * fk_r + 0x1.555a18p-3f;                                                                                \
        fk_p = fk_p * fk_r + 0x1.fffd1ap-2f;                                                                                \
        fk_p = fk_p * fk_r + 0x1.fffff6p-1f;                                                                                \
        fk_p = fk_p * fk_r + 1.0f;                                                                                          \
        (out) = (f16)(~fk_low & (i16)(fk_p * (f16)fk_power));                                                               \
    } while (0)

// The last, incomplete group of a row goes through the same lanes: `left` numbers, the others `fill`.
#define FK_LOAD_LEFT(p, left, fill, out)                                                                                    \
    do {                                                                                                                    \
        (out) = FK_SPLAT(fill);                                                                                             \
        memcpy(&(out), (p), (left) * sizeof(float));                                                                        \
    } while (0)

#endif
