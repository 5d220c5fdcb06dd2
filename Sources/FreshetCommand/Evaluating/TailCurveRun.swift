import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Learning
import Recommending
import Reports
import TowerModel
import TowerTraining
import TrainingFiles

/// `freshet evaluate --protocol tail-curve`: what each setting for rare items gives and costs, all on the same held-out questions of one
/// snapshot. Dials move the scores of the plain model; for every value of the others a model is trained, once a seed.
struct TailCurveRun {
    struct Options {
        /// Values by setting; nil for those of ``TailSetting``.
        var values: [TailSetting: [Double]]?
        /// Instead of `train.epochs`.
        var epochs: Int?
        var seeds = 3
    }

    let configuration: Configuration
    let url: String
    let until: EventTime?
    let options: Options

    private static let threads = 2

    /// Reads, trains and asks.
    ///
    /// - Throws: where nothing is held out, or a value is refused.
    func run() throws -> TailCurveReport {
        let snapshot = try SnapshotLog(
            SnapshotExport(url: url, configuration: configuration), until: until,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")), threads: Self.threads)
        let log = snapshot.log
        guard let holdout = configuration.holdout(of: log), !holdout.questions.isEmpty else {
            throw CommandFailure("nobody can be asked: train.holdout is \(configuration.text("train.holdout")), and there are \(log.count) interactions")
        }
        let scoring = HoldoutScoring(
            log: log, holdout: holdout, excludes: Set(configuration.excludedTypes.map(\.rawValue)), threads: Self.threads)
        let set = try log.trainingSet(until: holdout.trainingEnds, columnsAt: snapshot.columnsPath)
        let plain = try configuration.setting(TailSetting.allCases.map { ($0.rawValue, "0") }, source: "tail-curve")
        let plan = try values(plain)
        var report = TailCurveReport(
            split: holdout.description, users: holdout.questions.count, popularity: scoring.scorePopularity().record,
            isBlended: BlendTraining(log: log, configuration: plain).isWanted)
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
    private func values(_ plain: Configuration) throws -> [(setting: TailSetting, values: [Double])] {
        let isBlended = plain.text("ranking.blend") != "off"
        if let named = options.values {
            for setting in [TailSetting.tailDial, .tailLift] where named[setting] != nil && !isBlended {
                throw CommandFailure("\(setting.rawValue) acts on the ranking blend, but ranking.blend is off; name train.popularity_dial instead")
            }
            if named[.popularityDial] != nil, isBlended {
                throw CommandFailure("train.popularity_dial acts on the towers' vectors, for which the ranking blend makes up; name ranking.tail_dial instead, or --set ranking.blend=off")
            }
            return TailSetting.allCases.compactMap { setting in named[setting].map { (setting: setting, values: $0.sorted()) } }
        }
        let loss = try plain.towerConfiguration().loss
        return TailSetting.allCases.compactMap { setting -> (setting: TailSetting, values: [Double])? in
            switch setting {
            // On the towers' vectors the blend's own signals of popularity make up for a dial.
            case .tailDial where !isBlended, .tailLift where !isBlended, .popularityDial where isBlended, .logitAdjustment where loss == .bce: nil
            default: (setting: setting, values: setting.values)
            }
        }
    }

    private func towers(_ plain: Configuration, _ setting: TailSetting?, _ value: Double, seed: UInt64) throws -> TowerConfiguration {
        let own = try setting.map { try plain.setting([($0.rawValue, String(value))], source: "--values") } ?? plain
        var towers = try own.towerConfiguration()
        towers.seed = seed
        towers.threads = Self.threads
        if let epochs = options.epochs { towers.epochs = epochs }
        return towers
    }

    private func judged(
        _ plain: Configuration, _ towers: TowerConfiguration, set: TrainingSet, scoring: HoldoutScoring, note: String
    ) throws -> JudgedRanking {
        let trainer: Trainer
        do { trainer = try Trainer(set, configuration: towers) } catch { throw CommandFailure(error.description) }
        return JudgedRanking(
            trainer.model(titled: "train, \(note)"), scoring: scoring, training: BlendTraining(log: scoring.log, configuration: plain))
    }
}

/// What one model, under one dial, answered to every question.
extension TailCurveReport.Cell {
    /// Rows that the undialled ranking puts first, among which a dial chooses.
    private static let pool = 2_000

    /// A cell for each dial, all questions asked once.
    static func cells(_ scoring: HoldoutScoring, judged: JudgedRanking, slices: ItemSlices, dials: [TailDial]) -> [TailCurveReport.Cell] {
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
