/// Which items go with which: of each item some others with a weight. Everything by row.
public struct ItemLinks: Sendable, Equatable {
    /// Where the links of each item begin, and where the last one's end.
    private(set) var starts: [Int32]
    /// The items that they lead to.
    private(set) var targets: [Int32]
    /// One a target.
    private(set) var weights: [Float]

    /// Links of no item.
    public static let none = ItemLinks(starts: [0], targets: [], weights: [])

    /// Items that there are.
    public var itemCount: Int { starts.count - 1 }

    /// Links from their parts.
    init(starts: [Int32], targets: [Int32], weights: [Float]) {
        (self.starts, self.targets, self.weights) = (starts, targets, weights)
    }

    /// Collects the links of each item in turn.
    ///
    /// - Parameter links: of an item; those with a weight that is no number, or 0, are left out.
    init(itemCount: Int, links: (Int32) -> [(row: Int32, weight: Float)]) {
        starts = [0]
        targets = []
        weights = []
        for item in 0..<Int32(itemCount) {
            for (row, weight) in links(item) where weight.isFinite && weight != 0 {
                targets.append(row)
                weights.append(weight)
            }
            starts.append(Int32(targets.count))
        }
    }

    /// How many links an item has.
    func count(of item: Int32) -> Int { Int(starts[Int(item) + 1] - starts[Int(item)]) }

    /// Calls `body` with what an item leads to.
    @inline(__always)
    func forEach(_ item: Int32, _ body: (_ row: Int32, _ weight: Float) -> Void) {
        for place in Int(starts[Int(item)])..<Int(starts[Int(item) + 1]) { body(targets[place], weights[place]) }
    }

    /// The same links under other row numbers.
    ///
    /// - Parameter rows: the new row of each item, below 0 where it is gone.
    func renumbered(_ rows: [Int32], itemCount: Int) -> ItemLinks {
        var old = [Int32](repeating: -1, count: itemCount)
        for (row, new) in rows.enumerated() where new >= 0 && row < self.itemCount { old[Int(new)] = Int32(row) }
        return ItemLinks(itemCount: itemCount) { item in
            guard old[Int(item)] >= 0 else { return [] }
            var links: [(row: Int32, weight: Float)] = []
            forEach(old[Int(item)]) { row, weight in if rows[Int(row)] >= 0 { links.append((rows[Int(row)], weight)) } }
            return links
        }
    }
}
