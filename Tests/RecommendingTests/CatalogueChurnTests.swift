import Interactions
import Recommending
import Testing

/// Items that come and go between two builds: what is left of them, and that the others are found as if nothing had been.
struct CatalogueChurnTests {
    private static let dimension = 6

    private func upsert(_ itemID: String, _ vector: [Float]) -> CatalogueChange {
        .upsert(CatalogueEntry(itemID: itemID), vector: vector, origin: .content)
    }

    @Test func afterAnyChangesTheAnswerIsThatOfAFreshBuild() {
        var random = SeededRandom(state: 41)
        var vectors = Dictionary(uniqueKeysWithValues: (0..<300).map { ("i\($0)", random.vector(Self.dimension)) })
        func built() -> ServingSnapshot {
            let ids = vectors.keys.sorted()
            return ServingSnapshot(
                catalogue: ids.map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1, model: meanModel(Self.dimension),
                itemVectors: ids.flatMap { vectors[$0] ?? [] })
        }
        var snapshot = built()
        for step in 0..<20 {
            var changes: [CatalogueChange] = []
            for _ in 0..<100 {
                // One that is there, or one of a few that come and go all the time; the history's item stays.
                let itemID =
                    Bool.random(using: &random)
                    ? "n\(Int.random(in: 0..<700, using: &random))" : "i\(Int.random(in: 1..<300, using: &random))"
                if Int.random(in: 0..<3, using: &random) == 0 {
                    changes.append(.delete(itemID: itemID))
                    vectors[itemID] = nil
                } else {
                    let vector = random.vector(Self.dimension)
                    changes.append(upsert(itemID, vector))
                    vectors[itemID] = vector
                }
            }
            snapshot = snapshot.applying(changes, catalogueVersion: Int64(step + 2))
            let query = RecommendationQuery(count: 1_000)
            let found = snapshot.answer(query, history: ["i0"]), expected = built().answer(query, history: ["i0"])
            #expect(found.map(\.itemID) == expected.map(\.itemID), "step \(step)")
            #expect(found.map(\.score) == expected.map(\.score), "step \(step)")
            #expect(snapshot.freshCount <= vectors.count && snapshot.availableCount == vectors.count)
        }
    }

    @Test func aWaveThatIsGoneLeavesNoVectorsAndAsksForABuild() {
        var snapshot = Shop(seed: 5, items: 50).snapshot
        let wave = (0..<6_000).map { "wave\($0)" }
        snapshot = snapshot.applying(
            wave.map { .upsert(CatalogueEntry(itemID: $0), vector: [Float](repeating: 1, count: Shop.dimension), origin: .content) },
            catalogueVersion: 2)
        #expect(snapshot.freshCount == wave.count && snapshot.lapsedCount == 0)
        #expect(!RebuildPolicy().isDue(for: snapshot))
        let half = snapshot.applying(wave.prefix(3_000).map { .delete(itemID: $0) }, catalogueVersion: 3)
        #expect(half.freshCount == 3_000 && half.lapsedCount == 3_000 && !RebuildPolicy().isDue(for: half))
        let gone = half.applying(wave.map { .delete(itemID: $0) }, catalogueVersion: 4)
        #expect(gone.freshCount == 0 && gone.lapsedCount == wave.count && gone.removedCount == 0)
        #expect(RebuildPolicy().isDue(for: gone))
        // One that comes back has its row again and is no longer gone.
        let back = gone.applying(
            [.upsert(CatalogueEntry(itemID: "wave7"), vector: [Float](repeating: 1, count: Shop.dimension), origin: .content)],
            catalogueVersion: 5)
        #expect(back.freshCount == 1 && back.lapsedCount == wave.count - 1 && back.itemCount == gone.itemCount)
        #expect(back.state(of: "wave7") == .fresh && back.state(of: "wave8") == .hidden)
    }

    @Test func aWaveThatIsGoneDoesNotHideWhatCameBeforeIt() {
        var snapshot = ContentShelf.snapshot(new: 0)
        let wanted = (0..<12).map { "late\($0)" }
        func come(_ ids: [String], _ place: (Int) -> Int) {
            snapshot = snapshot.applying(
                ids.map { .upsert(CatalogueEntry(itemID: $0), vector: [0.1, 0.1], origin: .content) },
                catalogueVersion: snapshot.catalogueVersion + 1
            ).learningContent(
                ids.enumerated().map { ContentSignals.Entry(itemID: $1, content: ContentShelf.content(place($0)), isTrained: false) })
        }
        func go(_ ids: [String]) {
            snapshot = snapshot.applying(ids.map { .delete(itemID: $0) }, catalogueVersion: snapshot.catalogueVersion + 1)
        }
        come(wanted) { $0 }
        let query = RecommendationQuery(count: 3), met = ["i1", "i5", "i9"]
        let before = snapshot.answer(query, history: met, excluded: met).map(\.itemID)
        #expect(before.allSatisfy { wanted.contains($0) })
        for wave in 0..<6 {
            let ids = (0..<1_200).map { "wave\(wave)-\($0)" }
            come(ids) { $0 % 4 == 1 ? $0 + 1 : $0 }
            #expect(snapshot.answer(query, history: met, excluded: met).map(\.itemID) == before)
            go(ids)
        }
        #expect(snapshot.answer(query, history: met, excluded: met).map(\.itemID) == before)
        // Ranked among everything they stand where the request, which recalls, puts them.
        let batch = BatchRecommender(snapshot: snapshot).recommend(
            count: 3, history: history(met), excluded: met, attributes: nil, now: now)
        #expect(batch.map(\.itemID) == before)
        // A change of content is seen, the old one is not.
        come([before[0]]) { $0 + 2 }
        #expect(!snapshot.answer(query, history: met, excluded: met).map(\.itemID).contains(before[0]))
    }
}
