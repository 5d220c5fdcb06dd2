import Console
import ContentModel
import Features
import Interactions
import Recommending
import Simulation
import VectorIndex

/// What a list costs where many items are new, and what the index of their contents finds: one process, no server, no database.
///
/// A made catalogue: items of ``clusters`` subjects with twelve tags each, eight of their subject's and four of everybody's, of which
/// the common ones are common; users who took items of three subjects.
package struct NewItemsBench {
    private static let trainedItems = 20_000, users = 2_000, eventsPerUser = 20, clusters = 200
    private static let ownWords = 60, sharedWords = 20_000, dimension = 64
    private static let asked = 4000, measured = 50, listItems = 20

    /// Numbers of new items, one after the other.
    let sizes: [Int]
    let threads: Int

    /// Makes the workload.
    package init(sizes: [Int], threads: Int) {
        (self.sizes, self.threads) = (sizes, threads)
    }

    /// Measures.
    ///
    /// - Parameter each: told the figures of each size.
    /// - Throws: `VectorIndexError`.
    package func run(_ each: (ResultLine) -> Void) throws {
        let most = sizes.max() ?? 0
        let contents = (0..<Self.trainedItems + most).map(Self.content)
        let histories = (0..<Self.users).map(Self.history)
        let learning = learned(contents, histories)
        for size in sizes { each(try measure(size, contents, learning, histories)) }
    }

    private func measure(
        _ size: Int, _ contents: [ItemContent], _ channel: ContentChannel, _ histories: [[Int]]
    ) throws -> ResultLine {
        let count = Self.trainedItems + size, clock = ContinuousClock.now
        let ids = (0..<count).map { "i\($0)" }, vectors = (0..<count).flatMap(Self.vector)
        let index = try ItemIndex.build(vectors: vectors, dimension: Self.dimension, threads: threads)
        let signals = ContentSignals(
            channel: channel,
            entries: (0..<count).map {
                ContentSignals.Entry(itemID: ids[$0], content: contents[$0], isTrained: $0 < Self.trainedItems)
            }, itemVectors: vectors, dimension: Self.dimension, threads: threads)
        let bare = ServingSnapshot(
            catalogue: ids.enumerated().map { CatalogueEntry(itemID: $1, categories: ["c\($0 % Self.clusters)"]) }, catalogueVersion: 1,
            model: Self.model, itemVectors: vectors, index: index, untrained: (Self.trainedItems..<count).map { Int32($0) }
        ).withContent(signals).sharing((0..<Int32(Self.trainedItems)).map { $0 }).exploring([], clickRate: 0.05, rules: ExplorationRules())
        let built = clock.duration(to: .now).inSeconds, indexing = ContinuousClock.now
        let indexed = try bare.indexingNewItems(threads: threads) { try ItemIndex.build($0, threads: threads) }
        let took = indexing.duration(to: .now).inSeconds
        let others = (0..<Self.measured).map { Self.user(Self.history(Self.users + $0)) }
        let before = times(bare), after = times(indexed)
        var line = ResultLine([
            "bench": .text("new-items"), "new_items": .integer(size), "built_s": .number(built), "index_s": .number(took),
            "one_by_one_p50_us": .number(1_000 * before.percentile(50)), "one_by_one_p99_us": .number(1_000 * before.percentile(99)),
            "p50_us": .number(1_000 * after.percentile(50)), "p99_us": .number(1_000 * after.percentile(99)),
        ])
        if size > 0 {
            let similar = similarTimes(indexed, size)
            line.add("similar_p50_us", .number(1_000 * similar.percentile(50)))
            line.add("similar_p99_us", .number(1_000 * similar.percentile(99)))
            line.add("similar_recall", .number(indexed.similarContentsFound(for: Self.newItems(Self.measured, of: size))))
        }
        if let found = indexed.contentIndex {
            line.add("components", .integer(found.dimension))
            line.add("taken_per_wanted", .number(found.depth))
            line.add("recall", .number(indexed.newItemsFound(for: others, threads: threads)))
            line.add("recall_one_by_one", .number(bare.newItemsFound(for: others, threads: threads)))
        }
        return line
    }

    private func times(_ snapshot: ServingSnapshot) -> LatencySample {
        var sample = LatencySample()
        for user in 0..<Self.asked {
            let history = Self.user(Self.history(user)), start = ContinuousClock.now
            let answer = recommend(
                RecommendationQuery(count: Self.listItems), history: history, excluded: [], attributes: nil, snapshot: snapshot,
                now: Self.now, requestID: "r\(user)")
            // The first answers find what they read in no cache.
            if user >= Self.asked / 4, !answer.items.isEmpty { sample.add(start.duration(to: .now)) }
        }
        return sample
    }

    /// Ids of new items, spread over them.
    private static func newItems(_ count: Int, of size: Int) -> [String] {
        (0..<min(count, size)).map { "i\(trainedItems + $0 * size / min(count, size))" }
    }

    private func similarTimes(_ snapshot: ServingSnapshot, _ size: Int) -> LatencySample {
        var sample = LatencySample()
        for itemID in Self.newItems(Self.asked / 4, of: size) {
            let start = ContinuousClock.now
            let answer = similar(to: itemID, count: Self.listItems, snapshot: snapshot, requestID: "r")
            if answer != nil { sample.add(start.duration(to: .now)) }
        }
        return sample
    }

    private func learned(_ contents: [ItemContent], _ histories: [[Int]]) -> ContentChannel {
        var events: [Int32] = [], users: [Range<Int>] = [], counts = [Int](repeating: 0, count: Self.trainedItems)
        for history in histories {
            users.append(events.count..<events.count + history.count)
            for item in history {
                events.append(Int32(item))
                counts[item] += 1
            }
        }
        let ids = (0..<Self.trainedItems).map { "i\($0)" }, known = Array(contents.prefix(Self.trainedItems))
        let learning = events.withUnsafeBufferPointer {
            ContentLearning(itemIDs: ids, contents: known, users: users, events: $0, clock: 0, rules: ContentRules(), threads: threads)
        }
        var channel = learning.channel
        let questions = histories.prefix(NewItemShare.questionsLimit).map { history in
            NewItemShare.Question(
                items: history.map { Int32($0) }, types: history.map { _ in InteractionType.click.rawValue },
                ages: history.indices.map { Int32(history.count - $0) }, excluded: [])
        }
        channel.share = NewItemShare(
            learning, itemIDs: ids, contents: known, counts: counts, start: 0,
            untaken: [Bool](repeating: false, count: ids.count), questions: questions)
        return channel
    }

    private static let now = EventTime(milliseconds: 10_000_000)

    private static let model = ServingModel(version: 1, dimension: dimension, historyLimitItems: 50, temperature: 0.1) { input, _ in
        guard !input.rows.isEmpty else { return nil }
        var mean = [Float](repeating: 0, count: dimension)
        for (place, value) in input.vectors.enumerated() { mean[place % dimension] += value / Float(input.rows.count) }
        return mean
    }

    private static func content(_ item: Int) -> ItemContent {
        var random = SplitMix64(seed: 77 &+ UInt64(item) &* 1_000_003)
        // Of a shelf of words the first are the common ones.
        func word(_ count: Int) -> Int {
            let draw = Double(random.next() >> 11) / Double(1 << 53)
            return min(count - 1, Int(Double(count) * draw * draw * draw))
        }
        let cluster = item % clusters
        return ItemContent(
            tags: (0..<8).map { _ in "s\(cluster)-\(word(ownWords))" } + (0..<4).map { _ in "w\(word(sharedWords))" })
    }

    private static func vector(_ item: Int) -> [Float] {
        var centre = SplitMix64(seed: UInt64(item % clusters)), own = SplitMix64(seed: 99 &+ UInt64(item) &* 7_919)
        let values = (0..<dimension).map { _ in
            Float.random(in: -1...1, using: &centre) + Float.random(in: -0.7...0.7, using: &own)
        }
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { $0 / length }
    }

    private static func history(_ user: Int) -> [Int] {
        var random = SplitMix64(seed: 5 &+ UInt64(user) &* 104_729)
        let tastes = (0..<3).map { _ in Int(random.next() % UInt64(clusters)) }
        return (0..<eventsPerUser).map { place in
            tastes[place % 3] + clusters * Int(random.next() % UInt64(trainedItems / clusters))
        }
    }

    private static func user(_ items: [Int]) -> UserHistory {
        var history = UserHistory(limit: 200)
        for (place, item) in items.enumerated() {
            history.insert(
                HistoryEntry(
                    itemID: "i\(item)", type: .click, time: EventTime(milliseconds: Int64(1_000 + place)),
                    position: Position(partition: 0, offset: Int64(place))))
        }
        return history
    }
}
