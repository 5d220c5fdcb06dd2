import Features
import FeatureStore
import Interactions
import ModelArtifacts
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// The promoted model's two towers as serving uses them.
package struct ItemEncoder: Sendable {
    private let bundle: ModelBundle
    /// The sentence encoder that the model was trained with; nil where it was trained without, or where this program has another.
    private let texts: ContentEncoder?

    /// How the model's training compared prices; nil where it compared them as they were.
    private let prices: AmountScale?

    /// The towers of a bundle, with what its training described items by.
    package init(bundle: ModelBundle, texts: ContentEncoder? = nil, prices: AmountScale? = nil) {
        self.prices = prices
        self.bundle = bundle
        self.texts = texts
    }

    /// Components of a vector.
    package var dimension: Int { bundle.model.dimension }

    /// Whether the model learned from interactions with the item; others are encoded from their content.
    package func isTrained(_ itemID: String) -> Bool { bundle.isTrained(itemID) }

    /// The items as the model sees them: prices in the currency in which it compares them, and those without an embedding get the vector
    /// of their text, where it was trained so.
    package func described(_ items: [CatalogueItem], threads: Int = 1) -> [CatalogueItem] {
        let items = priced(items)
        guard let texts, !items.isEmpty else { return items }
        var contents = items.map(\.record.content), described = items
        texts.complete(&contents, threads: threads)
        for place in items.indices { described[place].record.embedding = contents[place].embedding }
        return described
    }

    /// The items with prices in the currency in which the model compares them.
    package func priced(_ items: [CatalogueItem]) -> [CatalogueItem] {
        guard let prices else { return items }
        var items = items
        for place in items.indices { items[place].comparePrices(prices) }
        return items
    }

    /// One vector an item; see ``described(_:threads:)``.
    package func encode(_ items: [CatalogueItem], threads: Int = 1) -> [[Float]] {
        guard !items.isEmpty else { return [] }
        let width = dimension
        let vectors = bundle.vectors(of: items.map { ($0.record.itemID, $0.record.content) }, threads: threads)
        return items.indices.map { Array(vectors[$0 * width..<($0 + 1) * width]) }
    }
}
