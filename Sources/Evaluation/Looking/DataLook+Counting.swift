extension DataLook {
    /// Events whose gaps and pairs are looked at, at most: those of every so manieth user. All else is counted over all events, in memory
    /// that grows with users and items.
    public static let sampleLimitEvents = 2_000_000

    private static let hour: Int64 = 3_600_000, day = 86_400_000.0

    /// Looks at a log. The same log gives the same look; O(events).
    public init(_ columns: LogColumns) {
        self.init()
        countSizes(columns)
        countTimes(columns)
        countNewest(columns)
        countRepeats(columns)
        let found = OrderCount(columns, limitEvents: Self.sampleLimitEvents)
        (orderPairs, order, orderRatio) = (found.pairs, found.share, found.ratio)
    }

    /// Looks at how much there is and at its times alone: what ``hasMadeUpTimes`` asks for.
    public init(timesOf columns: LogColumns) {
        self.init()
        countSizes(columns)
        countTimes(columns)
    }

    private mutating func countSizes(_ log: LogColumns) {
        var counts = [Int](repeating: 0, count: log.isDescribed.count)
        var paid = 0, bought = 0
        for row in log.items.indices {
            counts[Int(log.items[row])] += 1
            if log.types[row] == 3 { bought += 1 }
            if log.amounts[row] > 0 { paid += 1 }
        }
        let own = log.users.map { log.rows(of: $0).count }.filter { $0 > 0 }, met = counts.filter { $0 > 0 }
        (events, users, items) = (log.items.count, own.count, met.count)
        (purchases, valued) = (Self.share(bought, of: events), Self.share(paid, of: events))
        (eventsPerUser, eventsPerItem) = (Self.median(own), Self.median(met))
        content.items = counts.count
        content.newDescribed = Self.share(zip(counts, log.isDescribed).count { $0 == 0 && $1 }, of: counts.count)
    }

    private mutating func countTimes(_ log: LogColumns) {
        var ties = 0, neighbours = 0, visits = 0, oldest = Int64.max, newest = Int64.min
        for user in log.users {
            let rows = log.rows(of: user)
            guard let first = rows.first, let last = rows.last else { continue }
            (oldest, newest) = (min(oldest, log.times[first]), max(newest, log.times[last]))
            visits += 1
            for row in rows.dropFirst() {
                neighbours += 1
                if log.times[row] == log.times[row - 1] { ties += 1 }
                if Self.hours(log.times[row]) != Self.hours(log.times[row - 1]) { visits += 1 }
            }
        }
        tied = Self.share(ties, of: neighbours)
        eventsPerVisit = Self.share(events, of: visits)
        spanDays = events > 0 ? (Double(newest) - Double(oldest)) / Self.day : 0
        var gaps: [Int64: Int] = [:], ends: [Int64: Int] = [:], above = 0, asked = 0
        for user in log.sample(limitEvents: Self.sampleLimitEvents) {
            let rows = log.rows(of: user)
            guard let last = rows.last else { continue }
            asked += 1
            ends[log.times[last], default: 0] += 1
            for row in rows.dropFirst() where log.times[row] > log.times[row - 1] {
                above += 1
                gaps[log.times[row] &- log.times[row - 1], default: 0] += 1
            }
        }
        commonestGap = Self.share(gaps.values.max() ?? 0, of: above)
        commonestEnd = Self.share(ends.values.max() ?? 0, of: asked)
    }

    /// What of the newest tenth was there before. Where times are made up it is the end of each user's events, else that of all.
    private mutating func countNewest(_ log: LogColumns) {
        let border = hasMadeUpTimes ? nil : NewestPart.border(newest: 0.1, of: log.times, count: log.times.count)
        let ends = log.users.map { user -> Int in
            let rows = log.rows(of: user)
            guard let border else { return rows.lowerBound + (rows.count * 9 + 9) / 10 }
            return rows.partition(by: { log.times[$0] > border })
        }
        var isOld = [Bool](repeating: false, count: log.isDescribed.count)
        for user in log.users { for row in log.rows(of: user).lowerBound..<ends[user] { isOld[Int(log.items[row])] = true } }
        // Who had an item last, before the border and behind it: no set for each user.
        var before = [Int32](repeating: -1, count: isOld.count), behind = before
        var pairs = 0, repeated = 0, known = 0, ofNewItems = 0, ofNewUsers = 0, all = 0
        for user in log.users {
            let rows = log.rows(of: user), own = Int32(truncatingIfNeeded: user)
            all += rows.upperBound - ends[user]
            guard ends[user] > rows.lowerBound else {
                ofNewUsers += rows.count
                continue
            }
            for row in rows.lowerBound..<ends[user] { before[Int(log.items[row])] = own }
            for row in ends[user]..<rows.upperBound {
                let item = Int(log.items[row])
                known += 1
                if !isOld[item] { ofNewItems += 1 }
                guard behind[item] != own else { continue }
                behind[item] = own
                pairs += 1
                if before[item] == own { repeated += 1 }
            }
        }
        (askedPairs, repeats) = (pairs, Self.share(repeated, of: pairs))
        (newItems, newUsers) = (Self.share(ofNewItems, of: known), Self.share(ofNewUsers, of: all))
    }

    private mutating func countRepeats(_ log: LogColumns) {
        var owner = [Int32](repeating: -1, count: log.isDescribed.count), last = [Int64](repeating: 0, count: owner.count)
        var all = 0, soon = 0, days = [Int](repeating: 0, count: 3_651)
        for user in log.users {
            let own = Int32(truncatingIfNeeded: user)
            for row in log.rows(of: user) {
                let item = Int(log.items[row]), time = log.times[row]
                if owner[item] == own {
                    let gap = Double(time) - Double(last[item])
                    all += 1
                    if gap < Double(Self.hour) { soon += 1 }
                    if gap >= Self.day { days[Int(min(gap / Self.day, Double(days.count - 1)))] += 1 }
                }
                (owner[item], last[item]) = (own, time)
            }
        }
        repeatsWithinHour = Self.share(soon, of: all)
        let later = days.reduce(0, +)
        var left = later / 2
        repeatDays = later > 0 ? days.firstIndex { count in
            left -= count
            return left < 0
        }.map(Double.init) : nil
    }

    private static func share(_ part: Int, of all: Int) -> Double { all > 0 ? Double(part) / Double(all) : 0 }

    private static func median(_ values: [Int]) -> Int { values.isEmpty ? 0 : values.sorted()[values.count / 2] }

    /// Hours since 1970, also before it.
    private static func hours(_ time: Int64) -> Int64 { time >= 0 ? time / hour : -1 - (-1 - time) / hour }
}

extension Range<Int> {
    /// The first index from which on a condition holds that never ceases to.
    fileprivate func partition(by holds: (Int) -> Bool) -> Int {
        var (low, high) = (lowerBound, upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
