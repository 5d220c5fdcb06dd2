import Console
import Evaluation
import Foundation
import Interactions
import Logging
import Recommending
import Tensors
import TowerModel
import TowerTraining
import TrainingFiles

/// `freshet search`: trainings with settings drawn at random, judged on the same held-out questions of one snapshot.
package struct SearchRun {
    /// What is asked for.
    package struct Options {
        /// What settings are drawn from.
        package var space: SearchSpace
        /// Halving, or one rung for all.
        package var plan: SuccessiveHalving
        /// Decides what is drawn.
        package var seed: UInt64
        /// Minutes after which no trial begins or goes on; nil for no limit.
        package var minutes: Double?

        /// All of it.
        package init(space: SearchSpace, plan: SuccessiveHalving, seed: UInt64, minutes: Double? = nil) {
            self.space = space
            self.plan = plan
            self.seed = seed
            self.minutes = minutes
        }
    }

    /// What was found.
    package struct Found {
        /// All trials.
        package var table: SearchTable
        /// The best trial of the highest rung, and the recipe as it stood on the same rung.
        package var best: SearchTable.Trial
        /// The recipe as it stood, on the same rung; nil where it was not tried there.
        package var baseline: SearchTable.Trial?
        /// Whether time ran out before all trials.
        package var isCut: Bool
        /// Users that every trial was asked about.
        package var users: Int
        /// The best as YAML.
        package var recipe: String

        /// All of it.
        package init(
            table: SearchTable, best: SearchTable.Trial, baseline: SearchTable.Trial? = nil, isCut: Bool, users: Int, recipe: String
        ) {
            self.table = table
            self.best = best
            self.baseline = baseline
            self.isCut = isCut
            self.users = users
            self.recipe = recipe
        }
    }

    /// Settings as texts.
    package struct Recipe {
        /// The settings that trials change, by key.
        package var settings: [String: String]
        /// The recipe with the settings of a trial, as YAML.
        package var yaml: (_ values: [(key: String, value: String)], _ source: String) throws -> String

        /// All of it.
        package init(
            settings: [String: String], yaml: @escaping (_ values: [(key: String, value: String)], _ source: String) throws -> String
        ) {
            self.settings = settings
            self.yaml = yaml
        }
    }

    /// How parts are learned, and what is held out.
    package let settings: LearningSettings
    /// The same with other values of some keys.
    package let configured: Configured
    /// What the search's recipe is written from.
    package let recipe: Recipe
    /// What is asked for.
    package let options: Options
    /// Leaves out who looks like a machine; nil where everybody counts.
    package let machines: (gate: DataGate, bounds: UserBounds)?
    /// Where the table of trials lies.
    package let folder: String
    /// Hears of every trial.
    package let logger: Logger
    /// Ends the search early.
    package let stop: StopSignal

    /// All of it.
    package init(
        settings: LearningSettings, configured: @escaping Configured, recipe: Recipe, options: Options,
        machines: (gate: DataGate, bounds: UserBounds)?, folder: String, logger: Logger, stop: StopSignal
    ) {
        self.settings = settings
        self.configured = configured
        self.recipe = recipe
        self.options = options
        self.machines = machines
        self.folder = folder
        self.logger = logger
        self.stop = stop
    }

    /// Runs trials until all are done or time is up.
    ///
    /// - Parameter snapshot: the one training file of all trials.
    /// - Throws: where there is nothing to learn from or to ask, or not one trial fitted into the time.
    package func run(_ snapshot: () throws -> TrainingFile) throws -> Found {
        let started = ContinuousClock.now
        func isOver() -> Bool {
            stop.isRaised || options.minutes.map { started.duration(to: .now).inSeconds >= $0 * 60 } ?? false
        }
        let file = try snapshot()
        let base = file.log
        let log = try machines.map { machines in
            let inspection = DataInspection(base, gate: machines.gate, bounds: machines.bounds, former: nil)
            return try base.leavingOut(Set(inspection.suspicious.keys), columnsAt: folder + "/columns-kept")
        } ?? base
        guard let holdout = Holdout(settings.holdout, of: log), !holdout.questions.isEmpty else {
            throw CommandFailure(
                "nothing is held out to judge trials by: train.holdout is \(settings.holdout.cut.name), and there are \(log.count) "
                    + "interactions")
        }
        let set = try log.trainingSet(until: holdout.trainingEnds, columnsAt: folder + "/columns")
        // One log and one holdout: what is kept out is decided once for all trials.
        let rule = settings.decided(log, holdout, threads: Threads.current).holdout.excludes
        var table = try SearchTable(path: folder + "/trials.jsonl", head: head(file.identity))
        var isCut = false
        search: for rung in 0..<options.plan.rungs {
            let survivors = options.plan.survivors(rung: rung, scores: rung > 0 ? table.scores(rung: rung - 1) : [:])
            for number in survivors where table.trial(number, rung: rung) == nil {
                guard !isOver() else {
                    isCut = true
                    break search
                }
                guard
                    let trial = try self.trial(number, rung: rung, set: set, log: log, holdout: holdout, rule: rule, isOver: isOver)
                else {
                    isCut = true
                    break search
                }
                try table.append(trial)
                logger.notice("trial", metadata: metadata(trial))
            }
        }
        func place(_ trial: SearchTable.Trial) -> (Int, Double, Int) { (trial.rung, trial.ndcg ?? 0, -trial.trial) }
        guard let best = table.trials.filter({ $0.ndcg != nil }).max(by: { place($0) < place($1) }) else {
            throw CommandFailure(
                "no trial was finished in \(options.minutes.map { "\($0) minutes" } ?? "time"); the table is \(table.path)")
        }
        return Found(
            table: table, best: best, baseline: table.trial(0, rung: best.rung), isCut: isCut, users: holdout.questions.count,
            recipe: try text(best))
    }

    private func head(_ snapshot: String) -> SearchTable.Head {
        SearchTable.Head(
            seed: options.seed, method: options.plan.rungs > 1 ? "halving" : "random", trials: options.plan.trials,
            rungs: options.plan.rungs, keepOneIn: options.plan.keepOneIn,
            space: Dictionary(uniqueKeysWithValues: options.space.ranges.map { ($0.key, "\($0.values)") }), settings: recipe.settings,
            snapshot: snapshot)
    }

    /// One trial; nil where time ran out before its end.
    private func trial(
        _ number: Int, rung: Int, set: TrainingSet, log: TrainingLog, holdout: Holdout, rule: ExclusionRule, isOver: () -> Bool
    ) throws -> SearchTable.Trial? {
        let started = ContinuousClock.now
        let drawn = options.space.settings(trial: number, seed: options.seed)
        var trial = SearchTable.Trial(
            trial: number, rung: rung, epochs: 0, settings: Dictionary(uniqueKeysWithValues: drawn.map { ($0.key, $0.value) }), seconds: 0)
        var own: LearningSettings
        var towers: TowerConfiguration
        do {
            let found = try configured(drawn, "trial \(number)")
            (own, towers) = (found.learning, found.towers)
            if own.holdout.decidesExclusion { own.holdout.excludes = rule }
            try towers.set("epochs", String(max(1, Int((Double(towers.epochs) * options.plan.share(rung: rung)).rounded()))))
        } catch {
            // Settings that contradict each other are part of a space; the trial is noted and nothing more.
            trial.failure = "\(error)"
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
            log: log, holdout: holdout, excludes: own.holdout.excludes, threads: towers.threads)
        let parts = try PartsJudging.learning(trainer.model(), scoring: scoring, settings: own, stop: stop)
        let ndcg = scoring.score(parts.bundles, settings: own).report.metrics["NDCG@10"]
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
    private func text(_ trial: SearchTable.Trial) throws -> String {
        let values = trial.settings.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
        let score = trial.ndcg.map { String(format: "%.4f", $0) } ?? "none"
        let head = "# Found by freshet search: trial \(trial.trial), seed \(options.seed), NDCG@10 \(score) on what was held out.\n"
        return head + (try recipe.yaml(values, "trial \(trial.trial)"))
    }
}
