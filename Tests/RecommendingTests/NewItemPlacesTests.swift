import ContentModel
import Interactions
import Recommending
import Tensors
import Testing

/// A shop whose items' tags tell how often they are taken, and lists in which new items should have what they are worth.
private struct NoveltyShop {
    static let known = 240, users = 60, subjects = 4
    static let takes = ["award": 16, "plain": 4, "dull": 1], mean = 7.0
    private static let qualities = ["award", "plain", "dull"]

    private var random = SeededGenerator(seed: 11, stream: 2)
    var contents: [ItemContent] = []
    var histories: [[Int32]] = Array(repeating: [], count: Self.users)
    var channel: ContentChannel
    private var vectors: [Float] = []

    /// - Parameters:
    ///   - untaken: plain items that nobody took, though they were there all along; they stand behind the known ones.
    ///   - hasShare: whether the model knows what new items are worth.
    init(untaken: Int = 0, hasShare: Bool = true, reception: NewItemShare.Reception = .unknown) {
        var events: [Int32] = [], counts: [Int] = []
        for item in 0..<Self.known + untaken {
            let quality = item < Self.known ? Self.qualities[item % 3] : "plain"
            contents.append(Self.content(item, quality, &random))
            counts.append(item < Self.known ? Self.takes[quality] ?? 0 : 0)
            for _ in 0..<counts[item] {
                let user = random.next(below: Self.users / Self.subjects) * Self.subjects + item % Self.subjects
                histories[user].append(Int32(item))
            }
        }
        var ranges: [Range<Int>] = []
        for user in histories.indices {
            random.shuffle(&histories[user])
            ranges.append(events.count..<events.count + histories[user].count)
            events += histories[user]
        }
        let ids = contents.indices.map { "i\($0)" }, known = contents
        let learning = events.withUnsafeBufferPointer {
            ContentLearning(itemIDs: ids, contents: known, users: ranges, events: $0, clock: 100, rules: ContentRules())
        }
        channel = learning.channel
        channel.weights = [8, -4, 0.5, 0, 0, 0, 0, 0]
        guard hasShare else { return }
        channel.share = NewItemShare(
            learning, itemIDs: ids, contents: contents, counts: counts, start: 0, untaken: counts.map { $0 == 0 },
            reception: reception,
            questions: histories.map { history in
                NewItemShare.Question(
                    items: history, types: history.map { _ in 1 }, ages: history.indices.reversed().map { Int32($0) }, excluded: history)
            })
    }

    static func content(_ item: Int, _ quality: String, _ random: inout SeededGenerator) -> ItemContent {
        ItemContent(tags: ["subject\(item % subjects)", quality, "any\(random.next(below: 9))"])
    }

    /// A catalogue with new items of a quality, under towers that know no more than chance.
    mutating func snapshot(new: Int, _ quality: String, withoutKnown: Bool = false) -> ServingSnapshot {
        let trained = Self.known, all = contents.count + new
        while contents.count < all { contents.append(Self.content(contents.count, quality, &random)) }
        vectors = (0..<all * 3).map { _ in random.normal() }
        let entries = contents.enumerated().map { row, content in
            ContentSignals.Entry(
                itemID: "i\(row)", content: content, isTrained: row < trained, isAvailable: !withoutKnown || row >= trained)
        }
        return ServingSnapshot(
            catalogue: entries.map { CatalogueEntry(itemID: $0.itemID, available: $0.isAvailable) }, catalogueVersion: 1,
            model: meanModel(3), itemVectors: vectors, untrained: (trained..<all).map { Int32($0) }
        )
        .withContent(ContentSignals(channel: channel, entries: entries, itemVectors: vectors, dimension: 3))
        .sharing((0..<Int32(trained)).map { $0 })
    }

    /// The share of new items, by id, in the lists of everybody.
    func shown(_ snapshot: ServingSnapshot, where isNew: (String) -> Bool) -> Double {
        var places = 0, new = 0
        for history in histories {
            let met = history.map { "i\($0)" }
            let answer = snapshot.answer(RecommendationQuery(count: 20), history: met, excluded: met)
            places += answer.count
            new += answer.count { isNew($0.itemID) }
        }
        return Double(new) / Double(max(1, places))
    }

    static func isNew(_ itemID: String) -> Bool { (Int(itemID.dropFirst()) ?? 0) >= known }
}

struct NewItemPlacesTests {
    @Test("new items fill what they are worth: better ones more places than worse ones", arguments: ["award", "plain", "dull"], [24, 120])
    func shares(quality: String, new: Int) {
        var shop = NoveltyShop()
        let snapshot = shop.snapshot(new: new, quality)
        let worth = Double(new * (NoveltyShop.takes[quality] ?? 0)) / NoveltyShop.mean
        let fair = worth / (worth + Double(NoveltyShop.known)), shown = shop.shown(snapshot, where: NoveltyShop.isNew)
        // A dull item's worth is small, and a tag never says all of it.
        #expect((quality == "dull" ? 0.5...2.5 : 0.75...1.35) ~= shown / fair, "\(shown) of the places, \(fair) would be fair")
        #expect(abs(shown - (snapshot.newItems?.share ?? 0)) < 0.02, "what is meant is what is shown")
    }

    @Test("without new items nothing changes; where all are new they have every place")
    func ends() {
        var none = NoveltyShop(), all = NoveltyShop(), plain = NoveltyShop(hasShare: false)
        #expect(none.snapshot(new: 0, "plain").newItems?.share == 0)
        #expect(none.shown(none.snapshot(new: 0, "plain"), where: NoveltyShop.isNew) == 0)
        let flooded = all.snapshot(new: 40, "plain", withoutKnown: true)
        #expect(flooded.newItems?.share == 1 && all.shown(flooded, where: NoveltyShop.isNew) == 1)
        // A model of before has the constant that it was trained with.
        #expect(plain.snapshot(new: 40, "award").newItems?.constant == 0)
    }

    @Test("what nobody took though it had time is neither lifted nor called new, and takes nothing from the share")
    func untaken() {
        var shop = NoveltyShop(untaken: 200)
        let snapshot = shop.snapshot(new: 24, "award"), first = NoveltyShop.known + 200
        let fair = 24 * 16 / NoveltyShop.mean, share = fair / (fair + Double(NoveltyShop.known))
        let shown = shop.shown(snapshot) { (Int($0.dropFirst()) ?? 0) >= first }
        #expect(0.75...1.35 ~= shown / share, "\(shown), \(share)")
        for history in shop.histories.prefix(8) {
            let met = history.map { "i\($0)" }
            for item in snapshot.answer(RecommendationQuery(count: 40), history: met, excluded: met) {
                let row = Int(item.itemID.dropFirst()) ?? 0
                #expect((item.reason == .fresh) == (row >= first), "\(item)")
            }
        }
        // They rank by what the towers say, as if there were no channel.
        let bare = snapshot.withContent(nil), met = shop.histories[0].map { "i\($0)" }
        func score(_ snapshot: ServingSnapshot) -> Float? {
            snapshot.answer(RecommendationQuery(items: ["i\(NoveltyShop.known + 3)"]), history: met).first?.score
        }
        #expect(score(snapshot) != nil && score(snapshot) == score(bare))
    }

    @Test("the share follows what comes and goes, by more than a twentieth")
    func changes() {
        var shop = NoveltyShop()
        var snapshot = shop.snapshot(new: 60, "award")
        let before = snapshot.newItems
        func arrive(_ numbers: Range<Int>) {
            var random = SeededGenerator(seed: 5, stream: 1)
            let entries = numbers.map {
                ContentSignals.Entry(itemID: "late\($0)", content: NoveltyShop.content($0, "award", &random), isTrained: false)
            }
            snapshot = snapshot.applying(
                entries.map { .upsert(CatalogueEntry(itemID: $0.itemID), vector: [0, 0, 0], origin: .content) }, catalogueVersion: 2
            ).learningContent(entries)
        }
        arrive(0..<3)
        #expect(snapshot.newItems?.constant == before?.constant && (snapshot.newItems?.share ?? 0) > (before?.share ?? 1))
        arrive(3..<40)
        let after = snapshot.newItems
        #expect((after?.share ?? 0) > (before?.share ?? 1) + 0.05)
        func isLate(_ id: String) -> Bool { id.hasPrefix("late") || NoveltyShop.isNew(id) }
        #expect(abs(shop.shown(snapshot, where: isLate) - (after?.share ?? 0)) < 0.03)
        // Gone again: one is not asked for any more, and most of them leave their places to the others.
        snapshot = snapshot.applying([.delete(itemID: "late0")], catalogueVersion: 3)
        #expect(shop.shown(snapshot) { $0 == "late0" } == 0)
        snapshot = snapshot.applying((1..<40).map { .delete(itemID: "late\($0)") }, catalogueVersion: 4)
        #expect(abs((snapshot.newItems?.share ?? 0) - (before?.share ?? 1)) < 1e-6)
        #expect(abs(shop.shown(snapshot, where: isLate) - (before?.share ?? 0)) < 0.03)
    }

    @Test("a flood of ten thousand new items is taken in, and known ones keep what is theirs")
    func flood() {
        var shop = NoveltyShop()
        var snapshot = shop.snapshot(new: 0, "plain").readyForNewItems()
        var random = SeededGenerator(seed: 5, stream: 1)
        for part in 0..<5 {
            let entries = (part * 2_000..<(part + 1) * 2_000).map {
                ContentSignals.Entry(itemID: "late\($0)", content: NoveltyShop.content($0, "dull", &random), isTrained: false)
            }
            snapshot = snapshot.applying(
                entries.map { .upsert(CatalogueEntry(itemID: $0.itemID), vector: [0, 0, 0], origin: .content) }, catalogueVersion: 2
            ).learningContent(entries)
        }
        let share = snapshot.newItems?.share ?? 0
        #expect(share > 0.5 && share < 1, "\(share)")
        // Nine tenths of the places at most.
        let shown = shop.shown(snapshot) { $0.hasPrefix("late") }
        #expect(abs(shown - min(share, 0.9)) < 0.05, "\(shown), \(share)")
    }

    @Test("what was poorly received is lifted no higher than training found worth its cost")
    func reception() {
        func constant(_ reception: NewItemShare.Reception, learned: Float) -> Float {
            var shop = NoveltyShop(reception: reception)
            shop.channel.weights[ContentChannel.Part.constant.rawValue] = learned
            return shop.snapshot(new: 60, "award").newItems?.constant ?? 0
        }
        let fair = constant(.unknown, learned: 0)
        #expect(constant(.unknown, learned: fair - 3) == fair && constant(.fair, learned: fair - 3) == fair)
        #expect(constant(.poor, learned: fair - 3) == fair - 3 && constant(.poor, learned: fair + 3) == fair)
    }
}
