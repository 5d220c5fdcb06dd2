import ContentModel
import Interactions
import Recommending
import Testing

/// Items that the model never trained on, scored by their content.
struct ContentSignalsTests {
    private static let trained = ContentShelf.trained

    private func snapshot(new: Int = 0) -> ServingSnapshot { ContentShelf.snapshot(new: new) }

    private static func content(_ item: Int) -> ItemContent { ContentShelf.content(item) }

    @Test func newItemsLikeTheHistoryComeFirst() {
        let snapshot = snapshot(new: 12)
        for subject in 0..<4 {
            let met = [subject, subject + 4, subject + 8].map { "i\($0)" }
            let answer = snapshot.answer(RecommendationQuery(count: 3), history: met, excluded: met)
            #expect(Set(answer.map(\.itemID)) == Set([0, 4, 8].map { "i\(Self.trained + subject + $0)" }))
            #expect(answer.allSatisfy { $0.reason == .fresh })
            let batch = BatchRecommender(snapshot: snapshot).recommend(
                count: 3, history: history(met), excluded: met, attributes: nil, now: now)
            #expect(batch.map(\.itemID) == answer.map(\.itemID))
        }
    }

    @Test func anItemThatArrivesIsFoundAndOneThatGoesIsNot() {
        let met = ["i1", "i5", "i9"]
        var snapshot = snapshot()
        let query = RecommendationQuery(count: 1)
        let before = snapshot.answer(query, history: met, excluded: met).first
        #expect(before?.reason == .personal)
        let entry = CatalogueEntry(itemID: "late")
        snapshot = snapshot.applying([.upsert(entry, vector: [0.1, 0.1], origin: .content)], catalogueVersion: 2)
            .learningContent([ContentSignals.Entry(itemID: "late", content: Self.content(1), isTrained: false)])
        #expect(snapshot.answer(query, history: met, excluded: met).first?.itemID == "late")
        #expect(snapshot.answer(query, history: ["i0", "i4"], excluded: met).first?.itemID != "late")
        // Another content makes it another item.
        let changed = snapshot.learningContent([ContentSignals.Entry(itemID: "late", content: Self.content(0), isTrained: false)])
        #expect(changed.answer(query, history: met, excluded: met).first?.itemID != "late")
        #expect(changed.answer(query, history: ["i0", "i4"], excluded: ["i0", "i4"]).first?.itemID == "late")
        let gone = snapshot.applying([.delete(itemID: "late")], catalogueVersion: 3)
        #expect(gone.answer(RecommendationQuery(count: 50), history: met).allSatisfy { $0.itemID != "late" })
    }

    @Test func trainedItemsKeepTheirScores() {
        let plain = snapshot(new: 12).withContent(nil), own = snapshot(new: 12), met = ["i2", "i6"]
        let scores = Dictionary(
            uniqueKeysWithValues: plain.answer(RecommendationQuery(count: 60), history: met).map { ($0.itemID, $0.score) })
        for item in own.answer(RecommendationQuery(count: 60), history: met) {
            let isNew = Int(item.itemID.dropFirst()).map { $0 >= Self.trained } ?? false
            #expect((item.score == scores[item.itemID]) == !isNew, "\(item.itemID)")
        }
    }

    @Test func aNewItemIsSimilarByItsContent() throws {
        let snapshot = snapshot(new: 12)
        for subject in 0..<4 {
            let answer = try #require(similar(to: "i\(Self.trained + subject)", count: 3, snapshot: snapshot, requestID: "r"))
            #expect(answer.items.count == 3)
            for item in answer.items {
                #expect(Int(item.itemID.dropFirst()).map { $0 % 4 } == subject, "\(item)")
                #expect(item.reason == .similar)
            }
            #expect(zip(answer.items, answer.items.dropFirst()).allSatisfy { $0.score >= $1.score })
        }
        // More than content can tell: the towers fill up, below.
        let all = try #require(similar(to: "i\(Self.trained)", count: 50, snapshot: snapshot, requestID: "r")).items
        #expect(all.count == 50 && Set(all.map(\.itemID)).count == 50)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.score >= $1.score })
    }

    @Test func aLateItemIsFoundByContentAndOneThatIsGoneIsNot() throws {
        let entry = CatalogueEntry(itemID: "late")
        let later = snapshot(new: 4).applying([.upsert(entry, vector: [0.1, 0.1], origin: .content)], catalogueVersion: 2)
            .learningContent([ContentSignals.Entry(itemID: "late", content: Self.content(41), isTrained: false)])
        func found(_ itemID: String, _ snapshot: ServingSnapshot) throws -> [String] {
            try #require(similar(to: itemID, count: 3, snapshot: snapshot, requestID: "r")).items.map(\.itemID)
        }
        #expect(try found("i41", later).contains("late"))
        #expect(try found("late", later).allSatisfy { Int($0.dropFirst()).map { $0 % 4 } == 1 })
        let gone = later.applying([.delete(itemID: "late")], catalogueVersion: 3)
        #expect(try !found("i41", gone).contains("late"))
    }
}
