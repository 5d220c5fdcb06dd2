import ContentModel
import Evaluation
import Tensors
import Testing
import TowerModel
import TowerTraining

@Suite struct LearningTests {
    private func trained(_ shop: PlantedShop, _ settings: [(String, String)] = []) throws -> TwoTowerModel {
        let trainer = try Trainer(shop.set, configuration: PlantedShop.configuration(settings))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer.model()
    }

    private func vectors(_ model: TwoTowerModel, _ shop: PlantedShop) -> Matrix {
        model.encodeItems(shop.set.itemContents, rows: model.itemIDs.map { model.row(of: $0) })
    }

    /// The share of the ten best items that are of the user's taste, over all users.
    private func tasteShare(_ model: TwoTowerModel, _ shop: PlantedShop, items: Matrix, attributesOnly: Bool = false) -> Double {
        var own = 0
        for user in 0..<shop.set.userCount {
            var history = UserSequence(dimension: model.dimension, limit: model.historyLength)
            for event in shop.set.userStarts[user]..<shop.set.userStarts[user + 1] where !attributesOnly {
                items.withUnsafeRow(Int(shop.set.items[event])) { history.append(vector: $0, type: 1, time: shop.set.times[event]) }
            }
            let vector = model.encodeUser(history, attributes: attributesOnly ? shop.set.userAttributes[user] : [], now: 0)
            let best = topRows(10, of: model.scores(of: vector, items: items))
            own += best.count { shop.clusterOfItem[shop.set.itemIDs[Int($0)]] == shop.clusterOfUser[shop.set.userIDs[user]] }
        }
        return Double(own) / Double(10 * shop.set.userCount)
    }

    @Test(arguments: ["full", "sampled"]) func findsTwoTastes(loss: String) throws {
        let shop = PlantedShop()
        let model = try trained(shop, [("loss", loss), ("negatives", "30")])
        let items = vectors(model, shop)
        #expect(tasteShare(model, shop, items: items) > 0.9)  // by chance 0.5
        #expect(tasteShare(model, shop, items: items, attributesOnly: true) > 0.9)
    }

    @Test func findsTwoTastesByIDsAloneAndOtherSettings() throws {
        let shop = PlantedShop(content: false)
        let plain = try trained(shop, [("content", "false")])
        #expect(tasteShare(plain, shop, items: vectors(plain, shop)) > 0.9)
        let unit = try trained(shop, [("unit_length", "true"), ("temperature", "0.1"), ("table_optimizer", "adagrad"),
            ("table_learning_rate", "0.1"), ("hidden", "0"), ("targets_ahead", "3"), ("history_dropout", "0.2")])
        let items = vectors(unit, shop)
        #expect(tasteShare(unit, shop, items: items) > 0.9)
        for row in 0..<items.rows {
            let length = items.row(row).dropLast().reduce(Float(0)) { $0 + $1 * $1 }
            #expect(abs(length - 1) < 1e-4)
        }
    }

    @Test func newItemsStandNearTheSameContent() throws {
        let shop = PlantedShop()
        let model = try trained(shop, [("epochs", "10")])
        let warm = vectors(model, shop)
        // Items that training never saw: numbers 100…109 of each cluster.
        var placed = 0
        for cluster in 0..<2 {
            let contents = (100..<110).map { PlantedShop.content(cluster: cluster, number: $0) }
            let cold = model.encodeItems(contents, rows: contents.map { _ in nil })
            for row in 0..<cold.rows {
                let v = cold.row(row).dropLast()
                func cosine(_ other: ArraySlice<Float>) -> Float {
                    let (a, b) = (v.reduce(0) { $0 + $1 * $1 }, other.reduce(0) { $0 + $1 * $1 })
                    return zip(v, other).reduce(0) { $0 + $1.0 * $1.1 } / (a * b).squareRoot()
                }
                var means: [Float] = [0, 0]
                for item in 0..<warm.rows {
                    let itsCluster = shop.clusterOfItem[shop.set.itemIDs[item]] ?? 0
                    means[itsCluster] += cosine(warm.row(item).dropLast()) / Float(PlantedShop.itemsPerCluster)
                }
                if means[cluster] > means[1 - cluster] + 0.2 { placed += 1 }
            }
            // A user of the taste prefers a new item of it to the other half of the catalogue.
            let newcomer = model.encodeUser(UserSequence(dimension: model.dimension), attributes: ["taste=\(cluster)"], now: 0)
            let scores = model.scores(of: newcomer, items: cold), others = model.scores(of: newcomer, items: warm)
            let other = (0..<warm.rows).filter { shop.clusterOfItem[shop.set.itemIDs[$0]] == 1 - cluster }.map { others[$0] }
            #expect((scores.min() ?? 0) > other.reduce(0, +) / Float(other.count))
        }
        #expect(placed == 20)
    }

    @Test func theLastComponentIsPopularity() throws {
        var builder = TrainingSet.Builder()
        var state: UInt64 = 3
        for user in 0..<300 {
            for time in 0..<6 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let draw = Int((state >> 33) % 64)
                // Item k has probability about 2^-(k+1).
                let item = draw == 0 ? 6 : 5 - (63 - UInt64(draw).leadingZeroBitCount)
                builder.append(user: "u\(user)", item: "i\(item)", time: Int64(time))
            }
        }
        let set = builder.build()
        let trainer = try Trainer(set, configuration: PlantedShop.configuration([("epochs", "15"), ("content", "false")]))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        let model = trainer.model(), contents = set.itemIDs.map { _ in ItemContent() }
        let items = model.encodeItems(contents, rows: set.itemIDs.map { model.row(of: $0) })
        let user = model.encodeUser(UserSequence(dimension: 16), now: 0)
        #expect(user[15] == 1)
        let scores = model.scores(of: user, items: items), counts = set.eventsPerItem()
        #expect(topRows(3, of: scores) == topRows(3, of: counts.map { Float($0) }))

        // The dial takes lambda · ln(share / rarest share) away from the last component and leaves the rest.
        var configuration = model.configuration
        try configuration.set("popularity_dial", "0.5")
        let dialled = try TwoTowerModel(configuration: configuration, itemIDs: model.itemIDs, tensors: model.tensors)
        let moved = dialled.encodeItems(contents, rows: set.itemIDs.map { model.row(of: $0) })
        #expect(model.dialled(popularity: 0.5).encodeItems(contents, rows: set.itemIDs.map { model.row(of: $0) }).values == moved.values)
        let rarest = Float(counts.min() ?? 1)
        for (row, count) in counts.enumerated() {
            #expect(moved.row(row).dropLast() == items.row(row).dropLast())
            let expected = items.row(row)[15] - 0.5 * Kernels.log(Float(count) / rarest)
            #expect(abs(moved.row(row)[15] - expected) < 1e-4)
        }
    }

    @Test func recentExamplesCountMore() throws {
        // Everybody took item a long ago and item b lately.
        var builder = TrainingSet.Builder()
        let day: Int64 = 86_400_000
        for user in 0..<200 {
            builder.append(user: "u\(user)", item: "a", time: 0)
            if user % 2 == 0 { builder.append(user: "n\(user)", item: "b", time: 100 * day) }
        }
        let set = builder.build()
        func best(_ halfLife: String) throws -> String {
            let trainer = try Trainer(
                set,
                configuration: PlantedShop.configuration([("recency_half_life_days", halfLife), ("epochs", "20"), ("content", "false")]))
            while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
            let model = trainer.model()
            let items = model.encodeItems([ItemContent(), ItemContent()], rows: [0, 1])
            let scores = model.scores(of: model.encodeUser(UserSequence(dimension: 16), now: 0), items: items)
            return model.itemIDs[Int(topRows(1, of: scores)[0])]
        }
        let (plain, recent) = (try best("0"), try best("10"))
        #expect(plain == "a")
        #expect(recent == "b")
    }

    @Test func aUserWhoReturnsLateWantsOtherThings() throws {
        var builder = TrainingSet.Builder()
        let hour: Int64 = 3_600_000
        var state: UInt64 = 11
        for user in 0..<200 {
            var time: Int64 = 0
            builder.append(user: "u\(user)", item: "first", time: time)
            for _ in 0..<8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let away = state >> 63 == 0
                time += away ? 240 * hour : hour
                builder.append(user: "u\(user)", item: away ? "news" : "more", time: time)
            }
        }
        let set = builder.build()
        let trainer = try Trainer(set, configuration: PlantedShop.configuration([("content", "false"), ("epochs", "8")]))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        let model = trainer.model(), contents = set.itemIDs.map { _ in ItemContent() }
        let items = model.encodeItems(contents, rows: set.itemIDs.map { model.row(of: $0) })
        var history = UserSequence(dimension: 16)
        history.append(vector: items.row(Int(model.row(of: "first") ?? 0)), type: 1, time: 0)
        func best(after hours: Int64) -> String {
            model.itemIDs[Int(topRows(1, of: model.scores(of: model.encodeUser(history, now: hours * hour), items: items))[0])]
        }
        #expect(best(after: 1) == "more")
        #expect(best(after: 240) == "news")
        // Training never saw these; the nearest it saw stands in.
        #expect(best(after: 0) == "more")
        #expect(best(after: 100_000) == "news")
    }

    /// The corrected sum of exponentials over sampled candidates has the mean of the whole catalogue's.
    @Test func logQCorrectionIsUnbiased() {
        let shares: [Float] = [0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.015, 0.005]
        let scores: [Float] = [0.3, -1, 2, 0.5, 1.5, -0.7, 2.5, 1]
        let exact = scores.reduce(0.0) { $0 + Double(Kernels.exp($1)) }
        var random = SeededGenerator(seed: 4)
        let (others, uniform, rounds) = (15, 6, 20_000)
        var corrected = 0.0, plain = 0.0
        for _ in 0..<rounds {
            var counts = [Int](repeating: 0, count: shares.count)
            for _ in 0..<others {
                var draw = random.uniform(), item = 0
                while item < shares.count - 1, draw >= shares[item] {
                    draw -= shares[item]
                    item += 1
                }
                counts[item] += 1
            }
            for _ in 0..<uniform { counts[random.next(below: shares.count)] += 1 }
            let drawn = counts.indices.filter { counts[$0] > 0 }
            let corrections = logQCorrections(
                counts: drawn.map { counts[$0] }, shares: drawn.map { shares[$0] }, otherExamples: others, uniform: uniform,
                catalogue: shares.count)
            for (index, item) in drawn.enumerated() {
                corrected += Double(Kernels.exp(scores[item] + corrections[index])) / Double(rounds)
                plain += Double(Kernels.exp(scores[item])) / Double(rounds)
            }
        }
        #expect(abs(corrected - exact) < 0.02 * exact)
        #expect(abs(plain - exact) > 0.1 * exact)
    }
}
