import Console
import Evaluation
import Interactions
import Recommending
import Reports
import TrainingFiles

/// `freshet evaluate replay`: predict a user's next items, then learn of them, beside rivals that learn in the same loop.
package struct ReplayRun {
    /// What is asked for.
    package struct Options {
        /// The first event to predict comes after this; by default after the newest event that the model may have learned from.
        package var from: EventTime?
        /// Events that are predicted at most.
        package var eventsLimit: Int
        /// JSON Lines of events that are not in the store.
        package var file: String?
        /// Half-life of the recent popularity that Freshet is compared with.
        package var halfLifeDays: Double
        /// Milliseconds after which models are brought up to date; nil replays the model as it is.
        package var retrainEvery: Int64?
        /// How, one ranker each.
        package var retrain: [RetrainedRanker.Kind] = []
        /// Whether an incremental training goes on with the optimizer's state of the one before.
        package var keepsOptimizer = false

        /// All of it.
        package init(
            from: EventTime? = nil, eventsLimit: Int, file: String? = nil, halfLifeDays: Double, retrainEvery: Int64? = nil,
            retrain: [RetrainedRanker.Kind] = [], keepsOptimizer: Bool = false
        ) {
            self.from = from
            self.eventsLimit = eventsLimit
            self.file = file
            self.halfLifeDays = halfLifeDays
            self.retrainEvery = retrainEvery
            self.retrain = retrain
            self.keepsOptimizer = keepsOptimizer
        }
    }

    /// What may be an answer, and what serving knows.
    package let settings: LearningSettings
    /// What is asked for.
    package let options: Options

    /// All of it.
    package init(settings: LearningSettings, options: Options) {
        self.settings = settings
        self.options = options
    }

    /// A model version that a replay asks.
    package struct Asked {
        /// Its number in the registry.
        package var version: Int
        /// Up to when it may have learned; nil where the registry does not say.
        package var newest: EventTime?
        /// What it answers from.
        package var snapshot: ServingSnapshot

        /// All of it.
        package init(version: Int, newest: EventTime?, snapshot: ServingSnapshot) {
            self.version = version
            self.newest = newest
            self.snapshot = snapshot
        }
    }

    /// Walks the events after a time with a model version.
    ///
    /// - Parameter retraining: what models are trained from on the way; called where ``Options/retrainEvery`` asks for it.
    package func run(
        _ asked: Asked, on log: ReplayLog, after start: EventTime, retraining: () throws -> RetrainingSource
    ) throws -> ReplayReport {
        let snapshot = asked.snapshot
        let itemCount = log.itemIDs.count
        var rankers: [any ReplayRanker] = [
            ServedRanker(
                snapshot, log: log, rules: settings.features, trendingItems: settings.blend.trendingLimitItems),
            LivePopularity(itemCount: itemCount),
            LiveRecentPopularity(itemCount: itemCount, halfLifeMilliseconds: Int64(options.halfLifeDays * 86_400_000)),
            LiveMarkov(itemCount: itemCount),
        ]
        var retrained: [RetrainedRanker] = []
        if let every = options.retrainEvery {
            let source = try retraining()
            retrained = options.retrain.map { kind in
                RetrainedRanker(
                    kind, source: source,
                    served: ServedRanker(
                        snapshot, log: log, rules: settings.features, trendingItems: settings.blend.trendingLimitItems),
                    every: every, start: start.milliseconds)
            }
        }
        rankers.insert(contentsOf: retrained, at: 1)
        let finest = log.contents.map(\.categories.last)
        let rule = settings.holdout.decidesExclusion ? snapshot.exclusion : settings.holdout.excludes
        let plan = Replay.Plan(
            start: start.milliseconds, eventsLimit: options.eventsLimit,
            keepsOut: { event in rule.keepsOut(1 << event.type) { finest[Int(event.item)] } })
        let replay = Replay(log.events, plan: plan, userCount: log.userIDs.count, itemCount: itemCount) { log.isHidden[Int($0)] }
        let left = log.events.all.count - log.events.firstPlace(after: start.milliseconds)
        let progress = ProgressLine("replay", total: min(options.eventsLimit, left))
        let started = ContinuousClock.now
        let outcome = try replay.run(&rankers, itemIDs: log.itemIDs, progress: { progress.update($0) })
        progress.finish(outcome.events)
        var report = ReplayReport(
            version: asked.version, start: start, newestLearned: asked.newest, outcome: outcome, rejectedLines: log.rejectedLines,
            halfLifeDays: options.halfLifeDays, seconds: started.duration(to: .now).inSeconds)
        report.retraining = options.retrainEvery.map { RetrainingReport(outcome, retrained: retrained.map(\.cost), every: $0) }
        return report
    }
}
