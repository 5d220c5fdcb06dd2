import CFaiss
import Recommending

/// Vectors at an address that does not move, `[count, dimension]`, row-major. Never written after it is made.
///
/// `@unchecked Sendable`: the memory is filled before the value is published and only read from then on.
final class VectorTable: @unchecked Sendable {
    let count: Int
    let dimension: Int
    let start: UnsafePointer<Float>

    /// Copies the vectors. Throws where their number does not fit the dimension or one of them is not finite.
    init(_ vectors: [Float], dimension: Int) throws(VectorIndexError) {
        count = try VectorInput.checkedCount(vectors, dimension: dimension)
        self.dimension = dimension
        // Aligned to a cache line, so that a vector of 16 floats touches one.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(vectors.count, 1) * 4, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(vectors.count, 1))
        vectors.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { memory.initialize(from: base, count: source.count) }
        }
        start = UnsafePointer(memory)
    }

    deinit {
        UnsafeMutableRawPointer(mutating: start).deallocate()
    }

    /// Whether a query has the right dimension and is finite.
    func accepts(_ query: UnsafeBufferPointer<Float>) -> Bool {
        VectorInput.accepts(query, dimension: dimension)
    }

    /// The exact best admitted rows, best first, equal scores by row. The query must be one that ``accepts(_:)`` takes.
    func exact(
        _ query: UnsafeBufferPointer<Float>, count wanted: Int, admits: (Int32) -> Bool = { _ in true }
    ) -> [Candidate] {
        guard let query = query.baseAddress, wanted > 0 else { return [] }
        // Scores of a block stay in the first-level cache until they are looked at.
        let block = 1_024
        var top = TopRows(limit: min(wanted, count))
        withUnsafeTemporaryAllocation(of: Float.self, capacity: block) { scores in
            guard let scores = scores.baseAddress else { return }
            var first = 0
            while first < count {
                let size = min(block, count - first)
                vector_scan(start + first * dimension, Int64(size), Int32(dimension), query, scores)
                for place in 0..<size where top.wouldKeep(scores[place]) && admits(Int32(first + place)) {
                    top.offer(Int32(first + place), scores[place])
                }
                first += size
            }
        }
        return top.sorted()
    }

    func vector(of row: Int32) -> [Float]? {
        guard 0..<count ~= Int(row) else { return nil }
        return Array(UnsafeBufferPointer(start: start + Int(row) * dimension, count: dimension))
    }

    var memory: IndexMemory { IndexMemory(codes: count * dimension * 4) }

    var fingerprint: UInt64 {
        VectorInput.fingerprint(
            UnsafeRawBufferPointer(start: start, count: count * dimension * 4), count: count, dimension: dimension)
    }
}
