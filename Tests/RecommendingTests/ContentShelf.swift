import ContentModel
import Interactions
import Recommending

/// A small catalogue with contents, for tests of items that are known by them alone.
enum ContentShelf {
    private static let subjects = ["tents", "maps", "ropes", "boots"]
    static let trained = 40

    /// Forty trained items of four subjects, of which every user takes those of one. The towers know nothing: all vectors are alike.
    static func snapshot(new: Int = 0, blend: RankingBlend? = nil, dear: String? = nil) -> ServingSnapshot {
        let count = trained + new
        let ids = (0..<count).map { "i\($0)" }
        let contents = (0..<count).map { content($0) }
        var events: [Int32] = [], users: [Range<Int>] = []
        for user in 0..<40 {
            let start = events.count
            for step in 0..<5 { events.append(Int32((user + 4 * step * (user + 1)) % 4 + 4 * ((user / 4 + step) % (trained / 4)))) }
            users.append(start..<events.count)
        }
        let learning = events.withUnsafeBufferPointer {
            ContentLearning(
                itemIDs: Array(ids.prefix(trained)), contents: Array(contents.prefix(trained)), users: users, events: $0, clock: 0,
                rules: ContentRules())
        }
        var channel = learning.channel
        channel.weights = [8, -4, 0, 0, 0, 0, 0, 0]
        let vectors = [Float](repeating: 0.1, count: 2 * count)
        return ServingSnapshot(
            catalogue: ids.map { CatalogueEntry(itemID: $0, priceMicros: $0 == dear ? 1_000_000_000 : 1_000_000) }, catalogueVersion: 1,
            model: meanModel(2), itemVectors: vectors, blend: blend
        ).withContent(
            ContentSignals(
                channel: channel,
                entries: zip(ids, contents).enumerated().map {
                    ContentSignals.Entry(itemID: $1.0, content: $1.1, isTrained: $0 < trained)
                }, itemVectors: vectors, dimension: 2))
    }

    static func content(_ item: Int) -> ItemContent {
        let subject = subjects[item % 4]
        return ItemContent(tags: [subject, "\(subject)-\(item / 4 % 3)", "any\(item % 7)"])
    }
}
