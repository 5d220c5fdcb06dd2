// The inner product that the graph spends its time in. Private to this target.
#pragma once

#include <cstddef>

namespace freshet {

/// Picks AVX-512, AVX2 with FMA or the baseline at run time, because libfaiss itself is built for the baseline.
float inner_product(const float *left, const float *right, size_t dimension);

/// `scores[i] = <query, vectors[i]>`, with one run-time choice for the whole scan.
void inner_products(const float *vectors, size_t count, size_t dimension, const float *query, float *scores);

}  // namespace freshet
