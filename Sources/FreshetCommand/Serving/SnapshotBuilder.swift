import FeatureStore
import Interactions
import Logging
import ModelArtifacts
import Recommending
import TwoTower
import VectorIndex

/// Builds a serving snapshot from a model version: reads the artifact, encodes the catalogue, builds the index.
struct SnapshotBuilder: Sendable {
    private static let itemsAtOnce = 10_000

    let store: StoreQueries
    let artifacts: ArtifactStore
    let threads: Int
    let logger: Logger
    /// Length of the trending list, which the ranking blend reads.
    var trendingItems = 500

    /// A snapshot with what encodes the items that come later.
    struct Built: Sendable {
        var snapshot: ServingSnapshot
        var encoder: ItemEncoder
    }

    /// Builds off the cooperative pool: encoding and index building take seconds to minutes.
    ///
    /// - Parameter indexed: false for batch work, which ranks everything anyway.
    func build(_ version: RegisteredModel, indexed: Bool = true) async throws -> Built {
        let limit = trendingItems
        let (catalogue, trending) = try await store.run { store throws(StoreError) in
            // Shares do not depend on the time at which decayed counts are read, so any time serves.
            (try store.items(changedAfter: 0), try store.trending(at: store.newestEventTime() ?? .now, limit: limit))
        }
        let items = catalogue.items.filter { !$0.isDeleted }
        return try await OwnThread.run(named: "freshet-snapshot") {
            let artifact = try artifacts.artifact(of: version)
            let model = artifact.model
            let encoder = ItemEncoder(model: model)
            var vectors: [Float] = []
            vectors.reserveCapacity(items.count * encoder.dimension)
            for start in stride(from: 0, to: items.count, by: Self.itemsAtOnce) {
                let slice = Array(items[start..<min(start + Self.itemsAtOnce, items.count)])
                for vector in encoder.encode(slice, threads: threads) { vectors.append(contentsOf: vector) }
            }
            let index =
                indexed && !items.isEmpty
                ? try ItemIndex.build(vectors: vectors, dimension: encoder.dimension, threads: threads) : nil
            let snapshot = ServingSnapshot(
                catalogue: items.map(\.entry), catalogueVersion: catalogue.version,
                model: encoder.servingModel(version: Int(version.version)), itemVectors: vectors, index: index,
                trending: trending.map(TrendingItem.init), blend: try Self.blend(of: artifact, on: items))
            return Built(
                snapshot: snapshot.withContent(try Self.content(of: artifact, on: items, vectors: vectors)), encoder: encoder)
        }
    }

    /// The model's content channel on the rows of a catalogue.
    private static func content(of artifact: ModelArtifact, on items: [CatalogueItem], vectors: [Float]) throws -> ContentSignals? {
        guard let bytes = artifact.attachments[ContentChannel.attachmentName] else { return nil }
        let channel: ContentChannel
        do {
            channel = try bytes.withUnsafeBytes { (bytes) throws(ContentFormatError) in try ContentChannel(encoded: bytes) }
        } catch {
            throw CommandFailure("\(artifact.path): \(error)")
        }
        return ContentSignals(
            channel: channel, entries: items.map { $0.contentEntry(isTrained: artifact.model.row(of: $0.record.itemID) != nil) },
            itemVectors: vectors, dimension: artifact.model.dimension)
    }

    /// The model's ranking blend on the rows of a catalogue.
    private static func blend(of artifact: ModelArtifact, on items: [CatalogueItem]) throws -> RankingBlend? {
        guard let blend = try artifact.blend() else { return nil }
        let rows = Dictionary(items.enumerated().map { ($1.record.itemID, Int32($0)) }) { first, _ in first }
        return blend.renumbered(artifact.model.itemIDs.map { rows[$0] ?? -1 }, itemCount: items.count)
    }
}

extension TrendingItem {
    /// What a decayed count of the store says of an item.
    init(_ count: TrendingCount) {
        self.init(itemID: count.itemID, score: count.clicks + SnapshotFeed.purchaseWeight * count.purchases)
    }
}
