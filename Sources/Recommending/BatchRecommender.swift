import Features
import Interactions

/// Exact recommendations for many users among a fixed list of candidates, by brute force.
///
/// The vectors of the candidates are packed once; a value is used from several threads at once.
public struct BatchRecommender: Sendable {
    private let snapshot: ServingSnapshot
    /// The candidates that may be shown; nil stands for all.
    private let allowed: RowSet?
    private let packedRows: [Int32]
    /// `[packedRows.count, dimension]`
    private let packed: [Float]
    private let unpackedRows: [Int32]

    /// Packs the candidates: available items of the snapshot, or those of `candidates` that it knows.
    public init(snapshot: ServingSnapshot, candidates: [String]? = nil) {
        self.snapshot = snapshot
        let catalogue = snapshot.catalogue
        var rows: [Int32] = []
        var seen = RowSet(rows: catalogue.count)
        if let candidates {
            for itemID in candidates {
                guard let row = catalogue.row(of: itemID), catalogue.available.contains(row), seen.insert(row) else {
                    continue
                }
                rows.append(row)
            }
            rows.sort()
            allowed = seen
        } else {
            rows = (0..<Int32(catalogue.count)).filter { catalogue.available.contains($0) }
            allowed = nil
        }
        packedRows = rows.filter { snapshot.vectors.hasVector($0) }
        unpackedRows = rows.filter { !snapshot.vectors.hasVector($0) }
        var vectors: [Float] = []
        vectors.reserveCapacity(packedRows.count * snapshot.vectors.dimension)
        for row in packedRows {
            snapshot.vectors.withVector(row) {
                vectors.append(contentsOf: UnsafeBufferPointer(start: $0, count: snapshot.vectors.dimension))
            }
        }
        packed = vectors
    }

    /// How many candidates may be shown at all.
    public var candidateCount: Int { packedRows.count + unpackedRows.count }

    /// The best `count` candidates for one user, as ``recommend(_:history:excluded:attributes:snapshot:now:requestID:)``
    /// scores them; `count` is not bounded by the limits of a request.
    ///
    /// The list is shorter only where fewer candidates are left after the exclusions.
    /// - Complexity: O(candidates × dimension)
    public func recommend(
        count: Int, history: UserHistory, excluded: [String], attributes: String?, now: EventTime
    ) -> [RecommendedItem] {
        let filter = RowFilter(snapshot.catalogue, category: nil, excluding: excluded)
        let taste = UserTaste(history: history, attributes: attributes, context: [:], snapshot: snapshot, now: now)
        let ranking = Ranking(snapshot: snapshot, taste: taste, objective: nil)
        var rows: [RankedRow] = []
        if let vector = taste.vector {
            rows = Array(ranking.ranked(best(ranking.poolSize(for: count), vector, filter)).prefix(count))
        }
        fill(&rows, count, filter)
        return rows.map {
            RecommendedItem(itemID: snapshot.catalogue[$0.row].itemID, score: $0.score, reason: $0.reason)
        }
    }

    private func best(_ count: Int, _ query: [Float], _ filter: RowFilter) -> [Candidate] {
        let dimension = snapshot.vectors.dimension
        var top = TopRows(limit: count)
        packed.withUnsafeBufferPointer { packed in
            query.withUnsafeBufferPointer { query in
                guard let vectors = packed.baseAddress, let query = query.baseAddress else { return }
                for (place, row) in packedRows.enumerated() {
                    let score = innerProduct(vectors + place * dimension, query, dimension)
                    if top.wouldKeep(score), filter.admits(row) { top.offer(row, score) }
                }
            }
        }
        return top.sorted()
    }

    /// Trending candidates, then the rest in the order of rows, until there are `count`.
    private func fill(_ rows: inout [RankedRow], _ count: Int, _ filter: RowFilter) {
        guard rows.count < count else { return }
        var taken = RowSet(rows: snapshot.catalogue.count)
        for ranked in rows { taken.insert(ranked.row) }
        let floor = rows.last.map { $0.score - 1 } ?? 0
        for (row, share) in zip(snapshot.trending.rows, snapshot.trending.shares) where rows.count < count {
            if allowed?.contains(row) ?? true, filter.admits(row), taken.insert(row) {
                rows.append(RankedRow(row: row, score: floor + share, reason: .trending))
            }
        }
        for row in unpackedRows + packedRows where rows.count < count {
            if filter.admits(row), taken.insert(row) {
                rows.append(RankedRow(row: row, score: floor, reason: .fresh))
            }
        }
    }
}
