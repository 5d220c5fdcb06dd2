import Foundation
import FuzzInputs
import Recommending
import Tensors
import Testing

/// Forty people of DE take coats and pay 300 an order, forty of FR take hats and pay 100; two of IT are too few to be told apart.
struct DeclaredValuesTests {
    private static let items = 40
    private static let categories = (0..<items).map { [$0 % 2 == 0 ? "coats" : "hats"] }
    private static let tokens = (0..<82).map { user in user < 40 ? ["country=DE"] : user < 80 ? ["country=FR"] : ["country=IT"] }

    private static func tables() -> HeadTables {
        HeadTables(
            sums: [Double](repeating: 400, count: items), orders: [Int](repeating: 2, count: items), categories: categories,
            prices: [Int64?](repeating: nil, count: items)
        ).declaring(tokens) { user in
            // One of ten takes from the other category.
            let row = Int32(user % 10 == 0 ? 1 : 0)
            return user < 40 ? ([row, row, row], 300, 1) : ([1 - row, 1 - row, 1 - row], 100, 1)
        }
    }

    private func features(of row: Int32, declared: [String], tables: HeadTables) -> (lift: Float, spending: Float, match: Float) {
        let ranking = Sequences.random(10, users: 60, length: 10, items: Int32(Self.items)).tables(itemCount: Self.items)
        let signals = UserSignals(history: [3], times: [0], now: 1, transitions: ranking.transitions)
        let seen = HeadUser(signals, purchases: [], vectors: nil, declared: declared, tables: tables)
        var all = [Float](repeating: .nan, count: HeadFeature.count)
        all.withUnsafeMutableBufferPointer {
            seen.write(featuresOf: row, interest: 0, tower: 0, vector: nil, priceMicros: nil, ranking: ranking, tables: tables, into: $0)
        }
        #expect(all.allSatisfy { $0.isFinite })
        return (all[HeadFeature.declaredLift.rawValue], all[HeadFeature.declaredSpending.rawValue], all[HeadFeature.declaredMatch.rawValue])
    }

    @Test func liftsAndSpendingAreThoseOfTheFormula() {
        let tables = Self.tables()
        // Interactions: 40 users of DE took 108 coats and 12 hats; FR 12 and 108; IT 0 coats and 6 hats, one of them user 80's coats.
        let coats = Double(108 + 12 + 3), hats = Double(12 + 108 + 3), all = coats + hats
        let german = features(of: 0, declared: ["country=DE"], tables: tables)
        #expect(abs(german.lift - Float(log((108.0 + 10) / (coats * 120 / all + 10)))) < 1e-5)
        #expect(
            abs(features(of: 1, declared: ["country=DE"], tables: tables).lift - Float(log((12.0 + 10) / (hats * 120 / all + 10)))) < 1e-5)
        let mean = (40 * 300.0 + 42 * 100) / 82
        #expect(abs(german.spending - Float(log((40 * 300 + 3 * mean) / 43 / mean))) < 1e-5)
        #expect(abs(german.match - german.spending * tables.value[0]) < 1e-6)
    }

    @Test func whatIsUnknownOrSharedByFewSaysNothing() {
        let tables = Self.tables()
        for declared in [[], ["country=IT"], ["country=XX"], ["age=3"]] {
            let found = features(of: 0, declared: declared, tables: tables)
            #expect(found.lift == 0 && found.spending == 0 && found.match == 0, "\(declared)")
        }
        let twice = features(of: 0, declared: ["country=DE", "age=3", "country=DE"], tables: tables)
        #expect(twice == features(of: 0, declared: ["country=DE"], tables: tables), "a value counts once")
    }

    private static func heads(_ tables: HeadTables) -> RankingHeads {
        var parameters = [Float](repeating: 0, count: HeadNetwork.parameterCount(features: HeadFeature.count))
        // The direct path alone: location is the lift.
        parameters[(HeadFeature.count + 1) * HeadNetwork.width + HeadFeature.declaredLift.rawValue * 4 + 2] = 1
        return RankingHeads(
            weights: HeadWeights(
                HeadNetwork(
                    mean: [Float](repeating: 0, count: HeadFeature.count), scale: [Float](repeating: 1, count: HeadFeature.count),
                    parameters: parameters)),
            tables: tables)
    }

    @Test func tensorsHoldThemAndDamagedOnesAreRefused() throws {
        let heads = Self.heads(Self.tables()), part = heads.encoded()
        #expect(try RankingHeads(encoded: part) == heads)
        for damage in PartDamage.all(of: part) {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try RankingHeads(encoded: damage.part) }
        }
        // Names in the wrong order could not be found.
        let swapped = part.tensors.map { tensor -> PartTensors.Tensor in
            guard tensor.name == "declared.names", case .uint8(let bytes) = tensor.values else { return tensor }
            let text = String(decoding: bytes, as: UTF8.self).replacing("country=DE", with: "country=ZE")
            return PartTensors.Tensor(name: tensor.name, shape: tensor.shape, values: .uint8(Array(text.utf8)))
        }
        #expect(swapped != part.tensors)
        #expect(throws: PartFormatError.self) { try RankingHeads(encoded: PartTensors(tensors: swapped, texts: part.texts)) }
    }

    @Test func theContextOfARequestCounts() {
        let blend = RankingBlend(
            weights: .towersAlone,
            tables: Sequences.random(9, users: 60, length: 10, items: Int32(Self.items)).tables(itemCount: Self.items))
        let shop = Shop(seed: 92, items: Self.items, blend: blend)
        let snapshot = shop.snapshot.withHeads(Self.heads(Self.tables()))
        func coats(_ country: String) -> Int {
            snapshot.answer(
                RecommendationQuery(count: 8, context: ["country": country], objective: ObjectiveWeights(click: 0, value: 1)),
                history: ["i1", "i2"]
            ).count { Int($0.itemID.dropFirst()).map { $0 % 2 == 0 } ?? false }
        }
        #expect(coats("DE") == 8)
        #expect(coats("FR") == 0)
    }
}
