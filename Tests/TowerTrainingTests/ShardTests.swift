import RankSupport
import Testing
import TowerModel
import TowerTraining

/// Tables whose rows lie on several ranks, as threads over memory, beside whole ones.
@Suite struct ShardTests {
    /// What a training came to on one rank.
    struct End: Sendable {
        var losses: [Double] = []
        /// On rank 0.
        var tensors: [NamedTensor]?
        var traffic: GradientTraffic
        var tableBytes: Int
    }

    private static func train(_ size: Int, _ set: TrainingSet, _ configuration: TowerConfiguration) throws -> [End] {
        try MemoryRanks.run(size) { rank in
            let trainer = try Trainer(set, configuration: configuration, ranks: rank)
            var losses: [Double] = []
            while !trainer.isFinished {
                let summary = trainer.runEpoch(now: { 0 })
                if let failure = summary.failure { throw failure }
                losses.append(summary.loss)
            }
            return End(
                losses: losses, tensors: try trainer.collectedModel()?.tensors, traffic: try #require(trainer.traffic),
                tableBytes: trainer.tableBytes)
        }
    }

    /// Dropout, hidden attributes, ids left out and negatives drawn by chance, all at once.
    private static let chance = [
        ("dropout", "0.2"), ("history_dropout", "0.1"), ("epochs", "3"), ("negatives", "24"), ("loss", "sampled"), ("attention_heads", "2"),
        ("blocks", "1"),
    ]

    @Test(arguments: [
        [], [("user_tower", "sequence")], [("table_optimizer", "adagrad"), ("accumulation", "2"), ("weight_average", "0.9")],
        [("gradient_compression", "bfloat16")], [("quantisation", "int8-post"), ("unit_length", "true")], [("content", "false")],
        [("clip_norm", "0.05"), ("threads", "1")],
    ])
    func shardedTablesGiveTheSameBits(settings: [(String, String)]) throws {
        let shop = PlantedShop(users: 120, types: true)
        let whole = try PlantedShop.configuration(Self.chance + settings)
        let sharded = try PlantedShop.configuration(Self.chance + settings + [("table_sharding", "rows")])
        for size in [2, 3] {
            let one = try Self.train(size, shop.set, whole), other = try Self.train(size, shop.set, sharded)
            #expect(other[0].losses == one[0].losses && other[0].losses.allSatisfy { $0.isFinite })
            let differing = zip(try #require(one[0].tensors), try #require(other[0].tensors)).filter { $0 != $1 }.map(\.0.name)
            #expect(differing == [], "\(size) ranks")
            #expect(other[1...].allSatisfy { $0.tensors == nil })
            #expect(other[0].losses[2] < other[0].losses[0])
        }
    }

    @Test func autoIsSampledAndOneRankHasWholeTables() throws {
        let shop = PlantedShop(users: 60)
        let configuration = try PlantedShop.configuration([("table_sharding", "rows"), ("negatives", "16")])
        let sampled = try PlantedShop.configuration([("loss", "sampled"), ("negatives", "16")])
        let ends = [try Trainer(shop.set, configuration: configuration), try Trainer(shop.set, configuration: sampled)].map { trainer in
            while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
            return trainer
        }
        #expect(ends[0].keepsCheckpoints && ends[0].model().tensors == ends[1].model().tensors)
        #expect(try ends[0].collectedModel()?.tensors == ends[0].model().tensors)
    }

    @Test func aRankHoldsItsShareOfTheTablesAndTheWorkOfOneBatch() throws {
        // Many items, small batches.
        var builder = TrainingSet.Builder()
        for user in 0..<200 {
            for step in 0..<8 { builder.append(user: "u\(user)", item: "i\((user * 37 + step * step * 11) % 1_500)", time: Int64(step)) }
        }
        let set = builder.build()
        let settings = [
            ("epochs", "1"), ("loss", "sampled"), ("negatives", "8"), ("batch_size", "16"), ("content", "false"), ("dimension", "64"),
        ]
        let whole = try Self.train(4, set, PlantedShop.configuration(settings))
        let sharded = try Self.train(4, set, PlantedShop.configuration(settings + [("table_sharding", "rows")]))
        let items = set.itemCount, all = 3 * 4 * 64 * (items + 64)
        #expect(whole[0].tableBytes == all)
        // A quarter of the rows, and of one batch: 16 histories of 6 at most, targets of all, negatives; the directory has 4 bytes a row.
        let working = 4 * (items + 64) + 4 * 64 * 9 / 8 * (2 * (16 * 6 + 64 + 8))
        #expect(sharded.allSatisfy { $0.tableBytes < all / 4 + 3 * 4 * 64 * 2 + working }, "\(sharded.map(\.tableBytes)) of \(all)")
        #expect(whole[0].traffic.fetched == 0 && sharded[0].traffic.fetched > 0)
        // A gradient goes to one rank where it went to three.
        #expect(sharded[0].traffic.sparse * 2 < whole[0].traffic.sparse, "\(sharded[0].traffic) beside \(whole[0].traffic)")
        #expect(sharded[0].traffic.steps == whole[0].traffic.steps && sharded[0].traffic.dense == whole[0].traffic.dense)
    }

    @Test func moreRanksThanRowsOrExamples() throws {
        var builder = TrainingSet.Builder()
        builder.append(user: "u", item: "i", time: 1)
        builder.append(user: "u", item: "j", time: 2)
        let set = builder.build()
        for tower in ["pooled", "sequence"] {
            let settings = [("epochs", "2"), ("user_tower", tower), ("loss", "sampled"), ("attention_heads", "2"), ("negatives", "2")]
            let whole = try Self.train(3, set, PlantedShop.configuration(settings))
            let sharded = try Self.train(3, set, PlantedShop.configuration(settings + [("table_sharding", "rows")]))
            #expect(sharded[0].tensors == whole[0].tensors)
        }
    }

    @Test(arguments: [5, 23, 60]) func aLostRankEndsTheOthers(call: Int) throws {
        let shop = PlantedShop(users: 80)
        let configuration = try PlantedShop.configuration([("epochs", "2"), ("table_sharding", "rows")])
        _ = try MemoryRanks.run(3) { rank in
            if rank.rank == 2 { rank.lostAt = call }
            let trainer = try Trainer(shop.set, configuration: configuration, ranks: rank)
            let summary = trainer.runEpoch(now: { 0 })
            #expect(summary.isUnfinished && summary.failure != nil && !trainer.keepsCheckpoints)
        }
    }

    @Test func whatItCannotDoIsRefusedBySentences() throws {
        let shop = PlantedShop(users: 20)
        for (key, value) in [("loss", "full"), ("validation_users", "5"), ("quantisation", "int8-aware")] {
            let configuration = try PlantedShop.configuration([("table_sharding", "rows"), (key, value)])
            _ = try MemoryRanks.run(2) { rank in
                let error = #expect(throws: ConfigurationError.self) { try Trainer(shop.set, configuration: configuration, ranks: rank) }
                #expect(error?.key == key && error?.description.contains("train.table_sharding") == true)
            }
            #expect(throws: Never.self) { try Trainer(shop.set, configuration: configuration) }
        }
        // A checkpoint of one process is not for ranks that share the tables.
        let configuration = try PlantedShop.configuration([("table_sharding", "rows")])
        let checkpoint = try Trainer(shop.set, configuration: configuration).checkpoint()
        _ = try MemoryRanks.run(2) { rank in
            let error = #expect(throws: ModelError.self) { try Trainer(shop.set, resuming: checkpoint, ranks: rank) }
            #expect(error?.description.contains("table_sharding") == true)
        }
    }
}
