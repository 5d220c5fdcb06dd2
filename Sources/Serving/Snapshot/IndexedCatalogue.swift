import FeatureStore
import Logging
import Recommending
import VectorIndex

/// The vectors and the index of a catalogue, with what came after them: from the files beside the model where they serve, else
/// computed, and kept there for the next start.
///
/// Files are written whole or not at all and checked when they are read; one that is damaged, of another model or of another
/// catalogue is told in a sentence and replaced. A catalogue that is compared one by one needs none.
struct IndexedCatalogue: Sendable {
    /// Every item of the catalogue, deleted ones too.
    let catalogue: (items: [CatalogueItem], mark: CatalogueMark)
    /// The lineage of a version in the database's history; nil where that does not have it.
    let lineage: @Sendable (Int64) throws -> Int64?
    let encoder: ItemEncoder
    /// Whether items are encoded as the model was trained to; a server without its sentence encoder neither reads nor writes files.
    let isComplete: Bool
    let settings: IndexSettings
    /// The folder of the model's files.
    let folder: String
    let modelVersion: Int64
    let logger: Logger

    private static let itemsAtOnce = 10_000

    /// All vectors, without an index.
    func encoded() -> IndexedRows {
        let items = catalogue.items.filter { !$0.isDeleted }
        var vectors: [Float] = []
        vectors.reserveCapacity(items.count * encoder.dimension)
        for start in stride(from: 0, to: items.count, by: Self.itemsAtOnce) {
            let slice = Array(items[start..<min(start + Self.itemsAtOnce, items.count)])
            for vector in encoder.encode(slice, threads: settings.threads) { vectors.append(contentsOf: vector) }
        }
        return IndexedRows(itemIDs: items.map(\.record.itemID), vectors: vectors, items: items)
    }

    /// Vectors and index.
    ///
    /// - Parameter reuses: whether the files beside the model may serve; a rebuild wants new ones.
    func indexed(reusing reuses: Bool) throws -> IndexedRows {
        if reuses, keepsFiles, let saved = saved() {
            var rows = IndexedRows(saved, of: catalogue.items)
            rows.index = try ItemIndex.loadOrBuild(
                path: indexPath, vectors: saved.vectors, dimension: encoder.dimension, modelVersion: modelVersion,
                threads: settings.threads, kind: settings.kind, goal: settings.goal
            ) { logger.warning("the index file does not serve: \($0)") }
            return rows
        }
        var rows = encoded()
        guard !rows.itemIDs.isEmpty else { return rows }
        let index = try ItemIndex.build(
            vectors: rows.vectors, dimension: encoder.dimension, threads: settings.threads, kind: settings.kind, goal: settings.goal)
        rows.index = index
        if keepsFiles, index.kind != "flat" {
            do {
                try SavedVectors(
                    itemIDs: rows.itemIDs, vectors: rows.vectors, dimension: encoder.dimension, catalogueVersion: catalogue.mark.version,
                    catalogueLineage: catalogue.mark.lineage
                ).save(to: vectorsPath, modelVersion: modelVersion)
                try index.save(to: indexPath, modelVersion: modelVersion)
            } catch {
                logger.warning("the index is not kept for the next start: \(error)")
            }
        }
        return rows
    }

    private var keepsFiles: Bool { isComplete && settings.keepsFiles }
    private var vectorsPath: String { folder + "/serving.vectors" }
    private var indexPath: String { folder + "/serving.index" }

    private func saved() -> SavedVectors? {
        guard SavedVectors.exists(vectorsPath) else { return nil }
        do {
            let saved = try SavedVectors.load(path: vectorsPath, modelVersion: modelVersion, dimension: encoder.dimension)
            guard saved.catalogueVersion <= catalogue.mark.version, try lineage(saved.catalogueVersion) == saved.catalogueLineage else {
                logger.warning(
                    """
                    \(vectorsPath) is of catalogue version \(saved.catalogueVersion), which is not in the history of the database's \
                    \(catalogue.mark.version): the vectors are computed again
                    """)
                return nil
            }
            return saved
        } catch {
            logger.warning("the saved vectors do not serve: \(error)")
            return nil
        }
    }
}
