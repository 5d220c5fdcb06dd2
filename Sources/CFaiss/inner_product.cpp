#include "inner_product.h"

#if defined(__x86_64__)
#define FRESHET_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FRESHET_CLONES
#endif

namespace freshet {
namespace {

typedef float lanes __attribute__((vector_size(64)));
// The same lanes wherever they stand in memory.
typedef float stored_lanes __attribute__((vector_size(64), aligned(4), may_alias));

__attribute__((always_inline)) inline float product(const float *left, const float *right, size_t dimension) {
    // Two accumulators, so that one addition need not wait for the other.
    lanes first = {};
    lanes second = {};
    size_t i = 0;
    for (; i + 32 <= dimension; i += 32) {
        first += *reinterpret_cast<const stored_lanes *>(left + i) *
            *reinterpret_cast<const stored_lanes *>(right + i);
        second += *reinterpret_cast<const stored_lanes *>(left + i + 16) *
            *reinterpret_cast<const stored_lanes *>(right + i + 16);
    }
    lanes sums = first + second;
    float sum = 0;
    for (int lane = 0; lane < 16; lane++) sum += sums[lane];
    for (; i < dimension; i++) sum += left[i] * right[i];
    return sum;
}

}  // namespace

FRESHET_CLONES float inner_product(const float *left, const float *right, size_t dimension) {
    return product(left, right, dimension);
}

FRESHET_CLONES void inner_products(
    const float *vectors, size_t count, size_t dimension, const float *query, float *scores) {
    for (size_t row = 0; row < count; row++) scores[row] = product(vectors + row * dimension, query, dimension);
}

}  // namespace freshet
