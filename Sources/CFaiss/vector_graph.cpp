#include "include/vector_graph.h"

#include <faiss/IndexHNSW.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/utils/Heap.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "guarded.h"
#include "inner_product.h"

namespace {

/// Distances for the graph: the inner product with its sign turned, so that nearer is smaller.
struct InnerProductDistance final : faiss::DistanceComputer {
    const float *vectors;
    size_t dimension;
    const float *query = nullptr;

    InnerProductDistance(const float *vectors, size_t dimension) : vectors(vectors), dimension(dimension) {}
    void set_query(const float *x) override { query = x; }
    float operator()(idx_t i) override { return -freshet::inner_product(query, vectors + i * dimension, dimension); }
    float symmetric_dis(idx_t i, idx_t j) override {
        return -freshet::inner_product(vectors + i * dimension, vectors + j * dimension, dimension);
    }
};

/// Vectors that the caller owns, as FAISS's graph wants to see them.
///
/// It calls itself an L2 storage because its distances are smaller for nearer vectors already; FAISS would wrap those of an
/// inner product storage to turn the sign on each call.
struct BorrowedVectors final : faiss::Index {
    const float *vectors;

    BorrowedVectors(const float *vectors, int dimension) : Index(dimension, faiss::METRIC_L2), vectors(vectors) {}
    void add(idx_t n, const float *x) override {
        if (x != vectors || ntotal != 0) throw std::logic_error("vectors are added once and all together");
        ntotal = n;
    }
    void search(idx_t, const float *, idx_t, float *, idx_t *, const faiss::SearchParameters *) const override {
        throw std::logic_error("the storage is searched through the graph");
    }
    void reset() override { ntotal = 0; }
    faiss::DistanceComputer *get_distance_computer() const override { return new InnerProductDistance(vectors, d); }
};

/// Sets the calling thread's number of OpenMP threads for a scope.
struct ThreadCount {
    int before = omp_get_max_threads();
    explicit ThreadCount(int threads) { omp_set_num_threads(threads < 1 ? 1 : threads); }
    ~ThreadCount() { omp_set_num_threads(before); }
};

}  // namespace

using freshet::guarded;
using freshet::require;

struct vector_graph {
    BorrowedVectors storage;
    faiss::IndexHNSW index;
    // One table of visited rows for each search that runs; searches take turns at them.
    mutable std::mutex lock;
    mutable std::vector<std::unique_ptr<faiss::VisitedTable>> tables;

    vector_graph(const float *vectors, int dimension, int neighbours)
        : storage(vectors, dimension), index(&storage, neighbours) {}

    std::unique_ptr<faiss::VisitedTable> take_table() const {
        {
            std::lock_guard<std::mutex> guard(lock);
            if (!tables.empty()) {
                auto table = std::move(tables.back());
                tables.pop_back();
                return table;
            }
        }
        return std::make_unique<faiss::VisitedTable>(static_cast<int>(index.ntotal));
    }

    void give_back(std::unique_ptr<faiss::VisitedTable> table) const {
        table->advance();
        std::lock_guard<std::mutex> guard(lock);
        tables.push_back(std::move(table));
    }
};

int vector_graph_build(
    const float *vectors, int64_t count, int32_t dimension, int32_t neighbours, int32_t ef_construction,
    int32_t threads, vector_graph **graph, char *message, size_t message_bytes) {
    *graph = nullptr;
    return guarded(message, message_bytes, [&] {
        require(count > 0 && count <= INT32_MAX, "a graph needs between 1 and 2,147,483,647 vectors");
        require(dimension > 0, "a vector needs at least 1 dimension");
        require(neighbours >= 2 && ef_construction >= 1, "neighbours must be at least 2 and efConstruction at least 1");
        ThreadCount scope(threads);
        auto built = std::make_unique<vector_graph>(vectors, dimension, neighbours);
        built->index.hnsw.efConstruction = ef_construction;
        built->index.add(count, vectors);
        *graph = built.release();
    });
}

int vector_graph_restore(
    const float *vectors, int32_t dimension, const vector_graph_parts *parts, vector_graph **graph, char *message, size_t message_bytes) {
    *graph = nullptr;
    return guarded(message, message_bytes, [&] {
        require(parts->count > 0 && parts->count <= INT32_MAX, "the number of vectors is out of range");
        require(dimension > 0, "a vector needs at least 1 dimension");
        require(parts->neighbours >= 2 && parts->neighbours <= 1024, "the number of neighbours is out of range");
        auto restored = std::make_unique<vector_graph>(vectors, dimension, parts->neighbours);
        faiss::HNSW &hnsw = restored->index.hnsw;
        const size_t count = parts->count;
        const int most_levels = static_cast<int>(hnsw.cum_nneighbor_per_level.size()) - 1;
        require(parts->max_level >= 0 && parts->max_level < most_levels, "the highest level is out of range");
        require(parts->entry_point >= 0 && parts->entry_point < parts->count, "the entry point is no row");

        hnsw.levels.assign(parts->levels, parts->levels + count);
        hnsw.offsets.resize(count + 1);
        hnsw.offsets[0] = 0;
        for (size_t row = 0; row < count; row++) {
            require(hnsw.levels[row] >= 1 && hnsw.levels[row] <= parts->max_level + 1, "a vector's level is out of range");
            hnsw.offsets[row + 1] = hnsw.offsets[row] + hnsw.cum_nneighbor_per_level[hnsw.levels[row]];
        }
        require(
            static_cast<int64_t>(hnsw.offsets[count]) == parts->links_count, "the number of links does not fit the levels");
        require(hnsw.levels[parts->entry_point] == parts->max_level + 1, "the entry point is not on the highest level");
        hnsw.neighbors.assign(parts->links, parts->links + parts->links_count);
        for (size_t row = 0; row < count; row++) {
            for (int level = 0; level < hnsw.levels[row]; level++) {
                size_t begin, end;
                hnsw.neighbor_range(row, level, &begin, &end);
                for (size_t place = begin; place < end; place++) {
                    const int32_t link = hnsw.neighbors[place];
                    require(link >= -1 && link < parts->count, "a link leads to no row");
                    // A search follows a link on its own level, so the row must stand there too.
                    require(link < 0 || hnsw.levels[link] > level, "a link leads to a row that is not on its level");
                }
            }
        }
        hnsw.entry_point = parts->entry_point;
        hnsw.max_level = parts->max_level;
        restored->storage.ntotal = parts->count;
        restored->index.ntotal = parts->count;
        *graph = restored.release();
    });
}

void vector_graph_view(const vector_graph *graph, vector_graph_parts *parts) {
    const faiss::HNSW &hnsw = graph->index.hnsw;
    parts->count = graph->index.ntotal;
    parts->neighbours = hnsw.nb_neighbors(1);
    parts->entry_point = hnsw.entry_point;
    parts->max_level = hnsw.max_level;
    parts->levels = hnsw.levels.data();
    parts->links = hnsw.neighbors.data();
    parts->links_count = static_cast<int64_t>(hnsw.neighbors.size());
}

int vector_graph_search(
    const vector_graph *graph, const float *query, int32_t k, int32_t ef_search, int32_t *rows, float *scores,
    int32_t *found, char *message, size_t message_bytes) {
    *found = 0;
    return guarded(message, message_bytes, [&] {
        require(k > 0 && ef_search > 0, "k and efSearch must be at least 1");
        InnerProductDistance distance(graph->storage.vectors, graph->storage.d);
        distance.set_query(query);
        // FAISS 1.7.3 takes from the parameters when to stop, but how many to keep from the graph, which other searches share;
        // it keeps at least as many as it is asked for.
        const size_t kept = static_cast<size_t>(ef_search > k ? ef_search : k);
        faiss::SearchParametersHNSW parameters;
        parameters.efSearch = static_cast<int>(kept);
        std::vector<faiss::Index::idx_t> labels(kept);
        std::vector<float> distances(kept);
        auto table = graph->take_table();
        faiss::maxheap_heapify(kept, distances.data(), labels.data());
        graph->index.hnsw.search(distance, static_cast<int>(kept), labels.data(), distances.data(), *table, &parameters);
        faiss::maxheap_reorder(kept, distances.data(), labels.data());
        graph->give_back(std::move(table));
        int32_t filled = 0;
        for (size_t place = 0; place < kept && filled < k; place++) {
            if (labels[place] < 0) continue;
            rows[filled] = static_cast<int32_t>(labels[place]);
            scores[filled] = -distances[place];
            filled++;
        }
        *found = filled;
    });
}

void vector_graph_free(vector_graph *graph) {
    delete graph;
}

void vector_scan(const float *vectors, int64_t count, int32_t dimension, const float *query, float *scores) {
    freshet::inner_products(vectors, count, dimension, query, scores);
}
