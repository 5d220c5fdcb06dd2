#include <algorithm>
#include <limits>

#include "guarded.h"
#include "list_storage.h"

using freshet::block_rows;
using freshet::blocks_of;
using freshet::require;

void vector_lists::lay_out() {
    starts.assign(list_counts.size() + 1, 0);
    longest = 0;
    for (size_t list = 0; list < list_counts.size(); list++) {
        const size_t blocks = blocks_of(size_t(list_counts[list]));
        starts[list + 1] = starts[list] + int64_t(blocks);
        longest = std::max(longest, blocks * block_rows);
    }
}

bool vector_lists::index_rows(int64_t largest_row) {
    places.assign(size_t(largest_row + 1), -1);
    for (size_t list = 0; list < list_counts.size(); list++) {
        const size_t first = size_t(starts[list]) * block_rows;
        const size_t end = size_t(starts[list + 1]) * block_rows;
        for (size_t place = first; place < end; place++) {
            const int32_t row = rows[place];
            const bool used = place < first + size_t(list_counts[list]);
            if (!used && row == -1) continue;
            if (!used || row < 0 || row > largest_row || places[row] >= 0) return false;
            places[row] = int32_t(place);
        }
    }
    return true;
}

int vector_lists_build(
    const float *vectors, int64_t count, int32_t dimension, const int32_t *rows, const vector_lists_settings *settings,
    vector_lists **lists, char *message, size_t message_bytes) {
    *lists = nullptr;
    return freshet::guarded(message, message_bytes, [&] {
        // Places are 32-bit and each list may leave fifteen unused.
        require(count > 0 && count <= INT32_MAX / 2, "an index of lists needs between 1 and 1,073,741,823 vectors");
        require(dimension > 0 && dimension <= 65536, "a vector needs 1 to 65,536 components");
        require(settings->lists >= 1 && settings->lists <= count, "there must be between 1 list and one for each vector");
        require(settings->lists <= INT32_MAX / 32, "there are too many lists");
        require(settings->code >= 0 && settings->code <= VECTOR_CODE_INT8, "the code is unknown");
        const size_t n = size_t(count);
        const size_t d = size_t(dimension);
        auto built = std::make_unique<vector_lists>();
        built->count = count;
        built->dimension = dimension;
        built->code = settings->code;
        if (settings->code == VECTOR_CODE_INT8) built->ranges = freshet::Ranges::covering(vectors, n, d);

        std::vector<int32_t> list_of(n, 0);
        if (settings->lists > 1) {
            const auto centres = freshet::train_centres(vectors, n, d, *settings);
            freshet::assign(vectors, nullptr, n, d, centres.data(), settings->lists, settings->threads, list_of.data());
            built->centres.encode(centres.data(), settings->lists, d);
        }
        built->list_counts.assign(settings->lists, 0);
        for (const int32_t list : list_of) built->list_counts[list]++;
        built->lay_out();

        // Where each vector goes: in its list, in the order of the input.
        const size_t blocks = size_t(built->starts.back());
        std::vector<int64_t> next(built->starts.begin(), built->starts.end() - 1);
        for (auto &place : next) place *= block_rows;
        built->rows.assign(blocks * block_rows, -1);
        int64_t largest_row = -1;
        std::vector<int32_t> target(n);
        for (size_t i = 0; i < n; i++) {
            const int32_t row = rows ? rows[i] : int32_t(i);
            require(row >= 0, "a row is negative");
            largest_row = std::max<int64_t>(largest_row, row);
            const int64_t place = next[list_of[i]]++;
            built->rows[place] = row;
            target[i] = int32_t(place);
        }
        require(built->index_rows(largest_row), "a row is there twice");
        built->codes = freshet::Storage(blocks * freshet::block_bytes(settings->code, d));
        freshet::in_parallel(n, 4096, settings->threads, [&](size_t first, size_t end) {
            for (size_t i = first; i < end; i++) {
                freshet::write_code(settings->code, built->ranges, vectors + i * d, d, built->codes.data(), target[i]);
            }
        });
        *lists = built.release();
    });
}

int vector_lists_restore(const vector_lists_parts *parts, vector_lists **lists, char *message, size_t message_bytes) {
    *lists = nullptr;
    return freshet::guarded(message, message_bytes, [&] {
        require(parts->count > 0 && parts->count <= INT32_MAX / 2, "the number of vectors is out of range");
        require(parts->dimension > 0 && parts->dimension <= 65536, "the dimension is out of range");
        require(parts->lists >= 1 && parts->lists <= parts->count, "the number of lists is out of range");
        require(parts->code >= 0 && parts->code <= VECTOR_CODE_INT8, "the code is unknown");
        const size_t d = size_t(parts->dimension);
        auto restored = std::make_unique<vector_lists>();
        restored->count = parts->count;
        restored->dimension = parts->dimension;
        restored->code = parts->code;
        restored->list_counts.assign(parts->list_counts, parts->list_counts + parts->lists);
        int64_t sum = 0;
        for (const int32_t members : restored->list_counts) {
            require(members >= 0 && members <= parts->count, "a list's size is out of range");
            sum += members;
        }
        require(sum == parts->count, "the lists do not hold the number of vectors");
        restored->lay_out();
        require(restored->starts.back() == parts->blocks, "the number of blocks does not fit the lists");
        require(
            parts->code_bytes == parts->blocks * int64_t(freshet::block_bytes(parts->code, d)),
            "the size of the codes does not fit the blocks");
        restored->rows.assign(parts->rows, parts->rows + parts->blocks * int64_t(block_rows));
        const int32_t largest = *std::max_element(restored->rows.begin(), restored->rows.end());
        require(largest >= 0 && restored->index_rows(largest), "the rows do not fit the lists");
        restored->codes = freshet::Storage(size_t(parts->code_bytes));
        std::memcpy(restored->codes.data(), parts->codes, size_t(parts->code_bytes));
        if (parts->code == VECTOR_CODE_INT8) {
            restored->ranges.values.assign(parts->ranges, parts->ranges + 2 * d);
        }
        if (parts->lists > 1) {
            auto &centres = restored->centres;
            centres.lists = size_t(parts->lists);
            centres.columns = (centres.lists + 63) / 64 * 64;
            centres.codes = freshet::Storage(centres.columns / block_rows * freshet::groups_of(d) * 64);
            require(parts->centre_bytes == int64_t(centres.codes.size()), "the size of the centres does not fit the lists");
            std::memcpy(centres.codes.data(), parts->centres, centres.codes.size());
            centres.ranges.values.assign(parts->centre_ranges, parts->centre_ranges + 2 * d);
        }
        *lists = restored.release();
    });
}

void vector_lists_view(const vector_lists *lists, vector_lists_parts *parts) {
    parts->count = lists->count;
    parts->dimension = lists->dimension;
    parts->code = lists->code;
    parts->lists = int32_t(lists->list_counts.size());
    parts->list_counts = lists->list_counts.data();
    parts->rows = lists->rows.data();
    parts->blocks = lists->starts.back();
    parts->codes = lists->codes.data();
    parts->code_bytes = int64_t(lists->codes.size());
    parts->ranges = lists->ranges.values.data();
    parts->centre_ranges = lists->centres.ranges.values.data();
    parts->centres = lists->centres.codes.data();
    parts->centre_bytes = int64_t(lists->centres.codes.size());
}

void vector_lists_free(vector_lists *lists) { delete lists; }

vector_lists_memory vector_lists_bytes(const vector_lists *lists) {
    return {
        int64_t(lists->codes.size()), int64_t(lists->rows.size() * 4),
        int64_t(lists->centres.codes.size() + lists->list_counts.size() * 4 + lists->starts.size() * 8
                + (lists->ranges.values.size() + lists->centres.ranges.values.size()) * 4),
        int64_t(lists->places.size() * 4)};
}

bool vector_lists_decode(const vector_lists *lists, int32_t row, float *vector) {
    if (row < 0 || size_t(row) >= lists->places.size() || lists->places[row] < 0) return false;
    const size_t d = size_t(lists->dimension);
    const size_t slot = size_t(lists->places[row]);
    const size_t lane = slot % block_rows;
    const uint8_t *block = lists->codes.data() + slot / block_rows * freshet::block_bytes(lists->code, d);
    for (size_t i = 0; i < d; i++) {
        if (lists->code == VECTOR_CODE_INT8) {
            vector[i] = lists->ranges.decoded(i, block[i / 4 * 64 + lane * 4 + i % 4]);
        } else if (lists->code == VECTOR_CODE_BFLOAT16) {
            uint16_t half;
            std::memcpy(&half, block + (i * block_rows + lane) * 2, 2);
            const uint32_t bits = uint32_t(half) << 16;
            std::memcpy(vector + i, &bits, 4);
        } else {
            std::memcpy(vector + i, block + (i * block_rows + lane) * 4, 4);
        }
    }
    return true;
}

int32_t vector_best_instructions(void) { return int32_t(freshet::best_instructions()); }
