import Console
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging
import ServiceLifecycle
import Serving
import Synchronization
import Workloads

/// The demonstration: consumer, service, training and shoppers in this process, the broker in one of its own.
struct DemoRun: Sendable {
    let configuration: Configuration
    let logger: Logger
    /// Whether the demonstration ends by itself after looking at what it does.
    let checks: Bool

    private static let retrainEvery = Duration.seconds(240)
    private static let visitsPerSecond = 4.0

    func run() async throws {
        // What listens where is settled before anything is started.
        _ = try configuration.apiConfiguration()
        let url = try configuration.databaseURL()
        for name in try Migrator(url: url).migrate() { logger.info("applied \(name)") }
        let port = configuration.text(.kafkaBootstrapServers).split(separator: ":").last.flatMap { UInt16($0) } ?? 9092
        let broker = try DemoBroker(port: port, settings: SharedArguments.settings(), logger: logger)
        defer { broker.close() }
        var configuration = configuration
        try configuration.set("kafka.bootstrap_servers", .scalar(broker.bootstrapServers), source: "demo")
        let (state, isNew) = try demoState()
        let stop = StopSignal()
        let (listening, told) = AsyncStream.makeStream(of: Int.self)
        let role = try ServeRole(configuration: configuration) { port in told.yield(port) }
        try await role.prepare()

        let running = configuration
        let ingest = ThreadService(name: "freshet-ingest", stop: stop) {
            try DemoIngest(configuration: running, logger: logger, stop: stop).run()
        }
        let outcome = Mutex(true)
        let script = LoopService {
            var ports = listening.makeAsyncIterator()
            guard let port = await ports.next() else { return }
            let passed = try await play(state: state, isNew: isNew, role: role, port: port, configuration: running, stop: stop)
            outcome.withLock { $0 = passed }
        }
        var services = try role.services().map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        services.append(.init(service: ingest))
        services.append(.init(service: LoopService { try await broker.keepRunning() }))
        services.append(
            .init(
                service: script, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger.quiet))
        try await group.run()
        if checks, !outcome.withLock({ $0 }) { throw CommandFailure("the check failed: see above") }
    }

    private func demoState() throws -> (DemoState, isNew: Bool) {
        let path = configuration.text(.artifactsPath) + "/demo.json"
        if let known = DemoState.read(from: path) { return (known, false) }
        let store = StoreQueries(url: try configuration.databaseURL(), connections: 1)
        guard try store.newestEventTime() == nil else {
            throw CommandFailure(
                "the database holds events that are not the demonstration's: name an empty one in database.url, or run ops/demo, which "
                    + "brings its own")
        }
        let state = DemoState(openingMilliseconds: EventTime.now.milliseconds, seed: 7)
        try state.write(to: path)
        return (state, true)
    }

    /// What happens once the service listens: the past streams in, a model is trained, shoppers come.
    private func play(
        state: DemoState, isNew: Bool, role: ServeRole, port: Int, configuration: Configuration, stop: StopSignal
    ) async throws -> Bool {
        let address = "http://\(configuration.text(.httpHost)):\(port)"
        StandardOutput.news("dashboard: \(address)/")
        var shop = state.shop
        if isNew {
            role.board.note("ingest", "the shop's past streams in")
            shop = try await OwnThread.run(named: "freshet-history") { [shop] in
                var past = shop
                let topics = DemoHistory.Topics(
                    items: configuration.text(.topicsItems), users: configuration.text(.topicsUsers),
                    events: configuration.text(.topicsEvents))
                try DemoHistory(kafka: configuration.kafkaSettings, topics: topics).produce(
                    &past, until: EventTime(milliseconds: state.openingMilliseconds))
                return past
            }
            try await waitUntilStored(configuration)
        }
        let service = try ServiceClient(base: address, apiKey: configuration.list(.httpAdminKeys).first)
        let training = DemoTraining(configuration: Self.demoTraining(configuration), board: role.board, logger: logger, stop: stop)
        if role.feed.current.modelVersion == nil {
            let outcome = try await training.train()
            guard outcome.promoted else {
                throw CommandFailure("the gate refused the demonstration's first model: \(outcome.reasons.joined(separator: " "))")
            }
        }
        while role.feed.current.modelVersion == nil { try await Task.sleep(for: .milliseconds(100)) }
        let demoShop = DemoShop(shop: shop, run: "demo\(String(EventTime.now.milliseconds, radix: 36))")
        let guide = DemoGuide(service: service, shop: state.shop)
        await guide.printRequests()
        let shoppers = DemoShoppers(shop: demoShop, service: service, logger: logger, visitsPerSecond: Self.visitsPerSecond) {
            Self.show($0, on: role.board)
        }
        if checks {
            return try await withThrowingTaskGroup(of: Bool?.self) { group in
                group.addTask {
                    try await shoppers.run()
                    return nil
                }
                group.addTask { try await guide.check() }
                while let result = try await group.next() {
                    if let result {
                        group.cancelAll()
                        return result
                    }
                }
                return false
            }
        }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await shoppers.run() }
            group.addTask {
                while !Task.isCancelled {
                    try await Task.sleep(for: Self.retrainEvery)
                    do { _ = try await training.train() } catch let error as StoreError { logger.warning("\(error.message)") }
                }
            }
        }
        return true
    }

    /// What the dashboard says of the shop.
    private static func show(_ news: DemoShoppers.News, on board: StatisticsBoard) {
        switch news {
        case .came(let userID): board.saw(userID: userID)
        case .acted(let userID, let events, let requestID):
            board.note("event", "\(userID) acted \(events == 1 ? "once" : "\(events) times") on list \(requestID)")
        case .published(let title, let category): board.note("item", "new: \(title) in \(category ?? "no category")")
        }
    }

    /// A demonstration trains in seconds and starts over often.
    private static func demoTraining(_ configuration: Configuration) -> Configuration {
        var quick = configuration
        if quick.trainerSettings["preset"] == nil { try? quick.set("train.preset", .scalar("small"), source: "demo") }
        if quick.trainerSettings["epochs"] == nil { try? quick.set("train.epochs", .scalar("6"), source: "demo") }
        // It shows how models follow each other, whatever a counter would do with so short a past.
        if quick.text(.gateRivals) == "refuse" { try? quick.set("gate.rivals", .scalar("warn"), source: "demo") }
        return quick
    }

    private func waitUntilStored(_ configuration: Configuration) async throws {
        let store = StoreQueries(url: try configuration.databaseURL(), connections: 1)
        let progress = ProgressLine("store it in PostgreSQL", total: DemoState.historyEvents)
        let limit = ContinuousClock.now + .seconds(120)
        var stored = 0
        while ContinuousClock.now < limit {
            stored = Int(try await store.run { store throws(StoreError) in try store.statistics() }.interactions.values.reduce(0, +))
            progress.update(stored)
            if stored >= DemoState.historyEvents { break }
            try await Task.sleep(for: .milliseconds(200))
        }
        progress.finish(stored)
        guard stored >= DemoState.historyEvents else {
            throw CommandFailure("only \(stored) of \(DemoState.historyEvents) events of the shop's past arrived in 120 s")
        }
    }
}
