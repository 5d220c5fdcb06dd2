import CandidateRanking

/// Finds what put items where they are: the score of each is computed again without each kind of knowledge (``SignalGroup``), and the kind
/// whose absence costs most is named.
///
/// The terms of towers and blend are sums, so that leaving one out is a subtraction; where a ranker has the last word, its network goes
/// once over the rows for each kind. Without the user's own items, what goes with others, or categories, an item stands as for somebody of
/// whom none of it is known; without its popularity as the item in the middle of those that anybody took. Heads and the content channel are
/// not asked: what they move is told by other reasons.
struct Attribution {
    /// Rows of the catalogue among which the middle of popularity is looked for.
    private static let typicalLimitRows = 64

    let ranking: Ranking
    private let knowsPopularity: Bool

    /// What was found of a row.
    struct Found {
        /// What moved it most.
        var group: SignalGroup
        /// What the absence of each kind costs, by ``SignalGroup``'s raw value.
        var costs: [Float]
        /// The terms of its interest.
        var terms: InterestTerms

        func cost(_ group: SignalGroup) -> Float { costs[group.rawValue] }
    }

    init(_ ranking: Ranking) {
        self.ranking = ranking
        let snapshot = ranking.snapshot
        knowsPopularity = snapshot.blend != nil || snapshot.ranker != nil || (snapshot.model?.biasComponents ?? 0) > 0
    }

    /// What moved each of some rows.
    ///
    /// - Complexity: O(64 + rows × kinds); with a ranker its network goes over at most six times the rows.
    func found(_ rows: [Int32]) -> [Found] {
        guard !rows.isEmpty else { return [] }
        let terms = rows.map(ranking.terms), snapshot = ranking.snapshot
        let typicalPopularity = knowsPopularity ? Self.typicalPopularity(ranking) : 0
        var costs = [[Float]](repeating: [Float](repeating: 0, count: SignalGroup.allCases.count), count: rows.count)
        let interests = terms.map(\.sum)
        let ranker = snapshot.ranker.flatMap { ranker in ranking.taste.counted.map { (ranker, $0) } }
        let whole = ranker.map { $0.0.scores(rows, interests: interests, user: $0.1) } ?? interests
        for group in SignalGroup.allCases {
            let without = terms.map { $0.sum - $0[group] + (group == .popularity ? typicalPopularity : 0) }
            // The towers are no signal of the ranker: there only the interest differs, which counts by a weight.
            let scores = ranker.map { ranker, user in
                group == .towers
                    ? zip(whole, terms).map { $0 - ranking.interestWeight * $1.towers }
                    : ranker.scores(rows, interests: without, without: group, user: user)
            } ?? without
            for place in rows.indices { costs[place][group.rawValue] = whole[place] - scores[place] }
        }
        return rows.indices.map { Found(group: strongest(costs[$0]), costs: costs[$0], terms: terms[$0]) }
    }

    /// The kind that costs most; popularity, where it is known, if none costs anything.
    private func strongest(_ costs: [Float]) -> SignalGroup {
        guard knowsPopularity else { return SignalGroup.allCases.filter { $0 != .popularity }.reduce(.towers) { best($0, $1, costs) } }
        return SignalGroup.allCases.reduce(.popularity) { costs[$1.rawValue] > 0 ? best($0, $1, costs) : $0 }
    }

    private func best(_ left: SignalGroup, _ right: SignalGroup, _ costs: [Float]) -> SignalGroup {
        costs[right.rawValue] > costs[left.rawValue] ? right : left
    }

    /// The item of the history without which a row would lose most of what goes with it; nil where none leads there.
    ///
    /// - Complexity: O(links of the history); with a ranker its network goes over ``CandidateSignals/sourcesLimit`` rows.
    func source(of row: Int32, _ found: Found) -> Int32? {
        let interest = found.terms.sum
        var lost: [(row: Int32, cost: Float)] = []
        if let ranker = ranking.snapshot.ranker, let user = ranking.taste.counted {
            let sources = user.sources(of: row), losses = sources.map { ranking.interestLost(row, without: $0.row) }
            let whole = ranker.scores([row], interests: [interest], user: user)[0]
            let scores = ranker.scores(row, interests: losses.map { interest - $0 }, withoutEachOf: sources, user: user)
            lost = zip(sources, scores).map { ($0.row, whole - $1) }
        }
        let known = Set(lost.map(\.row)), weight = ranking.interestWeight
        var others = ranking.followed(by: row)
        if let newest = ranking.newestQuery == nil ? nil : ranking.taste.newestRow, newest != row { others.insert(newest) }
        for source in others.subtracting(known) { lost.append((source, weight * ranking.interestLost(row, without: source))) }
        return lost.filter { $0.cost > 0 }.max { ($0.cost, -$0.row) < ($1.cost, -$1.row) }?.row
    }

    /// The middle of what popularity adds to those items of the catalogue that anybody took; 0 where nobody took any.
    private static func typicalPopularity(_ ranking: Ranking) -> Float {
        let snapshot = ranking.snapshot, count = snapshot.catalogue.count
        // Looked at more than are needed, since many may be hidden or never taken.
        let step = max(1, count / (8 * typicalLimitRows))
        var values: [Float] = []
        for row in stride(from: 0, to: count, by: step).lazy.map(Int32.init) where values.count < typicalLimitRows {
            guard snapshot.catalogue.available.contains(row), snapshot.vectors.hasVector(row) else { continue }
            if let blend = snapshot.blend?.blend, !blend.tables.isTaken(row) { continue }
            values.append(ranking.terms(row).popularity)
        }
        values.sort()
        return values.isEmpty ? 0 : values[values.count / 2]
    }
}
