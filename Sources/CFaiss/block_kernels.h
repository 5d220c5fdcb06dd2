// Scores of vectors that lie in blocks of sixteen, the form in which one query is compared with many at once. Private to
// this target.
//
// A block of bytes is `[groups][16 vectors][4 components]` (a group is four components; the last is filled up); a block of
// floats or of bfloat16 is `[dimension][16 vectors]`. So sixteen lanes hold sixteen vectors and no lanes are ever summed.
// A score is an `int32_t` whose order is that of the inner products: see `ordered`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace freshet {

constexpr size_t block_rows = 16;

/// The instructions of the byte kernels; all give the same sums, bit for bit.
enum class Instructions : int32_t { scalar = 0, avx2 = 1, vnni = 2 };

/// The best that the running processor has.
Instructions best_instructions();

/// A query against bytes: `sum = Σ weights[i] · byte[i]`, and the inner product is `offset + scale · sum`.
struct ByteQuery {
    /// `[4 · groups]`. `weights = 128 · high + low`.
    const int16_t *weights;
    const int8_t *high;
    const int8_t *low;
};

/// The largest weight for which no sum of `dimension` products leaves 31 bits.
inline int32_t largest_weight(size_t dimension) {
    const int64_t bound = INT32_MAX / (int64_t(dimension) * 255);
    return int32_t(bound < 16256 ? bound : 16256);
}

/// `sums[16 · blocks]` of `blocks` blocks of bytes.
void score_bytes(
    Instructions instructions, const uint8_t *codes, size_t blocks, size_t groups, const ByteQuery &query, int32_t *sums);

/// `keys[16 · blocks]`: ordered inner products with blocks of floats, or of bfloat16.
void score_floats(const float *codes, size_t blocks, size_t dimension, const float *query, int32_t *keys);
void score_bfloats(const uint16_t *codes, size_t blocks, size_t dimension, const float *query, int32_t *keys);
void score_bfloats_plainly(const uint16_t *codes, size_t blocks, size_t dimension, const float *query, int32_t *keys);

/// The places in `0..<count` whose key is at least `threshold`, ascending, into `places`. Returns how many.
size_t places_from(Instructions instructions, const int32_t *keys, size_t count, int32_t threshold, int32_t *places);

/// For each of `points` queries (`[points][4 · groups]` bytes with sign, `scales[points]`) the column with the largest
/// `scale · Σ query · byte + bias[column]`; the smallest one of several. `columns` is a multiple of 64; `bias` of a column
/// that is none is -infinity.
void nearest_columns(
    Instructions instructions, const uint8_t *codes, size_t columns, size_t groups, const float *bias, const int8_t *queries,
    const float *scales, size_t points, int32_t *nearest);

/// Maps a float to an integer with the same order, and back.
inline int32_t ordered(float value) {
    int32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}
inline float unordered(int32_t key) {
    const int32_t bits = key ^ ((key >> 31) & 0x7fffffff);
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

}  // namespace freshet
