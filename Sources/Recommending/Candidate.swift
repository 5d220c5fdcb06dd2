/// An item that recall proposes: its row in the snapshot and how well it answers the query.
@frozen
public struct Candidate: Sendable, Equatable {
    /// The dense row of the item in the snapshot it came from.
    public var row: Int32
    /// The inner product of the query and the item's vector; larger is better.
    public var score: Float

    /// Makes a candidate.
    @inlinable
    public init(row: Int32, score: Float) {
        self.row = row
        self.score = score
    }
}

/// Finds the vectors with the largest inner product to a query.
///
/// Implementations may be exact or approximate. They are safe to search from several threads at once.
public protocol CandidateIndex: Sendable {
    /// The number of vectors. Their rows are `0..<count`.
    var count: Int { get }
    /// The best `count` rows, best first; equal scores are ordered by row. Fewer where the index holds fewer.
    ///
    /// - Parameter query: one vector of the index's dimension. A query that is not finite finds nothing.
    func search(_ query: UnsafeBufferPointer<Float>, count: Int) -> [Candidate]
    /// The best `count` rows that `admits` takes, in the same order. The filter comes before the cut: as many rows are found
    /// as are asked for, where so many are admitted.
    ///
    /// - Parameters:
    ///   - admissible: about how many rows are admitted at most. An approximate index looks further where they are few.
    ///   - admits: asked on the calling thread, of good rows or of all.
    func search(
        _ query: UnsafeBufferPointer<Float>, count: Int, admissible: Int, admits: (Int32) -> Bool
    ) -> [Candidate]
    /// Whether scores are inner products with the vectors themselves, or with codes that stand for them.
    var scoresAreExact: Bool { get }
}

extension CandidateIndex {
    /// Asks for more and more rows until enough of them are admitted.
    public func search(
        _ query: UnsafeBufferPointer<Float>, count wanted: Int, admissible: Int, admits: (Int32) -> Bool
    ) -> [Candidate] {
        guard wanted > 0 else { return [] }
        var asked = min(count, wanted + 32)
        while true {
            let found = search(query, count: asked).filter { admits($0.row) }
            if found.count >= wanted || asked >= count { return Array(found.prefix(wanted)) }
            asked = min(count, asked * 4)
        }
    }

    /// An index that says nothing else computes scores with all digits.
    public var scoresAreExact: Bool { true }
}
