import Console
import Interactions

/// Measures the time from a new category's last support event to the first answer that was computed with its adapter, against a
/// running service beside which `freshet adapt --watch` runs.
///
/// The category's items have the contents of items that users are shown, under a category that nobody knew.
public struct NewCategoriesRun: Sendable {
    let service: ServiceClient
    let users: [String]
    let categories: Int
    let itemsPerCategory: Int
    /// Events that an adaptation begins with.
    let support: Int

    /// Makes the workload.
    ///
    /// - Parameter support: events that an adaptation begins with.
    public init(service: ServiceClient, users: [String], categories: Int, itemsPerCategory: Int, support: Int) {
        self.service = service
        self.users = users
        self.categories = categories
        self.itemsPerCategory = itemsPerCategory
        self.support = support
    }

    /// What was seen.
    public struct Result: Sendable {
        /// From sending the last support event until an answer with an adapted item has arrived.
        package var categories = ProbeTally()

        /// For printing.
        ///
        /// - Parameter asked: categories that were to be made.
        public func line(categories asked: Int) -> ResultLine {
            var line = ResultLine([
                "bench": .text("adapt"), "categories": .integer(asked), "adapted": .integer(categories.shown.count),
                "unadapted": .integer(categories.unseen),
            ])
            line.add(categories.shown)
            return line
        }
    }

    private static let limit = Duration.seconds(20)

    /// Measures.
    ///
    /// - Parameter progress: told of how many categories are done.
    /// - Throws: `CommandFailure` that says what the service lacks; the failures of requests.
    public func run(progress: @Sendable (Int) -> Void = { _ in }) async throws -> Result {
        try await BenchReadiness(service: service, userID: users[0]).check([.model, .ingest])
        var result = Result()
        let probe = AnswerProbe(service: service, limit: Self.limit, pause: .milliseconds(5))
        let run = EventTime.now.milliseconds
        let contents = try await shownItems()
        guard contents.count >= itemsPerCategory else {
            throw CommandFailure(
                "users are shown \(contents.count) items by their taste, and \(itemsPerCategory) are needed: name more users, or train")
        }
        for number in 0..<categories {
            let category = "bench-\(run)-\(number)"
            var ids: [String] = []
            for place in 0..<itemsPerCategory {
                let content = contents[(number &* 7 &+ place) % contents.count]
                guard let record = try await service.contentOfItem(content, categories: [category]) else { continue }
                ids.append("\(category)-\(place)")
                _ = try await service.send(.put, "/v1/items/\(ids[ids.count - 1])?wait=true", body: record)
            }
            let events = ids.prefix(support).enumerated().map { place, id in
                BenchLoad.click(
                    user: users[(number &* 13 &+ place) % users.count], item: id, request: nil, id: "\(category)-event-\(place)")
            }
            if support > 1 { _ = try await service.post(events: Array(events.dropLast())) }
            // The four have time to be seen, and found too few.
            try await Task.sleep(for: .milliseconds(600))
            let asker = users[(number &* 13 &+ support) % users.count]
            let adapted = try await probe.answer(
                userID: asker, count: 10, category: category, after: { _ = try await service.post(events: Array(events.suffix(1))) }
            ) { $0.items.contains { $0.reason == "adapted" } }
            for id in ids { _ = try await service.send(.delete, "/v1/items/\(id)", body: nil) }
            // The first tells enough: an adaptation takes a second, and each wait twenty.
            guard adapted != nil || result.categories.shown.count > 0 else {
                throw CommandFailure(
                    "no answer for a new category was adapted within \(Self.limit): start freshet adapt --watch, and give --support what "
                        + "adaptation.support says")
            }
            try result.categories.note(
                adapted?.took, "categories were not adapted within \(Self.limit): is freshet adapt --watch still running?")
            progress(number + 1)
        }
        return result
    }

    /// Items that the users are shown by their taste, each once.
    private func shownItems() async throws -> [String] {
        var ids: [String] = [], known: Set<String> = []
        for user in users.prefix(50) {
            for item in try await service.recommendations(userID: user, count: 10).items
            where item.reason != "trending" && known.insert(item.item_id).inserted {
                ids.append(item.item_id)
            }
        }
        return ids
    }
}
