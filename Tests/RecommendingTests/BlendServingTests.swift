import Features
import Interactions
import Recommending
import Tensors
import Testing

struct BlendServingTests {
    private static let items = 120

    private func blend(
        _ seed: UInt64,
        weights: [RankingFeature: Float] = [
            .tower: 0.7, .popularity: 0.2, .recentPopularity: 0.1, .trend: 0.15, .transition: 0.5, .own: 0.6, .ownCount: 0.4, .ownAge: -0.1,
        ]
    ) -> RankingBlend {
        RankingBlend(
            weights: BlendWeights(RankingFeature.allCases.map { weights[$0] ?? 0 }),
            tables: Sequences.random(seed, users: 80, length: 15, items: Int32(Self.items)).tables(itemCount: Self.items))
    }

    @Test func aBatchGivesWhatRequestsGiveUnderABlend() {
        for seed in 1...5 {
            var shop = Shop(seed: UInt64(60 + seed), items: Self.items, blend: blend(UInt64(seed)))
            shop.change(30)
            let snapshot = shop.snapshot.withTrending((0..<40).map { TrendingItem(itemID: "i\($0 * 2)", score: Double(50 - $0)) })
            let batch = BatchRecommender(snapshot: shop.snapshot).with(snapshot: snapshot)
            #expect(snapshot.isBlended)
            for start in 0..<10 {
                let met = ["i\(start)", "i\(start + 20)", "i\(start)", "no such item"]
                let personal = shop.reference(met, 1_000, excluding: []).count
                let items = batch.recommend(
                    count: 30, history: history(met), excluded: [], attributes: nil, now: now, explain: true)
                let answer = snapshot.answer(RecommendationQuery(count: min(30, personal), explain: true), history: met)
                #expect(items.map(\.itemID).prefix(answer.count) == answer.map(\.itemID)[...])
                for (left, right) in zip(items, answer) {
                    var right = right
                    right.score = left.score
                    #expect(left == right)
                }
                for (left, right) in zip(items, answer) { #expect(abs(left.score - right.score) < 1e-5) }
            }
        }
    }

    @Test func whatTheUserHadBeforeComesAgainWhereItCountsAndMayBeShown() {
        let shop = Shop(seed: 70, items: Self.items, blend: blend(7, weights: [.tower: 0.1, .own: 20]))
        let met = ["i3", "i50", "i77"].filter { shop.entries[$0]?.available == true }
        let first = shop.snapshot.answer(RecommendationQuery(count: 3, explain: true), history: met)
        #expect(Set(first.prefix(met.count).map(\.itemID)) == Set(met))
        #expect(first.first?.reason == .personal)
        #expect(first.first?.explanation == "Because you looked at it before")
        let without = shop.snapshot.answer(RecommendationQuery(count: 10), history: met, excluded: met)
        #expect(Set(without.map(\.itemID)).isDisjoint(with: met))
    }

    @Test func whatFollowsTheNewestItemIsRecalledWithItsReason() throws {
        var sequences = Sequences()
        for _ in 0..<20 { sequences.add([0, 100]) }
        for row in Int32(1)..<100 { sequences.add([row, (row * 7) % 100]) }
        let blend = RankingBlend(
            weights: BlendWeights(RankingFeature.allCases.map { $0 == .transition ? 50 : $0 == .tower ? 0.01 : 0 }),
            tables: sequences.tables(itemCount: Self.items))
        let snapshot = ServingSnapshot(
            catalogue: (0..<Self.items).map { CatalogueEntry(itemID: "i\($0)") }, catalogueVersion: 1, model: meanModel(1),
            itemVectors: (0..<Self.items).map { $0 == 100 ? -5 : 1 + Float($0) / 1_000 }, blend: blend)
        let items = snapshot.answer(RecommendationQuery(count: 2, explain: true), history: ["i0"])
        #expect(items.first?.itemID == "i100")
        #expect(items.first?.reason == .similar)
        #expect(items.first?.explanation == "Because you looked at i0")
        // An event that is learned moves the table of this snapshot, and of no other.
        var learning = snapshot
        for _ in 0..<400 { learning.learn(previous: history(["i0"]), itemID: "i42") }
        #expect(learning.answer(RecommendationQuery(count: 1), history: ["i0"]).first?.itemID == "i42")
        #expect(snapshot.answer(RecommendationQuery(count: 1), history: ["i0"]).first?.itemID == "i100")
        var batch = BatchRecommender(snapshot: snapshot)
        for _ in 0..<400 { batch.learn(previous: history(["i0"]), itemID: "i42") }
        #expect(batch.recommend(count: 1, history: history(["i0"]), excluded: [], attributes: nil, now: now).first?.itemID == "i42")
    }

    @Test func usersOfWhomLittleIsKnownAreRankedByWeightsOfTheirOwn() throws {
        // Everybody is ranked by the towers; who met nothing or one thing by what is trending; who met two by what follows.
        func only(_ feature: RankingFeature, _ weight: Float) -> [Float] { RankingFeature.allCases.map { $0 == feature ? weight : 0 } }
        var sequences = Sequences()
        for _ in 0..<20 { sequences.add([1, 100]) }
        for row in Int32(2)..<100 { sequences.add([row, (row * 7) % 100]) }
        var weights = BlendWeights(only(.tower, 1))
        weights.newcomers = [
            BlendWeights.Newcomer(historyLimitEvents: 1, values: only(.trend, 10)),
            BlendWeights.Newcomer(historyLimitEvents: 2, values: only(.transition, 10)),
        ]
        let blend = RankingBlend(weights: weights, tables: sequences.tables(itemCount: Self.items))
        let snapshot = ServingSnapshot(
            catalogue: (0..<Self.items).map { CatalogueEntry(itemID: "i\($0)") }, catalogueVersion: 1, model: meanModel(1),
            itemVectors: (0..<Self.items).map { 1 + Float($0) / 1_000 }, trending: [TrendingItem(itemID: "i50", score: 9)], blend: blend)
        func first(_ snapshot: ServingSnapshot, _ met: [String]) -> String? {
            snapshot.answer(RecommendationQuery(count: 1), history: met).first?.itemID
        }
        #expect(first(snapshot, ["i0"]) == "i50")
        #expect(first(snapshot, ["i0", "i1"]) == "i100")
        #expect(first(snapshot, ["i0", "i3", "i1"]) == "i119")
        // What is trending moves their lists, and those of nobody else.
        let later = snapshot.withTrending([TrendingItem(itemID: "i60", score: 9)])
        #expect(first(later, ["i0"]) == "i60")
        #expect(first(later, ["i0", "i3", "i1"]) == "i119")
        let batch = BatchRecommender(snapshot: snapshot)
        for met in [["i0"], ["i0", "i1"], ["i0", "i3", "i1"]] {
            let items = batch.recommend(count: 1, history: history(met), excluded: [], attributes: nil, now: now)
            #expect(items.first?.itemID == first(snapshot, met))
        }
        // A tail dial turns theirs with the rest.
        let dialled = blend.dialled(TailDial(lambda: 0.5))
        #expect(dialled.weights.newcomers.map { $0.values[RankingFeature.popularity.rawValue] } == [-0.5, -0.5])

        // As they are written they are read; no training makes as many sets as this.
        let part = blend.encoded()
        #expect(try RankingBlend(encoded: part) == blend)
        var crowded = blend.weights
        crowded.newcomers = (0..<17).map { BlendWeights.Newcomer(historyLimitEvents: $0, values: only(.tower, 1)) }
        let many = RankingBlend(weights: crowded, tables: blend.tables).encoded()
        #expect(throws: PartFormatError.self) { try RankingBlend(encoded: many) }
    }

    @Test func trendMovesWithTheList() {
        let shop = Shop(seed: 71, items: Self.items, blend: blend(8, weights: [.tower: 0.01, .trend: 10]))
        let shown = shop.admissible(nil, excluding: []).sorted()
        for item in shown.prefix(3) {
            let snapshot = shop.snapshot.withTrending([TrendingItem(itemID: item, score: 2), TrendingItem(itemID: shown[5], score: 1)])
            #expect(snapshot.answer(RecommendationQuery(count: 2), history: [shown[9]]).map(\.itemID) == [item, shown[5]])
        }
    }

    @Test func withoutAModelOrAUserThereIsNothingToBlend() {
        let entries = (0..<5).map { CatalogueEntry(itemID: "i\($0)") }
        let snapshot = ServingSnapshot(
            catalogue: entries, catalogueVersion: 1, trending: [TrendingItem(itemID: "i3", score: 1)], blend: blend(9))
        #expect(!snapshot.isBlended)
        #expect(snapshot.answer().first?.itemID == "i3")
        let shop = Shop(seed: 72, items: Self.items, blend: blend(9))
        #expect(shop.snapshot.answer().allSatisfy { $0.reason == .trending || $0.reason == .fresh })
    }
}
