import Testing
import TowerModel
import TowerTraining

@Suite struct TrainerTests {
    private func run(_ shop: PlantedShop, _ settings: [(String, String)]) throws -> TwoTowerModel {
        let trainer = try Trainer(shop.set, configuration: PlantedShop.configuration(settings))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer.model()
    }

    private func bits(_ model: TwoTowerModel) -> [[UInt32]] { model.tensors.map { $0.values.map(\.bitPattern) } }

    @Test(arguments: ["1", "2", "3"]) func theSameSeedGivesTheSameModel(threads: String) throws {
        let shop = PlantedShop(users: 60, types: true)
        let settings = [("epochs", "2"), ("threads", threads), ("dropout", "0.2"), ("history_dropout", "0.1")]
        let first = try run(shop, settings)
        let again = try run(shop, settings), other = try run(shop, settings + [("seed", "2")])
        #expect(bits(first) == bits(again))
        #expect(bits(first) != bits(other))
    }

    @Test(arguments: ["adam", "adagrad"]) func resumedEqualsUninterrupted(tableOptimizer: String) throws {
        let shop = PlantedShop(users: 60, types: true)
        for loss in ["full", "sampled"] {
            let configuration = try PlantedShop.configuration([
                ("epochs", "4"), ("table_optimizer", tableOptimizer), ("loss", loss), ("validation_users", "10"), ("patience", "9"),
                ("examples_per_user", "5"),
            ])
            let whole = try Trainer(shop.set, configuration: configuration)
            while !whole.isFinished { _ = whole.runEpoch(now: { 0 }) }
            let first = try Trainer(shop.set, configuration: configuration)
            for _ in 0..<2 { _ = first.runEpoch(now: { 0 }) }
            let checkpoint = first.checkpoint()
            let second = try Trainer(shop.set, resuming: checkpoint)
            #expect(second.epoch == 2)
            #expect(second.checkpoint() == checkpoint)
            while !second.isFinished { _ = second.runEpoch(now: { 0 }) }
            #expect(whole.checkpoint() == second.checkpoint())
            #expect(bits(whole.model()) == bits(second.model()))
        }
    }

    @Test func stoppedWithinAnEpochAndResumedEqualsUninterrupted() throws {
        let shop = PlantedShop(users: 60, types: true)
        for loss in ["full", "sampled"] {
            let configuration = try PlantedShop.configuration([
                ("epochs", "3"), ("loss", loss), ("validation_users", "10"), ("patience", "9"), ("examples_per_user", "5"),
                ("batch_size", "32"), ("dropout", "0.1"),
            ])
            let whole = try Trainer(shop.set, configuration: configuration)
            var losses: [Double] = []
            while !whole.isFinished { losses.append(whole.runEpoch(now: { 0 }).loss) }
            var trainer = try Trainer(shop.set, configuration: configuration), stops = 0, resumed: [Double] = []
            while !trainer.isFinished {
                var steps = 0
                let summary = trainer.runEpoch(now: { 0 }, shouldStop: { steps += 1; return steps == 3 })
                guard summary.isUnfinished else {
                    resumed.append(summary.loss)
                    continue
                }
                #expect(summary.epoch == resumed.count + 1 && !summary.isBest && summary.examples % 96 == 0)
                stops += 1
                trainer = try Trainer(shop.set, resuming: trainer.checkpoint())
            }
            // An epoch has 300 examples in 10 steps; the stop after the last one is the end of the epoch.
            #expect(stops == 9)
            #expect(resumed == losses)
            #expect(whole.checkpoint() == trainer.checkpoint())
            #expect(bits(whole.model()) == bits(trainer.model()))
            // Going on without a checkpoint is the same.
            let other = try Trainer(shop.set, configuration: configuration)
            while !other.isFinished { _ = other.runEpoch(now: { 0 }, shouldStop: { true }) }
            #expect(other.checkpoint() == whole.checkpoint())
        }
    }

    @Test func aCheckpointOfOtherDataIsRefused() throws {
        let trainer = try Trainer(PlantedShop(users: 20).set, configuration: PlantedShop.configuration())
        var checkpoint = trainer.checkpoint()
        let error = #expect(throws: ModelError.self) { try Trainer(PlantedShop(users: 22).set, resuming: checkpoint) }
        #expect(error?.description.contains("events") == true)
        checkpoint.tensors.removeAll { $0.name == "user.output.weight" }
        let damaged = #expect(throws: ModelError.self) { try Trainer(PlantedShop(users: 20).set, resuming: checkpoint) }
        #expect(damaged?.description.contains("user.output.weight") == true)
    }

    @Test func progressAndEarlyStopping() throws {
        let shop = PlantedShop(users: 200)
        let trainer = try Trainer(
            shop.set,
            configuration: PlantedShop.configuration([
                ("epochs", "200"), ("validation_users", "20"), ("patience", "2"), ("learning_rate", "0.05"),
            ]))
        var seconds = 0.0, reports: [TrainingProgress] = [], losses: [Double] = [], epochs = 0
        while !trainer.isFinished {
            let summary = trainer.runEpoch(now: { seconds += 0.5; return seconds }, progress: { reports.append($0) })
            losses.append(summary.loss)
            epochs += 1
            #expect(summary.validation?.users == 20)
        }
        #expect(epochs < 200, "twenty tastes are soon learned, so the validation stops getting better")
        #expect(losses[losses.count - 1] < losses[0])
        #expect(reports.allSatisfy { $0.examples <= $0.examplesInEpoch && $0.loss.isFinite && $0.examplesPerSecond > 0 })
        #expect(reports.last?.examples == reports.last?.examplesInEpoch)
        // 2,400 events less the 20 held out.
        #expect(reports.last?.examplesInEpoch == 2_380)
    }

    @Test func emptyAndTinySets() throws {
        let empty = try Trainer(TrainingSet.Builder().build(), configuration: PlantedShop.configuration([("epochs", "1")]))
        #expect(empty.runEpoch(now: { 0 }).examples == 0)
        #expect(empty.model().itemIDs.isEmpty)
        for loss in ["full", "sampled"] {
            var builder = TrainingSet.Builder()
            builder.append(user: "u", item: "i", time: 1)
            let one = try Trainer(builder.build(), configuration: PlantedShop.configuration([("epochs", "1"), ("loss", loss)]))
            let summary = one.runEpoch(now: { 0 })
            #expect(summary.examples == 1 && summary.loss.isFinite)
        }
    }
}
