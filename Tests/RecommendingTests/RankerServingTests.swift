import CandidateRanking
import Features
import Interactions
import Recommending
import Tensors
import Testing

@Suite("A ranker over counters orders what is served")
struct RankerServingTests {
    private static let items = 120

    /// A linear network in which some signals count.
    private func ranker(_ signals: [CandidateSignal: Float], interest: Float = 1) -> CandidateRanker {
        countedRanker(
            signals, interest: interest,
            users: (0..<50).map { user in (0..<12).map { Int32(((user * 12 + $0) * 17 + user) % Self.items) } }, items: Self.items)
    }

    @Test("a batch gives what requests give")
    func batch() {
        for seed in 1...4 {
            let shop = Shop(seed: UInt64(300 + seed), items: Self.items)
            let snapshot = shop.snapshot.withRanker(ranker([.users: 0.3, .followers: 0.5, .ownLines: 1], interest: 0.7))
            let batch = BatchRecommender(snapshot: snapshot)
            for start in 0..<8 {
                let met = ["i\(start)", "i\(start + 20)", "i\(start)", "no such item"]
                let items = batch.recommend(count: 20, history: history(met), excluded: [], attributes: nil, now: now)
                let answer = snapshot.answer(RecommendationQuery(count: 20), history: met)
                #expect(items.map(\.itemID) == answer.map(\.itemID))
                #expect(zip(items, answer).allSatisfy { abs($0.score - $1.score) < 1e-4 })
            }
        }
    }

    @Test("the user's own items come first where they count, and what is excluded or hidden never comes")
    func own() {
        let shop = Shop(seed: 310, items: Self.items), met = ["i3", "i50", "i77", "i50"]
        let shown = met.filter { shop.entries[$0]?.available == true }
        let snapshot = shop.snapshot.withRanker(ranker([.ownLines: 100], interest: 0.01))
        let answer = snapshot.answer(RecommendationQuery(count: 10), history: met)
        #expect(Set(answer.prefix(Set(shown).count).map(\.itemID)) == Set(shown) && answer.count == 10)
        let without = snapshot.answer(RecommendationQuery(count: 10), history: met, excluded: ["i50"])
        #expect(!without.contains { $0.itemID == "i50" } && without.allSatisfy { shop.entries[$0.itemID]?.available == true })
    }

    @Test("scores of a list that is to be ranked are those of the ranker, for items that it does not know, too")
    func ranked() {
        let shop = Shop(seed: 320, items: Self.items), ranker = ranker([.users: 2], interest: 0.5)
        let snapshot = shop.snapshot.withRanker(ranker), plain = shop.snapshot
        let asked = ["i3", "i9", "i60"].filter { shop.entries[$0]?.available == true }
        let before = plain.answer(RecommendationQuery(items: asked), history: ["i1"])
        let after = snapshot.answer(RecommendationQuery(items: asked), history: ["i1"])
        #expect(Set(before.map(\.itemID)) == Set(after.map(\.itemID)))
        let user = CandidateSignals(
            CandidateHistory(rows: [1], times: [0], amounts: [0], isPurchase: [false], now: now.milliseconds), tables: ranker.tables)
        for item in after {
            let row = Int32(item.itemID.dropFirst()) ?? -1, interest = before.first { $0.itemID == item.itemID }?.score ?? 0
            let expected = ranker.scores([row], interests: [interest], user: user)[0]
            #expect(abs(item.score - expected) < 1e-3)
        }
        // An item that came after the training has no counts and is ranked all the same.
        let later = snapshot.applying(
            [.upsert(CatalogueEntry(itemID: "new"), vector: [Float](repeating: 0.1, count: Shop.dimension), origin: .trained)],
            catalogueVersion: 2)
        #expect(later.answer(RecommendationQuery(items: ["new", "i3"]), history: ["i1"]).contains { $0.itemID == "new" })
    }

    @Test("a newcomer gets what a newcomer gets")
    func newcomer() {
        let shop = Shop(seed: 330, items: Self.items), snapshot = shop.snapshot.withRanker(ranker([.users: 5]))
        #expect(
            snapshot.answer(RecommendationQuery(count: 10), history: []).map(\.itemID)
                == shop.snapshot.answer(RecommendationQuery(count: 10), history: []).map(\.itemID))
    }
}
