#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Which items follow which: for every item the strongest of those that people met soon after it.
///
/// A pair of events of one user at a distance of up to ``Rules/window`` steps adds 1/distance to the sum c(i, j). The weight
/// of j after i is c(i, j) / (leaving(i)^0.5 · reaching(j)^0.2), where leaving and reaching are the sums over all pairs of i
/// and j. A row keeps at most ``Rules/neighbourLimitItems`` neighbours; what is cut off stays in the two sums.
///
/// A table can be built at once (``init(users:items:itemCount:rules:)``) or learn event by event (``learn(previous:item:)``);
/// as long as no row is cut both give the same. Rows are whatever the owner numbers items by.
public struct TransitionTable: Sendable, Equatable {
    /// How pairs are counted and histories read.
    public struct Rules: Sendable, Equatable {
        /// Events after an item that count as following it.
        public var window: Int
        /// Neighbours kept an item.
        public var neighbourLimitItems: Int
        /// Newest items of a history that speak.
        public var historyLimitItems: Int
        /// What an item of the history counts beside the one after it, from 0 to 1.
        public var decay: Float

        /// Makes rules; numbers out of range count as the nearest bound.
        public init(window: Int = 10, neighbourLimitItems: Int = 100, historyLimitItems: Int = 20, decay: Float = 0.7) {
            self.window = max(window, 1)
            self.neighbourLimitItems = max(neighbourLimitItems, 0)
            self.historyLimitItems = max(historyLimitItems, 1)
            self.decay = min(max(decay, 0), 1)
        }
    }

    /// An item that follows another, with c(i, j).
    struct Neighbour: Sendable, Equatable {
        var row: Int32
        var sum: Float
    }

    /// How transitions are counted.
    public let rules: Rules
    private(set) var neighbours: [[Neighbour]]
    private(set) var leaving: [Float]
    private(set) var reaching: [Float]
    /// leaving^-0.5 and reaching^-0.2, so that reading needs no powers.
    private var leavingScale: [Float]
    private var reachingScale: [Float]

    /// An empty table.
    public init(itemCount: Int, rules: Rules = Rules()) {
        self.rules = rules
        neighbours = [[Neighbour]](repeating: [], count: itemCount)
        leaving = [Float](repeating: 0, count: itemCount)
        reaching = leaving
        leavingScale = leaving
        reachingScale = leaving
    }

    /// Places in the log that are held at once while a table is built.
    private static let placesAtOnce = 1_048_576

    /// Counts all pairs of all users.
    ///
    /// - Parameters:
    ///   - users: where the events of each user stand in `items`, oldest first.
    ///   - items: the row of each event, below `itemCount`.
    /// - Complexity: O(events × window) time, and one more pass over the events for each million of them. Memory is that of
    ///   the table and 16 MB, however many events there are.
    public init(users: [Range<Int>], items: UnsafeBufferPointer<Int32>, itemCount: Int, rules: Rules = Rules()) {
        self.init(itemCount: itemCount, rules: rules)
        guard rules.neighbourLimitItems > 0 else { return }
        var counts = [Int](repeating: 0, count: itemCount)
        for own in users { for place in own { counts[Int(items[place])] += 1 } }
        var sums = [Float](repeating: 0, count: itemCount)
        var reached = sums
        // What reaches an item is known only after all rows, and cutting a row needs it: so it is summed first, alone.
        for own in users {
            for place in own {
                for next in place + 1..<max(place + 1, min(place + 1 + rules.window, own.upperBound)) where items[next] != items[place] {
                    reached[Int(items[next])] += 1 / Float(next - place)
                }
            }
        }
        reaching = reached
        rescale()
        var low = 0
        while low < itemCount {
            var high = low, held = 0
            while high < itemCount, high == low || held + counts[high] <= Self.placesAtOnce {
                held += counts[high]
                high += 1
            }
            count(low..<high, held, counts, users, items, &sums)
            low = high
        }
        rescale()
    }

    /// Fills the rows of some items. All places of an item stand together, so that one dense row of sums serves each in turn.
    private mutating func count(
        _ rows: Range<Int>, _ held: Int, _ counts: [Int], _ users: [Range<Int>], _ items: UnsafeBufferPointer<Int32>, _ sums: inout [Float]
    ) {
        var next = [Int](repeating: 0, count: rows.count)
        for index in next.indices.dropFirst() { next[index] = next[index - 1] + counts[rows.lowerBound + index - 1] }
        let starts = next + [held]
        var places = [Int](repeating: 0, count: held)
        var lengths = [Int32](repeating: 0, count: held)
        for own in users {
            for place in own where rows.contains(Int(items[place])) {
                let index = Int(items[place]) - rows.lowerBound
                places[next[index]] = place
                lengths[next[index]] = Int32(clamping: min(rules.window, own.upperBound - 1 - place))
                next[index] += 1
            }
        }
        var touched: [Int32] = []
        for index in rows.indices.map({ $0 - rows.lowerBound }) {
            let item = Int32(rows.lowerBound + index)
            touched.removeAll(keepingCapacity: true)
            for held in starts[index]..<starts[index + 1] {
                for distance in 1..<max(1, Int(lengths[held]) + 1) {
                    let other = items[places[held] + distance]
                    if other == item { continue }
                    if sums[Int(other)] == 0 { touched.append(other) }
                    sums[Int(other)] += 1 / Float(distance)
                }
            }
            touched.sort()
            neighbours[Int(item)] = touched.map { Neighbour(row: $0, sum: sums[Int($0)]) }
            for other in touched {
                leaving[Int(item)] += sums[Int(other)]
                sums[Int(other)] = 0
            }
            cut(Int(item), to: rules.neighbourLimitItems)
        }
    }

    /// A table from its parts, as read from a file. Rows of `neighbours` are below `neighbours.count`.
    init(rules: Rules, neighbours: [[Neighbour]], leaving: [Float], reaching: [Float]) {
        self.rules = rules
        self.neighbours = neighbours
        self.leaving = leaving
        self.reaching = reaching
        leavingScale = leaving
        reachingScale = reaching
        rescale()
    }

    /// Items that the table has rows for.
    public var itemCount: Int { neighbours.count }

    /// Neighbours kept of a row below ``itemCount``.
    func neighbourCount(of row: Int32) -> Int { neighbours[Int(row)].count }

    /// Learns that a user met `item` after `previous`, oldest first: the pairs that end in it.
    ///
    /// Rows beyond ``itemCount`` make the table grow. A row is cut when it holds twice the limit.
    /// - Complexity: O(window × neighbours of a row)
    public mutating func learn(previous: some BidirectionalCollection<Int32>, item: Int32) {
        guard item >= 0, rules.neighbourLimitItems > 0 else { return }
        grow(to: Int(item) + 1)
        var distance: Float = 0
        for source in previous.suffix(rules.window).reversed() {
            distance += 1
            guard source >= 0, source != item else { continue }
            grow(to: Int(source) + 1)
            let row = Int(source), sum = 1 / distance
            if let place = neighbours[row].firstIndex(where: { $0.row == item }) {
                neighbours[row][place].sum += sum
            } else {
                neighbours[row].append(Neighbour(row: item, sum: sum))
            }
            leaving[row] += sum
            reaching[Int(item)] += sum
            leavingScale[row] = Self.leavingScale(leaving[row])
            if neighbours[row].count >= 2 * rules.neighbourLimitItems { cut(row, to: rules.neighbourLimitItems) }
        }
        reachingScale[Int(item)] = Self.reachingScale(reaching[Int(item)])
    }

    /// Calls `body` with every neighbour of the newest items of a history and what it adds to the neighbour's score.
    ///
    /// - Parameter history: rows, oldest first; rows that the table does not know are passed over and count as steps.
    /// - Complexity: O(``Rules/historyLimitItems`` × ``Rules/neighbourLimitItems``)
    @inline(__always)
    public func forEach(
        history: some BidirectionalCollection<Int32>, _ body: (_ source: Int32, _ row: Int32, _ weight: Float) -> Void
    ) {
        var weight: Float = 1
        for source in history.suffix(rules.historyLimitItems).reversed() {
            defer { weight *= rules.decay }
            guard source >= 0, Int(source) < neighbours.count else { continue }
            let scale = weight * leavingScale[Int(source)]
            reachingScale.withUnsafeBufferPointer { reachingScale in
                neighbours[Int(source)].withUnsafeBufferPointer { row in
                    for neighbour in row {
                        body(source, neighbour.row, scale * neighbour.sum * reachingScale[Int(neighbour.row)])
                    }
                }
            }
        }
    }

    /// Adds the score of every item after a history to `scores`, one a row; rows beyond its end are left out.
    public func addScores(history: some BidirectionalCollection<Int32>, to scores: inout [Float]) {
        scores.withUnsafeMutableBufferPointer { scores in
            forEach(history: history) { _, row, weight in
                if Int(row) < scores.count { scores[Int(row)] += weight }
            }
        }
    }

    /// The same table under other row numbers: `rows[old]` is the new row, below `itemCount`, or −1 for an item that is gone.
    public func renumbered(_ rows: [Int32], itemCount: Int) -> TransitionTable {
        var next = TransitionTable(itemCount: itemCount, rules: rules)
        for (old, row) in rows.enumerated() where row >= 0 && old < self.itemCount {
            next.neighbours[Int(row)] = neighbours[old].compactMap {
                let target = rows[Int($0.row)]
                return target >= 0 ? Neighbour(row: target, sum: $0.sum) : nil
            }
            next.neighbours[Int(row)].sort { $0.row < $1.row }
            next.leaving[Int(row)] = leaving[old]
            next.reaching[Int(row)] = reaching[old]
        }
        next.rescale()
        return next
    }

    private mutating func grow(to count: Int) {
        guard count > neighbours.count else { return }
        let more = count - neighbours.count
        neighbours.append(contentsOf: repeatElement([], count: more))
        leaving.append(contentsOf: repeatElement(0, count: more))
        reaching.append(contentsOf: repeatElement(0, count: more))
        leavingScale.append(contentsOf: repeatElement(0, count: more))
        reachingScale.append(contentsOf: repeatElement(0, count: more))
    }

    /// Keeps the neighbours of largest weight; of equal ones the smaller row. The row is in row order afterwards.
    private mutating func cut(_ item: Int, to limit: Int) {
        guard neighbours[item].count > limit else { return }
        var row = neighbours[item]
        row.sort {
            let left = $0.sum * reachingScale[Int($0.row)], right = $1.sum * reachingScale[Int($1.row)]
            return left != right ? left > right : $0.row < $1.row
        }
        // A copy of the kept part: the whole row's buffer, as long as the catalogue, would stay with it otherwise.
        neighbours[item] = row.prefix(limit).sorted { $0.row < $1.row }
    }

    private mutating func rescale() {
        leavingScale = leaving.map(Self.leavingScale)
        reachingScale = reaching.map(Self.reachingScale)
    }

    private static func leavingScale(_ sum: Float) -> Float { sum > 0 ? 1 / sum.squareRoot() : 0 }
    private static func reachingScale(_ sum: Float) -> Float { sum > 0 ? pow(sum, -0.2) : 0 }
}
