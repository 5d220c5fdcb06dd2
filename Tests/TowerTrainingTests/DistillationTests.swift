import Tensors
import Testing
import TowerModel
import TowerTraining

@Suite struct DistillationTests {
    private func trained(_ set: TrainingSet, _ settings: [(String, String)], teacher: Teacher? = nil) throws -> Trainer {
        let trainer = try Trainer(set, configuration: PlantedShop.configuration(settings), teacher: teacher)
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer
    }

    private func teacher(_ model: TwoTowerModel, of set: TrainingSet) -> Teacher {
        let items = model.teacherItems(set)
        return Teacher(items: items, users: Column(vectors(model, of: set, items: items)))
    }

    private func vectors(_ model: TwoTowerModel, of set: TrainingSet, items: Matrix) -> [Float] {
        var vectors = [Float](repeating: .nan, count: set.eventCount * model.dimension)
        vectors.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            for user in 0..<set.userCount {
                model.encodeBefore(user: user, of: set, items: items, into: start + set.userStarts[user] * model.dimension)
            }
        }
        return vectors
    }

    private static let large = [("user_tower", "sequence"), ("dimension", "24"), ("attention_heads", "2"), ("blocks", "2"), ("epochs", "3")]

    /// A teacher sees before an event what it would see if it were asked then.
    @Test(arguments: [("pooled", "6"), ("sequence", "40"), ("sequence", "6")]) func vectorsBeforeEvents(tower: String, length: String)
        throws
    {
        let shop = PlantedShop(users: 30, length: 15, types: true), set = shop.set
        let model = try trained(set, Self.large + [("user_tower", tower), ("history_length", length)]).model()
        let items = model.teacherItems(set), d = model.dimension
        let found = vectors(model, of: set, items: items)
        #expect(found.allSatisfy { $0.isFinite })
        for user in 0..<set.userCount {
            for event in set.userStarts[user]..<set.userStarts[user + 1] {
                var history = UserSequence(dimension: d, limit: model.historyLength)
                for entry in set.userStarts[user]..<event {
                    items.withUnsafeRow(Int(set.items[entry])) {
                        history.append(vector: $0, type: set.types[entry], time: set.times[entry])
                    }
                }
                let asked = model.encodeUser(history, attributes: set.userAttributes[user], now: set.times[event])
                // Short histories are seen whole; of a long one, a window may hold half.
                guard tower == "pooled" || event - set.userStarts[user] <= 6 else { continue }
                for index in 0..<d { #expect(abs(found[event * d + index] - asked[index]) < 1e-4 * max(1, abs(asked[index]))) }
            }
        }
    }

    @Test(arguments: ["full", "sampled"]) func centralDifferences(loss: String) throws {
        let shop = PlantedShop(users: 40, types: true)
        let teacher = teacher(try trained(shop.set, Self.large).model(), of: shop.set)
        let trainer = try trained(
            shop.set,
            [
                ("loss", loss), ("negatives", "20"), ("epochs", "2"), ("distillation_weight", "0.6"), ("distillation_temperature", "3"),
                ("mask_history", "true"),
            ],
            teacher: teacher)
        let (_, gradients) = trainer.lossAndGradients(examples: 100)
        for tensor in gradients where ["item.ids", "user.input.weight", "user.tokens", "content.output.weight"].contains(tensor.name) {
            let order = tensor.values.indices.sorted { abs(tensor.values[$0]) > abs(tensor.values[$1]) }.prefix(4)
            for index in order {
                let gradient = Double(tensor.values[index])
                var slope = Double.infinity
                for step: Float in [3e-3, 1e-2] {
                    #expect(trainer.adjust(tensor.name, at: index, by: step))
                    let above = trainer.lossAndGradients(examples: 100).loss
                    #expect(trainer.adjust(tensor.name, at: index, by: -2 * step))
                    let below = trainer.lossAndGradients(examples: 100).loss
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

    @Test func withoutWeightItIsThePlainLossAndASeedGivesOneModel() throws {
        let shop = PlantedShop(users: 60)
        let teacher = teacher(try trained(shop.set, Self.large).model(), of: shop.set)
        let configuration = try PlantedShop.configuration([("distillation_weight", "0"), ("epochs", "2")])
        let plain = try Trainer(shop.set, configuration: configuration)
        let without = try Trainer(shop.set, configuration: configuration, teacher: teacher)
        let (a, b) = (plain.lossAndGradients(examples: 200), without.lossAndGradients(examples: 200))
        #expect(abs(a.loss - b.loss) < 1e-5 * a.loss)
        for (left, right) in zip(a.gradients, b.gradients) {
            #expect(zip(left.values, right.values).allSatisfy { abs($0 - $1) < 1e-5 }, "\(left.name)")
        }
        let settings = [("distillation_weight", "0.5"), ("epochs", "2"), ("threads", "2"), ("dropout", "0.1")]
        let first = try trained(shop.set, settings, teacher: teacher), again = try trained(shop.set, settings, teacher: teacher)
        #expect(first.checkpoint() == again.checkpoint())
        #expect(try trained(shop.set, settings).checkpoint() != first.checkpoint())
    }

    /// With the teacher's word alone, and no target that counts, a student comes to say what the teacher says.
    @Test func aStudentLearnsFromItsTeacherAlone() throws {
        let shop = PlantedShop(users: 120)
        let teacherModel = try trained(shop.set, Self.large + [("epochs", "8")]).model()
        let teacher = teacher(teacherModel, of: shop.set)
        let settings = [
            ("distillation_weight", "1"), ("distillation_temperature", "1"), ("epochs", "1"), ("id_dropout", "0"),
            ("attribute_dropout", "0"),
        ]
        let start = try Trainer(shop.set, configuration: PlantedShop.configuration(settings), teacher: teacher)
        let before = start.lossAndGradients(examples: 300).loss
        let student = try trained(shop.set, settings + [("epochs", "12")], teacher: teacher)
        let after = student.lossAndGradients(examples: 300).loss
        #expect(before > 0.02 && after > -1e-5 && after < 0.5 * before, "divergence \(before) before and \(after) after")
    }

    @Test func onlyThePooledTowerHasATeacher() throws {
        let shop = PlantedShop(users: 20)
        let teacher = teacher(try trained(shop.set, [("epochs", "1")]).model(), of: shop.set)
        let error = #expect(throws: ConfigurationError.self) {
            try Trainer(
                shop.set, configuration: PlantedShop.configuration([("user_tower", "sequence"), ("attention_heads", "2")]), teacher: teacher
            )
        }
        #expect(error?.description.contains("--teacher") == true)
    }
}
