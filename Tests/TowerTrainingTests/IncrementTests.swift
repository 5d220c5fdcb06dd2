import Testing
import TowerModel
import TowerTraining

@Suite struct IncrementTests {
    private static let kinds: [[(String, String)]] = [
        [], [("user_tower", "sequence"), ("history_length", "6"), ("attention_heads", "2"), ("blocks", "1")],
    ]

    /// A shop's set as columns with more events behind each user's: the last `count` rows of users that `isChosen` names are new.
    private func newRows(_ set: TrainingSet, last count: Int, _ isChosen: (Int) -> Bool = { _ in true }) -> [Int] {
        (0..<set.userCount).filter(isChosen).flatMap { Array((set.userStarts[$0 + 1] - count)..<set.userStarts[$0 + 1]) }
    }

    private func trained(_ set: TrainingSet, _ configuration: TowerConfiguration) throws -> TwoTowerModel {
        let trainer = try Trainer(set, configuration: configuration)
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer.model()
    }

    private func values(_ model: TwoTowerModel) -> [String: [Float]] {
        Dictionary(uniqueKeysWithValues: model.tensors.map { ($0.name, $0.values) })
    }

    /// The same shop with two items that nobody had before, one of them without content.
    private func grown(_ shop: PlantedShop) -> TrainingSet {
        var builder = TrainingSet.Builder()
        for (id, content) in zip(shop.set.itemIDs, shop.set.itemContents) { builder.addItem(id, content: content) }
        builder.addItem("a new one", content: PlantedShop.content(cluster: 0, number: 3))
        for user in 0..<shop.set.userCount {
            builder.addUser(shop.set.userIDs[user], attributes: shop.set.userAttributes[user])
            for event in shop.set.userStarts[user]..<shop.set.userStarts[user + 1] {
                builder.append(
                    user: shop.set.userIDs[user], item: shop.set.itemIDs[Int(shop.set.items[event])], time: shop.set.times[event])
            }
        }
        for item in ["a new one", "bare"] { builder.append(user: "newcomer", item: item, time: shop.set.clock + 1_000) }
        return builder.build()
    }

    @Test(arguments: [0, 1]) func tablesGrowAndKnownRowsKeepTheirValues(kind: Int) throws {
        let shop = PlantedShop(users: 40)
        let model = try trained(shop.set, PlantedShop.configuration(Self.kinds[kind] + [("epochs", "2")]))
        let base = try WarmStart(model), set = grown(shop)
        #expect(base.knows("i0-1") && !base.knows("bare"))
        let before = values(model)
        let after = values(try Trainer(set, configuration: base.settings(epochs: 1, rateShare: 1, seed: 1, threads: 1), from: base).model())
        let d = model.dimension
        for (row, id) in set.itemIDs.enumerated() {
            let own = Array(try #require(after["item.ids"])[row * d..<(row + 1) * d])
            if let old = model.row(of: id) {
                #expect(own == Array(try #require(before["item.ids"])[Int(old) * d..<Int(old + 1) * d]), "\(id)")
            } else {
                // With content it stands where that places it; without any it begins like in a training from nothing.
                #expect(own.allSatisfy { $0 == 0 } == (id == "a new one"), "\(id)")
            }
        }
        for (name, tensor) in before where name != "item.ids" && name != "item.popularity" { #expect(after[name] == tensor, "\(name)") }
        #expect(after.count == before.count)
    }

    @Test func aPartHasExamplesHistoriesAndTheModelsItems() throws {
        var builder = TrainingSet.Builder()
        for user in 0..<3 { for event in 0..<10 { builder.append(user: "u\(user)", item: "i\(event)", time: Int64(event)) } }
        builder.append(user: "u3", item: "rare", time: 5)
        let set = builder.build()
        // u0 has a new event, u1 an old one that is learned again, u2 and u3 nothing.
        let part = set.part(
            Increment(newRows: [9], replayedRows: [13], replayedWeights: [2]), historyLength: 4,
            isKept: { set.itemIDs[$0] == "rare" }, eventsPerItem: [Int](repeating: 7, count: set.itemCount))
        #expect(part.userIDs == ["u0", "u1"])
        #expect(part.userStarts.map { $0 } == [0, 5, 9])
        #expect(part.weights.map { $0 } == [0, 0, 0, 0, 1, 0, 0, 0, 2])
        #expect(part.items.map { part.itemIDs[Int($0)] } == ["i5", "i6", "i7", "i8", "i9", "i0", "i1", "i2", "i3"])
        #expect(part.itemIDs.contains("rare") && !part.itemIDs.contains("i4"))
        #expect(part.eventsPerItem().allSatisfy { $0 == 7 })
        let all = set.part(Increment(newRows: [9]), historyLength: 4, isKept: { _ in true }, eventsPerItem: set.eventsPerItem())
        #expect(all.userIDs == ["u0"] && all.itemIDs == set.itemIDs && all.eventCount == 5)
    }

    @Test func oldEventsAreDrawnByTheirAge() {
        let day: Int64 = 86_400_000, times = Column((0..<10_000).map { Int64($0 / 100) * day })
        let clock = 99 * day
        func draw(_ count: Int, _ halfLife: Float, seed: UInt64 = 1) -> (rows: [Int], weights: [Float]) {
            Increment.draw(count, of: times, clock: clock, halfLifeDays: halfLife, seed: seed) { $0 < 9_900 }
        }
        let even = draw(500, 0)
        #expect(
            even.rows.count == 500 && Set(even.rows).count == 500 && even.rows == even.rows.sorted() && even.rows.allSatisfy { $0 < 9_900 })
        #expect(even.weights.allSatisfy { $0 == 1 } && even.rows == draw(500, 0).rows && even.rows != draw(500, 0, seed: 2).rows)
        let recent = draw(500, 10)
        // Half of the mass lies within ten days of the clock, less the newest day, which is new.
        let young = recent.rows.count { $0 >= 8_900 }
        #expect(abs(young - 232) < 50, "\(young)")
        #expect(zip(recent.rows, recent.weights).allSatisfy { abs($0.1 - Float(exp(Double(99 - $0.0 / 100) / 10))) < 0.01 * $0.1 })
        #expect(draw(20_000, 0).rows.count == 9_900, "not more than there are")
        #expect(draw(0, 0).rows.isEmpty)
    }

    /// 2 to a power.
    private func exp(_ power: Double) -> Double {
        var value = 1.0
        for _ in 0..<Int(power) { value *= 2 }
        // Quarter steps suffice for the test's days.
        return value
            * [1, 1.071_773, 1.148_698, 1.231_144, 1.319_508, 1.414_214, 1.515_717, 1.624_505, 1.741_101, 1.866_066][
                Int((power - Double(Int(power))) * 10 + 0.5) % 10]
    }

    @Test func importanceIsTheSquareOfOneExamplesGradient() throws {
        var builder = TrainingSet.Builder()
        builder.addItem("i", content: PlantedShop.content(cluster: 0, number: 1))
        builder.addItem("j", content: PlantedShop.content(cluster: 1, number: 2))
        builder.addUser("u", attributes: ["age=3"])
        builder.append(user: "u", item: "i", time: 1)
        builder.append(user: "u", item: "j", time: 2)
        let whole = builder.build()
        // The first event is history, the second the only example.
        let set = whole.part(Increment(newRows: [1]), historyLength: 4, isKept: { _ in true }, eventsPerItem: [1, 1])
        var configuration = try PlantedShop.configuration([
            ("id_dropout", "0"), ("attribute_dropout", "0"), ("dropout", "0"), ("attribute_minimum_users", "1"),
        ])
        configuration.epochs = 1
        let trainer = try Trainer(set, configuration: configuration)
        let gradients = Dictionary(uniqueKeysWithValues: trainer.lossAndGradients(examples: 1).gradients.map { ($0.name, $0.values) })
        let found = try trainer.importance(batches: 5)
        var largest: Float = 0
        for tensor in found.tensors {
            for (square, gradient) in zip(tensor.values, try #require(gradients[tensor.name])) {
                #expect(abs(square - gradient * gradient) <= 1e-5 * max(1e-3, square), "\(tensor.name)")
                largest = max(largest, square)
            }
        }
        #expect(largest > 0)
    }

    /// What a model lost on the old events of one half of the shop after it learned new ones of the other half.
    private func forgotten(replay: Int, ewc: Float, kind: Int) throws -> (old: Double, new: Double) {
        let shop = PlantedShop(users: 120, length: 14)
        // Users of the first taste take to the second one; of the second taste nothing new is heard.
        let set = shop.set
        func isFirst(_ user: Int) -> Bool { shop.clusterOfUser[set.userIDs[user]] == 0 }
        let fresh = newRows(set, last: 4, isFirst)
        var builder = TrainingSet.Builder()
        for (id, content) in zip(set.itemIDs, set.itemContents) { builder.addItem(id, content: content) }
        let isNew = Set(fresh)
        for user in 0..<set.userCount {
            builder.addUser(set.userIDs[user], attributes: set.userAttributes[user])
            for event in set.userStarts[user]..<set.userStarts[user + 1] {
                // What is new goes to three items only.
                builder.append(
                    user: set.userIDs[user], item: isNew.contains(event) ? "i1-\(event % 3)" : set.itemIDs[Int(set.items[event])],
                    time: set.times[event])
            }
        }
        let all = builder.build()
        let counts = all.eventsPerItem(), oldRows = (0..<all.eventCount).filter { !isNew.contains($0) }
        func part(_ increment: Increment) -> TrainingSet {
            all.part(increment, historyLength: 6, isKept: { _ in true }, eventsPerItem: counts)
        }
        let past = part(Increment(newRows: oldRows))
        let configuration = try PlantedShop.configuration(
            Self.kinds[kind] + [("epochs", "12"), ("id_dropout", "0"), ("attribute_dropout", "0")])
        let base = try WarmStart(try trained(past, configuration))
        let drawn = Increment.draw(replay, of: all.times, clock: all.clock, halfLifeDays: 0, seed: 1) { !isNew.contains($0) }
        let learned = part(Increment(newRows: fresh, replayedRows: drawn.rows, replayedWeights: drawn.weights))
        let settings = base.settings(epochs: 8, rateShare: 1, seed: 1, threads: 1)
        let trainer = try Trainer(learned, configuration: settings, from: base)
        if ewc > 0 {
            var steady = settings
            steady.steps.batchSize = 16
            let importance = try Trainer(past, configuration: steady, from: base).importance(batches: 60)
            trainer.anchor(importance, strength: ewc * Float(oldRows.count) / Float(fresh.count))
        }
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        let after = try WarmStart(trainer.model())
        func loss(_ increment: Increment, _ count: Int) throws -> Double {
            try Trainer(part(increment), configuration: settings, from: after).lossAndGradients(examples: count).loss
        }
        return (try loss(Increment(newRows: oldRows), oldRows.count), try loss(Increment(newRows: fresh), fresh.count))
    }

    @Test(arguments: [0, 1]) func replayAndConsolidationGuardAgainstForgetting(kind: Int) throws {
        let bare = try forgotten(replay: 0, ewc: 0, kind: kind)
        let replayed = try forgotten(replay: 480, ewc: 0, kind: kind), held = try forgotten(replay: 0, ewc: 1, kind: kind)
        #expect(bare.old > replayed.old + 0.1, "\(bare) against \(replayed)")
        #expect(bare.old > held.old + 0.1, "\(bare) against \(held)")
        // What is new is learned all the same: sixty items alike would give 4.1.
        #expect(replayed.new < 2.5 && held.new < 3.5, "\(replayed) and \(held)")
    }

    @Test func theSameIncrementGivesTheSameModel() throws {
        let shop = PlantedShop(users: 40), set = shop.set
        let base = try WarmStart(try trained(set, PlantedShop.configuration([("epochs", "2")])))
        func run(seed: UInt64) throws -> [[UInt32]] {
            let part = set.part(
                Increment(newRows: newRows(set, last: 2)), historyLength: 6, isKept: { _ in true }, eventsPerItem: set.eventsPerItem())
            let trainer = try Trainer(part, configuration: base.settings(epochs: 2, rateShare: 0.5, seed: seed, threads: 2), from: base)
            while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
            let model = trainer.model()
            #expect(model.configuration == base.configuration, "the next increment begins from the same settings")
            return model.tensors.map { $0.values.map(\.bitPattern) }
        }
        let first = try run(seed: 1)
        #expect(try first == run(seed: 1) && first != run(seed: 2))
    }
}
