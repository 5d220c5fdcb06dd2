import Console
import Interactions

/// Measures the time from a click to the answer that knows it, against a running service under load.
///
/// A probe user's next answer is asked for until it differs; a control user's answer must stay as it is. Load runs open-loop: every
/// request has its time, whether or not the ones before it are answered.
public struct FreshnessRun: Sendable {
    let service: ServiceClient
    /// Users with some history, probes first.
    let users: [String]
    /// Items that clicks are made on.
    let items: [String]
    let clicks: Int
    let load: BenchLoad

    /// Makes the workload.
    ///
    /// - Parameters:
    ///   - users: with some history, probes first; at least 4.
    ///   - items: that clicks are made on.
    public init(service: ServiceClient, users: [String], items: [String], clicks: Int, load: BenchLoad) {
        self.service = service
        self.users = users
        self.items = items
        self.clicks = clicks
        self.load = load
    }

    /// What was seen.
    public struct Result: Sendable {
        /// From sending a click until an answer that differs has arrived.
        package var clicks = ProbeTally()
        /// Times a control user's answer changed while nobody clicked for it.
        package var controlChanged = 0
        /// What the load beside it did.
        package var load = BenchLoad.Result()

        /// For printing.
        ///
        /// - Parameter asked: clicks that were to be made.
        public func line(clicks asked: Int) -> ResultLine {
            var line = ResultLine([
                "bench": .text("freshness"), "clicks": .integer(asked), "changed": .integer(clicks.shown.count),
                "unchanged": .integer(clicks.unseen),
            ])
            line.add(clicks.shown)
            line.add("control_changed", .integer(controlChanged))
            line.add(load)
            return line
        }
    }

    private static let limit = Duration.seconds(5)
    private static let pauseBetweenClicks = Duration.milliseconds(100)

    /// Measures.
    ///
    /// - Parameter progress: told of how many clicks are done.
    /// - Throws: `CommandFailure` that says what the service lacks; the failures of requests.
    public func run(progress: @Sendable (Int) -> Void = { _ in }) async throws -> Result {
        try await BenchReadiness(service: service, userID: users[0]).check([.model, .ingest])
        var result = Result()
        (result, result.load) = try await load.beside { try await click(progress) }
        return result
    }

    private func click(_ progress: @Sendable (Int) -> Void) async throws -> Result {
        var result = Result()
        let probe = AnswerProbe(service: service, limit: Self.limit, pause: .milliseconds(2)), control = users[0]
        for click in 0..<clicks {
            let user = users[1 + click % (users.count / 2 - 1)]
            let controlBefore = try await service.recommendations(userID: control, count: 10)
            let before = try await service.recommendations(userID: user, count: 10)
            // A click on something that was shown: the next answer must know it.
            guard let target = before.items.last(where: { $0.exploration != true }) else { continue }
            let event = BenchLoad.click(
                user: user, item: target.item_id, request: before.request_id, id: "probe-\(click)-\(EventTime.now.milliseconds)")
            let changed = try await probe.answer(userID: user, count: 10, after: { _ = try await service.post(events: [event]) }) {
                $0.differs(from: before, inScores: true)
            }
            try result.clicks.note(
                changed?.took,
                "clicks changed no answer within \(Self.limit): is freshet ingest still running, and have the users of --users a history?")
            let controlAfter = try await service.recommendations(userID: control, count: 10)
            if controlAfter.differs(from: controlBefore, inScores: false) { result.controlChanged += 1 }
            progress(click + 1)
            try await Task.sleep(for: Self.pauseBetweenClicks)
        }
        guard result.clicks.shown.count + result.clicks.unseen > 0 else {
            throw CommandFailure(
                "no user was shown an item to click on: is there a catalogue, and are the users of --users those of the shop?")
        }
        return result
    }
}
