import Console
import Evaluation
import Interactions
import Recommending
import TowerModel
import TrainingFiles

/// Learns the ranking heads on what was held out, judges every mix of goals, and picks one.
///
/// Cross-fitted like the blend: each half of the users is judged, and calibrated, by heads that the other half gave.
struct HeadTraining {
    /// Rows of the ranking so far that heads reorder.
    private static let pool = 400
    private static let valuePowers: [Float] = [0, 0.25, 0.5, 0.75, 1, 1.5]

    let log: TrainingLog
    let configuration: Configuration

    /// What a mix of goals gave.
    struct Point {
        var powers: ObjectivePowers
        var usesClickHead: Bool
        var report: MetricsReport
        /// Whether no other point is better in one of NDCG@10 and gNDCG@10 and as good in the other.
        var isOnFront = false
    }

    /// Heads to publish with what was found of them.
    struct Outcome {
        var weights: HeadWeights
        /// For the registry.
        var json: String
    }

    /// Whether there is anything to learn: purchases with a price, or impressions.
    var isWanted: Bool {
        configuration.text("objectives.heads") != "off"
            && (log.impressions.count > 0 || log.amounts.withUnsafeBufferPointer { $0.contains { $0 > 0 } })
    }

    /// Counts what orders were worth in the rows that may be learned from.
    func tables(_ rows: [Range<Int>]) -> HeadTables {
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
    func heads(_ weights: HeadWeights, for model: TwoTowerModel, rows: [Range<Int>]) -> RankingHeads {
        RankingHeads(weights: weights, tables: tables(rows)).renumbered(
            log.itemIDs.map { model.row(of: $0) ?? -1 }, itemCount: model.itemIDs.count)
    }

    /// Fits, calibrates, judges and picks; nil where there is nothing to learn from.
    func learn(_ scoring: HoldoutScoring, judged: JudgedRanking, training: BlendTraining) -> Outcome? {
        guard isWanted, judged.hasTables else { return nil }
        let tables = tables(log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
        let builder = HeadExamplesBuilder(scoring: scoring, judged: judged, training: training, tables: tables)
        let built = builder.build(), examples = built.examples
        guard examples.count > 0, built.hasPurchases || built.fromImpressions else { return nil }
        // A wrong setting ended the run before it began.
        let sweep = HeadSweep(examples, balances: (try? configuration.headBalances()) ?? [.uncertainty])
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
        weights.powers = ObjectivePowers(
            click: Float(configuration.number("objectives.click_power")), conversion: Float(configuration.number("objectives.conversion_power")),
            value: Float(configuration.number("objectives.value_power")))
        let plain = points.filter { $0.powers == ObjectivePowers() }
        weights.ranksByClickHead = (plain.first { $0.usesClickHead }?.report["NDCG@10"] ?? 0) > plain.first { !$0.usesClickHead }?.report["NDCG@10"] ?? 0
        if configuration.text("objectives.tune") == "value" {
            // The smallest power within a standard error of nothing would be caution; the best is what was asked for, by whichever stands for
            // interest.
            let best = points.filter { $0.powers.conversion == weights.powers.conversion }.max { $0.report["gNDCG@10"] < $1.report["gNDCG@10"] }
            if let best { (weights.powers.value, weights.ranksByClickHead) = (best.powers.value, best.usesClickHead) }
        }
        return Outcome(weights: weights, json: json(built, sweep, lossWeights, calibrated, points, weights))
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
        return zip(mixes, metrics).map { Point(powers: $0.powers, usesClickHead: $0.usesClickHead, report: $1.report()) }
    }

    private static func markFront(_ points: inout [Point]) {
        let values = points.map { ($0.report["NDCG@10"], $0.report["gNDCG@10"]) }
        for place in points.indices {
            points[place].isOnFront = !values.contains { other in
                other.0 >= values[place].0 && other.1 >= values[place].1 && (other.0 > values[place].0 || other.1 > values[place].1)
            }
        }
    }

    private func json(
        _ built: HeadExamplesBuilder.Built, _ sweep: HeadSweep, _ lossWeights: [Float], _ calibration: HeadCalibration, _ points: [Point], _ weights: HeadWeights
    ) -> String {
        var line = ResultLine([
            "examples": .integer(built.examples.count),
            "examples_from": .text(built.fromImpressions ? "impressions" : "sampled negatives: the log has too few impressions after the border"),
            "declined": .integer(built.declined), "clicks": .boolean(built.hasClicks), "purchases": .boolean(built.hasPurchases), "values": .boolean(built.hasValues),
        ])
        for (name, weight) in zip(HeadLoss.names, lossWeights) { line.add("\(name)_loss_weight", .number(Double(weight))) }
        if sweep.points.count > 1 { line.add("sweep", .json(sweep.json)) }
        for (name, value) in calibration.fields { line.add(name, value) }
        let lines = points.enumerated().map { place, point in
            ResultLine([
                "point": .integer(place), "click_head": .boolean(point.usesClickHead), "click": .number(Double(point.powers.click)),
                "conversion": .number(Double(point.powers.conversion)), "value": .number(Double(point.powers.value)),
                "NDCG@10": .number(point.report["NDCG@10"]), "gNDCG@10": .number(point.report["gNDCG@10"]),
                "gNDCG@10_se": .number(point.report.metrics["gNDCG@10"]?.standardError ?? 0),
                "Coverage@10": .number(point.report.coverageAt10), "front": .boolean(point.isOnFront),
            ]).json
        }
        line.add("points", .json("[" + lines.joined(separator: ",") + "]"))
        line.add("click_head", .boolean(weights.ranksByClickHead))
        line.add("click_power", .number(Double(weights.powers.click)))
        line.add("conversion_power", .number(Double(weights.powers.conversion)))
        line.add("value_power", .number(Double(weights.powers.value)))
        return line.json
    }
}

extension Configuration {
    /// The weightings that `objectives.balance` wants to be tried: one, unless it is `sweep`.
    func headBalances() throws(ConfigurationError) -> [HeadBalance] {
        switch text("objectives.balance") {
        case "sweep": return HeadSweep.weightings
        case "fixed": break
        default: return [.uncertainty]
        }
        let given = list("objectives.loss_weights"), weights = given.compactMap { Float($0) }
        guard given.count == HeadLoss.names.count, weights.count == given.count, weights.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw ConfigurationError(
                "objectives.loss_weights is \(given.joined(separator: ",")), but takes three numbers from 0: of \(HeadLoss.names.joined(separator: ", "))")
        }
        return [.fixed(weights)]
    }
}

extension HeadSweep {
    /// The points for the registry.
    var json: String {
        let lines = points.enumerated().map { place, point in
            var line = ResultLine()
            if case .fixed = point.balance { line.add("weighting", .text("fixed")) } else { line.add("weighting", .text("uncertainty")) }
            for (index, name) in HeadLoss.names.enumerated() {
                line.add("\(name)_weight", .number(Double(point.weights[index])))
                line.add("\(name)_loss", .number(point.losses[index]))
            }
            line.add("front", .boolean(point.isOnFront))
            line.add("picked", .boolean(place == picked))
            return line.json
        }
        return "[" + lines.joined(separator: ",") + "]"
    }
}

/// How well the heads' probabilities hold on users that they did not learn from, before and after correction.
struct HeadCalibration {
    /// One head's.
    private struct Head {
        var name: String
        var correction: Calibration
        var before, after: Reliability
    }

    private let heads: [Head]

    var click: Calibration { heads[0].correction }
    var conversion: Calibration { heads[1].correction }

    /// - Parameter halves: the networks for users of even and odd rows, fitted on the others.
    init(_ examples: HeadExamples, halves: [HeadNetwork]) {
        let outputs = halves.map { network in examples.features.withUnsafeBufferPointer { network.outputs($0) } }
        let own = examples.examples.indices.map { outputs[examples.groups[$0]][$0] }
        func head(_ name: String, _ logits: [Float], _ outcomes: [Float], _ weights: [Float]) -> Head {
            let correction = Calibration(fitting: logits, outcomes: outcomes, weights: weights)
            func reliability(_ calibration: Calibration) -> Reliability {
                let outputs = logits.map { HeadOutput(click: calibration.logit($0), conversion: 0, location: 0, logScale: 0).clickProbability }
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
    var fields: [(String, ResultLine.Value)] {
        heads.flatMap { head -> [(String, ResultLine.Value)] in
            let bins = head.after.bins.map { "[\($0.predicted),\($0.observed)]" }
            return [
                ("\(head.name)_ece_before", .number(head.before.expectedError)), ("\(head.name)_ece", .number(head.after.expectedError)),
                ("\(head.name)_reliability", .json("[" + bins.joined(separator: ",") + "]")),
            ]
        }
    }
}
