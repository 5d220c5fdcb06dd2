/// The learned ranking: a weight a signal, and the tables that the signals are read from.
///
/// The score of an item is the inner product of ``weights`` and its features, a logit like the towers' own. The weights are
/// those of a conditional logit model over the candidates of questions that training held out: see ``BlendFit``.
public struct RankingBlend: Sendable, Equatable {
    /// What each signal counts for.
    public let weights: BlendWeights
    /// What the signals read of the past.
    public private(set) var tables: RankingTables

    /// Makes a blend.
    public init(weights: BlendWeights, tables: RankingTables) {
        self.weights = weights
        self.tables = tables
    }

    /// The weight of a feature for a user.
    func weight(_ feature: RankingFeature, of user: UserSignals) -> Float {
        guard let place = weights.newcomer(historyEvents: user.history.count) else { return weights[feature] }
        return weights.newcomers[place].values[feature.rawValue]
    }

    /// The same blend under other row numbers; see ``RankingTables/renumbered(_:itemCount:)``.
    public func renumbered(_ rows: [Int32], itemCount: Int) -> RankingBlend {
        RankingBlend(weights: weights, tables: tables.renumbered(rows, itemCount: itemCount))
    }

    /// The same blend with a tail dial beside what it has. It acts on the final score, so that no other signal makes up for it.
    public func dialled(_ dial: TailDial) -> RankingBlend {
        dial == TailDial() ? self : RankingBlend(weights: weights.dialled(dial), tables: tables)
    }

    /// Adds an event to the transitions; see ``TransitionTable/learn(previous:item:)``. The weights stay.
    public mutating func learn(previous: [Int32], item: Int32) {
        tables.transitions.learn(previous: previous, item: item)
    }

    /// What the tables say of a history; see ``UserSignals``.
    public func signals(history: [Int32], times: [Int64], now: Int64) -> UserSignals {
        UserSignals(
            history: history, times: times, now: now, transitions: tables.transitions,
            pauses: weights.shortestPause...max(weights.shortestPause, weights.longestPause))
    }

    /// What the history adds to the score of each item that it says something of.
    func bonuses(_ user: UserSignals) -> UserBonuses {
        var bonuses: [Int32: Float] = [:]
        let values = weights.values(historyEvents: user.history.count), places = RankingFeature.placesOfUsers
        bonuses.reserveCapacity(user.transitions.count + user.own.count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: RankingFeature.count) { features in
            func add(_ row: Int32) {
                user.write(featuresOf: row, tower: 0, trend: 0, tables: tables, into: features)
                var sum: Float = 0
                for place in places { sum += values[place] * features[place] }
                bonuses[row] = sum
            }
            for row in user.transitions.keys { add(row) }
            for row in user.own.keys where user.transitions[row] == nil { add(row) }
        }
        return UserBonuses(
            rows: bonuses, returning: user.returning, column: weights.newcomer(historyEvents: user.history.count).map { $0 + 1 } ?? 0)
    }
}

/// What a user's signals add to scores.
struct UserBonuses: Sendable {
    var rows: [Int32: Float] = [:]
    /// ``UserSignals/returning``.
    var returning: Float = 0
    /// Which of ``BlendInForce``'s columns: 0 that of everybody, behind it those of newcomers.
    var column = 0
}

/// A blend on the rows of a snapshot, with what is the same for all users computed beforehand.
struct BlendInForce: Sendable {
    /// Rows that every request looks at because many people choose them: so many in general, and so many after a pause.
    static let popularLimitItems = 100
    /// Of so many the first that a request may show are taken: others keep no place from them.
    static let popularKeptItems = 5_000

    private(set) var blend: RankingBlend
    /// That of everybody, then those of newcomers.
    private let columns: [BlendColumn]

    /// - Parameter trending: row and share of the top score, in (0, 1].
    init(_ blend: RankingBlend, trending: some Sequence<(row: Int32, share: Float)>) {
        self.blend = blend
        let trending = Array(trending)
        columns = ([blend.weights.values] + blend.weights.newcomers.map(\.values)).map {
            BlendColumn($0, tailLift: blend.weights.tailLift, tables: blend.tables, trending: trending)
        }
    }

    mutating func learn(previous: [Int32], item: Int32) {
        blend.learn(previous: previous, item: item)
    }

    /// The rows that popularity and trend put first for a user, in the middle of a visit and after a long pause, of those that
    /// `admits` takes.
    func popular(_ bonuses: UserBonuses, where admits: (Int32) -> Bool) -> [Int32] {
        var found: [Int32] = []
        for list in [columns[bonuses.column].popular, columns[bonuses.column].popularAfterPause] {
            var open = Self.popularLimitItems
            for row in list where open > 0 && admits(row) {
                found.append(row)
                open -= 1
            }
        }
        return found
    }

    /// ``RankingFeature/trend`` of an item with a share of the top score.
    static func trendFeature(_ share: Float) -> Float { UserSignals.transitionFeature(share) }

    /// What popularity and trend add to the score of a row.
    func popularity(_ row: Int32, _ bonuses: UserBonuses) -> Float {
        columns[bonuses.column].score(row, tower: 0, returning: bonuses.returning)
    }

    /// The final score.
    @inline(__always)
    func score(_ row: Int32, tower: Float, bonuses: UserBonuses) -> Float {
        columns[bonuses.column].score(row, tower: tower, returning: bonuses.returning) + (bonuses.rows[row] ?? 0)
    }
}

/// What popularity and trend add to scores under some weights, by row.
private struct BlendColumn: Sendable {
    private let tower: Float
    /// What they add, and what they add times ``UserSignals/returning``.
    private var base: [Float], returning: [Float]
    /// The same for rows beyond the columns.
    private let unseen: Float, unseenReturning: Float
    let popular, popularAfterPause: [Int32]

    init(_ weights: [Float], tailLift: Float, tables: RankingTables, trending: [(row: Int32, share: Float)]) {
        func weight(_ feature: RankingFeature) -> Float { weights[feature.rawValue] }
        tower = weight(.tower)
        let old = weight(.popularity), recent = weight(.recentPopularity), later = weight(.returningRecentPopularity)
        unseen = (old + recent) * tables.unseen
        unseenReturning = later * tables.unseen
        var base = (0..<tables.itemCount).map {
            old * tables.popularity[$0] + recent * tables.recentPopularity[$0] + (tailLift != 0 && tables.isBeyondHead($0) ? tailLift : 0)
        }
        var returning = tables.recentPopularity.map { later * $0 }
        for (row, share) in trending {
            while base.count <= Int(row) {
                base.append(unseen)
                returning.append(unseenReturning)
            }
            base[Int(row)] += weight(.trend) * BlendInForce.trendFeature(share)
            returning[Int(row)] += weight(.returningTrend) * BlendInForce.trendFeature(share)
        }
        var now = TopRows(limit: BlendInForce.popularKeptItems), after = now
        for row in base.indices {
            now.offer(Int32(row), base[row])
            after.offer(Int32(row), base[row] + returning[row])
        }
        self.base = base
        self.returning = returning
        popular = now.sorted().map(\.row)
        popularAfterPause = after.sorted().map(\.row)
    }

    @inline(__always)
    func score(_ row: Int32, tower product: Float, returning pause: Float) -> Float {
        let isKnown = Int(row) < base.count
        return tower * product + (isKnown ? base[Int(row)] : unseen) + pause * (isKnown ? returning[Int(row)] : unseenReturning)
    }
}
