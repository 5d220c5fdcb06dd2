#include "block_kernels.h"

#include <limits>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#define FRESHET_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define FRESHET_AVX2 __attribute__((target("avx2")))
#define FRESHET_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#else
#define FRESHET_CLONES
#endif

namespace freshet {
namespace {

void score_bytes_plainly(const uint8_t *codes, size_t blocks, size_t groups, const int16_t *weights, int32_t *sums) {
    for (size_t block = 0; block < blocks; block++, codes += groups * 64, sums += block_rows) {
        for (size_t row = 0; row < block_rows; row++) {
            int32_t sum = 0;
            for (size_t group = 0; group < groups; group++) {
                for (size_t part = 0; part < 4; part++) {
                    sum += int32_t(weights[group * 4 + part]) * codes[group * 64 + row * 4 + part];
                }
            }
            sums[row] = sum;
        }
    }
}

#if defined(__x86_64__)

inline int32_t four(const int8_t *bytes) {
    int32_t value;
    std::memcpy(&value, bytes, 4);
    return value;
}

FRESHET_AVX2 void score_bytes_avx2(
    const uint8_t *codes, size_t blocks, size_t groups, const int16_t *weights, int32_t *sums) {
    const __m256i low_bytes = _mm256_set1_epi16(0x00ff);
    for (size_t block = 0; block < blocks; block++, codes += groups * 64, sums += block_rows) {
        __m256i first = _mm256_setzero_si256();
        __m256i second = _mm256_setzero_si256();
        for (size_t group = 0; group < groups; group++) {
            const int16_t *w = weights + group * 4;
            // Components 0 and 2 stand in the low bytes of 16-bit words, 1 and 3 in the high ones.
            const __m256i even = _mm256_set1_epi32((uint16_t)w[0] | (uint32_t)(uint16_t)w[2] << 16);
            const __m256i odd = _mm256_set1_epi32((uint16_t)w[1] | (uint32_t)(uint16_t)w[3] << 16);
            const __m256i a = _mm256_loadu_si256((const __m256i *)(codes + group * 64));
            const __m256i b = _mm256_loadu_si256((const __m256i *)(codes + group * 64 + 32));
            first = _mm256_add_epi32(first, _mm256_madd_epi16(_mm256_and_si256(a, low_bytes), even));
            first = _mm256_add_epi32(first, _mm256_madd_epi16(_mm256_srli_epi16(a, 8), odd));
            second = _mm256_add_epi32(second, _mm256_madd_epi16(_mm256_and_si256(b, low_bytes), even));
            second = _mm256_add_epi32(second, _mm256_madd_epi16(_mm256_srli_epi16(b, 8), odd));
        }
        _mm256_storeu_si256((__m256i *)sums, first);
        _mm256_storeu_si256((__m256i *)(sums + 8), second);
    }
}

FRESHET_VNNI void score_bytes_vnni(
    const uint8_t *codes, size_t blocks, size_t groups, const int8_t *high, const int8_t *low, int32_t *sums) {
    const size_t stride = groups * 64;
    size_t block = 0;
    // Four blocks share the loads of the query; eight sums hide the latency of the products.
    for (; block + 4 <= blocks; block += 4, codes += 4 * stride, sums += 64) {
        __m512i h0 = _mm512_setzero_si512(), h1 = h0, h2 = h0, h3 = h0, l0 = h0, l1 = h0, l2 = h0, l3 = h0;
        const uint8_t *code = codes;
        for (size_t group = 0; group < groups; group++, code += 64) {
            const __m512i qh = _mm512_set1_epi32(four(high + group * 4));
            const __m512i ql = _mm512_set1_epi32(four(low + group * 4));
            const __m512i c0 = _mm512_loadu_si512(code), c1 = _mm512_loadu_si512(code + stride);
            const __m512i c2 = _mm512_loadu_si512(code + 2 * stride), c3 = _mm512_loadu_si512(code + 3 * stride);
            h0 = _mm512_dpbusd_epi32(h0, c0, qh);
            l0 = _mm512_dpbusd_epi32(l0, c0, ql);
            h1 = _mm512_dpbusd_epi32(h1, c1, qh);
            l1 = _mm512_dpbusd_epi32(l1, c1, ql);
            h2 = _mm512_dpbusd_epi32(h2, c2, qh);
            l2 = _mm512_dpbusd_epi32(l2, c2, ql);
            h3 = _mm512_dpbusd_epi32(h3, c3, qh);
            l3 = _mm512_dpbusd_epi32(l3, c3, ql);
        }
        _mm512_storeu_si512(sums, _mm512_add_epi32(_mm512_slli_epi32(h0, 7), l0));
        _mm512_storeu_si512(sums + 16, _mm512_add_epi32(_mm512_slli_epi32(h1, 7), l1));
        _mm512_storeu_si512(sums + 32, _mm512_add_epi32(_mm512_slli_epi32(h2, 7), l2));
        _mm512_storeu_si512(sums + 48, _mm512_add_epi32(_mm512_slli_epi32(h3, 7), l3));
    }
    for (; block < blocks; block++, codes += stride, sums += 16) {
        __m512i h0 = _mm512_setzero_si512(), h1 = h0, l0 = h0, l1 = h0;
        size_t group = 0;
        for (; group + 2 <= groups; group += 2) {
            const __m512i c0 = _mm512_loadu_si512(codes + group * 64), c1 = _mm512_loadu_si512(codes + group * 64 + 64);
            h0 = _mm512_dpbusd_epi32(h0, c0, _mm512_set1_epi32(four(high + group * 4)));
            l0 = _mm512_dpbusd_epi32(l0, c0, _mm512_set1_epi32(four(low + group * 4)));
            h1 = _mm512_dpbusd_epi32(h1, c1, _mm512_set1_epi32(four(high + group * 4 + 4)));
            l1 = _mm512_dpbusd_epi32(l1, c1, _mm512_set1_epi32(four(low + group * 4 + 4)));
        }
        if (group < groups) {
            const __m512i c0 = _mm512_loadu_si512(codes + group * 64);
            h0 = _mm512_dpbusd_epi32(h0, c0, _mm512_set1_epi32(four(high + group * 4)));
            l0 = _mm512_dpbusd_epi32(l0, c0, _mm512_set1_epi32(four(low + group * 4)));
        }
        const __m512i high_sum = _mm512_slli_epi32(_mm512_add_epi32(h0, h1), 7);
        _mm512_storeu_si512(sums, _mm512_add_epi32(high_sum, _mm512_add_epi32(l0, l1)));
    }
}

FRESHET_VNNI size_t places_from_vnni(const int32_t *keys, size_t count, int32_t threshold, int32_t *places) {
    const __m512i limit = _mm512_set1_epi32(threshold);
    const __m512i step = _mm512_set1_epi32(16);
    __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t found = 0;
    size_t place = 0;
    for (; place + 16 <= count; place += 16) {
        const __mmask16 mask = _mm512_cmpge_epi32_mask(_mm512_loadu_si512(keys + place), limit);
        if (mask) {
            _mm512_storeu_si512(places + found, _mm512_maskz_compress_epi32(mask, lanes));
            found += __builtin_popcount(mask);
        }
        lanes = _mm512_add_epi32(lanes, step);
    }
    for (; place < count; place++) {
        if (keys[place] >= threshold) places[found++] = int32_t(place);
    }
    return found;
}

/// Four queries against all columns, sixteen running sums at a time.
FRESHET_VNNI void nearest_columns_vnni(
    const uint8_t *codes, size_t columns, size_t groups, const float *bias, const int8_t *queries, const float *scales,
    int32_t *nearest) {
    const size_t stride = groups * 64;
    const size_t length = groups * 4;
    __m512 best[4];
    __m512i where[4];
    for (int q = 0; q < 4; q++) {
        best[q] = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
        where[q] = _mm512_setzero_si512();
    }
    for (size_t block = 0; block < columns / block_rows; block += 4) {
        const uint8_t *code = codes + block * stride;
        __m512i s00 = _mm512_setzero_si512(), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00,
                s20 = s00, s21 = s00, s22 = s00, s23 = s00, s30 = s00, s31 = s00, s32 = s00, s33 = s00;
        for (size_t group = 0; group < groups; group++, code += 64) {
            const __m512i c0 = _mm512_loadu_si512(code), c1 = _mm512_loadu_si512(code + stride);
            const __m512i c2 = _mm512_loadu_si512(code + 2 * stride), c3 = _mm512_loadu_si512(code + 3 * stride);
            const int8_t *query = queries + group * 4;
            const __m512i q0 = _mm512_set1_epi32(four(query)), q1 = _mm512_set1_epi32(four(query + length));
            const __m512i q2 = _mm512_set1_epi32(four(query + 2 * length)), q3 = _mm512_set1_epi32(four(query + 3 * length));
            s00 = _mm512_dpbusd_epi32(s00, c0, q0), s01 = _mm512_dpbusd_epi32(s01, c1, q0);
            s02 = _mm512_dpbusd_epi32(s02, c2, q0), s03 = _mm512_dpbusd_epi32(s03, c3, q0);
            s10 = _mm512_dpbusd_epi32(s10, c0, q1), s11 = _mm512_dpbusd_epi32(s11, c1, q1);
            s12 = _mm512_dpbusd_epi32(s12, c2, q1), s13 = _mm512_dpbusd_epi32(s13, c3, q1);
            s20 = _mm512_dpbusd_epi32(s20, c0, q2), s21 = _mm512_dpbusd_epi32(s21, c1, q2);
            s22 = _mm512_dpbusd_epi32(s22, c2, q2), s23 = _mm512_dpbusd_epi32(s23, c3, q2);
            s30 = _mm512_dpbusd_epi32(s30, c0, q3), s31 = _mm512_dpbusd_epi32(s31, c1, q3);
            s32 = _mm512_dpbusd_epi32(s32, c2, q3), s33 = _mm512_dpbusd_epi32(s33, c3, q3);
        }
        const __m512i sums[4][4] = {{s00, s01, s02, s03}, {s10, s11, s12, s13}, {s20, s21, s22, s23}, {s30, s31, s32, s33}};
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) {
            const __m512 scale = _mm512_set1_ps(scales[q]);
#pragma clang loop unroll(full)
            for (int part = 0; part < 4; part++) {
                const __m512 score = _mm512_fmadd_ps(
                    _mm512_cvtepi32_ps(sums[q][part]), scale, _mm512_loadu_ps(bias + (block + part) * block_rows));
                const __mmask16 better = _mm512_cmp_ps_mask(score, best[q], _CMP_GT_OQ);
                best[q] = _mm512_mask_mov_ps(best[q], better, score);
                where[q] = _mm512_mask_mov_epi32(where[q], better, _mm512_set1_epi32(int32_t(block) + part));
            }
        }
    }
    for (int q = 0; q < 4; q++) {
        float scores[16];
        int32_t blocks[16];
        _mm512_storeu_ps(scores, best[q]);
        _mm512_storeu_si512(blocks, where[q]);
        int32_t column = blocks[0] * 16;
        float top = scores[0];
        for (int lane = 1; lane < 16; lane++) {
            const int32_t other = blocks[lane] * 16 + lane;
            if (scores[lane] > top || (scores[lane] == top && other < column)) top = scores[lane], column = other;
        }
        nearest[q] = column;
    }
}

#endif

typedef float lanes __attribute__((vector_size(64)));
typedef float stored_lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t numbers __attribute__((vector_size(64)));
typedef uint32_t words __attribute__((vector_size(64)));
typedef int32_t stored_numbers __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t halves __attribute__((vector_size(32)));
typedef uint16_t stored_halves __attribute__((vector_size(32), aligned(2), may_alias));

__attribute__((always_inline)) inline void store_ordered(const lanes &sum, int32_t *keys) {
    const numbers bits = (numbers)sum;
    *reinterpret_cast<stored_numbers *>(keys) = bits ^ ((bits >> 31) & 0x7fffffff);
}

// Adds `factor` times sixteen codes.
__attribute__((always_inline)) inline void add(lanes &sum, const float *codes, float factor) {
    sum += *reinterpret_cast<const stored_lanes *>(codes) * factor;
}
__attribute__((always_inline)) inline void add(lanes &sum, const uint16_t *codes, float factor) {
    const halves stored = *reinterpret_cast<const stored_halves *>(codes);
    sum += (lanes)(__builtin_convertvector(stored, words) << 16) * factor;
}

template <typename Code>
__attribute__((always_inline)) inline void score_lanes(
    const Code *codes, size_t blocks, size_t dimension, const float *query, int32_t *keys) {
    const size_t stride = dimension * block_rows;
    size_t block = 0;
    for (; block + 4 <= blocks; block += 4, codes += 4 * stride, keys += 64) {
        lanes a = {}, b = {}, c = {}, d = {};
        for (size_t i = 0; i < dimension; i++) {
            const float q = query[i];
            const Code *code = codes + i * block_rows;
            add(a, code, q);
            add(b, code + stride, q);
            add(c, code + 2 * stride, q);
            add(d, code + 3 * stride, q);
        }
        store_ordered(a, keys);
        store_ordered(b, keys + 16);
        store_ordered(c, keys + 32);
        store_ordered(d, keys + 48);
    }
    for (; block < blocks; block++, codes += stride, keys += 16) {
        lanes a = {}, b = {};
        size_t i = 0;
        for (; i + 2 <= dimension; i += 2) {
            add(a, codes + i * block_rows, query[i]);
            add(b, codes + (i + 1) * block_rows, query[i + 1]);
        }
        if (i < dimension) add(a, codes + i * block_rows, query[i]);
        a += b;
        store_ordered(a, keys);
    }
}

}  // namespace

Instructions best_instructions() {
#if defined(__x86_64__)
    static const Instructions best = [] {
        if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl")) {
            return Instructions::vnni;
        }
        return __builtin_cpu_supports("avx2") ? Instructions::avx2 : Instructions::scalar;
    }();
    return best;
#else
    return Instructions::scalar;
#endif
}

void score_bytes(
    Instructions instructions, const uint8_t *codes, size_t blocks, size_t groups, const ByteQuery &query, int32_t *sums) {
#if defined(__x86_64__)
    if (instructions == Instructions::vnni) return score_bytes_vnni(codes, blocks, groups, query.high, query.low, sums);
    if (instructions == Instructions::avx2) return score_bytes_avx2(codes, blocks, groups, query.weights, sums);
#endif
    score_bytes_plainly(codes, blocks, groups, query.weights, sums);
}

size_t places_from(Instructions instructions, const int32_t *keys, size_t count, int32_t threshold, int32_t *places) {
#if defined(__x86_64__)
    if (instructions == Instructions::vnni) return places_from_vnni(keys, count, threshold, places);
#endif
    size_t found = 0;
    for (size_t place = 0; place < count; place++) {
        places[found] = int32_t(place);
        found += keys[place] >= threshold;
    }
    return found;
}

void nearest_columns(
    Instructions instructions, const uint8_t *codes, size_t columns, size_t groups, const float *bias, const int8_t *queries,
    const float *scales, size_t points, int32_t *nearest) {
    size_t point = 0;
#if defined(__x86_64__)
    if (instructions == Instructions::vnni) {
        for (; point + 4 <= points; point += 4) {
            nearest_columns_vnni(
                codes, columns, groups, bias, queries + point * groups * 4, scales + point, nearest + point);
        }
    }
#endif
    const size_t length = groups * 4;
    std::vector<int16_t> weights(length);
    int32_t sums[64];
    for (; point < points; point++) {
        const int8_t *query = queries + point * length;
        for (size_t i = 0; i < length; i++) weights[i] = query[i];
        float best = -std::numeric_limits<float>::infinity();
        nearest[point] = 0;
        for (size_t column = 0; column < columns; column += 64) {
            const uint8_t *code = codes + column * length;
            // Eight-bit weights are all low ones.
            const ByteQuery bytes{weights.data(), nullptr, query};
            const Instructions wide = instructions == Instructions::scalar ? instructions : Instructions::avx2;
            score_bytes(wide, code, 4, groups, bytes, sums);
            for (size_t place = 0; place < 64; place++) {
                const float score = float(double(scales[point]) * float(sums[place]) + bias[column + place]);
                if (score > best) best = score, nearest[point] = int32_t(column + place);
            }
        }
    }
}

FRESHET_CLONES void score_floats(const float *codes, size_t blocks, size_t dimension, const float *query, int32_t *keys) {
    score_lanes(codes, blocks, dimension, query, keys);
}

FRESHET_CLONES void score_bfloats(
    const uint16_t *codes, size_t blocks, size_t dimension, const float *query, int32_t *keys) {
    score_lanes(codes, blocks, dimension, query, keys);
}

void score_bfloats_plainly(const uint16_t *codes, size_t blocks, size_t dimension, const float *query, int32_t *keys) {
    for (size_t row = 0; row < blocks * block_rows; row++) {
        const uint16_t *code = codes + row / block_rows * dimension * block_rows + row % block_rows;
        double sum = 0;
        for (size_t i = 0; i < dimension; i++) {
            const uint32_t bits = uint32_t(code[i * block_rows]) << 16;
            float value;
            std::memcpy(&value, &bits, 4);
            sum += double(value) * query[i];
        }
        keys[row] = ordered(float(sum));
    }
}

}  // namespace freshet
