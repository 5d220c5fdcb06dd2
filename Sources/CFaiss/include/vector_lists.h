// Vectors in inverted lists of scalar codes, for inner products: an index that is a single list is a flat one.
//
// No C++ exception leaves these functions: they return 0 (VECTOR_LISTS_OK), or another number with a sentence in `message`.
#ifndef FRESHET_VECTOR_LISTS_H
#define FRESHET_VECTOR_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Built or restored once, never changed; safe to search from several threads at once.
typedef struct vector_lists vector_lists;

enum {
    VECTOR_LISTS_OK = 0,
    VECTOR_LISTS_OUT_OF_MEMORY = 1,
    VECTOR_LISTS_INVALID = 2,
    VECTOR_LISTS_FAILED = 3,
};

/// How components are stored.
enum {
    VECTOR_CODE_FLOAT32 = 0,
    VECTOR_CODE_BFLOAT16 = 1,
    /// A byte: one of 256 equal steps between the smallest and the largest value of the component.
    VECTOR_CODE_INT8 = 2,
};

/// What the byte kernels use; they give the same sums, bit for bit. BEST is what the processor has.
enum {
    VECTOR_INSTRUCTIONS_SCALAR = 0,
    VECTOR_INSTRUCTIONS_AVX2 = 1,
    VECTOR_INSTRUCTIONS_VNNI = 2,
    VECTOR_INSTRUCTIONS_BEST = 3,
};

typedef struct {
    int32_t code;
    /// 1 is flat. At most the number of vectors.
    int32_t lists;
    /// Vectors that k-means looks at, for each list, and how often it does.
    int32_t sample_per_list;
    int32_t rounds;
    uint64_t seed;
    int32_t threads;
} vector_lists_settings;

/// The arrays that make up an index, borrowed from it: what a file holds.
typedef struct {
    int64_t count;
    int32_t dimension;
    int32_t code;
    int32_t lists;
    /// `[lists]`: vectors in each list. A list starts with a new block of 16.
    const int32_t *list_counts;
    /// `[16 * blocks]`: the row in each place; -1 in the unused places of a list's last block.
    const int32_t *rows;
    int64_t blocks;
    const uint8_t *codes;
    int64_t code_bytes;
    /// `[2 * dimension]`: smallest values, then steps, of the components' bytes.
    const float *ranges;
    /// The lists' centres as bytes in blocks, and their `[2 * dimension]` ranges.
    const uint8_t *centres;
    int64_t centre_bytes;
    const float *centre_ranges;
} vector_lists_parts;

/// Builds an index of `[count, dimension]` floats, row-major. `rows` (`[count]`, different, not negative) may be NULL: the
/// row of a vector is then its place. The same input and seed give the same index for any number of threads.
int vector_lists_build(
    const float *vectors, int64_t count, int32_t dimension, const int32_t *rows, const vector_lists_settings *settings,
    vector_lists **lists, char *message, size_t message_bytes);

/// Restores an index from its parts, which are copied and checked.
int vector_lists_restore(const vector_lists_parts *parts, vector_lists **lists, char *message, size_t message_bytes);

/// The index's arrays, valid as long as the index.
void vector_lists_view(const vector_lists *lists, vector_lists_parts *parts);

void vector_lists_free(vector_lists *lists);

typedef struct {
    int64_t code_bytes;
    int64_t row_bytes;
    /// Centres and the lists' sizes.
    int64_t list_bytes;
    /// Where each row stands.
    int64_t place_bytes;
} vector_lists_memory;

vector_lists_memory vector_lists_bytes(const vector_lists *lists);

/// Whether a row may be in an answer.
typedef bool (*vector_admits)(const void *context, int32_t row);

typedef struct {
    const float *query;
    int32_t k;
    /// Lists to look at, nearest first. More are looked at until `k` admitted rows are found.
    int32_t probes;
    /// More are looked at until about so many admitted rows were compared, too, and sixteen times as many where twice the
    /// probes do not have them. Above 0 one row in eight is asked for, to count them.
    int64_t admitted_goal;
    /// NULL admits all.
    vector_admits admits;
    const void *context;
    int32_t instructions;
} vector_lists_query;

typedef struct {
    int32_t found;
    /// Lists and vectors that were looked at.
    int32_t probed;
    int64_t scanned;
} vector_lists_outcome;

/// The admitted rows with the largest inner product, best first, equal ones by row, into `rows` and `scores` (`[k]`). Scores
/// are those of the codes. Runs on the calling thread alone.
int vector_lists_search(
    const vector_lists *lists, const vector_lists_query *query, int32_t *rows, float *scores, vector_lists_outcome *outcome,
    char *message, size_t message_bytes);

/// `scores[i]` = the inner product of the query and the code of `rows[i]`; NaN where there is no such row.
int vector_lists_scores(
    const vector_lists *lists, const float *query, const int32_t *rows, int64_t count, float *scores, char *message,
    size_t message_bytes);

/// The vector of a row as its code has it, into `[dimension]` floats. False where there is no such row.
bool vector_lists_decode(const vector_lists *lists, int32_t row, float *vector);

/// The exact best `k` of `[count, dimension]` floats for each of `queries` queries into `[queries, k]` rows, best first, equal
/// scores by row; unused places are -1.
int vector_exact(
    const float *vectors, int64_t count, int32_t dimension, const float *queries, int32_t query_count, int32_t k,
    int32_t threads, int32_t *rows, char *message, size_t message_bytes);

/// Which of VECTOR_INSTRUCTIONS the processor has.
int32_t vector_best_instructions(void);

#ifdef __cplusplus
}
#endif

#endif
