import Evaluation
import Interactions
import Recommending
import TowerModel
import TrainingFiles

/// Learns the ranking heads on what was held out, judges every mix of goals, and picks one.
///
/// Cross-fitted like the blend: each half of the users is judged, and calibrated, by heads that the other half gave.
package struct HeadTraining {
    /// Rows of the ranking so far that heads reorder.
    private static let pool = 400
    private static let valuePowers: [Float] = [0, 0.25, 0.5, 0.75, 1, 1.5]

    /// What is learned from.
    package let log: TrainingLog
    /// How they are learned.
    package let settings: HeadSettings

    /// All of it.
    package init(log: TrainingLog, settings: HeadSettings) {
        self.log = log
        self.settings = settings
    }

    /// What a mix of goals gave.
    package struct Point {
        /// The powers that it ranks by.
        package var powers: ObjectivePowers
        /// Whether clicks are ranked by their head instead of the towers.
        package var usesClickHead: Bool
        /// What it gives on the held-out questions.
        package var report: MetricsReport
        /// NDCG@10 question by question.
        package var perUserNDCG: [Double]
        /// Whether no other point is better in one of NDCG@10 and gNDCG@10 and as good in the other.
        package var isOnFront = false

        /// A point that was measured.
        package init(powers: ObjectivePowers, usesClickHead: Bool, report: MetricsReport, perUserNDCG: [Double]) {
            (self.powers, self.usesClickHead, self.report, self.perUserNDCG) = (powers, usesClickHead, report, perUserNDCG)
        }

        /// Whether this one is better than the ranking without it: by more than a standard error, since it is one more thing that may be
        /// wrong; and where the ranking counts what orders are worth (`keepsWorth`), not at its expense.
        package func ranksBetter(than ranking: Point, keepsWorth: Bool) -> Bool {
            let paired = PairedComparison(candidate: perUserNDCG, other: ranking.perUserNDCG, confidence: 0.9)
            return paired.difference > paired.standardError && (!keepsWorth || report["gNDCG@10"] >= ranking.report["gNDCG@10"])
        }
    }

    /// Heads to publish with what was found of them.
    package struct Outcome {
        /// Fitted on all examples.
        package var weights: HeadWeights
        /// The heads for users of even and odd rows, learned from the others, with the same powers.
        package var halves: [RankingHeads]
        /// For the registry.
        package var record: ObjectivesRecord
    }

    /// Whether there is anything to learn: purchases with a price, or impressions.
    package var isWanted: Bool {
        settings.isWanted
            && (log.impressions.count > 0 || log.amounts.withUnsafeBufferPointer { $0.contains { $0 > 0 } })
    }

    /// Counts what orders were worth in the rows that may be learned from.
    package func tables(_ rows: [Range<Int>]) -> HeadTables {
        var sums = [Double](repeating: 0, count: log.itemIDs.count), orders = [Int](repeating: 0, count: log.itemIDs.count)
        for own in rows {
            for row in own where log.amounts[row] >= 0 && log.types[row] == InteractionType.purchase.rawValue {
                sums[Int(log.items[row])] += Double(log.amounts[row])
                orders[Int(log.items[row])] += 1
            }
        }
        return HeadTables(
            sums: sums, orders: orders, categories: log.contents.map(\.categories), prices: log.contents.map(\.priceMicros)
        ).declaring(log.attributes) { user in
            var paid = 0.0, orders = 0
            for row in rows[user] where log.amounts[row] >= 0 && log.types[row] == InteractionType.purchase.rawValue {
                paid += Double(log.amounts[row])
                orders += 1
            }
            return (rows[user].map { log.items[$0] }, paid, orders)
        }
    }

    /// The heads to publish with a model: tables over `rows`, in the model's own rows.
    package func heads(_ weights: HeadWeights, for model: TwoTowerModel, rows: [Range<Int>]) -> RankingHeads {
        RankingHeads(weights: weights, tables: tables(rows)).renumbered(
            log.itemIDs.map { model.row(of: $0) ?? -1 }, itemCount: model.itemIDs.count)
    }

    /// Fits, calibrates, judges and picks; nil where there is nothing to learn from.
    package func learn(_ scoring: HoldoutScoring, judged: JudgedRanking, training: BlendTraining) -> Outcome? {
        guard isWanted, judged.hasTables else { return nil }
        let tables = tables(log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
        let builder = HeadExamplesBuilder(scoring: scoring, judged: judged, training: training, tables: tables)
        let built = builder.build(), examples = built.examples
        guard examples.count > 0, built.hasPurchases || built.fromImpressions else { return nil }
        let sweep = HeadSweep(examples, balances: settings.balances)
        let chosen = sweep.points[sweep.picked]
        let (network, lossWeights) = HeadFit(balance: chosen.balance).network(for: examples)
        let halves = chosen.halves.map { HeadWeights($0) }
        let calibrated = HeadCalibration(examples, halves: chosen.halves)

        var weights = HeadWeights(network, click: calibrated.click, conversion: calibrated.conversion)
        let judgedHalves = halves.map { half in
            var half = half
            (half.click, half.conversion) = (calibrated.click, calibrated.conversion)
            return RankingHeads(weights: half, tables: tables)
        }
        var points = judge(builder, judgedHalves, conversions: built.hasClicks && built.hasPurchases ? [0, 1] : [0])
        Self.markFront(&points)
        weights.powers = settings.powers
        let plain = points.filter { $0.powers == ObjectivePowers() }
        if let ranking = plain.first(where: { !$0.usesClickHead }), let head = plain.first(where: { $0.usesClickHead }) {
            weights.ranksByClickHead = head.ranksBetter(
                than: ranking, keepsWorth: judged.ranker.map { $0.hasValues && $0.mixing.valueShare > 0 } ?? false)
        }
        if settings.tunesValue {
            // The smallest power within a standard error of nothing would be caution; the best is what was asked for, by whichever stands
            // for interest.
            let best = points.filter { $0.powers.conversion == weights.powers.conversion }
                .max { $0.report["gNDCG@10"] < $1.report["gNDCG@10"] }
            if let best { (weights.powers.value, weights.ranksByClickHead) = (best.powers.value, best.usesClickHead) }
        }
        let crossed = judgedHalves.map { half in
            var half = half
            (half.weights.powers, half.weights.ranksByClickHead) = (weights.powers, weights.ranksByClickHead)
            return half
        }
        return Outcome(weights: weights, halves: crossed, record: record(built, sweep, lossWeights, calibrated, points, weights))
    }

    /// Every mix on the held-out questions.
    private func judge(_ builder: HeadExamplesBuilder, _ halves: [RankingHeads], conversions: [Float]) -> [Point] {
        let scoring = builder.scoring
        let slices = ItemSlices(counts: scoring.trainingCounts(), itemIDs: log.itemIDs)
        var mixes: [(powers: ObjectivePowers, usesClickHead: Bool)] = []
        for usesClickHead in [false, true] {
            for conversion in conversions {
                for value in Self.valuePowers { mixes.append((ObjectivePowers(conversion: conversion, value: value), usesClickHead)) }
            }
        }
        var metrics = mixes.map { _ in RankingMetrics(cutoffs: [10], catalogueSize: log.itemIDs.count, slices: slices) }
        for question in scoring.holdout.questions {
            let seen = HeadSight(question, builder)
            let excluded = scoring.excluded(question)
            let rows = seen.best(Self.pool, where: { !excluded.contains($0) && !log.isHidden[Int($0)] })
            var features: [Float] = []
            features.reserveCapacity(rows.count * HeadFeature.count)
            for row in rows { features.append(contentsOf: seen.features(of: row)) }
            var heads = halves[question.user % 2]
            let outputs = features.withUnsafeBufferPointer { heads.outputs($0) }
            let gains = HeldOutcomes(question, log: log).gains(of: question.truth)
            for (place, mix) in mixes.enumerated() {
                heads.weights.ranksByClickHead = mix.usesClickHead
                let scores = zip(rows, outputs).map { row, output in
                    heads.score(output, interest: seen.interest[Int(row)], powers: mix.powers)
                }
                metrics[place].add(ranked: topRows(10, of: scores).map { rows[Int($0)] }, relevant: question.truth, gains: gains)
            }
        }
        return zip(mixes, metrics).map {
            Point(powers: $0.powers, usesClickHead: $0.usesClickHead, report: $1.report(), perUserNDCG: $1.perUserNDCG)
        }
    }

    private static func markFront(_ points: inout [Point]) {
        let values = points.map { ($0.report["NDCG@10"], $0.report["gNDCG@10"]) }
        for place in points.indices {
            points[place].isOnFront = !values.contains { other in
                other.0 >= values[place].0 && other.1 >= values[place].1 && (other.0 > values[place].0 || other.1 > values[place].1)
            }
        }
    }

    private func record(
        _ built: HeadExamplesBuilder.Built, _ sweep: HeadSweep, _ lossWeights: [Float], _ calibration: HeadCalibration, _ points: [Point],
        _ weights: HeadWeights
    ) -> ObjectivesRecord {
        var record = ObjectivesRecord()
        record.examples = built.examples.count
        record.examplesFrom =
            built.fromImpressions ? "impressions" : "sampled negatives: the log has too few impressions after the border"
        record.declined = built.declined
        (record.clicks, record.purchases, record.values) = (built.hasClicks, built.hasPurchases, built.hasValues)
        let losses = lossWeights.map(Double.init)
        (record.clickLossWeight, record.conversionLossWeight, record.valueLossWeight) = (losses[0], losses[1], losses[2])
        if sweep.points.count > 1 { record.sweep = sweep.record }
        calibration.note(in: &record)
        record.points = points.enumerated().map { place, point in
            ObjectivesRecord.Point(
                place, clickHead: point.usesClickHead, click: Double(point.powers.click), conversion: Double(point.powers.conversion),
                value: Double(point.powers.value), report: point.report, front: point.isOnFront)
        }
        record.clickHead = weights.ranksByClickHead
        record.clickPower = Double(weights.powers.click)
        record.conversionPower = Double(weights.powers.conversion)
        record.valuePower = Double(weights.powers.value)
        return record
    }
}

extension HeadSweep {
    /// The points for the registry.
    package var record: [ObjectivesRecord.Weighting] {
        points.enumerated().map { place, point in
            let isFixed = if case .fixed = point.balance { true } else { false }
            return ObjectivesRecord.Weighting(
                isFixed ? "fixed" : "uncertainty", weights: point.weights.map(Double.init), losses: point.losses,
                front: point.isOnFront, picked: place == picked)
        }
    }
}

/// How well the heads' probabilities hold on users that they did not learn from, before and after correction.
package struct HeadCalibration {
    /// One head's.
    private struct Head {
        var name: String
        var correction: Calibration
        var before, after: Reliability
    }

    private let heads: [Head]

    /// How probabilities of clicks are corrected.
    package var click: Calibration { heads[0].correction }
    /// How probabilities of purchases are corrected.
    package var conversion: Calibration { heads[1].correction }

    /// - Parameter halves: the networks for users of even and odd rows, fitted on the others.
    package init(_ examples: HeadExamples, halves: [HeadNetwork]) {
        let outputs = halves.map { network in examples.features.withUnsafeBufferPointer { network.outputs($0) } }
        let own = examples.examples.indices.map { outputs[examples.groups[$0]][$0] }
        func head(_ name: String, _ logits: [Float], _ outcomes: [Float], _ weights: [Float]) -> Head {
            let correction = Calibration(fitting: logits, outcomes: outcomes, weights: weights)
            func reliability(_ calibration: Calibration) -> Reliability {
                let outputs = logits.map {
                    HeadOutput(click: calibration.logit($0), conversion: 0, location: 0, logScale: 0).clickProbability
                }
                return Reliability(outputs, outcomes: outcomes, weights: weights)
            }
            return Head(name: name, correction: correction, before: reliability(Calibration()), after: reliability(correction))
        }
        let clicked = examples.examples.indices.filter { examples.examples[$0].click > 0 }
        heads = [
            head("click", own.map(\.click), examples.examples.map(\.click), examples.examples.map(\.weight)),
            head(
                "conversion", clicked.map { own[$0].conversion }, clicked.map { examples.examples[$0].isBought ? 1 : 0 },
                clicked.map { examples.examples[$0].weight }),
        ]
    }

    /// For the registry: calibration errors and the bins of a reliability plot.
    package func note(in record: inout ObjectivesRecord) {
        func bins(_ head: Head) -> [[Double]] { head.after.bins.map { [Double($0.predicted), Double($0.observed)] } }
        (record.clickErrorBefore, record.clickError) = (heads[0].before.expectedError, heads[0].after.expectedError)
        record.clickReliability = bins(heads[0])
        (record.conversionErrorBefore, record.conversionError) = (heads[1].before.expectedError, heads[1].after.expectedError)
        record.conversionReliability = bins(heads[1])
    }
}
