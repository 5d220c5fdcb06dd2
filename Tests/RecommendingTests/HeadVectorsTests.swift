import Recommending
import Testing

struct HeadVectorsTests {
    private static let width = HeadFeature.count

    /// The features of an item's vector for a user, by name.
    private func features(user: [Float], newest: [Float]?, item: [Float]?) -> [Float] {
        let ranking = Sequences.random(10, users: 60, length: 10, items: 40).tables(itemCount: 40)
        let tables = HeadTables(
            sums: [Double](repeating: 0, count: 40), orders: [Int](repeating: 0, count: 40),
            categories: [[String]](repeating: [], count: 40),
            prices: [Int64?](repeating: nil, count: 40))
        let signals = UserSignals(history: [3], times: [0], now: 1, transitions: ranking.transitions)
        let seen = HeadUser(signals, purchases: [], vectors: HeadVectors(user: user, newest: newest, biasComponents: 1), tables: tables)
        var all = [Float](repeating: .nan, count: Self.width)
        all.withUnsafeMutableBufferPointer { buffer in
            func write(_ vector: UnsafePointer<Float>?) {
                seen.write(
                    featuresOf: 5, interest: 1, tower: 1, vector: vector, priceMicros: nil, ranking: ranking, tables: tables, into: buffer)
            }
            if let item { item.withUnsafeBufferPointer { write($0.baseAddress) } } else { write(nil) }
        }
        #expect(all.allSatisfy { $0.isFinite })
        return [HeadFeature.userLength, .itemLength, .lengthProduct, .newestLikeness].map { all[$0.rawValue] }
    }

    private func expectNear(_ found: [Float], _ expected: [Float]) {
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(found) and \(expected)")
    }

    @Test func lengthsAndAnglesDoNotDependOnTheAxes() {
        let root = Float(2).squareRoot()
        // Popularity, the last component, has no part in them.
        expectNear(features(user: [3, 4, 1], newest: [0, 2, 9], item: [1, 1, 5]), [5, root, 5 * root, 1 / root])
        // A quarter turn of the space.
        expectNear(features(user: [-4, 3, 1], newest: [-2, 0, 9], item: [-1, 1, 5]), [5, root, 5 * root, 1 / root])
        expectNear(features(user: [3, 4, 1], newest: nil, item: [1, 1, 5]), [5, root, 5 * root, 0])
        expectNear(features(user: [3, 4, 1], newest: [0, 2, 9], item: nil), [5, 0, 0, 0])
        expectNear(features(user: [3, 4, 1], newest: [0, 0, 9], item: [1, 1, 5]), [5, root, 5 * root, 0])
    }

    /// A head that looks at the likeness to the newest item alone puts first what is most like it.
    @Test func servingGivesHeadsTheVectors() {
        let items = 60
        let blend = RankingBlend(
            weights: .towersAlone, tables: Sequences.random(9, users: 60, length: 10, items: Int32(items)).tables(itemCount: items))
        var parameters = [Float](repeating: 0, count: HeadNetwork.parameterCount(features: Self.width))
        parameters[(Self.width + 1) * HeadNetwork.width + HeadFeature.newestLikeness.rawValue * 4 + 2] = 1
        let network = HeadNetwork(
            mean: [Float](repeating: 0, count: Self.width), scale: [Float](repeating: 1, count: Self.width), parameters: parameters)
        let tables = HeadTables(
            sums: [Double](repeating: 1, count: items), orders: [Int](repeating: 1, count: items),
            categories: [[String]](repeating: [], count: items),
            prices: [Int64?](repeating: nil, count: items))
        let shop = Shop(seed: 91, items: items, blend: blend)
        let snapshot = shop.snapshot.withHeads(RankingHeads(weights: HeadWeights(network), tables: tables))
        let asked = snapshot.answer(RecommendationQuery(count: 8, objective: ObjectiveWeights(click: 0, value: 1)), history: ["i1", "i2"])
        func likeness(_ item: String) -> Float {
            guard let own = shop.vectors[item], let newest = shop.vectors["i2"] else { return .nan }
            return dot(own, newest) / (dot(own, own) * dot(newest, newest)).squareRoot()
        }
        let found = asked.map { likeness($0.itemID) }
        #expect(found.count == 8 && zip(found, found.dropFirst()).allSatisfy { $0 >= $1 - 1e-6 }, "\(found)")
        #expect(found[0] > 0.4)
    }
}
