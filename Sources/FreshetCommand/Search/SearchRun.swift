import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Learning
import Logging
import TowerModel
import TowerTraining
import TrainingFiles

/// `freshet search`: trainings with settings drawn at random, judged on the same held-out questions of one snapshot.
struct SearchRun {
    /// What is asked for.
    struct Options {
        var name: String
        var space: SearchSpace
        /// Halving, or one rung for all.
        var plan: SuccessiveHalving
        var seed: UInt64
        /// Minutes after which no trial begins or goes on; nil for no limit.
        var minutes: Double?
    }

    /// What was found.
    struct Found {
        var table: SearchTable
        /// The best trial of the highest rung, and the recipe as it stood on the same rung.
        var best: SearchTable.Trial
        var baseline: SearchTable.Trial?
        /// Whether time ran out before all trials.
        var isCut: Bool
        var users: Int
        var recipe: String
    }

    let configuration: Configuration
    let options: Options
    let asOf: EventTime?
    let logger: Logger
    let stop: StopSignal

    /// The folder of a search.
    var folder: String { configuration.text("artifacts.path") + "/searches/" + options.name }

    /// Runs trials until all are done or time is up.
    ///
    /// - Throws: where there is nothing to learn from or to ask, or not one trial fitted into the time.
    func run() throws -> Found {
        let started = ContinuousClock.now
        func isOver() -> Bool {
            stop.isRaised || options.minutes.map { started.duration(to: .now).inSeconds >= $0 * 60 } ?? false
        }
        let file = try snapshot()
        let base = file.log
        let gate = DataInspection(base, gate: configuration.dataGate, bounds: configuration.userBounds, former: nil)
        let log = configuration.text("train.data_gate") == "enforce"
            ? try base.leavingOut(Set(gate.suspicious.keys), columnsAt: folder + "/columns-kept") : base
        guard let holdout = configuration.holdout(of: log), !holdout.questions.isEmpty else {
            throw CommandFailure("nothing is held out to judge trials by: train.holdout is \(configuration.text("train.holdout")), and there are \(log.count) interactions")
        }
        let set = try log.trainingSet(until: holdout.trainingEnds, columnsAt: folder + "/columns")
        var table = try SearchTable(path: folder + "/trials.jsonl", head: head(file.identity))
        var isCut = false
        search: for rung in 0..<options.plan.rungs {
            for number in options.plan.survivors(rung: rung, scores: rung > 0 ? table.scores(rung: rung - 1) : [:]) where table.trial(number, rung: rung) == nil {
                guard !isOver() else {
                    isCut = true
                    break search
                }
                guard let trial = try self.trial(number, rung: rung, set: set, log: log, holdout: holdout, isOver: isOver) else {
                    isCut = true
                    break search
                }
                try table.append(trial)
                logger.notice("trial", metadata: metadata(trial))
            }
        }
        guard let best = table.trials.filter({ $0.ndcg != nil }).max(by: { ($0.rung, $0.ndcg ?? 0, -$0.trial) < ($1.rung, $1.ndcg ?? 0, -$1.trial) }) else {
            throw CommandFailure("no trial was finished in \(options.minutes.map { "\($0) minutes" } ?? "time"); the table is \(table.path)")
        }
        return Found(
            table: table, best: best, baseline: table.trial(0, rung: best.rung), isCut: isCut, users: holdout.questions.count,
            recipe: try recipe(best))
    }

    /// The one training file of all trials: read from the database once, then kept beside the table.
    private func snapshot() throws -> TrainingFile {
        let path = folder + "/log.freshet-training"
        if !FileManager.default.fileExists(atPath: path) {
            let url = try configuration.databaseURL()
            let progress = ProgressLine("read interactions")
            let read = try SnapshotExport(url: url, configuration: configuration).write(to: path, until: asOf, isStopped: { stop.isRaised }) { progress.update($0) }
            progress.finish(read.interactions)
        }
        return try TrainingFile(path: path)
    }

    private func head(_ snapshot: String) -> SearchTable.Head {
        SearchTable.Head(
            seed: options.seed, method: options.plan.rungs > 1 ? "halving" : "random", trials: options.plan.trials, rungs: options.plan.rungs,
            keepOneIn: options.plan.keepOneIn,
            space: Dictionary(uniqueKeysWithValues: options.space.ranges.map { ($0.key, "\($0.values)") }), settings: configuration.recipe,
            snapshot: snapshot)
    }

    /// One trial; nil where time ran out before its end.
    private func trial(
        _ number: Int, rung: Int, set: TrainingSet, log: TrainingLog, holdout: Holdout, isOver: () -> Bool
    ) throws -> SearchTable.Trial? {
        let started = ContinuousClock.now
        let drawn = options.space.settings(trial: number, seed: options.seed)
        var trial = SearchTable.Trial(
            trial: number, rung: rung, epochs: 0, settings: Dictionary(uniqueKeysWithValues: drawn.map { ($0.key, $0.value) }), seconds: 0)
        var own: Configuration, towers: TowerConfiguration
        do {
            own = try configuration.setting(drawn, source: "trial \(number)")
            towers = try own.towerConfiguration()
            let epochs = max(1, Int((Double(towers.epochs) * options.plan.share(rung: rung)).rounded()))
            do { try towers.set("epochs", String(epochs)) } catch { throw ConfigurationError(error.description) }
        } catch let error as ConfigurationError {
            // Settings that contradict each other are part of a space; the trial is noted and nothing more.
            trial.failure = error.description
            return trial
        }
        trial.epochs = towers.epochs
        let trainer: Trainer
        do { trainer = try Trainer(set, configuration: towers) } catch { throw CommandFailure(error.description) }
        while !trainer.isFinished {
            let summary = trainer.runEpoch(now: { started.duration(to: .now).inSeconds }, shouldStop: isOver)
            if summary.isUnfinished || (isOver() && !trainer.isFinished) { return nil }
        }
        let scoring = HoldoutScoring(
            log: log, holdout: holdout, excludes: Set(own.excludedTypes.map(\.rawValue)), threads: towers.threads)
        let judged = JudgedRanking(trainer.model(), scoring: scoring, training: BlendTraining(log: log, configuration: own))
        let ndcg = judged.outcome.report.metrics["NDCG@10"]
        trial.ndcg = ndcg?.mean
        trial.standardError = ndcg?.standardError
        trial.seconds = started.duration(to: .now).inSeconds
        return trial
    }

    private func metadata(_ trial: SearchTable.Trial) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["trial": "\(trial.trial)", "rung": "\(trial.rung)", "epochs": "\(trial.epochs)"]
        if let ndcg = trial.ndcg { metadata["ndcg_at_10"] = "\(String(ndcg).prefix(7))" }
        if let failure = trial.failure { metadata["failure"] = "\(failure)" }
        for (key, value) in trial.settings { metadata[key] = "\(value)" }
        return metadata
    }

    /// The recipe of a trial as YAML.
    private func recipe(_ trial: SearchTable.Trial) throws -> String {
        let own = try configuration.setting(trial.settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, source: "trial \(trial.trial)")
        let score = trial.ndcg.map { String(format: "%.4f", $0) } ?? "none"
        return "# Found by freshet search: trial \(trial.trial), seed \(options.seed), NDCG@10 \(score) on what was held out.\n" + own.recipeYAML
    }
}
