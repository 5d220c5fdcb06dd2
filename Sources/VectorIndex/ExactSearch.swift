import CFaiss

/// Exact answers to many queries at once: what approximate indexes are measured against.
public enum ExactSearch {
    /// For each of `queries` (`[_, dimension]`, row-major) the best `count` rows of `vectors`, best first, equal scores by row.
    ///
    /// - Complexity: O(queries × vectors × dimension). Vectors are read once for sixteen queries.
    public static func rows(
        vectors: [Float], dimension: Int, queries: [Float], count: Int, threads: Int = 1
    ) throws(VectorIndexError) -> [[Int32]] {
        guard dimension > 0, vectors.count % dimension == 0, queries.count % dimension == 0, count > 0 else {
            throw VectorIndexError(
                .invalidInput,
                "\(vectors.count) and \(queries.count) floats must be whole vectors of dimension \(dimension), and count \(count) above 0.")
        }
        let size = queries.count / dimension
        let asked = min(count, vectors.count / dimension)
        guard size > 0, asked > 0 else { return [[Int32]](repeating: [], count: size) }
        var best = [Int32](repeating: -1, count: size * asked)
        try ShimCall.run("compare \(size) queries with \(vectors.count / dimension) vectors") { message, bytes in
            best.withUnsafeMutableBufferPointer { best in
                vector_exact(
                    vectors, Int64(vectors.count / dimension), Int32(dimension), queries, Int32(size), Int32(asked),
                    Int32(clamping: threads), best.baseAddress, message, bytes)
            }
        }
        return (0..<size).map { Array(best[$0 * asked..<($0 + 1) * asked]) }
    }
}
