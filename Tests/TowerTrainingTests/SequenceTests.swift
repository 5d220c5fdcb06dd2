import Evaluation
import Tensors
import Testing
import TowerModel
import TowerTraining

@Suite struct SequenceTests {
    private func trained(_ set: TrainingSet, _ settings: [(String, String)]) throws -> TwoTowerModel {
        let trainer = try Trainer(set, configuration: SequenceShop.configuration(settings))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer.model()
    }

    private func items(_ model: TwoTowerModel, _ set: TrainingSet) -> Matrix {
        model.encodeItems(set.itemContents, rows: set.itemIDs.map { model.row(of: $0) })
    }

    private func user(_ model: TwoTowerModel, _ items: Matrix, _ rows: [Int32], now: Int64 = 1_000_000) -> [Float] {
        var history = UserSequence(dimension: model.dimension, limit: model.historyLength)
        for (place, row) in rows.enumerated() {
            items.withUnsafeRow(Int(row)) { history.append(vector: $0, type: 1, time: now - 60_000 * Int64(rows.count - place)) }
        }
        return model.encodeUser(history, now: now)
    }

    /// The share of questions whose answer is the best item.
    private func hits(_ model: TwoTowerModel, _ shop: SequenceShop) -> Double {
        let items = items(model, shop.set)
        let right = shop.questions.count { topRows(1, of: model.scores(of: user(model, items, $0.history), items: items)) == [$0.next] }
        return Double(right) / Double(shop.questions.count)
    }

    @Test(arguments: ["attention", "hstu"]) func orderDecides(block: String) throws {
        let shop = SequenceShop()
        let model = try trained(
            shop.set, [("block", block), ("epochs", "25"), ("block_dropout", "0"), ("dropout", "0")])
        #expect(hits(model, shop) > 0.8)
        // The pools of a history are nearly the same whichever way it went: the tower cannot do better than guess the direction.
        let pooled = try trained(shop.set, [("user_tower", "pooled"), ("epochs", "25"), ("dropout", "0"), ("heads", "1"), ("hidden", "16")])
        #expect(hits(pooled, shop) < 0.65)
    }

    @Test(arguments: ["sampled", "bce"]) func sampledLossesFindTheOrderToo(loss: String) throws {
        let shop = SequenceShop()
        for sampling in ["mixed", "uniform", "batch"] {
            let model = try trained(
                shop.set,
                [
                    ("loss", loss), ("negatives", "24"), ("negative_sampling", sampling), ("epochs", "30"), ("block_dropout", "0"),
                    ("dropout", "0"),
                    ("logq_estimate", sampling == "mixed" ? "streaming" : "counted"),
                ])
            #expect(hits(model, shop) > 0.7, "\(loss) with \(sampling) negatives")
        }
    }

    @Test(arguments: ["attention", "hstu"]) func whatComesLaterChangesNothingBefore(block: String) throws {
        let shop = SequenceShop(users: 60)
        let trainer = try Trainer(
            shop.set, configuration: SequenceShop.configuration([("block", block), ("epochs", "2"), ("places", "true")]))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        let history: [Int32] = [3, 4, 5, 6, 7, 8]
        let whole = trainer.userVectors(histories: [history])[0]
        for length in 1..<history.count {
            var other = history
            for place in length..<history.count { other[place] = Int32((place * 7) % 20) }
            let changed = trainer.userVectors(histories: [other])[0]
            for place in 0..<length { #expect(changed[place] == whole[place], "an entry after \(place) changed it") }
            #expect(changed[length] != whole[length])
        }
    }

    @Test(arguments: ["attention", "hstu"], ["network", "direct"]) func servingEqualsTraining(block: String, head: String) throws {
        let shop = SequenceShop(users: 60)
        let trainer = try Trainer(
            shop.set,
            configuration: SequenceShop.configuration([
                ("block", block), ("head", head), ("epochs", "2"), ("places", "true"), ("feed_forward", head == "direct" ? "0" : "24"),
            ]))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        let history: [Int32] = [3, 4, 5, 9, 7, 8, 1, 2], model = trainer.model(), items = items(model, shop.set)
        let trained = trainer.userVectors(histories: [history])[0]
        for length in 1...history.count {
            // Times as `userVectors` makes them: a minute apart, and asked a minute after the last.
            let served = user(model, items, Array(history.prefix(length)))
            for (a, b) in zip(served, trained[length - 1]) { #expect(abs(a - b) < 2e-4) }
        }
        let newcomer = user(model, items, [])
        #expect(newcomer.allSatisfy(\.isFinite) && newcomer.last == 1)
    }

    @Test func longHistoriesAreCutAndFormsAgree() throws {
        let shop = SequenceShop(users: 60), model = try trained(shop.set, [("epochs", "2")]), items = items(model, shop.set)
        let long = (0..<30).map { Int32(($0 * 3) % 40) }, now: Int64 = 50_000_000
        var flat: [Float] = [], times: [Int64] = []
        for (place, row) in long.enumerated() {
            flat += items.row(Int(row))
            times.append(now - 60_000 * Int64(long.count - place))
        }
        let fromArrays = flat.withUnsafeBufferPointer {
            model.encodeUser(vectors: $0, types: long.map { _ in 1 }, times: times, now: now)
        }
        #expect(fromArrays == user(model, items, long, now: now))
        #expect(fromArrays == user(model, items, Array(long.suffix(8)), now: now))
        // How long the user was away counts, as far as training has met it.
        #expect(user(model, items, long, now: now).count == model.dimension)
    }

    @Test(arguments: ["1", "2", "3"]) func theSameSeedGivesTheSameModel(threads: String) throws {
        let shop = PlantedShop(users: 60, types: true)
        let settings = [
            ("epochs", "2"), ("threads", threads), ("history_dropout", "0.1"), ("content", "true"), ("id_dropout", "0.2"),
            ("targets_ahead", "2"),
        ]
        let bits = { (model: TwoTowerModel) in model.tensors.map { $0.values.map(\.bitPattern) } }
        let first = try bits(trained(shop.set, settings)), again = try bits(trained(shop.set, settings))
        #expect(first == again)
        #expect(try first != bits(trained(shop.set, settings + [("seed", "2")])))
    }

    @Test(arguments: ["full", "sampled", "bce"]) func resumedEqualsUninterrupted(loss: String) throws {
        let shop = PlantedShop(users: 60, length: 20, types: true)
        let configuration = try SequenceShop.configuration([
            ("epochs", "4"), ("loss", loss), ("negatives", "16"), ("validation_users", "10"), ("patience", "9"), ("content", "true"),
            ("id_dropout", "0.2"),
            ("weight_average", "0.9"), ("accumulation", "2"), ("batch_size", "48"), ("logq_estimate", "streaming"),
            ("mask_history", "true"),
            ("examples_per_user", "9"),
        ])
        let whole = try Trainer(shop.set, configuration: configuration)
        while !whole.isFinished { _ = whole.runEpoch(now: { 0 }) }
        let first = try Trainer(shop.set, configuration: configuration)
        _ = first.runEpoch(now: { 0 })
        var steps = 0
        let stopped = first.runEpoch(now: { 0 }, shouldStop: { steps += 1; return steps == 2 })
        #expect(stopped.isUnfinished)
        let checkpoint = first.checkpoint()
        let second = try Trainer(shop.set, resuming: checkpoint)
        #expect(second.checkpoint() == checkpoint)
        while !second.isFinished { _ = second.runEpoch(now: { 0 }) }
        let (a, b) = (whole.checkpoint(), second.checkpoint())
        #expect(a.counters == b.counters)
        // Names alone: a failure must not print the whole model.
        #expect(zip(a.tensors, b.tensors).filter { $0 != $1 }.map(\.0.name) == [])
        #expect(zip(whole.model().tensors, second.model().tensors).filter { $0 != $1 }.map(\.0.name) == [])
    }

    @Test func modelsRoundTripThroughTensors() throws {
        let shop = PlantedShop(users: 60, types: true)
        let model = try trained(
            shop.set,
            [("epochs", "1"), ("content", "true"), ("unit_length", "true"), ("temperature", "0.2"), ("learned_temperature", "true")])
        let copy = try TwoTowerModel(configuration: model.configuration, itemIDs: model.itemIDs, tensors: model.tensors)
        #expect(copy.tensors == model.tensors)
        let items = items(model, shop.set)
        #expect(user(copy, items, [1, 2, 3]) == user(model, items, [1, 2, 3]))
        #expect(model.tensors.contains { $0.name == "user.temperature" && $0.values[0] != 0 })
    }

    @Test func tinySets() throws {
        for loss in ["full", "sampled", "bce"] {
            let empty = try Trainer(
                TrainingSet.Builder().build(), configuration: SequenceShop.configuration([("epochs", "1"), ("loss", loss)]))
            #expect(empty.runEpoch(now: { 0 }).examples == 0)
            var builder = TrainingSet.Builder()
            builder.append(user: "u", item: "i", time: 1)
            let one = try Trainer(builder.build(), configuration: SequenceShop.configuration([("epochs", "1"), ("loss", loss)]))
            let summary = one.runEpoch(now: { 0 })
            #expect(summary.examples == 1 && summary.loss.isFinite)
        }
    }
}
