import RankSupport
import Testing
import TowerModel
import TowerTraining

/// Ranks that train together, as threads over memory; over OpenMPI the same is tested from outside.
@Suite struct RankTests {
    /// What a training came to: losses by epoch, the end state, and what it sent.
    struct Course: Sendable {
        var losses: [Double] = []
        var checkpoint: Checkpoint
        var traffic: GradientTraffic?

        /// The largest difference of the loss of an epoch, relative to it.
        func distance(_ other: Course) -> Double {
            zip(losses, other.losses).map { abs($0 - $1) / abs($0) }.max() ?? .infinity
        }
    }

    private static func course(_ trainer: Trainer) throws -> Course {
        var losses: [Double] = []
        while !trainer.isFinished {
            let summary = trainer.runEpoch(now: { 0 })
            if let failure = summary.failure { throw failure }
            losses.append(summary.loss)
        }
        return Course(losses: losses, checkpoint: trainer.checkpoint(), traffic: trainer.traffic)
    }

    private static func alone(_ set: TrainingSet, _ configuration: TowerConfiguration, batch: Int) throws -> Course {
        var doubled = configuration
        doubled.steps.batchSize = batch
        return try course(Trainer(set, configuration: doubled))
    }

    private static func together(_ size: Int, _ set: TrainingSet, _ configuration: TowerConfiguration) throws -> [Course] {
        try MemoryRanks.run(size) { try course(Trainer(set, configuration: configuration, ranks: $0)) }
    }

    /// Dropout, hidden attributes, negatives and windows that are cut by chance, all at once.
    private static let chance = [
        ("dropout", "0.2"), ("block_dropout", "0.2"), ("history_dropout", "0.1"), ("epochs", "4"), ("threads", "1"), ("negatives", "24"),
        ("validation_users", "10"), ("patience", "9"),
    ]

    @Test(arguments: ["pooled", "sequence"], ["full", "sampled"])
    func twoRanksAreOneProcessWithTheDoubledBatch(tower: String, loss: String) throws {
        let shop = PlantedShop(users: 120, types: true)
        var settings =
            Self.chance + [("user_tower", tower), ("loss", loss), ("attention_heads", "2"), ("blocks", "1"), ("block_dropout", "0")]
        // Entries left out by chance move the border between tiles, and with it what else chance leaves out.
        if tower == "sequence" { settings += [("history_dropout", "0"), ("dropout", "0")] }
        let configuration = try PlantedShop.configuration(settings)
        let alone = try Self.alone(shop.set, configuration, batch: 2 * configuration.steps.batchSize)
        let ranks = try Self.together(2, shop.set, configuration)
        #expect(ranks[0].checkpoint == ranks[1].checkpoint, "every rank has the same bits")
        #expect(ranks[0].losses == ranks[1].losses)
        #expect(ranks[0].distance(alone) < 1e-5, "\(ranks[0].losses) beside \(alone.losses)")
        #expect(alone.losses[3] < alone.losses[0] && ranks[0].losses.count == 4)
        // Gathered negatives and shared work are what makes it so: half a batch a step is another curve.
        #expect(try Self.alone(shop.set, configuration, batch: configuration.steps.batchSize).distance(alone) > 1e-3)
        let again = try Self.together(2, shop.set, configuration)
        #expect(again[0].checkpoint == ranks[0].checkpoint, "the same seed gives the same model")
    }

    @Test(arguments: ["full", "sampled"]) func threeRanksOfTheDefaultWithAccumulationAndAnOddRest(loss: String) throws {
        // 1,440 events less 10 held out: the last step has a few examples for three ranks.
        let shop = PlantedShop(users: 120, types: true)
        let configuration = try PlantedShop.configuration(
            Self.chance + [
                ("loss", loss), ("accumulation", "2"), ("weight_average", "0.9"), ("batch_size", "21"), ("table_optimizer", "adagrad"),
            ])
        let alone = try Self.alone(shop.set, configuration, batch: 63)
        let ranks = try Self.together(3, shop.set, configuration)
        #expect(ranks[0].checkpoint == ranks[1].checkpoint && ranks[0].checkpoint == ranks[2].checkpoint)
        #expect(ranks[0].distance(alone) < 1e-5, "\(ranks[0].losses) beside \(alone.losses)")
    }

    @Test func moreRanksThanExamples() throws {
        var builder = TrainingSet.Builder()
        builder.append(user: "u", item: "i", time: 1)
        let set = builder.build()
        for (tower, loss) in [("pooled", "full"), ("pooled", "sampled"), ("sequence", "full"), ("sequence", "sampled")] {
            let configuration = try PlantedShop.configuration([
                ("epochs", "2"), ("user_tower", tower), ("loss", loss), ("attention_heads", "2"),
            ])
            let ranks = try Self.together(3, set, configuration)
            #expect(
                ranks.allSatisfy { $0.losses.count == 2 && $0.losses.allSatisfy { $0.isFinite } && $0.checkpoint == ranks[0].checkpoint })
        }
    }

    @Test func tablesTravelAsTheRowsThatWereUsedAndCompressionHalvesBytes() throws {
        // Many items and small batches: most rows rest in a step.
        var builder = TrainingSet.Builder()
        for user in 0..<200 {
            for step in 0..<8 { builder.append(user: "u\(user)", item: "i\((user * 37 + step * step * 11) % 1_500)", time: Int64(step)) }
        }
        let set = builder.build()
        let settings = [
            ("epochs", "3"), ("threads", "1"), ("loss", "sampled"), ("negatives", "16"), ("batch_size", "16"), ("content", "false"),
            ("learning_rate", "0.005"),
        ]
        let plain = try Self.together(2, set, PlantedShop.configuration(settings))
        let traffic = try #require(plain[0].traffic)
        #expect(traffic.steps == 3 * ((set.eventCount + 31) / 32))
        // All rows would be 1,500 of 64 bytes and more; used are at most 32 + 16 targets and negatives and 96 of histories.
        #expect(traffic.sparse > 0 && traffic.sparse / traffic.steps < 144 * 68 + 64 * 68, "\(traffic)")
        let compressed = try Self.together(2, set, PlantedShop.configuration(settings + [("gradient_compression", "bfloat16")]))
        let less = try #require(compressed[0].traffic)
        #expect(compressed[0].checkpoint == compressed[1].checkpoint)
        #expect(less.dense * 2 <= traffic.dense + 64 * traffic.steps)
        #expect(Double(less.sparse) < 0.56 * Double(traffic.sparse), "\(less) beside \(traffic)")
        #expect(
            compressed[0].losses != plain[0].losses && compressed[0].distance(plain[0]) < 0.01, "\(compressed[0].losses) \(plain[0].losses)"
        )
    }

    @Test func oneRankStopsAllAndTheyGoOn() throws {
        let shop = PlantedShop(users: 80)
        let configuration = try PlantedShop.configuration([("epochs", "3"), ("threads", "1"), ("dropout", "0.1")])
        let whole = try Self.together(2, shop.set, configuration)
        let stopped = try MemoryRanks.run(2) { rank in
            var trainer = try Trainer(shop.set, configuration: configuration, ranks: rank), steps = 0, stops = 0
            while !trainer.isFinished {
                let summary = trainer.runEpoch(now: { 0 }, shouldStop: { steps += 1; return rank.rank == 1 && steps % 4 == 0 })
                guard summary.isUnfinished else { continue }
                #expect(summary.failure == nil)
                stops += 1
                trainer = try Trainer(shop.set, resuming: trainer.checkpoint(), ranks: rank)
            }
            return (checkpoint: trainer.checkpoint(), stops: stops)
        }
        #expect(stopped[0].stops > 3 && stopped[0].stops == stopped[1].stops)
        #expect(stopped.allSatisfy { $0.checkpoint == whole[0].checkpoint })
    }

    @Test(arguments: [3, 17, 40]) func aLostRankEndsTheEpochOfTheOthersAndTheLastWholeStepIsKept(call: Int) throws {
        let shop = PlantedShop(users: 80)
        let configuration = try PlantedShop.configuration([("epochs", "2"), ("threads", "1"), ("loss", "sampled")])
        let whole = try Self.together(2, shop.set, configuration)
        let kept = try MemoryRanks.run(2) { rank in
            if rank.rank == 1 { rank.lostAt = call }
            let trainer = try Trainer(shop.set, configuration: configuration, ranks: rank)
            let summary = trainer.runEpoch(now: { 0 })
            #expect(summary.isUnfinished && summary.failure != nil)
            return trainer.checkpoint()
        }
        // What rank 0 kept is the end of a step: from there two ranks end where two that were never apart do.
        let resumed = try MemoryRanks.run(2) { try Self.course(Trainer(shop.set, resuming: kept[0], ranks: $0)).checkpoint }
        #expect(resumed[0] == whole[0].checkpoint)
    }
}
