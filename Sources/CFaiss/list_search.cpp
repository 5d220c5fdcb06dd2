#include <algorithm>
#include <limits>

#include "guarded.h"
#include "list_storage.h"

using freshet::block_rows;

namespace {

/// The best few of many: keys are kept until there are too many, then the worse part is thrown away.
///
/// A key is (ordered score, turned row), so that equal scores are ordered by row and no two keys are equal.
class Best {
  public:
    void begin(size_t k) {
        k_ = k;
        keys_.clear();
        room_ = k + std::max<size_t>(k, 256);
        keys_.reserve(room_ + 16);
        threshold = std::numeric_limits<int32_t>::min();
    }
    /// Only scores from here on can still count.
    int32_t threshold;

    void offer(int32_t score, int32_t row) {
        keys_.push_back(uint64_t(uint32_t(score) ^ 0x80000000u) << 32 | uint32_t(INT32_MAX - row));
        if (keys_.size() >= room_) shrink();
    }
    size_t size() const { return keys_.size(); }
    size_t wanted() const { return k_; }
    /// Raises the threshold as far as is known.
    void settle() {
        if (keys_.size() > k_) shrink();
    }
    const std::vector<uint64_t> &finish() {
        if (keys_.size() > k_) shrink();
        std::sort(keys_.begin(), keys_.end(), std::greater<>());
        return keys_;
    }
    static int32_t score(uint64_t key) { return int32_t(uint32_t(key >> 32) ^ 0x80000000u); }
    static int32_t row(uint64_t key) { return INT32_MAX - int32_t(uint32_t(key)); }

  private:
    size_t k_ = 0;
    size_t room_ = 0;
    std::vector<uint64_t> keys_;

    void shrink() {
        if (k_ == 0) return keys_.clear();
        std::nth_element(keys_.begin(), keys_.begin() + (k_ - 1), keys_.end(), std::greater<>());
        keys_.resize(k_);
        threshold = score(keys_[k_ - 1]);
    }
};

/// What a search needs besides the index. Each thread keeps its own, so that searches allocate nothing.
struct Workspace {
    freshet::PreparedQuery query;
    freshet::PreparedQuery centre_query;
    std::vector<int32_t> keys;
    std::vector<int32_t> places;
    std::vector<int32_t> centre_keys;
    std::vector<uint64_t> order;
    Best best;
};

Workspace &workspace() {
    static thread_local Workspace workspace;
    return workspace;
}

/// Ordered scores of a run of blocks.
void score_blocks(
    const vector_lists &lists, freshet::Instructions instructions, const float *query, const freshet::PreparedQuery &prepared,
    size_t first, size_t blocks, int32_t *keys) {
    const size_t d = size_t(lists.dimension);
    const uint8_t *codes = lists.codes.data() + first * freshet::block_bytes(lists.code, d);
    switch (lists.code) {
        case VECTOR_CODE_INT8:
            freshet::score_bytes(instructions, codes, blocks, freshet::groups_of(d), prepared.bytes(), keys);
            break;
        case VECTOR_CODE_BFLOAT16:
            if (instructions == freshet::Instructions::scalar) {
                freshet::score_bfloats_plainly(reinterpret_cast<const uint16_t *>(codes), blocks, d, query, keys);
            } else {
                freshet::score_bfloats(reinterpret_cast<const uint16_t *>(codes), blocks, d, query, keys);
            }
            break;
        default: freshet::score_floats(reinterpret_cast<const float *>(codes), blocks, d, query, keys);
    }
}

float as_score(const vector_lists &lists, const freshet::PreparedQuery &query, int32_t key) {
    return lists.code == VECTOR_CODE_INT8 ? query.offset + query.scale * float(key) : freshet::unordered(key);
}

/// Lists in the order in which they are looked at: by their centre's inner product, then by number.
class ProbeOrder {
  public:
    ProbeOrder(const vector_lists &lists, const float *query, size_t probes, freshet::Instructions instructions, Workspace &space)
        : order_(space.order) {
        const size_t count = lists.list_counts.size();
        order_.clear();
        if (count == 1) {
            order_.push_back(INT32_MAX);
            ready_ = 1;
            return;
        }
        const size_t d = size_t(lists.dimension);
        space.centre_query.prepare(query, d, lists.centres.ranges);
        space.centre_keys.resize(lists.centres.columns);
        freshet::score_bytes(
            instructions, lists.centres.codes.data(), lists.centres.columns / block_rows, freshet::groups_of(d),
            space.centre_query.bytes(), space.centre_keys.data());
        probes = std::min(probes, count);
        if (probes * 8 < count) {
            // The threshold of a sample leaves few centres to be ordered.
            Best &best = space.best;
            best.begin(probes);
            space.places.resize(count);
            for (size_t first = 0; first < count; first += 512) {
                const size_t size = std::min<size_t>(512, count - first);
                const size_t found = freshet::places_from(
                    instructions, space.centre_keys.data() + first, size, best.threshold, space.places.data());
                for (size_t i = 0; i < found; i++) {
                    const int32_t list = int32_t(first) + space.places[i];
                    best.offer(space.centre_keys[list], list);
                }
                best.settle();
            }
            order_ = best.finish();
            ready_ = probes;
            rest_of_ = &space;
            count_ = count;
        } else {
            sort_all(space, count);
        }
    }
    bool has(size_t place) {
        if (place < ready_) return true;
        if (rest_of_) sort_all(*rest_of_, count_);
        return place < ready_;
    }
    size_t list(size_t place) const { return size_t(Best::row(order_[place])); }

  private:
    std::vector<uint64_t> &order_;
    size_t ready_ = 0;
    size_t count_ = 0;
    Workspace *rest_of_ = nullptr;

    void sort_all(Workspace &space, size_t count) {
        rest_of_ = nullptr;
        order_.resize(count);
        for (size_t list = 0; list < count; list++) {
            order_[list] = uint64_t(uint32_t(space.centre_keys[list]) ^ 0x80000000u) << 32 | uint32_t(INT32_MAX - int32_t(list));
        }
        std::sort(order_.begin(), order_.end(), std::greater<>());
        ready_ = count;
    }
};

}  // namespace

int vector_lists_search(
    const vector_lists *lists, const vector_lists_query *query, int32_t *rows, float *scores, vector_lists_outcome *outcome,
    char *message, size_t message_bytes) {
    *outcome = {};
    return freshet::guarded(message, message_bytes, [&] {
        freshet::require(query->k > 0 && query->probes > 0, "k and probes must be at least 1");
        const auto best_here = freshet::best_instructions();
        const auto instructions = std::min(freshet::Instructions(query->instructions), best_here);
        Workspace &space = workspace();
        ProbeOrder order(*lists, query->query, size_t(query->probes), instructions, space);
        if (lists->code == VECTOR_CODE_INT8) space.query.prepare(query->query, size_t(lists->dimension), lists->ranges);
        // A long list is scored in parts, so that the scores stay in the first-level cache.
        constexpr size_t part = 2048;
        space.keys.resize(part);
        space.places.resize(std::max(part, space.places.size()));
        Best &best = space.best;
        best.begin(std::min(size_t(query->k), size_t(lists->count)));

        // Admitted rows that were compared, by one row in eight.
        constexpr size_t sampled = 8;
        int64_t admitted = 0;
        int64_t goal = query->admitted_goal;
        bool is_far = false;
        size_t probed = 0;
        const size_t line_bytes = freshet::block_bytes(lists->code, size_t(lists->dimension));
        for (;; probed++) {
            // Admitted rows that stand far from the query stand in no order that centres could tell: more of them are compared.
            if (!is_far && goal > 0 && probed == 2 * size_t(query->probes) && admitted < goal) {
                is_far = true;
                goal *= 16;
            }
            const bool enough = best.size() >= best.wanted() && admitted >= goal;
            if ((probed >= size_t(query->probes) && enough) || !order.has(probed)) break;
            const size_t list = order.list(probed);
            const size_t start = size_t(lists->starts[list]);
            const size_t members = size_t(lists->list_counts[list]);
            outcome->scanned += int64_t(members);
            if (probed + 1 < size_t(query->probes) && order.has(probed + 1)) {
                // The next list is on its way while this one is scored.
                const size_t next = order.list(probed + 1);
                const uint8_t *line = lists->codes.data() + size_t(lists->starts[next]) * line_bytes;
                const size_t bytes = std::min<size_t>(size_t(lists->starts[next + 1] - lists->starts[next]) * line_bytes, 8192);
                for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(line + at, 0, 2);
                __builtin_prefetch(lists->rows.data() + size_t(lists->starts[next]) * block_rows, 0, 2);
            }
            for (size_t first = 0; first < members; first += part) {
                const size_t size = std::min(part, members - first);
                score_blocks(
                    *lists, instructions, query->query, space.query, start + first / block_rows, freshet::blocks_of(size),
                    space.keys.data());
                const size_t found =
                    freshet::places_from(instructions, space.keys.data(), size, best.threshold, space.places.data());
                const int32_t *list_rows = lists->rows.data() + start * block_rows + first;
                for (size_t i = 0; i < found; i++) {
                    const int32_t place = space.places[i];
                    const int32_t key = space.keys[place];
                    if (key < best.threshold) continue;
                    const int32_t row = list_rows[place];
                    if (query->admits && !query->admits(query->context, row)) continue;
                    best.offer(key, row);
                }
                if (goal > 0 && query->admits) {
                    for (size_t place = probed % sampled; place < size; place += sampled) {
                        if (query->admits(query->context, list_rows[place])) admitted += int64_t(sampled);
                    }
                }
            }
        }
        outcome->probed = int32_t(probed);
        int32_t place = 0;
        for (const uint64_t key : best.finish()) {
            rows[place] = Best::row(key);
            scores[place] = as_score(*lists, space.query, Best::score(key));
            place++;
        }
        outcome->found = place;
    });
}

int vector_lists_scores(
    const vector_lists *lists, const float *query, const int32_t *rows, int64_t count, float *scores, char *message,
    size_t message_bytes) {
    return freshet::guarded(message, message_bytes, [&] {
        Workspace &space = workspace();
        const size_t d = size_t(lists->dimension);
        if (lists->code == VECTOR_CODE_INT8) space.query.prepare(query, d, lists->ranges);
        int32_t keys[block_rows];
        int64_t scored_block = -1;
        for (int64_t i = 0; i < count; i++) {
            const int32_t row = rows[i];
            if (row < 0 || size_t(row) >= lists->places.size() || lists->places[row] < 0) {
                scores[i] = std::numeric_limits<float>::quiet_NaN();
                continue;
            }
            const int64_t block = lists->places[row] / int32_t(block_rows);
            if (block != scored_block) {
                score_blocks(*lists, freshet::best_instructions(), query, space.query, size_t(block), 1, keys);
                scored_block = block;
            }
            scores[i] = as_score(*lists, space.query, keys[lists->places[row] % int32_t(block_rows)]);
        }
    });
}

int vector_exact(
    const float *vectors, int64_t count, int32_t dimension, const float *queries, int32_t query_count, int32_t k,
    int32_t threads, int32_t *rows, char *message, size_t message_bytes) {
    return freshet::guarded(message, message_bytes, [&] {
        freshet::require(count >= 0 && dimension > 0 && query_count >= 0 && k > 0, "a number is negative or 0");
        const size_t d = size_t(dimension);
        // Sixteen queries share each block of vectors while it is near.
        freshet::in_parallel(size_t(query_count), 16, threads, [&](size_t first, size_t end) {
            constexpr size_t part = 256;
            std::vector<float> block(part * d);
            int32_t keys[part];
            int32_t places[part];
            std::vector<Best> best(end - first);
            for (auto &each : best) each.begin(std::min(size_t(k), size_t(count)));
            for (size_t start = 0; start < size_t(count); start += part) {
                const size_t size = std::min(part, size_t(count) - start);
                for (size_t row = 0; row < size; row++) {
                    const float *vector = vectors + (start + row) * d;
                    float *lane = block.data() + row / block_rows * d * block_rows + row % block_rows;
                    for (size_t i = 0; i < d; i++) lane[i * block_rows] = vector[i];
                }
                for (size_t query = first; query < end; query++) {
                    Best &each = best[query - first];
                    freshet::score_floats(block.data(), freshet::blocks_of(size), d, queries + query * d, keys);
                    const size_t found =
                        freshet::places_from(freshet::best_instructions(), keys, size, each.threshold, places);
                    for (size_t i = 0; i < found; i++) each.offer(keys[places[i]], int32_t(start) + places[i]);
                    each.settle();
                }
            }
            for (size_t query = first; query < end; query++) {
                int32_t *into = rows + query * size_t(k);
                std::fill(into, into + k, -1);
                for (const uint64_t key : best[query - first].finish()) *into++ = Best::row(key);
            }
        });
    });
}
