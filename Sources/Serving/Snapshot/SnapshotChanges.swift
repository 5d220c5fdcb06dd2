import FeatureStore
import RecommendationAPI
import Recommending

extension ServingSnapshot {
    /// The same snapshot with newer items of the store, which the promoted model encodes.
    package func applying(_ items: [CatalogueItem], encodedBy encoder: ItemEncoder?, catalogueVersion: Int64) -> ServingSnapshot {
        let items = encoder?.described(items) ?? items
        let vectors = encoder?.encode(items) ?? []
        let changes = items.enumerated().map { index, item -> CatalogueChange in
            if item.isDeleted { return .delete(itemID: item.record.itemID) }
            return .upsert(
                item.entry, vector: vectors.isEmpty ? nil : vectors[index],
                origin: encoder?.isTrained(item.record.itemID) == true ? .trained : .content)
        }
        return applying(changes, catalogueVersion: catalogueVersion).learningContent(
            items.filter { !$0.isDeleted }.map { $0.contentEntry(isTrained: encoder?.isTrained($0.record.itemID) == true) })
    }

    /// The same snapshot with exactly these items of the store: what is not among them is gone. Items that read as before keep their
    /// place and vector, so that a large catalogue need not be encoded before what is gone is out of answers; what does not show in an
    /// entry (texts, tags) comes with the next build.
    package func becoming(_ items: [CatalogueItem], encodedBy encoder: ItemEncoder?, catalogueVersion: Int64) -> ServingSnapshot {
        let items = items.filter { !$0.isDeleted }
        let there = Set(items.map(\.record.itemID))
        let gone = itemIDs.filter { !there.contains($0) }.map { CatalogueChange.delete(itemID: $0) }
        let changed = zip(items, encoder?.priced(items) ?? items).filter { entry($1.record.itemID) != $1.entry }.map(\.0)
        return applying(gone, catalogueVersion: catalogueVersion)
            .applying(changed, encodedBy: encoder, catalogueVersion: catalogueVersion)
    }
}

extension SegmentCount {
    /// What the store counted.
    package init(_ counted: SegmentEvents) {
        self.init(segment: counted.segment, itemID: counted.itemID, events: counted.events)
    }
}

extension CatalogueItem {
    /// What serving's content signals see of an item.
    func contentEntry(isTrained: Bool) -> ContentSignals.Entry {
        ContentSignals.Entry(itemID: record.itemID, content: record.content, isTrained: isTrained, isAvailable: isAvailable)
    }

    /// What serving keeps of an item.
    package var entry: CatalogueEntry {
        CatalogueEntry(
            itemID: record.itemID, title: record.title.map { ShownText.cut($0, toBytes: ShownText.maxTitleBytes) },
            categories: record.categories, priceMicros: shownPriceMicros ?? record.priceMicros,
            currency: record.currency, available: isAvailable, publishedAt: record.publishedAt,
            comparablePriceMicros: .some(record.priceMicros))
    }
}
