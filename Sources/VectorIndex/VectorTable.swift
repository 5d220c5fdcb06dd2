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
        guard dimension > 0, dimension <= 65_536 else {
            throw VectorIndexError(.invalidInput, "The dimension is \(dimension); it must be between 1 and 65,536.")
        }
        guard vectors.count % dimension == 0, vectors.count / dimension <= Int(Int32.max) else {
            throw VectorIndexError(
                .invalidInput,
                "\(vectors.count) floats are no whole number of vectors of dimension \(dimension), or are too many.")
        }
        if let place = vectors.firstIndex(where: { !$0.isFinite }) {
            throw VectorIndexError(
                .invalidInput,
                "Row \(place / dimension), element \(place % dimension) is \(vectors[place]). Leave such vectors out.")
        }
        count = vectors.count / dimension
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
        query.count == dimension && query.allSatisfy(\.isFinite)
    }

    /// The exact best rows, best first, equal scores by row. The query must be one that ``accepts(_:)`` takes.
    func exact(_ query: UnsafeBufferPointer<Float>, count wanted: Int) -> [Candidate] {
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
                for place in 0..<size where top.wouldKeep(scores[place]) {
                    top.offer(Int32(first + place), scores[place])
                }
                first += size
            }
        }
        return top.sorted()
    }

    /// A hash over every float: two tables with one different float have different hashes.
    var fingerprint: UInt64 {
        var hash = WordHash()
        hash.combine(UInt64(count))
        hash.combine(UInt64(dimension))
        hash.combine(UnsafeRawBufferPointer(start: start, count: count * dimension * 4))
        return hash.value
    }
}
