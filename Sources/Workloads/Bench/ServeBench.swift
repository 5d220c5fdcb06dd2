import Console
import FeatureStore
import Features
import Interactions
import Simulation
import Synchronization

/// The serving workload: closed-loop connections as wrk makes them, then latency at a fixed rate, open-loop.
public struct ServeBench: Sendable {
    let service: ServiceClient
    let users: [String]
    let connections: Int
    let seconds: Int
    let rate: Int?

    /// Makes the workload.
    ///
    /// - Parameters:
    ///   - connections: callers of the closed loop.
    ///   - seconds: of either loop.
    ///   - rate: requests a second of the open loop; nil takes half of what the closed loop reached.
    public init(service: ServiceClient, users: [String], connections: Int, seconds: Int, rate: Int?) {
        self.service = service
        self.users = users
        self.connections = connections
        self.seconds = seconds
        self.rate = rate
    }

    /// Measures: rates in requests a second, times in milliseconds.
    ///
    /// - Throws: the first failure of a request.
    public func run() async throws -> ResultLine {
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
                        _ = try await service.send(.get, path(number), body: nil)
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
        let sample = Mutex(LatencySample())
        try await OpenLoop(perSecond: Double(rate)).run(count: rate * seconds) { number, due in
            _ = try await service.send(.get, path(number), body: nil)
            let took = due.duration(to: .now)
            sample.withLock { $0.add(took) }
        }
        return sample.withLock { $0 }
    }

    private func path(_ number: Int) -> String {
        "/v1/recommendations?n=20&user_id=\(users[number &* 7_919 % users.count])"
    }
}

/// A shop of fixed size: what the serving benchmark asks about.
public struct ServeBenchShop: Sendable {
    /// Items of the shop.
    public static let items = 100_000
    private static let eventsPerUser = 20
    private static let clusters = 256

    let users: Int

    /// Makes the shop with the users u0, u1, …
    public init(users: Int) {
        self.users = users
    }

    /// All users.
    public var userIDs: [String] { (0..<users).map { "u\($0)" } }

    /// Fills a schema: items in clusters, and users who met items of three clusters each.
    ///
    /// - Throws: `StoreError` of the database at `url`.
    public func fill(_ url: String, rules: FeatureRules) throws {
        var random = SplitMix64(seed: 6)
        let store = try IngestStore(url: url, rules: rules)
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
}
