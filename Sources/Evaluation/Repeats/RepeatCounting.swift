extension RepeatStatistics {
    /// Counts a log. O(interactions), some passes.
    public init(_ events: RepeatEvents) {
        self.init()
        var counting = RepeatCounting(events)
        for share in Self.parts {
            guard let border = events.border(newest: share) else { break }
            counting.count(share) { events.first(of: $0, after: border) }
            if counting.statistics.met.pairs >= Self.wantedPairs { break }
        }
        if counting.statistics.met.pairs == 0 { counting.count(nil) { $0.isEmpty ? $0.upperBound : $0.upperBound - 1 } }
        counting.countCategories()
        counting.countReturns()
        self = counting.statistics
    }
}

/// One counting of repeats. Marks of items hold the user to whom they belong, so that nothing is cleared between users; memory grows with
/// the items.
private struct RepeatCounting {
    private let events: RepeatEvents
    private(set) var statistics = RepeatStatistics()
    /// By item: the user whose mark it is, what that user did with it before the newest part, and in it.
    private var owner: [Int32], before: [UInt8], within: [UInt8]
    private var last: [Int64]

    private static let click: UInt8 = 1, purchase: UInt8 = 2
    private static let hourMilliseconds: Int64 = 3_600_000
    /// Buyers that popular discoveries are shown, and popular items that are looked through for each, at most.
    private static let discoverersLimit = 2_000, popularLimit = 2_000

    init(_ events: RepeatEvents) {
        self.events = events
        owner = [Int32](repeating: -1, count: events.itemCount)
        before = [UInt8](repeating: 0, count: events.itemCount)
        within = before
        last = [Int64](repeating: 0, count: events.itemCount)
    }

    private func bit(_ row: Int) -> UInt8 { events.isPurchase(row) ? Self.purchase : Self.click }

    /// Counts the pairs of a newest part, which begins for each user at a row of theirs.
    mutating func count(_ share: Double?, first: (Range<Int>) -> Int) {
        statistics.part = share
        (statistics.met, statistics.clicked, statistics.bought) = (.init(), .init(), .init())
        clear()
        for (user, rows) in events.users.enumerated() {
            let start = first(rows)
            guard start > rows.lowerBound, start < rows.upperBound else { continue }
            let (had, taken) = mark(user, rows, from: start)
            let ways = had.reduce(UInt8(0)) { $0 | before[$1] }
            for item in taken { add(before[item], within[item], hadClicked: ways & Self.click != 0, hadBought: ways & Self.purchase != 0) }
        }
    }

    private mutating func clear() {
        owner.withUnsafeMutableBufferPointer { for place in $0.indices { $0[place] = -1 } }
    }

    /// Notes what a user did before a row and from it on. Returns the distinct items of both.
    private mutating func mark(_ user: Int, _ rows: Range<Int>, from start: Int) -> (had: [Int], taken: [Int]) {
        var had: [Int] = [], taken: [Int] = []
        for row in rows {
            let item = events.item(row), bit = bit(row)
            if owner[item] != Int32(user) {
                (owner[item], before[item], within[item]) = (Int32(user), 0, 0)
            }
            if row < start {
                if before[item] == 0 { had.append(item) }
                before[item] |= bit
            } else {
                if within[item] == 0 { taken.append(item) }
                within[item] |= bit
            }
        }
        return (had, taken)
    }

    /// Counts a pair of the newest part: what was done with it before, and in it.
    private mutating func add(_ had: UInt8, _ taken: UInt8, hadClicked: Bool, hadBought: Bool) {
        statistics.met.pairs += 1
        if had != 0 { statistics.met.repeats += 1 }
        if hadClicked {
            statistics.clicked.pairs += 1
            if had & Self.click != 0 { statistics.clicked.repeats += 1 }
        }
        guard hadBought, taken & Self.purchase != 0 else { return }
        statistics.bought.pairs += 1
        if had & Self.purchase != 0 { statistics.bought.repeats += 1 }
    }

    /// Counts what is bought again by category, at several borders that lie as far apart as the newest part is long: one alone has too few
    /// pairs of most categories.
    mutating func countCategories() {
        guard events.categoryCount > 0, statistics.bought.pairs > 0 else { return }
        let events = events
        var counts = CategoryCounts(categories: events.categoryCount)
        guard let part = statistics.part else {
            count({ $0.isEmpty ? $0 : $0.lowerBound..<$0.upperBound - 1 }, { $0.upperBound }, &counts)
            return rate(counts)
        }
        for place in 0..<RepeatStatistics.categoryBorders where part * Double(place + 1) <= RepeatStatistics.oldestBorder {
            guard let border = events.border(newest: part * Double(place + 1)) else { break }
            let end = place == 0 ? Int64.max : events.border(newest: part * Double(place)) ?? .max
            count({ $0.lowerBound..<events.first(of: $0, after: border) }, { events.first(of: $0, after: end) }, &counts)
        }
        rate(counts)
    }

    /// What is counted of categories, over some borders.
    private struct CategoryCounts {
        var pairs: [Int], again: [Int]
        /// Popular discoveries that were shown, and bought.
        var shown = 0, hits = 0

        init(categories: Int) { (pairs, again) = ([Int](repeating: 0, count: categories), [Int](repeating: 0, count: categories)) }
    }

    /// Counts one border: of each user what was before it, and the row at which the time after it ends.
    private mutating func count(_ known: (Range<Int>) -> Range<Int>, _ end: (Range<Int>) -> Int, _ counts: inout CategoryCounts) {
        clear()
        var popularity = [Float](repeating: 0, count: events.itemCount), buyers: [Int] = []
        for (user, rows) in events.users.enumerated() {
            let before = known(rows), rows = rows.lowerBound..<end(rows)
            for row in before { popularity[events.item(row)] += 1 }
            guard !before.isEmpty, before.upperBound < rows.upperBound else { continue }
            let (had, taken) = mark(user, rows, from: before.upperBound)
            guard taken.contains(where: { within[$0] & Self.purchase != 0 }), had.contains(where: { self.before[$0] & Self.purchase != 0 })
            else { continue }
            buyers.append(user)
            for item in had where self.before[item] & Self.purchase != 0 {
                let category = events.category(item)
                guard category >= 0 else { continue }
                counts.pairs[category] += 1
                if within[item] & Self.purchase != 0 { counts.again[category] += 1 }
            }
        }
        let popular = topRows(Self.popularLimit, of: popularity).map { Int($0) }
        for place in stride(from: 0, to: buyers.count, by: max(1, buyers.count / Self.discoverersLimit)) {
            let user = buyers[place], all = events.users[user], rows = all.lowerBound..<end(all)
            for row in rows { owner[events.item(row)] = -1 }
            _ = mark(user, rows, from: known(all).upperBound)
            var found = 0
            for item in popular where owner[item] != Int32(user) || before[item] == 0 {
                found += 1
                guard found > 5 else { continue }
                counts.shown += 1
                if owner[item] == Int32(user), within[item] & Self.purchase != 0 { counts.hits += 1 }
                if found == 10 { break }
            }
        }
    }

    private mutating func rate(_ counts: CategoryCounts) {
        let total = counts.pairs.reduce(0, +), mean = total > 0 ? Double(counts.again.reduce(0, +)) / Double(total) : 0
        statistics.discoveryPrecision = counts.shown > 0 ? Double(counts.hits) / Double(counts.shown) : 0
        statistics.categories = counts.pairs.indices.filter { counts.pairs[$0] > 0 }.map { category in
            let weight = Double(counts.pairs[category]) + RepeatStatistics.priorPairs
            let rate = (Double(counts.again[category]) + RepeatStatistics.priorPairs * mean) / weight
            return RepeatStatistics.Category(
                category: category, pairs: counts.pairs[category], again: counts.again[category], rate: rate,
                upper: rate + 1.96 * (max(0, rate * (1 - rate)) / weight).squareRoot())
        }
    }

    /// Counts clicks on what the user had met before, over all of the log, and those of them that came within an hour.
    mutating func countReturns() {
        clear()
        for (user, rows) in events.users.enumerated() {
            for row in rows {
                let item = events.item(row), now = events.time(row)
                if owner[item] == Int32(user), !events.isPurchase(row) {
                    // Times of one row may lie anywhere; the order of rows is that of times.
                    let gap = now.subtractingReportingOverflow(last[item])
                    statistics.returns.pairs += 1
                    if !gap.overflow, gap.partialValue < Self.hourMilliseconds { statistics.returns.repeats += 1 }
                }
                (owner[item], last[item]) = (Int32(user), now)
            }
        }
    }
}
