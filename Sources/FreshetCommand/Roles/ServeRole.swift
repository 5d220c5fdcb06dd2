import Console
import EventStream
import FeatureStore
import Interactions
import Logging
import ModelArtifacts
import RecommendationAPI
import Recommending
import ServiceLifecycle
import Serving
import Synchronization
import TrainingFiles

/// The HTTP service with everything that it stands on.
struct ServeRole: Sendable {
    let configuration: Configuration
    let logger: Logger
    let board: StatisticsBoard
    let feed: SnapshotFeed
    private let store: StoreQueries
    private let clock: ServingClock
    private let gate: IntakeGate
    private let cluster = SnapshotCell<String?>(nil)
    private let states: UserStateReader
    /// What ``prepare()`` found of the promoted model, for the loop that goes on trying.
    private let attempts = SnapshotCell(ModelAttempts())
    private let configurationAgain: ConfigurationAgain?
    private let onListening: @Sendable (Int) async -> Void

    /// For writers that wait for their commits.
    private static let commitConnections = 2

    /// Connects to the database and the broker; nothing listens before the services run.
    ///
    /// - Parameter again: reads the settings again, so that keys may change while the service runs.
    init(
        configuration: Configuration, again: ConfigurationAgain? = nil, onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws {
        self.configuration = configuration
        configurationAgain = again
        self.onListening = onListening
        logger = configuration.logger("serve")
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        store = StoreQueries(
            url: url, rules: configuration.featureRules, connections: configuration.integer(.databaseConnections))
        states = try UserStateReader(
            url: url, connections: configuration.integer(.databaseStateConnections), rules: configuration.featureRules)
        clock = ServingClock(followsData: configuration.text(.clock) == "data")
        feed = SnapshotFeed(
            store: store,
            builder: SnapshotBuilder(
                store: store, artifacts: configuration.artifactStore, index: configuration.indexSettings,
                logger: logger, rules: configuration.recommendingRules, texts: try ContentEncoder.load(configuration, logger: logger),
                tailDial: configuration.tailDial),
            clock: clock, trendingItems: configuration.integer(.serveTrendingItems),
            exploration: ExplorationRules(
                everySlots: configuration.integer(.explorationEverySlots),
                untilImpressions: configuration.integer(.explorationUntilImpressions)),
            segments: configuration.segmentRules, segmentPriorEvents: configuration.number(.coldStartSegmentPriorEvents),
            logger: logger)
        board = StatisticsBoard(feed: feed, store: store, clock: clock.wall, excludes: configuration.exclusion)
        gate = try IntakeGate(
            configuration.kafkaSettings,
            limit: IntakeLimit(
                maxRequests: configuration.integer(.httpMaxIntakeRequests), maxBytes: configuration.integer(.httpMaxIntakeBytes)),
            parts: board.parts, logger: logger)
    }

    /// The services to run in one group: the feeds behind the snapshot, then the HTTP server.
    func services() throws -> [any Service] {
        let api = try configuration.apiConfiguration()
        let decoder = RecordDecoder(rules: try configuration.decodingRules())
        let intake = IntakeFlow(
            gate: gate,
            store: StoreQueries(
                url: try configuration.databaseURL(), rules: configuration.featureRules, connections: Self.commitConnections),
            commitWaits: IntakeLimit(maxRequests: configuration.integer(.httpMaxIntakeRequests), maxBytes: .max), decoder: decoder,
            topics: IntakeFlow.Topics(
                events: configuration.text(.topicsEvents), items: configuration.text(.topicsItems),
                users: configuration.text(.topicsUsers)),
            cluster: cluster, clock: clock.wall)
        // A producer of its own: nobody waits for impressions, so they outlast an outage that an intake does not wait for.
        let impressions = configuration.boolean(.serveImpressions)
            ? try ImpressionFeed(
                configuration.kafkaSettings, topic: configuration.text(.topicsImpressions),
                bounds: ImpressionFeed.Bounds(
                    itemsPerAnswer: configuration.integer(.serveImpressionsPerAnswer),
                    itemsPerSecond: configuration.integer(.serveImpressionsPerSecond)), parts: board.parts, logger: logger)
            : nil
        let flow = RecommendationFlow(
            states: states, feed: feed, impressions: impressions, excludes: configuration.exclusion, clock: clock)
        let wiring = ServiceWiring(flow: flow, intake: intake, store: store, board: board)
        let server = RecommendationServer(
            operations: wiring.operations, configuration: api, logger: logger, onListening: onListening)
        let root = configuration.text(.artifactsPath), url = try configuration.databaseURL()
        let hours = configuration.integer(.trainKeepUnfinishedHours)
        let leftovers = { @Sendable in TrainingLeftovers(root: root, url: url, keepHours: hours) }
        let loops = SnapshotLoops(
            feed: feed, store: store, states: states, board: board, clock: clock,
            broker: BrokerLoop(
                store: store, board: board, cluster: cluster, kafka: configuration.kafkaSettings,
                topics: configuration.topicKinds.keys.sorted()), refresh: .milliseconds(configuration.integer(.serveRefreshMilliseconds)),
            segmentRefresh: .seconds(configuration.integer(.coldStartSegmentRefreshSeconds)),
            logger: logger, attempts: attempts.current, leftovers: leftovers)
        let source = configurationAgain.map { [configuration] again in
            KeyReload.Source(signature: { again.signature }, read: { try again.keys(beside: configuration) })
        }
        let reload = KeyReload(source, keys: api.keyRing, logger: logger)
        return [loops, server, reload]
    }

    /// Brings the snapshot up to date before the first request is answered.
    func prepare() async throws {
        try await SnapshotLoops.readClock(clock.wall, store: store, logger: logger)
        clock.advance(to: try await store.run { store throws(StoreError) in try store.newestEventTime() })
        let promoted = try await store.run { store throws(StoreError) in try store.promotedModel() }
        board.promoted(promoted?.version)
        if let model = promoted {
            do {
                board.loading(model.version)
                try await feed.install(model)
                board.serves(model)
                return
            } catch let error where !(error is StoreError) && !(error is CancellationError) {
                // A damaged file, or one that comes later, must not keep the service from answering.
                let sentence = ModelAttempts.sentence(model.version, serving: nil, error)
                var attempt = ModelAttempts()
                _ = attempt.failed(model.identity, at: .now)
                attempts.replace(by: attempt)
                board.refused(model.version, error)
                board.note("warning", sentence)
                logger.error("\(sentence)")
            }
        }
        try await feed.catchUp()
        try await feed.refreshTrending()
    }
}
