#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What counting says of items: how popular they are, how often they are repeated, and what follows them. Everything by row.
public struct RankingTables: Sendable, Equatable {
    /// How tables are counted.
    public struct Rules: Sendable, Equatable {
        /// How transitions between items are counted.
        public var transitions: TransitionTable.Rules
        /// The age at which an event counts half in ``RankingFeature/recentPopularity``; above 0.
        public var recentHalfLifeMilliseconds: Double

        /// Makes rules.
        public init(transitions: TransitionTable.Rules = TransitionTable.Rules(), recentHalfLifeDays: Double = 14) {
            self.transitions = transitions
            recentHalfLifeMilliseconds = max(recentHalfLifeDays, 1e-6) * 86_400_000
        }
    }

    /// Events that an item without any is taken to have, so that its logarithm exists.
    private static let priorEvents = 0.3
    /// Users that stand for the mean of the category (or of all items) in a rate of repeats.
    private static let priorUsers: Float = 10

    /// ``RankingFeature/popularity`` by row.
    public internal(set) var popularity: [Float]
    /// ``RankingFeature/recentPopularity`` by row.
    public internal(set) var recentPopularity: [Float]
    /// ``RankingFeature/ownRepeatRate`` of an own item, by row.
    public internal(set) var repeatRate: [Float]
    /// What both popularities are for an item without events.
    public internal(set) var unseen: Float
    /// The least ``popularity`` of the head, the fifth of the items with events that has most of them.
    public internal(set) var headBorder: Float
    /// Which item follows which.
    public var transitions: TransitionTable

    /// Counts events.
    ///
    /// - Parameters:
    ///   - users: where the events of each user stand in `items`, oldest first.
    ///   - items: the row of each event, below `itemCount`; times: in milliseconds since 1970.
    ///   - categories: of each item; the one with the fewest items stands in where an item has too few events of its own.
    /// - Complexity: O(events × window)
    public init(
        users: [Range<Int>], items: UnsafeBufferPointer<Int32>, times: UnsafeBufferPointer<Int64>, itemCount: Int,
        categories: [[String]] = [], rules: Rules = Rules()
    ) {
        precondition(items.count == times.count, "\(items.count) items and \(times.count) times")
        var counts = [Double](repeating: 0, count: itemCount), recent = counts
        let newest = users.lazy.filter { !$0.isEmpty }.map { times[$0.upperBound - 1] }.max() ?? 0
        for own in users {
            for place in own {
                counts[Int(items[place])] += 1
                recent[Int(items[place])] += exp2(-Double(newest - times[place]) / rules.recentHalfLifeMilliseconds)
            }
        }
        let events = max(counts.reduce(0, +), 1), itemTotal = Double(max(itemCount, 1)), prior = Self.priorEvents
        let scale = itemTotal / (events + prior * itemTotal)
        popularity = counts.map { Float(log(($0 + prior) * scale)) }
        unseen = Float(log(prior * scale))
        let met = counts.filter { $0 > 0 }.sorted(by: >)
        headBorder = met.isEmpty ? unseen : Float(log((met[(met.count + 4) / 5 - 1] + prior) * scale))
        // A recent event counts as many as make their sum that of all events, so that both features have one scale.
        let weight = max(recent.reduce(0, +), .leastNormalMagnitude) / events
        recentPopularity = recent.map { Float(log(($0 / weight + prior) * scale)) }
        repeatRate = Self.repeatRates(users: users, items: items, itemCount: itemCount, categories: categories)
        transitions = TransitionTable(users: users, items: items, itemCount: itemCount, rules: rules.transitions)
    }

    /// Tables from their parts, as read from a file; all of one length.
    init(
        popularity: [Float], recentPopularity: [Float], repeatRate: [Float], unseen: Float, headBorder: Float, transitions: TransitionTable
    ) {
        self.popularity = popularity
        self.recentPopularity = recentPopularity
        self.repeatRate = repeatRate
        self.unseen = unseen
        self.headBorder = headBorder
        self.transitions = transitions
    }

    /// Whether an item has events and is not of the head; items with as many as the last of the head are.
    public func isBeyondHead(_ row: Int) -> Bool { popularity[row] < headBorder && popularity[row] > unseen }

    /// Whether the item has events.
    func isTaken(_ row: Int32) -> Bool { Int(row) < itemCount && popularity[Int(row)] > unseen }

    /// Items that the tables have rows for.
    public var itemCount: Int { popularity.count }

    /// The same tables under other row numbers: `rows[old]` is the new row, below `itemCount`, or −1 for an item that is gone.
    public func renumbered(_ rows: [Int32], itemCount: Int) -> RankingTables {
        precondition(rows.count == self.itemCount, "\(rows.count) new rows for \(self.itemCount) items")
        func moved(_ values: [Float], _ absent: Float) -> [Float] {
            var result = [Float](repeating: absent, count: itemCount)
            for (old, row) in rows.enumerated() where row >= 0 { result[Int(row)] = values[old] }
            return result
        }
        return RankingTables(
            popularity: moved(popularity, unseen), recentPopularity: moved(recentPopularity, unseen),
            repeatRate: moved(repeatRate, 0), unseen: unseen, headBorder: headBorder,
            transitions: transitions.renumbered(rows, itemCount: itemCount))
    }

    /// ln(rate / mean rate) by item, where the rate is the share of an item's users that had it again, drawn to that of its
    /// category, and that of the category to the mean.
    private static func repeatRates(
        users owns: [Range<Int>], items: UnsafeBufferPointer<Int32>, itemCount: Int, categories: [[String]]
    ) -> [Float] {
        var users = [Float](repeating: 0, count: itemCount), again = users
        var slice: [Int32] = []
        for own in owns {
            slice.replaceSubrange(0..., with: items[own])
            slice.sort()
            var place = 0
            while place < slice.count {
                var end = place + 1
                while end < slice.count, slice[end] == slice[place] { end += 1 }
                users[Int(slice[place])] += 1
                if end - place > 1 { again[Int(slice[place])] += 1 }
                place = end
            }
        }
        let allUsers = users.reduce(0, +), allAgain = again.reduce(0, +)
        guard allAgain > 0 else { return [Float](repeating: 0, count: itemCount) }
        let mean = allAgain / allUsers

        var numbers: [String: Int] = [:]
        var itemsIn: [Int] = [], usersIn: [Float] = [], againIn: [Float] = []
        for (row, names) in categories.prefix(itemCount).enumerated() {
            for name in names {
                let number = numbers[name] ?? itemsIn.count
                if number == itemsIn.count {
                    numbers[name] = number
                    itemsIn.append(0)
                    usersIn.append(0)
                    againIn.append(0)
                }
                itemsIn[number] += 1
                usersIn[number] += users[row]
                againIn[number] += again[row]
            }
        }
        return (0..<itemCount).map { row in
            let narrowest = row < categories.count
                ? categories[row].compactMap { numbers[$0] }.min { (itemsIn[$0], $0) < (itemsIn[$1], $1) } : nil
            let expected = narrowest.map { (againIn[$0] + priorUsers * mean) / (usersIn[$0] + priorUsers) } ?? mean
            return log((again[row] + priorUsers * expected) / (users[row] + priorUsers) / mean)
        }
    }
}
