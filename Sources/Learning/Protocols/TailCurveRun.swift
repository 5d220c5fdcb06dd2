import Console
import Evaluation
import Recommending
import Reports
import TowerModel
import TowerTraining
import TrainingFiles

/// `freshet evaluate tail`: what each setting for rare items gives and costs, all on the same held-out questions of one snapshot of the
/// store, each asked of models with their parts as they would serve. Dials turn what the plain model answers; for every value of the others
/// a model is trained, once a seed.
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

    /// What is held out.
    package let settings: LearningSettings
    /// How everything is learned with other values of some keys; with none of the settings for rare items, unless they are given.
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
            throw CommandFailure(
                "nobody can be asked: train.holdout is \(settings.holdout.cut.name), and there are \(log.count) interactions")
        }
        let scoring = HoldoutScoring(
            log: log, holdout: holdout, excludes: settings.decided(log, holdout, threads: Self.threads).holdout.excludes,
            threads: Self.threads)
        let set = try log.trainingSet(until: holdout.trainingEnds, columnsAt: snapshot.columnsPath)
        let plain = try prepared([], "tail-curve")
        let plan = try values(plain)
        var report = TailCurveReport(
            split: holdout.description, users: holdout.questions.count, popularity: scoring.scorePopularity().record,
            isBlended: plain.learning.blend.isWanted)
        // Wrong values end the run before its first training.
        let trained = try plan.filter { !$0.setting.isDial }.flatMap { setting, values in
            try values.map { (setting: setting, value: $0, run: try prepared([(setting.rawValue, String($0))], "--values")) }
        }
        let asked = TailQuestions(scoring)
        for seed in 1...UInt64(options.seeds) {
            let model = try model(set, plain.towers, seed: seed, note: "seed \(seed)")
            let bundles = try bundles(model, plain, scoring: scoring)
            let found = asked.ask(bundles, settings: plain.learning)
            report.add(found.cell, seed: seed, outcome: found.outcome.record)
            for (setting, values) in plan where setting.isDial {
                for value in values {
                    let own: [ModelBundle], dial = setting.dial(value)
                    if dial == nil {
                        own = try self.bundles(model.dialled(popularity: Float(value)), plain, scoring: scoring)
                    } else {
                        own = bundles
                    }
                    report.add(asked.ask(own, settings: plain.learning, dial: dial ?? TailDial()).cell, of: setting, value: value)
                }
            }
            for (setting, value, run) in trained {
                let model = try self.model(set, run.towers, seed: seed, note: "seed \(seed), \(setting.rawValue) \(value)")
                let own = try self.bundles(model, run, scoring: scoring)
                report.add(asked.ask(own, settings: run.learning).cell, of: setting, value: value)
            }
        }
        return report
    }

    /// Settings and values, in their order: what was named, or everything that fits the configuration.
    private func values(_ plain: RunSettings) throws -> [(setting: TailSetting, values: [Double])] {
        let isBlended = plain.learning.blend.isWanted
        if let named = options.values {
            for setting in [TailSetting.tailDial, .tailLift] where named[setting] != nil && !isBlended {
                throw CommandFailure(
                    "\(setting.rawValue) acts on the ranking blend, but ranking.blend is off; name train.popularity_dial instead")
            }
            if named[.popularityDial] != nil, isBlended {
                throw CommandFailure(
                    "train.popularity_dial acts on the towers' vectors, for which the ranking blend makes up; name ranking.tail_dial "
                        + "instead, or --set ranking.blend=off")
            }
            return TailSetting.allCases.compactMap { setting in named[setting].map { (setting: setting, values: $0.sorted()) } }
        }
        let loss = plain.towers.loss.kind
        return TailSetting.allCases.compactMap { setting -> (setting: TailSetting, values: [Double])? in
            switch setting {
            case .tailDial where !isBlended, .tailLift where !isBlended: nil
            // On the towers' vectors the blend's own signals of popularity make up for a dial.
            case .popularityDial where isBlended, .logitAdjustment where loss == .bce: nil
            default: (setting: setting, values: setting.values)
            }
        }
    }

    /// Settings with values of some keys, without a dial that training builds in.
    private func prepared(_ values: [(key: String, value: String)], _ source: String) throws -> RunSettings {
        var run = try configured(values, source)
        run.learning.tailBudget = 0
        run.towers.threads = Self.threads
        if let epochs = options.epochs { run.towers.epochs = epochs }
        return run
    }

    private func model(_ set: TrainingSet, _ towers: TowerConfiguration, seed: UInt64, note: String) throws -> TwoTowerModel {
        var towers = towers
        towers.seed = seed
        let trainer: Trainer
        do { trainer = try Trainer(set, configuration: towers) } catch { throw CommandFailure(error.description) }
        return trainer.model(titled: "train, \(note)")
    }

    /// The model with its parts as it would serve, once for each half of the users; see ``PartsJudging/bundles``.
    private func bundles(_ model: TwoTowerModel, _ run: RunSettings, scoring: HoldoutScoring) throws -> [ModelBundle] {
        try PartsJudging.learning(model, scoring: scoring, settings: run.learning, stop: StopSignal()).bundles
    }
}
