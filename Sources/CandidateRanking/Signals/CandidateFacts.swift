#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What counting knows of an item for a user, in numbers that people understand. Days are nil where times only tell an order.
public struct CandidateFacts: Sendable, Equatable {
    /// How often the user had the item, by days of the calendar where times count; and the days since the last time.
    public var ownTimes: Int, ownDays: Double?
    /// Whether the user bought it.
    public var isBought: Bool
    /// Days after which people typically take the item again; nil where few ever do.
    public var againDays: Double?
    /// How often the user had something of the item's finest group that they know; and the days since the last time.
    public var groupTimes: Int, groupDays: Double?
    /// People who took the item in the 28 days before the counting; nil where times only tell an order.
    public var usersOf28Days: Int?
    /// People who ever took it.
    public var users: Int
}

extension CandidateSignals {
    /// The share of those who had an item and take it again from which on people are said to do so.
    private static let leastRebuyRate: Float = 0.05

    /// The facts about a row.
    public func facts(_ row: Int32) -> CandidateFacts {
        let isKnown = row >= 0 && Int(row) < tables.itemCount, usesTimes = tables.usesTimes
        let own = own[row] ?? OwnCounts()
        var kind = OwnCounts()
        if isKnown {
            for (level, counted) in tables.groups.enumerated() where kind.lines == 0 && counted.group[Int(row)] >= 0 {
                kind = groups[level][counted.group[Int(row)]] ?? kind
            }
        }
        func days(_ counts: OwnCounts) -> Double? { usesTimes && counts.lines > 0 ? Double(counts.newestDays) : nil }
        func users(_ column: ItemCounts.Column) -> Int { isKnown ? Int(tables.items[column, row]) : 0 }
        var again: Double?
        if usesTimes, isKnown, tables.items[.rebuyRate, row] >= Self.leastRebuyRate {
            let typical = exp(Double(tables.items[.interval, row]))
            if typical >= 1, typical < 1_000 { again = typical }
        }
        return CandidateFacts(
            ownTimes: Int(usesTimes ? own.visits : own.lines), ownDays: days(own), isBought: own.purchases > 0, againDays: again,
            groupTimes: Int(usesTimes ? kind.visits : kind.lines), groupDays: days(kind),
            usersOf28Days: usesTimes ? users(.users28) : nil, users: users(.users))
    }
}
