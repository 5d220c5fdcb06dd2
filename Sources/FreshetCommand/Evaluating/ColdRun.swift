import Console
import ContentModel
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Learning
import Reports
import Tensors
import TowerTraining
import TrainingFiles

/// `freshet evaluate --protocol item-cold`: some items are treated as new, towers and content channel are trained without them, and
/// who took which of them is asked. Several seeds; rivals on the same questions.
struct ColdRun {
    struct Options {
        /// Of the items with interactions, in percent.
        var percent = 20.0
        /// Whether the newest items are taken instead of random ones; seeds then differ in what training leaves to chance.
        var newest = false
        var seeds = 3
    }

    let configuration: Configuration
    let url: String
    let until: EventTime?
    let options: Options

    private static let threads = 2
    private static let mixedLength = 20

    func run() throws -> ColdReport {
        let snapshot = try SnapshotLog(
            SnapshotExport(url: url, configuration: configuration), until: until,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")), threads: Self.threads)
        let log = snapshot.log
        var report = ColdReport(
            percent: options.percent, newest: options.newest, contestants: ColdContestants.Key.allCases.map(\.rawValue),
            parts: ContentChannel.Part.allCases.map { "\($0)" })
        for seed in 1...options.seeds {
            let cut = ColdCut(
                log, percent: options.percent, newest: options.newest, seed: UInt64(seed), links: configuration.list("content.links"))
            guard !cut.questions.isEmpty else {
                throw CommandFailure("there is nobody to ask: no user has interactions with the items that were cut out and with others")
            }
            report.add(try ask(cut, seed: UInt64(seed), columnsAt: snapshot.columnsPath))
            report.questions = cut.questions.count
            report.newItems = cut.isNew.count { $0 }
        }
        return report
    }

    /// Trains on what a cut leaves and asks everybody.
    private func ask(_ cut: ColdCut, seed: UInt64, columnsAt path: String) throws -> ColdReport.Round {
        let log = cut.log
        let excludes = Set(configuration.excludedTypes.map(\.rawValue))
        let holdout = Holdout.leaveOneOut(of: log, excludes: excludes, maxUsers: configuration.integer("train.evaluation_users"))
        var towers = try configuration.towerConfiguration()
        towers.seed = seed
        let trainer = try Trainer(log.trainingSet(until: holdout.trainingEnds, columnsAt: path), configuration: towers)
        let model = trainer.model(titled: "train, seed \(seed)")
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: excludes, threads: Self.threads)
        let training = ContentTraining(log: log, configuration: configuration)
        let learning = training.learning(log.userIDs.indices.map { log.rows(of: $0) }, threads: Self.threads)
        var channel = learning.channel
        let fitted = training.fitted(model, scoring: scoring, scores: scoring.towers(model))
        channel.weights = fitted.all
        let contestants = ColdContestants(
            cut: cut, model: model, channel: channel, sparseWeights: fitted.sparse, learning: learning, threads: Self.threads)
        var round = ColdReport.Round(weights: channel.weights)
        var metrics = ColdContestants.Key.allCases.map { _ in
            RankingMetrics(cutoffs: [10, 20, 100], catalogueSize: cut.isNew.count { $0 })
        }
        var shown = 0, shownNew = 0, relevantNew = 0, relevantOld = 0
        for question in cut.questions {
            let found = contestants.scores(question)
            for (place, key) in ColdContestants.Key.allCases.enumerated() {
                let scores = found.new[key] ?? []
                metrics[place].add(
                    ranked: topRows(100, of: scores).map { contestants.newRows[Int($0)] }, relevant: question.new)
            }
            let top = topRows(Self.mixedLength, of: found.all) { found.all[Int($0)] == -.infinity }
            shown += top.count
            shownNew += top.count { cut.isNew[Int($0)] }
            relevantNew += question.new.count
            relevantOld += ColdCut.heldBack * question.old.count
        }
        for (key, metric) in zip(ColdContestants.Key.allCases, metrics) { round.reports[key.rawValue] = metric.report() }
        round.shareShown = Double(shownNew) / Double(max(1, shown))
        round.shareRelevant = Double(relevantNew) / Double(max(1, relevantNew + relevantOld))
        return round
    }
}
