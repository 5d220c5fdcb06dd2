import Features
import FuzzInputs
import Recommending
import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct HeadTests {
    private static let width = HeadFeature.count

    /// Shoppers click on what interests them, buy what is cheap after a click, and pay what the item costs.
    private static func planted(_ count: Int, seed: UInt64, clickBias: Float = -1) -> HeadExamples {
        var random = SeededGenerator(seed: seed)
        var examples = HeadExamples()
        for index in 0..<count {
            var features = (0..<width).map { _ in random.normal() }
            features[HeadFeature.returning.rawValue] = 0.5
            let interest = features[HeadFeature.interest.rawValue], value = features[HeadFeature.value.rawValue]
            let isClicked = random.bernoulli(1 / (1 + exp(-(clickBias + 1.5 * interest))))
            let isBought = isClicked && random.bernoulli(1 / (1 + exp(value)))
            examples.append(
                features,
                HeadExample(click: isClicked ? 1 : 0, isBought: isBought, value: isBought ? exp(0.8 * value + 0.3 * random.normal()) : 0),
                group: index % 2)
        }
        return examples
    }

    @Test func theGradientOfEachLossAgreesWithCentralDifferences() {
        let examples = Self.planted(40, seed: 1)
        var random = SeededGenerator(seed: 2)
        let count = HeadNetwork.parameterCount(features: Self.width)
        let network = HeadNetwork(
            mean: (0..<Self.width).map { _ in 0.1 * random.normal() }, scale: (0..<Self.width).map { _ in 1 + 0.1 * random.normal() },
            parameters: (0..<count).map { _ in 0.25 * random.normal() })
        for active in 0..<3 {
            let loss = HeadLoss(weights: (0..<3).map { $0 == active ? 1 : 0 })
            let (_, gradient) = HeadFit.gradient(network, examples, 0..<examples.count, loss)
            func value(_ place: Int, _ step: Float) -> Float {
                var parameters = network.parameters
                parameters[place] += step
                let moved = HeadNetwork(mean: network.mean, scale: network.scale, parameters: parameters)
                return HeadFit.gradient(moved, examples, 0..<examples.count, loss).losses[active]
            }
            #expect(gradient.contains { abs($0) > 0.01 })
            for place in stride(from: 0, to: count, by: 7) {
                let difference = (value(place, 0.002) - value(place, -0.002)) / 0.004
                #expect(
                    abs(difference - gradient[place]) < 0.004 + 0.03 * abs(gradient[place]),
                    "loss \(active), parameter \(place): \(difference) and \(gradient[place])")
            }
        }
    }

    @Test func theFastForwardAgreesWithTheOneThatLearns() {
        let examples = Self.planted(50, seed: 3)
        let network = HeadFit(balance: .fixed([1, 1, 1])).network(for: examples).network
        let outputs = examples.features.withUnsafeBufferPointer { network.outputs($0) }
        let losses = HeadFit.gradient(network, examples, 0..<50, HeadLoss()).losses
        var sum = SIMD3<Float>(repeating: 0)
        for (output, example) in zip(outputs, examples.examples) { sum += HeadLoss().evaluate(output, example).losses }
        for place in 0..<3 { #expect(abs(sum[place] / 50 - losses[place]) < 1e-4) }
    }

    @Test func plantedClicksPurchasesAndValuesAreFound() {
        let examples = Self.planted(6_000, seed: 4), fresh = Self.planted(3_000, seed: 5)
        for balance in [HeadBalance.uncertainty, .fixed([1, 1, 0.5])] {
            let network = HeadFit(balance: balance).network(for: examples).network
            let outputs = fresh.features.withUnsafeBufferPointer { network.outputs($0) }
            func correlation(_ left: [Float], _ right: [Float]) -> Float {
                let n = Float(left.count), a = left.reduce(0, +) / n, b = right.reduce(0, +) / n
                let both = zip(left, right).reduce(0) { $0 + ($1.0 - a) * ($1.1 - b) }
                return both / (left.reduce(0) { $0 + ($1 - a) * ($1 - a) } * right.reduce(0) { $0 + ($1 - b) * ($1 - b) }).squareRoot()
            }
            func feature(_ feature: HeadFeature) -> [Float] { (0..<fresh.count).map { fresh.features[$0 * Self.width + feature.rawValue] } }
            #expect(correlation(outputs.map(\.click), feature(.interest)) > 0.9)
            #expect(correlation(outputs.map(\.conversion), feature(.value)) < -0.7)
            #expect(correlation(outputs.map(\.logValue), feature(.value)) > 0.9)
            // E[value | purchase] as a whole: what was paid is neither over- nor understated by much.
            let bought = fresh.examples.indices.filter { fresh.examples[$0].isBought }
            let paid = bought.reduce(0) { $0 + fresh.examples[$1].value }, expected = bought.reduce(0) { $0 + exp(outputs[$1].logValue) }
            #expect(abs(expected / paid - 1) < 0.2)
        }
    }

    @Test func theSameSeedGivesTheSameNetworkAndNoExamplesGiveBaseRates() {
        let examples = Self.planted(500, seed: 6)
        #expect(HeadFit(seed: 3).network(for: examples).network == HeadFit(seed: 3).network(for: examples).network)
        #expect(HeadFit(seed: 3).network(for: examples).network != HeadFit(seed: 4).network(for: examples).network)
        let empty = HeadFit().network(for: HeadExamples()).network
        #expect([Float](repeating: 1, count: Self.width).withUnsafeBufferPointer { empty.outputs($0) }[0].click.isFinite)
    }

    @Test func calibrationCorrectsLogitsThatAreTooBold() {
        var random = SeededGenerator(seed: 7)
        let truth = (0..<4_000).map { _ in 1.2 * random.normal() - 1 }
        let outcomes = truth.map { random.bernoulli(1 / (1 + exp(-$0))) ? Float(1) : 0 }
        let bold = truth.map { 3 * $0 + 1 }, weights = [Float](repeating: 1, count: truth.count)
        let fitted = Calibration(fitting: bold, outcomes: outcomes, weights: weights)
        #expect(abs(fitted.slope - 1 / 3) < 0.05)
        func error(_ calibration: Calibration) -> Double {
            Reliability(bold.map { 1 / (1 + exp(-calibration.logit($0))) }, outcomes: outcomes, weights: weights).expectedError
        }
        #expect(error(fitted) < 0.02)
        #expect(error(Calibration()) > 3 * error(fitted))
        #expect(Calibration(fitting: [1, 2], outcomes: [0, 1], weights: [1, 1]) == Calibration())
    }

    @Test func tensorsGiveTheSameHeadsAndDamagedOnesAreRefused() throws {
        let tables = HeadTables(
            sums: [300, 0, 1_000], orders: [3, 0, 1], categories: [["a", "rare"], ["a"], []], prices: [200, nil, 800])
        #expect(tables.value[0] < tables.value[2])
        let heads = RankingHeads(
            weights: HeadWeights(
                HeadFit().network(for: Self.planted(200, seed: 8)).network, click: Calibration(slope: 0.5, offset: 0.1),
                powers: ObjectivePowers(click: 1, conversion: 0.5, value: 0.75), ranksByClickHead: true), tables: tables)
        let part = heads.encoded()
        #expect(try RankingHeads(encoded: part) == heads)
        for damage in PartDamage.all(of: part) {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try RankingHeads(encoded: damage.part) }
        }
        #expect(heads.renumbered([2, -1, 0], itemCount: 4).tables.value[2] == tables.value[0])
    }

    /// What costs more comes first where value counts, and the order of interest stays where it does not.
    @Test func requestsAndModelsWeighValueAgainstInterest() {
        let items = 60
        let blend = RankingBlend(
            weights: .towersAlone, tables: Sequences.random(9, users: 60, length: 10, items: Int32(items)).tables(itemCount: items))
        var parameters = [Float](repeating: 0, count: HeadNetwork.parameterCount(features: Self.width))
        // The direct path alone: location is the item's value.
        parameters[(Self.width + 1) * HeadNetwork.width + HeadFeature.value.rawValue * 4 + 2] = 1
        let network = HeadNetwork(
            mean: [Float](repeating: 0, count: Self.width), scale: [Float](repeating: 1, count: Self.width), parameters: parameters)
        let tables = HeadTables(
            sums: (0..<items).map { Double(100 + 400 * $0) }, orders: [Int](repeating: 1, count: items),
            categories: [[String]](repeating: [], count: items), prices: [Int64?](repeating: nil, count: items))
        let shop = Shop(seed: 90, items: items, blend: blend)
        let plain = shop.snapshot.withHeads(RankingHeads(weights: HeadWeights(network), tables: tables))
        let met = ["i1", "i2"]
        let without = shop.snapshot.answer(RecommendationQuery(count: 8), history: met)
        #expect(plain.answer(RecommendationQuery(count: 8), history: met) == without, "heads that nobody asks change nothing")
        let asked = plain.answer(RecommendationQuery(count: 8, objective: ObjectiveWeights(click: 0, value: 1)), history: met)
        let worth = asked.compactMap { Int($0.itemID.dropFirst()) }
        #expect(worth == worth.sorted(by: >), "the dearest first: \(worth)")
        let built = shop.snapshot.withHeads(
            RankingHeads(weights: HeadWeights(network, powers: ObjectivePowers(click: 0, value: 1)), tables: tables))
        #expect(built.answer(RecommendationQuery(count: 8), history: met) == asked)
    }

    @Test func theTailLiftLeavesTheOrderWithinTheHeadAndBeyondIt() throws {
        // Item k is taken 2 · (20 − k) times for k below 20, the others never: the head is items 0 to 3.
        var sequences = Sequences()
        for item in Int32(0)..<20 { for _ in 0..<2 * (20 - item) { sequences.add([item]) } }
        let tables = sequences.tables(itemCount: 24)
        #expect((0..<24).filter(tables.isBeyondHead) == Array(4..<20))
        #expect(tables.renumbered((0..<24).map { 23 - $0 }, itemCount: 30).isBeyondHead(23 - 4))
        let blend = RankingBlend(weights: .towersAlone, tables: tables), lifted = blend.dialled(TailDial(lift: 0.7))
        #expect(try RankingBlend(encoded: lifted.encoded()) == lifted)
        #expect(lifted.dialled(-TailDial(lift: 0.7)) == blend)
        let question = BlendQuestion(history: [1], times: [0], now: 1, answers: [])
        let tower = (0..<24).map { Float($0) * 0.1 }
        func scores(_ blend: RankingBlend) -> [Float] {
            BlendTrainer(tables: tables, trending: []).scoring(blend.weights).scores(question, tower: tower)
        }
        for (row, (plain, moved)) in zip(scores(blend), scores(lifted)).enumerated() {
            #expect(abs(moved - plain - (4..<20 ~= row ? 0.7 : 0)) < 1e-5, "row \(row)")
            #expect(
                TailDial(lambda: 0.5, lift: 0.7).bonus(popularity: tables.popularity[row], isBeyondHead: tables.isBeyondHead(row))
                    == (4..<20 ~= row ? 0.7 : 0) - 0.5 * tables.popularity[row])
        }
    }

    @Test func theTailDialLiftsRareItemsByItsFormula() {
        let blend = RankingBlend(
            weights: .towersAlone, tables: Sequences.random(10, users: 60, length: 10, items: 40).tables(itemCount: 40))
        let dialled = blend.dialled(TailDial(lambda: 0.3))
        #expect(dialled.weights[.popularity] == blend.weights[.popularity] - 0.3)
        #expect(dialled.tables == blend.tables)
        #expect(blend.dialled(TailDial()) == blend)
    }
}
