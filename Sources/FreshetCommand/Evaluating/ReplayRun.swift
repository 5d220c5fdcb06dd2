import Evaluation
import FeatureStore
import Foundation
import Interactions
import ModelArtifacts

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
    }

    let configuration: Configuration
    let url: String
    let store: StoreQueries
    let options: Options

    /// Walks the events with a model version.
    func run(_ version: RegisteredModel) async throws -> ReplayReport {
        let newest = JSONText.number("newest_event_ms", inObject: version.watermark).map { EventTime(milliseconds: Int64($0)) }
        guard let start = options.from ?? newest else {
            throw CommandFailure("the registry does not say up to when version \(version.version) has learned: name a time with --from")
        }
        let log = try ReplayLog(url: url, configuration: configuration, start: start, file: options.file)
        guard log.events.firstPlace(after: start.milliseconds) < log.events.all.count else {
            throw CommandFailure(
                "there is no event after \(start.rfc3339())\(options.file.map { " in \($0)" } ?? ""): name a file with --events, or an earlier time with --from")
        }
        let builder = SnapshotBuilder(
            store: store, artifacts: ArtifactStore(root: configuration.text("artifacts.path")), threads: 2,
            logger: configuration.logger("evaluate"))
        let snapshot = try await builder.build(version, indexed: false).snapshot
        let itemCount = log.itemIDs.count
        var rankers: [any ReplayRanker] = [
            ServedRanker(
                snapshot, log: log, rules: configuration.featureRules, trendingItems: configuration.integer("serve.trending_items")),
            LivePopularity(itemCount: itemCount),
            LiveRecentPopularity(itemCount: itemCount, halfLifeMilliseconds: Int64(options.halfLifeDays * 86_400_000)),
            LiveMarkov(itemCount: itemCount),
        ]
        let plan = Replay.Plan(
            start: start.milliseconds, eventsLimit: options.eventsLimit,
            excludedTypes: Set(configuration.excludedTypes.map(\.rawValue)))
        let replay = Replay(log.events, plan: plan, userCount: log.userIDs.count, itemCount: itemCount) { log.isHidden[Int($0)] }
        let progress = ProgressLine("replay", total: min(options.eventsLimit, log.events.all.count - log.events.firstPlace(after: start.milliseconds)))
        let started = ContinuousClock.now
        let outcome = try replay.run(&rankers, itemIDs: log.itemIDs, progress: { progress.update($0) })
        progress.finish(outcome.events)
        return ReplayReport(
            version: Int(version.version), start: start, newestLearned: newest, outcome: outcome, rejectedLines: log.rejectedLines,
            halfLifeDays: options.halfLifeDays, seconds: started.duration(to: .now).inSeconds)
    }
}
