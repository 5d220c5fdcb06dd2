import FeatureStore
import Interactions
import Logging
import ModelArtifacts
import Recommending
import TwoTower
import TrainingFiles

/// Owns the serving snapshot and is the only one that replaces it: catalogue changes, the trending list, new models.
actor SnapshotFeed {
    /// Clicks that a purchase counts for in the trending list.
    static let purchaseWeight = 5.0
    private let store: StoreQueries
    private nonisolated let cell: SnapshotCell<ServingSnapshot>
    private let builder: SnapshotBuilder
    /// Where the models' files are.
    nonisolated let artifacts: ArtifactStore
    private let clock: ServingClock
    private let trendingItems: Int
    nonisolated let exploration: ExplorationRules
    private let logger: Logger
    private var encoder: ItemEncoder?
    private let segments: SegmentRules?
    private let segmentPriorEvents: Double
    /// As read last: a new model's snapshot starts with them.
    private var segmentCounts: [SegmentCount] = []
    private var kit: CategoryKit?
    /// The newest adapter that was read.
    private var adapterID: Int64 = 0
    private var catchingUp: Task<Void, any Error>?
    /// Changes of items that were taken over so far.
    private(set) var changedItems = 0

    init(
        store: StoreQueries, builder: SnapshotBuilder, clock: ServingClock, trendingItems: Int, exploration: ExplorationRules,
        segments: SegmentRules? = nil, segmentPriorEvents: Double = 10, logger: Logger
    ) {
        self.store = store
        self.builder = builder
        artifacts = builder.artifacts
        self.clock = clock
        self.trendingItems = trendingItems
        self.exploration = exploration
        self.segments = segments
        self.segmentPriorEvents = segmentPriorEvents
        self.logger = logger
        cell = SnapshotCell(ServingSnapshot(catalogue: [], catalogueVersion: 0, rules: builder.rules))
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
                cell.replace(by: cell.current.applying(changes.items, encodedBy: encoder, catalogueVersion: changes.version))
                changedItems += changes.items.count
            }
            return
        }
    }

    /// Reads what is popular now.
    func refreshTrending() async throws {
        let trending = try await readTrending()
        cell.replace(by: cell.current.withTrending(trending))
    }

    /// Reads how the new items are received.
    func refreshExploration() async throws {
        guard exploration.everySlots > 0, cell.current.model != nil else { return }
        let items = cell.current.explorableItems()
        let known = try await readExposure(items)
        cell.replace(by: cell.current.exploring(known.items, clickRate: known.clickRate, rules: exploration))
    }

    private func readExposure(_ itemIDs: [String]) async throws -> (items: [ExposureCounts], clickRate: Double) {
        let exposure = try await store.run { store throws(StoreError) in try store.exposure(of: itemIDs) }
        // As if twenty impressions with one click had been seen before the first.
        let rate = (Double(exposure.clicks) + 1) / (Double(exposure.impressions) + 20)
        return (
            exposure.items.map { ExposureCounts(itemID: $0.itemID, impressions: $0.impressions, clicks: $0.clicks) }, rate
        )
    }

    /// Reads what segments of the users do; nothing happens where none are wanted.
    func refreshSegments() async throws {
        guard let segments else { return }
        segmentCounts = try await store.run { store throws(StoreError) in try store.segmentEvents(segments) }.map(SegmentCount.init)
        cell.replace(by: cell.current.withSegments(segmentCounts, priorEvents: segmentPriorEvents))
    }

    private func readTrending() async throws -> [TrendingItem] {
        let now = clock.now
        let limit = max(trendingItems, ServingSnapshot.trendingLimitItems)
        let trending = try await store.run { store throws(StoreError) in
            try store.trending(at: now, limit: limit, purchaseWeight: Self.purchaseWeight)
        }
        return trending.map(TrendingItem.init)
    }

    /// Puts adapters of categories in force that came since they were last read.
    ///
    /// - Returns: the names of all categories in force, where there was something new.
    @discardableResult
    func refreshAdapters() async throws -> [String]? {
        guard let kit, let version = cell.current.modelVersion.map({ Int32(clamping: $0) }) else { return nil }
        let newest = try await store.run { store throws(StoreError) in try store.newestAdapterID(ofVersion: version) }
        guard newest != adapterID else { return nil }
        let categories = try await builder.adapters(of: version, field: kit.field)
        // Another model was put in force meanwhile: it has read its own.
        guard cell.current.modelVersion == Int(version) else { return nil }
        adapterID = newest
        cell.replace(by: cell.current.adapting(categories))
        return cell.current.adaptedCategories
    }

    /// What the model in force adapts with.
    var categoryKit: CategoryKit? { kit }

    /// Loads a model and puts it in force. Requests go on with the old snapshot meanwhile.
    ///
    /// - Parameters:
    ///   - indexed: false where nobody searches.
    ///   - rebuilding: whether the index is built anew where one was left beside the model.
    func install(_ version: RegisteredModel, indexed: Bool = true, rebuilding: Bool = false) async throws {
        let built = try await builder.build(version, indexed: indexed, reusing: !rebuilding)
        let trending = try await readTrending()
        var next = built.snapshot.withTrending(trending).withSegments(segmentCounts, priorEvents: segmentPriorEvents)
        if exploration.everySlots > 0 {
            let known = try await readExposure(next.explorableItems())
            next = next.exploring(known.items, clickRate: known.clickRate, rules: exploration)
        }
        // What changed while the index was being built is applied before anybody sees the new snapshot: it must never be
        // older than the one in force. Between the last look and the replacement nothing is awaited.
        repeat {
            let known = next.catalogueVersion
            let changes = try await store.run { store throws(StoreError) in try store.items(changedAfter: known) }
            if changes.version > known {
                next = next.applying(changes.items, encodedBy: built.encoder, catalogueVersion: changes.version)
            }
        } while next.catalogueVersion < cell.current.catalogueVersion
        encoder = built.encoder
        kit = built.kit
        adapterID = 0
        cell.replace(by: next)
        logger.notice(
            "model in force",
            metadata: [
                "version": "\(version.version)", "items": "\(cell.current.itemCount)", "indexed": "\(cell.current.indexedCount)",
                "fresh": "\(cell.current.freshCount)", "index": "\(built.indexName)",
            ])
    }

    /// Whether so much has changed that the index should be built again.
    nonisolated var isIndexStale: Bool {
        let snapshot = cell.current
        return snapshot.model != nil && builder.index.policy.isDue(for: snapshot)
    }
}

extension ServingSnapshot {
    /// The same snapshot with newer items of the store, which the promoted model encodes.
    func applying(_ items: [CatalogueItem], encodedBy encoder: ItemEncoder?, catalogueVersion: Int64) -> ServingSnapshot {
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
}

extension SegmentCount {
    /// What the store counted.
    init(_ counted: SegmentEvents) {
        self.init(segment: counted.segment, itemID: counted.itemID, events: counted.events)
    }
}

extension CatalogueItem {
    /// What serving's content signals see of an item.
    func contentEntry(isTrained: Bool) -> ContentSignals.Entry {
        ContentSignals.Entry(itemID: record.itemID, content: record.content, isTrained: isTrained, isAvailable: isAvailable)
    }

    /// What serving keeps of an item.
    var entry: CatalogueEntry {
        CatalogueEntry(
            itemID: record.itemID, title: record.title, categories: record.categories, priceMicros: shownPriceMicros ?? record.priceMicros,
            currency: record.currency, available: isAvailable, publishedAt: record.publishedAt,
            comparablePriceMicros: .some(record.priceMicros))
    }
}
