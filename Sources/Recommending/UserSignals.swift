#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a user's history says of items beside the towers: which are their own, and which follow their newest ones.
public struct UserSignals: Sendable {
    private static let millisecondsPerDay = 86_400_000.0
    /// A transition's score times this is compared with 1 in ``RankingFeature/transition``.
    static let transitionScale: Float = 100

    /// An item of the history.
    struct Own: Sendable {
        var count: Float
        /// Days since the newest time.
        var ageDays: Float
    }

    /// Rows of the history that are known, oldest first.
    let history: [Int32]
    let own: [Int32: Own]
    /// How long the user was away, from 0 in the middle of a visit to 1 after days: hours / (hours + 1) since the newest item.
    public let returning: Float
    /// ``RankingFeature/transition``'s score before the logarithm, by row, for rows that have one.
    let transitions: [Int32: Float]

    /// Reads a history.
    ///
    /// - Parameters:
    ///   - history: rows, oldest first; times: milliseconds since 1970, one a row; now: the time of the question.
    ///   - pauses: ``returning`` is kept within these.
    /// - Complexity: O(history + items that speak × neighbours)
    public init(
        history: [Int32], times: [Int64], now: Int64, transitions table: TransitionTable, pauses: ClosedRange<Float> = 0...1
    ) {
        precondition(history.count == times.count, "\(history.count) rows and \(times.count) times")
        self.history = history
        var own: [Int32: Own] = [:]
        own.reserveCapacity(history.count)
        for (row, time) in zip(history, times) {
            let age = Float(max(0, Double(now) - Double(time)) / Self.millisecondsPerDay)
            if let known = own[row] {
                own[row] = Own(count: known.count + 1, ageDays: min(known.ageDays, age))
            } else {
                own[row] = Own(count: 1, ageDays: age)
            }
        }
        self.own = own
        let hours = times.last.map { max(0, Double(now) - Double($0)) / 3_600_000 } ?? 0
        returning = min(max(Float(hours / (hours + 1)), pauses.lowerBound), pauses.upperBound)
        transitions = Self.sums(history, table)
    }

    /// Writes the features of a row.
    ///
    /// - Parameters:
    ///   - tower: the inner product of the towers; trend: see ``RankingFeature/trend``.
    ///   - features: ``RankingFeature/count`` floats, all of which are written.
    public func write(
        featuresOf row: Int32, tower: Float, trend: Float, tables: RankingTables, into features: UnsafeMutableBufferPointer<Float>
    ) {
        let isKnown = Int(row) < tables.itemCount
        let popularity = isKnown ? tables.popularity[Int(row)] : tables.unseen
        features[RankingFeature.tower.rawValue] = tower
        features[RankingFeature.popularity.rawValue] = popularity
        let recent = isKnown ? tables.recentPopularity[Int(row)] : tables.unseen
        features[RankingFeature.recentPopularity.rawValue] = recent
        features[RankingFeature.returningRecentPopularity.rawValue] = returning * recent
        features[RankingFeature.returningTrend.rawValue] = returning * trend
        features[RankingFeature.trend.rawValue] = trend
        let transition = transitions[row].map(Self.transitionFeature) ?? 0
        features[RankingFeature.transition.rawValue] = transition
        features[RankingFeature.returningTransition.rawValue] = returning * transition
        let own = own[row]
        features[RankingFeature.own.rawValue] = own == nil ? 0 : 1
        features[RankingFeature.ownCount.rawValue] = own.map { log($0.count) } ?? 0
        features[RankingFeature.ownPopularity.rawValue] = own == nil ? 0 : popularity
        features[RankingFeature.ownRepeatRate.rawValue] = own == nil || !isKnown ? 0 : tables.repeatRate[Int(row)]
        features[RankingFeature.ownAge.rawValue] = own.map { log(1 + $0.ageDays) } ?? 0
    }

    static func transitionFeature(_ score: Float) -> Float { log(1 + transitionScale * score) }

    /// The rows that follow the history, those with the largest score first.
    func strongest(_ count: Int, where admits: (Int32) -> Bool) -> [Int32] {
        var top = TopRows(limit: count)
        for (row, score) in transitions where top.wouldKeep(score) && admits(row) { top.offer(row, score) }
        return top.sorted().map(\.row)
    }

    /// Sums by row, in an open hash table of the right size: a dictionary would grow while it is filled.
    private static func sums(_ history: [Int32], _ table: TransitionTable) -> [Int32: Float] {
        var pairs = 0
        for row in history.suffix(table.rules.historyLimitItems) where Int(row) < table.itemCount && row >= 0 {
            pairs += table.neighbourCount(of: row)
        }
        guard pairs > 0 else { return [:] }
        var capacity = 64
        while capacity < 2 * pairs { capacity *= 2 }
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: capacity) { rows in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { scores in
                rows.initialize(repeating: -1)
                scores.initialize(repeating: 0)
                var count = 0
                table.forEach(history: history) { _, row, weight in
                    var slot = Int(UInt32(bitPattern: row) &* 2_654_435_769) & (capacity - 1)
                    while rows[slot] != row && rows[slot] != -1 { slot = (slot + 1) & (capacity - 1) }
                    if rows[slot] == -1 {
                        rows[slot] = row
                        count += 1
                    }
                    scores[slot] += weight
                }
                var result: [Int32: Float] = [:]
                result.reserveCapacity(count)
                for slot in 0..<capacity where rows[slot] >= 0 { result[rows[slot]] = scores[slot] }
                return result
            }
        }
    }
}
