import FeatureStore
import Interactions
import Logging
import Recommending
import TwoTower

/// Owns the serving snapshot and is the only one that replaces it: catalogue changes, the trending list, new models.
actor SnapshotFeed {
    /// Clicks that a purchase counts for in the trending list.
    static let purchaseWeight = 5.0
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
        while true {
            let known = cell.current.catalogueVersion
            let changes = try await store.run { store throws(StoreError) in try store.items(changedAfter: known) }
            // Another snapshot was put in force meanwhile: what was read does not fit on it.
            guard cell.current.catalogueVersion == known else { continue }
            if changes.version > known {
                cell.replace(by: Self.applying(changes.items, version: changes.version, to: cell.current, encoder: encoder))
            }
            return
        }
    }

    private static func applying(
        _ items: [CatalogueItem], version: Int64, to snapshot: ServingSnapshot, encoder: ItemEncoder?
    ) -> ServingSnapshot {
        let vectors = encoder?.encode(items) ?? []
        let changes = items.enumerated().map { index, item -> CatalogueChange in
            if item.isDeleted { return .delete(itemID: item.record.itemID) }
            return .upsert(
                item.entry, vector: vectors.isEmpty ? nil : vectors[index],
                origin: encoder?.isTrained(item.record.itemID) == true ? .trained : .content)
        }
        return snapshot.applying(changes, catalogueVersion: version).learningContent(
            items.filter { !$0.isDeleted }.map { $0.contentEntry(isTrained: encoder?.isTrained($0.record.itemID) == true) })
    }

    /// Reads what is popular now.
    func refreshTrending() async throws {
        let trending = try await readTrending()
        cell.replace(by: cell.current.withTrending(trending))
    }

    private func readTrending() async throws -> [TrendingItem] {
        let now = clock.now
        let limit = trendingItems
        let trending = try await store.run { store throws(StoreError) in try store.trending(at: now, limit: limit) }
        return trending.map { TrendingItem(itemID: $0.itemID, score: $0.clicks + Self.purchaseWeight * $0.purchases) }
    }

    /// Loads a model and puts it in force. Requests go on with the old snapshot meanwhile.
    func install(_ version: RegisteredModel) async throws {
        let built = try await builder.build(version)
        let trending = try await readTrending()
        var next = built.snapshot.withTrending(trending)
        // What changed while the index was being built is applied before anybody sees the new snapshot: it must never be
        // older than the one in force. Between the last look and the replacement nothing is awaited.
        repeat {
            let known = next.catalogueVersion
            let changes = try await store.run { store throws(StoreError) in try store.items(changedAfter: known) }
            if changes.version > known {
                next = Self.applying(changes.items, version: changes.version, to: next, encoder: built.encoder)
            }
        } while next.catalogueVersion < cell.current.catalogueVersion
        encoder = built.encoder
        cell.replace(by: next)
        logger.notice(
            "model in force",
            metadata: [
                "version": "\(version.version)", "items": "\(cell.current.itemCount)", "indexed": "\(cell.current.indexedCount)",
            ])
    }

    /// Whether so much is new that the index should be built again.
    nonisolated var isIndexStale: Bool { cell.current.freshCount > Self.maxFreshItems }
}

extension CatalogueItem {
    /// What serving's content signals see of an item.
    func contentEntry(isTrained: Bool) -> ContentSignals.Entry {
        ContentSignals.Entry(itemID: record.itemID, content: record.content, isTrained: isTrained)
    }

    /// What serving keeps of an item.
    var entry: CatalogueEntry {
        CatalogueEntry(
            itemID: record.itemID, title: record.title, categories: record.categories, priceMicros: record.priceMicros,
            available: isAvailable, publishedAt: record.publishedAt)
    }
}
