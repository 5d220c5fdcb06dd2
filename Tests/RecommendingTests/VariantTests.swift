import CandidateRanking
import Features
import Interactions
import Recommending
import Testing

/// Members of groups: one of each in a list, the one that fits.
struct VariantTests {
    private static let dimension = 6

    private static func unit(
        _ group: String, _ members: [String], available: Set<String>? = nil, traits: [String: [String]] = [:]
    ) -> CatalogueEntry {
        let variants = members.sorted().map {
            ItemVariant(itemID: $0, title: "T \($0)", available: available?.contains($0) ?? true, traits: traits[$0] ?? [])
        }
        return CatalogueEntry(
            itemID: ItemGroup.unitID(group), categories: ["c"], available: variants.contains(where: \.available), variants: variants)
    }

    private func shop(
        _ entries: [CatalogueEntry], trending: [TrendingItem] = [], rules: RecommendingRules = RecommendingRules()
    ) -> ServingSnapshot {
        var random = SeededRandom(state: 3)
        return ServingSnapshot(
            catalogue: entries, catalogueVersion: 1, model: meanModel(Self.dimension),
            itemVectors: entries.flatMap { _ in random.vector(Self.dimension) }, trending: trending, rules: rules)
    }

    @Test("in whatever way items join, leave, sell out, come and go, no list has two of a group, and all is as in a fresh build")
    func oneOfAGroup() {
        var random = SeededRandom(state: 17)
        var groupOf: [String: String?] = [:], isThere: [String: Bool] = [:], vectors: [String: [Float]] = [:]
        let ids = (0..<240).map { "i\($0)" }
        for (place, id) in ids.enumerated() {
            groupOf[id] = place % 3 == 0 ? .some(nil) : "g\(place % 40)"
            isThere[id] = true
        }
        func key(_ id: String) -> String { (groupOf[id] ?? nil).map(ItemGroup.unitID) ?? id }
        func members(_ group: String) -> [String] { ids.filter { isThere[$0] != nil && groupOf[$0] == group } }
        func vector(_ key: String) -> [Float] {
            if let known = vectors[key] { return known }
            vectors[key] = random.vector(Self.dimension)
            return vectors[key] ?? []
        }
        func entry(_ id: String) -> CatalogueEntry {
            guard let group = groupOf[id] ?? nil else {
                return CatalogueEntry(itemID: id, categories: ["c"], available: isThere[id] ?? false)
            }
            return Self.unit(group, members(group), available: Set(members(group).filter { isThere[$0] == true }))
        }
        func built() -> ServingSnapshot {
            var seen: Set<String> = []
            let firsts = ids.filter { isThere[$0] != nil }.filter { seen.insert(key($0)).inserted }
            return ServingSnapshot(
                catalogue: firsts.map(entry), catalogueVersion: 1, model: meanModel(Self.dimension),
                itemVectors: firsts.flatMap { vector(key($0)) })
        }
        _ = ids.map { vector(key($0)) }
        var snapshot = built()
        for step in 0..<25 {
            var changes: [CatalogueChange] = []
            for _ in 0..<12 {
                let id = ids[Int.random(in: 1..<ids.count, using: &random)]
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    isThere[id] = nil
                    changes.append(.delete(itemID: id))
                    continue
                case 1: isThere[id] = false
                case 2:
                    isThere[id] = true
                    groupOf[id] = Bool.random(using: &random) ? .some(nil) : "g\(Int.random(in: 0..<40, using: &random))"
                default: isThere[id] = true
                }
                changes.append(.upsert(entry(id), vector: vector(key(id)), origin: .content))
            }
            snapshot = snapshot.applying(changes, catalogueVersion: Int64(step + 2))
            let query = RecommendationQuery(count: 1_000, exclude: ["i7"])
            let found = snapshot.answer(query, history: ["i0", "i2"]), fresh = built().answer(query, history: ["i0", "i2"])
            #expect(Set(found.map(\.itemID)) == Set(fresh.map(\.itemID)), "step \(step)")
            let keys = found.map { key($0.itemID) }
            #expect(Set(keys).count == keys.count, "step \(step)")
            let wrong = found.map(\.itemID).filter { isThere[$0] != true }
            #expect(wrong.isEmpty, "step \(step)")
        }
    }

    @Test("lists of every kind have one of a group", arguments: [true, false])
    func everyKind(isShared: Bool) {
        let groups = (0..<30).map { number in Self.unit("g\(number)", (0..<4).map { "g\(number)-\($0)" }) }
        let singles = (0..<20).map { CatalogueEntry(itemID: "s\($0)", categories: ["c"]) }
        let rules = RecommendingRules(
            variety: isShared ? 0.3 : 0, shares: isShared ? ListShares(repeats: 10...50, discoveries: 20...100) : ListShares())
        let trending = groups.flatMap { unit in unit.variants.map { TrendingItem(itemID: $0.itemID, score: 2) } }
        let snapshot = shop(groups + singles, trending: trending, rules: rules).exploring([], clickRate: 0.1, rules: ExplorationRules())
        func group(_ id: String) -> String { id.first == "g" ? String(id.prefix { $0 != "-" }) : id }
        func check(_ items: [RecommendedItem], _ name: String) {
            let names = items.map { group($0.itemID) }
            #expect(!items.isEmpty && Set(names).count == names.count, "\(name)")
        }
        for history in [[], ["g1-2"], ["g1-2", "g1-3", "s4", "g5-0"]] {
            check(snapshot.answer(RecommendationQuery(userID: "u", count: 100), history: history), "recommend")
            check(snapshot.answer(RecommendationQuery(count: 100, category: "c"), history: history), "category")
            let excluded = snapshot.answer(RecommendationQuery(count: 100), history: history, excluded: ["g1-2"])
            check(excluded, "excluded")
            #expect(!excluded.contains { group($0.itemID) == "g1" }, "who bought a size is not shown another")
            let batch = BatchRecommender(snapshot: snapshot).recommend(
                count: 100, history: Features.UserHistory(limit: 9), excluded: [], attributes: nil, now: now)
            check(batch, "batch")
        }
        let similar = Recommending.similar(to: "g3-1", count: 100, snapshot: snapshot, requestID: "r")?.items ?? []
        check(similar, "similar")
        #expect(!similar.contains { group($0.itemID) == "g3" })
    }

    @Test("which member: what the user's attributes name, then what they met last, then what sells best, then the first")
    func choice() {
        let traits = ["a": ["size=m", "color=red"], "b": ["size=l", "color=red"], "c": ["size=l", "color=blue"], "d": ["size=xl"]]
        let unit = Self.unit("g", ["a", "b", "c", "d"], available: ["a", "b", "c"], traits: traits)
        let other = CatalogueEntry(itemID: "o", categories: ["c"])
        let plain = shop([unit, other])
        func first(
            _ snapshot: ServingSnapshot, attributes: String? = nil, context: [String: String] = [:], history items: [String] = []
        ) -> String? {
            recommend(
                RecommendationQuery(count: 5, context: context), history: history(items), excluded: [], attributes: attributes,
                snapshot: snapshot, now: now, requestID: "r"
            ).items.map(\.itemID).first { $0 != "o" }
        }
        #expect(first(plain) == "a")
        #expect(first(plain, attributes: #"{"size":"L"}"#) == "b")
        #expect(first(plain, attributes: #"{"size":"L","color":"blue"}"#) == "c")
        #expect(first(plain, attributes: #"{"color":"red"}"#, context: ["size": "L"]) == "b")
        #expect(first(plain, attributes: #"{"size":"XL"}"#) == "a", "it is sold out")
        #expect(first(plain, history: ["c", "o"]) == "c")
        #expect(first(plain, history: ["a", "b", "o", "d"]) == "b")
        let sold = shop([unit, other], trending: [TrendingItem(itemID: "c", score: 5), TrendingItem(itemID: "a", score: 2)])
        #expect(first(sold) == "c")
        #expect(first(sold, attributes: #"{"size":"m"}"#) == "a")
        // A sold-out member's sales count for the group, and for nobody's choice.
        let gone = shop([unit, other], trending: [TrendingItem(itemID: "d", score: 9), TrendingItem(itemID: "o", score: 7)])
        #expect(gone.answer().map(\.itemID) == ["a", "o"])
    }

    @Test("a request that names items gets those, of a group as many as it names; a batch among candidates shows no other")
    func named() {
        let snapshot = shop([Self.unit("g", ["a", "b", "c"], available: ["a", "b"]), CatalogueEntry(itemID: "o", categories: ["c"])])
        let named = snapshot.answer(RecommendationQuery(items: ["b", "o", "a", "b", "c", "x"]), history: ["o"]).map(\.itemID)
        #expect(named.sorted() == ["a", "b", "o"] && abs((named.firstIndex(of: "a") ?? 9) - (named.firstIndex(of: "b") ?? 0)) == 1)
        let batch = BatchRecommender(snapshot: snapshot, candidates: ["b", "c", "o", "x"])
        #expect(batch.unknownCandidates == ["x"] && batch.unavailableCandidates == 1)
        let list = batch.recommend(count: 9, history: history(["o", "a"]), excluded: [], attributes: nil, now: now).map(\.itemID)
        #expect(list.sorted() == ["b", "o"])
    }

    @Test("scores of members add up to their group's")
    func together() {
        let snapshot = shop(
            [Self.unit("g", ["a", "b"]), CatalogueEntry(itemID: "o", categories: ["d"])],
            trending: [TrendingItem(itemID: "a", score: 3), TrendingItem(itemID: "b", score: 3), TrendingItem(itemID: "o", score: 4)])
        #expect(snapshot.answer().map(\.itemID) == ["a", "o"])
    }
}
