import Evaluation
import Recommending

/// What a shop's shares of repeats, discoveries and new items make of the lists of held-out questions, and what they cost.
package struct ListSharesJudging {
    /// The model as it serves under the shares.
    package let served: ServedScoring
    /// What was found.
    package let record: ListSharesRecord

    /// Asks the questions again under the shares; nil where none are set.
    ///
    /// - Parameter candidate: what the same models answer without.
    package init?(_ bundles: [ModelBundle], scoring: HoldoutScoring, settings: LearningSettings, candidate: HoldoutScoring.Outcome) {
        guard settings.shares.isSet else { return nil }
        served = ServedScoring(bundles, scoring: scoring, settings: settings, shares: settings.shares)
        let found = scoring.collect(lists: served.list)
        func text(_ share: ClosedRange<Int>) -> String? {
            share == ListShares.whole ? nil : "\(share.lowerBound)-\(share.upperBound)"
        }
        let shares = settings.shares
        record = ListSharesRecord(
            repeats: text(shares.repeats), discoveries: text(shares.discoveries), newItems: text(shares.newItems),
            lists: found.report.concentration, ndcg: found.report[HoldoutScoring.gateMetric],
            ndcgWithout: candidate.report[HoldoutScoring.gateMetric])
    }
}
