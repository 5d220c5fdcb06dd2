import Interactions
import Recommending
import Testing

struct RankingTests {
    @Test func givenItemsAreRankedOnceEachAndTheScorelessLast() {
        let shop = Shop(seed: 20, items: 60)
        let extra = CatalogueEntry(itemID: "plain")
        let popular = CatalogueEntry(itemID: "popular")
        let snapshot = shop.snapshot
            .applying(
                [.upsert(extra, vector: nil, origin: .content), .upsert(popular, vector: nil, origin: .content)],
                catalogueVersion: 2
            )
            .withTrending([TrendingItem(itemID: "popular", score: 1)])
        let wanted = ["plain", "i5", "unknown", "i7", "i5", "popular", "i9", "i11", "i13"]
        let items = snapshot.answer(
            RecommendationQuery(count: 2, exclude: ["i9"], items: wanted), history: ["i1"], excluded: ["i11"])
        let scored = ["i5", "i7", "i13"].filter { shop.entries[$0]?.available == true }
        let expected = shop.reference(["i1"], 60).filter { scored.contains($0) }
        #expect(items.map(\.itemID) == expected + ["popular", "plain"])
        for (left, right) in zip(items, items.dropFirst()) { #expect(left.score >= right.score) }
        #expect(snapshot.answer(RecommendationQuery(items: []), history: ["i1"]).isEmpty)
        // An unknown user gets them by popularity, then in the order of the request.
        #expect(
            snapshot.answer(RecommendationQuery(items: ["i13", "plain", "popular"].filter { $0 != "i13" }))
                .map(\.itemID) == ["popular", "plain"])
    }

    @Test func anObjectiveTradesInterestAgainstPrice() {
        let prices: [Int64] = [10, 20, 400]
        let snapshot = ServingSnapshot(
            catalogue: prices.enumerated().map { CatalogueEntry(itemID: "i\($0)", priceMicros: $1 * 1_000_000) },
            catalogueVersion: 1, model: meanModel(1), itemVectors: [1, 0.9, 0.8])
        func order(_ objective: ObjectiveWeights?) -> [String] {
            snapshot.answer(RecommendationQuery(objective: objective), history: ["i0"]).map(\.itemID)
        }
        #expect(order(nil) == ["i0", "i1", "i2"])
        #expect(order(ObjectiveWeights()) == ["i0", "i1", "i2"])
        // ln(400/10) = 3.7 outweighs an interest of (1 − 0.8) / 0.1 = 2.
        #expect(order(ObjectiveWeights(click: 1, value: 1)) == ["i2", "i0", "i1"])
        #expect(order(ObjectiveWeights(click: 0, value: -1)) == ["i0", "i1", "i2"])
        let items = snapshot.answer(
            RecommendationQuery(objective: ObjectiveWeights(click: 1, value: 1)), history: ["i0"])
        // 0.8 / 0.1 + ln(400 / 20)
        #expect(abs(items[0].score - (8 + 2.995_732)) < 1e-4)
    }

    @Test func likenessToTheLastItemCountsWhereTheRulesSaySo() {
        // The user's mean is between two directions; the last item points along the second.
        let vectors: [Float] = [1, 0, 0, 1, 0.9, 0.1, 0.1, 0.9]
        func shop(_ weight: Float) -> ServingSnapshot {
            ServingSnapshot(
                catalogue: ["x", "y", "likeX", "likeY"].map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1,
                model: meanModel(2), itemVectors: vectors, index: ExactIndex(vectors: vectors, dimension: 2),
                rules: RecommendingRules(similarWeight: weight))
        }
        let without = shop(0).answer(history: ["x", "y"], excluded: ["x", "y"])
        #expect(without.map(\.itemID) == ["likeX", "likeY"])
        #expect(without[0].score == without[1].score)
        let with = shop(0.6).answer(RecommendationQuery(explain: true), history: ["x", "y"], excluded: ["x", "y"])
        #expect(with.map(\.itemID) == ["likeY", "likeX"])
        #expect(with[0].reason == .similar)
        #expect(with[0].explanation == "Because you looked at y")
    }

    @Test func aFreshBonusLiftsNewItems() {
        let entry = CatalogueEntry(itemID: "new")
        func shop(_ bonus: Float) -> ServingSnapshot {
            ServingSnapshot(
                catalogue: [CatalogueEntry(itemID: "a")], catalogueVersion: 1, model: meanModel(1), itemVectors: [1],
                rules: RecommendingRules(freshBonus: bonus)
            ).applying([.upsert(entry, vector: [0.95], origin: .content)], catalogueVersion: 2)
        }
        #expect(shop(0).answer(history: ["a"]).first?.itemID == "a")
        #expect(shop(0.1).answer(history: ["a"]).first?.itemID == "new")
    }

    @Test func explanationsNameWhatTheUserDid() {
        let vectors: [Float] = [1, 0, 0, 1, 0.9, 0]
        let snapshot = ServingSnapshot(
            catalogue: [
                CatalogueEntry(itemID: "boot", title: "Trail boot"), CatalogueEntry(itemID: "map"),
                CatalogueEntry(itemID: "sock", title: "Warm sock"),
                CatalogueEntry(itemID: "rope", categories: ["climbing"]),
            ], catalogueVersion: 1, model: meanModel(2), itemVectors: vectors,
            trending: [TrendingItem(itemID: "rope", score: 1)]
        ).applying(
            [.upsert(CatalogueEntry(itemID: "nut", categories: ["climbing"]), vector: [0.1, 0.1], origin: .content)],
            catalogueVersion: 2)
        let answer = recommend(
            RecommendationQuery(explain: true), history: history(["map", "boot"], type: .purchase),
            excluded: ["map", "boot"], attributes: nil, snapshot: snapshot, now: now, requestID: "r")
        #expect(answer.items.map(\.itemID) == ["sock", "nut", "rope"])
        #expect(
            answer.items.map(\.explanation)
                == ["Because you bought Trail boot", "New in climbing", "Popular now in climbing"])
        #expect(snapshot.answer(history: ["map"]).allSatisfy { $0.explanation == nil })
    }

    @Test func popularityIsLeftOutWhenItemsAreCompared() {
        // The last component is popularity: "hit" has much of it and is otherwise unlike "a".
        let model = ServingModel(version: 1, dimension: 2, biasComponents: 1) { _, _ in [1, 1] }
        let snapshot = ServingSnapshot(
            catalogue: ["a", "hit", "like"].map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1, model: model,
            itemVectors: [1, 3, 0.1, 9, 0.9, 0])
        #expect(snapshot.answer(history: ["a"]).map(\.itemID) == ["hit", "a", "like"])
        let like = similar(to: "a", count: 5, snapshot: snapshot, requestID: "r")
        #expect(like?.items.map(\.itemID) == ["like", "hit"])
    }

    @Test func whatAnItemCostsMovesItDownUnlessTheRequestHasAnObjective() {
        let vectors: [Float] = [1, 0.9, 0.8, 0.7]
        let free = ServingSnapshot(
            catalogue: (0..<4).map { CatalogueEntry(itemID: "i\($0)") }, catalogueVersion: 1, model: meanModel(1), itemVectors: vectors,
            index: ExactIndex(vectors: vectors, dimension: 1))
        let priced = free.withPrices(ItemPrices(["i0": 0.25, "i2": 5, "unknown": 1, "i1": -3, "i3": .nan]))
        func order(_ snapshot: ServingSnapshot, _ query: RecommendationQuery = RecommendationQuery(count: 4)) -> [String] {
            snapshot.answer(query, history: ["i0"]).map(\.itemID)
        }
        #expect(order(free) == ["i0", "i1", "i2", "i3"] && order(priced) == ["i1", "i0", "i3", "i2"])
        #expect(order(priced, RecommendationQuery(count: 2)) == ["i1", "i0"], "the pool is larger than the answer")
        #expect(order(priced, RecommendationQuery(items: ["i2", "i0", "i3"])) == ["i0", "i3", "i2"])
        #expect(order(priced, RecommendationQuery(count: 4, objective: ObjectiveWeights())) == order(free))
        let batch = BatchRecommender(snapshot: priced)
            .recommend(count: 4, history: history(["i0"]), excluded: [], attributes: nil, now: now)
        #expect(batch.map(\.itemID) == order(priced))
        let changed = priced.applying([.upsert(CatalogueEntry(itemID: "i4"), vector: [0.95], origin: .content)], catalogueVersion: 2)
        #expect(order(changed, RecommendationQuery(count: 5)).prefix(2) == ["i4", "i1"])
    }

    @Test func whatNothingIsToldOfStandsBelowWhatIsTrendingWithScoresThatFallAndAreNotZero() {
        let snapshot = ServingSnapshot(
            catalogue: (0..<9).map { CatalogueEntry(itemID: "i\($0)", publishedAt: EventTime(milliseconds: Int64($0))) },
            catalogueVersion: 1, trending: [TrendingItem(itemID: "i2", score: 8), TrendingItem(itemID: "i0", score: 1e-30)])
        let answer = snapshot.answer(RecommendationQuery(count: 9))
        #expect(answer.map(\.itemID) == ["i2", "i0", "i8", "i7", "i6", "i5", "i4", "i3", "i1"])
        #expect(answer.allSatisfy { $0.score > 0 } && zip(answer, answer.dropFirst()).allSatisfy { $1.score < $0.score })
        #expect(answer[0].score == 1)
        let given = snapshot.answer(RecommendationQuery(items: ["i5", "i4", "i2"]))
        #expect(given.map(\.itemID) == ["i2", "i5", "i4"] && given[2].score > 0 && given[2].score < given[1].score)
        let empty = ServingSnapshot(catalogue: [CatalogueEntry(itemID: "a"), CatalogueEntry(itemID: "b")], catalogueVersion: 1)
        #expect(empty.answer().map(\.itemID) == ["a", "b"] && empty.answer().allSatisfy { $0.score > 0 && $0.score < 1 })
        let batch = BatchRecommender(snapshot: snapshot).recommend(count: 9, history: history([]), excluded: [], attributes: nil, now: now)
        #expect(batch.allSatisfy { $0.score > 0 } && zip(batch, batch.dropFirst()).allSatisfy { $1.score < $0.score })
    }
}
