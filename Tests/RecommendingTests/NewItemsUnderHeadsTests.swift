import Interactions
import Recommending
import Testing

/// Heads order what people took; items that are known by their content alone keep their places.
struct NewItemsUnderHeadsTests {
    /// Heads whose click is interest and, much more, popularity: what nobody took is last by it. Value is the list price.
    private func heads(value: Float = 0) -> RankingHeads {
        let width = HeadFeature.count, direct = (width + 1) * HeadNetwork.width
        var parameters = [Float](repeating: 0, count: HeadNetwork.parameterCount(features: width))
        parameters[direct + HeadFeature.interest.rawValue * 4] = 1
        parameters[direct + HeadFeature.popularity.rawValue * 4] = 50
        parameters[direct + HeadFeature.price.rawValue * 4 + 2] = 1
        let network = HeadNetwork(
            mean: [Float](repeating: 0, count: width), scale: [Float](repeating: 1, count: width), parameters: parameters)
        let count = ContentShelf.trained
        let tables = HeadTables(
            sums: [Double](repeating: 100, count: count), orders: [Int](repeating: 1, count: count),
            categories: [[String]](repeating: [], count: count), prices: [Int64?](repeating: 1_000_000, count: count))
        return RankingHeads(
            weights: HeadWeights(network, powers: ObjectivePowers(value: value), ranksByClickHead: true), tables: tables)
    }

    /// Every trained item was taken once, so that by popularity only what nobody took is apart.
    private var blend: RankingBlend {
        var sequences = Sequences()
        for item in 0..<Int32(ContentShelf.trained) { sequences.add([item]) }
        return RankingBlend(weights: .towersAlone, tables: sequences.tables(itemCount: ContentShelf.trained))
    }

    @Test("new items stand between the same items as without heads")
    func places() {
        let plain = ContentShelf.snapshot(new: 12, blend: blend)
        for met in [["i1", "i5"], ["i2", "i6", "i10"]] {
            let query = RecommendationQuery(count: 52)
            let before = plain.answer(query, history: met).map(\.itemID), after = plain.withHeads(heads()).answer(query, history: met)
            #expect(after.map(\.itemID) == before && after.contains { $0.reason == .fresh })
            // Without content they would be last: the test can fail.
            let isNew = after.map { (Int($0.itemID.dropFirst()) ?? 0) >= ContentShelf.trained }
            #expect(isNew.prefix(3).allSatisfy { $0 })
        }
    }

    @Test("what an order would be worth counts for new items as for all")
    func value() {
        let met = ["i1", "i5"], query = RecommendationQuery(count: 52), dear = "i\(ContentShelf.trained + 6)"
        let snapshot = ContentShelf.snapshot(new: 12, blend: blend, dear: dear)
        let byInterest = snapshot.withHeads(heads()).answer(query, history: met)
        let byValue = snapshot.withHeads(heads(value: 1)).answer(query, history: met)
        // A thousand times the median is ln 1,000 more; all others are worth the same.
        #expect(byInterest.first?.itemID != dear && byValue.first?.itemID == dear)
        #expect(byValue.map(\.itemID).filter { $0 != dear } == byInterest.map(\.itemID).filter { $0 != dear })
    }

    @Test("the map keeps order, goes through pairs of quantiles, and goes on beyond them")
    func map() {
        let map = QuantileMap(from: [3, 1, 2, .nan], to: [10, 30, 20])
        #expect([1, 1.5, 2, 3].map { map($0) } == [10, 15, 20, 30] && map(0) == 9 && map(5) == 32)
        let flat = QuantileMap(from: [1, 1, 1, 2], to: [5, 6, 7, 8])
        #expect(flat(1) == 5 && flat(0.5) == 4.5 && flat(1.5) == 7.5)
        #expect(QuantileMap(from: [], to: [])(4) == 4 && QuantileMap(from: [2], to: [7])(3) == 8)
    }
}
