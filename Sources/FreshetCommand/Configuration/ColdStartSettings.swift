import FeatureStore
import Learning
import Recommending

extension Configuration {
    /// The dials of serving.
    var recommendingRules: RecommendingRules {
        RecommendingRules(
            trendingDiscount: 1 - Float(number("cold_start.diversity")), categoryDiscount: 1 - Float(number("rules.diversity")),
            variety: Float(number("cold_start.variety")), trendedItems: integer("serve.trending_items"),
            // A wrong table was refused when the command began.
            rates: try? currencyRates())
    }

    /// What is counted of segments of the users; nil where `cold_start.segment_events` is 0.
    var segmentRules: SegmentRules? {
        let events = integer("cold_start.segment_events")
        return events == 0
            ? nil
            : SegmentRules(
                eventsLimit: events, names: list("cold_start.segments"), halfLifeHours: number("cold_start.segment_half_life_hours"))
    }
    /// The same for evaluations, which count of a log what the store would.
    var segmentSettings: SegmentSettings? {
        segmentRules.map {
            SegmentSettings(minimumUsers: $0.minimumUsers, priorEvents: number("cold_start.segment_prior_events"))
        }
    }
}
