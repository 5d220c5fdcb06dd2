import Interactions
import Recommending
import Testing

/// Users of whom nothing is known but attributes, context or an id.
struct NewcomerTests {
    /// 40 items in four categories, popular in the order of their numbers; people from DE like the even ones, people from FR the odd ones.
    private func shop(variety: Float = 0, diversity: Float = 0, model: ServingModel? = nil) -> ServingSnapshot {
        let items = (0..<40).map { String(format2($0)) }
        var counts: [SegmentCount] = []
        for (place, item) in items.enumerated() {
            let liked = 200.0 - Double(place), disliked = 2.0
            counts.append(SegmentCount(segment: "country=DE", itemID: item, events: place % 2 == 0 ? liked : disliked))
            counts.append(SegmentCount(segment: "country=FR", itemID: item, events: place % 2 == 1 ? liked : disliked))
            counts.append(SegmentCount(segment: "", itemID: item, events: liked + disliked))
        }
        return ServingSnapshot(
            catalogue: items.enumerated().map { CatalogueEntry(itemID: $1, categories: ["c\($0 / 2 % 4)"]) }, catalogueVersion: 1,
            model: model,
            trending: items.enumerated().map { TrendingItem(itemID: $1, score: 200 - Double($0)) },
            rules: RecommendingRules(trendingDiscount: 1 - diversity, variety: variety)
        ).withSegments(counts, priorEvents: 5)
    }

    private func format2(_ number: Int) -> String { number < 10 ? "i0\(number)" : "i\(number)" }
    private func number(_ itemID: String) -> Int { Int(itemID.dropFirst()) ?? -1 }

    private func list(_ snapshot: ServingSnapshot, _ query: RecommendationQuery = RecommendationQuery(), attributes: String? = nil)
        -> [RecommendedItem]
    {
        recommend(
            query, history: history([]), excluded: [], attributes: attributes, snapshot: snapshot, now: now, requestID: "r1"
        ).items
    }

    @Test("an attribute that decides taste decides the first list, and so does the request's context")
    func segments() {
        let snapshot = shop()
        let german = list(snapshot, attributes: #"{"country":"DE"}"#),
            french = list(snapshot, RecommendationQuery(context: ["country": "FR"]))
        #expect(german.map { number($0.itemID) } == Array(stride(from: 0, to: 20, by: 2)))
        #expect(french.map { number($0.itemID) } == Array(stride(from: 1, to: 20, by: 2)))
        #expect(german.allSatisfy { $0.reason == .trending && $0.score > 0 && $0.score <= 1 })
        #expect(zip(german, german.dropFirst()).allSatisfy { $0.score >= $1.score })
    }

    @Test("what is not known of anybody changes nothing, and cannot break anything")
    func unknownValues() {
        let snapshot = shop(), plain = list(snapshot)
        #expect(plain.map { number($0.itemID) } == Array(0..<10))
        for strange in [#"{"country":"XX"}"#, #"{"country":["DE"#, "", "null", #"{"":""}"#, #"{"country":{"a":[1,2,{}]}}"#] {
            #expect(list(snapshot, attributes: strange).map(\.itemID) == plain.map(\.itemID), "\(strange)")
        }
        let known = list(snapshot, attributes: #"{"country":"DE","shoe":"44"}"#)
        #expect(known.map(\.itemID) == list(snapshot, attributes: #"{"country":"DE"}"#).map(\.itemID))
    }

    @Test("a small segment stays near everybody's list")
    func shrinkage() {
        let items = (0..<20).map(format2)
        var counts = items.enumerated().map { SegmentCount(segment: "", itemID: $1, events: 1_000 - 40 * Double($0)) }
        // One event with a rare item in a segment of two events.
        counts += [SegmentCount(segment: "s=small", itemID: "i19", events: 1), SegmentCount(segment: "s=small", itemID: "i00", events: 1)]
        let snapshot = ServingSnapshot(
            catalogue: items.map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1,
            trending: items.enumerated().map { TrendingItem(itemID: $1, score: 1_000 - 40 * Double($0)) },
            rules: RecommendingRules(trendingDiscount: 1))
        func place(_ prior: Double) -> Int? {
            list(snapshot.withSegments(counts, priorEvents: prior), RecommendationQuery(count: 20), attributes: #"{"s":"small"}"#)
                .map(\.itemID).firstIndex(of: "i19")
        }
        #expect(place(100) == 19)
        #expect(place(0.001) ?? 19 < 5)
    }

    @Test("two people of whom nothing is known get different lists of the same quality, and each of them the same list again")
    func variety() {
        // The items are nearly equally popular, so little chance suffices.
        let snapshot = shop(variety: 0.02)
        let lists = (0..<200).map { user in list(snapshot, RecommendationQuery(userID: "u\(user)")).map { number($0.itemID) } }
        #expect(Set(lists).count > 150)
        // Popularity is 200 − number: the best ten have 195.5 in the mean, ten at random 180.5.
        let quality = lists.map { list in list.reduce(0.0) { $0 + 200 - Double($1) } / 10 }
        #expect(quality.allSatisfy { $0 > 184 }, "\(quality.min() ?? 0)")
        #expect(quality.reduce(0, +) / 200 > 189)
        #expect(list(snapshot, RecommendationQuery(userID: "u7")).map { number($0.itemID) } == lists[7])
        // A session works as a user does; nobody at all gets the plain list.
        let sessions = Set((0..<50).map { list(snapshot, RecommendationQuery(sessionID: "s\($0)")).map(\.itemID) })
        #expect(sessions.count > 40)
        #expect(list(snapshot).map { number($0.itemID) } == Array(0..<10))
    }

    @Test("the lists of newcomers are spread over categories as strongly as the rules say")
    func diversity() {
        // By popularity alone DE's first four are of the categories 0, 1, 2, 3, 0, …: one category is made scarce by asking for two.
        func categories(_ diversity: Float) -> [Int] {
            list(shop(diversity: diversity), RecommendationQuery(count: 8), attributes: #"{"country":"DE"}"#).map {
                number($0.itemID) / 2 % 4
            }
        }
        #expect(Dictionary(grouping: categories(1)) { $0 }.mapValues(\.count) == [0: 2, 1: 2, 2: 2, 3: 2])
        var items = (0..<30).map { ("s\(format2($0))", "shoes", 1_000.0 - Double($0)) }
        items += (0..<10).map { ("t\(format2($0))", "tents", 400.0 - Double($0)) }
        func tents(_ diversity: Float) -> Int {
            let snapshot = ServingSnapshot(
                catalogue: items.map { CatalogueEntry(itemID: $0.0, categories: [$0.1]) }, catalogueVersion: 1,
                trending: items.map { TrendingItem(itemID: $0.0, score: $0.2) },
                rules: RecommendingRules(trendingDiscount: 1 - diversity, variety: 0.01))
            return list(snapshot, RecommendationQuery(userID: "u1", count: 10)).count { $0.itemID.hasPrefix("t") }
        }
        #expect(tents(0) == 0)
        #expect((1...4).contains(tents(0.2)))
        #expect(tents(1) == 5)
    }

    /// Item i points into direction i % 4: even directions are the first category.
    private func modelled(discount: Float) -> ServingSnapshot {
        let dimension = 4
        var vectors: [Float] = []
        for item in 0..<40 { vectors += (0..<dimension).map { $0 == item % 4 ? 1 - Float(item) / 100 : 0 } }
        return ServingSnapshot(
            catalogue: (0..<40).map { CatalogueEntry(itemID: format2($0), categories: ["c\($0 % 2)"]) }, catalogueVersion: 1,
            model: meanModel(dimension), itemVectors: vectors,
            trending: (0..<40).map { TrendingItem(itemID: format2($0), score: 100 - Double($0)) },
            rules: RecommendingRules(trendingDiscount: 1, categoryDiscount: discount, variety: 0.2))
    }

    @Test("after one click the list is the user tower's, without chance")
    func oneClick() {
        let snapshot = modelled(discount: 1)
        let before = snapshot.answer(RecommendationQuery(userID: "u1"))
        let after = snapshot.answer(RecommendationQuery(userID: "u1"), history: ["i02"])
        #expect(before.allSatisfy { $0.reason == .trending })
        #expect(after.allSatisfy { $0.reason == .personal && number($0.itemID) % 4 == 2 })
        #expect(after.map(\.itemID) == snapshot.answer(RecommendationQuery(userID: "u2"), history: ["i02"]).map(\.itemID))
    }

    @Test("beside a model segments say what it has not learned, and nothing twice", arguments: [true, false])
    func besideAModel(_ knows: Bool) {
        let model = ServingModel(version: 1, dimension: 1, temperature: 1, knowsAttribute: { _ in knows }) { input, _ in
            input.attributes == nil ? nil : [1]
        }
        // The model finds all items alike: equal scores stand in the order of their ids.
        let items = (0..<20).map(format2)
        var counts = items.map { SegmentCount(segment: "", itemID: $0, events: 100) }
        counts += items.enumerated().map { SegmentCount(segment: "device=phone", itemID: $1, events: Double($0 + 1)) }
        let snapshot = ServingSnapshot(
            catalogue: items.map { CatalogueEntry(itemID: $0) }, catalogueVersion: 1, model: model,
            itemVectors: [Float](repeating: 1, count: 20), rules: RecommendingRules(trendingDiscount: 1)
        ).withSegments(counts, priorEvents: 1)
        let found = list(snapshot, attributes: #"{"device":"phone"}"#)
        #expect(found.allSatisfy { $0.reason == .personal })
        #expect(found.map { number($0.itemID) } == (knows ? Array(0..<10) : Array((10..<20).reversed())))
    }

    @Test("a user with a history gets a spread list where the rules ask for one")
    func diversityOfUsersWithHistory() {
        let plain = modelled(discount: 1).answer(history: ["i00", "i01"]), spread = modelled(discount: 0).answer(history: ["i00", "i01"])
        #expect(Set(plain.map(\.itemID)).count == 10 && Set(spread.map(\.itemID)).count == 10)
        #expect(spread.count { number($0.itemID) % 2 == 0 } == 5)
        #expect(zip(spread, spread.dropFirst()).allSatisfy { $0.score >= $1.score })
        let biased = modelled(discount: 1).answer(history: ["i00", "i00", "i04"]),
            fair = modelled(discount: 0.01).answer(history: ["i00", "i00", "i04"])
        #expect(biased.allSatisfy { number($0.itemID) % 2 == 0 })
        #expect(fair.contains { number($0.itemID) % 2 == 1 })
    }

    @Test("a batch gives a newcomer what a request gives")
    func batch() {
        let snapshot = shop(variety: 0.1, diversity: 0.3)
        let recommender = BatchRecommender(snapshot: snapshot)
        for user in ["u1", "u2", "u3"] {
            for attributes in [nil, #"{"country":"DE"}"#] {
                let request = list(snapshot, RecommendationQuery(userID: user, count: 15), attributes: attributes)
                let batch = recommender.recommend(
                    count: 15, history: history([]), excluded: [], attributes: attributes, now: now, userID: user)
                #expect(request.map(\.itemID) == batch.map(\.itemID))
            }
        }
        let few = BatchRecommender(snapshot: snapshot, candidates: ["i01", "i03", "i04"])
        #expect(
            Set(
                few.recommend(count: 5, history: history([]), excluded: [], attributes: #"{"country":"DE"}"#, now: now, userID: "u1").map(
                    \.itemID))
                == ["i01", "i03", "i04"])
    }
}
