#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <thread>

#include "list_storage.h"

namespace freshet {

void in_parallel(size_t count, size_t part, int32_t threads, const std::function<void(size_t, size_t)> &body) {
    const size_t parts = (count + part - 1) / part;
    std::atomic<size_t> next{0};
    std::atomic<bool> failed{false};
    const auto work = [&] {
        try {
            for (size_t i = next++; i < parts && !failed; i = next++) body(i * part, std::min(count, (i + 1) * part));
        } catch (...) {
            failed = true;
        }
    };
    std::vector<std::thread> others;
    for (int32_t i = 1; i < threads && size_t(i) < parts; i++) {
        // A thread that cannot be had only makes it slower.
        try {
            others.emplace_back(work);
        } catch (const std::exception &) {
            break;
        }
    }
    work();
    for (auto &other : others) other.join();
    if (failed) throw std::bad_alloc();
}

Ranges Ranges::covering(const float *vectors, size_t count, size_t dimension) {
    std::vector<float> lowest(dimension, std::numeric_limits<float>::infinity());
    std::vector<float> highest(dimension, -std::numeric_limits<float>::infinity());
    for (size_t row = 0; row < count; row++) {
        const float *vector = vectors + row * dimension;
        for (size_t i = 0; i < dimension; i++) {
            lowest[i] = std::min(lowest[i], vector[i]);
            highest[i] = std::max(highest[i], vector[i]);
        }
    }
    Ranges ranges;
    ranges.values.resize(2 * dimension);
    for (size_t i = 0; i < dimension; i++) {
        if (count == 0) lowest[i] = highest[i] = 0;
        // In halves, so that the width of finite values is finite.
        ranges.values[i] = lowest[i];
        ranges.values[dimension + i] = (highest[i] / 2 - lowest[i] / 2) / 127.5f;
    }
    return ranges;
}

void PreparedQuery::prepare(const float *query, size_t dimension, const Ranges &ranges) {
    const size_t length = groups_of(dimension) * 4;
    weights.assign(length, 0);
    high.assign(length, 0);
    low.assign(length, 0);
    double constant = 0;
    float largest = 0;
    for (size_t i = 0; i < dimension; i++) {
        constant += double(query[i]) * ranges.lowest()[i];
        largest = std::max(largest, std::fabs(query[i] * ranges.step()[i]));
    }
    offset = float(constant);
    const int32_t most = largest_weight(dimension);
    scale = largest > 0 && std::isfinite(largest) ? largest / float(most) : 0;
    if (!(scale > 0)) {
        scale = 0;
        return;
    }
    for (size_t i = 0; i < dimension; i++) {
        const float exact = query[i] * ranges.step()[i] / scale;
        const int32_t weight = std::clamp(int32_t(std::lrint(exact)), -most, most);
        weights[i] = int16_t(weight);
        // Rounded to the nearest, so that the rest fits into a byte with sign.
        const int32_t upper = (weight + 64) >> 7;
        high[i] = int8_t(upper);
        low[i] = int8_t(weight - upper * 128);
    }
}

void write_code(int32_t code, const Ranges &ranges, const float *vector, size_t dimension, uint8_t *codes, size_t slot) {
    const size_t lane = slot % block_rows;
    uint8_t *block = codes + slot / block_rows * block_bytes(code, dimension);
    switch (code) {
        case VECTOR_CODE_INT8:
            for (size_t i = 0; i < dimension; i++) block[i / 4 * 64 + lane * 4 + i % 4] = ranges.encoded(i, vector[i]);
            break;
        case VECTOR_CODE_BFLOAT16:
            for (size_t i = 0; i < dimension; i++) {
                uint32_t bits;
                std::memcpy(&bits, vector + i, 4);
                // To the nearest, halves to even; a finite value that would become infinite is cut instead.
                uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
                if ((rounded & 0x7f80) == 0x7f80) rounded = bits >> 16;
                const uint16_t half = uint16_t(rounded);
                std::memcpy(block + (i * block_rows + lane) * 2, &half, 2);
            }
            break;
        default:
            for (size_t i = 0; i < dimension; i++) std::memcpy(block + (i * block_rows + lane) * 4, vector + i, 4);
    }
}

void Centres::encode(const float *vectors, size_t count, size_t dimension) {
    lists = count;
    columns = (count + 63) / 64 * 64;
    ranges = Ranges::covering(vectors, count, dimension);
    codes = Storage(columns / block_rows * groups_of(dimension) * 64);
    for (size_t list = 0; list < count; list++) {
        write_code(VECTOR_CODE_INT8, ranges, vectors + list * dimension, dimension, codes.data(), list);
    }
}

void assign(
    const float *vectors, const int64_t *sample, size_t count, size_t dimension, const float *centres, size_t lists,
    int32_t threads, int32_t *nearest) {
    Centres coded;
    coded.encode(centres, lists, dimension);
    // |x - c|² is smallest where x·c - |c|²/2 is largest.
    std::vector<float> bias(coded.columns, -std::numeric_limits<float>::infinity());
    for (size_t list = 0; list < lists; list++) {
        double square = 0;
        for (size_t i = 0; i < dimension; i++) square += double(centres[list * dimension + i]) * centres[list * dimension + i];
        bias[list] = float(-square / 2);
    }
    const size_t groups = groups_of(dimension);
    const size_t length = groups * 4;
    constexpr size_t part = 1024;
    in_parallel(count, part, threads, [&](size_t first, size_t end) {
        std::vector<int8_t> queries((end - first) * length, 0);
        std::vector<float> scales(end - first, 0);
        for (size_t point = first; point < end; point++) {
            const float *vector = vectors + size_t(sample ? sample[point] : int64_t(point)) * dimension;
            float largest = 0;
            for (size_t i = 0; i < dimension; i++) largest = std::max(largest, std::fabs(vector[i] * coded.ranges.step()[i]));
            if (!(largest > 0)) continue;
            const float inverse = 127 / largest;
            scales[point - first] = largest / 127;
            int8_t *query = queries.data() + (point - first) * length;
            for (size_t i = 0; i < dimension; i++) {
                query[i] = int8_t(std::clamp(int(std::lrint(vector[i] * coded.ranges.step()[i] * inverse)), -127, 127));
            }
        }
        nearest_columns(
            best_instructions(), coded.codes.data(), coded.columns, groups, bias.data(), queries.data(), scales.data(),
            end - first, nearest + first);
    });
}

namespace {

/// Steele, Lea and Flood 2014.
struct SplitMix {
    uint64_t state;
    uint64_t next() {
        uint64_t z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
};

}  // namespace

std::vector<float> train_centres(
    const float *vectors, size_t count, size_t dimension, const vector_lists_settings &settings) {
    const size_t lists = settings.lists;
    SplitMix random{settings.seed};
    // The first places of a shuffle.
    const size_t size = std::min(count, lists * size_t(std::max(settings.sample_per_list, 1)));
    std::vector<int64_t> sample(count);
    std::iota(sample.begin(), sample.end(), 0);
    for (size_t i = 0; i < size; i++) std::swap(sample[i], sample[i + random.next() % (count - i)]);
    sample.resize(size);

    std::vector<float> centres(lists * dimension);
    for (size_t list = 0; list < lists; list++) {
        std::copy_n(vectors + sample[list] * dimension, dimension, centres.data() + list * dimension);
    }
    std::sort(sample.begin(), sample.end());
    std::vector<int32_t> nearest(size);
    std::vector<double> sums(lists * dimension);
    std::vector<int64_t> members(lists);
    for (int32_t round = 0; round < settings.rounds; round++) {
        assign(vectors, sample.data(), size, dimension, centres.data(), lists, settings.threads, nearest.data());
        std::fill(sums.begin(), sums.end(), 0);
        std::fill(members.begin(), members.end(), 0);
        for (size_t point = 0; point < size; point++) {
            double *sum = sums.data() + size_t(nearest[point]) * dimension;
            const float *vector = vectors + sample[point] * dimension;
            for (size_t i = 0; i < dimension; i++) sum[i] += vector[i];
            members[nearest[point]]++;
        }
        for (size_t list = 0; list < lists; list++) {
            if (members[list] == 0) continue;
            for (size_t i = 0; i < dimension; i++) {
                centres[list * dimension + i] = float(sums[list * dimension + i] / double(members[list]));
            }
        }
        // A list without members takes half of the largest one.
        for (size_t list = 0; list < lists; list++) {
            if (members[list] > 0) continue;
            const size_t largest = std::max_element(members.begin(), members.end()) - members.begin();
            if (members[largest] < 2) break;
            for (size_t i = 0; i < dimension; i++) {
                float &whole = centres[largest * dimension + i];
                centres[list * dimension + i] = whole * (i % 2 == 0 ? 1.01f : 0.99f);
                whole *= i % 2 == 0 ? 0.99f : 1.01f;
            }
            members[list] = members[largest] / 2;
            members[largest] -= members[list];
        }
    }
    return centres;
}

}  // namespace freshet
