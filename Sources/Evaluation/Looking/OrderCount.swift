/// Whether what follows what is more than who likes what: pairs of items that are neighbours in a history are counted again among the
/// neighbours of other users, and beside them pairs that lie further apart.
struct OrderCount {
    /// Pairs of neighbours.
    private(set) var pairs = 0
    /// Those that are neighbours of another user, too.
    private(set) var share = 0.0
    /// ``share`` over the same of far pairs; nil where there are too few of them.
    private(set) var ratio: Double?

    /// Places apart at which an order of steps is not seen any more.
    private static let far = [6, 8, 10]
    /// Pairs below which a share says nothing.
    private static let leastPairs = 100
    /// What a ratio is at most: where no far pair is found again it would be without bound.
    private static let mostRatio = 100.0

    /// Counts the users of a sample.
    init(_ log: LogColumns, limitEvents: Int) {
        // A pair with the user who has it, or −1 for several.
        var owners: [UInt64: Int32] = [:]
        func forEachPair(_ distance: Int, _ body: (UInt64, Int32) -> Void) {
            for user in log.sample(limitEvents: limitEvents) {
                let rows = log.rows(of: user), own = Int32(truncatingIfNeeded: user)
                guard rows.count > distance else { continue }
                for row in (rows.lowerBound + distance)..<rows.upperBound {
                    let (from, to) = (log.items[row - distance], log.items[row])
                    // What happened at one instant has no order.
                    guard from != to, log.times[row] != log.times[row - distance] else { continue }
                    body(UInt64(UInt32(bitPattern: from)) << 32 | UInt64(UInt32(bitPattern: to)), own)
                }
            }
        }
        forEachPair(1) { pair, own in
            if let owner = owners[pair] {
                if owner != own { owners[pair] = -1 }
            } else {
                owners[pair] = own
            }
        }
        func found(_ distance: Int) -> (pairs: Int, share: Double) {
            var all = 0, again = 0
            forEachPair(distance) { pair, own in
                all += 1
                if let owner = owners[pair], owner != own { again += 1 }
            }
            return (all, all > 0 ? Double(again) / Double(all) : 0)
        }
        (pairs, share) = found(1)
        let distant = Self.far.map(found).filter { $0.pairs >= Self.leastPairs }
        guard !distant.isEmpty, pairs >= Self.leastPairs else { return }
        let rest = distant.reduce(0) { $0 + $1.share } / Double(distant.count)
        ratio = share == 0 ? 1 : min(Self.mostRatio, share / max(rest, 1e-9))
    }
}
