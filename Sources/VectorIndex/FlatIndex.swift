import Recommending

/// Exact search: every vector is compared with the query. Right for up to some tens of thousands of items.
///
/// Searching is safe from several threads at once and uses the calling thread alone.
public struct FlatIndex: CandidateIndex {
    let table: VectorTable

    /// Copies `vectors`, `[count, dimension]`, row-major.
    public init(vectors: [Float], dimension: Int) throws(VectorIndexError) {
        table = try VectorTable(vectors, dimension: dimension)
    }

    init(table: VectorTable) {
        self.table = table
    }

    public var count: Int { table.count }
    /// The length of each vector.
    public var dimension: Int { table.dimension }

    /// - Complexity: O(count × dimension)
    public func search(_ query: UnsafeBufferPointer<Float>, count: Int) -> [Candidate] {
        table.accepts(query) ? table.exact(query, count: count) : []
    }

    public func search(
        _ query: UnsafeBufferPointer<Float>, count: Int, admissible: Int, admits: (Int32) -> Bool
    ) -> [Candidate] {
        table.accepts(query) ? table.exact(query, count: count, admits: admits) : []
    }

    /// What it holds.
    public var memory: IndexMemory { table.memory }
}
