import Console
import Interactions

/// Events and requests at fixed rates while something else is measured.
public struct BenchLoad: Sendable {
    let service: ServiceClient
    let users: [String]
    /// Items that clicks are made on.
    let items: [String]
    let eventsPerSecond: Int
    let requestsPerSecond: Int

    /// What was sent.
    public struct Result: Sendable {
        /// Events that were taken.
        public internal(set) var events = 0
        /// Requests that were answered.
        public internal(set) var requests = 0
        /// Requests of either kind that were not.
        public internal(set) var errors = 0
        /// From when a request was due until its answer was there.
        public internal(set) var latency = LatencySample()
    }

    /// Makes a load; a rate of 0 sends nothing of that kind.
    public init(service: ServiceClient, users: [String], items: [String], eventsPerSecond: Int, requestsPerSecond: Int) {
        self.service = service
        self.users = users
        self.items = items
        self.eventsPerSecond = eventsPerSecond
        self.requestsPerSecond = requestsPerSecond
    }

    /// Runs `work` under the load.
    ///
    /// - Throws: what `work` throws.
    public func beside<Output: Sendable>(_ work: @Sendable () async throws -> Output) async throws -> (Output, Result) {
        let tally = LoadTally()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await eventLoad(tally) }
            group.addTask { try await requestLoad(tally) }
            let output = try await work()
            group.cancelAll()
            while let outcome = await group.nextResult() {
                if case .failure(let error) = outcome, !(error is CancellationError) { throw error }
            }
            return (output, await tally.result)
        }
    }

    private func eventLoad(_ tally: LoadTally) async throws {
        guard eventsPerSecond > 0 else { return }
        let perBatch = max(1, eventsPerSecond / 50)
        let run = ContinuousClock.now
        try await OpenLoop(perSecond: Double(eventsPerSecond) / Double(perBatch)).run { batch, _ in
            let events = (0..<perBatch).map { offset -> String in
                let number = batch * perBatch + offset
                return Self.click(
                    user: users[number &* 7_919 % users.count], item: items[number &* 104_729 % items.count], request: nil,
                    id: "load-\(number)-\(run)")
            }
            do {
                _ = try await service.post(events: events)
                await tally.sent(events: events.count)
            } catch is CancellationError {
            } catch {
                await tally.failed()
            }
        }
    }

    private func requestLoad(_ tally: LoadTally) async throws {
        guard requestsPerSecond > 0 else { return }
        try await OpenLoop(perSecond: Double(requestsPerSecond)).run { number, due in
            do {
                _ = try await service.recommendations(userID: users[number &* 31 % users.count], count: 20)
                await tally.answered(due.duration(to: .now))
            } catch is CancellationError {
            } catch {
                await tally.failed()
            }
        }
    }

    /// A click as the service takes it.
    static func click(user: String, item: String, request: String?, id: String) -> String {
        var json = #"{"event_id":\#(JSONText.quoted(id)),"type":"click","user_id":\#(JSONText.quoted(user)),"#
        json += #""item_id":\#(JSONText.quoted(item)),"timestamp":\#(EventTime.now.milliseconds)"#
        if let request { json += #","request_id":\#(JSONText.quoted(request))"# }
        return json + "}"
    }
}

/// What the load has done, counted from many tasks.
private actor LoadTally {
    private(set) var result = BenchLoad.Result()

    func sent(events count: Int) { result.events += count }
    func answered(_ duration: Duration) {
        result.requests += 1
        result.latency.add(duration)
    }
    func failed() { result.errors += 1 }
}

extension ResultLine {
    /// Adds what the load did.
    public mutating func add(_ load: BenchLoad.Result) {
        add("load_events", .integer(load.events))
        add("load_requests", .integer(load.requests))
        add("load_errors", .integer(load.errors))
        add("load_p50_ms", .number(load.latency.percentile(50)))
        add("load_p99_ms", .number(load.latency.percentile(99)))
    }
}
