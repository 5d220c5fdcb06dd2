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
    func servingModel(version: Int) -> ServingModel { ServingModel(model, version: version) }
}
