import FeatureStore
import Interactions
import Recommending
import Tensors
import TwoTower

/// The promoted model's two towers as serving uses them.
struct ItemEncoder: Sendable {
    private let model: TwoTowerModel

    init(model: TwoTowerModel) {
        self.model = model
    }

    /// Components of a vector.
    var dimension: Int { model.dimension }

    /// Whether the model learned from interactions with the item; others are encoded from their content.
    func isTrained(_ itemID: String) -> Bool { model.row(of: itemID) != nil }

    /// One vector an item.
    func encode(_ items: [CatalogueItem], threads: Int = 1) -> [[Float]] {
        guard !items.isEmpty else { return [] }
        let vectors = model.encodeItems(
            items.map(\.record.content), rows: items.map { model.row(of: $0.record.itemID) }, threads: threads)
        return items.indices.map { vectors.row($0) }
    }

    /// The user tower for snapshots.
    func servingModel(version: Int) -> ServingModel {
        ServingModel(
            version: version, dimension: model.dimension, historyLimitItems: model.historyLength, temperature: 1, biasComponents: 1
        ) { [model] input, now in
            var attributes = input.attributes.map { JSONText.tokens(ofObject: $0) } ?? []
            for (name, value) in input.context.sorted(by: { $0.key < $1.key }) { attributes.append("\(name)=\(value)") }
            guard !input.rows.isEmpty || !attributes.isEmpty else { return nil }
            return input.vectors.withUnsafeBufferPointer { vectors in
                model.encodeUser(
                    vectors: vectors, types: input.types.map(\.rawValue), times: input.times.map(\.milliseconds),
                    attributes: attributes, now: now.milliseconds)
            }
        }
    }
}
