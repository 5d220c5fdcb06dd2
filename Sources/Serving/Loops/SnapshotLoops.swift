import Console
import FeatureStore
import Interactions
import Logging
import ModelArtifacts
import TrainingFiles
import ServiceLifecycle

/// Keeps the serving snapshot fresh while requests are answered: catalogue, trending, promotions, counts, lag.
package struct SnapshotLoops: Service {
    private let feed: SnapshotFeed
    private let store: StoreQueries
    private let states: UserStateReader
    private let board: StatisticsBoard
    private let clock: ServingClock
    private let broker: BrokerLoop
    private let refresh: Duration
    private let segmentRefresh: Duration
    private let logger: Logger
    private let attempts: ModelAttempts
    private let leftovers: (@Sendable () -> TrainingLeftovers)?

    /// Loops over what serves.
    ///
    /// - Parameters:
    ///   - refresh: between two looks at the catalogue and the registry.
    ///   - attempts: what the start found of the promoted model.
    ///   - leftovers: where killed trainings leave files; nil where nobody looks.
    package init(
        feed: SnapshotFeed, store: StoreQueries, states: UserStateReader, board: StatisticsBoard, clock: ServingClock, broker: BrokerLoop,
        refresh: Duration, segmentRefresh: Duration, logger: Logger, attempts: ModelAttempts,
        leftovers: (@Sendable () -> TrainingLeftovers)?
    ) {
        self.feed = feed
        self.store = store
        self.states = states
        self.board = board
        self.clock = clock
        self.broker = broker
        self.refresh = refresh
        self.segmentRefresh = segmentRefresh
        self.logger = logger
        self.attempts = attempts
        self.leftovers = leftovers
    }

    private static let partsEvery = Duration.seconds(1)
    private static let trendingEvery = Duration.seconds(2)
    private static let clockEvery = Duration.seconds(30)
    private static let leftoversEvery = Duration.seconds(15)

    /// Runs until the group of services shuts down.
    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { await catalogueLoop() }
                group.addTask { await trendingLoop() }
                group.addTask { await segmentLoop() }
                group.addTask { await countLoop() }
                group.addTask { await clockLoop() }
                group.addTask { await memoryLoop() }
                group.addTask { await partsLoop() }
                group.addTask { await broker.run() }
                group.addTask { await leftoversLoop() }
            }
        }
    }

    /// Catalogue and promotions.
    private func catalogueLoop() async {
        var attempts = attempts
        var isAway = false
        var lost = LostConnectionsTold()
        while !Task.isCancelled {
            do {
                try await feed.catchUp()
                await feed.advance()
                for sentence in await feed.takeNews() { board.note("warning", sentence) }
                let promoted = try await store.run { store throws(StoreError) in try store.promotedModel() }
                board.promoted(promoted?.version)
                try await follow(promoted, &attempts)
                if let categories = try await feed.refreshAdapters(), !categories.isEmpty {
                    board.note("model", "adapted to \(categories.count) new categories, the newest '\(categories[0])'")
                    logger.notice("adapters in force", metadata: ["categories": "\(categories.prefix(20).joined(separator: ", "))"])
                }
                if isAway { logger.notice("the database answers again") }
                isAway = false
                board.database(problem: nil)
                if let sentence = lost.look(lost: states.lostConnections + store.lostConnections, at: .now) {
                    logger.warning("\(sentence)")
                    board.note("warning", sentence)
                }
            } catch is CancellationError {
                return
            } catch {
                if !isAway {
                    let what = "what needs it is answered 503 until it is back, events are still taken by Kafka"
                    logger.warning("waiting for the database: \(what): \(error)")
                }
                isAway = true
                board.database(problem: "\(error)")
            }
            try? await Task.sleep(for: refresh)
        }
    }

    /// Puts the promoted model in force where another one is, or where all is to be built again. One that cannot be used is tried
    /// again after a pause, since its files may come later; the former one serves on.
    private func follow(_ promoted: RegisteredModel?, _ attempts: inout ModelAttempts) async throws {
        let installed = await feed.installed, isAnother = await feed.mustBuildAgain
        guard let promoted else {
            // Nor is one promoted that could not be used.
            board.set(model: nil)
            guard isAnother || installed != nil else { return }
            try await feed.removeModel()
            if isAnother { try await feed.refreshSegments() }
            if installed != nil {
                logger.warning("no model is promoted in this database any more: answers come from what is trending")
                board.note("warning", "no model is promoted any more: answers come from what is trending")
            }
            return
        }
        let isNew = promoted.identity != installed
        guard isNew || isAnother || feed.isIndexStale, attempts.areDue(promoted.identity, at: .now) else { return }
        do {
            board.loading(promoted.version)
            try await feed.install(promoted, rebuilding: !isNew || isAnother)
        } catch let error where !(error is StoreError) && !(error is CancellationError) {
            let sentence = ModelAttempts.sentence(promoted.version, serving: installed?.version, error)
            board.refused(promoted.version, error)
            if attempts.failed(promoted.identity, at: .now) {
                board.note("warning", sentence)
                logger.error("\(sentence)")
            }
            return
        }
        if isNew || attempts.isFailing {
            board.note("model", "version \(promoted.version) took over")
            if let tries = attempts.succeeded() {
                logger.notice("version \(promoted.version) can be used now, after \(tries) tries that failed")
            }
        }
        board.serves(promoted)
        if isAnother { try await feed.refreshSegments() }
        await FreedMemory.giveBack()
    }

    /// Gives back what floods of connections, bodies and answers, and waves of items, have left behind, once the process has grown by it.
    private func memoryLoop() async {
        var growth = GrowthWatch()
        while !Task.isCancelled {
            growth = await FreedMemory.gaveBack(ifDue: growth)
            try? await Task.sleep(for: GrowthWatch.pause)
        }
    }

    /// Looks at what answers need though nobody asks: the first probe after a silence begins finds that it has lasted.
    private func partsLoop() async {
        while !Task.isCancelled {
            board.parts.beginLook(states, feed)
            try? await Task.sleep(for: Self.partsEvery)
        }
    }

    private func trendingLoop() async {
        while !Task.isCancelled {
            if let newest = try? await store.run({ store throws(StoreError) in try store.newestEventTime() }) {
                clock.advance(to: newest)
            }
            let start = ContinuousClock.now
            let isDone: Void? = await board.parts.watching(\.trending) {
                try await feed.refreshTrending()
                try await feed.refreshExploration()
            }
            // Never more than a tenth of the time, however many items there are; what failed says nothing of that.
            try? await Task.sleep(for: isDone == nil ? Self.trendingEvery : max(Self.trendingEvery, start.duration(to: .now) * 10))
        }
    }

    /// What segments of the users do.
    private func segmentLoop() async {
        while !Task.isCancelled {
            let start = ContinuousClock.now
            let isDone: Void? = await board.parts.watching(\.segments) { try await feed.refreshSegments() }
            try? await Task.sleep(
                for: isDone == nil ? min(segmentRefresh, Self.trendingEvery) : max(segmentRefresh, start.duration(to: .now) * 10))
        }
    }

    /// Counts for the dashboard: while somebody looks, and never more than a tenth of the time.
    private func countLoop() async {
        while !Task.isCancelled {
            var pause = Duration.seconds(1)
            if board.isWatched {
                let start = ContinuousClock.now
                try? await board.count()
                pause = max(pause, start.duration(to: .now) * 10)
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// Files of trainings that were killed, which hold what users did. Never more than a tenth of the time.
    private func leftoversLoop() async {
        guard let leftovers else { return }
        let held = LeftoversOfOneLoop(leftovers())
        var problem: String?
        while !Task.isCancelled {
            let start = ContinuousClock.now
            do {
                let store = store
                for sentence in try await OwnThread.run(named: "freshet-leftovers", { try held.leftovers.clear(store) }) {
                    logger.notice("\(sentence)")
                    board.note("training", sentence)
                }
                problem = nil
            } catch is CancellationError {
                return
            } catch let error as StoreError where error.isRetriable {
                // A database that is away is told by the catalogue loop.
            } catch {
                if problem != "\(error)" { logger.warning("files of killed trainings stay: \(error)") }
                problem = "\(error)"
            }
            try? await Task.sleep(for: max(Self.leftoversEvery, start.duration(to: .now) * 10))
        }
    }

    /// What time it is by the database's clock. One that is away is told by the catalogue loop.
    private func clockLoop() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.clockEvery)
            try? await Self.readClock(clock.wall, store: store, logger: logger)
        }
    }

    /// Asks once, and says so where this machine's clock differs.
    package static func readClock(_ clock: ServiceClock, store: StoreQueries, logger: Logger) async throws {
        // On the store's own thread, so that no wait for one counts as a difference.
        let (time, at) = try await store.run { store throws(StoreError) in
            let started = ContinuousClock.now
            let time = try store.clock()
            return (time, started + started.duration(to: .now) / 2)
        }
        if let sentence = clock.set(database: time, at: at) { logger.warning("\(sentence)") }
    }
}

/// Passes the leftovers to one thread at a time: the loop waits for each. `@unchecked Sendable` for that.
private final class LeftoversOfOneLoop: @unchecked Sendable {
    let leftovers: TrainingLeftovers
    init(_ leftovers: TrainingLeftovers) { self.leftovers = leftovers }
}
