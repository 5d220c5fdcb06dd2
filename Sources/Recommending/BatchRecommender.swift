import Features
import Interactions

/// Exact recommendations for many users among a fixed list of candidates, by brute force.
///
/// The vectors of the candidates are packed once; a value is used from several threads at once.
public struct BatchRecommender: Sendable {
    private var snapshot: ServingSnapshot
    /// The candidates that may be shown; nil stands for all.
    private let allowed: RowSet?
    /// Members of groups among the candidates; nil where all may be shown.
    private let allowedVariants: Set<String>?
    private let packedRows: [Int32]
    /// `[packedRows.count, dimension]`
    private let packed: [Float]
    private let unpackedRows: [Int32]
    /// Ids among the candidates that the snapshot knows nothing of.
    public let unknownCandidates: [String]
    /// How many candidates are known, but hidden or deleted.
    public let unavailableCandidates: Int

    /// Packs the candidates: available items of the snapshot, or those of `candidates` that it knows.
    public init(snapshot: ServingSnapshot, candidates: [String]? = nil) {
        self.snapshot = snapshot
        let catalogue = snapshot.catalogue
        var rows: [Int32] = []
        var unknown: [String] = [], unavailable = 0
        var seen = RowSet(rows: catalogue.count), variants: Set<String> = []
        if let candidates {
            for itemID in candidates {
                guard let row = catalogue.row(of: itemID) else {
                    unknown.append(itemID)
                    continue
                }
                guard snapshot.state(of: itemID) != .hidden else {
                    unavailable += 1
                    continue
                }
                if !catalogue[row].variants.isEmpty { variants.insert(itemID) }
                if seen.insert(row) { rows.append(row) }
            }
            rows.sort()
            allowed = seen
            allowedVariants = variants
        } else {
            rows = (0..<Int32(catalogue.count)).filter { catalogue.available.contains($0) }
            allowed = nil
            allowedVariants = nil
        }
        unknownCandidates = unknown
        unavailableCandidates = unavailable
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

    /// The same candidates and vectors under another snapshot of the same items: only its trending list and blend count.
    ///
    /// - Precondition: the snapshot came from this one's by ``ServingSnapshot/withTrending(_:)``.
    public func with(snapshot: ServingSnapshot) -> BatchRecommender {
        precondition(
            snapshot.itemCount == self.snapshot.itemCount && snapshot.modelVersion == self.snapshot.modelVersion
                && snapshot.freshCount == self.snapshot.freshCount,
            "the other snapshot has \(snapshot.itemCount) items of model \(snapshot.modelVersion ?? 0), not "
                + "\(self.snapshot.itemCount) of \(self.snapshot.modelVersion ?? 0)")
        var next = self
        next.snapshot = snapshot
        return next
    }

    /// Adds an event to what the blend knows of transitions; see ``ServingSnapshot/learn(previous:itemID:)``.
    public mutating func learn(previous: UserHistory, itemID: String) {
        snapshot.learn(previous: previous, itemID: itemID)
    }

    /// The snapshot that answers come from.
    public var current: ServingSnapshot { snapshot }

    /// How many candidates may be shown at all.
    public var candidateCount: Int { packedRows.count + unpackedRows.count }

    /// The best `count` candidates for one user, as ``recommend(_:history:excluded:attributes:snapshot:now:requestID:)``
    /// scores them; `count` is not bounded by the limits of a request.
    ///
    /// - Parameters:
    ///   - userID: varies the list of a user without a history, where the rules say so; see ``RecommendingRules/variety``.
    ///   - explain: whether to find what moved each item, for reasons and explanations as requests give them.
    ///
    /// The list is shorter only where fewer candidates are left after the exclusions.
    /// - Complexity: O(candidates × dimension)
    public func recommend(
        count: Int, history: UserHistory, excluded: [String], attributes: String?, now: EventTime, userID: String? = nil,
        explain: Bool = false
    ) -> [RecommendedItem] {
        let filter = RowFilter(snapshot.catalogue, category: nil, excluding: excluded)
        let taste = UserTaste(history: history, attributes: attributes, context: [:], snapshot: snapshot, now: now)
        let ranking = Ranking(snapshot: snapshot, taste: taste, objective: nil)
        let shared = SharedList(snapshot, history: history, count: count), depth = shared?.depth ?? count
        var rows: [RankedRow] = []
        if let vector = taste.vector {
            var found = best(ranking.poolSize(for: count), vector, filter, taste)
            if let shared { found = shared.completed(found) { count, _, admits in best(count, vector, filter, taste, where: admits) } }
            rows = ranking.ranked(found)
        }
        if taste.isNewcomer {
            rows = NewcomerRanking(snapshot: snapshot, filter: filter, input: taste.input, seed: userID)
                .list(depth, personal: rows, among: allowed)
        } else {
            rows = spread(
                rows, over: snapshot.catalogue, count: shared == nil ? count : rows.count, discount: snapshot.rules.categoryDiscount,
                scale: snapshot.model?.temperature ?? 1)
        }
        fill(&rows, depth, filter)
        if let shared { rows = shared.arranged(rows) { (allowed?.contains($0) ?? true) && filter.admits($0) } }
        guard !explain else { return ranking.items(rows, now: now, inWords: true, allowed: allowedVariants) }
        let choice = VariantChoice(snapshot, taste: taste, allowed: allowedVariants)
        return rows.map {
            RecommendedItem(itemID: choice.itemID(of: $0.row), score: $0.score, reason: $0.reason, share: $0.share)
        }
    }

    /// The best rows by the blend where the snapshot has one, else by the towers, and as many of those that are known by their content;
    /// each with its inner product. Either are looked for apart: content is on the scale of what ranks last, and would crowd out known
    /// items that a ranker puts first.
    ///
    /// - Parameter admits: of the rows that the filter admits.
    private func best(
        _ count: Int, _ query: [Float], _ filter: RowFilter, _ taste: UserTaste, where admits: (Int32) -> Bool = { _ in true }
    ) -> [Candidate] {
        let dimension = snapshot.vectors.dimension
        var top = TopRows(limit: count), new = TopRows(limit: count)
        func compare(_ scorer: ContentSignals.Scorer?) {
            packed.withUnsafeBufferPointer { packed in
                query.withUnsafeBufferPointer { query in
                    guard let vectors = packed.baseAddress, let query = query.baseAddress else { return }
                    for (place, row) in packedRows.enumerated() {
                        let tower = innerProduct(vectors + place * dimension, query, dimension)
                        if let own = scorer?.score(row, tower: tower) {
                            if new.wouldKeep(own), filter.admits(row), admits(row) { new.offer(row, own) }
                            continue
                        }
                        let score = snapshot.blend?.score(row, tower: tower, bonuses: taste.bonuses) ?? tower
                        if top.wouldKeep(score), filter.admits(row), admits(row) { top.offer(row, score) }
                    }
                }
            }
        }
        if let content = snapshot.content, let liking = taste.content { content.withScorer(liking) { compare($0) } } else { compare(nil) }
        guard snapshot.blend != nil || taste.content != nil || taste.counted != nil else { return top.sorted() }
        var rows = (top.sorted() + new.sorted()).map(\.row)
        if let counted = taste.counted {
            let found = Set(rows)
            rows += counted.candidates { (allowed?.contains($0) ?? true) && filter.admits($0) && admits($0) }.filter { !found.contains($0) }
        }
        return query.withUnsafeBufferPointer { query in
            rows.compactMap { row in
                query.baseAddress.flatMap { snapshot.vectors.score(row, $0) }.map { Candidate(row: row, score: $0) }
            }
        }
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
        let untold = UntoldScores(below: snapshot.trending, floor: floor, count: count - rows.count), told = rows.count
        for row in unpackedRows + packedRows where rows.count < count {
            if filter.admits(row), taken.insert(row) {
                rows.append(RankedRow(row: row, score: untold[rows.count - told], reason: .fresh))
            }
        }
    }
}
