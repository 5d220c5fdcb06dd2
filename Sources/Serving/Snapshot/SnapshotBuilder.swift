import Console
import ContentModel
import FeatureStore
import Interactions
import Logging
import ModelArtifacts
import Recommending
import TrainingFiles
import VectorIndex

/// Builds a serving snapshot from a model version: reads the artifact, encodes the catalogue, builds the index or
/// takes what an earlier build left beside the model.
package struct SnapshotBuilder: Sendable {
    let store: StoreQueries
    let artifacts: ArtifactStore
    let index: IndexSettings
    let logger: Logger
    /// Length of the trending list, which the ranking blend reads.
    private let trendingItems = 500
    /// The dials of the snapshots that are built.
    let rules: RecommendingRules
    /// What turns texts into vectors, for models that were trained so.
    let texts: ContentEncoder?
    /// The tail dial of the ranking; see `RankingBlend.dialled`.
    let tailDial: TailDial

    /// Builds nothing yet.
    ///
    /// - Parameters:
    ///   - rules: the dials of the snapshots.
    ///   - texts: what turns texts into vectors, for models that were trained so.
    package init(
        store: StoreQueries, artifacts: ArtifactStore, index: IndexSettings, logger: Logger, rules: RecommendingRules,
        texts: ContentEncoder?, tailDial: TailDial = TailDial()
    ) {
        self.store = store
        self.artifacts = artifacts
        self.index = index
        self.logger = logger
        self.rules = rules
        self.texts = texts
        self.tailDial = tailDial
    }

    /// A snapshot with what encodes the items that come later.
    package struct Built: Sendable {
        /// What answers.
        package var snapshot: ServingSnapshot
        /// Where the catalogue was that the snapshot was built of.
        var mark: CatalogueMark
        var encoder: ItemEncoder
        /// The kind of index and what it was set to, for logs.
        var indexName: String
        /// What the model adapts to new categories with.
        var kit: CategoryKit?
    }

    /// Builds off the cooperative pool: encoding and index building take seconds to minutes.
    ///
    /// - Parameters:
    ///   - indexed: false for batch work, which ranks everything anyway.
    ///   - reusing: whether the files that a build left beside the model may serve.
    ///   - known: what is trending, where somebody has read it; nil reads it.
    ///   - now: when items are to be available.
    package func build(
        _ version: RegisteredModel, indexed: Bool = true, reusing: Bool = true, trending known: [TrendingItem]? = nil, at now: EventTime
    ) async throws -> Built {
        let limit = max(trendingItems, ServingSnapshot.trendingLimitItems)
        typealias Read = (catalogue: (items: [CatalogueItem], mark: CatalogueMark), trending: [TrendingItem])
        let (catalogue, trending) = try await store.run { store throws(StoreError) -> Read in
            let catalogue = try store.catalogue()
            if let known { return (catalogue, known) }
            // Shares do not depend on the time at which decayed counts are read, so any time serves.
            return (catalogue, try store.trending(at: store.newestEventTime() ?? .now, limit: limit).map(TrendingItem.init))
        }
        let mark = catalogue.mark
        var built = try await OwnThread.run(named: "freshet-snapshot") {
            let artifact = try artifacts.artifact(of: version), bundle = artifact.bundle
            let texts = texts(of: bundle, version: version)
            let encoder = ItemEncoder(
                bundle: bundle, texts: texts,
                prices: AmountNotes.prices(watermark: version.watermark, rates: rules.rates))
            let all = IndexedCatalogue(
                catalogue: (encoder.described(CatalogueItem.units(catalogue.items), threads: index.threads), mark),
                lineage: { [store] version in try store.lineage(ofVersion: version) }, encoder: encoder,
                isComplete: texts != nil || bundle.textEncoder == nil, settings: index, folder: artifact.path,
                modelVersion: Int64(version.version), logger: logger)
            let rows = indexed ? try all.indexed(reusing: reusing) : all.encoded()
            var snapshot = bundle.snapshot(
                over: ServedCatalogue(
                    entries: zip(rows.itemIDs, rows.items).map { $1?.entry(at: now) ?? CatalogueEntry(itemID: $0, available: false) },
                    contents: rows.items.map { $0?.record.content ?? ItemContent() }, version: mark.version, vectors: rows.vectors,
                    index: rows.index, trending: trending),
                version: Int(version.version), settings: settings(of: version), threads: index.threads)
            let gone = zip(rows.itemIDs, rows.items).compactMap { $1 == nil ? CatalogueChange.delete(itemID: $0) : nil }
            snapshot = snapshot.applying(gone, catalogueVersion: mark.version)
                .applying(units: rows.later, encodedBy: encoder, catalogueVersion: mark.version, at: now)
            // What came after the files that were left beside the model is indexed by its content as well.
            if indexed { snapshot = try indexingNewItems(snapshot) }
            return Built(
                snapshot: snapshot.readyForNewItems(), mark: mark, encoder: encoder,
                indexName: rows.index.map { "\($0.kind) \($0.parameters)" } ?? "none",
                kit: bundle.kit)
        }
        if let kit = built.kit { built.snapshot = built.snapshot.adapting(try await adapters(of: version.version, field: kit.field)) }
        return built
    }

    /// The same snapshot with an index of its new items' contents, where there are many.
    private func indexingNewItems(_ snapshot: ServingSnapshot) throws -> ServingSnapshot {
        let next = try snapshot.indexingNewItems(threads: index.threads) { try ItemIndex.build($0, threads: index.threads) }
        if let found = next.contentIndex {
            logger.notice(
                "new items are found by an index of their contents",
                metadata: [
                    "items": "\(found.indexed)", "taken_per_wanted": "\(found.depth)",
                    "recall": "\(found.recall.map { "\(($0 * 1_000).rounded() / 1_000)" } ?? "not measured")",
                ])
        }
        return next
    }

    /// How a version answers: the dials, and amounts compared as its training compared them.
    package func settings(of version: RegisteredModel) -> ServedSettings {
        ServedSettings(
            rules: rules, tailDial: tailDial, orderAmounts: AmountNotes.orders(watermark: version.watermark, rates: rules.rates))
    }

    /// The adapters of a model version, newest first; one that cannot be read is left out and named.
    func adapters(of version: Int32, field: String) async throws -> [AdaptedCategory] {
        let stored = try await store.run { store throws(StoreError) in try store.adapters(ofVersion: version, field: field) }
        return stored.compactMap { adapter in
            do {
                return try AdaptedCategory(adapter)
            } catch {
                logger.warning("the adapter of '\(adapter.category)' cannot be used: \(error)")
                return nil
            }
        }
    }

    /// The sentence encoder where the model was trained with it. A server with none, or with another, answers without.
    private func texts(of bundle: ModelBundle, version: RegisteredModel) -> ContentEncoder? {
        guard let wanted = bundle.textEncoder else { return nil }
        if let texts, texts.checksum == wanted { return texts }
        let found = texts.map { "names another one, \($0.checksum)" } ?? "names none"
        logger.warning(
            """
            model version \(version.version) was trained with the sentence encoder \(wanted), and content.encoder \(found): items are \
            encoded without the vectors of their texts; name that encoder's folder, or train again
            """)
        return nil
    }
}

extension TrendingItem {
    /// What a decayed count of the store says of an item.
    init(_ count: TrendingCount) {
        self.init(itemID: count.itemID, score: count.score)
    }
}
