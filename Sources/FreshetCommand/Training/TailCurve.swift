import Evaluation
import Recommending

/// What each place of the tail dial gives and costs on the held-out questions, all asked once.
struct TailCurve {
    /// The dial's places: see `RankingBlend.dialled`.
    static let lambdas: [Float] = [0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5]

    /// Rows that the undialled ranking puts first, among which the dial chooses: time must not grow with the catalogue for each place.
    private static let pool = 2_000

    /// One place.
    struct Point {
        var lambda: Float
        var report: MetricsReport

        /// NDCG@10 on middle and tail items together.
        var beyondHead: Double { report.slices["beyond_head"]?.metrics["NDCG@10"]?.mean ?? 0 }
    }

    let points: [Point]

    /// Largest loss of NDCG@10 of the dial that is recommended where no budget is set, as a share.
    private static let recommendedLoss = 0.02

    /// Asks every question.
    init(_ scoring: HoldoutScoring, judged: JudgedRanking) {
        let slices = ItemSlices(counts: scoring.trainingCounts(), itemIDs: scoring.log.itemIDs)
        let popularity = judged.tables.popularity
        var metrics = Self.lambdas.map { _ in
            RankingMetrics(cutoffs: [10], catalogueSize: scoring.log.itemIDs.count, slices: slices)
        }
        for question in scoring.holdout.questions {
            let plain = judged.scores(question), excluded = scoring.excluded(question)
            let rows = topRows(Self.pool, of: plain, excluding: { excluded.contains($0) || scoring.log.isHidden[Int($0)] })
            for (place, lambda) in Self.lambdas.enumerated() {
                let scores = rows.map { plain[Int($0)] - lambda * popularity[Int($0)] }
                metrics[place].add(ranked: topRows(10, of: scores).map { rows[Int($0)] }, relevant: question.truth)
            }
        }
        points = zip(Self.lambdas, metrics).map { Point(lambda: $0, report: $1.report()) }
    }

    /// The largest place that loses at most a share of the undialled NDCG@10.
    func dial(losing share: Double) -> Float {
        let plain = points[0].report["NDCG@10"]
        return points.filter { $0.report["NDCG@10"] >= plain * (1 - share) }.map(\.lambda).max() ?? 0
    }

    /// For the registry.
    ///
    /// - Parameter used: the dial that is built into the model.
    func json(used: Float) -> String {
        let lines = points.map { point in
            ResultLine([
                "tail_dial": .number(Double(point.lambda)), "NDCG@10": .number(point.report["NDCG@10"]), "beyond_head_NDCG@10": .number(point.beyondHead),
                "tail_NDCG@10": .number(point.report.slices["tail"]?.metrics["NDCG@10"]?.mean ?? 0),
                "Coverage@10": .number(point.report.coverageAt10), "Gini@10": .number(point.report.giniAt10 ?? 0),
            ]).json
        }
        return ResultLine([
            "points": .json("[" + lines.joined(separator: ",") + "]"), "recommended": .number(Double(dial(losing: Self.recommendedLoss))), "used": .number(Double(used)),
        ]).json
    }
}

extension Configuration {
    /// `ranking.tail_dial`.
    var tailDial: Float { Float(number("ranking.tail_dial")) }
}
