import ContentModel
import Tensors
import Testing
import TowerModel
import TowerTraining

/// A catalogue where item k has about half as many events as item k − 1, and nobody prefers anything.
@Suite struct TailWeightTests {
    private static let set: TrainingSet = {
        var builder = TrainingSet.Builder()
        var state: UInt64 = 3
        for user in 0..<400 {
            for time in 0..<6 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let draw = Int((state >> 33) % 64)
                let item = draw == 0 ? 6 : 5 - (63 - UInt64(draw).leadingZeroBitCount)
                builder.append(user: "u\(user)", item: "i\(item)", time: Int64(time))
            }
        }
        return builder.build()
    }()

    private func trainer(_ settings: [(String, String)]) throws -> Trainer {
        let base = [("content", "false"), ("epochs", "12"), ("id_dropout", "0"), ("hidden", "0"), ("negatives", "40")]
        return try Trainer(Self.set, configuration: PlantedShop.configuration(base + settings))
    }

    /// Scores of all items for a user of whom nothing is known.
    private func scores(_ settings: [(String, String)]) throws -> [Float] {
        let trainer = try trainer(settings)
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        let model = trainer.model()
        let items = model.encodeItems(Self.set.itemIDs.map { _ in ItemContent() }, rows: Self.set.itemIDs.map { model.row(of: $0) })
        return model.scores(of: model.encodeUser(UserSequence(dimension: model.dimension), now: 0), items: items)
    }

    private func spread(_ scores: [Float]) -> Float { (scores.max() ?? 0) - (scores.min() ?? 0) }

    /// The slope of scores over ln of the items' shares: 1 where scores are popularity, 0 where it is taken away.
    private func slope(_ scores: [Float]) -> Float {
        let logs = Self.set.eventsPerItem().map { Kernels.log(Float($0)) }
        let count = Float(logs.count), mean = logs.reduce(0, +) / count, level = scores.reduce(0, +) / count
        let covariance = zip(logs, scores).reduce(Float(0)) { $0 + ($1.0 - mean) * ($1.1 - level) }
        return covariance / logs.reduce(Float(0)) { $0 + ($1 - mean) * ($1 - mean) }
    }

    @Test(arguments: [("pooled", "full"), ("pooled", "sampled"), ("sequence", "full"), ("sequence", "sampled")])
    func logitAdjustmentTakesPopularityAway(tower: String, loss: String) throws {
        let settings = [("user_tower", tower), ("loss", loss)]
        let plain = slope(try scores(settings)), half = slope(try scores(settings + [("logit_adjustment", "0.5")]))
        let whole = slope(try scores(settings + [("logit_adjustment", "1")]))
        #expect(plain > 0.7 && abs(plain - half - 0.5) < 0.25 && abs(plain - whole - 1) < 0.35, "\(plain), \(half), \(whole)")
    }

    @Test func inversePropensitiesMakeItemsCountAlike() throws {
        let plain = try scores([]), half = try scores([("propensity_power", "0.5"), ("propensity_limit", "1000")])
        let whole = try scores([("propensity_power", "1"), ("propensity_limit", "1000")])
        #expect(slope(plain) > 0.7, "\(plain)")
        #expect(abs(slope(half) - slope(plain) / 2) < 0.25, "\(half)")
        #expect(abs(slope(whole)) < 0.3 && spread(whole) < spread(plain) / 2, "\(whole)")
        // Clipped to the mean, nothing is left of it.
        #expect(try scores([("propensity_power", "1"), ("propensity_limit", "1")]) == plain)
    }

    /// At the start every item is nearly as probable, so a loss of mean weight 1 is ln of their number.
    @Test func weightsHaveMeanOne() throws {
        for settings in [[("propensity_power", "0.7")], [("tail_beta", "0.99")], [("tail_beta", "0.99"), ("propensity_power", "0.7")]] {
            let loss = try trainer(settings).lossAndGradients(examples: Self.set.eventCount).loss
            #expect(abs(loss - Double(Kernels.log(7))) < 0.1, "\(settings)")
        }
    }

    @Test func whatCannotCarryALogitAdjustmentIsRefused() throws {
        var configuration = try PlantedShop.configuration([("user_tower", "sequence"), ("loss", "bce"), ("logit_adjustment", "1")])
        let error = #expect(throws: ConfigurationError.self) { try Trainer(Self.set, configuration: configuration) }
        #expect(error?.key == "logit_adjustment" && error?.description.contains("bce") == true)
        try configuration.set("loss", "full")
        #expect(throws: ConfigurationError.self) { try configuration.validate(hasTeacher: true) }
    }
}
