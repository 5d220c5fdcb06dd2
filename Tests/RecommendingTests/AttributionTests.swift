import CandidateRanking
import Interactions
import Recommending
import Testing

@Suite("An explanation names what moved the score")
struct AttributionTests {
    private static let items = 40, mat = 39

    /// Forty items that point in four directions in turn; the last one is a doormat, which lies in all of them.
    private func snapshot(_ ranker: CandidateRanker?, blend: RankingBlend? = nil) -> ServingSnapshot {
        let vectors = (0..<Self.items).flatMap { item in
            (0..<4).map { direction -> Float in item == Self.mat ? 2 : item % 4 == direction ? 1 : 0 }
        }
        return ServingSnapshot(
            catalogue: (0..<Self.items).map { CatalogueEntry(itemID: "i\($0)", categories: ["c\($0 % 2)"]) }, catalogueVersion: 1,
            model: meanModel(4), itemVectors: vectors, blend: blend
        ).withRanker(ranker)
    }

    /// Thirty people who had item 20, or went from 0 to 10, or had others.
    private func ranker(_ signals: [CandidateSignal: Float], interest: Float) -> CandidateRanker {
        let many: [[Int32]] = (0..<30).map { (user: Int) -> [Int32] in
            let others = (0..<6).map { (place: Int) -> Int32 in Int32((user * 5 + place * 7) % 19 + 21) % Int32(Self.mat) }
            return [20, 0, 10] + others
        }
        let few: [[Int32]] = (0..<10).map { (user: Int) -> [Int32] in (0..<5).map { Int32((user * 3 + $0) % 9 + 1) } }
        let users = many + few
        return countedRanker(
            signals, interest: interest, users: users, items: Self.items, levels: [((0..<Self.items).map { Int32($0 % 2) }, 2)])
    }

    private func first(
        _ snapshot: ServingSnapshot, _ met: [String], excluded: [String] = [], type: InteractionType = .click
    ) -> RecommendedItem? {
        recommend(
            RecommendationQuery(count: 5, explain: true), history: history(met, type: type), excluded: excluded, attributes: nil,
            snapshot: snapshot, now: now, requestID: "r"
        ).items.first
    }

    @Test("what the user had again and again, with how often")
    func own() {
        let found = first(snapshot(ranker([.ownLines: 5], interest: 0.001)), ["i3", "i7", "i3", "i3"], type: .purchase)
        #expect(found?.itemID == "i3" && found?.strongest == .own && found?.reason == .personal)
        #expect(found?.explanation == "Because you bought it before")
        // Without a ranker the blend's own terms say it.
        let blend = blend([.tower: 0.01, .own: 3, .ownCount: 2])
        let plain = first(snapshot(nil, blend: blend), ["i3", "i7", "i3", "i3"])
        #expect(plain?.itemID == "i3" && plain?.strongest == .own && plain?.explanation == "Because you looked at it 3 times")
    }

    @Test("what goes with an item of the history, and which")
    func goesWith() {
        // Nobody ever had 15 or 16, so that nothing follows them.
        let met = ["i15", "i0", "i16"]
        let found = first(snapshot(ranker([.followers: 3], interest: 0.001)), met, excluded: met)
        #expect(found?.itemID == "i10" && found?.strongest == .goesWith && found?.reason == .similar)
        #expect(found?.explanation == "Because you looked at i0")
        let plain = first(snapshot(nil, blend: blend([.tower: 0.01, .transition: 20])), ["i0"], excluded: ["i0", "i20"])
        #expect(plain?.itemID == "i10" && plain?.strongest == .goesWith && plain?.explanation == "Because you looked at i0")
    }

    @Test("what many people take, with how many")
    func popularity() {
        let found = first(snapshot(ranker([.users28: 3], interest: 0.001)), ["i5"], excluded: ["i5", "i0", "i10"])
        #expect(found?.itemID == "i20" && found?.strongest == .popularity && found?.reason == .trending)
        #expect(found?.explanation == "Popular: taken by 30 people in 28 days")
        let plain = first(snapshot(nil, blend: blend([.tower: 0.01, .popularity: 5])), ["i5"], excluded: ["i5", "i0", "i10"])
        #expect(plain?.itemID == "i20" && plain?.reason == .trending && plain?.explanation == "Popular in c0")
    }

    @Test("what the towers found, with the item of the history without which they would not have")
    func towers() {
        let met = ["i0", "i1"]
        let found = first(snapshot(ranker([:], interest: 1)), met, excluded: met + ["i39"])
        #expect(found?.strongest == .towers && found?.reason == .personal)
        let near = (found?.itemID.dropFirst()).flatMap { Int($0) }.map { $0 % 4 } ?? -1
        #expect(found?.explanation == "Because you looked at i\(near)")
    }

    @Test("what lies in everybody's direction is popular, and nobody's taste")
    func doormat() {
        for met in [["i0"], ["i1", "i2"], ["i3", "i6", "i9"]] {
            let found = first(snapshot(ranker([:], interest: 1)), met, excluded: met)
            #expect(found?.itemID == "i39" && found?.strongest == .popularity && found?.reason == .trending)
            #expect(found?.explanation?.hasPrefix("Popular") == true)
        }
    }

    @Test("what the user had of a category")
    func category() {
        let met = ["i1", "i3", "i5"]
        let found = first(snapshot(ranker([.groupLines: 5], interest: 0.001)), met, excluded: met)
        #expect(found?.strongest == .category && found?.reason == .personal)
        #expect((found?.itemID.dropFirst()).flatMap { Int($0) }.map { $0 % 2 } == 1)
        #expect(found?.explanation?.hasPrefix("Because you had something of this kind") == true)
    }

    @Test("only what the user met is named; reasons are the same unexplained, and a batch that explains says what requests say")
    func met() {
        let signals: [CandidateSignal: Float] = [.followers: 0.4, .users28: 0.2, .ownLines: 0.3, .easeShare: 1, .groupLines: 0.1]
        let snapshot = snapshot(ranker(signals, interest: 1), blend: blend([.tower: 1, .transition: 0.3, .popularity: 0.2, .own: 0.5]))
        let batch = BatchRecommender(snapshot: snapshot)
        var kinds = Set<SignalGroup>()
        for start in 0..<20 {
            let met = ["i\(start)", "i\(start * 7 % 40)", "i\(start * 3 % 40)", "no such item"]
            let explained = snapshot.answer(RecommendationQuery(count: 12, explain: true), history: met)
            let plain = snapshot.answer(RecommendationQuery(count: 12), history: met)
            #expect(plain.map(\.reason) == explained.map(\.reason) && plain.allSatisfy { $0.explanation == nil })
            for item in explained {
                if let kind = item.strongest { kinds.insert(kind) }
                let words = item.explanation?.split(separator: " ") ?? []
                for word in words where word.hasPrefix("i") && Int(word.dropFirst()) != nil { #expect(met.contains(String(word))) }
            }
            func list(_ explain: Bool) -> [RecommendedItem] {
                batch.recommend(count: 12, history: history(met), excluded: [], attributes: nil, now: now, explain: explain)
            }
            let some = list(true), silent = list(false)
            #expect(some.map(\.itemID) == explained.map(\.itemID) && some.map(\.explanation) == explained.map(\.explanation))
            #expect(silent.map(\.itemID) == some.map(\.itemID) && silent.allSatisfy { $0.strongest == nil && $0.explanation == nil })
        }
        #expect(kinds.count >= 2)
    }

    private func blend(_ weights: [RankingFeature: Float]) -> RankingBlend {
        var sequences = Sequences()
        for user in 0..<30 { sequences.add([0, 10, 20, Int32(user % 9 + 21), 20]) }
        for row in Int32(1)..<39 where row != 10 { sequences.add([row, (row * 7) % 9 + 21]) }
        return RankingBlend(
            weights: BlendWeights(RankingFeature.allCases.map { weights[$0] ?? 0 }), tables: sequences.tables(itemCount: Self.items))
    }
}
