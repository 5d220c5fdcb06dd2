// What an index of lists is made of. Private to this target.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <vector>

#include "block_kernels.h"
#include "include/vector_lists.h"

namespace freshet {

/// Bytes at an address that is a multiple of 64, filled with zeros.
class Storage {
  public:
    Storage() = default;
    explicit Storage(size_t bytes) : bytes_(bytes) {
        if (bytes == 0) return;
        // Lists lie anywhere in a large index: large pages spare the processor most look-ups of addresses.
        const size_t alignment = bytes >= 2 * large_page ? large_page : 64;
        const size_t size = (bytes + alignment - 1) / alignment * alignment;
        start_.reset(static_cast<uint8_t *>(std::aligned_alloc(alignment, size)));
        if (!start_) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
        if (alignment == large_page) madvise(start_.get(), size, MADV_HUGEPAGE);
#endif
        std::memset(start_.get(), 0, bytes);
    }
    uint8_t *data() const { return start_.get(); }
    size_t size() const { return bytes_; }

  private:
    static constexpr size_t large_page = 2 << 20;
    struct Free {
        void operator()(uint8_t *start) const { std::free(start); }
    };
    std::unique_ptr<uint8_t, Free> start_;
    size_t bytes_ = 0;
};

/// The bytes of one component: `value ≈ lowest + step · byte`.
struct Ranges {
    /// `[2 · dimension]`: the smallest values, then the steps. Empty where the codes are no bytes.
    std::vector<float> values;

    const float *lowest() const { return values.data(); }
    const float *step() const { return values.data() + values.size() / 2; }

    /// Covers every component of `[count, dimension]` floats.
    static Ranges covering(const float *vectors, size_t count, size_t dimension);

    uint8_t encoded(size_t component, float value) const {
        const float width = step()[component];
        if (!(width > 0)) return 0;
        const float place = (value - lowest()[component]) / width + 0.5f;
        return place <= 0 ? 0 : place >= 255 ? 255 : uint8_t(place);
    }
    float decoded(size_t component, uint8_t byte) const { return lowest()[component] + step()[component] * byte; }
};

/// A query as the byte kernels want it.
struct PreparedQuery {
    std::vector<int16_t> weights;
    std::vector<int8_t> high;
    std::vector<int8_t> low;
    float scale = 0;
    float offset = 0;

    void prepare(const float *query, size_t dimension, const Ranges &ranges);
    ByteQuery bytes() const { return {weights.data(), high.data(), low.data()}; }
};

inline size_t groups_of(size_t dimension) { return (dimension + 3) / 4; }
inline size_t blocks_of(size_t count) { return (count + block_rows - 1) / block_rows; }

/// Bytes that a block of sixteen vectors takes.
inline size_t block_bytes(int32_t code, size_t dimension) {
    switch (code) {
        case VECTOR_CODE_INT8: return groups_of(dimension) * 64;
        case VECTOR_CODE_BFLOAT16: return dimension * block_rows * 2;
        default: return dimension * block_rows * 4;
    }
}

/// Writes a vector into place `slot` of a run of blocks.
void write_code(
    int32_t code, const Ranges &ranges, const float *vector, size_t dimension, uint8_t *codes, size_t slot);

/// Calls `body(first, end)` for parts of `0..<count`, in several threads. The parts do not depend on the number of threads.
void in_parallel(size_t count, size_t part, int32_t threads, const std::function<void(size_t, size_t)> &body);

/// Centres of lists, as bytes in blocks; `columns` is their number filled up to a multiple of 64.
struct Centres {
    Ranges ranges;
    Storage codes;
    size_t lists = 0;
    size_t columns = 0;

    void encode(const float *centres, size_t lists, size_t dimension);
};

/// The list of each vector: the nearest of `centres` (`[lists, dimension]`), by distance.
void assign(
    const float *vectors, const int64_t *sample, size_t count, size_t dimension, const float *centres, size_t lists,
    int32_t threads, int32_t *nearest);

/// `[lists, dimension]` centres by k-means over a sample.
std::vector<float> train_centres(const float *vectors, size_t count, size_t dimension, const vector_lists_settings &settings);

}  // namespace freshet

struct vector_lists {
    int64_t count = 0;
    int32_t dimension = 0;
    int32_t code = VECTOR_CODE_INT8;
    freshet::Ranges ranges;
    freshet::Centres centres;
    std::vector<int32_t> list_counts;
    /// `[lists + 1]`: the first block of each list.
    std::vector<int64_t> starts;
    std::vector<int32_t> rows;
    freshet::Storage codes;
    /// The place of each row in `rows`, -1 where it has none.
    std::vector<int32_t> places;
    size_t longest = 0;

    /// Fills what follows from `list_counts`.
    void lay_out();
    /// Fills what follows from `rows`. False where a row is there twice or out of range.
    bool index_rows(int64_t largest_row);
};
