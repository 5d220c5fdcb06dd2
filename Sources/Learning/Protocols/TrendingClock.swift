import Features
import Interactions
import Recommending

/// What is popular, counted as the store counts it, along events in the order of time.
package struct TrendingClock {
    private let rules: FeatureRules
    /// Decayed counts by item row.
    private var clicks, purchases: [DecayedCount]

    /// Nothing has happened yet.
    package init(itemCount: Int, rules: FeatureRules) {
        self.rules = rules
        clicks = [DecayedCount](repeating: DecayedCount(), count: itemCount)
        purchases = clicks
    }

    /// Adds an event; types that do not make an item popular are passed over.
    package mutating func add(_ item: Int32, type: UInt8, at time: Int64) {
        let time = EventTime(milliseconds: time)
        switch InteractionType(rawValue: type) {
        case .click: clicks[Int(item)].add(time: time, rules: rules)
        case .purchase: purchases[Int(item)].add(time: time, rules: rules)
        default: break
        }
    }

    /// The most popular items at a moment, best first; of equal ones that of the smaller row.
    ///
    /// - Complexity: O(items × log items)
    package func popular(_ limitItems: Int, at time: Int64, itemIDs: [String], isHidden: [Bool]) -> [TrendingItem] {
        let now = EventTime(milliseconds: time)
        var found: [(row: Int, score: ScaledValue)] = []
        for row in clicks.indices where !isHidden[row] && !(clicks[row].isEmpty && purchases[row].isEmpty) {
            let clicked = clicks[row].scaledValue(at: now, rules: rules), bought = purchases[row].scaledValue(at: now, rules: rules)
            found.append((row, TrendingScore.score(clicks: clicked, purchases: bought)))
        }
        found.sort { $0.score != $1.score ? $1.score < $0.score : $0.row < $1.row }
        return found.prefix(limitItems).map { TrendingItem(itemID: itemIDs[$0.row], score: $0.score) }
    }
}
