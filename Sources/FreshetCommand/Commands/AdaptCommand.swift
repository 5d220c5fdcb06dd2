import ArgumentParser
import Console
import FeatureStore
import Foundation
import Intake
import Interactions
import Learning
import ModelArtifacts
import Recommending
import Serving

/// `freshet adapt`
struct AdaptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adapt",
        abstract: "Few-shot adaptation of the promoted model to categories that it never trained on.",
        discussion: """
            A category (or a value of the attribute that adaptation.field names) is new where no item with it was trained on. With
            adaptation.support events, five by default, it is adapted to; running servers use the adapter within a second. Each category's
            figures are of events that the adaptation did not see. Run again, it adapts only where events have come since. Adapters belong
            to a model version: after a promotion the new version starts without, and --watch adapts it at once.
            """)

    /// How often a watch looks for events.
    private static let watchEvery = Duration.milliseconds(250)

    @OptionGroup var options: GlobalOptions
    @Option(help: "Adapt to this category only; may be repeated.") var category: [String] = []
    @Option(help: "promoted, latest, or a version.") var model = ModelChoice.promoted
    @Flag(help: "Go on, and adapt as events arrive.") var watch = false
    @Flag(help: "Print the result as JSON, a line a category.") var json = false

    func run() async throws {
        // As categories of records are spelled.
        let category = category.map(IDForm.nfc.of)
        let configuration = try options.configuration()
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 2)
        let logger = configuration.logger("adapt")
        let feed = SnapshotFeed(
            store: store,
            builder: SnapshotBuilder(
                store: store, artifacts: configuration.artifactStore, index: configuration.indexSettings,
                logger: logger, rules: configuration.recommendingRules, texts: try ContentEncoder.load(configuration, logger: logger)),
            clock: ServingClock(followsData: configuration.text(.clock) == "data"),
            trendingItems: configuration.integer(.serveTrendingItems),
            exploration: ExplorationRules(everySlots: 0, untilImpressions: 0), logger: logger)
        let run = AdaptRun(store: store, configuration: configuration)
        try await feed.install(model.find(in: store), indexed: false)
        if await feed.categoryKit?.starts.metaStaysPlain == true, run.method == .meta {
            logger.notice(
                "meta-learning found no better start than the one without adaptation; learned rates still adapt from it",
                metadata: ["model_version": "\(feed.current.modelVersion ?? 0)"])
        }
        guard watch else {
            let outcomes = try run.run(feed.current, kit: try await Self.kit(of: feed), only: category)
            if outcomes.isEmpty, !json { StandardOutput.line("no category is new to model version \(feed.current.modelVersion ?? 0)") }
            for outcome in outcomes { outcome.line.print(asJSON: json) }
            return
        }
        let stop = StopSignal.onSignals()
        var waiting: Set<String> = []
        var refused: ArtifactError?
        while !stop.isRaised {
            do {
                let version = try model.find(in: store)
                try await feed.catchUp()
                let isAnother = await feed.mustBuildAgain
                if await feed.installed != version.identity || isAnother { try await feed.install(version, indexed: false) }
                if refused != nil { logger.notice("model version \(version.version) can be used now") }
                refused = nil
                let wanted = category.filter { feed.current.newCategories[$0] != nil }
                if category.isEmpty || !wanted.isEmpty {
                    for outcome in try run.run(feed.current, kit: try await Self.kit(of: feed), only: wanted) {
                        let isNew = outcome.state == .waiting && waiting.insert(outcome.category).inserted
                        guard outcome.state == .adapted || isNew else { continue }
                        StandardOutput.news(json ? outcome.line.json : outcome.line.words)
                    }
                }
            } catch let error as StoreError where error.isRetriable {
                logger.warning("waiting for the database: \(error)")
            } catch let error as ArtifactError {
                // Its files may come later.
                if refused != error { logger.error("the model cannot be used yet, and is tried again: \(error)") }
                refused = error
            }
            try? await Task.sleep(for: Self.watchEvery)
        }
    }

    private static func kit(of feed: SnapshotFeed) async throws -> CategoryKit {
        guard let kit = await feed.categoryKit else {
            throw CommandFailure(
                "model version \(feed.current.modelVersion ?? 0) cannot adapt: it was trained with adaptation.mode or content.channel "
                    + "off, or on fewer than two categories with enough items and users")
        }
        return kit
    }
}
