// Numeric loops over Float32, compiled several times for several instruction sets and chosen at run time, and a pool of
// parked threads. No function allocates, except that the pool starts threads and that products keep memory for packing a thread.
// `n` may be 0 everywhere unless said otherwise.
// Inputs and outputs may be the same array, element for element; they must not overlap in another way.
#ifndef FRESHET_CKERNELS_H
#define FRESHET_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// Products on small tiles.
#include "RowProducts.h"
// Loops over the rows of a tile.
#include "TileRows.h"
// Loops over rows of embedding tables.
#include "EmbeddingRows.h"

// Reductions. Sums run in 64 lanes, so they differ from a left-to-right sum in the last bits.
float fk_dot(const float *a, const float *b, size_t n);
float fk_sum(const float *x, size_t n);
float fk_squared_distance(const float *a, const float *b, size_t n);
// The largest element; NaN where any element is NaN; -infinity where n = 0.
float fk_max(const float *x, size_t n);
// The first index >= from with x[index] > threshold, or n. NaN is never greater.
size_t fk_next_above(const float *x, size_t from, size_t n, float threshold);

// Elementwise: out[i] = ...
void fk_axpy(float alpha, const float *x, float *y, size_t n); // y += alpha x
void fk_scale(float alpha, const float *x, float *out, size_t n);
void fk_offset(float alpha, const float *x, float *out, size_t n); // alpha + x
void fk_add(const float *a, const float *b, float *out, size_t n);
void fk_subtract(const float *a, const float *b, float *out, size_t n);
void fk_multiply(const float *a, const float *b, float *out, size_t n);
void fk_divide(const float *a, const float *b, float *out, size_t n);
void fk_sqrt(const float *x, float *out, size_t n);
void fk_exp(const float *x, float *out, size_t n); // within 2 units in the last place; exact at 0 and the infinities
void fk_log(const float *x, float *out, size_t n);
void fk_relu(const float *x, float *out, size_t n); // NaN stays NaN
void fk_step(const float *x, float *out, size_t n); // 1 where x > 0, else 0
void fk_tanh(const float *x, float *out, size_t n);
void fk_sigmoid(const float *x, float *out, size_t n);
void fk_silu(const float *x, float *out, size_t n); // x sigmoid(x)
void fk_gelu(const float *x, float *out, size_t n); // the tanh form
void fk_gelu_erf(const float *x, float *out, size_t n); // x Phi(x), within 2e-7 (1 + |x|)

// Rows. n > 0.
float fk_log_sum_exp(const float *x, size_t n);
float fk_softmax(const float *x, float *out, size_t n); // returns log(sum(exp(x)))
// out = x / max(|x|, eps); returns 1 / max(|x|, eps).
float fk_l2_normalise(const float *x, float *out, size_t n, float eps);
// out = (x - mean) / sqrt(variance + eps) * gain + bias; gain and bias may be NULL. Returns 1 / sqrt(variance + eps).
float fk_layer_norm(const float *x, const float *gain, const float *bias, float *out, size_t n, float eps);

// Matrix products of our own, on one thread: c = alpha op(a) op(b) + beta c, row-major, where op transposes if asked and c is
// m by n. precision 0 multiplies float32 numbers, 1 rounds both operands to bfloat16 (to nearest, ties to even; subnormal numbers
// become zero) and adds in float32. Each sum runs over the inner side in order, whatever the other sides are. With beta 0 the old
// content of c does not matter. Returns 0, having done nothing, where the processor lacks the instructions or memory is out.
int32_t fk_product(int32_t precision, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, int32_t transpose_a,
                   const float *b, size_t ldb, int32_t transpose_b, float beta, float *c, size_t ldc);
// Whether the processor has what `fk_product` needs: AVX-512, and its bfloat16 instructions for precision 1.
int32_t fk_product_supported(int32_t precision);

// Whether products in bfloat16 take less time here than in float32. Intel's processors with AVX-512 multiply as many pairs of bfloat16 a
// cycle as of float32, and rounding comes on top.
int32_t fk_bfloat16_is_faster(void);
// Whether `fk_product` is there and the better choice than OpenBLAS for this shape.
int32_t fk_product_is_faster(int32_t precision, size_t m, size_t n, size_t k, int32_t transpose_b);

// Optimizer steps.
// correction1 = 1 - beta1^t, correction2 = 1 - beta2^t; decay is decoupled (AdamW): p -= rate * decay * p. The gradient is
// gradient_scale * g.
void fk_adam(float *p, float *m, float *v, const float *g, size_t n, float gradient_scale, float rate, float beta1, float beta2,
             float eps, float decay, float correction1, float correction2);
// Row-wise Adagrad: *accumulator += mean(g^2); p -= rate * g / (sqrt(*accumulator) + eps).
void fk_adagrad_row(float *p, float *accumulator, const float *g, size_t n, float rate, float eps);

// The instruction set that the running processor gets: "x86-64-v4", "x86-64-v3", "x86-64" or "arm64" or "generic".
const char *fk_instruction_set(void);

// The loops that OpenBLAS should use where it chose those of an old processor although this one can do more; NULL where its choice
// fits. Done once before main, where OPENBLAS_CORETYPE says nothing.
const char *fk_fitting_core(const char *chosen, const char *instruction_set, int has_bfloat16);

// The value of an environment variable, or NULL.
const char *fk_environment(const char *name);

// Lets the process keep up to `bytes` of freed memory instead of giving it back to the system at once. Only glibc listens.
void fk_keep_freed_memory(size_t bytes);

// Lets the allocator have at most `count` arenas. Only glibc listens.
void fk_limit_arenas(int count);

// Has blocks of `bytes` and more come from the system and go back to it when they are freed. Only glibc listens.
void fk_return_large_blocks(size_t bytes);

// Gives pages that hold nothing but freed memory back to the system.
void fk_return_freed_memory(void);

// Runs body(context, slot) once for every slot in 0..<slots and returns when all are done. The calling thread and parked
// workers take the slots in order; which thread runs which slot is not fixed. While the pool is busy with another call (or
// for a call from inside a body) all slots run on the calling thread: the same work with the same result.
void fk_pool_run(int32_t slots, void (*body)(void *context, int32_t slot), void *context);
enum { FK_POOL_LIMIT_THREADS = 256 };
// A process-wide number: how many slots numeric code uses when it is not told.
int32_t fk_default_threads(void);
void fk_set_default_threads(int32_t threads);

#endif
