import Console
import Evaluation
import Recommending

/// What each place of the tail dial gives and costs on the held-out questions, all asked once.
struct TailCurve {
    /// The dial's places: nothing, then each part alone.
    static let dials: [TailDial] =
        [TailDial()]
        + ([0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5] as [Float]).map { TailDial(lambda: $0) }
        + ([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 1] as [Float]).map { TailDial(lift: $0) }

    /// Rows that the undialled ranking puts first, among which the dial chooses: time must not grow with the catalogue for each place.
    private static let pool = 2_000

    /// One place.
    struct Point {
        var dial: TailDial
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
    func dial(losing share: Double) -> TailDial {
        let plain = points[0].report["NDCG@10"]
        return points.filter { $0.report["NDCG@10"] >= plain * (1 - share) }.max { $0.beyondHead < $1.beyondHead }?.dial ?? TailDial()
    }

    /// For the registry.
    ///
    /// - Parameter used: the dial that is built into the model.
    func json(used: TailDial) -> String {
        let lines = points.map { point in
            ResultLine([
                "tail_dial": .number(Double(point.dial.lambda)), "tail_lift": .number(Double(point.dial.lift)), "NDCG@10": .number(point.report["NDCG@10"]), "beyond_head_NDCG@10": .number(point.beyondHead),
                "tail_NDCG@10": .number(point.report.slices["tail"]?.metrics["NDCG@10"]?.mean ?? 0),
                "Coverage@10": .number(point.report.coverageAt10), "Gini@10": .number(point.report.giniAt10 ?? 0),
            ]).json
        }
        let recommended = dial(losing: Self.recommendedLoss)
        return ResultLine([
            "points": .json("[" + lines.joined(separator: ",") + "]"), "recommended": .number(Double(recommended.lambda)),
            "recommended_lift": .number(Double(recommended.lift)), "used": .number(Double(used.lambda)), "used_lift": .number(Double(used.lift)),
        ]).json
    }
}

extension Configuration {
    /// `ranking.tail_dial` and `ranking.tail_lift`.
    var tailDial: TailDial { TailDial(lambda: Float(number("ranking.tail_dial")), lift: Float(number("ranking.tail_lift"))) }
}
