import ContentModel
import Tensors
import Testing

/// Short vectors whose inner product stands for a channel's score.
@Suite struct ContentProjectionTests {
    private static let towers = 4

    private struct Shelf {
        var channel: ContentChannel
        var sources: [ContentProjection.Source] = []
        var items: [ContentChannel.Item] = [], towers: [[Float]] = [], users: [(profile: ContentChannel.Profile?, vector: [Float])] = []

        init(seed: UInt64, items count: Int = 200) {
            var random = SeededGenerator(seed: seed, stream: 1)
            let contents = (0..<count).map { item in
                ItemContent(
                    tags: (0..<4).map { _ in "s\(item % 6)-\(random.next(below: 8))" }
                        + (0..<3).map { _ in "any\(random.next(below: 20))" })
            }
            var events: [Int32] = [], rows: [Range<Int>] = []
            for user in 0..<120 {
                let start = events.count
                for _ in 0..<6 { events.append(Int32(random.next(below: count / 6) * 6 + user % 6)) }
                rows.append(start..<events.count)
            }
            let learning = events.withUnsafeBufferPointer {
                ContentLearning(
                    itemIDs: (0..<count).map { "i\($0)" }, contents: contents, users: rows, events: $0, clock: 0, rules: ContentRules())
            }
            channel = learning.channel
            channel.weights = [8, -3, 1.5, 0.7, 0.2, -4, 5, 0.6]
            items = learning.items
            towers = items.map { _ in (0..<ContentProjectionTests.towers).map { _ in random.normal() } }
            sources = zip(items, towers).map { ContentProjection.Source(item: $0, tower: $1) }
            for user in rows.prefix(30) {
                let history = user.map { learning.vectors[Int(events[$0])] }
                users.append(
                    (
                        channel.profile(history, taste: items[Int(events[user.lowerBound])].direction),
                        (0..<ContentProjectionTests.towers).map { _ in 3 * random.normal() }
                    ))
            }
            users.append((nil, [Float](repeating: 0.5, count: ContentProjectionTests.towers)))
        }

        func exact(_ item: Int, _ user: Int) -> Float {
            let tower = zip(towers[item], users[user].vector).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            return channel.score(items[item], profile: users[user].profile, tower: tower, level: 0.3)
        }

        func projected(_ projection: ContentProjection) -> [[Float]] {
            items.indices.map { item in
                [Float](unsafeUninitializedCapacity: projection.dimension) { buffer, count in
                    if let start = buffer.baseAddress {
                        towers[item].withUnsafeBufferPointer { projection.write(items[item], tower: $0, into: start) }
                    }
                    count = projection.dimension
                }
            }
        }
    }

    private static func product(_ left: [Float], _ right: [Float]) -> Float { zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } }

    /// With room for every component nothing is lost: products and scores differ by what is the same for all items.
    @Test func withEnoughComponentsAProductIsTheScore() {
        let shelf = Shelf(seed: 5)
        let projection = ContentProjection(
            shelf.channel, sample: shelf.sources, towerDimension: Self.towers, userLength: 6, dimension: 128)
        #expect(shelf.channel.tokenCount + (shelf.channel.space?.dimension ?? 0) + Self.towers + 2 <= 128, "the test wants room")
        let vectors = shelf.projected(projection)
        for user in shelf.users.indices {
            let query = projection.query(shelf.users[user].profile, user: shelf.users[user].vector)
            let base = shelf.exact(0, user) - Self.product(vectors[0], query)
            for item in shelf.items.indices {
                let far = shelf.exact(item, user) - Self.product(vectors[item], query) - base
                #expect(abs(far) < 2e-3 * max(1, abs(shelf.exact(item, user))), "item \(item), user \(user)")
            }
        }
    }

    @Test func fewComponentsFindWhatFits() {
        let shelf = Shelf(seed: 8)
        let projection = ContentProjection(
            shelf.channel, sample: shelf.sources, towerDimension: Self.towers, userLength: 6, dimension: 32)
        let vectors = shelf.projected(projection)
        var found = 0, wanted = 0, plain = 0
        for user in shelf.users.indices where shelf.users[user].profile != nil {
            let query = projection.query(shelf.users[user].profile, user: shelf.users[user].vector)
            func best(_ count: Int, _ score: (Int) -> Float) -> Set<Int> {
                Set(shelf.items.indices.sorted { score($0) > score($1) }.prefix(count))
            }
            let truth = best(10) { shelf.exact($0, user) }
            wanted += 10
            found += truth.intersection(best(40) { Self.product(vectors[$0], query) }).count
            plain += truth.intersection(0..<40).count
        }
        #expect(Double(found) > 0.9 * Double(wanted) && plain < wanted / 3, "\(found) of \(wanted), by chance \(plain)")
    }

    @Test func theNumberOfThreadsChangesNothing() {
        let shelf = Shelf(seed: 9)
        func vectors(_ threads: Int) -> [[Float]] {
            shelf.projected(
                ContentProjection(shelf.channel, sample: shelf.sources, towerDimension: Self.towers, dimension: 64, threads: threads))
        }
        #expect(vectors(1) == vectors(3))
    }

    /// A sample of nothing, items of no known word, users of whom nothing is known: numbers all the same.
    @Test func emptyInputsGiveNumbers() {
        let shelf = Shelf(seed: 10)
        let nothing = ContentProjection(shelf.channel, sample: [], towerDimension: Self.towers, dimension: 32)
        let projection = ContentProjection(shelf.channel, sample: shelf.sources, towerDimension: Self.towers, dimension: 32)
        let bare = shelf.channel.item(ItemContent(), own: SparseContent(), linked: [])
        for own in [nothing, projection] {
            var vector = [Float](repeating: .nan, count: 32)
            vector.withUnsafeMutableBufferPointer {
                own.write(bare, tower: UnsafeBufferPointer(start: nil, count: 0), into: $0.baseAddress!)
            }
            #expect(vector.allSatisfy { $0.isFinite })
            #expect(own.query(nil).allSatisfy { $0.isFinite })
        }
    }
}
