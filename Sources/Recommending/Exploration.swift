#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import Bytes
import Tensors

/// How much room answers give to items of which little is known.
public struct ExplorationRules: Sendable, Equatable {
    /// At most one slot in so many is given to a new item; 0 explores nothing.
    public var everySlots: Int
    /// An item that was shown so often is known well enough.
    public var untilImpressions: Int

    /// Makes rules.
    public init(everySlots: Int = 10, untilImpressions: Int = 200) {
        self.everySlots = max(everySlots, 0)
        self.untilImpressions = max(untilImpressions, 0)
    }
}

/// What is known of how an item is received.
public struct ExposureCounts: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// How often answers showed it.
    public var impressions: Int64
    /// How often it was clicked there.
    public var clicks: Int64

    /// Makes counts.
    public init(itemID: String, impressions: Int64, clicks: Int64) {
        self.itemID = itemID
        self.impressions = max(impressions, 0)
        self.clicks = max(clicks, 0)
    }
}

/// Gives new items slots of their own by Thompson sampling (Thompson 1933; Chapelle and Li 2011).
///
/// A new item is one that the model never trained on and that was shown fewer than ``ExplorationRules/untilImpressions`` times. Its
/// click-through rate has a beta prior whose mean is the overall rate, moved by how well the item's content fits the user; its own
/// impressions and clicks are added. Of the items that fit best and some others a rate is drawn each, and the largest gets the slot.
struct Exploration: Sendable {
    /// New items that an exploration looks at, the newest.
    static let limitItems = 5_000
    /// Impressions that the prior counts for.
    private static let priorImpressions = 20.0
    /// How far the fit to the user may move the prior's mean, either way.
    private static let largestFit = 4.0
    /// Items whose fit to the user is looked at in a request.
    private static let weighedItems = 512
    /// Items for which a rate is drawn: so many that fit best, and so many by chance, lest one that seems to fit nobody is never seen.
    private static let drawnItems = 32

    struct Arm {
        var row: Int32
        var impressions: Double
        var clicks: Double
    }

    let rules: ExplorationRules
    /// The share of all impressions that are clicked, in 0.001...0.5.
    let clickRate: Double
    private(set) var arms: [Arm]

    init(rules: ExplorationRules, clickRate: Double, arms: [Arm]) {
        self.rules = rules
        self.clickRate = clickRate.isFinite ? min(max(clickRate, 0.001), 0.5) : 0.05
        self.arms = arms
    }

    /// Takes in an item that nobody was shown yet. Its counts come with the next reading of all.
    mutating func add(_ row: Int32) {
        if arms.count >= Self.limitItems { arms.removeFirst() }
        arms.append(Arm(row: row, impressions: 0, clicks: 0))
    }

    /// Puts new items among `rows`, at most one in each run of ``ExplorationRules/everySlots`` slots of which the last may be cut
    /// short, never in the first slot of an answer; what stood there moves down, and what no longer fits `count` is left out.
    ///
    /// - Parameter requestID: the same request on the same snapshot has the same answer.
    func fill(
        _ rows: inout [RankedRow], count: Int, filter: RowFilter, snapshot: ServingSnapshot, taste: UserTaste, requestID: String
    ) {
        for (slot, row) in slots(count, apart: rows, filter: filter, snapshot: snapshot, taste: taste, requestID: requestID) {
            let place = min(slot, rows.count)
            // Scores fall along an answer, so that whoever sorts by them again gets the same order.
            let score = place < rows.count ? rows[place].score : rows.last?.score ?? 0
            rows.insert(RankedRow(row: row, score: score, reason: .fresh, isExploration: true), at: place)
        }
        if rows.count > count { rows.removeLast(rows.count - count) }
    }

    /// The slots of an answer that new items get, ascending, each with its item; none of them is among `rows`.
    func slots(
        _ count: Int, apart rows: [RankedRow], filter: RowFilter, snapshot: ServingSnapshot, taste: UserTaste, requestID: String
    ) -> [(slot: Int, row: Int32)] {
        // An answer of one item has no slot but the first.
        guard rules.everySlots > 0, !arms.isEmpty, count > 1 else { return [] }
        var random = SeededGenerator(seed: FNV1a.hash(requestID.utf8))
        var slots: [Int] = []
        for start in stride(from: 0, to: count, by: rules.everySlots) {
            let length = min(rules.everySlots, count - start)
            // A run that is cut short has a slot as often as its length says.
            if length < rules.everySlots, Int.random(in: 0..<rules.everySlots, using: &random) >= length { continue }
            let first = start == 0 ? 1 : start
            slots.append(Int.random(in: first..<max(start + length, first + 1), using: &random))
        }
        guard !slots.isEmpty else { return [] }
        let chosen = choose(slots.count, apart: rows, filter: filter, snapshot: snapshot, taste: taste, random: &random)
        return zip(slots, chosen).map { (slot: $0, row: $1) }
    }

    /// The rows with the largest drawn rates.
    private func choose(
        _ count: Int, apart shown: [RankedRow], filter: RowFilter, snapshot: ServingSnapshot, taste: UserTaste,
        random: inout SeededGenerator
    ) -> [Int32] {
        var taken = RowSet(rows: snapshot.itemCount)
        for row in shown { taken.insert(row.row) }
        // A window of the ring of all arms, begun anywhere: every arm is looked at equally often.
        let first = Int.random(in: 0..<arms.count, using: &random)
        var open: [Int] = []
        for step in 0..<arms.count where open.count < Self.weighedItems {
            let place = (first + step) % arms.count
            if filter.admits(arms[place].row), !taken.contains(arms[place].row) { open.append(place) }
        }
        guard !open.isEmpty else { return [] }
        let fits = fits(open.map { arms[$0].row }, snapshot, taste)
        var best = TopRows(limit: Self.drawnItems)
        for (number, fit) in fits.enumerated() { best.offer(Int32(number), fit ?? 0) }
        var drawn = best.sorted().map { Int($0.row) }
        if open.count > drawn.count {
            var known = Set(drawn)
            for _ in 0..<Self.drawnItems {
                let number = Int.random(in: 0..<open.count, using: &random)
                if known.insert(number).inserted { drawn.append(number) }
            }
        }
        let scores = drawn.compactMap { fits[$0] }
        let largest = scores.max() ?? 0
        let mean = scores.reduce(0.0) { $0 + exp(Double($1 - largest)) } / Double(max(scores.count, 1))
        let rates = drawn.map { number -> (row: Int32, rate: Double) in
            let odds = fits[number].map { exp(Double($0 - largest)) / mean } ?? 1
            let expected = min(0.9, clickRate * min(max(odds, 1 / Self.largestFit), Self.largestFit))
            let arm = arms[open[number]]
            let rate = BetaSampling.draw(
                successes: Self.priorImpressions * expected + arm.clicks,
                failures: Self.priorImpressions * (1 - expected) + max(0, arm.impressions - arm.clicks), using: &random)
            return (arm.row, rate)
        }
        return rates.sorted { $0.rate != $1.rate ? $0.rate > $1.rate : $0.row < $1.row }.prefix(count).map(\.row)
    }

    /// A logit of how well each row fits the user; nil where nothing is known of it or them.
    private func fits(_ rows: [Int32], _ snapshot: ServingSnapshot, _ taste: UserTaste) -> [Float?] {
        guard let temperature = snapshot.model?.temperature, let vector = taste.vector, !taste.isNewestItem else {
            return [Float?](repeating: nil, count: rows.count)
        }
        let vectors = snapshot.vectors
        func fits(_ scorer: ContentSignals.Scorer?) -> [Float?] {
            vector.withUnsafeBufferPointer { query in
                rows.map { row in
                    guard let query = query.baseAddress, let tower = vectors.score(row, query), tower.isFinite else { return nil }
                    let logit = scorer?.score(row, tower: tower) ?? tower / temperature
                    return logit.isFinite ? logit : nil
                }
            }
        }
        guard let content = snapshot.content, let liking = taste.content else { return fits(nil) }
        return content.withScorer(liking) { fits($0) }
    }
}

extension ServingSnapshot {
    /// The ids of items that may be explored, the newest, at most 5,000: available, with a vector, and never trained on.
    public func explorableItems() -> [String] {
        var ids: [String] = []
        for row in untrained.rows.reversed() where catalogue.available.contains(row) && vectors.hasVector(row) {
            ids.append(contentsOf: catalogue.itemIDs(of: row))
            if ids.count >= Exploration.limitItems { break }
        }
        return Array(ids.prefix(Exploration.limitItems))
    }

    /// The same snapshot, exploring under `rules` what of the items has been shown too seldom.
    ///
    /// - Parameters:
    ///   - counts: of ``explorableItems()``; an item without counts was never shown.
    ///   - clickRate: the share of all impressions that are clicked.
    public func exploring(_ counts: [ExposureCounts], clickRate: Double, rules: ExplorationRules) -> ServingSnapshot {
        let known = Dictionary(counts.map { ($0.itemID, $0) }) { first, _ in first }
        var arms: [Exploration.Arm] = [], places: [Int32: Int] = [:]
        for itemID in rules.everySlots > 0 ? explorableItems() : [] {
            guard let row = catalogue.row(of: itemID) else { continue }
            let impressions = Double(known[itemID]?.impressions ?? 0), clicks = Double(known[itemID]?.clicks ?? 0)
            if let place = places[row] {
                arms[place].impressions += impressions
                arms[place].clicks += clicks
            } else {
                places[row] = arms.count
                arms.append(Exploration.Arm(row: row, impressions: impressions, clicks: clicks))
            }
        }
        arms.removeAll { $0.impressions >= Double(rules.untilImpressions) }
        var next = self
        next.exploration = rules.everySlots == 0 ? nil : Exploration(rules: rules, clickRate: clickRate, arms: arms)
        return next
    }

    /// What is being explored: how many items, and how often they were shown and clicked so far.
    public var explored: (items: Int, impressions: Int, clicks: Int) {
        guard let arms = exploration?.arms else { return (0, 0, 0) }
        return (
            arms.count, Int(arms.reduce(0) { $0 + $1.impressions }), Int(arms.reduce(0) { $0 + $1.clicks })
        )
    }
}

/// Rows of items that the model never trained on, in the order of arrival.
struct UntrainedRows: Sendable {
    private(set) var rows: [Int32] = []
    private var known = RowSet(rows: 0)

    init(_ rows: [Int32]) {
        for row in rows { insert(row) }
    }

    /// Whether the row is one of them.
    @inline(__always)
    func contains(_ row: Int32) -> Bool { known.contains(row) }

    /// Whether the row is a new one.
    @discardableResult
    mutating func insert(_ row: Int32) -> Bool {
        guard known.insert(row) else { return false }
        rows.append(row)
        return true
    }
}
