import ContentModel

/// What an index of new items is built of.
public struct ContentIndexInput: Sendable {
    /// `[items, dimension]`, row-major.
    public let vectors: [Float]
    /// Components of a vector.
    public let dimension: Int
    /// What users of the model would ask, `[_, dimension]`; empty where the model kept none.
    public let queries: [Float]
    /// How many items a request takes from the index.
    public let count: Int
}

/// Finds new items by their content in an index, so that a request costs the same however many there are.
///
/// The index holds short vectors (``ContentProjection``), of which the inner product comes near the score: a request takes
/// ``depth`` times as many as it wants and scores those exactly. Items that came or changed after the build have vectors of their own
/// beside it, which are compared one by one until the next build.
struct ContentRecall: Sendable {
    /// So many are taken from the index for each that is wanted.
    let depth: Double
    /// Of the best that comparing all finds, the share that is found: of users of the model, or of none where it kept none.
    let measured: Double?
    private let projection: ContentProjection
    private let index: any CandidateIndex
    /// By place in the index.
    private let rows: [Int32]
    /// Rows that the index holds and that are still as they were.
    private var covered: RowSet
    /// Those that came or changed since.
    private var later: ItemVectors

    /// - Parameters:
    ///   - rows: by place in the index.
    init(projection: ContentProjection, index: any CandidateIndex, rows: [Int32], depth: Double, measured: Double?) {
        (self.projection, self.index, self.rows, self.depth, self.measured) = (projection, index, rows, depth, measured)
        covered = RowSet(rows: Int(rows.last ?? -1) + 1)
        for row in rows { covered.insert(row) }
        later = ItemVectors(base: [], dimension: projection.dimension)
    }

    /// Items that have a vector: in the index, and beside it.
    var counts: (indexed: Int, later: Int) { (index.count, later.laterRows.count) }

    /// Components of a vector.
    var dimension: Int { projection.dimension }

    /// Whether a row is found by its vector.
    func holds(_ row: Int32) -> Bool { covered.contains(row) || later.hasVector(row) }

    /// Takes in a new or changed item.
    mutating func set(_ item: ContentChannel.Item, tower: [Float], row: Int32) {
        covered.remove(row)
        let vector = [Float](unsafeUninitializedCapacity: projection.dimension) { buffer, count in
            if let start = buffer.baseAddress {
                tower.withUnsafeBufferPointer { projection.write(item, tower: $0, into: start) }
                count = projection.dimension
            }
        }
        later.set(vector, origin: .content, for: row)
    }

    /// Forgets an item.
    mutating func remove(_ row: Int32) {
        covered.remove(row)
        later.remove(row)
    }

    /// Rows that are worth an exact look for a user, best first.
    ///
    /// - Parameters:
    ///   - admissible: about how many are admitted.
    ///   - user: the user's vector of the towers; nil where it has no say.
    func candidates(
        _ count: Int, profile: ContentChannel.Profile?, user: [Float]?, admissible: Int, where admits: (Int32) -> Bool
    ) -> [Int32] {
        near(projection.query(profile, user: user ?? []), taken(count), admissible: admissible, where: admits)
    }

    private func taken(_ count: Int) -> Int { Int((Double(count) * depth).rounded(.up)) }

    /// What the vectors say.
    private func near(_ query: [Float], _ count: Int, admissible: Int, where admits: (Int32) -> Bool) -> [Int32] {
        query.withUnsafeBufferPointer { query in
            guard let start = query.baseAddress else { return [] }
            let found = index.search(query, count: count, admissible: min(admissible, index.count)) { place in
                let row = rows[Int(place)]
                return covered.contains(row) && admits(row)
            }
            guard !later.laterRows.isEmpty else { return found.map { rows[Int($0.row)] } }
            var top = TopRows(limit: count)
            for candidate in found { top.offer(rows[Int(candidate.row)], candidate.score) }
            later.forEachLater(start) { row, score in if top.wouldKeep(score), admits(row) { top.offer(row, score) } }
            return top.sorted().map(\.row)
        }
    }
}
