// A plain C face of FAISS's HNSW graph over vectors that the caller owns, for inner products.
//
// No C++ exception leaves these functions: they return 0, or another number with a sentence in `message`.
#ifndef FRESHET_VECTOR_GRAPH_H
#define FRESHET_VECTOR_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A graph over `count` vectors. Built or restored once, never changed; safe to search from several threads at once.
typedef struct vector_graph vector_graph;

/// The arrays that make up a graph, borrowed from it: what a file holds.
typedef struct {
    int64_t count;
    int32_t neighbours;
    int32_t entry_point;
    int32_t max_level;
    /// `[count]`: the number of levels of each vector, at least 1.
    const int32_t *levels;
    /// `[links_count]`: rows, or -1 for an empty place, level by level, vector after vector.
    const int32_t *links;
    int64_t links_count;
} vector_graph_parts;

enum {
    VECTOR_GRAPH_OK = 0,
    VECTOR_GRAPH_OUT_OF_MEMORY = 1,
    VECTOR_GRAPH_INVALID = 2,
    VECTOR_GRAPH_FAILED = 3,
};

/// Builds a graph with `threads` OpenMP threads. `vectors` is `[count, dimension]`, row-major, and must outlive the graph.
int vector_graph_build(
    const float *vectors, int64_t count, int32_t dimension, int32_t neighbours, int32_t ef_construction,
    int32_t threads, vector_graph **graph, char *message, size_t message_bytes);

/// Restores a graph from its parts, which are copied and checked: no link may lead outside `0..<count`.
int vector_graph_restore(
    const float *vectors, int32_t dimension, const vector_graph_parts *parts, vector_graph **graph, char *message, size_t message_bytes);

/// The graph's arrays, valid as long as the graph.
void vector_graph_view(const vector_graph *graph, vector_graph_parts *parts);

/// The `k` rows with the largest inner product, best first, into `rows` and `scores` (`[k]`); `found` says how many. The more
/// candidates (`ef_search`) are kept, the better the answer and the longer the search; there are always `k` at least.
/// Runs on the calling thread alone.
int vector_graph_search(
    const vector_graph *graph, const float *query, int32_t k, int32_t ef_search, int32_t *rows, float *scores,
    int32_t *found, char *message, size_t message_bytes);

void vector_graph_free(vector_graph *graph);

/// `scores[i]` = the inner product of the query and vector i of `[count, dimension]`, on the calling thread alone.
void vector_scan(const float *vectors, int64_t count, int32_t dimension, const float *query, float *scores);

#ifdef __cplusplus
}
#endif

#endif
