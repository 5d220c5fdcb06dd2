import Console
import Foundation
import Interactions
import Synchronization

/// Adds, updates and removes many items of a running service while answers are asked for, and judges every answer: nothing that was
/// hidden or removed before the question, nothing of another category than asked for, no failed request.
public struct ChurnRun: Sendable {
    let service: ServiceClient
    let users: [String]
    let items: Int
    /// Requests under way at once that change items, and that ask.
    let writers: Int
    let readers: Int
    /// The service's process, whose memory is read; nil where it is on another machine.
    let processID: Int32?

    /// Makes the workload.
    ///
    /// - Parameters:
    ///   - writers, readers: requests under way at once that change items, and that ask.
    ///   - processID: the service's process, whose memory is read; nil where it is on another machine.
    public init(service: ServiceClient, users: [String], items: Int, writers: Int, readers: Int, processID: Int32?) {
        self.service = service
        self.users = users
        self.items = items
        self.writers = writers
        self.readers = readers
        self.processID = processID
    }

    /// What was seen.
    public struct Result: Sendable {
        /// Changes that were answered.
        public internal(set) var changes = 0
        /// How long all of them took.
        public internal(set) var seconds = 0.0
        /// Answers that were judged.
        public internal(set) var answers = 0
        /// Items in answers that must not be there.
        public internal(set) var wrongItems = 0
        /// Requests without an answer, of either kind.
        public internal(set) var failed = 0
        /// Answers that showed a changing item: without any, nothing was put to the test.
        public internal(set) var answersWithChangingItems = 0
        /// Of the answers.
        public internal(set) var latency = LatencySample()
        /// Anonymous memory of the process in MiB: before, largest, and once all items are gone.
        public internal(set) var memory: (before: Double?, largest: Double?, after: Double?) = (nil, nil, nil)

        /// For printing.
        ///
        /// - Parameter asked: items that were to come, change and go.
        public func line(items asked: Int) -> ResultLine {
            func size(_ value: Double?) -> ResultLine.Value { value.map { .number($0.rounded()) } ?? .null }
            return ResultLine([
                "bench": .text("churn"), "items": .integer(asked), "changes": .integer(changes),
                "changes_per_s": .number((Double(changes) / seconds).rounded()), "answers": .integer(answers),
                "answers_with_changing_items": .integer(answersWithChangingItems), "wrong_items": .integer(wrongItems),
                "failed_requests": .integer(failed), "p50_ms": .number(latency.percentile(50)),
                "p99_ms": .number(latency.percentile(99)), "rss_anon_before_mb": size(memory.before),
                "rss_anon_largest_mb": size(memory.largest), "rss_anon_after_mb": size(memory.after),
            ])
        }
    }

    private static let answerItems = 50
    private static let categories = 8
    private static let settling = Duration.seconds(20)

    /// Measures.
    ///
    /// - Parameter progress: told of how many are done.
    /// - Throws: `CommandFailure` that says what the service lacks; the failures of requests.
    public func run(progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws -> Result {
        try await BenchReadiness(service: service, userID: users[0]).check([.ingest])
        let ledger = ItemLedger(), tally = Tally(), titles = try await liked()
        let before = memory()
        let start = ContinuousClock.now
        let run = EventTime.now.milliseconds
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in 0..<readers { group.addTask { await ask(reader, run, ledger, tally) } }
            for phase in Phase.allCases {
                try await change(phase, run, titles, ledger, tally) { progress(phase.rawValue * items + $0) }
                tally.saw(memory: memory())
                if tally.isGivenUp { break }
            }
            tally.finish()
            try await group.waitForAll()
        }
        if tally.isGivenUp {
            throw CommandFailure(
                "\(Tally.maxUnstored) changes in a row were not stored: are freshet ingest and the service still running? "
                    + "The items of this run that were not removed begin with churn-\(run)-")
        }
        var result = tally.result
        result.seconds = start.duration(to: .now).inSeconds
        // What the removed items held goes with the next build of the index, in the background.
        let settled = ContinuousClock.now + Self.settling
        while processID != nil, ContinuousClock.now < settled { try await Task.sleep(for: .milliseconds(500)) }
        result.memory = (before, tally.largest, memory())
        return result
    }

    private enum Phase: Int, CaseIterable {
        case add, update, remove
    }

    /// Titles of what the users like, for the new items to be found by.
    private func liked() async throws -> [String] {
        var titles: [String] = []
        for user in users.prefix(20) {
            let data = try await service.send(
                .get, "/v1/recommendations?user_id=\(ServiceClient.escaped(user))&n=5&details=true", body: nil)
            let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            for item in object?["items"] as? [[String: Any]] ?? [] {
                if let title = (item["details"] as? [String: Any])?["title"] as? String { titles.append(title) }
            }
        }
        return titles.isEmpty ? ["New"] : titles
    }

    private func change(
        _ phase: Phase, _ run: Int64, _ titles: [String], _ ledger: ItemLedger, _ tally: Tally, progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    for number in stride(from: writer, to: items, by: writers) {
                        guard !Task.isCancelled, !tally.isGivenUp else { return }
                        await change(number, phase, run, titles[number % titles.count], ledger, tally)
                        if number % 1_000 == 0 { progress(number) }
                    }
                }
            }
        }
    }

    private func change(
        _ number: Int, _ phase: Phase, _ run: Int64, _ title: String, _ ledger: ItemLedger, _ tally: Tally
    ) async {
        let id = "churn-\(run)-\(number)"
        // Every tenth is hidden by its update; the others move to the next category.
        let category = Self.category(number + phase.rawValue, run)
        let isHidden = phase == .update && number % 10 == 0
        ledger.began(id, category: phase == .remove || isHidden ? nil : category)
        do {
            let answer: Data
            if phase == .remove {
                answer = try await service.send(.delete, "/v1/items/\(id)?wait=true", body: nil, timeout: .seconds(30))
            } else {
                let name = JSONText.quoted("\(title) \(phase.rawValue)")
                let body = "{\"title\":\(name),\"categories\":[\"\(category)\"],\"hidden\":\(isHidden)}"
                answer = try await service.send(.put, "/v1/items/\(id)?wait=true", body: body, timeout: .seconds(30))
            }
            // A change that is not stored in time may come at any later moment: until the next one, both states are right.
            let isStored = try BenchReadiness.isCommitted(answer)
            if isStored { ledger.ended(id) }
            tally.changed(isStored: isStored)
        } catch {
            tally.changed(isStored: false, counts: false)
            tally.failed("\(error)")
        }
    }

    private static func category(_ number: Int, _ run: Int64) -> String { "churn-\(run)-c\(number % categories)" }

    private func ask(_ reader: Int, _ run: Int64, _ ledger: ItemLedger, _ tally: Tally) async {
        var asked = 0
        while !tally.isDone, !Task.isCancelled {
            let user = users[(reader &* 7_919 &+ asked &* 31) % users.count]
            let category = asked % 2 == 0 ? nil : Self.category(asked / 2, run)
            asked += 1
            let began = ledger.now
            let start = ContinuousClock.now
            do {
                var path = "/v1/recommendations?user_id=\(ServiceClient.escaped(user))&n=\(Self.answerItems)"
                if let category { path += "&category=\(ServiceClient.escaped(category))" }
                let answer = try JSONDecoder().decode(ServiceClient.Answer.self, from: try await service.send(.get, path, body: nil))
                let changing = answer.items.map(\.item_id).filter { $0.hasPrefix("churn-\(run)-") }
                let wrong = changing.count { !ledger.mayShow($0, category: category, since: began) }
                let strangers = category == nil ? 0 : answer.items.count - changing.count
                tally.answered(start.duration(to: .now), wrong: wrong + strangers, hasChanging: !changing.isEmpty)
            } catch {
                tally.failed("\(error)")
            }
        }
    }

    /// Anonymous memory of the process in MiB.
    private func memory() -> Double? {
        guard let processID, let status = try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kilobytes = Double(line.split(separator: " ").dropFirst().first ?? "")
        else { return nil }
        return kilobytes / 1_024
    }
}

/// What the readers and writers have seen.
private final class Tally: Sendable {
    private struct Contents {
        var result = ChurnRun.Result()
        var largest: Double?
        var isDone = false
        var unstored = 0
    }

    /// Changes in a row that are not stored: beyond any chance, and few enough that nobody waits for long.
    static let maxUnstored = 200

    private let contents = Mutex(Contents())

    var result: ChurnRun.Result { contents.withLock { $0.result } }
    var largest: Double? { contents.withLock { $0.largest } }
    var isDone: Bool { contents.withLock { $0.isDone } }

    func finish() { contents.withLock { $0.isDone = true } }
    /// Whether so many changes in a row were not stored that the others need not be tried.
    var isGivenUp: Bool { contents.withLock { $0.unstored >= Self.maxUnstored } }

    func changed(isStored: Bool, counts: Bool = true) {
        contents.withLock { contents in
            if counts { contents.result.changes += 1 }
            if contents.unstored < Self.maxUnstored { contents.unstored = isStored ? 0 : contents.unstored + 1 }
        }
    }

    func saw(memory: Double?) {
        guard let memory else { return }
        contents.withLock { $0.largest = max($0.largest ?? 0, memory) }
    }

    func answered(_ duration: Duration, wrong: Int, hasChanging: Bool) {
        contents.withLock { contents in
            contents.result.answers += 1
            contents.result.latency.add(duration)
            contents.result.wrongItems += wrong
            if hasChanging { contents.result.answersWithChangingItems += 1 }
        }
    }

    func failed(_ problem: String) {
        let count = contents.withLock { contents in
            contents.result.failed += 1
            return contents.result.failed
        }
        if count <= 5 { StandardError.write("failed: \(problem)\n") }
    }
}
