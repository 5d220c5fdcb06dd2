import Console
import Interactions

/// Measures the time from a new item's record to the first answer that has it, for a user who would like it, against a running
/// service under load.
///
/// The new item has the content of one that the user's answer shows. The user's next answers are asked for until the new item is
/// among them; then it is deleted, and must be gone from the next answer.
public struct FreshItemsRun: Sendable {
    let service: ServiceClient
    /// Users with some history.
    let users: [String]
    let newItems: Int
    /// Length of the answers in which the new item is looked for.
    let depth: Int
    let load: BenchLoad

    /// Makes the workload.
    ///
    /// - Parameters:
    ///   - users: with some history.
    ///   - depth: length of the answers in which a new item is looked for.
    public init(service: ServiceClient, users: [String], newItems: Int, depth: Int, load: BenchLoad) {
        self.service = service
        self.users = users
        self.newItems = newItems
        self.depth = depth
        self.load = load
    }

    /// What was seen.
    public struct Result: Sendable {
        /// From sending an item's record until an answer with the item has arrived.
        package var items = ProbeTally()
        /// Places at which new items stood first, from 1.
        package var places: [Int] = []
        /// Items that were in an answer after their deletion was stored.
        package var afterDeletion = 0
        /// Items of which a request had no answer in time; they are in none of the other figures.
        package var failed = 0
        /// What the load beside it did.
        package var load = BenchLoad.Result()

        /// Nothing yet.
        package init() {}

        /// The middle one of ``places``, the later one of two; 0 without any.
        package var medianPlace: Int { places.sorted().dropFirst(places.count / 2).first ?? 0 }

        /// For printing.
        ///
        /// - Parameter asked: items that were to be sent.
        public func line(items asked: Int) -> ResultLine {
            var line = ResultLine([
                "bench": .text("fresh-items"), "items": .integer(asked), "appeared": .integer(items.shown.count),
                "unseen": .integer(items.unseen), "failed": .integer(failed),
            ])
            line.add(items.shown)
            line.add("median_place", .integer(medianPlace))
            line.add("after_deletion", .integer(afterDeletion))
            line.add(load)
            return line
        }
    }

    private static let limit = Duration.seconds(5)
    /// Users in a row without any taste: nobody can be expected to have one.
    private static let maxTastelessUsers = 1_000
    private static let between = Duration.milliseconds(5)

    /// Measures.
    ///
    /// - Parameter progress: told of how many items are done.
    /// - Throws: `CommandFailure` that says what the service lacks; the failures of requests.
    public func run(progress: @Sendable (Int) -> Void = { _ in }) async throws -> Result {
        try await BenchReadiness(service: service, userID: users[0]).check([.model, .ingest])
        var result = Result()
        (result, result.load) = try await load.beside { try await add(progress) }
        return result
    }

    private func add(_ progress: @Sendable (Int) -> Void) async throws -> Result {
        var result = Result()
        let run = EventTime.now.milliseconds
        var asked = 0, number = 0, tasteless = 0
        // A user who gets what is popular has shown no taste that a new item could meet; so many in a row mean that nobody has.
        while number < newItems, asked < users.count * (number + 1) {
            let user = users[asked % users.count]
            asked += 1
            do {
                let list = try await service.recommendations(userID: user, count: 10).items
                guard let liked = list.first(where: { $0.reason != "trending" }),
                    let record = try await service.contentOfItem(liked.item_id)
                else {
                    tasteless += 1
                    if tasteless < Self.maxTastelessUsers { continue }
                    throw CommandFailure(
                        "\(tasteless) users in a row are shown what is popular and nothing by their taste: name users with a history "
                            + "with --users")
                }
                number += 1
                tasteless = 0
                let found = try await look(for: "fresh-\(run)-\(number)", record, user, &result)
                try result.items.note(
                    found, "new items were in no answer within \(Self.limit): is freshet ingest still running?")
            } catch let failure as CommandFailure {
                throw failure
            } catch let cancelled as CancellationError {
                throw cancelled
            } catch {
                result.failed += 1
                StandardError.write("item \(number): \(error)\n")
                // A service that answers nothing is not measured by asking it for ever.
                if result.failed > 10 + newItems / 10 { throw error }
            }
            progress(number)
        }
        return result
    }

    /// Sends an item, waits for it, and deletes it again. How long it took; nil where no answer had it in time.
    private func look(for id: String, _ record: String, _ user: String, _ result: inout Result) async throws -> Duration? {
        let probe = AnswerProbe(service: service, limit: Self.limit, pause: Self.between)
        let found = try await probe.answer(
            userID: user, count: depth, after: { _ = try await service.send(.put, "/v1/items/\(id)", body: record) }
        ) { $0.items.contains { $0.item_id == id } }
        _ = try await service.send(.delete, "/v1/items/\(id)?wait=true", body: nil)
        if try await service.recommendations(userID: user, count: depth).items.contains(where: { $0.item_id == id }) {
            result.afterDeletion += 1
        }
        guard let found, let place = found.answer.items.firstIndex(where: { $0.item_id == id }) else { return nil }
        result.places.append(place + 1)
        return found.took
    }
}
