import FeatureStore
import VectorIndex

/// Rows of an index, in order, and what is to be applied on them.
package struct IndexedRows {
    /// By row.
    package var itemIDs: [String]
    /// `[itemIDs.count, dimension]`, row-major.
    package var vectors: [Float]
    /// Nil where nobody searches.
    package var index: ItemIndex?
    /// By row; nil where the item is no longer there.
    package var items: [CatalogueItem?]
    /// New and changed items, in the order in which they changed.
    package var later: [CatalogueItem] = []

    /// Rows that were computed of the items that there are.
    package init(itemIDs: [String], vectors: [Float], items: [CatalogueItem]) {
        self.itemIDs = itemIDs
        self.vectors = vectors
        self.items = items
    }

    /// Rows that an earlier start kept, against the catalogue as it is: what is as it was, what is gone, and what came or changed later.
    package init(_ saved: SavedVectors, of catalogue: [CatalogueItem]) {
        itemIDs = saved.itemIDs
        vectors = saved.vectors
        items = [CatalogueItem?](repeating: nil, count: saved.itemIDs.count)
        let places = Dictionary(saved.itemIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        for item in catalogue where !item.isDeleted {
            let place = places[item.record.itemID]
            if let place { items[place] = item }
            if place == nil || item.catalogueVersion > saved.catalogueVersion { later.append(item) }
        }
        later.sort { ($0.catalogueVersion, $0.record.itemID) < ($1.catalogueVersion, $1.record.itemID) }
    }
}
