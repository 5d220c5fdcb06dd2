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
}
