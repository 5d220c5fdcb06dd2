import Console
import ContentModel
import FeatureStore
import Interactions
import Learning
import Logging
import ModelArtifacts
import Recommending
import TrainingFiles
import VectorIndex

/// Builds a serving snapshot from a model version: reads the artifact, encodes the catalogue, builds the index or
/// takes what an earlier build left beside the model.
struct SnapshotBuilder: Sendable {
    let store: StoreQueries
    let artifacts: ArtifactStore
    let index: IndexSettings
    let logger: Logger
    /// Length of the trending list, which the ranking blend reads.
    var trendingItems = 500
    /// The dials of the snapshots that are built.
    var rules = RecommendingRules()
    /// What turns texts into vectors, for models that were trained so.
    var texts: ContentEncoder?
    /// The tail dial of the ranking; see `RankingBlend.dialled`.
    var tailDial = TailDial()

    /// A snapshot with what encodes the items that come later.
    struct Built: Sendable {
        var snapshot: ServingSnapshot
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
    func build(_ version: RegisteredModel, indexed: Bool = true, reusing: Bool = true) async throws -> Built {
        let limit = max(trendingItems, ServingSnapshot.trendingLimitItems)
        let (catalogue, trending) = try await store.run { store throws(StoreError) in
            // Shares do not depend on the time at which decayed counts are read, so any time serves.
            (try store.catalogue(), try store.trending(
                    at: store.newestEventTime() ?? .now, limit: limit, purchaseWeight: TrendingItem.purchaseWeight))
        }
        let mark = catalogue.mark
        var built = try await OwnThread.run(named: "freshet-snapshot") {
            let artifact = try artifacts.artifact(of: version)
            let texts = texts(of: artifact, version: version)
            let encoder = ItemEncoder(
                model: artifact.model, texts: texts, ratingsFrom: artifact.ratingsFrom,
                prices: AmountNotes.prices(watermark: version.watermark, rates: rules.rates))
            let all = IndexedCatalogue(
                catalogue: (encoder.described(catalogue.items, threads: index.threads), mark),
                lineage: { [store] version in try store.lineage(ofVersion: version) }, encoder: encoder,
                isComplete: texts != nil || artifact.notes[ContentEncoder.noteName] == nil, settings: index, folder: artifact.path,
                modelVersion: Int64(version.version), logger: logger)
            let rows = indexed ? try all.indexed(reusing: reusing) : all.encoded()
            let places = Self.rows(of: artifact, in: rows.itemIDs)
            let snapshot = ServingSnapshot(
                catalogue: zip(rows.itemIDs, rows.items).map { $1?.entry ?? CatalogueEntry(itemID: $0, available: false) },
                catalogueVersion: mark.version, model: encoder.servingModel(version: Int(version.version)),
                itemVectors: rows.vectors, index: rows.index,
                untrained: rows.itemIDs.indices.compactMap { encoder.isTrained(rows.itemIDs[$0]) ? nil : Int32($0) },
                trending: trending.map(TrendingItem.init), rules: rules, blend: try artifact.blend()?.renumbered(places, itemCount: rows.itemIDs.count).dialled(tailDial)
            )
            .withHeads(try artifact.heads()?.renumbered(places, itemCount: rows.itemIDs.count))
            .withOrderAmounts(AmountNotes.orders(watermark: version.watermark, rates: rules.rates))
            .withContent(try Self.content(of: artifact, on: rows))
            let gone = zip(rows.itemIDs, rows.items).compactMap { $1 == nil ? CatalogueChange.delete(itemID: $0) : nil }
            return Built(
                snapshot: snapshot.applying(gone, catalogueVersion: mark.version)
                    .applying(rows.later, encodedBy: encoder, catalogueVersion: mark.version), mark: mark, encoder: encoder,
                indexName: rows.index.map { "\($0.kind) \($0.parameters)" } ?? "none",
                kit: try artifact.categoryKit())
        }
        if let kit = built.kit { built.snapshot = built.snapshot.adapting(try await adapters(of: version.version, field: kit.field)) }
        return built
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
    private func texts(of artifact: ModelArtifact, version: RegisteredModel) -> ContentEncoder? {
        guard let wanted = artifact.notes[ContentEncoder.noteName] else { return nil }
        if let texts, texts.checksum == wanted { return texts }
        let found = texts.map { "names another one, \($0.checksum)" } ?? "names none"
        logger.warning(
            "model version \(version.version) was trained with the sentence encoder \(wanted), and content.encoder \(found): items are encoded without the vectors of their texts; name that encoder's folder, or train again")
        return nil
    }

    /// The model's content channel on the rows of a catalogue.
    private static func content(of artifact: ModelArtifact, on rows: IndexedCatalogue.Rows) throws -> ContentSignals? {
        guard let bytes = artifact.attachments[ContentChannel.attachmentName] else { return nil }
        let channel: ContentChannel
        do {
            channel = try bytes.withUnsafeBytes { (bytes) throws(ContentFormatError) in try ContentChannel(encoded: bytes) }
        } catch {
            throw CommandFailure("\(artifact.path): \(error)")
        }
        let entries = zip(rows.itemIDs, rows.items).map { id, item in
            let isTrained = artifact.model.row(of: id) != nil
            return item?.contentEntry(isTrained: isTrained) ?? ContentSignals.Entry(itemID: id, content: ItemContent(), isTrained: isTrained, isAvailable: false)
        }
        var signals = ContentSignals(channel: channel, entries: entries, itemVectors: rows.vectors, dimension: artifact.model.dimension)
        if let kit = try artifact.categoryKit() {
            signals.enableAdaptation(kit.factors, field: kit.field, entries: entries) { id in artifact.model.row(of: id).map { Int($0) } }
        }
        return signals
    }

    /// Of each of the model's rows the row in a catalogue, −1 where it is not there.
    private static func rows(of artifact: ModelArtifact, in itemIDs: [String]) -> [Int32] {
        let rows = Dictionary(itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        return artifact.model.itemIDs.map { rows[$0] ?? -1 }
    }
}

extension TrendingItem {
    /// What a decayed count of the store says of an item.
    init(_ count: TrendingCount) {
        self.init(itemID: count.itemID, score: count.score)
    }
}
