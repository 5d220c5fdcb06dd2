import Testing
import TowerModel
import TowerTraining

@Suite struct QuantisationTests {
    private func trained(_ set: TrainingSet, _ settings: [(String, String)]) throws -> Trainer {
        let trainer = try Trainer(set, configuration: PlantedShop.configuration(settings))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer
    }

    /// Names of the tensors that a quantised pooled or sequence model keeps in 8 bits.
    private func int8(_ model: TwoTowerModel) -> [NamedTensor] {
        model.tensors.filter { model.int8Tensors.contains($0.name) && !$0.values.isEmpty }
    }

    @Test func rowsComeBackWithinHalfAStepAndRoundingTwiceChangesNothing() {
        var random: UInt64 = 9
        func draw() -> Float {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Float(random >> 40) / 8_388_608 - 1)
        }
        for magnitude: Float in [1e-6, 0.3, 1, 127, 4e7] {
            let values = (0..<64 * 24).map { _ in magnitude * draw() }
            let rows = Int8Rows(values, rows: 64), back = rows.values
            for row in 0..<64 {
                let part = row * 24..<(row + 1) * 24, largest = values[part].map { abs($0) }.max() ?? 0
                // Half a step, a step being the largest value over 127; the largest itself may lose half a step more to its scale.
                for index in part { #expect(abs(back[index] - values[index]) <= largest / 127 * 0.51) }
                #expect(rows.codes[part].contains { abs($0) == 127 }, "the whole range is used")
                #expect(rows.scales[row].bitPattern & 0xFFFF == 0, "a scale is a bfloat16")
            }
            #expect(Int8Rows(back, rows: 64) == rows)
        }
        let odd = Int8Rows([0, 0, -0.0, 1, .nan, -.infinity, 1e-38, 0, 0], rows: 3)
        #expect(odd.codes == [0, 0, 0, 127, 0, 0, 0, 0, 0] && odd.scales[0] == 0 && odd.scales[2] == 0)
        #expect(abs(odd.values[3] - 1) < 1 / 254)
        #expect(Int8Rows([], rows: 0).values.isEmpty)
    }

    @Test(arguments: ["pooled", "sequence"]) func postTrainingRoundsWhatFloat32Learned(tower: String) throws {
        let shop = PlantedShop(users: 80, types: true)
        let settings = [("user_tower", tower), ("attention_heads", "2"), ("epochs", "3")]
        let float = try trained(shop.set, settings).model(),
            post = try trained(shop.set, settings + [("quantisation", "int8-post")]).model()
        #expect(float.int8Tensors.isEmpty)
        let names = post.int8Tensors
        #expect(names.isSuperset(of: ["item.ids", "content.tokens", "user.tokens", "user.input.weight"]))
        var differing = 0
        for (plain, rounded) in zip(float.tensors, post.tensors) {
            guard names.contains(plain.name), !plain.values.isEmpty else {
                #expect(plain == rounded, "\(plain.name) stays")
                continue
            }
            #expect(rounded.values == Int8Rows(plain.values, rows: plain.shape[0]).values)
            if rounded.values != plain.values { differing += 1 }
        }
        #expect(differing >= 4)
    }

    /// The straight-through estimator: loss and gradient are those of the rounded model, bit for bit.
    @Test(arguments: ["pooled", "sequence"], ["full", "sampled"]) func theGradientIsThatOfTheRoundedModel(tower: String, loss: String)
        throws
    {
        let shop = PlantedShop(users: 40, types: true)
        let settings = [("user_tower", tower), ("attention_heads", "2"), ("loss", loss), ("epochs", "2"), ("quantisation", "int8-aware")]
        let aware = try trained(shop.set, settings)
        var checkpoint = aware.checkpoint()
        checkpoint.settings["quantisation"] = "none"
        let plain = try Trainer(shop.set, resuming: checkpoint)
        for index in checkpoint.tensors.indices where aware.model().int8Tensors.contains(checkpoint.tensors[index].name) {
            let tensor = checkpoint.tensors[index]
            checkpoint.tensors[index].values = Int8Rows(tensor.values, rows: tensor.shape[0]).values
        }
        let rounded = try Trainer(shop.set, resuming: checkpoint)
        let (own, expected, unrounded) = (
            aware.lossAndGradients(examples: 100), rounded.lossAndGradients(examples: 100), plain.lossAndGradients(examples: 100)
        )
        #expect(own.loss == expected.loss && own.gradients == expected.gradients)
        #expect(own.loss != unrounded.loss)
        // What is served is the rounded model too.
        #expect(int8(aware.model()).allSatisfy { $0.values == Int8Rows($0.values, rows: $0.shape[0]).values })
    }

    @Test func theSameSeedGivesTheSameModelAndResumedEqualsUninterrupted() throws {
        let shop = PlantedShop(users: 60, types: true)
        let settings = [
            ("quantisation", "int8-aware"), ("epochs", "4"), ("dropout", "0.1"), ("validation_users", "10"), ("patience", "9"),
            ("loss", "sampled"),
        ]
        let whole = try trained(shop.set, settings)
        #expect(try trained(shop.set, settings).checkpoint() == whole.checkpoint())
        let first = try Trainer(shop.set, configuration: PlantedShop.configuration(settings))
        for _ in 0..<2 { _ = first.runEpoch(now: { 0 }) }
        let second = try Trainer(shop.set, resuming: first.checkpoint())
        while !second.isFinished { _ = second.runEpoch(now: { 0 }) }
        #expect(second.checkpoint() == whole.checkpoint())
        #expect(second.model().tensors == whole.model().tensors)
    }

    /// With coarse numbers alone training would stand still; what is moved underneath is not rounded.
    @Test(arguments: ["int8-post", "int8-aware"]) func roundedModelsLearnWhatFloat32Does(quantisation: String) throws {
        let shop = PlantedShop(users: 200)
        let settings = [("validation_users", "20"), ("epochs", "6")]
        func result(_ more: [(String, String)]) throws -> (loss: Double, ndcg: Double) {
            let trainer = try Trainer(shop.set, configuration: PlantedShop.configuration(settings + more))
            var last: EpochSummary?
            while !trainer.isFinished { last = trainer.runEpoch(now: { 0 }) }
            let summary = try #require(last)
            return (summary.loss, try #require(summary.validation)["NDCG@10"])
        }
        let float = try result([]), rounded = try result([("quantisation", quantisation)])
        #expect(abs(rounded.loss - float.loss) < 0.01 * float.loss, "\(rounded) beside \(float)")
        #expect(rounded.ndcg > 0.9 * float.ndcg, "\(rounded) beside \(float)")
    }
}
