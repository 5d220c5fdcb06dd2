import ContentModel
import Features

/// The items that a bundle answers with, by row.
public struct ServedCatalogue: Sendable {
    /// What lists show of an item; its row is its place.
    public var entries: [CatalogueEntry]
    /// What the towers and the channel see of it, beside ``entries``: prices as the model compares them, texts as it was trained with them.
    public var contents: [ItemContent]
    /// The catalogue's version in the store.
    public var version: Int64
    /// What is popular now, in any order.
    public var trending: [TrendingItem]
    /// `[entries.count, dimension]`, row-major, as ``ModelBundle/vectors(of:threads:)`` gives them.
    public var vectors: [Float]
    /// Holds ``vectors`` under the same rows; nil searches them one by one.
    public var index: (any CandidateIndex)?

    /// Makes a catalogue; see the members.
    public init(
        entries: [CatalogueEntry], contents: [ItemContent], version: Int64, vectors: [Float], index: (any CandidateIndex)? = nil,
        trending: [TrendingItem] = []
    ) {
        precondition(entries.count == contents.count, "\(entries.count) items with \(contents.count) contents")
        self.entries = entries
        self.contents = contents
        self.version = version
        self.vectors = vectors
        self.index = index
        self.trending = trending
    }
}

/// How a bundle answers, beside what it learned.
public struct ServedSettings: Sendable {
    /// The dials of serving.
    public var rules: RecommendingRules
    /// The tail dial of the ranking, beside the one that training may have built in.
    public var tailDial: TailDial
    /// How the amounts of orders are compared; nil where they are taken as they are.
    public var orderAmounts: AmountScale?

    /// Makes settings; by default nothing is dialled.
    public init(rules: RecommendingRules = RecommendingRules(), tailDial: TailDial = TailDial(), orderAmounts: AmountScale? = nil) {
        self.rules = rules
        self.tailDial = tailDial
        self.orderAmounts = orderAmounts
    }
}

extension ModelBundle {
    /// Whether training knew the item; others are encoded from their content.
    public func isTrained(_ itemID: String) -> Bool { model.row(of: itemID) != nil }

    /// Vectors of items, `[items.count, dimension]`, row-major, by id where training knew it, else by content alone.
    public func vectors(of items: [(itemID: String, content: ItemContent)], threads: Int = 1) -> [Float] {
        model.encodeItems(items.map(\.content), rows: items.map { model.row(of: $0.itemID) }, threads: threads).values
    }

    /// The user tower with what serving must know of it.
    public func servingModel(version: Int) -> ServingModel {
        var serving = ServingModel(model, version: version)
        serving.ratingsFrom = ratingsFrom
        return serving
    }

    /// What answers with this model: towers, blend, ranker, heads, content channel, domains and adaptation together, on the rows of a
    /// catalogue.
    ///
    /// Every list that this program gives or judges comes from such a snapshot. What changes while it serves (segments, exploration,
    /// adapters of categories, what is popular) is set on it afterwards.
    ///
    /// - Parameters:
    ///   - version: of the model in the registry.
    ///   - threads: that read the contents.
    /// - Complexity: O(all text of the catalogue) where there is a channel.
    public func snapshot(
        over catalogue: ServedCatalogue, version: Int, settings: ServedSettings = ServedSettings(), threads: Int = 1
    ) -> ServingSnapshot {
        let ids = catalogue.entries.map(\.itemID), count = ids.count
        let places = places(in: ids)
        return ServingSnapshot(
            catalogue: catalogue.entries, catalogueVersion: catalogue.version, model: servingModel(version: version),
            itemVectors: catalogue.vectors, index: catalogue.index,
            untrained: ids.indices.compactMap { isTrained(ids[$0]) ? nil : Int32($0) }, trending: catalogue.trending, rules: settings.rules,
            blend: blend?.renumbered(places, itemCount: count)
                .dialled(settings.tailDial.beside(interest: ranker?.weights.interest ?? 1))
        )
        .withRanker(ranker?.renumbered(places, itemCount: count))
        .withHeads(heads?.renumbered(places, itemCount: count))
        .withOrderAmounts(settings.orderAmounts)
        .withContent(content(of: catalogue, threads: threads))
        .withExclusion(exclusion)
        .withPrices(prices)
        .sharing(places)
    }

    /// The channel on the rows of a catalogue, ready to adapt where there is a kit.
    private func content(of catalogue: ServedCatalogue, threads: Int) -> ContentSignals? {
        guard let channel else { return nil }
        let entries = zip(catalogue.entries, catalogue.contents).map { entry, content in
            ContentSignals.Entry(
                itemID: entry.itemID, content: content, isTrained: isTrained(entry.itemID), isAvailable: entry.available)
        }
        var signals = ContentSignals(
            channel: channel, entries: entries, itemVectors: catalogue.vectors, dimension: model.dimension, threads: threads)
        if let kit {
            signals.enableAdaptation(kit.factors, field: kit.field, entries: entries) { id in model.row(of: id).map { Int($0) } }
        }
        return signals
    }

    /// Of each of the model's rows the row of a catalogue, −1 where it is not there.
    private func places(in itemIDs: [String]) -> [Int32] {
        let rows = Dictionary(itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        return model.itemIDs.map { rows[$0] ?? -1 }
    }
}
