import Evaluation
import Recommending
import TrainingFiles

/// What each place of the tail dial gives and costs on the held-out questions, all asked once: what a training chooses a dial by.
///
/// It turns the scores of the judged ranking, before heads, content channel and `rules.*`: 27 places within every training leave no time to
/// ask a snapshot for each. What a place gives as it serves is what `freshet evaluate tail` says.
package struct TailCurve {
    /// The dial's places: nothing, then each part alone.
    package static let dials: [TailDial] =
        [TailDial()]
        + ([0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5] as [Float]).map { TailDial(lambda: $0) }
        + ([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 1] as [Float]).map { TailDial(lift: $0) }

    /// Rows that the undialled ranking puts first, among which the dial chooses: time must not grow with the catalogue for each place.
    private static let pool = 2_000

    /// One place.
    package struct Point {
        /// The place of the dial.
        package var dial: TailDial
        /// What it gives.
        package var report: MetricsReport

        /// NDCG@10 on middle and tail items together.
        package var beyondHead: Double { report.slices["beyond_head"]?.metrics["NDCG@10"]?.mean ?? 0 }
    }

    /// All places that are tried, the plain ranking first.
    package let points: [Point]

    /// Largest loss of NDCG@10 of the dial that is recommended where no budget is set, as a share.
    private static let recommendedLoss = 0.02

    /// Asks every question.
    package init(_ scoring: HoldoutScoring, judged: JudgedRanking) {
        let slices = ItemSlices(counts: scoring.trainingCounts(), itemIDs: scoring.log.itemIDs)
        let tables = judged.tables
        var metrics = Self.dials.map { _ in
            RankingMetrics(cutoffs: [10], catalogueSize: scoring.log.itemIDs.count, slices: slices)
        }
        for question in scoring.holdout.questions {
            let plain = judged.scores(question), excluded = scoring.excluded(question)
            let rows = topRows(Self.pool, of: plain, excluding: { excluded.contains($0) || scoring.log.isHidden[Int($0)] })
            for (place, dial) in Self.dials.enumerated() {
                let scores = rows.map { row in
                    plain[Int(row)] + dial.bonus(popularity: tables.popularity[Int(row)], isBeyondHead: tables.isBeyondHead(Int(row)))
                }
                metrics[place].add(ranked: topRows(10, of: scores).map { rows[Int($0)] }, relevant: question.truth)
            }
        }
        points = zip(Self.dials, metrics).map { Point(dial: $0, report: $1.report()) }
    }

    /// Of the places that lose at most a share of the undialled NDCG@10 the one that is best beyond the head.
    package func dial(losing share: Double) -> TailDial {
        let plain = points[0].report["NDCG@10"]
        return points.filter { $0.report["NDCG@10"] >= plain * (1 - share) }.max { $0.beyondHead < $1.beyondHead }?.dial ?? TailDial()
    }

    /// For the registry.
    ///
    /// - Parameter used: the dial that is built into the model.
    package func record(used: TailDial) -> TailCurveRecord {
        let recommended = dial(losing: Self.recommendedLoss)
        return TailCurveRecord(
            points: points.map { TailCurveRecord.Point(dial: Double($0.dial.lambda), lift: Double($0.dial.lift), report: $0.report) },
            recommended: (Double(recommended.lambda), Double(recommended.lift)), used: (Double(used.lambda), Double(used.lift)))
    }
}
