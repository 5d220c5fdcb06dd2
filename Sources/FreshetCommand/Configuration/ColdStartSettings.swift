import FeatureStore
import Learning
import Recommending

extension Configuration {
    /// The dials of serving.
    var recommendingRules: RecommendingRules {
        var rules = judgedRules
        rules.shares = listShares
        return rules
    }

    /// How many repeats, discoveries and new items the shop wants in lists.
    var listShares: ListShares {
        ListShares(repeats: share(.rulesRepeats), discoveries: share(.rulesDiscoveries), newItems: share(.rulesNewItems))
    }

    /// The dials under which models are judged: without the shares, which are the shop's wish and no merit or fault of a model.
    var judgedRules: RecommendingRules {
        RecommendingRules(
            trendingDiscount: 1 - Float(number(.coldStartDiversity)), categoryDiscount: 1 - Float(number(.rulesDiversity)),
            variety: Float(number(.coldStartVariety)), trendedItems: integer(.serveTrendingItems),
            // A wrong table was refused when the command began.
            rates: try? currencyRates())
    }

    /// What is counted of segments of the users; nil where `cold_start.segment_events` is 0.
    var segmentRules: SegmentRules? {
        let events = integer(.coldStartSegmentEvents)
        return events == 0
            ? nil
            : SegmentRules(
                eventsLimit: events, names: list(.coldStartSegments), halfLifeHours: number(.coldStartSegmentHalfLifeHours))
    }
    /// The same for evaluations, which count of a log what the store would.
    var segmentSettings: SegmentSettings? {
        segmentRules.map {
            SegmentSettings(minimumUsers: $0.minimumUsers, priorEvents: number(.coldStartSegmentPriorEvents))
        }
    }
}
