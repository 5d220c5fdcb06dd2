import ContentModel
import Tensors
import Testing

/// Items whose tags tell how often they are taken: `award` four times as often as `plain`, `dull` a quarter of it.
private struct Shelf {
    static let known = 240, start: Int64 = 1_700_000_000_000, day: Int64 = 86_400_000
    static let takes = ["award": 32, "plain": 8, "dull": 2]
    private static let qualities = ["award", "plain", "dull"]
    var contents: [ItemContent] = [], counts: [Int] = []

    /// - Parameters:
    ///   - newest: how often the newest fifth is taken, in what tags tell; nil leaves dates out.
    ///   - new: the quality of each item that nobody took.
    init(newest: Double? = nil, new: [String] = []) {
        var random = SeededGenerator(seed: 3, stream: 5)
        for item in 0..<Self.known + new.count {
            let isNew = item >= Self.known, quality = isNew ? new[item - Self.known] : Self.qualities[item % 3]
            let isNewest = !isNew && item >= Self.known * 4 / 5
            contents.append(
                ItemContent(
                    tags: [quality] + (0..<3).map { _ in "any\(random.next(below: 40))" },
                    publishedAt: newest == nil ? nil : Self.start - Int64(400 - item) * Self.day))
            counts.append(isNew ? 0 : Int((Double(Self.takes[quality] ?? 0) * (isNewest ? newest ?? 1 : 1)).rounded()))
        }
    }

    var itemIDs: [String] { contents.indices.map { "i\($0)" } }

    var learning: ContentLearning {
        let takings = counts.indices.flatMap { [Int32](repeating: Int32($0), count: counts[$0]) }
        let users = stride(from: 0, to: takings.count, by: 10).map { $0..<min($0 + 10, takings.count) }
        return takings.withUnsafeBufferPointer {
            ContentLearning(
                itemIDs: itemIDs, contents: contents, users: users, events: $0, clock: Self.start + 100 * Self.day, rules: ContentRules())
        }
    }

    func share(_ reception: NewItemShare.Reception = .unknown, untaken: [Bool]? = nil) -> NewItemShare? {
        NewItemShare(
            learning, itemIDs: itemIDs, contents: contents, counts: counts, start: Self.start,
            untaken: untaken ?? contents.map { _ in false }, reception: reception,
            questions: [NewItemShare.Question(items: [1, 2], types: [1, 3], ages: [60, 0], excluded: [7])])
    }

    /// What each new item is worth.
    func worth(_ reception: NewItemShare.Reception = .unknown) -> [Float] {
        var channel = learning.channel
        channel.share = share(reception)
        return contents[Self.known...].map { channel.item($0, own: channel.vector(of: $0, id: "new"), linked: []).worth }
    }

    static let mean = Double(32 + 8 + 2) / 3
}

struct NewItemShareTests {
    @Test("what new items are worth is what such items are taken, in the mean of all")
    func worth() {
        let worth = Shelf(new: ["award", "award", "plain", "dull"]).worth().map(Double.init)
        #expect(0.8...1.25 ~= (worth[0] + worth[1]) / 2 / (32 / Shelf.mean), "\(worth)")
        #expect(0.7...1.4 ~= worth[2] / (8 / Shelf.mean), "\(worth)")
        #expect(worth[3] > 0 && worth[3] < worth[2] / 2, "\(worth)")
    }

    @Test("a share is worth over all worth; without new items there is none, without known ones it is all")
    func share() {
        #expect(NewItemShare.share(worth: 50, known: 150) == 0.25 && NewItemShare.share(worth: 0, known: 5) == 0)
        #expect(NewItemShare.share(worth: 3, known: 0) == 1 && NewItemShare.share(worth: .nan, known: 3) == 0)
    }

    @Test("the newest of the known say how far to trust; what is better than its tags counts only where it was seen to be taken")
    func surprise() throws {
        let plain = Shelf(newest: 1, new: ["plain"]), better = Shelf(newest: 3, new: ["plain"]), worse = Shelf(newest: 0.25, new: ["plain"])
        let found = try [plain, better, worse].map { try #require($0.share()?.surprise) }
        #expect(0.7...1.4 ~= found[0] && found[1] > 1.8 && found[2] < 0.6, "\(found)")
        let fair = better.worth(.fair)[0], unknown = better.worth(.unknown)[0], poor = better.worth(.poor)[0]
        #expect(fair > unknown && unknown == poor)
        #expect(abs(worse.worth(.fair)[0] / worse.worth()[0] - 1) < 1e-6, "less is always believed")
        // Without dates nobody tells the newest.
        #expect(Shelf(new: ["plain"]).share()?.surprise == 1)
    }

    @Test("an item that came yesterday is worth what it would be if it had always been there")
    func settled() {
        var shelf = Shelf(newest: 1, new: ["plain", "plain"])
        shelf.contents[Shelf.known].publishedAt = Shelf.start
        shelf.contents[Shelf.known + 1].publishedAt = Shelf.start + 99 * Shelf.day
        shelf.contents[Shelf.known + 1].tags = shelf.contents[Shelf.known].tags
        let worth = shelf.worth()
        #expect(worth[0] == worth[1])
    }

    @Test("too few items say nothing; untaken ones are known by their ids")
    func untaken() throws {
        var few = Shelf()
        few.counts = few.counts.enumerated().map { $0.offset < 10 ? $0.element : 0 }
        #expect(few.share() == nil)
        let shelf = Shelf(), share = try #require(shelf.share(untaken: shelf.contents.indices.map { $0 % 5 == 0 }))
        for item in shelf.contents.indices { #expect(share.isUntaken("i\(item)") == (item % 5 == 0)) }
        #expect(!share.isUntaken("another"))
    }

    @Test("a channel with a share is read as it was written, one without has none, and damage is named")
    func files() throws {
        let shelf = Shelf(newest: 1)
        var channel = shelf.learning.channel
        #expect(try ContentChannel(encoded: channel.encoded()).share == nil)
        channel.share = shelf.share(.poor, untaken: shelf.contents.indices.map { $0 > 230 })
        let part = channel.encoded(), read = try ContentChannel(encoded: part)
        #expect(read.share == channel.share && read.encoded() == part)
        func damaged(_ name: String, _ values: PartTensors.Values?) -> Bool {
            let tensors = part.tensors.compactMap { tensor in
                tensor.name != "share." + name
                    ? tensor : values.map { PartTensors.Tensor(name: tensor.name, shape: [$0.count], values: $0) }
            }
            do {
                _ = try ContentChannel(encoded: PartTensors(tensors: tensors, texts: part.texts))
                return false
            } catch {
                return error.description.contains("the share of new items")
            }
        }
        #expect(damaged("numbers", nil) && damaged("numbers", .float32([1, 2, .nan])) && damaged("numbers", .float32([1, -2, 1])))
        #expect(damaged("numbers", .float32([1, 2, 0])) && damaged("reception", .int64([3])) && damaged("untaken", .uint64([5, 4])))
        #expect(damaged("questions.lengths", .int32([3])) && damaged("questions.lengths", .int32([-1])))
        #expect(damaged("questions.items", .int32([-1, 2])) && damaged("questions.types", .int32([300, 1])))
        #expect(damaged("questions.ages", .int32([1])) && damaged("questions.excluded_lengths", .int32([9])))
    }
}

struct UntakenItemsTests {
    private static let day: Int64 = 86_400_000

    /// Whether an item that nobody took had its time, among twenty that were taken five times each in a hundred days.
    private func isUntaken(published: Int64? = nil, arrival: Int64? = nil, takes: Int = 5, days: Int64 = 100, others: Int = 0) -> Bool {
        let contents = (0..<20 + others).map { _ in ItemContent() } + [ItemContent(publishedAt: published.map { $0 * Self.day })]
        let counts = [Int](repeating: takes, count: 20) + [Int](repeating: 0, count: others + 1)
        var arrivals = [Int64?](repeating: nil, count: counts.count)
        arrivals[counts.count - 1] = arrival.map { $0 * Self.day }
        let found = UntakenItems.among(contents: contents, counts: counts, arrivals: arrivals, start: 0, clock: days * Self.day)
        return found[counts.count - 1]
    }

    @Test("what was there all along and was never taken is not new; what came lately is")
    func time() {
        #expect(isUntaken())
        #expect(!isUntaken(arrival: 90) && !isUntaken(published: 90) && !isUntaken(published: 200))
        // Four fifths of the log are the time in which most items are taken four times.
        #expect(isUntaken(arrival: 10) && isUntaken(published: 10) && !isUntaken(published: 30))
        #expect(isUntaken(published: -5_000) && !isUntaken(published: -5_000, arrival: 95), "old, and new to the shop")
        // What is taken often is found soon, and gets four weeks all the same.
        #expect(!isUntaken(arrival: 80, takes: 500) && isUntaken(arrival: 70, takes: 500))
    }

    @Test("a log that says too little says it of nobody that came after its beginning")
    func evidence() {
        // Fewer interactions than items: what was there all along would be the whole catalogue.
        #expect(isUntaken(others: 200) && isUntaken(published: -10, others: 200))
        #expect(!isUntaken(arrival: 10, others: 200) && !isUntaken(published: 1, others: 200))
        #expect(!isUntaken(takes: 0) && !isUntaken(days: 0))
        #expect(isUntaken(days: 3), "a young shop's log is all the time that there was")
        #expect(UntakenItems.among(contents: [], counts: [], arrivals: [], start: 0, clock: 1).isEmpty)
        let odd = UntakenItems.among(
            contents: [ItemContent(publishedAt: .max), ItemContent(publishedAt: .min), ItemContent()], counts: [0, 0, 9], arrivals: [],
            start: .min, clock: .max)
        #expect(odd == [false, true, false])
    }
}
