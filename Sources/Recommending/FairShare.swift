#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What lifts all new items together so that they stand in lists as often as they are what people take.
///
/// Lists of known items and of new ones, each best first, are merged under a constant that is added to the new ones' scores. The k-th
/// new item enters a list at the constant that lifts it above the last but k of the known. What a constant costs is seen in the
/// discounted gain of the merged lists, since a new item takes not the last place but the one that its score asks for.
public struct FairShare: Sendable {
    /// Constants that are compared between no new items and the fair share.
    private static let steps = 32

    private struct List {
        var others, new: [(score: Float, isHit: Bool)]
        var hitWorth: Double
    }

    private var lists: [List] = []
    private var wanted = 0.0
    private let length: Int
    private let discounts: [Double]

    /// No lists yet.
    ///
    /// - Parameter length: of the lists, in items.
    public init(length: Int) {
        self.length = length
        discounts = (0..<length).map { 1 / log2(Double($0) + 2) }
    }

    /// Adds a list, of which the first ``init(length:)`` items of either kind count.
    ///
    /// - Parameters:
    ///   - others, new: scores, best first, and whether the item is a hit.
    ///   - wanted: the share of new items in what the user takes.
    ///   - hitWorth: what the hit of a new item counts beside that of a known one. New items may be looked for in a longer time.
    public mutating func add(others: [(score: Float, isHit: Bool)], new: [(score: Float, isHit: Bool)], wanted: Double, hitWorth: Double) {
        self.wanted += wanted
        lists.append(List(others: Array(others.prefix(length)), new: Array(new.prefix(min(length, others.count))), hitWorth: hitWorth))
    }

    /// Whether there is a place that a new item could have.
    public var hasPlaces: Bool { lists.contains { !$0.others.isEmpty && !$0.new.isEmpty } }

    /// The constant under which new items fill their share of the places, or the largest share up to it that keeps 1 − `cost` of the
    /// largest discounted gain that any share up to it has; 0 without lists.
    ///
    /// - Parameter cost: from 0, which is the share with the largest gain, to 1, which is the fair one.
    public func constant(cost: Double) -> Float {
        let places = lists.reduce(0) { $0 + $1.others.count }
        let entries = lists.flatMap { list in
            list.new.indices.map { list.others[list.others.count - 1 - $0].score - list.new[$0].score }
        }.sorted()
        guard places > 0, !entries.isEmpty else { return 0 }
        let share = min(0.9, max(0.001, wanted / Double(lists.count)))
        let fair = min(entries.count - 1, Int((share * Double(places)).rounded()))
        // The entry at an index is the next to come: so many stand in the lists.
        guard cost < 1 else { return entries[fair].nextDown }
        let tried = Set((0...Self.steps).map { fair * $0 / Self.steps }).sorted()
        let gains = tried.map { gain(under: entries[$0].nextDown) }
        let enough = (1 - min(max(cost, 0), 1)) * (gains.max() ?? 0)
        let kept = gains.lastIndex { $0 >= enough } ?? gains.count - 1
        return entries[tried[kept]].nextDown
    }

    /// The discounted gain of the merged lists; of equal scores the known item comes first.
    private func gain(under constant: Float) -> Double {
        lists.reduce(0) { sum, list in
            var gain = 0.0, known = 0, new = 0
            for place in 0..<list.others.count {
                if new < list.new.count, list.new[new].score + constant > list.others[known].score {
                    if list.new[new].isHit { gain += discounts[place] * list.hitWorth }
                    new += 1
                } else {
                    if list.others[known].isHit { gain += discounts[place] }
                    known += 1
                }
            }
            return sum + gain
        }
    }
}
