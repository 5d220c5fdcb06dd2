import FeatureStore
import Interactions
import RecommendationAPI
import Recommending

extension ServingSnapshot {
    /// The same snapshot with newer items of the store, which the promoted model encodes.
    ///
    /// - Parameters:
    ///   - items: with the other members of their groups.
    ///   - now: when they are to be available.
    package func applying(
        _ items: [CatalogueItem], encodedBy encoder: ItemEncoder?, catalogueVersion: Int64, at now: EventTime
    ) -> ServingSnapshot {
        applying(units: CatalogueItem.units(items), encodedBy: encoder, catalogueVersion: catalogueVersion, at: now)
    }

    /// The same with groups that are one item already.
    func applying(
        units: [CatalogueItem], encodedBy encoder: ItemEncoder?, catalogueVersion: Int64, at now: EventTime
    ) -> ServingSnapshot {
        let items = encoder?.described(units) ?? units
        let vectors = encoder?.encode(items) ?? []
        let changes = items.enumerated().map { index, item -> CatalogueChange in
            if item.isDeleted { return .delete(itemID: item.record.itemID) }
            return .upsert(
                item.entry(at: now), vector: vectors.isEmpty ? nil : vectors[index],
                origin: encoder?.isTrained(item.record.itemID) == true ? .trained : .content)
        }
        return applying(changes, catalogueVersion: catalogueVersion).learningContent(
            items.filter { !$0.isDeleted }.map { $0.contentEntry(isTrained: encoder?.isTrained($0.record.itemID) == true, at: now) })
    }

    /// The same snapshot with exactly these items of the store: what is not among them is gone. Items that read as before keep their
    /// place and vector, so that a large catalogue need not be encoded before what is gone is out of answers; what does not show in an
    /// entry (texts, tags) comes with the next build.
    package func becoming(
        _ items: [CatalogueItem], encodedBy encoder: ItemEncoder?, catalogueVersion: Int64, at now: EventTime
    ) -> ServingSnapshot {
        let units = CatalogueItem.units(items).filter { !$0.isDeleted }
        let there = Set(units.flatMap { $0.variants.isEmpty ? [$0.record.itemID] : $0.variants.map(\.record.itemID) })
        let gone = itemIDs.filter { !there.contains($0) }.map { CatalogueChange.delete(itemID: $0) }
        let changed = zip(units, encoder?.priced(units) ?? units).filter { entry($1.record.itemID) != $1.entry(at: now) }.map(\.0)
        return applying(gone, catalogueVersion: catalogueVersion)
            .applying(units: changed, encodedBy: encoder, catalogueVersion: catalogueVersion, at: now)
    }
}

extension SegmentCount {
    /// What the store counted.
    package init(_ counted: SegmentEvents) {
        self.init(segment: counted.segment, itemID: counted.itemID, events: counted.events)
    }
}

extension CatalogueItem {
    /// What serving's content signals see of an item at a time.
    func contentEntry(isTrained: Bool, at now: EventTime) -> ContentSignals.Entry {
        ContentSignals.Entry(itemID: record.itemID, content: record.content, isTrained: isTrained, isAvailable: isAvailable(at: now))
    }

    /// What serving keeps of an item at a time; of a group with what tells its members apart.
    package func entry(at now: EventTime) -> CatalogueEntry {
        var entry = CatalogueEntry(
            itemID: record.itemID, title: shownTitle, categories: record.categories, priceMicros: shownPriceMicros ?? record.priceMicros,
            currency: record.currency, available: isAvailable(at: now), publishedAt: record.publishedAt,
            comparablePriceMicros: .some(record.priceMicros))
        guard !variants.isEmpty else {
            entry.window = window(after: now)
            return entry
        }
        entry.variants = zip(variants, ItemGroup.distinguishing(variants.map(\.record))).map { variant, traits in
            ItemVariant(
                itemID: variant.record.itemID, title: variant.shownTitle,
                priceMicros: variant.shownPriceMicros ?? variant.record.priceMicros, currency: variant.record.currency,
                comparablePriceMicros: variant.record.priceMicros,
                available: variant.isAvailable(at: now), window: variant.window(after: now), traits: traits)
        }
        return entry
    }

    private var shownTitle: String? { record.title.map { ShownText.cut($0, toBytes: ShownText.maxTitleBytes) } }

    /// Where time alone changes whether it is available.
    private func window(after now: EventTime) -> OfferWindow? {
        isAvailable ? OfferWindow(from: record.availableFrom, until: record.availableUntil, after: now) : nil
    }
}
