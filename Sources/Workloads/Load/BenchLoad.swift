import Console
import Interactions

/// Events and requests at fixed rates while something else is measured.
///
/// Open-loop: every request has its time, whether or not the ones before it are answered, and its latency counts from then.
struct BenchLoad: Sendable {
    let service: ServiceClient
    let users: [String]
    /// Items that clicks are made on.
    let items: [String]
    let eventsPerSecond: Int
    let requestsPerSecond: Int

    /// What was sent.
    struct Result: Sendable {
        var events = 0
        var requests = 0
        var errors = 0
        var latency = LatencySample()
    }

    /// Runs `work` under the load.
    func beside<Output: Sendable>(_ work: @Sendable () async throws -> Output) async throws -> (Output, Result) {
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
        var sent = 0
        let start = ContinuousClock.now
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let first = sent
                let events = (0..<perBatch).map { offset -> String in
                    let number = first + offset
                    return Self.click(
                        user: users[number &* 7_919 % users.count], item: items[number &* 104_729 % items.count],
                        request: nil, id: "load-\(number)-\(start)")
                }
                group.addTask {
                    do {
                        _ = try await service.post(events: events)
                        await tally.sent(events: events.count)
                    } catch is CancellationError {
                    } catch {
                        await tally.failed()
                    }
                }
                sent += perBatch
                try await Task.sleep(until: start + .seconds(Double(sent) / Double(eventsPerSecond)))
            }
        }
    }

    private func requestLoad(_ tally: LoadTally) async throws {
        guard requestsPerSecond > 0 else { return }
        var sent = 0
        let start = ContinuousClock.now
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let due = start + .seconds(Double(sent) / Double(requestsPerSecond))
                try await Task.sleep(until: due)
                let user = users[sent &* 31 % users.count]
                group.addTask {
                    do {
                        _ = try await service.recommendations(userID: user, count: 20)
                        // From when it was due, not from when it was sent: waiting counts (coordinated omission).
                        await tally.answered(due.duration(to: .now))
                    } catch is CancellationError {
                    } catch {
                        await tally.failed()
                    }
                }
                sent += 1
            }
        }
    }

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
    mutating func add(_ load: BenchLoad.Result) {
        add("load_events", .integer(load.events))
        add("load_requests", .integer(load.requests))
        add("load_errors", .integer(load.errors))
        add("load_p50_ms", .number(load.latency.percentile(50)))
        add("load_p99_ms", .number(load.latency.percentile(99)))
    }
}
