import ContentModel
import Testing
import TowerModel

@Suite("A model of drawn parameters, without a training")
struct DrawnModelTests {
    private static let ids = ["a", "b", "c"]

    private func configuration(_ settings: [(String, String)] = []) throws -> TowerConfiguration {
        var configuration = try TowerConfiguration(preset: "small")
        for (key, value) in [("dimension", "16"), ("text_buckets", "64"), ("tag_buckets", "64"), ("user_buckets", "64")] + settings {
            try configuration.set(key, value)
        }
        return configuration
    }

    /// The tensors of a model that was never trained.
    private func tensors(_ configuration: TowerConfiguration) -> [NamedTensor] {
        let parameters = TowerParameters(TowerShape(configuration, itemCount: Self.ids.count, embedding: 0))
        parameters.initialize(seed: 3, temperature: configuration.loss.temperature)
        let hasher = ContentHasher(configuration.items, clock: 1_700_000_000_123)
        return parameters.tensors() + [
            NamedTensor(name: "item.popularity", shape: [3, 1], values: [-1, -2, -3]),
            NamedTensor(
                name: "user.idle.trained", shape: [1, TowerShape.idleCount], values: [Float](repeating: 1, count: TowerShape.idleCount)),
        ] + hasher.tensors()
    }

    @Test(arguments: [[], [("user_tower", "sequence"), ("attention_heads", "2"), ("blocks", "1")], [("content_hidden", "8")]])
    func whatItsTensorsSayIsWhatItComputes(settings: [(String, String)]) throws {
        let configuration = try configuration(settings)
        let model = try TwoTowerModel(configuration: configuration, itemIDs: Self.ids, tensors: tensors(configuration))
        let copy = try TwoTowerModel(configuration: configuration, itemIDs: Self.ids, tensors: model.tensors)
        let contents = [ItemContent(title: "a red tent"), ItemContent(), ItemContent(tags: ["maps"])]
        let items = model.encodeItems(contents, rows: [0, 1, nil]), again = copy.encodeItems(contents, rows: [0, 1, nil], threads: 3)
        #expect(items == again && items.rows == 3 && items.columns == 16 && items.values.allSatisfy(\.isFinite))
        var history = UserSequence(dimension: 16, limit: 4)
        for item in 0..<3 { history.append(vector: Array(items.row(item)), type: 1, time: Int64(item) * 60_000) }
        let user = model.encodeUser(history, attributes: ["age=25"], now: 500_000)
        #expect(user == copy.encodeUser(history, attributes: ["age=25"], now: 500_000) && user.allSatisfy(\.isFinite))
        #expect(user.count == 16 && user[15] == 1)
        let scores = model.scores(of: user, items: items)
        for item in 0..<3 { #expect(abs(scores[item] - zip(user, items.row(item)).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-4) }
    }

    @Test func tensorsThatMakeNoModelAreRefused() throws {
        let configuration = try configuration(), whole = tensors(configuration)
        func refusal(_ change: (inout [NamedTensor]) -> Void) -> String {
            var tensors = whole
            change(&tensors)
            do {
                _ = try TwoTowerModel(configuration: configuration, itemIDs: Self.ids, tensors: tensors)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(refusal { _ in } == "")
        #expect(refusal { $0.removeFirst() }.contains(whole[0].name))
        #expect(refusal { $0.append($0[0]) }.contains("twice"))
        #expect(refusal { $0[0].values[5] = .nan }.contains("not finite"))
        #expect(refusal { $0[0].shape = [$0[0].shape[1], $0[0].shape[0]] }.contains("shape"))
        let twice = #expect(throws: ModelError.self) {
            try TwoTowerModel(configuration: configuration, itemIDs: ["a", "a", "b"], tensors: whole)
        }
        #expect(twice?.description.contains("twice") == true)
    }

    @Test func roundedParametersRoundToThemselves() throws {
        let configuration = try configuration()
        let parameters = TowerParameters(TowerShape(configuration, itemCount: 5, embedding: 0))
        parameters.initialize(seed: 9, temperature: 1)
        let once = parameters.rounded(), twice = once.rounded()
        #expect(once.checksum == twice.checksum && once.checksum != parameters.checksum)
    }
}
