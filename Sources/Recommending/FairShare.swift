/// What lifts all new items together so that they stand in lists as often as they are what people take.
///
/// Lists of known items and of new ones, each best first, are merged under a constant that is added to the new ones' scores. The k-th new item
/// enters a list at the constant that lifts it above the last but k of the known: then a known item that may be a hit leaves, and a new
/// one that may be one comes.
public struct FairShare: Sendable {
    /// Entering new items: from which constant on, and what the hits of the lists change by.
    private var entries: [(constant: Float, gain: Double)] = []
    /// Hits without new items.
    private var hits = 0.0
    private var wanted = 0.0
    private var lists = 0, places = 0
    private let length: Int

    /// No lists yet.
    ///
    /// - Parameter length: of the lists, in items.
    public init(length: Int) { self.length = length }

    /// Adds a list, at most its first ``init(length:)`` items of either kind.
    ///
    /// - Parameters:
    ///   - others, new: scores, best first, and whether the item is a hit.
    ///   - wanted: the share of new items in what the user takes.
    ///   - hitWorth: what the hit of a new item counts beside that of a known one. New items may be looked for in a longer time.
    public mutating func add(others: [(score: Float, isHit: Bool)], new: [(score: Float, isHit: Bool)], wanted: Double, hitWorth: Double) {
        let others = others.prefix(length)
        lists += 1
        self.wanted += wanted
        places += others.count
        hits += Double(others.count { $0.isHit })
        for (place, item) in new.prefix(others.count).enumerated() {
            let leaving = others[others.count - 1 - place]
            entries.append((leaving.score - item.score, (item.isHit ? hitWorth : 0) - (leaving.isHit ? 1 : 0)))
        }
    }

    /// The constant under which new items fill their share of the places, or the largest share up to it that keeps 1 − `cost` of the most
    /// hits that any share up to it has; 0 without lists.
    ///
    /// - Parameter cost: from 0, which is the share with most hits, to 1, which is the fair one.
    public func constant(cost: Double) -> Float {
        guard places > 0, !entries.isEmpty else { return 0 }
        let sorted = entries.sorted { ($0.constant, $0.gain) < ($1.constant, $1.gain) }
        let share = min(0.9, max(0.001, wanted / Double(lists)))
        let fair = min(sorted.count - 1, Int((share * Double(places)).rounded()))
        // Hits with the first so many entered; the entry at an index is the next to come.
        var reached = [hits]
        for entry in sorted[..<fair] { reached.append(reached[reached.count - 1] + entry.gain) }
        let enough = (1 - cost) * (reached.max() ?? 0)
        let kept = reached.lastIndex { $0 >= enough } ?? fair
        return sorted[kept].constant
    }
}
