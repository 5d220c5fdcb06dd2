import Features
import Interactions
import Recommending
import Testing

struct TrendingTests {
    private func shop(_ items: [(String, String, Double)], model: ServingModel? = nil) -> ServingSnapshot {
        ServingSnapshot(
            catalogue: items.map { CatalogueEntry(itemID: $0.0, categories: [$0.1]) }, catalogueVersion: 1, model: model,
            trending: items.map { TrendingItem(itemID: $0.0, score: $0.2) })
    }

    @Test func anUnknownUserGetsWhatIsPopularSpreadOverCategories() {
        let snapshot = shop([
            ("s1", "shoes", 100), ("s2", "shoes", 99), ("s3", "shoes", 98), ("t1", "tents", 80), ("m1", "maps", 60),
        ])
        let items = snapshot.answer()
        // The second shoe counts 99 × 0.85 = 84, above the tent's 80; the third one 98 × 0.7225 = 71, below it.
        #expect(items.map(\.itemID) == ["s1", "s2", "t1", "s3", "m1"])
        #expect(items.allSatisfy { $0.reason == .trending })
        #expect(abs(items[1].score - 0.99 * 0.85) < 1e-5)
        #expect(abs(items[3].score - 0.98 * 0.7225) < 1e-5)
    }

    @Test func itemsOfAnotherAgeKeepTheirOrder() {
        // Thousands of halvings behind the top, and among themselves: doubles would say 0 for all of them.
        let ages = [("new", 0), ("old", -5_000), ("older", -200_000), ("oldest", -300_000)]
        let snapshot = ServingSnapshot(
            catalogue: ages.map { CatalogueEntry(itemID: $0.0) }, catalogueVersion: 1,
            trending: ages.reversed().map { TrendingItem(itemID: $0.0, score: ScaledValue(significand: 1, exponent: $0.1)) })
        #expect(snapshot.answer().map(\.itemID) == ages.map(\.0))
        #expect(snapshot.answer().allSatisfy { $0.reason == .trending && $0.score > 0 })
    }

    @Test func whatARequestMayNotShowLeavesNoGap() {
        // 6,000 of a category that is not asked for, hidden or excluded, before ten that may be shown.
        let crowd = (0..<6_000).map { "c\($0)" }, products = (0..<10).map { "p\($0)" }
        let trending = crowd.map { TrendingItem(itemID: $0, score: 2) } + products.map { TrendingItem(itemID: $0, score: 1) }
        func snapshot(available: Bool = true) -> ServingSnapshot {
            ServingSnapshot(
                catalogue: crowd.map {
                    CatalogueEntry(itemID: $0, categories: ["crowd"], available: available, publishedAt: EventTime(milliseconds: 9))
                }
                    + products.map { CatalogueEntry(itemID: $0, categories: ["products"]) },
                catalogueVersion: 1, trending: trending)
        }
        let hidden = snapshot(available: false).answer(), other = snapshot().answer(RecommendationQuery(category: "products"))
        let excluded = snapshot().answer(RecommendationQuery(exclude: crowd))
        for (answer, name) in [(hidden, "hidden"), (other, "of another category"), (excluded, "excluded")] {
            #expect(Set(answer.map(\.itemID)) == Set(products) && answer.allSatisfy { $0.reason == .trending }, "\(name)")
        }
        // The same for the newest, where nothing is trending.
        let untold = snapshot(available: false).withTrending([])
        #expect(Set(untold.answer().map(\.itemID)) == Set(products))
        #expect(Set(snapshot().withTrending([]).answer(RecommendationQuery(exclude: crowd)).map(\.itemID)) == Set(products))
        var mixed = (0..<6_000).map { CatalogueEntry(itemID: "h\($0)", categories: ["mixed"], available: false) }
        mixed.insert(CatalogueEntry(itemID: "shown", categories: ["mixed"]), at: 0)
        #expect(
            ServingSnapshot(catalogue: mixed, catalogueVersion: 1).answer(RecommendationQuery(category: "mixed")).map(\.itemID) == ["shown"]
        )
    }

    @Test func oneCategoryCannotFillTheTop() {
        var items = (0..<50).map { ("s\($0)", "shoes", 1_000.0 - Double($0)) }
        items += (0..<10).map { ("t\($0)", "tents", 300.0 - Double($0)) }
        let top = shop(items).answer(RecommendationQuery(count: 20)).map(\.itemID)
        #expect(top.filter { $0.hasPrefix("t") }.count >= 5)
        // Within a category the order is that of popularity.
        #expect(top.filter { $0.hasPrefix("s") } == (0..<top.filter { $0.hasPrefix("s") }.count).map { "s\($0)" })
    }

    @Test func aCategoryFiltersTheTrendingList() {
        let snapshot = shop([("s1", "shoes", 9), ("t1", "tents", 8), ("s2", "shoes", 7)])
        #expect(snapshot.answer(RecommendationQuery(category: "shoes")).map(\.itemID) == ["s1", "s2"])
        #expect(snapshot.answer(RecommendationQuery(category: "no such category")).isEmpty)
    }

    @Test func equalPopularityIsOrderedByItemIDWhateverTheInputOrder() {
        let items = [("c", "x", 1.0), ("a", "x", 1.0), ("b", "x", 1.0)]
        #expect(shop(items).answer().map(\.itemID) == ["a", "b", "c"])
        #expect(shop(items.reversed()).answer().map(\.itemID) == ["a", "b", "c"])
    }

    @Test func aShopWithoutAnyEventShowsItsNewestItems() {
        let snapshot = ServingSnapshot(
            catalogue: [
                CatalogueEntry(itemID: "old", publishedAt: EventTime(milliseconds: 1)),
                CatalogueEntry(itemID: "new", publishedAt: EventTime(milliseconds: 2)),
                CatalogueEntry(itemID: "undated"),
            ], catalogueVersion: 1)
        #expect(snapshot.answer().map(\.itemID) == ["new", "old", "undated"])
        let later = snapshot.applying(
            [.upsert(CatalogueEntry(itemID: "later"), vector: nil, origin: .content)], catalogueVersion: 2)
        #expect(later.answer().map(\.itemID) == ["later", "new", "old", "undated"])
        #expect(later.answer().allSatisfy { $0.reason == .fresh })
        #expect(ServingSnapshot(catalogue: [], catalogueVersion: 0).answer().isEmpty)
    }

    @Test func trendingFillsUpBehindThePersonalPart() {
        let snapshot = ServingSnapshot(
            catalogue: ["a", "b", "c", "d"].map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1, model: meanModel(1),
            itemVectors: [1, 0.5], trending: [TrendingItem(itemID: "d", score: 2), TrendingItem(itemID: "a", score: 9)])
        let items = snapshot.answer(history: ["a"])
        #expect(items.map(\.itemID) == ["a", "b", "d", "c"])
        #expect(items.map(\.reason) == [.personal, .personal, .trending, .fresh])
        for (left, right) in zip(items, items.dropFirst()) { #expect(left.score >= right.score) }
    }

    @Test func attributesOfAnUnknownUserReachTheUserTower() {
        let model = ServingModel(version: 1, dimension: 2) { input, _ in
            guard let attributes = input.attributes else { return nil }
            return attributes.contains("\"F\"") ? [1, 0] : [0, 1]
        }
        let snapshot = ServingSnapshot(
            catalogue: ["a", "b"].map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1, model: model,
            itemVectors: [1, 0, 0, 1], trending: [TrendingItem(itemID: "b", score: 1)])
        func first(_ attributes: String?) -> String? {
            recommend(
                RecommendationQuery(count: 1), history: history([]), excluded: [], attributes: attributes,
                snapshot: snapshot, now: now, requestID: "r"
            ).items.first?.itemID
        }
        #expect(first("{\"gender\":\"F\"}") == "a")
        #expect(first("{\"gender\":\"M\"}") == "b")
        #expect(first(nil) == "b")
    }

    @Test func badScoresAndUnknownItemsAreLeftOut() {
        let snapshot = ServingSnapshot(
            catalogue: ["a", "b", "c"].map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1,
            trending: [
                TrendingItem(itemID: "a", score: .nan), TrendingItem(itemID: "b", score: 1),
                TrendingItem(itemID: "x", score: 5), TrendingItem(itemID: "b", score: 4), TrendingItem(itemID: "c", score: 0),
            ])
        let trending = snapshot.answer().filter { $0.reason == .trending }
        #expect(trending.map(\.itemID) == ["b"])
        #expect(snapshot.withTrending([TrendingItem(itemID: "c", score: 1)]).answer().first?.itemID == "c")
    }
}
