import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Learning
import ModelArtifacts
import Recommending
import Reports

/// `freshet evaluate --protocol replay`: predict a user's next items, then learn of them, beside rivals that learn in the same loop.
struct ReplayRun {
    /// What is asked for.
    struct Options {
        /// The first event to predict comes after this; by default after the newest event that the model may have learned from.
        var from: EventTime?
        var eventsLimit: Int
        /// JSON Lines of events that are not in the store.
        var file: String?
        /// Half-life of the recent popularity that Freshet is compared with.
        var halfLifeDays: Double
        /// Milliseconds after which models are brought up to date; nil replays the model as it is.
        var retrainEvery: Int64?
        /// How, one ranker each.
        var retrain: [RetrainedRanker.Kind] = []
        /// Whether an incremental training goes on with the optimizer's state of the one before.
        var keepsOptimizer = false
    }

    let configuration: Configuration
    let url: String
    let store: StoreQueries
    let options: Options

    /// Walks the events with a model version.
    func run(_ version: RegisteredModel) async throws -> ReplayReport {
        let newest = JSONText.number("newest_event_ms", inObject: version.watermark).map { EventTime(milliseconds: wholeNumber($0)) }
        guard let start = options.from ?? newest else {
            throw CommandFailure("the registry does not say up to when version \(version.version) has learned: name a time with --from")
        }
        let log = try ReplayLog(url: url, configuration: configuration, start: start, file: options.file)
        guard log.events.firstPlace(after: start.milliseconds) < log.events.all.count else {
            throw CommandFailure(
                "there is no event after \(start.rfc3339())\(options.file.map { " in \($0)" } ?? ""): name a file with --events, or an earlier time with --from")
        }
        let builder = SnapshotBuilder(
            store: store, artifacts: configuration.artifactStore, index: configuration.indexSettings,
            logger: configuration.logger("evaluate"), rules: configuration.recommendingRules,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")), tailDial: configuration.tailDial)
        let snapshot = try await builder.build(version, indexed: false).snapshot
        let itemCount = log.itemIDs.count
        var rankers: [any ReplayRanker] = [
            ServedRanker(
                snapshot, log: log, rules: configuration.featureRules, trendingItems: configuration.integer("serve.trending_items")),
            LivePopularity(itemCount: itemCount),
            LiveRecentPopularity(itemCount: itemCount, halfLifeMilliseconds: Int64(options.halfLifeDays * 86_400_000)),
            LiveMarkov(itemCount: itemCount),
        ]
        let retrained = try options.retrainEvery.map { every in
            try self.retrained(every: every, version: version, log: log, start: start, snapshot: snapshot)
        } ?? []
        rankers.insert(contentsOf: retrained, at: 1)
        let plan = Replay.Plan(
            start: start.milliseconds, eventsLimit: options.eventsLimit,
            excludedTypes: Set(configuration.excludedTypes.map(\.rawValue)))
        let replay = Replay(log.events, plan: plan, userCount: log.userIDs.count, itemCount: itemCount) { log.isHidden[Int($0)] }
        let progress = ProgressLine("replay", total: min(options.eventsLimit, log.events.all.count - log.events.firstPlace(after: start.milliseconds)))
        let started = ContinuousClock.now
        let outcome = try replay.run(&rankers, itemIDs: log.itemIDs, progress: { progress.update($0) })
        progress.finish(outcome.events)
        var report = ReplayReport(
            version: Int(version.version), start: start, newestLearned: newest, outcome: outcome, rejectedLines: log.rejectedLines,
            halfLifeDays: options.halfLifeDays, seconds: started.duration(to: .now).inSeconds)
        if let every = options.retrainEvery { report.retraining = RetrainingReport(outcome, retrained: retrained.map(\.cost), every: every) }
        return report
    }

    /// Rankers that are trained again as the replay goes on.
    private func retrained(
        every: Int64, version: RegisteredModel, log: ReplayLog, start: EventTime, snapshot: ServingSnapshot
    ) throws -> [RetrainedRanker] {
        guard try !configuration.ratingRules().isNeeded else {
            throw CommandFailure("--retrain-every learns every event, and train.positive_ratings_from or train.negative_ratings_below leaves some out: set both to 0")
        }
        let artifact = try configuration.artifactStore.artifact(of: version)
        let towers = try configuration.towerConfiguration()
        let source = RetrainingSource(
            log: log.trainingLog(), model: artifact.model, blend: try artifact.blend()?.weights, channel: try artifact.contentChannel()?.weights,
            rules: configuration.incrementRules(seed: towers.seed, threads: towers.threads),
            keepsOptimizer: options.keepsOptimizer,
            configuration: configuration, catalogue: try comparedItems(store, version),
            version: Int(version.version))
        return options.retrain.map { kind in
            RetrainedRanker(
                kind, source: source,
                served: ServedRanker(
                    snapshot, log: log, rules: configuration.featureRules, trendingItems: configuration.integer("serve.trending_items")),
                every: every, start: start.milliseconds)
        }
    }

    /// The catalogue with its prices as the version's training compared them.
    private func comparedItems(_ store: StoreQueries, _ version: RegisteredModel) throws -> [CatalogueItem] {
        var items = try store.catalogue().items.filter { !$0.isDeleted }
        if let prices = AmountNotes.prices(watermark: version.watermark, rates: try configuration.currencyRates()) {
            for place in items.indices { items[place].comparePrice(prices) }
        }
        return items
    }
}
