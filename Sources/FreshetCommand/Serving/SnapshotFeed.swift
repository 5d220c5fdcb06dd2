import FeatureStore
import Interactions
import Logging
import Recommending
import TwoTower

/// Owns the serving snapshot and is the only one that replaces it: catalogue changes, the trending list, new models.
actor SnapshotFeed {
    /// Clicks that a purchase counts for in the trending list.
    private static let purchaseWeight = 5.0
    /// So many vectors outside the index make the index worth building anew.
    private static let maxFreshItems = 20_000

    private let store: StoreQueries
    private nonisolated let cell: SnapshotCell<ServingSnapshot>
    private let builder: SnapshotBuilder
    private let clock: ServingClock
    private let trendingItems: Int
    private let logger: Logger
    private var encoder: ItemEncoder?
    private var catchingUp: Task<Void, any Error>?

    init(
        store: StoreQueries, builder: SnapshotBuilder, clock: ServingClock, trendingItems: Int, logger: Logger
    ) {
        self.store = store
        self.builder = builder
        self.clock = clock
        self.trendingItems = trendingItems
        self.logger = logger
        cell = SnapshotCell(ServingSnapshot(catalogue: [], catalogueVersion: 0))
    }

    /// The snapshot in force.
    nonisolated var current: ServingSnapshot { cell.current }

    /// A snapshot whose catalogue is at least as new as `version`. Waits for the database only where it is behind.
    nonisolated func snapshot(atLeast version: Int64) async throws -> ServingSnapshot {
        let snapshot = cell.current
        if snapshot.catalogueVersion >= version { return snapshot }
        try await catchUp()
        return cell.current
    }

    /// Reads what has changed in the catalogue. Callers that come while it is being read share the next reading.
    func catchUp() async throws {
        // A reading that has begun may have missed the change that the caller knows of, so its result is not enough.
        if let running = catchingUp { _ = try? await running.value }
        if let running = catchingUp { return try await running.value }
        let task = Task { try await self.applyChanges() }
        catchingUp = task
        defer { if catchingUp == task { catchingUp = nil } }
        try await task.value
    }

    private func applyChanges() async throws {
        defer { catchingUp = nil }
        let known = cell.current.catalogueVersion
        let changes = try await store.run { store throws(StoreError) in try store.items(changedAfter: known) }
        // A model that was installed meanwhile may have brought a newer catalogue.
        guard changes.version > cell.current.catalogueVersion else { return }
        apply(changes.items, version: changes.version)
    }

    private func apply(_ items: [CatalogueItem], version: Int64) {
        let vectors = encoder?.encode(items) ?? []
        let changes = items.enumerated().map { index, item -> CatalogueChange in
            if item.isDeleted { return .delete(itemID: item.record.itemID) }
            return .upsert(
                item.entry, vector: vectors.isEmpty ? nil : vectors[index],
                origin: encoder?.isTrained(item.record.itemID) == true ? .trained : .content)
        }
        cell.replace(by: cell.current.applying(changes, catalogueVersion: version))
    }

    /// Reads what is popular now.
    func refreshTrending() async throws {
        let now = clock.now
        let limit = trendingItems
        let trending = try await store.run { store throws(StoreError) in try store.trending(at: now, limit: limit) }
        cell.replace(
            by: cell.current.withTrending(
                trending.map { TrendingItem(itemID: $0.itemID, score: $0.clicks + Self.purchaseWeight * $0.purchases) }))
    }

    /// Loads a model and puts it in force. Requests go on with the old snapshot meanwhile.
    func install(_ version: RegisteredModel) async throws {
        let built = try await builder.build(version)
        encoder = built.encoder
        cell.replace(by: built.snapshot)
        // What changed while the index was being built.
        try await catchUp()
        try await refreshTrending()
        logger.notice(
            "model in force",
            metadata: [
                "version": "\(version.version)", "items": "\(cell.current.itemCount)", "indexed": "\(cell.current.indexedCount)",
            ])
    }

    /// Goes back to a service without a model.
    func removeModel() async throws {
        encoder = nil
        cell.replace(by: ServingSnapshot(catalogue: [], catalogueVersion: 0))
        try await catchUp()
        try await refreshTrending()
    }

    /// Whether so much is new that the index should be built again.
    nonisolated var isIndexStale: Bool { cell.current.freshCount > Self.maxFreshItems }
}

extension CatalogueItem {
    /// What serving keeps of an item.
    var entry: CatalogueEntry {
        CatalogueEntry(
            itemID: record.itemID, title: record.title, categories: record.categories, priceMicros: record.priceMicros,
            available: isAvailable, publishedAt: record.publishedAt)
    }
}
