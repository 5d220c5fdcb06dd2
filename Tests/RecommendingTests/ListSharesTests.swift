import Features
import Interactions
import Recommending
import Testing

@Suite("Repeats, discoveries and new items have shares in lists")
struct ListSharesTests {
    private static let met = ["a0", "a1", "a2", "a3", "b0"]

    /// Items of the categories a to e, forty each, the nearer to a the better they fit; thirty new ones of category f that fit worst.
    private static func snapshot(_ shares: ListShares, discount: Float = 1, new: Int = 30, indexed: Bool = true) -> ServingSnapshot {
        var entries: [CatalogueEntry] = [], vectors: [Float] = []
        for (place, category) in ["a", "b", "c", "d", "e"].enumerated() {
            for item in 0..<40 {
                entries.append(CatalogueEntry(itemID: "\(category)\(item)", categories: ["all", category]))
                vectors += [1, 1 - Float(place) / 10 - Float(item) / 1_000]
            }
        }
        let changes = (0..<new).map {
            CatalogueChange.upsert(CatalogueEntry(itemID: "f\($0)", categories: ["f"]), vector: [0.1, 0.1], origin: .content)
        }
        let popular = entries.enumerated().map { TrendingItem(itemID: $1.itemID, score: Double(1_000 - $0)) }
        return ServingSnapshot(
            catalogue: entries, catalogueVersion: 1, model: meanModel(2), itemVectors: vectors,
            index: indexed ? ExactIndex(vectors: vectors, dimension: 2) : nil, trending: popular,
            rules: RecommendingRules(trendingDiscount: 1, categoryDiscount: discount, shares: shares)
        ).applying(changes, catalogueVersion: 2)
    }

    private static func kind(_ item: RecommendedItem) -> ItemKind {
        if met.contains(item.itemID) { return .repeat }
        switch item.itemID.first {
        case "f": return .new
        case "a", "b": return .familiar
        default: return .discovery
        }
    }

    /// Whether every beginning of a list keeps the shares.
    private static func holds(_ shares: ListShares, _ items: [RecommendedItem]) -> Bool {
        (1...max(1, items.count)).allSatisfy { count in
            ItemKind.allCases.allSatisfy { kind in
                let number = items.prefix(count).count { self.kind($0) == kind }
                return number >= shares.least(kind, of: count) && number <= shares.most(kind, of: count)
            }
        }
    }

    @Test("requests and batches keep the shares in every beginning, in order within each kind", arguments: [true, false])
    func kept(indexed: Bool) {
        for shares in [
            ListShares(repeats: 0...10), ListShares(repeats: 10...20, discoveries: 30...50, newItems: 10...20),
            ListShares(discoveries: 50...50, newItems: 50...50), ListShares(newItems: 100...100),
            ListShares(repeats: 0...0, newItems: 0...0),
        ] {
            let snapshot = Self.snapshot(shares, indexed: indexed)
            for count in [1, 3, 10, 25] {
                let items = snapshot.answer(RecommendationQuery(count: count), history: Self.met)
                #expect(items.count == count && Set(items.map(\.itemID)).count == count)
                #expect(Self.holds(shares, items), "\(shares): \(items.map(\.itemID))")
                #expect(zip(items, items.dropFirst()).allSatisfy { $0.score >= $1.score })
                let familiar = items.map(\.itemID).filter { $0.hasPrefix("a") && !Self.met.contains($0) }
                #expect(familiar == (4..<4 + familiar.count).map { "a\($0)" })
                let batch = BatchRecommender(snapshot: snapshot)
                    .recommend(count: count, history: history(Self.met), excluded: [], attributes: nil, now: now)
                #expect(batch.map(\.itemID) == items.map(\.itemID) && batch.map(\.share) == items.map(\.share))
            }
        }
    }

    @Test("without shares nothing differs, and a beginning of a longer list is the shorter one")
    func beginnings() {
        let plain = Self.snapshot(ListShares()).answer(RecommendationQuery(count: 20), history: Self.met)
        #expect(plain.map(\.itemID).prefix(4) == ["a0", "a1", "a2", "a3"] && plain.allSatisfy { $0.share == nil })
        let snapshot = Self.snapshot(ListShares(repeats: 0...20, discoveries: 20...100))
        let long = snapshot.answer(RecommendationQuery(count: 40), history: Self.met).map(\.itemID)
        #expect(snapshot.answer(RecommendationQuery(count: 10), history: Self.met).map(\.itemID) == Array(long.prefix(10)))
    }

    @Test("what runs out is filled by others: all repeats, nothing but new items, no new item at all")
    func dry() {
        let all = Self.snapshot(ListShares(repeats: 100...100)).answer(RecommendationQuery(count: 10), history: Self.met)
        #expect(all.map(Self.kind).prefix(5).allSatisfy { $0 == .repeat } && all.count == 10)
        let none = Self.snapshot(ListShares(newItems: 50...100), new: 0).answer(RecommendationQuery(count: 10), history: Self.met)
        #expect(none.map(\.itemID) == Self.snapshot(ListShares(), new: 0).answer(history: Self.met).map(\.itemID))
        let few = Self.snapshot(ListShares(newItems: 50...100), new: 2).answer(RecommendationQuery(count: 10), history: Self.met)
        #expect(few.count == 10 && few.count { $0.itemID.hasPrefix("f") } == 2)
        // Everything was had: there is nothing else to fill with.
        let everything = Self.snapshot(ListShares(repeats: 0...0), new: 0)
        let ids = everything.answer(RecommendationQuery(count: 1_000)).map(\.itemID)
        var whole = UserHistory(limit: 500)
        for entry in history(ids).entries { whole.insert(entry) }
        let again = recommend(
            RecommendationQuery(count: 10), history: whole, excluded: [], attributes: nil, snapshot: everything, now: now, requestID: "r")
        #expect(again.items.count == 10)
    }

    @Test("nobody's list is shorter or worse: no user, no history, no model")
    func nobody() {
        let shares = ListShares(repeats: 20...40, discoveries: 10...30, newItems: 20...20)
        let empty = Self.snapshot(shares).answer(RecommendationQuery(count: 10))
        #expect(empty.count == 10 && empty.count { $0.itemID.hasPrefix("f") } == 2)
        // All that is not new is a discovery to somebody of whom nothing is known, and fills the rest.
        #expect(empty.filter { !$0.itemID.hasPrefix("f") }.map(\.itemID) == (0..<8).map { "a\($0)" })
        let bare = ServingSnapshot(
            catalogue: (0..<20).map { CatalogueEntry(itemID: "a\($0)") }, catalogueVersion: 1,
            trending: (0..<10).map { TrendingItem(itemID: "a\($0)", score: Double(20 - $0)) },
            rules: RecommendingRules(shares: ListShares(repeats: 20...40, newItems: 10...20)))
        #expect(bare.answer(RecommendationQuery(count: 10)).map(\.itemID) == (0..<10).map { "a\($0)" })
        // What somebody had is put among what is popular, also without a model.
        let had = bare.answer(RecommendationQuery(count: 10), history: ["a15", "a16"]).map(\.itemID)
        #expect(had[4] == "a15" && had[9] == "a16", "\(had)")
        let nothing = ServingSnapshot(catalogue: [], catalogueVersion: 1, rules: RecommendingRules(shares: shares))
        #expect(nothing.answer(history: ["x"]).isEmpty)
    }

    @Test("rules come first: what is excluded, hidden or of another category is no repeat and no discovery of the list")
    func otherRules() {
        let shares = ListShares(repeats: 50...100, discoveries: 30...100)
        let snapshot = Self.snapshot(shares).applying([.delete(itemID: "a1")], catalogueVersion: 3)
        let query = RecommendationQuery(count: 10, exclude: ["a0", "c0"])
        let items = snapshot.answer(query, history: Self.met, excluded: ["a2"]).map(\.itemID)
        #expect(items.count == 10 && Set(items).isDisjoint(with: ["a0", "a1", "a2", "c0"]))
        #expect(Set(items).isSuperset(of: ["a3", "b0", "c1", "c2", "c3"]))
        let category = snapshot.answer(RecommendationQuery(count: 10, category: "d"), history: Self.met)
        #expect(category.count == 10 && category.allSatisfy { $0.itemID.hasPrefix("d") })
        #expect(snapshot.answer(RecommendationQuery(count: 10, category: "no such"), history: Self.met).isEmpty)
        // A list that the request names is ranked as it is.
        let named = snapshot.answer(RecommendationQuery(items: ["a9", "a8", "c5"]), history: Self.met).map(\.itemID)
        #expect(named == ["a8", "a9", "c5"])
        // Spread over main categories the shares hold as well: all of a to e are of one here.
        let spread = Self.snapshot(shares, discount: 0.5).answer(RecommendationQuery(count: 10), history: Self.met)
        #expect(Self.holds(shares, spread))
    }

    @Test("what was only shown, was returned, or is of no category")
    func had() {
        let snapshot = Self.snapshot(ListShares(repeats: 100...100))
        var past = UserHistory(limit: 200)
        for (place, (item, type)) in [("a0", InteractionType.impression), ("a1", .purchase), ("a2", .purchase)].enumerated() {
            var entry = HistoryEntry(
                itemID: item, type: type, time: EventTime(milliseconds: Int64(place)),
                position: Position(partition: 0, offset: Int64(place)))
            entry.isReturned = item == "a2"
            past.insert(entry)
        }
        let answer = recommend(
            RecommendationQuery(count: 3, explain: true), history: past, excluded: [], attributes: nil, snapshot: snapshot, now: now,
            requestID: "r")
        #expect(answer.items.first?.itemID == "a1" && answer.items.dropFirst().allSatisfy { $0.share == nil })
        #expect(answer.items.first?.explanation?.hasSuffix("; here by the shop's share of repeats") == true, "\(answer.items)")
    }

    @Test("new items that are explored take the places that new items have, never more")
    func explored() {
        for shares in [ListShares(newItems: 20...20), ListShares(discoveries: 50...100, newItems: 0...20), ListShares(newItems: 0...0)] {
            let snapshot = Self.snapshot(shares).exploring(
                [], clickRate: 0.1, rules: ExplorationRules(everySlots: 5, untilImpressions: 200))
            var explored = 0
            for request in 0..<50 {
                let items = recommend(
                    RecommendationQuery(count: 20), history: history(Self.met), excluded: [], attributes: nil, snapshot: snapshot, now: now,
                    requestID: "r\(request)"
                ).items
                #expect(items.count == 20 && Set(items.map(\.itemID)).count == 20 && Self.holds(shares, items))
                #expect(zip(items, items.dropFirst()).allSatisfy { $0.score >= $1.score })
                explored += items.count(where: \.isExploration)
            }
            #expect(shares.newItems.upperBound == 0 ? explored == 0 : explored > 100)
        }
    }
}
