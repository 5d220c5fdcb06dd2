import Foundation
import Interactions

/// Measures the time from a click to the answer that knows it, against a running service under load.
///
/// A probe user's next answer is asked for until it differs; a control user's answer must stay as it is. Load runs open-loop: every
/// request has its time, whether or not the ones before it are answered.
struct FreshnessRun: Sendable {
    let service: ServiceClient
    /// Users with some history, probes first.
    let users: [String]
    /// Items that clicks are made on.
    let items: [String]
    let clicks: Int
    let eventsPerSecond: Int
    let requestsPerSecond: Int

    /// What was seen.
    struct Result: Sendable {
        /// From sending the click until an answer that differs has arrived.
        var changed = LatencySample()
        /// Clicks after which no answer changed within the limit.
        var unchanged = 0
        /// Times a control user's answer changed while nobody clicked for it.
        var controlChanged = 0
        var loadEvents = 0
        var loadRequests = 0
        var loadErrors = 0
        var loadLatency = LatencySample()
    }

    private static let limit = Duration.seconds(5)
    private static let pauseBetweenClicks = Duration.milliseconds(100)

    func run(progress: @Sendable (Int) -> Void = { _ in }) async throws -> Result {
        let load = LoadTally()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await eventLoad(load) }
            group.addTask { try await requestLoad(load) }
            var result = try await probe(progress)
            group.cancelAll()
            while let outcome = await group.nextResult() {
                if case .failure(let error) = outcome, !(error is CancellationError) { throw error }
            }
            (result.loadEvents, result.loadRequests, result.loadErrors, result.loadLatency) = await load.totals
            return result
        }
    }

    private func probe(_ progress: @Sendable (Int) -> Void) async throws -> Result {
        var result = Result()
        let control = users[0]
        for click in 0..<clicks {
            let user = users[1 + click % (users.count / 2 - 1)]
            let controlBefore = try await service.recommendations(userID: control, count: 10).items.map(\.item_id)
            let before = try await service.recommendations(userID: user, count: 10)
            // A click on something that was shown: the next answer must know it.
            guard let target = before.items.last else { continue }
            let event = Self.click(user: user, item: target.item_id, request: before.request_id, id: "probe-\(click)-\(EventTime.now.milliseconds)")
            let start = ContinuousClock.now
            _ = try await service.post(events: [event])
            var changed = false
            while start.duration(to: .now) < Self.limit {
                let after = try await service.recommendations(userID: user, count: 10)
                if after.items.map(\.item_id) != before.items.map(\.item_id) || after.items.map(\.score) != before.items.map(\.score) {
                    changed = true
                    break
                }
                try await Task.sleep(for: .milliseconds(2))
            }
            if changed { result.changed.add(start.duration(to: .now)) } else { result.unchanged += 1 }
            let controlAfter = try await service.recommendations(userID: control, count: 10).items.map(\.item_id)
            if controlAfter != controlBefore { result.controlChanged += 1 }
            progress(click + 1)
            try await Task.sleep(for: Self.pauseBetweenClicks)
        }
        return result
    }

    private func eventLoad(_ tally: LoadTally) async throws {
        let perBatch = max(1, eventsPerSecond / 50)
        var sent = 0
        let start = ContinuousClock.now
        // Load comes from the second half of the users: probes and control stay untouched.
        let others = users[(users.count / 2)...]
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let first = sent
                let events = (0..<perBatch).map { offset -> String in
                    let number = first + offset
                    return Self.click(
                        user: others[others.startIndex + number &* 7_919 % others.count], item: items[number &* 104_729 % items.count],
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
        var sent = 0
        let start = ContinuousClock.now
        let others = users[(users.count / 2)...]
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let due = start + .seconds(Double(sent) / Double(requestsPerSecond))
                try await Task.sleep(until: due)
                let user = others[others.startIndex + sent &* 31 % others.count]
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

    private static func click(user: String, item: String, request: String?, id: String) -> String {
        var json = #"{"event_id":\#(JSONText.quoted(id)),"type":"click","user_id":\#(JSONText.quoted(user)),"#
        json += #""item_id":\#(JSONText.quoted(item)),"timestamp":\#(EventTime.now.milliseconds)"#
        if let request { json += #","request_id":\#(JSONText.quoted(request))"# }
        return json + "}"
    }
}

/// What the load has done, counted from many tasks.
private actor LoadTally {
    private var events = 0
    private var requests = 0
    private var errors = 0
    private var latency = LatencySample()

    func sent(events count: Int) { events += count }
    func answered(_ duration: Duration) {
        requests += 1
        latency.add(duration)
    }
    func failed() { errors += 1 }

    var totals: (Int, Int, Int, LatencySample) { (events, requests, errors, latency) }
}
