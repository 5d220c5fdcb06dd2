import Evaluation
import Features
import Interactions
import Recommending

/// What is popular, counted as the store counts it, along events in the order of time.
struct TrendingClock {
    private let rules: FeatureRules
    /// Decayed counts by item row.
    private var clicks, purchases: [DecayedCount]

    init(itemCount: Int, rules: FeatureRules) {
        self.rules = rules
        clicks = [DecayedCount](repeating: DecayedCount(), count: itemCount)
        purchases = clicks
    }

    /// Adds an event; types that do not make an item popular are passed over.
    mutating func add(_ item: Int32, type: UInt8, at time: Int64) {
        let time = EventTime(milliseconds: time)
        switch InteractionType(rawValue: type) {
        case .click: clicks[Int(item)].add(time: time, rules: rules)
        case .purchase: purchases[Int(item)].add(time: time, rules: rules)
        default: break
        }
    }

    /// The most popular items at a moment, best first.
    ///
    /// - Complexity: O(items)
    func popular(_ limitItems: Int, at time: Int64, itemIDs: [String], isHidden: [Bool]) -> [TrendingItem] {
        let now = EventTime(milliseconds: time)
        var scores = [Float](repeating: -.infinity, count: clicks.count)
        for row in scores.indices where !isHidden[row] && !(clicks[row].isEmpty && purchases[row].isEmpty) {
            scores[row] = Float(
                clicks[row].value(at: now, rules: rules) + SnapshotFeed.purchaseWeight * purchases[row].value(at: now, rules: rules))
        }
        return topRows(limitItems, of: scores) { scores[Int($0)] == -.infinity }.map {
            TrendingItem(itemID: itemIDs[Int($0)], score: Double(scores[Int($0)]))
        }
    }
}
