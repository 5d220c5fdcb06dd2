import Tensors
import Testing
import TowerModel
import TowerTraining

@Suite struct SequenceGradientTests {
    /// Compares the largest gradients of every parameter with central differences.
    private func check(_ settings: [(String, String)]) throws {
        let shop = PlantedShop(users: 30, length: 14, types: true)
        let trainer = try Trainer(shop.set, configuration: SequenceShop.configuration(settings + [("content", "true")]))
        for _ in 0..<2 { _ = trainer.runEpoch(now: { 0 }) }
        let (_, gradients) = trainer.lossAndGradients(examples: 120)
        for tensor in gradients where !tensor.values.isEmpty {
            let order = tensor.values.indices.sorted { abs(tensor.values[$0]) > abs(tensor.values[$1]) }.prefix(3)
            #expect(abs(tensor.values[order[0]]) > 1e-6, "\(tensor.name) has no gradient")
            for index in order {
                let gradient = Double(tensor.values[index])
                // A step may cross a corner of relu, a smaller one drowns in rounding: the best of three counts.
                var slope = Double.infinity
                for step: Float in [2e-3, 6e-3, 2e-2] {
                    #expect(trainer.adjust(tensor.name, at: index, by: step))
                    let above = trainer.lossAndGradients(examples: 120).loss
                    #expect(trainer.adjust(tensor.name, at: index, by: -2 * step))
                    let below = trainer.lossAndGradients(examples: 120).loss
                    #expect(trainer.adjust(tensor.name, at: index, by: step))
                    let value = (above - below) / Double(2 * step)
                    if abs(value - gradient) < abs(slope - gradient) { slope = value }
                }
                #expect(
                    abs(slope - gradient) < 0.03 * max(abs(slope), abs(gradient)) + 5e-4,
                    "\(tensor.name)[\(index)]: gradient \(gradient), central difference \(slope)")
            }
        }
    }

    @Test(arguments: ["attention", "hstu"], ["full", "sampled", "bce"]) func centralDifferences(block: String, loss: String) throws {
        try check([("block", block), ("loss", loss), ("negatives", "20"), ("places", "true")])
    }

    @Test(arguments: ["attention", "hstu"]) func centralDifferencesOtherSettings(block: String) throws {
        try check([
            ("block", block), ("unit_length", "true"), ("temperature", "0.2"), ("learned_temperature", "true"), ("mask_history", "true"),
            ("threads", "1"), ("hidden", "0"), ("history_length", "5"),
        ])
        try check([
            ("block", block), ("head", "direct"), ("attention_heads", "1"), ("mask_history", "true"), ("loss", "sampled"),
            ("negatives", "12"),
        ])
    }

    @Test(arguments: ["full", "sampled"]) func centralDifferencesTailSettings(loss: String) throws {
        try check([("loss", loss), ("negatives", "12"), ("content_hidden", "0"), ("logit_adjustment", "0.8"), ("propensity_power", "0.5")])
    }

    /// Ragged windows in any company and any split give the same.
    @Test(arguments: ["attention", "hstu"]) func windowsTogetherEqualWindowsAlone(block: String) throws {
        let shop = PlantedShop(users: 40, length: 14, types: true)
        func trainer(threads: String) throws -> Trainer {
            let trainer = try Trainer(
                shop.set, configuration: SequenceShop.configuration([("block", block), ("threads", threads), ("mask_history", "true")]))
            return trainer
        }
        let (loss, gradients) = try trainer(threads: "1").lossAndGradients(examples: 500)
        for threads in ["2", "7", "31"] {
            let (other, split) = try trainer(threads: threads).lossAndGradients(examples: 500)
            #expect(abs(other - loss) < 1e-5)
            for (a, b) in zip(gradients, split) {
                let largest = a.values.reduce(Float(0)) { max($0, abs($1)) }
                for (x, y) in zip(a.values, b.values) { #expect(abs(x - y) < 1e-6 + 1e-4 * largest, "\(a.name)") }
            }
        }
        let histories: [[Int32]] = [[3, 1, 4, 1, 5, 9, 2, 6], [5], [3, 5, 8], [9, 7, 9, 3, 2], [], [1, 2]]
        let one = try trainer(threads: "1"), together = one.userVectors(histories: histories)
        for (history, vectors) in zip(histories, together) where !history.isEmpty {
            let alone = one.userVectors(histories: [history])[0]
            for (x, y) in zip(vectors.joined(), alone.joined()) { #expect(abs(x - y) < 1e-5) }
        }
    }

    @Test(arguments: ["sequence", "pooled"]) func accumulatedBatchesEqualOneLargeBatch(tower: String) throws {
        let shop = PlantedShop(users: 48, types: true)
        // Adam's first moments after one step are a tenth of its gradient; windows have twelve events, 48 of them.
        func moments(batch: Int, accumulation: Int) throws -> [NamedTensor] {
            let trainer = try Trainer(
                shop.set,
                configuration: SequenceShop.configuration([
                    ("user_tower", tower), ("content", "true"), ("batch_size", String(batch)), ("accumulation", String(accumulation)),
                    ("dropout", "0"), ("block_dropout", "0"), ("attribute_dropout", "0"), ("history_length", "12"), ("loss", "full"),
                    ("clip_norm", "0"),
                ]))
            let summary = trainer.runEpoch(now: { 0 })
            #expect(summary.examples == 576)
            return trainer.checkpoint().tensors.filter { $0.name.hasPrefix("optimizer.") && $0.name.hasSuffix("first") }
        }
        let large = try moments(batch: 576, accumulation: 1)
        #expect(large.contains { $0.values.contains { abs($0) > 1e-4 } })
        for (batch, accumulation) in [(288, 2), (144, 4), (200, 3)] {
            for (a, b) in zip(large, try moments(batch: batch, accumulation: accumulation)) {
                for (x, y) in zip(a.values, b.values) { #expect(abs(x - y) < 1e-7, "\(a.name) of \(accumulation) batches") }
            }
        }
    }

    /// Each batch of a step draws its own negatives, so the union of their items takes part.
    @Test(arguments: ["sequence", "pooled"]) func sampledBatchesAccumulateToo(tower: String) throws {
        let shop = PlantedShop(users: 48, types: true)
        let trainer = try Trainer(
            shop.set,
            configuration: SequenceShop.configuration([
                ("user_tower", tower), ("content", "true"), ("loss", "sampled"), ("negatives", "16"), ("batch_size", "48"),
                ("accumulation", "3"),
                ("epochs", "8"),
            ]))
        var losses: [Double] = []
        while !trainer.isFinished { losses.append(trainer.runEpoch(now: { 0 }).loss) }
        #expect(losses[losses.count - 1] < losses[0] - 0.1)
    }

    @Test func halfPrecisionStaysNear() throws {
        let shop = PlantedShop(users: 40, length: 14, types: true)
        func result(_ precision: String) throws -> Double {
            let configuration = try SequenceShop.configuration([("precision", precision), ("dimension", "32")])
            return try Trainer(shop.set, configuration: configuration).lossAndGradients(examples: 400).loss
        }
        #expect(try abs(result("bfloat16") - result("float32")) < 0.02)
        #expect(try abs(result("auto") - result("float32")) < 0.02)
    }
}
