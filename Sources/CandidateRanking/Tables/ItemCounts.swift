import Evaluation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What counting says of each item, by row.
public struct ItemCounts: Sendable, Equatable {
    /// What is counted; the raw value is its place.
    enum Column: Int, CaseIterable, Sendable {
        /// Users of the last so many days, and of all time.
        case users7, users28, users112, users
        /// ln of the rate of the last 14 days beside that of the 42 before.
        case rise
        /// Days since somebody last took it, and since somebody first did; 999 where nobody ever did.
        case lastDays, firstDays
        /// Of those who had it before the horizon and came back within: the share that took it again, shrunk to its category's.
        case rebuyRate
        /// New takers within the horizon, beside all who were active.
        case takeRate
        /// ln of the mean worth of a line of it, relative to all.
        case worth
        /// ln of the mean days between takings by one user.
        case interval

        static let count = allCases.count
    }

    static let never: Float = 999
    /// Values of ``Column``, one column behind the other: `[columns][items]`.
    private(set) var columns: [[Float]]

    /// Items that there are.
    var itemCount: Int { columns[0].count }

    @inline(__always)
    subscript(_ column: Column, _ row: Int32) -> Float { columns[column.rawValue][Int(row)] }

    /// ``Column`` of an item that nobody took.
    let unknown: [Float]
    /// ``Column`` by itself of the item in the middle of those that anybody took.
    let typical: [Float]

    /// Counts.
    ///
    /// - Parameters:
    ///   - end: the moment that the tables are of.
    ///   - levels: groups of items from fine to coarse, of which the finest that knows an item says how often it is taken again.
    init(_ events: CountedEvents, end: Int64, levels: [(group: [Int32], count: Int)], horizonDays: Float) {
        let count = events.itemCount
        var columns = [[Float]](repeating: [Float](repeating: 0, count: count), count: Column.count)
        var users14 = [Float](repeating: 0, count: count), before = users14, gaps = users14, gapUsers = users14
        var last = [Float](repeating: Self.never, count: count), first = [Float](repeating: 0, count: count), taken = first
        var returns = ReturnCounts(count: count), active: Float = 0
        events.forEachUser(end: end, keyCount: count, key: { $0 }) { pairs, newest in
            returns.add(pairs, newestDays: newest, horizonDays: horizonDays)
            if newest <= horizonDays { active += 1 }
            for pair in pairs {
                let item = Int(pair.key)
                columns[Column.users.rawValue][item] += 1
                if pair.newestDays <= 7 { columns[Column.users7.rawValue][item] += 1 }
                if pair.newestDays <= 28 { columns[Column.users28.rawValue][item] += 1 }
                if pair.newestDays <= 112 { columns[Column.users112.rawValue][item] += 1 }
                if pair.newestDays <= 14 { users14[item] += 1 }
                if pair.isOfMonthBefore { before[item] += 1 }
                if pair.oldestDays <= horizonDays { taken[item] += 1 }
                last[item] = min(last[item], pair.newestDays)
                first[item] = max(first[item], pair.oldestDays)
                if pair.visits > 1 {
                    gaps[item] += log(max((pair.oldestDays - pair.newestDays) / Float(pair.visits - 1), 0.5))
                    gapUsers[item] += 1
                }
            }
        }
        var prior = [Float](repeating: returns.mean, count: count)
        for level in levels.reversed() {
            let rates = returns.rates(of: level.group, count: level.count, prior: returns.mean, weight: 20)
            for item in 0..<count where level.group[item] >= 0 { prior[item] = rates[Int(level.group[item])] }
        }
        let worth = Self.worth(events), meanGap = gaps.reduce(0, +) / max(1, gapUsers.reduce(0, +))
        for item in 0..<count {
            func set(_ column: Column, _ value: Float) { columns[column.rawValue][item] = value }
            set(.rise, log((users14[item] + 1) / 14) - log((before[item] + 3) / 42))
            set(.lastDays, last[item])
            set(.firstDays, columns[Column.users.rawValue][item] > 0 ? first[item] : Self.never)
            set(.rebuyRate, returns.rate(item, prior: prior[item], weight: 10))
            set(.takeRate, (taken[item] + 0.3) / max(1, active))
            set(.worth, worth[item])
            set(.interval, (gaps[item] + 5 * meanGap) / (gapUsers[item] + 5))
        }
        self.columns = columns
        var unknown = [Float](repeating: 0, count: Column.count)
        unknown[Column.rise.rawValue] = log(Float(1) / 14) - log(Float(3) / 42)
        unknown[Column.lastDays.rawValue] = Self.never
        unknown[Column.firstDays.rawValue] = Self.never
        unknown[Column.rebuyRate.rawValue] = returns.mean
        unknown[Column.takeRate.rawValue] = 0.3 / max(1, active)
        unknown[Column.interval.rawValue] = meanGap
        self.unknown = unknown
        typical = Self.typical(columns, unknown: unknown)
    }

    /// Counts from their parts.
    init(columns: [[Float]], unknown: [Float]) {
        (self.columns, self.unknown) = (columns, unknown)
        typical = Self.typical(columns, unknown: unknown)
    }

    /// Items that are looked at for ``typical``.
    private static let typicalLimitItems = 4_096

    private static func typical(_ columns: [[Float]], unknown: [Float]) -> [Float] {
        let users = columns[Column.users.rawValue], taken = users.indices.filter { users[$0] > 0 }
        guard !taken.isEmpty else { return unknown }
        let step = (taken.count + typicalLimitItems - 1) / typicalLimitItems
        let looked = stride(from: 0, to: taken.count, by: step).map { taken[$0] }
        return columns.map { column in looked.map { column[$0] }.sorted()[looked.count / 2] }
    }

    /// ln of the mean worth of each item's lines, relative to all lines, three of which stand beside its own.
    private static func worth(_ events: CountedEvents) -> [Float] {
        var sums = [Double](repeating: 0, count: events.itemCount), lines = sums, sum = 0.0, all = 0.0
        for own in events.users {
            for row in own where events.amounts[row] > 0 {
                let worth = log(Double(events.amounts[row]))
                sums[Int(events.items[row])] += worth
                lines[Int(events.items[row])] += 1
                sum += worth
                all += 1
            }
        }
        guard all > 0 else { return [Float](repeating: 0, count: events.itemCount) }
        let mean = sum / all
        return zip(sums, lines).map { Float(($0 - $1 * mean) / ($1 + 3)) }
    }

    func renumbered(_ rows: [Int32], itemCount: Int) -> ItemCounts {
        var next = columns.indices.map { [Float](repeating: unknown[$0], count: itemCount) }
        for (row, new) in rows.enumerated() where new >= 0 && row < self.itemCount {
            for column in columns.indices { next[column][Int(new)] = columns[column][row] }
        }
        return ItemCounts(columns: next, unknown: unknown)
    }

    /// The best rows of some order, best first; those with 0 users are left out.
    func best(_ limit: Int, by score: (Int) -> Float) -> [Int32] {
        let users = columns[Column.users.rawValue]
        let scores = (0..<itemCount).map { users[$0] > 0 ? score($0) : Float.nan }
        return topRows(limit, of: scores)
    }
}
