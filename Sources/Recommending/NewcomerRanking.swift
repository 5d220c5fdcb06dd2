import Interactions

/// Ranks for users without a history, from what is known of them at once: their attributes and the request's context.
///
/// Where the model has learned something of it, its candidates are the list; else what is popular now. Either is weighed by how much more
/// than everybody the user's segments like an item (``SegmentTable``): all of them, or beside the model those that it has not
/// learned. The list is spread over categories and, where there is an id, varied a little by it.
struct NewcomerRanking {
    /// The most popular items that are looked at, and those of each of the user's segments.
    private static let popularItems = 1_000, segmentItems = 200

    private let snapshot: ServingSnapshot
    private let filter: RowFilter
    private let segments: [String]
    private let variety: Variety?

    /// - Parameter seed: the id of the user or of the session; nil varies nothing.
    init(snapshot: ServingSnapshot, filter: RowFilter, input: UserTowerInput, seed: String?) {
        self.snapshot = snapshot
        self.filter = filter
        segments = snapshot.segments?.known(input.attributeTokens) ?? []
        let strength = snapshot.rules.variety
        variety = strength > 0 ? seed.map { Variety(strength: strength, seed: $0) } : nil
    }

    /// Whether anything here differs from the trending list.
    private var changesTrending: Bool { variety != nil || !segments.isEmpty }

    /// The list, at most `count` long.
    ///
    /// - Parameter personal: what the model ranks, best first and longer than the list; empty where it knows nothing of the user.
    ///   Empty answers leave the rest to the trending list.
    func list(_ count: Int, personal: [RankedRow], among allowed: RowSet? = nil) -> [RankedRow] {
        guard personal.isEmpty else {
            let scale = snapshot.model?.temperature ?? 1
            let others = segments.filter { !(snapshot.model?.knowsAttribute($0) ?? false) }
            guard !others.isEmpty, let table = snapshot.segments else { return varied(personal, count: count, scale: scale) }
            var rows = personal
            for place in rows.indices { rows[place].score += scale * table.logLift(rows[place].row, in: others) }
            sort(&rows)
            return varied(rows, count: count, scale: scale)
        }
        guard changesTrending else { return [] }
        var rows = popular(among: allowed)
        sort(&rows)
        rows = varied(rows, count: count, scale: 1)
        // Shares of the first, as those of the trending list are.
        let top = rows.first?.score ?? 0
        return rows.map { RankedRow(row: $0.row, score: max(exponential($0.score - top), .leastNormalMagnitude), reason: .trending) }
    }

    /// What is popular now and what the user's segments like, with log odds.
    private func popular(among allowed: RowSet?) -> [RankedRow] {
        var taken = RowSet(rows: snapshot.catalogue.count)
        var rows: [RankedRow] = []
        func add(_ row: Int32, share: Float) {
            guard allowed?.contains(row) ?? true, filter.admits(row), taken.insert(row) else { return }
            let lift = snapshot.segments?.logLift(row, in: segments) ?? 0
            rows.append(RankedRow(row: row, score: naturalLogarithm(max(share, .leastNormalMagnitude)) + lift, reason: .trending))
        }
        let popular = snapshot.trending.popular
        for (row, share) in popular where rows.count < Self.popularItems { add(row, share: share) }
        // An item that is not popular with everybody stands behind those that are, before its lift.
        let least = popular.last?.share ?? 1
        for segment in segments {
            for row in snapshot.segments?.top(Self.segmentItems, in: segment, where: filter.admits) ?? [] { add(row, share: least) }
        }
        return rows
    }

    private func varied(_ rows: [RankedRow], count: Int, scale: Float) -> [RankedRow] {
        var rows = rows
        if let variety {
            for place in rows.indices { rows[place].score += scale * variety.noise(snapshot.catalogue[rows[place].row].itemID) }
            sort(&rows)
        }
        return spread(rows, over: snapshot.catalogue, count: count, discount: snapshot.rules.trendingDiscount, scale: scale)
    }

    private func sort(_ rows: inout [RankedRow]) {
        let catalogue = snapshot.catalogue
        rows.sort { $0.score != $1.score ? $0.score > $1.score : catalogue[$0.row].itemID < catalogue[$1.row].itemID }
    }
}

extension UserTowerInput {
    /// What is known of the user and of the moment as tokens `name=value`: attributes first, then the context by name.
    public var attributeTokens: [String] {
        (attributes.map { JSONText.tokens(ofObject: $0) } ?? [])
            + context.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}
