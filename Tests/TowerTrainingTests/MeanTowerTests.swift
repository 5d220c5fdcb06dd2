import ContentModel
import Evaluation
import Tensors
import Testing
import TowerModel
import TowerTraining

@Suite struct MeanTowerTests {
    private func configuration(_ settings: [(String, String)] = []) throws -> TowerConfiguration {
        var configuration = try TowerConfiguration(preset: "mean")
        let base = [
            ("dimension", "16"), ("hidden", "32"), ("history_length", "6"), ("text_buckets", "256"), ("tag_buckets", "256"),
            ("batch_size", "64"), ("epochs", "6"), ("learning_rate", "0.01"), ("table_learning_rate", "0.1"), ("id_dropout", "0.3"),
            ("threads", "2"),
        ]
        for (key, value) in base + settings { try configuration.set(key, value) }
        return configuration
    }

    private func trained(_ shop: PlantedShop, _ settings: [(String, String)] = []) throws -> Trainer {
        let trainer = try Trainer(shop.set, configuration: configuration(settings))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer
    }

    private func bits(_ model: TwoTowerModel) -> [[UInt32]] { model.tensors.map { $0.values.map(\.bitPattern) } }

    /// Compares the largest gradients of every parameter with central differences.
    private func check(_ trainer: Trainer, examples: Int) {
        let (_, gradients) = trainer.lossAndGradients(examples: examples)
        for tensor in gradients where !tensor.values.isEmpty {
            let order = tensor.values.indices.sorted { abs(tensor.values[$0]) > abs(tensor.values[$1]) }.prefix(4)
            #expect(abs(tensor.values[order[0]]) > 1e-5, "\(tensor.name) has no gradient")
            for index in order {
                let gradient = Double(tensor.values[index])
                // A step may cross a corner of relu, a smaller one drowns in rounding: the better of them counts.
                var slope = Double.infinity
                for step: Float in [1e-4, 3e-4, 1e-3, 3e-3, 1e-2] {
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

    @Test(arguments: ["1", "2", "3"]) func centralDifferences(threads: String) throws {
        let shop = PlantedShop(users: 40, types: true)
        let trainer = try Trainer(
            shop.set,
            configuration: configuration([
                ("user_ids", "true"), ("threads", threads), ("temperature", "0.2"), ("batch_size", "200"), ("tail_beta", "0.9"),
            ]))
        for _ in 0..<3 { _ = trainer.runEpoch(now: { 0 }) }
        check(trainer, examples: 150)
    }

    @Test func centralDifferencesWithoutUsersAndContent() throws {
        let shop = PlantedShop(users: 40)
        let trainer = try Trainer(
            shop.set,
            configuration: configuration([("content", "false"), ("dimension", "48"), ("hidden", "16"), ("temperature", "0.1"), ("logq", "false"), ("logit_adjustment", "0.6")]))
        for _ in 0..<3 { _ = trainer.runEpoch(now: { 0 }) }
        check(trainer, examples: 60)
    }

    /// The loss as it is defined, over one column an example, in double precision.
    @Test(arguments: [0, 0.7]) func distinctCandidatesGiveTheLossOfAllColumns(adjustment: Double) throws {
        let shop = PlantedShop(users: 30, content: false)
        let trainer = try Trainer(
            shop.set,
            configuration: configuration([("content", "false"), ("batch_size", "100"), ("epochs", "2"), ("logit_adjustment", "\(adjustment)")]))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        let model = trainer.model(), set = shop.set, n = 100
        let items = model.encodeItems(set.itemContents, rows: (0..<Int32(set.itemCount)).map { $0 })
        var users: [[Float]] = [], targets: [Int] = []
        for user in 0..<set.userCount {
            for event in set.userStarts[user]..<set.userStarts[user + 1] where targets.count < n {
                var history = UserSequence(dimension: model.dimension, limit: 6)
                for entry in max(set.userStarts[user], event - 6)..<event {
                    history.append(vector: items.row(Int(set.items[entry])), type: 1, time: 0)
                }
                users.append(model.encodeUser(history, now: 0))
                targets.append(Int(set.items[event]))
            }
        }
        let counts = set.eventsPerItem().map { Double($0) }, total = counts.reduce(0, +)
        var loss = 0.0
        for (user, target) in zip(users, targets) {
            let logits = targets.map { column -> Double in
                let score = zip(user, items.row(column)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                return score + (adjustment - 1) * Double(Kernels.log(Float(counts[column] / total)))
            }
            let own = logits[targets.firstIndex(of: target) ?? 0], top = logits.max() ?? 0
            let sum = logits.reduce(0.0) { $0 + Double(Kernels.exp(Float($1 - top))) }
            loss += (Double(Kernels.log(Float(sum))) + top - own) / Double(n)
        }
        #expect(abs(loss - trainer.lossAndGradients(examples: n).loss) < 1e-3)
    }

    @Test(arguments: ["1", "2", "3"]) func theSameSeedGivesTheSameModel(threads: String) throws {
        let shop = PlantedShop(users: 60, types: true)
        let settings = [("epochs", "2"), ("threads", threads), ("user_ids", "true")]
        let first = try trained(shop, settings).model()
        let again = try trained(shop, settings).model(), other = try trained(shop, settings + [("seed", "2")]).model()
        #expect(bits(first) == bits(again))
        #expect(bits(first) != bits(other))
    }

    @Test func resumedEqualsUninterrupted() throws {
        let shop = PlantedShop(users: 60, types: true)
        let settings = try configuration([("epochs", "4"), ("user_ids", "true"), ("validation_users", "10"), ("patience", "9")])
        let whole = try Trainer(shop.set, configuration: settings)
        while !whole.isFinished { _ = whole.runEpoch(now: { 0 }) }
        let first = try Trainer(shop.set, configuration: settings)
        for _ in 0..<2 { _ = first.runEpoch(now: { 0 }) }
        // In the middle of an epoch, too.
        var steps = 0
        _ = first.runEpoch(now: { 0 }, shouldStop: { steps += 1; return steps == 3 })
        let checkpoint = first.checkpoint()
        let second = try Trainer(shop.set, resuming: checkpoint)
        #expect(second.checkpoint() == checkpoint)
        while !second.isFinished { _ = second.runEpoch(now: { 0 }) }
        #expect(whole.checkpoint() == second.checkpoint())
        #expect(bits(whole.model()) == bits(second.model()))
    }

    /// Users get items of their taste, from a model that went through its tensors, and new items stand with what they resemble.
    @Test func aPlantedTasteIsFound() throws {
        let shop = PlantedShop(users: 300)
        let trainer = try trained(shop, [("epochs", "8")])
        let original = trainer.model()
        let model = try TwoTowerModel(configuration: original.configuration, itemIDs: original.itemIDs, tensors: original.tensors)
        #expect(bits(model) == bits(original))
        let items = model.encodeItems(shop.set.itemContents, rows: (0..<Int32(shop.set.itemCount)).map { $0 }, threads: 2)
        let fresh = model.encodeItems((0..<2).map { PlantedShop.content(cluster: $0, number: 7) }, rows: [nil, nil])
        var right = 0, freshRight = 0
        for user in 0..<shop.set.userCount {
            var history = UserSequence(dimension: model.dimension, limit: 6)
            for event in (shop.set.userStarts[user]..<shop.set.userStarts[user + 1]).suffix(6) {
                history.append(vector: items.row(Int(shop.set.items[event])), type: 1, time: shop.set.times[event])
            }
            let vector = model.encodeUser(history, now: shop.set.clock), taste = shop.clusterOfUser[shop.set.userIDs[user]] ?? 0
            let best = topRows(5, of: model.scores(of: vector, items: items)) { _ in false }
            right += best.filter { shop.clusterOfItem[shop.set.itemIDs[Int($0)]] == taste }.count
            let scores = model.scores(of: vector, items: fresh)
            freshRight += scores[taste] > scores[1 - taste] ? 1 : 0
        }
        #expect(Double(right) > 0.9 * 5 * 300, "\(right) of 1,500 recommendations fit the taste")
        #expect(Double(freshRight) > 0.9 * 300, "\(freshRight) of 300 users prefer the new item of their taste")
    }

    @Test func servedVectorsCarryTheirRows() throws {
        let shop = PlantedShop(users: 40)
        let model = try trained(shop, [("epochs", "1"), ("user_ids", "true"), ("popularity_dial", "0.5")]).model()
        #expect(model.dimension == 24)
        let items = model.encodeItems(shop.set.itemContents, rows: (0..<Int32(shop.set.itemCount)).map { $0 })
        var history = UserSequence(dimension: 24, limit: 6), flat: [Float] = []
        for row in [3, 9, 4] {
            history.append(vector: items.row(row), type: 1, time: 5)
            flat += items.row(row)
        }
        let one = model.encodeUser(history, now: 9)
        let other = flat.withUnsafeBufferPointer { model.encodeUser(vectors: $0, types: [1, 1, 1], times: [5, 5, 5], now: 9) }
        #expect(one == other)
        #expect(one[23] == 1 && items.row(3)[23] <= 0)
        // A known user differs from a stranger, and a stranger from nobody in nothing.
        #expect(model.encodeUser(history, userID: shop.set.userIDs[0], now: 9) != one)
        #expect(model.encodeUser(history, userID: "nobody", now: 9) == one)
        // An item that training did not know leaves the mean as it was.
        history.append(vector: model.encodeItems([ItemContent(title: "new")], rows: [nil]).row(0), type: 1, time: 6)
        #expect(model.encodeUser(history, now: 9) == one)
        let newcomer = model.encodeUser(UserSequence(dimension: 24, limit: 6), now: 9)
        #expect(newcomer.allSatisfy { $0.isFinite })
    }

    @Test func settingsThatDoNotFitAreRefused() throws {
        for (key, value) in [
            ("dimension", "24"), ("hidden", "0"), ("unit_length", "false"), ("temperature", "0.01"), ("clip_norm", "1"), ("loss", "full"),
            ("table_optimizer", "adam"), ("mask_history", "true"),
        ] {
            let settings = try configuration(key == "unit_length" ? [("temperature", "1"), (key, value)] : [(key, value)])
            let error = #expect(throws: ConfigurationError.self) { try settings.validate() }
            #expect(error?.key == key)
        }
    }

    @Test func emptyAndTinySets() throws {
        let empty = try trained(PlantedShop(users: 0), [("epochs", "1")])
        #expect(empty.model().itemIDs.isEmpty)
        var builder = TrainingSet.Builder()
        builder.append(user: "u", item: "i", time: 1)
        let one = try Trainer(builder.build(), configuration: configuration([("epochs", "1"), ("user_ids", "true")]))
        let summary = one.runEpoch(now: { 0 })
        #expect(summary.examples == 1 && summary.loss.isFinite)
    }
}
