import Console
import Interactions
import Logging
import RecommendationAPI
import Recommending
import ServiceLifecycle
import Simulation
import Synchronization
import Testing
import Workloads

/// The client and the loads against the service's own routes, with operations that answer as they are told.
@Suite(.timeLimit(.minutes(15))) struct ServiceTests {
    private final class Seen: Sendable {
        let events = Mutex(0)
        let requests = Mutex(0)
    }

    /// Runs a service and hands over its URL.
    private func withService(
        keys: [APIKey] = [], modelVersion: Int? = 3, isCommitted: Bool = true, seen: Seen = Seen(),
        _ body: @escaping @Sendable (_ url: String) async throws -> Void
    ) async throws {
        let taken: @Sendable (Int) -> IntakeOutcome = { IntakeOutcome(accepted: $0, watermark: "0:1", isCommitted: isCommitted) }
        let operations = ServiceOperations(
            recommend: { request in
                seen.requests.withLock { $0 += 1 }
                let items = (0..<request.count).map { RecommendedEntry(itemID: "i\($0)", score: 1, reason: .personal) }
                return RecommendationList(requestID: request.requestID, userID: request.userID, modelVersion: modelVersion, items: items)
            },
            similar: { RecommendationList(requestID: $0.requestID, items: []) },
            submitEvents: { submission in
                seen.events.withLock { $0 += submission.count }
                return taken(submission.count)
            },
            putItem: { _ in taken(1) }, deleteItem: { _ in taken(1) }, putUser: { _ in taken(1) }, deleteUser: { _ in taken(1) },
            user: { _ in nil },
            item: { id in
                id == "gone" ? nil : ItemView(
                    record: ItemRecord(itemID: id, title: "A \"shoe\"", categories: ["shoes"]), indexState: .indexed, catalogueVersion: 1)
            },
            models: { [] }, promote: { _, _ in throw ServiceError(.conflict, "no") },
            rollback: { _ in throw ServiceError(.conflict, "no") },
            statistics: { throw ServiceError(.unavailable, "no") }, readiness: { [] })
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = RecommendationServer(
            operations: operations, configuration: APIConfiguration(port: 0, apiKeys: keys, requestTimeoutMilliseconds: 600_000),
            logger: quiet, onListening: { told.yield($0) })
        let group = ServiceGroup(services: [server], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            do {
                try await body("http://127.0.0.1:\(port)/")
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test func theClientAsksAndReadsWhatItNeeds() async throws {
        let seen = Seen()
        try await withService(seen: seen) { url in
            let service = try ServiceClient(base: url, apiKey: nil, leastTimeout: .seconds(600))
            let answer = try await service.recommendations(userID: "a b/ü", count: 5, exclude: ["i9"])
            #expect(answer.items.map(\.item_id) == (0..<5).map { "i\($0)" } && answer.model_version == 3)
            #expect(!answer.request_id.isEmpty)
            let taken = try await service.post(events: [#"{"user_id":"a"}"#, #"{"user_id":"b"}"#])
            #expect(taken.accepted == 2)
            #expect(seen.events.withLock { $0 } == 2)
            do {
                _ = try await service.recommendations(userID: "a", count: 0)
                Issue.record("it was answered")
            } catch let refused as ServiceClient.Refused {
                #expect(refused.status == 400 && refused.description.contains("400"))
            }
        }
    }

    @Test(arguments: [
        (false, 3, true, []), (true, 3, true, ["FRESHET_BENCH_KEY"]), (false, nil, true, ["no model", "freshet train"]),
        (false, 3, false, ["freshet ingest"]),
    ] as [(Bool, Int?, Bool, [String])])
    func whatAMeasurementLacksIsSaidBeforeItBegins(hasKeys: Bool, model: Int?, isCommitted: Bool, words: [String]) async throws {
        let keys = hasKeys ? [APIKey(name: "a", secret: "secret", scopes: [.read, .write])] : []
        try await withService(keys: keys, modelVersion: model, isCommitted: isCommitted) { url in
            let service = try ServiceClient(base: url, apiKey: nil, leastTimeout: .seconds(600))
            let readiness = BenchReadiness(service: service, userID: "u1")
            do {
                try await readiness.check([.model, .ingest])
                #expect(words.isEmpty)
            } catch let failure as CommandFailure {
                #expect(!words.isEmpty)
                for word in words { #expect(failure.description.contains(word), "\(failure)") }
            }
            if hasKeys {
                let keyed = try ServiceClient(base: url, apiKey: "secret", leastTimeout: .seconds(600))
                try await BenchReadiness(service: keyed, userID: "u1").check([.model, .ingest])
            }
        }
    }

    @Test func anAddressThatIsNoneIsSaidAtOnce() {
        let failure = #expect(throws: CommandFailure.self) { try ServiceClient(base: "localhost:8080", apiKey: nil) }
        #expect(failure?.description.contains("localhost:8080") == true)
    }

    @Test func aLoadSendsBothKindsAndCountsWhatFailed() async throws {
        let seen = Seen()
        try await withService(seen: seen) { url in
            let service = try ServiceClient(base: url, apiKey: nil, leastTimeout: .seconds(600))
            let load = BenchLoad(service: service, users: ["u1", "u2"], items: ["i1"], eventsPerSecond: 500, requestsPerSecond: 200)
            let (output, result) = try await load.beside {
                while seen.events.withLock({ $0 }) < 100 || seen.requests.withLock({ $0 }) < 20 {
                    try await Task.sleep(for: .milliseconds(5))
                }
                return "done"
            }
            #expect(output == "done" && result.errors == 0)
            #expect(result.events > 0 && result.requests > 0 && result.latency.count == result.requests)
            let idle = BenchLoad(service: service, users: ["u1"], items: ["i1"], eventsPerSecond: 0, requestsPerSecond: 0)
            let nothing = try await idle.beside { 1 }
            #expect(nothing.1.events == 0 && nothing.1.requests == 0)
        }
    }

    @Test func theServingWorkloadMeasuresBothLoops() async throws {
        let seen = Seen()
        try await withService(seen: seen) { url in
            let bench = ServeBench(
                service: try ServiceClient(base: url, apiKey: nil, leastTimeout: .seconds(600)), users: ["u1", "u2", "u3"],
                connections: 2, seconds: 1, rate: 50)
            let line = try await bench.run().json
            #expect(line.contains(#""bench":"serve""#) && line.contains(#""open_loop_rps":50"#))
        }
        #expect(seen.requests.withLock { $0 } >= 50)
    }

    @Test func shoppersAskAndAct() async throws {
        let seen = Seen()
        try await withService(seen: seen) { url in
            let opening = EventTime(milliseconds: 1_700_000_000_000)
            let shop = Shop(configuration: ShopConfiguration(users: 20, items: 50, opening: opening), seed: 3)
            let load = ShopperLoad(
                shop: DemoShop(shop: shop, run: "t"),
                service: try ServiceClient(base: url, apiKey: nil, leastTimeout: .seconds(600)), visitsPerSecond: 100)
            let done = try await load.run(for: .seconds(1))
            #expect(done.visits > 0)
            #expect(done.events == seen.events.withLock { $0 })
        }
        #expect(seen.requests.withLock { $0 } > 0)
    }
}
