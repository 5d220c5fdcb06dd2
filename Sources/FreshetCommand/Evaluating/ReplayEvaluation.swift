import Console
import ContentModel
import Evaluation
import FeatureStore
import Interactions
import Learning
import ModelArtifacts
import Recommending
import Reports
import Serving
import TrainingFiles

/// What a replay needs of the database and the files: events, the version that answers, and the catalogue to train with.
struct ReplayEvaluation {
    let configuration: Configuration
    let url: String
    let store: StoreQueries
    let options: ReplayRun.Options

    /// Walks the events with a model version.
    func run(_ version: RegisteredModel) async throws -> ReplayReport {
        let newest = JSONText.number("newest_event_ms", inObject: version.watermark).map { EventTime(milliseconds: wholeNumber($0)) }
        guard let start = options.from ?? newest else {
            throw CommandFailure("the registry does not say up to when version \(version.version) has learned: name a time with --from")
        }
        let log = try ReplayLog(
            ReplayLog.Settings(
                url: url, rates: try configuration.currencyRates(), currencyBase: configuration.currencyBase,
                rules: try configuration.decodingRules()), start: start, file: options.file)
        guard log.events.firstPlace(after: start.milliseconds) < log.events.all.count else {
            throw CommandFailure(
                "there is no event after \(start.rfc3339())\(options.file.map { " in \($0)" } ?? ""): "
                    + "name a file with --events, or an earlier time with --from")
        }
        let builder = SnapshotBuilder(
            store: store, artifacts: configuration.artifactStore, index: configuration.indexSettings,
            logger: configuration.logger("evaluate"), rules: configuration.judgedRules,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")), tailDial: configuration.tailDial)
        let snapshot = try await builder.build(version, indexed: false, at: start).snapshot
        return try ReplayRun(settings: configuration.learningSettings, options: options).run(
            ReplayRun.Asked(version: Int(version.version), newest: newest, snapshot: snapshot), on: log, after: start,
            retraining: { try retraining(version, log, builder, from: start) })
    }

    /// What models are trained from as the replay goes on.
    private func retraining(
        _ version: RegisteredModel, _ log: ReplayLog, _ builder: SnapshotBuilder, from start: EventTime
    ) throws -> RetrainingSource {
        let configuration = try configuration.keeping(EvaluationRecord(registry: version.metrics).choice)
        guard try !configuration.ratingRules().isNeeded else {
            throw CommandFailure(
                "--retrain-every learns every event, and train.positive_ratings_from or train.negative_ratings_below leaves some out: "
                    + "set both to 0")
        }
        let artifact = try configuration.artifactStore.artifact(of: version)
        let towers = try configuration.towerConfiguration()
        let items = try comparedItems(version)
        return RetrainingSource(
            log: log.trainingLog(), bundle: artifact.bundle, served: builder.settings(of: version),
            rules: configuration.incrementRules(seed: towers.seed, threads: towers.threads), keepsOptimizer: options.keepsOptimizer,
            settings: configuration.learningSettings,
            catalogue: ServedCatalogue(
                entries: items.map { $0.entry(at: start) }, contents: items.map(\.record.content), version: 0, vectors: []),
            version: Int(version.version))
    }

    /// The catalogue with its prices as the version's training compared them.
    private func comparedItems(_ version: RegisteredModel) throws -> [CatalogueItem] {
        var items = CatalogueItem.units(try store.catalogue().items).filter { !$0.isDeleted }
        if let prices = AmountNotes.prices(watermark: version.watermark, rates: try configuration.currencyRates()) {
            for place in items.indices { items[place].comparePrices(prices) }
        }
        return items
    }
}
