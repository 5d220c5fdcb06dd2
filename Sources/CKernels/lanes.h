// What the kernel files share: the attribute that compiles a function for several instruction sets, and 16-lane vectors.
#ifndef FRESHET_LANES_H
#define FRESHET_LANES_H

#include "CKernels.h"
#include <math.h>
#include <string.h>

// The micro-architecture levels rather than "avx2": level 3 is the first that has fused multiply-add.
#if defined(__x86_64__) && defined(__ELF__)
#define FK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FK_CLONES
#endif
#define FK_INLINE static inline __attribute__((always_inline))

// 16 floats, one AVX-512 register or two AVX registers or four SSE or NEON registers; loads need no alignment.
typedef float f16 __attribute__((vector_size(64)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef float f16u __attribute__((vector_size(64), aligned(4)));

#define FK_LOAD(p) (*(const f16u *)(p))
#define FK_STORE(p, v) (*(f16u *)(p) = (v))
#define FK_SPLAT(x) ((f16){0} + (x))
#define FK_SELECT(mask, a, b) ((f16)(((mask) & (i16)(a)) | (~(mask) & (i16)(b))))

// The sum of the lanes. A macro rather than a function over f16: passing 64-byte vectors between functions has no stable ABI below AVX-512.
#define FK_FOLD(v, total)                                                                                                   \
    do {                                                                                                                    \
        f16 fk_v = (v);                                                                                                     \
        float fk_h[8];                                                                                                      \
        for (int fk_i = 0; fk_i < 8; fk_i++) fk_h[fk_i] = fk_v[fk_i] + fk_v[fk_i + 8];                                      \
        (total) = ((fk_h[0] + fk_h[4]) + (fk_h[2] + fk_h[6])) + ((fk_h[1] + fk_h[5]) + (fk_h[3] + fk_h[7]));                \
    } while (0)

#endif
