import Interactions
import Recommending
import Testing

/// Slots for new items, drawn by Thompson sampling.
struct ExplorationTests {
    private static let trained = 60

    /// Sixty trained items and some new ones that came after the index, all alike to the towers.
    private func snapshot(new: Int, indexed: Int = 0) -> ServingSnapshot {
        let old = (0..<Self.trained).map { CatalogueEntry(itemID: "i\($0)", categories: ["c\($0 % 3)"]) }
        let early = (0..<indexed).map { CatalogueEntry(itemID: "e\($0)", categories: ["c0"]) }
        var vectors: [Float] = []
        for place in 0..<Self.trained { vectors += [1, Float(place) / 100] }
        for _ in 0..<indexed { vectors += [0.1, 0.1] }
        let changes = (0..<new).map {
            CatalogueChange.upsert(CatalogueEntry(itemID: "n\($0)", categories: ["c\($0 % 3)"]), vector: [0.1, 0.1], origin: .content)
        }
        return ServingSnapshot(
            catalogue: old + early, catalogueVersion: 1, model: meanModel(2), itemVectors: vectors,
            untrained: (0..<indexed).map { Int32(Self.trained + $0) }
        ).applying(changes, catalogueVersion: 2)
    }

    private func exploring(_ snapshot: ServingSnapshot, _ counts: [ExposureCounts] = [], every: Int = 10) -> ServingSnapshot {
        snapshot.exploring(counts, clickRate: 0.1, rules: ExplorationRules(everySlots: every, untilImpressions: 200))
    }

    private func answer(_ snapshot: ServingSnapshot, _ query: RecommendationQuery, request: String) -> [RecommendedItem] {
        recommend(
            query, history: history(["i1", "i2"]), excluded: [], attributes: nil, snapshot: snapshot, now: now, requestID: request
        ).items
    }

    @Test func oneSlotInTenGoesToANewItemAndNeverTheFirst() {
        let snapshot = exploring(snapshot(new: 20))
        var places = Set<Int>(), explored = Set<String>()
        for request in 0..<200 {
            let items = answer(snapshot, RecommendationQuery(count: 20, explain: true), request: "r\(request)")
            #expect(items.count == 20 && Set(items.map(\.itemID)).count == 20)
            let slots = items.indices.filter { items[$0].isExploration }
            #expect(slots.count == 2 && slots[0] > 0 && slots[0] < 10 && slots[1] >= 10)
            #expect(zip(items, items.dropFirst()).allSatisfy { $0.score >= $1.score })
            for slot in slots {
                places.insert(slot)
                explored.insert(items[slot].itemID)
                #expect(items[slot].reason == .fresh && items[slot].explanation?.contains("exploration") == true)
            }
        }
        #expect(places.count == 19 && explored.count == 20)
    }

    @Test func aShortAnswerExploresAsOftenAsItsLengthSays() {
        let snapshot = exploring(snapshot(new: 20))
        #expect((0..<200).allSatisfy { request in
            !answer(snapshot, RecommendationQuery(count: 1), request: "o\(request)").contains(where: \.isExploration)
        })
        let shown = (0..<2_000).reduce(0) { sum, request in
            sum + answer(snapshot, RecommendationQuery(count: 5), request: "s\(request)").count(where: \.isExploration)
        }
        #expect((850...1_150).contains(shown), "\(shown) of 2,000")
    }

    @Test func theSameRequestHasTheSameAnswer() {
        let snapshot = exploring(snapshot(new: 20))
        let query = RecommendationQuery(count: 20)
        #expect(answer(snapshot, query, request: "a") == answer(snapshot, query, request: "a"))
        #expect(answer(snapshot, query, request: "a") != answer(snapshot, query, request: "b"))
    }

    @Test func whatIsClickedIsShownMoreAndWhatIsKnownNoLonger() {
        let snapshot = snapshot(new: 3)
        let counts = [
            ExposureCounts(itemID: "n0", impressions: 100, clicks: 40), ExposureCounts(itemID: "n1", impressions: 100, clicks: 1),
            ExposureCounts(itemID: "n2", impressions: 200, clicks: 150),
        ]
        let learned = exploring(snapshot, counts)
        #expect(learned.explored.items == 2 && learned.explored.impressions == 200 && learned.explored.clicks == 41)
        var shown: [String: Int] = [:]
        for request in 0..<300 {
            for item in answer(learned, RecommendationQuery(count: 10), request: "r\(request)") where item.isExploration {
                shown[item.itemID, default: 0] += 1
            }
        }
        #expect(shown["n2"] == nil)
        #expect(shown["n0", default: 0] > 10 * shown["n1", default: 0], "\(shown)")
    }

    @Test func whatIsHiddenExcludedOrOfAnotherCategoryIsNotExplored() {
        var snapshot = exploring(snapshot(new: 6, indexed: 3))
        #expect(Set(snapshot.explorableItems()) == Set((0..<6).map { "n\($0)" } + (0..<3).map { "e\($0)" }))
        snapshot = snapshot.applying([.delete(itemID: "n0")], catalogueVersion: 3)
        for request in 0..<100 {
            let items = answer(snapshot, RecommendationQuery(count: 10, category: "c0", exclude: ["n3"]), request: "r\(request)")
            #expect(items.filter(\.isExploration).allSatisfy { ["e0", "e1", "e2"].contains($0.itemID) })
        }
        // A list that the request names is ranked as it is.
        let ranked = answer(snapshot, RecommendationQuery(count: 10, items: ["i3", "i4"]), request: "r")
        #expect(ranked.map(\.itemID).sorted() == ["i3", "i4"])
    }

    @Test func anItemThatArrivesIsExploredBeforeItsCountsAreRead() {
        let before = exploring(snapshot(new: 0))
        #expect(before.explored.items == 0)
        let vector: [Float] = [0.1, 0.1]
        let after = before.applying(
            [.upsert(CatalogueEntry(itemID: "arrived", categories: ["c0"]), vector: vector, origin: .content)], catalogueVersion: 9)
        #expect(after.explored.items == 1)
        let shown = (0..<50).contains { request in
            answer(after, RecommendationQuery(count: 10), request: "r\(request)").contains { $0.itemID == "arrived" && $0.isExploration }
        }
        #expect(shown)
        // Another version of the same record is no second item.
        #expect(
            after.applying([.upsert(CatalogueEntry(itemID: "arrived"), vector: vector, origin: .content)], catalogueVersion: 10).explored
                .items == 1)
    }

    @Test func nothingIsExploredWhereTheRuleSaysNone() {
        let snapshot = exploring(snapshot(new: 20), every: 0)
        #expect(snapshot.explored.items == 0)
        #expect(answer(snapshot, RecommendationQuery(count: 50), request: "r").allSatisfy { !$0.isExploration })
    }
}
