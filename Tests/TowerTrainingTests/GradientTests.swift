import Gradients
import Tensors
import Testing
import TowerTraining

@Suite struct GradientTests {
    /// Compares the largest gradients of every parameter with central differences.
    private func check(_ trainer: Trainer, examples: Int, missing: Set<String> = []) {
        let (_, gradients) = trainer.lossAndGradients(examples: examples)
        for tensor in gradients where !tensor.values.isEmpty {
            let order = tensor.values.indices.sorted { abs(tensor.values[$0]) > abs(tensor.values[$1]) }.prefix(4)
            if missing.contains(tensor.name) {
                #expect(tensor.values.allSatisfy { $0 == 0 }, "\(tensor.name) should take no part")
                continue
            }
            #expect(abs(tensor.values[order[0]]) > 1e-5, "\(tensor.name) has no gradient")
            for index in order {
                let gradient = Double(tensor.values[index])
                // A step may cross a corner of relu, a smaller one drowns in rounding: the better of two counts.
                var slope = Double.infinity
                for step: Float in [3e-3, 1e-2] {
                    #expect(trainer.adjust(tensor.name, at: index, by: step))
                    let above = trainer.lossAndGradients(examples: examples).loss
                    #expect(trainer.adjust(tensor.name, at: index, by: -2 * step))
                    let below = trainer.lossAndGradients(examples: examples).loss
                    #expect(trainer.adjust(tensor.name, at: index, by: step))
                    let value = (above - below) / Double(2 * step)
                    if abs(value - gradient) < abs(slope - gradient) { slope = value }
                }
                #expect(
                    abs(slope - gradient) < 0.03 * max(abs(slope), abs(gradient)) + 4e-4,
                    "\(tensor.name)[\(index)]: gradient \(gradient), central difference \(slope)")
            }
        }
    }

    @Test func centralDifferencesFullLoss() throws {
        let shop = PlantedShop(users: 40, types: true)
        let trainer = try Trainer(shop.set, configuration: PlantedShop.configuration())
        for _ in 0..<3 { _ = trainer.runEpoch(now: { 0 }) }
        check(trainer, examples: 150)
    }

    @Test func centralDifferencesUnitLengthMaskedHistory() throws {
        let shop = PlantedShop(users: 40, types: true)
        let trainer = try Trainer(
            shop.set,
            configuration: PlantedShop.configuration([
                ("unit_length", "true"), ("temperature", "0.2"), ("mask_history", "true"), ("threads", "1"),
            ]))
        for _ in 0..<3 { _ = trainer.runEpoch(now: { 0 }) }
        check(trainer, examples: 150)
    }

    @Test func centralDifferencesSampledLoss() throws {
        let shop = PlantedShop(users: 40, types: true)
        let trainer = try Trainer(
            shop.set, configuration: PlantedShop.configuration([("loss", "sampled"), ("negatives", "20"), ("tail_beta", "0.9")]))
        for _ in 0..<3 { _ = trainer.runEpoch(now: { 0 }) }
        check(trainer, examples: 60)
    }

    @Test(arguments: ["full", "sampled"]) func centralDifferencesTailSettings(loss: String) throws {
        let shop = PlantedShop(users: 40, types: true)
        let trainer = try Trainer(
            shop.set,
            configuration: PlantedShop.configuration([
                ("loss", loss), ("negatives", "20"), ("logit_adjustment", "0.8"), ("propensity_power", "0.5"), ("propensity_limit", "3"),
            ]))
        for _ in 0..<3 { _ = trainer.runEpoch(now: { 0 }) }
        check(trainer, examples: 60)
    }

    /// The whole loss once more in differentiable operations.
    @Test func agreesWithReverseModeDifferentiation() throws {
        let shop = PlantedShop(users: 12, length: 8, content: false)
        let (d, heads, length) = (16, 2, 6)
        let trainer = try Trainer(
            shop.set,
            configuration: PlantedShop.configuration([("content", "false"), ("attribute_dropout", "0"), ("attribute_minimum_users", "1")]))
        _ = trainer.runEpoch(now: { 0 })
        let (loss, gradients) = trainer.lossAndGradients(examples: shop.set.eventCount)
        var parameters: [String: Variable] = [:]
        for tensor in trainer.model().tensors where tensor.shape[0] > 0 && tensor.shape[1] > 0 {
            parameters[tensor.name] = Variable(Matrix(rows: tensor.shape[0], columns: tensor.shape[1], values: tensor.values))
        }
        let ids = try #require(parameters["item.ids"]), tokens = try #require(parameters["user.tokens"])
        let positions = try #require(parameters["user.attention.positions"]), types = try #require(parameters["user.attention.types"])
        let gaps = try #require(parameters["user.attention.gaps"]), empty = try #require(parameters["user.attention.empty"])
        let weight = try #require(parameters["user.input.weight"]), bias = try #require(parameters["user.input.bias"])
        let output = try #require(parameters["user.output.weight"]), idle = try #require(parameters["user.idle"])
        // The user token rows are not public; the rows that have a gradient are those of the users' tokens.
        var total = Variable.constant(0)
        let lastZero = Variable.constant(Matrix(row: (0..<d).map { $0 == d - 1 ? 0 : 1 }))
        let lastOne = Variable.constant(Matrix(row: (0..<d).map { $0 == d - 1 ? 1 : 0 }))
        var examples = 0
        for user in 0..<shop.set.userCount {
            let events = shop.set.userStarts[user]..<shop.set.userStarts[user + 1]
            for event in events {
                let history = (max(events.lowerBound, event - length)..<event).reversed().map { shop.set.items[$0] }
                var parts: [Variable] = []
                for head in 0..<heads {
                    guard !history.isEmpty else {
                        parts.append(.constant(Matrix(rows: 1, columns: d)))
                        continue
                    }
                    let row = { (v: Variable) in v.gatheringRows([Int32(head)]) }
                    let logits = row(positions).columns(0..<history.count) + row(types).columns(1..<2) + row(gaps).columns(0..<1)
                    let shares = Variable.concatenatingColumns([logits, row(empty)]).softmaxRows().columns(0..<history.count)
                    parts.append(Variable.product(shares, ids.gatheringRows(history)))
                }
                let buckets = tokenRows(of: shop.set.userAttributes[user], count: tokens.rows)
                let sum = tokens.gatheringRows(buckets).sumOverRows()
                let attributes = 0.5 * sum
                // All events share one instant, so whoever has a history has been away for the shortest time.
                parts.append(history.isEmpty ? attributes : attributes + idle.gatheringRows([0]))
                let inner = Variable.product(Variable.concatenatingColumns(parts), weight) + bias
                let raw = inner.columns(16..<16 + d) + Variable.product(inner.columns(0..<16).relu(), output)
                let vector = raw * lastZero + lastOne
                let scores = Variable.product(vector, ids.transposed())
                total = total + scores.crossEntropy(targets: [shop.set.items[event]])
                examples += 1
            }
        }
        let mean = total / Float(examples)
        #expect(abs(Double(mean.scalar) - loss) < 1e-4)
        let names = ["item.ids", "user.tokens", "user.attention.positions", "user.attention.types", "user.attention.gaps",
            "user.attention.empty", "user.idle", "user.input.weight", "user.input.bias", "user.output.weight"]
        let expected = Gradients.gradients(of: mean, withRespectTo: names.compactMap { parameters[$0] })
        for (name, variable) in zip(names, expected) {
            let fused = try #require(gradients.first { $0.name == name }).values
            var worst: Float = 0, largest: Float = 0
            for (a, b) in zip(fused, variable.value.values) {
                worst = max(worst, abs(a - b))
                largest = max(largest, abs(b))
            }
            #expect(largest > 0, "\(name) has no gradient")
            #expect(worst < 1e-5 + 1e-3 * largest, "\(name): differs by \(worst) of \(largest)")
        }
    }

    /// FNV-1a and SplitMix64 once more, as model files rely on them.
    private func tokenRows(of tokens: [String], count: Int) -> [Int32] {
        let rows = tokens.map { token -> Int32 in
            var state: UInt64 = 0xcbf2_9ce4_8422_2325 ^ (7 &* 0x9e37_79b9_7f4a_7c15)
            for byte in token.utf8 { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            var z = state &+ 0x9e37_79b9_7f4a_7c15
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            z ^= z >> 31
            return Int32(z.multipliedFullWidth(by: UInt64(count)).high)
        }
        return Set(rows).sorted()
    }
}
