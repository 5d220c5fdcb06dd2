import ContentModel
import Interactions
import Recommending
import Testing

/// New items that are found by an index of their contents.
struct ContentRecallTests {
    private static let users = [["i1", "i5", "i9"], ["i0", "i4"], ["i2", "i3", "i7"], ["i6"]]

    private static func indexed(_ snapshot: ServingSnapshot) -> ServingSnapshot {
        snapshot.indexingNewItems(from: 1) { ExactIndex(vectors: $0.vectors, dimension: $0.dimension) }
    }

    @Test func anIndexStandsWhereItemsAreMany() {
        let few = ContentShelf.snapshot(new: 30)
        #expect(few.indexingNewItems { ExactIndex(vectors: $0.vectors, dimension: $0.dimension) }.contentIndex == nil)
        let index = Self.indexed(few).contentIndex
        #expect(index?.indexed == 30 && index?.later == 0)
        #expect(ContentShelf.snapshot().contentIndex == nil && Self.indexed(ContentShelf.snapshot()).contentIndex == nil)
    }

    @Test func whatAnIndexThrowsIsThrownOn() {
        struct Broken: Error {}
        #expect(throws: Broken.self) { try ContentShelf.snapshot(new: 30).indexingNewItems(from: 1) { _ in throw Broken() } }
    }

    /// Items come, change, go, hide and come back, in any order: with an index the answers are those without.
    @Test(arguments: 1...6) func answersAreThoseOfComparingEach(seed: UInt64) {
        var random = SeededRandom(state: seed)
        var plain = ContentShelf.snapshot(new: 60), indexed = Self.indexed(plain), version: Int64 = 2
        var known = (0..<100).map { "i\($0)" }
        for step in 0..<60 {
            version += 1
            let isNew = Int.random(in: 0..<3, using: &random) == 0
            let id = isNew ? "late\(step)" : known.randomElement(using: &random)!
            let isTrained = Int(id.dropFirst()).map { $0 < ContentShelf.trained } ?? false
            if isNew { known.append(id) }
            let kind = Int.random(in: 0..<4, using: &random), content = ContentShelf.content(Int.random(in: 0..<400, using: &random))
            func changed(_ snapshot: ServingSnapshot) -> ServingSnapshot {
                if kind == 0 { return snapshot.applying([.delete(itemID: id)], catalogueVersion: version) }
                let entry = CatalogueEntry(itemID: id, categories: ["c\(kind)"], available: kind != 1)
                let change = CatalogueChange.upsert(entry, vector: [0.1, 0.1], origin: isTrained ? .trained : .content)
                return snapshot.applying([change], catalogueVersion: version).learningContent([
                    ContentSignals.Entry(itemID: id, content: content, isTrained: isTrained, isAvailable: kind != 1)
                ])
            }
            plain = changed(plain)
            indexed = changed(indexed)
            for met in Self.users {
                for query in [
                    RecommendationQuery(count: 12), RecommendationQuery(count: 5, category: "c2"),
                    RecommendationQuery(count: 5, exclude: ["late\(step)", "i70"]),
                ] {
                    let answer = indexed.answer(query, history: met, excluded: met)
                    #expect(answer.map(\.itemID) == plain.answer(query, history: met, excluded: met).map(\.itemID), "step \(step)")
                    #expect(Set(answer.map(\.itemID)).count == answer.count)
                }
            }
        }
        #expect((indexed.contentIndex?.later ?? 0) > 0)
    }

    /// The index is asked for a few hundred, not for all.
    @Test func whatFitsIsFoundAmongMany() {
        let plain = ContentShelf.snapshot(new: 3_000)
        var asked = 0
        let indexed = plain.indexingNewItems(from: 1_000) { input in
            asked = input.vectors.count / input.dimension
            return ExactIndex(vectors: input.vectors, dimension: input.dimension)
        }
        #expect(asked == 3_000)
        for (subject, met) in [["i1", "i5"], ["i2", "i6"]].enumerated() {
            let answer = indexed.answer(RecommendationQuery(count: 20), history: met, excluded: met)
            #expect(answer.count == 20 && answer.allSatisfy { Int($0.itemID.dropFirst()).map { $0 % 4 } == subject + 1 })
        }
    }

    /// More than are compared one by one must not wait for an index.
    @Test func moreThanAreComparedAskForAnIndex() {
        let policy = RebuildPolicy(), few = ContentShelf.snapshot(new: 5_000), many = ContentShelf.snapshot(new: 5_001)
        #expect(!policy.isDue(for: few) && policy.isDue(for: many) && !policy.isDue(for: Self.indexed(many)))
    }
}
