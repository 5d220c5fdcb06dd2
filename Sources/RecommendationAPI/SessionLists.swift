import Interactions

/// Items like several others at once: what a session or a cart asks for where no history is stored.
struct SessionLists {
    /// How many of the items are looked at.
    static let itemsLimit = 10

    /// An item with its score.
    struct Scored: Equatable {
        var id: String
        var score: Double
    }

    let exchange: Exchange
    /// The categories that each item must have.
    var categories: [String] = []

    /// The best items, by their places in the lists of each; earlier items count for more.
    ///
    /// - Parameter items: the newest first; none of them is in the answer.
    func best(like items: [String], count: Int) async throws -> [Scored] {
        let gone = Set(items), bounds = exchange.service.configuration
        var sums: [String: Double] = [:], seen: Set<String> = []
        let count = min(bounds.maxRecommendations, count + gone.count)
        guard count > 0 else { return [] }
        for (age, item) in items.filter({ seen.insert($0).inserted }).prefix(Self.itemsLimit).enumerated() {
            guard (try? bounds.id(item, "item_id")) != nil else { continue }
            let list = try await like(item, exclude: gone, count: count) ?? []
            for (place, one) in list.enumerated() { sums[one.id, default: 0] += 1 / Double((place + 1) * (age + 1)) }
        }
        return sums.map { Scored(id: $0.key, score: $0.value) }.sorted { ($1.score, $0.id) < ($0.score, $1.id) }
    }

    /// Items like one; nil where there is no such item.
    func like(_ item: String, exclude: Set<String>, count: Int) async throws -> [Scored]? {
        let core = exchange.service
        let request = SimilarItemsRequest(
            requestID: exchange.requestID, itemID: item,
            count: categories.count > 1 ? core.configuration.maxRecommendations : count, category: categories.first,
            excludedItemIDs: exclude.sorted(), includeDetails: categories.count > 1)
        do {
            let list = try await core.operations.similar(request)
            return list.items.filter { entry in
                categories.dropFirst().allSatisfy { entry.details?.categories.contains($0) == true }
            }.map { Scored(id: $0.itemID, score: Double($0.score)) }
        } catch let error as ServiceError where error.code == .notFound {
            return nil
        }
    }
}
