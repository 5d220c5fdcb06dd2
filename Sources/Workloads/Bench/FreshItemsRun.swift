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
        /// From sending the record until an answer with the item has arrived.
        public internal(set) var appeared = LatencySample()
        /// Items that were in no answer within the limit.
        public internal(set) var unseen = 0
        /// Places at which new items stood first, from 1.
        public internal(set) var places: [Int] = []
        /// Items that were in an answer after their deletion was stored.
        public internal(set) var afterDeletion = 0
        /// Items of which a request had no answer in time; they are in none of the other figures.
        public internal(set) var failed = 0
        /// What the load beside it did.
        public internal(set) var load = BenchLoad.Result()
    }

    private static let limit = Duration.seconds(5)
    /// Users in a row without any taste: nobody can be expected to have one.
    private static let maxTastelessUsers = 1_000
    private static let between = Duration.milliseconds(5)

    /// Measures.
    ///
    /// - Parameter progress: told of how many are done.
    /// - Throws: `CommandFailure` that says what the service lacks; the failures of requests.
    public func run(progress: @Sendable (Int) -> Void = { _ in }) async throws -> Result {
        try await BenchReadiness(service: service, userID: users[0]).check([.model, .ingest])
        var result = Result()
        (result, result.load) = try await load.beside { try await probe(progress) }
        return result
    }

    private func probe(_ progress: @Sendable (Int) -> Void) async throws -> Result {
        var result = Result()
        let run = EventTime.now.milliseconds
        var asked = 0, number = 0, tasteless = 0
        var waits = VainWaits()
        // A user who gets what is popular has shown no taste that a new item could meet; so many in a row mean that nobody has.
        while number < newItems, asked < users.count * (number + 1) {
            let user = users[asked % users.count]
            asked += 1
            do {
                guard let liked = try await service.recommendations(userID: user, count: 1).items.first, liked.reason != "trending",
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
                let unseen = result.unseen
                try await probe("fresh-\(run)-\(number)", record, user, &result)
                try waits.note(
                    vain: result.unseen > unseen,
                    "new items were in no answer within \(Self.limit): is freshet ingest still running?")
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

    private func probe(_ id: String, _ record: String, _ user: String, _ result: inout Result) async throws {
        let start = ContinuousClock.now
        _ = try await service.send(.put, "/v1/items/\(id)", body: record)
        let found = try await service.recommendations(userID: user, count: depth, since: start, within: Self.limit, pause: Self.between) {
            $0.items.contains { $0.item_id == id }
        }
        _ = try await service.send(.delete, "/v1/items/\(id)?wait=true", body: nil)
        if try await service.recommendations(userID: user, count: depth).items.contains(where: { $0.item_id == id }) {
            result.afterDeletion += 1
        }
        if let found, let place = found.answer.items.firstIndex(where: { $0.item_id == id }) {
            result.appeared.add(found.took)
            result.places.append(place + 1)
        } else {
            result.unseen += 1
        }
    }
}
