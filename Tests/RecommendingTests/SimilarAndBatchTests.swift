import Interactions
import Recommending
import Testing

struct SimilarAndBatchTests {
    @Test func similarItemsAreTheNearestAvailableOthers() {
        var shop = Shop(seed: 30, items: 120)
        shop.change(40)
        guard let vector = shop.vectors["i4"] else { return }
        let answer = similar(to: "i4", count: 12, exclude: ["i8"], explain: true, snapshot: shop.snapshot, requestID: "r")
        let expected = shop.admissible(nil, excluding: ["i4", "i8"])
            .compactMap { id in shop.vectors[id].map { (id, dot($0, vector)) } }
            .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(12).map(\.0)
        #expect(answer?.items.map(\.itemID) == expected)
        #expect(answer?.items.allSatisfy { $0.reason == .similar } == true)
        #expect(answer?.items.first?.explanation?.hasPrefix("Similar to") == true)
        #expect(similar(to: "no such item", count: 5, snapshot: shop.snapshot, requestID: "r") == nil)
    }

    @Test func anItemWithoutAVectorHasItsCategoryForCompany() {
        let snapshot = ServingSnapshot(
            catalogue: [
                CatalogueEntry(itemID: "a", categories: ["tents"]), CatalogueEntry(itemID: "b", categories: ["tents"]),
                CatalogueEntry(itemID: "c", categories: ["maps"]),
            ], catalogueVersion: 1, trending: [TrendingItem(itemID: "c", score: 9), TrendingItem(itemID: "b", score: 1)])
        let answer = similar(to: "a", count: 5, snapshot: snapshot, requestID: "r")
        #expect(answer?.items.map(\.itemID) == ["b"])
        #expect(answer?.items.first?.reason == .trending)
    }

    @Test func aBatchGivesWhatRequestsGive() {
        for seed in 1...5 {
            var shop = Shop(seed: UInt64(40 + seed), items: 150)
            shop.change(60)
            let batch = BatchRecommender(snapshot: shop.snapshot)
            #expect(batch.candidateCount == shop.snapshot.availableCount)
            for start in 0..<10 {
                let met = ["i\(start)", "i\(start + 20)"]
                let personal = shop.reference(met, 1_000, excluding: [met[0]]).count
                let asked = min(30, personal)
                let items = batch.recommend(
                    count: asked, history: history(met), excluded: [met[0]], attributes: nil, now: now)
                let answer = shop.snapshot.answer(
                    RecommendationQuery(count: asked), history: met, excluded: [met[0]])
                #expect(items.map(\.itemID) == answer.map(\.itemID))
                for (left, right) in zip(items, answer) { #expect(abs(left.score - right.score) < 1e-5) }
            }
        }
    }

    @Test func manyNewItemsDoNotCrowdOutOfABatchWhatIsRankedBeforeThem() {
        // By content alone 300 new items are far above all known ones, and what ranks last puts them far below.
        let plain = ContentShelf.snapshot(new: 1_200)
        let prices = ItemPrices(Dictionary(uniqueKeysWithValues: (40..<1_240).map { ("i\($0)", Float(100)) }))
        let snapshot = plain.withPrices(prices), met = ["i0", "i4"]
        func batch(_ snapshot: ServingSnapshot) -> [String] {
            BatchRecommender(snapshot: snapshot)
                .recommend(count: 10, history: history(met), excluded: [], attributes: nil, now: now).map(\.itemID)
        }
        func isKnown(_ item: String) -> Bool { Int(item.dropFirst()) ?? 99 < ContentShelf.trained }
        #expect(!batch(plain).contains(where: isKnown))
        #expect(batch(snapshot).allSatisfy(isKnown), "\(batch(snapshot))")
        #expect(batch(snapshot) == snapshot.answer(RecommendationQuery(count: 10), history: met).map(\.itemID))
    }

    @Test func aBatchStaysAmongItsCandidatesAndFillsUpFromThem() {
        var shop = Shop(seed: 50, items: 100)
        shop.change(50)
        let ids = shop.entries.keys.sorted()
        let candidates = Array(ids.prefix(40)) + ["no such item", ids[0]]
        let batch = BatchRecommender(snapshot: shop.snapshot, candidates: candidates)
        let allowed = Set(shop.admissible(nil, excluding: [])).intersection(candidates)
        #expect(batch.candidateCount == allowed.count)
        for met in [[], ["i1", "i2"]] {
            let items = batch.recommend(count: 1_000, history: history(met), excluded: [], attributes: nil, now: now)
            #expect(Set(items.map(\.itemID)) == allowed)
            #expect(items.count == allowed.count)
            for (left, right) in zip(items, items.dropFirst()) { #expect(left.score >= right.score) }
        }
        let few = batch.recommend(
            count: 5, history: history([]), excluded: Array(allowed.sorted().dropLast(2)), attributes: nil, now: now)
        #expect(few.count == 2)
    }

    @Test func statesTellWhatServingCanDo() {
        let snapshot = ServingSnapshot(
            catalogue: [CatalogueEntry(itemID: "indexed"), CatalogueEntry(itemID: "hidden", available: false)],
            catalogueVersion: 1, model: meanModel(1), itemVectors: [1, 1]
        ).applying(
            [
                .upsert(CatalogueEntry(itemID: "fresh"), vector: [1], origin: .content),
                .upsert(CatalogueEntry(itemID: "unencoded"), vector: nil, origin: .content),
                .upsert(CatalogueEntry(itemID: "damaged"), vector: [.nan], origin: .content),
                .delete(itemID: "never seen"),
            ], catalogueVersion: 2)
        for state in [ItemState.indexed, .hidden, .fresh, .unencoded] {
            #expect(snapshot.state(of: state.rawValue) == state)
        }
        #expect(snapshot.state(of: "damaged") == .unencoded)
        #expect(snapshot.state(of: "never seen") == .unknown)
        #expect(snapshot.itemCount == 5)
        #expect(snapshot.availableCount == 4)
    }
}
