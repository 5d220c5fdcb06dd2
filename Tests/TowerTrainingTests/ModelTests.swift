import ContentModel
import Tensors
import Testing
import TowerModel
import TowerTraining

@Suite struct ModelTests {
    private func model(_ settings: [(String, String)] = []) throws -> (TwoTowerModel, PlantedShop) {
        let shop = PlantedShop(users: 60, types: true)
        let trainer = try Trainer(shop.set, configuration: PlantedShop.configuration([("epochs", "2")] + settings))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return (trainer.model(), shop)
    }

    @Test func tensorsRoundTrip() throws {
        let (model, shop) = try model()
        let copy = try TwoTowerModel(configuration: model.configuration, itemIDs: model.itemIDs, tensors: model.tensors)
        #expect(copy.tensors == model.tensors)
        let rows = shop.set.itemIDs.map { model.row(of: $0) }
        let items = model.encodeItems(shop.set.itemContents, rows: rows)
        #expect(items == copy.encodeItems(shop.set.itemContents, rows: rows))
        #expect(items.rows == shop.set.itemCount && items.columns == 16)
        var history = UserSequence(dimension: 16)
        history.append(vector: items.row(0), type: 3, time: 5)
        #expect(model.encodeUser(history, attributes: ["age=3"], now: 9) == copy.encodeUser(history, attributes: ["age=3"], now: 9))
    }

    @Test func damagedTensorsAreRefusedBySentences() throws {
        let (model, _) = try model()
        func refusal(_ change: (inout [NamedTensor]) -> Void) -> String {
            var tensors = model.tensors
            change(&tensors)
            let error = #expect(throws: ModelError.self) {
                try TwoTowerModel(configuration: model.configuration, itemIDs: model.itemIDs, tensors: tensors)
            }
            return error?.description ?? ""
        }
        #expect(refusal { $0.removeAll { $0.name == "item.ids" } }.contains("item.ids is missing"))
        #expect(refusal { $0.append($0[0]) }.contains("twice"))
        #expect(
            refusal { $0[0] = NamedTensor(name: $0[0].name, shape: [1, 16], values: Array(repeating: 0, count: 16)) }.contains("[1, 16]"))
        #expect(refusal { $0[0].values[3] = .nan }.contains("not finite"))
    }

    @Test func encodingIsTheSameInAnyGroupingAndOnAnyThreads() throws {
        let (model, shop) = try model()
        let rows = shop.set.itemIDs.enumerated().map { $0.offset % 3 == 0 ? nil : model.row(of: $0.element) }
        let together = model.encodeItems(shop.set.itemContents, rows: rows, threads: 3)
        for item in 0..<shop.set.itemCount {
            let alone = model.encodeItems([shop.set.itemContents[item]], rows: [rows[item]])
            for (a, b) in zip(alone.row(0), together.row(item)) { #expect(abs(a - b) < 1e-5) }
        }
        #expect(model.encodeItems([], rows: []).rows == 0)
    }

    @Test func historiesAreCutToTheNewestAndBothFormsAgree() throws {
        let (model, shop) = try model()
        let items = model.encodeItems(shop.set.itemContents, rows: shop.set.itemIDs.map { model.row(of: $0) })
        var long = UserSequence(dimension: 16, limit: 6), flat: [Float] = [], types: [UInt8] = [], times: [Int64] = []
        for step in 0..<40 {
            let (vector, type, time) = (items.row(step % items.rows), UInt8(1 + step % 3), Int64(step * 100_000))
            long.append(vector: vector, type: type, time: time)
            flat += vector
            types.append(type)
            times.append(time)
        }
        #expect(long.count == 6)
        let expected = model.encodeUser(long, attributes: ["age=1"], now: 0)
        let fromArrays = flat.withUnsafeBufferPointer {
            model.encodeUser(vectors: $0, types: types, times: times, attributes: ["age=1"], now: 0)
        }
        #expect(fromArrays == expected)
        var short = UserSequence(dimension: 16, limit: 50)
        for step in 34..<40 { short.append(vector: items.row(step % items.rows), type: UInt8(1 + step % 3), time: Int64(step * 100_000)) }
        #expect(model.encodeUser(short, attributes: ["age=1"], now: 0) == expected)
        // Order and type matter.
        var reversed = UserSequence(dimension: 16)
        for step in (34..<40).reversed() { reversed.append(vector: items.row(step % items.rows), type: 1, time: 0) }
        #expect(model.encodeUser(reversed, attributes: ["age=1"], now: 0) != expected)
        long.removeAll()
        #expect(model.encodeUser(long, now: 0).allSatisfy { $0.isFinite })
    }

    @Test func manyThreadsMayEncodeAtOnce() async throws {
        let (model, shop) = try model()
        let items = model.encodeItems(shop.set.itemContents, rows: shop.set.itemIDs.map { model.row(of: $0) })
        var history = UserSequence(dimension: 16)
        for row in 0..<5 { history.append(vector: items.row(row), type: 1, time: Int64(row)) }
        let sequence = history, expected = model.encodeUser(sequence, now: 0)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<32 { group.addTask { (0..<50).allSatisfy { _ in model.encodeUser(sequence, now: 0) == expected } } }
            for await same in group { #expect(same) }
        }
    }

    @Test func whatOnlyOneHasSaysNothing() throws {
        var builder = TrainingSet.Builder()
        for user in 0..<40 {
            builder.addUser("u\(user)", attributes: ["side=\(user % 2)", "zip=\(user)"])
            for time in 0..<4 { builder.append(user: "u\(user)", item: "i\((user + time) % 10)", time: Int64(time)) }
        }
        for item in 0..<10 { builder.addItem("i\(item)", content: ItemContent(description: "serial\(item)", tags: ["half\(item % 2)"])) }
        let trainer = try Trainer(
            builder.build(), configuration: PlantedShop.configuration([("user_buckets", "4096"), ("text_buckets", "4096")]))
        _ = trainer.runEpoch(now: { 0 })
        let model = trainer.model(), nobody = UserSequence(dimension: 16)
        let known = model.encodeUser(nobody, attributes: ["side=1"], now: 0)
        #expect(known != model.encodeUser(nobody, now: 0))
        #expect(known == model.encodeUser(nobody, attributes: ["side=1", "zip=7", "never=seen"], now: 0))
        let plain = ItemContent(tags: ["half1"])
        let vectors = model.encodeItems(
            [plain, ItemContent(description: "serial3", tags: ["half1", "unheard"]), ItemContent(tags: ["half0"])], rows: [nil, nil, nil])
        #expect(vectors.row(0) == vectors.row(1))
        #expect(vectors.row(0) != vectors.row(2))
    }

    @Test func scoresAreInnerProducts() throws {
        let (model, shop) = try model()
        let items = model.encodeItems(shop.set.itemContents, rows: shop.set.itemIDs.map { _ in nil })
        let user = model.encodeUser(UserSequence(dimension: 16), attributes: ["taste=1"], now: 0)
        let scores = model.scores(of: user, items: items, threads: 2)
        for row in [0, 7, items.rows - 1] {
            let expected = zip(user, items.row(row)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            #expect(abs(scores[row] - expected) < 1e-4)
        }
    }

    @Test func oddContentIsHarmless() throws {
        let (model, _) = try model()
        let odd = [
            ItemContent(),
            ItemContent(title: "", description: "   \n", categories: [""], priceMicros: -5, embedding: [.nan, 1, 2], publishedAt: .max),
            ItemContent(title: String(repeating: "a", count: 5_000), embedding: [1], publishedAt: .min),
            ItemContent(title: "日本語 Ёлка naïve İstanbul 👟", priceMicros: .max, embedding: [0, 0, 0]),
        ]
        let vectors = model.encodeItems(odd, rows: odd.map { _ in nil })
        #expect(vectors.values.allSatisfy { $0.isFinite })
        #expect(vectors.row(0).allSatisfy { $0 == 0 }, "nothing is known of an item without content and id")
    }
}
