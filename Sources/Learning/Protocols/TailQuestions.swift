import Evaluation
import Recommending
import Reports
import TrainingFiles

/// The questions of a tail curve: what a model with its parts answers under a dial, beyond the head too.
package struct TailQuestions {
    private let scoring: HoldoutScoring
    private let slices: ItemSlices

    /// The questions of a holdout.
    package init(_ scoring: HoldoutScoring) {
        self.scoring = scoring
        slices = ItemSlices(counts: scoring.trainingCounts(), itemIDs: scoring.log.itemIDs)
    }

    /// Asks every question of the snapshots of bundles; see ``ServedScoring``.
    ///
    /// - Parameter dial: `ranking.tail_dial` or `ranking.tail_lift`, in the place of that of `settings`.
    package func ask(
        _ bundles: [ModelBundle], settings: LearningSettings, dial: TailDial = TailDial()
    ) -> (cell: TailCurveReport.Cell, outcome: HoldoutScoring.Outcome) {
        var settings = settings
        settings.served.tailDial = dial
        let served = ServedScoring(bundles, scoring: scoring, settings: settings)
        var beyond = RankingMetrics(cutoffs: [10], catalogueSize: scoring.log.itemIDs.count)
        let outcome = scoring.collect { (count: Int, question: Holdout.Question) -> [Int32] in
            let ranked = served.list(count, question)
            beyond.add(ranked: ranked, relevant: question.truth.filter { slices.slice(of: $0).isBeyondHead })
            return ranked
        }
        let report = outcome.report
        let cell = TailCurveReport.Cell(
            all: outcome.perUser, beyondHead: beyond.perUserNDCG, tail: report.slices["tail"]?.metrics["NDCG@10"]?.mean ?? 0,
            coverage: report.coverageAt10, gini: report.giniAt10 ?? 0)
        return (cell, outcome)
    }
}
