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

    /// A snapshot with what encodes the items that come later.
    struct Built: Sendable {
        var snapshot: ServingSnapshot
        var encoder: ItemEncoder
    }

    /// Builds off the cooperative pool: encoding and index building take seconds to minutes.
    ///
    /// - Parameter indexed: false for batch work, which ranks everything anyway.
    func build(_ version: RegisteredModel, indexed: Bool = true) async throws -> Built {
        let catalogue = try await store.run { store throws(StoreError) in try store.items(changedAfter: 0) }
        let items = catalogue.items.filter { !$0.isDeleted }
        return try await OwnThread.run(named: "freshet-snapshot") {
            let model = try artifacts.model(of: version)
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
                model: encoder.servingModel(version: Int(version.version)), itemVectors: vectors, index: index)
            return Built(snapshot: snapshot, encoder: encoder)
        }
    }
}
