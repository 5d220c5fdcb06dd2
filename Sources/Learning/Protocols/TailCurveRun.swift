import Console
import Evaluation
import Foundation
import Recommending
import Reports
import TowerModel
import TowerTraining
import TrainingFiles

/// `freshet evaluate --protocol tail-curve`: what each setting for rare items gives and costs, all on the same held-out questions of one
/// snapshot. Dials move the scores of the plain model; for every value of the others a model is trained, once a seed.
package struct TailCurveRun {
    /// What is asked for.
    package struct Options {
        /// Values by setting; nil for those of ``TailSetting``.
        package var values: [TailSetting: [Double]]?
        /// Instead of `train.epochs`.
        package var epochs: Int?
        /// Rounds.
        package var seeds = 3

        /// All of it.
        package init(values: [TailSetting: [Double]]? = nil, epochs: Int? = nil, seeds: Int = 3) {
            self.values = values
            self.epochs = epochs
            self.seeds = seeds
        }
    }

    /// How parts are learned, and what is held out.
    package let settings: LearningSettings
    /// The same with other values of some keys.
    package let configured: Configured
    /// What is asked for.
    package let options: Options

    /// All of it.
    package init(settings: LearningSettings, configured: @escaping Configured, options: Options) {
        self.settings = settings
        self.configured = configured
        self.options = options
    }

    private static let threads = 2

    /// Reads, trains and asks.
    ///
    /// - Throws: where nothing is held out, or a value is refused.
    package func run(_ snapshot: SnapshotLog) throws -> TailCurveReport {
        let log = snapshot.log
        guard let holdout = Holdout(settings.holdout, of: log), !holdout.questions.isEmpty else {
            throw CommandFailure("nobody can be asked: train.holdout is \(settings.holdout.cut.name), and there are \(log.count) interactions")
        }
        let scoring = HoldoutScoring(
            log: log, holdout: holdout, excludes: settings.holdout.excludes, threads: Self.threads)
        let set = try log.trainingSet(until: holdout.trainingEnds, columnsAt: snapshot.columnsPath)
        let plain = try configured([], "tail-curve")
        let plan = try values(plain)
        var report = TailCurveReport(
            split: holdout.description, users: holdout.questions.count, popularity: scoring.scorePopularity().record,
            isBlended: plain.learning.blend.isWanted)
        let slices = ItemSlices(counts: scoring.trainingCounts(), itemIDs: log.itemIDs)
        let trained = plan.filter { !$0.setting.isDial }
        // Wrong values end the run before its first training.
        for (setting, values) in trained { for value in values { _ = try towers(plain, setting, value, seed: 1) } }
        for seed in 1...UInt64(options.seeds) {
            let judged = try judged(plain, try towers(plain, nil, 0, seed: seed), set: set, scoring: scoring, note: "seed \(seed)")
            let dials = plan.filter { $0.setting.isDial }.flatMap { dial in dial.values.map { (setting: dial.setting, value: $0) } }
            let cells = TailCurveReport.Cell.cells(scoring, judged: judged, slices: slices, dials: [TailDial()] + dials.map { $0.setting.dial($0.value) })
            report.add(cells[0], seed: seed, outcome: judged.outcome.record)
            for (dial, cell) in zip(dials, cells.dropFirst()) { report.add(cell, of: dial.setting, value: dial.value) }
            for (setting, values) in trained {
                for value in values {
                    let own = try self.judged(
                        plain, try towers(plain, setting, value, seed: seed), set: set, scoring: scoring,
                        note: "seed \(seed), \(setting.rawValue) \(value)")
                    report.add(TailCurveReport.Cell.cells(scoring, judged: own, slices: slices, dials: [TailDial()])[0], of: setting, value: value)
                }
            }
        }
        return report
    }

    /// Settings and values, in their order: what was named, or everything that fits the configuration.
    private func values(_ plain: RunSettings) throws -> [(setting: TailSetting, values: [Double])] {
        let isBlended = plain.learning.blend.isWanted
        if let named = options.values {
            for setting in [TailSetting.tailDial, .tailLift] where named[setting] != nil && !isBlended {
                throw CommandFailure("\(setting.rawValue) acts on the ranking blend, but ranking.blend is off; name train.popularity_dial instead")
            }
            if named[.popularityDial] != nil, isBlended {
                throw CommandFailure("train.popularity_dial acts on the towers' vectors, for which the ranking blend makes up; name ranking.tail_dial instead, or --set ranking.blend=off")
            }
            return TailSetting.allCases.compactMap { setting in named[setting].map { (setting: setting, values: $0.sorted()) } }
        }
        let loss = plain.towers.loss
        return TailSetting.allCases.compactMap { setting -> (setting: TailSetting, values: [Double])? in
            switch setting {
            // On the towers' vectors the blend's own signals of popularity make up for a dial.
            case .tailDial where !isBlended, .tailLift where !isBlended, .popularityDial where isBlended, .logitAdjustment where loss == .bce: nil
            default: (setting: setting, values: setting.values)
            }
        }
    }

    private func towers(_ plain: RunSettings, _ setting: TailSetting?, _ value: Double, seed: UInt64) throws -> TowerConfiguration {
        var towers = try setting.map { try configured([($0.rawValue, String(value))], "--values").towers } ?? plain.towers
        towers.seed = seed
        towers.threads = Self.threads
        if let epochs = options.epochs { towers.epochs = epochs }
        return towers
    }

    private func judged(
        _ plain: RunSettings, _ towers: TowerConfiguration, set: TrainingSet, scoring: HoldoutScoring, note: String
    ) throws -> JudgedRanking {
        let trainer: Trainer
        do { trainer = try Trainer(set, configuration: towers) } catch { throw CommandFailure(error.description) }
        return JudgedRanking(
            trainer.model(titled: "train, \(note)"), scoring: scoring, training: BlendTraining(log: scoring.log, settings: plain.learning.blend))
    }
}

/// What one model, under one dial, answered to every question.
extension TailCurveReport.Cell {
    /// Rows that the undialled ranking puts first, among which a dial chooses.
    private static let pool = 2_000

    /// A cell for each dial, all questions asked once.
    package static func cells(_ scoring: HoldoutScoring, judged: JudgedRanking, slices: ItemSlices, dials: [TailDial]) -> [TailCurveReport.Cell] {
        let log = scoring.log
        // Shares as the blend has them; without a blend a dial on the vectors counts events alike.
        let popularity = judged.hasTables ? judged.tables.popularity : logShares(scoring.trainingCounts())
        var whole = dials.map { _ in RankingMetrics(cutoffs: [10], catalogueSize: log.itemIDs.count, slices: slices) }
        var beyond = dials.map { _ in RankingMetrics(cutoffs: [10], catalogueSize: log.itemIDs.count) }
        for question in scoring.holdout.questions {
            let plain = judged.scores(question), excluded = scoring.excluded(question)
            let rows = topRows(pool, of: plain, excluding: { excluded.contains($0) || log.isHidden[Int($0)] })
            let rare = question.truth.filter { slices.slice(of: $0).isBeyondHead }
            for (place, dial) in dials.enumerated() {
                let scores = rows.map { plain[Int($0)] + dial.bonus(popularity: popularity[Int($0)], isBeyondHead: slices.slice(of: $0).isBeyondHead) }
                let ranked = topRows(10, of: scores).map { rows[Int($0)] }
                whole[place].add(ranked: ranked, relevant: question.truth)
                beyond[place].add(ranked: ranked, relevant: rare)
            }
        }
        return zip(whole, beyond).map { metrics, rare in
            let report = metrics.report()
            return TailCurveReport.Cell(
                all: metrics.perUserNDCG, beyondHead: rare.perUserNDCG, tail: report.slices["tail"]?.metrics["NDCG@10"]?.mean ?? 0,
                coverage: report.coverageAt10, gini: report.giniAt10 ?? 0)
        }
    }

    private static func logShares(_ counts: [Int]) -> [Float] {
        let total = Double(max(1, counts.reduce(0, +)))
        return counts.map { Float(log(Double(max(1, $0)) / total)) }
    }
}
