import Console
import Features
import FeatureStore
import Foundation
import Interactions
import ServiceLifecycle
import Simulation

/// The serving workload: closed-loop connections as wrk makes them, then latency at a fixed rate, open-loop.
struct ServeBench: Sendable {
    let service: ServiceClient
    let users: [String]
    let connections: Int
    let seconds: Int
    /// Requests a second of the open loop; nil takes half of what the closed loop reached.
    let rate: Int?

    func run() async throws -> ResultLine {
        _ = try await closedLoop(for: min(2, seconds))
        let closed = try await closedLoop(for: seconds)
        let perSecond = Double(closed.count) / Double(seconds)
        let asked = rate ?? max(1, Int(perSecond / 2))
        let open = try await openLoop(rate: asked)
        return ResultLine([
            "bench": .text("serve"), "connections": .integer(connections), "seconds": .integer(seconds),
            "rps": .number(perSecond.rounded()), "p50_ms": .number(closed.percentile(50)), "p99_ms": .number(closed.percentile(99)),
            "open_loop_rps": .integer(asked), "open_loop_p50_ms": .number(open.percentile(50)),
            "open_loop_p99_ms": .number(open.percentile(99)),
        ])
    }

    private func closedLoop(for seconds: Int) async throws -> LatencySample {
        let end = ContinuousClock.now + .seconds(seconds)
        return try await withThrowingTaskGroup(of: LatencySample.self) { group in
            for connection in 0..<connections {
                group.addTask {
                    var sample = LatencySample()
                    var number = connection
                    while ContinuousClock.now < end {
                        let start = ContinuousClock.now
                        _ = try await service.send(.GET, path(number), body: nil)
                        sample.add(start.duration(to: .now))
                        number += connections
                    }
                    return sample
                }
            }
            return try await group.reduce(into: LatencySample()) { $0.merge($1) }
        }
    }

    private func openLoop(rate: Int) async throws -> LatencySample {
        let start = ContinuousClock.now
        let total = rate * seconds
        return try await withThrowingTaskGroup(of: Duration.self) { group in
            for number in 0..<total {
                // Every request has its time, whether or not the ones before it are answered (coordinated omission).
                let due = start + .seconds(Double(number) / Double(rate))
                try await Task.sleep(until: due)
                group.addTask {
                    _ = try await service.send(.GET, path(number), body: nil)
                    return due.duration(to: .now)
                }
            }
            return try await group.reduce(into: LatencySample()) { $0.add($1) }
        }
    }

    private func path(_ number: Int) -> String {
        "/v1/recommendations?n=20&user_id=\(users[number &* 7_919 % users.count])"
    }
}

/// A shop of fixed size in a schema of its own, with a model and a service in this process: what the serving benchmark asks.
struct ServeBenchShop {
    static let items = 100_000
    static let eventsPerUser = 20
    static let clusters = 256

    let configuration: Configuration
    let users: Int

    /// Fills the schema: items in clusters, and users who met items of three clusters each.
    func fill(_ url: String) throws {
        var random = SplitMix64(seed: 6)
        let store = try IngestStore(url: url, rules: configuration.featureRules)
        let origin = RecordOrigin(source: "bench", cluster: "", position: Position(partition: Position.filePartition, offset: 0))
        let progress = ProgressLine("make the shop", total: Self.items + users)
        for start in stride(from: 0, to: Self.items, by: 20_000) {
            var batch = IngestBatch()
            for item in start..<min(start + 20_000, Self.items) {
                let record = ItemRecord(itemID: "i\(item)", title: "Item \(item)", categories: ["c\(item % Self.clusters)"])
                batch.items.append((change: .upsert(record), origin: origin))
            }
            _ = try store.commit(batch)
            progress.update(start)
        }
        for start in stride(from: 0, to: users, by: 1_000) {
            var batch = IngestBatch()
            for user in start..<min(start + 1_000, users) {
                let tastes = (0..<3).map { _ in Int(random.next() % UInt64(Self.clusters)) }
                for place in 0..<Self.eventsPerUser {
                    let member = Int(random.next() % UInt64(Self.items / Self.clusters))
                    var event = Interaction(
                        eventID: "b\(user)-\(place)", type: .click, userID: "u\(user)",
                        itemID: "i\(tastes[place % 3] + Self.clusters * member)",
                        time: EventTime(milliseconds: 1_793_520_000_000 + Int64(user * 60 + place) * 1_000),
                        position: Position(partition: Position.filePartition, offset: Int64(user * Self.eventsPerUser + place)))
                    event.payloadHash = event.contentHash()
                    batch.interactions.append(event)
                }
            }
            _ = try store.commit(batch)
            progress.update(Self.items + start)
        }
        progress.finish(Self.items + users)
    }

    /// Trains one short epoch, serves, and measures.
    func measure(connections: Int, seconds: Int, rate: Int?) async throws -> ResultLine {
        let (listening, told) = AsyncStream.makeStream(of: Int.self)
        let role = try ServeRole(configuration: configuration) { told.yield($0) }
        try await role.prepare()
        let ids = (0..<users).map { "u\($0)" }
        let result = SnapshotCell<ResultLine?>(nil)
        let script = LoopService { [configuration] in
            var ports = listening.makeAsyncIterator()
            guard let port = await ports.next() else { return }
            let service = ServiceClient(
                client: ServiceClient.wide, base: "http://\(configuration.text("http.host")):\(port)", apiKey: nil)
            let bench = ServeBench(service: service, users: ids, connections: connections, seconds: seconds, rate: rate)
            var line = try await bench.run()
            line.add("items", .integer(role.feed.current.itemCount))
            line.add("indexed", .integer(role.feed.current.indexedCount))
            line.add("client", .text("in the same process"))
            result.replace(by: line)
        }
        var services = try role.services().map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        services.append(
            .init(
                service: script, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup))
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: ServeCommand.quiet(role.logger))
        ).run()
        guard let line = result.current else { throw CommandFailure("the serving benchmark did not come to its end") }
        return line
    }
}

extension LatencySample {
    /// Takes in what another task measured.
    mutating func merge(_ other: LatencySample) {
        for value in other.milliseconds { add(.seconds(value / 1_000)) }
    }
}
