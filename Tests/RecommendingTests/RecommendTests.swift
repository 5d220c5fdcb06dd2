import Interactions
import Recommending
import Testing

struct RecommendTests {
    @Test(arguments: 1...12)
    func answersKeepEveryPromiseOnRandomShops(seed: Int) {
        var shop = Shop(seed: UInt64(seed), items: 40 + seed * 13, indexed: seed % 4 != 0)
        for _ in 0..<25 {
            shop.change(Int.random(in: 0...12, using: &shop.random))
            let ids = shop.entries.keys.sorted()
            let met = (0..<Int.random(in: 0...9, using: &shop.random)).compactMap { _ in
                ids.randomElement(using: &shop.random)
            }
            let excluded = (0..<Int.random(in: 0...20, using: &shop.random)).compactMap { _ in
                ids.randomElement(using: &shop.random)
            }
            let half = excluded.count / 2
            let count = Int.random(in: 1...60, using: &shop.random)
            let category = Bool.random(using: &shop.random) ? Shop.categories.randomElement(using: &shop.random) : nil
            let query = RecommendationQuery(
                userID: "u", count: count, category: category, exclude: Array(excluded[half...]) + ["no such item"])
            let items = shop.snapshot.answer(query, history: met + ["no such item"], excluded: Array(excluded[..<half]))

            let admissible = Set(shop.admissible(category, excluding: Set(excluded)))
            #expect(Set(items.map(\.itemID)).count == items.count)
            #expect(items.allSatisfy { admissible.contains($0.itemID) })
            #expect(items.count == min(count, admissible.count))
            for (left, right) in zip(items, items.dropFirst()) { #expect(left.score >= right.score) }

            // With an exact index the personal part is exactly the plain reference.
            let reference = shop.reference(met, count, category: category, excluding: Set(excluded))
            let personal = items.filter { [.personal, .fresh].contains($0.reason) && shop.vectors[$0.itemID] != nil }
            if !reference.isEmpty {
                #expect(Array(items.map(\.itemID).prefix(reference.count)) == reference)
                for item in personal.prefix(reference.count) {
                    #expect(item.reason == (shop.origins[item.itemID] == .content ? .fresh : .personal))
                }
            }
        }
    }

    @Test func changesGiveTheSameAnswersAsABuildFromScratch() {
        var shop = Shop(seed: 5, items: 200)
        for _ in 0..<20 { shop.change(30) }
        let ids = shop.entries.keys.sorted()
        let built = ServingSnapshot(
            catalogue: ids.compactMap { id in shop.vectors[id] != nil ? shop.entries[id] : nil }
                + ids.compactMap { id in shop.vectors[id] == nil ? shop.entries[id] : nil },
            catalogueVersion: 21, model: meanModel(Shop.dimension),
            itemVectors: ids.compactMap { shop.vectors[$0] }.flatMap { $0 }, trending: shop.trending)
        for start in stride(from: 0, to: 180, by: 20) {
            let met = Array(ids[start..<start + 3])
            for category in [nil, "maps"] {
                let query = RecommendationQuery(count: 15, category: category)
                #expect(
                    shop.snapshot.answer(query, history: met).map(\.itemID)
                        == built.answer(query, history: met).map(\.itemID))
            }
        }
    }

    @Test func aChangeLeavesTheOldSnapshotAsItWas() {
        var shop = Shop(seed: 6, items: 300)
        let before = shop.snapshot
        let answer = before.answer(RecommendationQuery(count: 50), history: ["i1", "i2"])
        let count = before.availableCount
        for _ in 0..<10 { shop.change(50) }
        #expect(before.answer(RecommendationQuery(count: 50), history: ["i1", "i2"]) == answer)
        #expect(before.availableCount == count)
        #expect(shop.snapshot.catalogueVersion == 11)
        #expect(before.catalogueVersion == 1)
    }

    @Test func aHiddenItemIsGoneFromTheNextSnapshotAndComesBack() {
        let shop = Shop(seed: 7, items: 50)
        guard let first = shop.snapshot.answer(history: ["i1"]).first, let entry = shop.entries[first.itemID] else {
            Issue.record("no answer")
            return
        }
        var hidden = entry
        hidden.available = false
        let without = shop.snapshot.applying([.upsert(hidden, vector: nil, origin: .content)], catalogueVersion: 2)
        #expect(without.state(of: entry.itemID) == .hidden)
        #expect(!without.answer(RecommendationQuery(count: 50), history: ["i1"]).contains { $0.itemID == entry.itemID })
        let again = without.applying([.upsert(entry, vector: nil, origin: .content)], catalogueVersion: 3)
        #expect(again.answer(history: ["i1"]).first == first)
    }

    @Test func aNewItemIsRecallableAtOnceAndAReplacedVectorReplaces() {
        let shop = Shop(seed: 8, items: 100)
        guard let taste = shop.userVector(["i3"]) else { return }
        let new = CatalogueEntry(itemID: "new", categories: ["tents"])
        let match = taste.map { $0 * 10 }
        let snapshot = shop.snapshot.applying([.upsert(new, vector: match, origin: .content)], catalogueVersion: 2)
        #expect(snapshot.state(of: "new") == .fresh)
        #expect(snapshot.freshCount == 1)
        let first = snapshot.answer(history: ["i3"]).first
        #expect(first?.itemID == "new")
        #expect(first?.reason == .fresh)

        // The opposite vector sends it to the end; an adapted one has its own reason.
        let opposite = snapshot.applying(
            [.upsert(new, vector: taste.map { $0 * -10 }, origin: .content)], catalogueVersion: 3)
        #expect(opposite.freshCount == 1)
        #expect(opposite.answer(RecommendationQuery(count: 10), history: ["i3"]).allSatisfy { $0.itemID != "new" })
        let adapted = snapshot.applying([.upsert(new, vector: match, origin: .adapted)], catalogueVersion: 3)
        #expect(adapted.answer(history: ["i3"]).first?.reason == .adapted)
    }

    @Test func askingForAThousandAndForNothingIsBounded() {
        let shop = Shop(seed: 9, items: 1_500)
        #expect(shop.snapshot.answer(RecommendationQuery(count: 5_000), history: ["i1"]).count == 1_000)
        #expect(shop.snapshot.answer(RecommendationQuery(count: 0), history: ["i1"]).count == 1)
        #expect(shop.snapshot.answer(RecommendationQuery(count: -4)).count == 1)
    }

    @Test func whoHasExcludedNearlyEverythingStillGetsTheRest() {
        let shop = Shop(seed: 10, items: 2_000)
        let ids = shop.entries.keys.sorted()
        let excluded = Array(ids.prefix(1_950))
        let items = shop.snapshot.answer(RecommendationQuery(count: 100), history: ["i1"], excluded: excluded)
        #expect(Set(items.map(\.itemID)) == Set(shop.admissible(nil, excluding: Set(excluded))))
    }

    @Test func equalScoresAreOrderedByItemID() {
        let ids = ["d", "b", "a", "c"]
        let snapshot = ServingSnapshot(
            catalogue: ids.map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1, model: meanModel(2),
            itemVectors: [1, 0, 1, 0, 1, 0, 1, 0], index: ExactIndex(vectors: [1, 0, 1, 0, 1, 0, 1, 0], dimension: 2))
        #expect(snapshot.answer(history: ["a"]).map(\.itemID) == ["a", "b", "c", "d"])
    }

    @Test func aModelThatAnswersNonsenseDoesNotReachTheUser() {
        let broken: [@Sendable (UserTowerInput, EventTime) -> [Float]?] = [
            { _, _ in [.nan, 1] }, { _, _ in [1] }, { _, _ in nil },
        ]
        for encode in broken {
            let snapshot = ServingSnapshot(
                catalogue: [CatalogueEntry(itemID: "a"), CatalogueEntry(itemID: "b")], catalogueVersion: 1,
                model: ServingModel(version: 1, dimension: 2, encodeUser: encode), itemVectors: [1, 0, 0, 1],
                trending: [TrendingItem(itemID: "b", score: 3)])
            #expect(snapshot.answer().map(\.itemID) == ["b", "a"])
            // With a history the newest item stands in for the user tower.
            let items = snapshot.answer(history: ["b", "a"])
            #expect(items.first?.itemID == "a")
            #expect(items.first?.reason == .similar)
        }
    }

    @Test func theUserTowerSeesTheNewestKnownItemsOldestFirst() {
        let model = ServingModel(version: 1, dimension: 1, historyLimitItems: 2) { input, time in
            #expect(input.vectors == [2, 4])
            #expect(input.rows == [1, 3])
            #expect(input.types == [.click, .click])
            #expect(input.times.map(\.milliseconds) == [1_001, 1_003])
            #expect(input.attributes == "{\"age\":25}")
            #expect(input.context == ["device": "phone"])
            #expect(time == now)
            return [1]
        }
        let snapshot = ServingSnapshot(
            catalogue: ["a", "b", "c", "d"].map { CatalogueEntry(itemID: $0, available: $0 != "b") }, catalogueVersion: 1,
            model: model, itemVectors: [1, 2, 3, 4])
        let answer = recommend(
            RecommendationQuery(userID: "u1", context: ["device": "phone"]),
            history: history(["a", "b", "unknown", "d"]), excluded: ["a"], attributes: "{\"age\":25}",
            snapshot: snapshot, now: now, requestID: "r9")
        #expect(answer.items.map(\.itemID) == ["d", "c"])
        #expect(answer.requestID == "r9")
        #expect(answer.userID == "u1")
        #expect(answer.modelVersion == 1)
    }
}
