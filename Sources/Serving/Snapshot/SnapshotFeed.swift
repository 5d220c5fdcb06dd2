import FeatureStore
import Interactions
import Logging
import ModelArtifacts
import Recommending
import TrainingFiles

/// Owns the serving snapshot and is the only one that replaces it: catalogue changes, the trending list, new models.
package actor SnapshotFeed {
    private let store: StoreQueries
    private nonisolated let cell: SnapshotCell<Served>
    /// How often the catalogue was read from the beginning because the database's did not go on from the one served.
    package nonisolated let rereads = SnapshotCell(0)
    private let builder: SnapshotBuilder
    /// Where the models' files are.
    package nonisolated let artifacts: ArtifactStore
    private let clock: ServingClock
    private let trendingItems: Int
    /// When new items get slots of their own.
    package nonisolated let exploration: ExplorationRules
    private let logger: Logger
    private var encoder: ItemEncoder?
    private let segments: SegmentRules?
    private let segmentPriorEvents: Double
    /// As read last: a new model's snapshot starts with them.
    private var segmentCounts: [SegmentCount] = []
    private var kit: CategoryKit?
    /// The newest adapter that was read.
    private var adapterMark: AdapterMark?
    private var catchingUp: Task<Void, any Error>?
    /// The files that the model in force was read from.
    package private(set) var installed: ModelIdentity?
    /// Whether the database turned out to be another one, and the model, its index and its adapters are still of the former.
    package private(set) var mustBuildAgain = false
    /// What was done in the last weeks, with when it was read.
    private var recent: (counts: RecentCounts, readAt: ContinuousClock.Instant)?
    /// How often that is read again: what is behind the list of what is popular now moves slowly.
    private static let recentEvery = Duration.seconds(600)
    /// Sentences that nobody has taken yet; see ``takeNews()``.
    private var news: [String] = []

    /// A snapshot, and the place in the catalogue's history that it was read at; nil before the first reading.
    private struct Served: Sendable {
        var snapshot: ServingSnapshot
        var mark: CatalogueMark?
    }

    /// A feed without a model; nothing is read yet.
    ///
    /// - Parameters:
    ///   - segments: what is counted of segments of the users; nil where nothing is.
    ///   - segmentPriorEvents: what everybody's popularity weighs beside that of a segment.
    package init(
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
        cell = SnapshotCell(Served(snapshot: ServingSnapshot(catalogue: [], catalogueVersion: 0, rules: builder.rules)))
    }

    /// The snapshot in force.
    package nonisolated var current: ServingSnapshot { cell.current.snapshot }

    /// A snapshot whose catalogue is at least as new as `mark`, and of its history. Waits for the database only where it is behind.
    ///
    /// A mark below the snapshot's is that of a state read before a change, or of a database that went back: the loop that looks at the
    /// catalogue all the time tells which.
    package nonisolated func snapshot(atLeast mark: CatalogueMark) async throws -> ServingSnapshot {
        let served = cell.current
        if served.mark != mark, mark.version >= served.snapshot.catalogueVersion { try await catchUp() }
        return isBehindTime ? await advance() : cell.current.snapshot
    }

    /// Whether time has changed what may be recommended.
    private nonisolated var isBehindTime: Bool { current.nextChange.map { $0 <= clock.now } ?? false }

    /// Takes in what has become available, and what no longer is.
    @discardableResult
    package func advance() -> ServingSnapshot {
        if isBehindTime { update { $0.advanced(to: clock.now) } }
        return current
    }

    /// What happened since the last call, for people.
    package func takeNews() -> [String] {
        defer { news = [] }
        return news
    }

    private func update(_ change: (ServingSnapshot) -> ServingSnapshot) {
        let served = cell.current
        cell.replace(by: Served(snapshot: change(served.snapshot), mark: served.mark))
    }

    /// Reads what has changed in the catalogue. Callers that come while it is being read share the next reading.
    package func catchUp() async throws {
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
            let known = cell.current.mark
            let reading = try await store.run { store throws(StoreError) in try store.catalogue(after: known) }
            // Another snapshot was put in force meanwhile: what was read does not fit on it.
            guard cell.current.mark == known else { continue }
            let snapshot = cell.current.snapshot
            switch reading {
            case .unchanged: break
            case .changes(let items, let mark):
                cell.replace(
                    by: Served(
                        snapshot: snapshot.applying(items, encodedBy: encoder, catalogueVersion: mark.version, at: clock.now), mark: mark))
            case .everything(let items, let mark):
                cell.replace(
                    by: Served(
                        snapshot: snapshot.becoming(items, encodedBy: encoder, catalogueVersion: mark.version, at: clock.now), mark: mark))
                if let known { readAgain(known, mark) }
            }
            return
        }
    }

    /// Says that the database's catalogue does not go on from the one that was served, and has everything else read again too.
    private func readAgain(_ known: CatalogueMark, _ mark: CatalogueMark) {
        mustBuildAgain = true
        adapterMark = nil
        recent = nil
        segmentCounts = []
        update { $0.withSegments([], priorEvents: segmentPriorEvents) }
        rereads.replace(by: rereads.current + 1)
        let sentence = known.version <= mark.version - StoreQueries.keptVersionsLimit
            ? "the catalogue is \(mark.version - known.version) versions ahead of what was served, more than its history tells apart: "
                + "everything is read again"
            : "the database's catalogue, version \(mark.version), does not go on from version \(known.version), which was served, "
                + "as after a restore, a failover to an older standby or in another database: items, model, adapters, trending and "
                + "segments are read again"
        logger.warning("\(sentence)")
        news.append(sentence)
    }

    /// Reads what is popular now.
    package func refreshTrending() async throws {
        let trending = try await readTrending()
        update { $0.withTrending(trending) }
    }

    /// Reads how the new items are received.
    package func refreshExploration() async throws {
        guard exploration.everySlots > 0, current.model != nil else { return }
        let items = current.explorableItems()
        let known = try await readExposure(items)
        update { $0.exploring(known.items, clickRate: known.clickRate, rules: exploration) }
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
    package func refreshSegments() async throws {
        guard let segments else { return }
        segmentCounts = try await store.run { store throws(StoreError) in try store.segmentEvents(segments) }.map(SegmentCount.init)
        update { $0.withSegments(segmentCounts, priorEvents: segmentPriorEvents) }
    }

    private func readTrending() async throws -> [TrendingItem] {
        let now = clock.now
        let limit = max(trendingItems, ServingSnapshot.trendingLimitItems)
        let known = recent.flatMap { $0.readAt.duration(to: .now) < Self.recentEvery ? $0.counts : nil }
        let (trending, counts) = try await store.run { store throws(StoreError) in
            let counts = if let known { known } else { try store.recentCounts() }
            return (try store.trending(at: now, limit: limit, recent: counts, isStale: store.isStale(counts, at: now)), counts)
        }
        if known == nil { recent = (counts, .now) }
        return trending.map(TrendingItem.init)
    }

    /// Puts adapters of categories in force that came since they were last read.
    ///
    /// - Returns: the names of all categories in force, where there was something new.
    @discardableResult
    package func refreshAdapters() async throws -> [String]? {
        guard let kit, let version = current.modelVersion.map({ Int32(clamping: $0) }) else { return nil }
        let newest = try await store.run { store throws(StoreError) in try store.newestAdapter(ofVersion: version) }
        guard newest != adapterMark else { return nil }
        let categories = try await builder.adapters(of: version, field: kit.field)
        // Another model was put in force meanwhile: it has read its own.
        guard current.modelVersion == Int(version) else { return nil }
        adapterMark = newest
        update { $0.adapting(categories) }
        return current.adaptedCategories
    }

    /// What the model in force adapts with.
    package var categoryKit: CategoryKit? { kit }

    /// Loads a model and puts it in force. Requests go on with the old snapshot meanwhile.
    ///
    /// - Parameters:
    ///   - indexed: false where nobody searches.
    ///   - rebuilding: whether the index is built anew where one was left beside the model.
    package func install(_ version: RegisteredModel, indexed: Bool = true, rebuilding: Bool = false) async throws {
        let rereadsBefore = rereads.current
        let built = try await builder.build(version, indexed: indexed, reusing: !rebuilding, trending: readTrending(), at: clock.now)
        var next = built.snapshot.withSegments(segmentCounts, priorEvents: segmentPriorEvents)
        if exploration.everySlots > 0 {
            let known = try await readExposure(next.explorableItems())
            next = next.exploring(known.items, clickRate: known.clickRate, rules: exploration)
        }
        // What changed while the index was being built is applied before anybody sees the new snapshot: it must never be
        // older than the one in force. Between the last look and the replacement nothing is awaited.
        // One in force that stays newer after a look that came later is of a database that went back.
        var mark = built.mark, inForce: CatalogueMark?
        repeat {
            inForce = cell.current.mark
            let known = mark
            switch try await store.run({ store throws(StoreError) in try store.catalogue(after: known) }) {
            case .unchanged: break
            case .changes(let items, let now):
                next = next.applying(items, encodedBy: built.encoder, catalogueVersion: now.version, at: clock.now)
                mark = now
            case .everything(let items, let now):
                next = next.becoming(items, encodedBy: built.encoder, catalogueVersion: now.version, at: clock.now)
                mark = now
                readAgain(known, now)
            }
        } while mark.version < current.catalogueVersion && cell.current.mark != inForce
        encoder = built.encoder
        kit = built.kit
        adapterMark = nil
        installed = version.identity
        if rereads.current == rereadsBefore { mustBuildAgain = false }
        cell.replace(by: Served(snapshot: next, mark: mark))
        logger.notice(
            "model in force",
            metadata: [
                "version": "\(version.version)", "items": "\(current.itemCount)", "indexed": "\(current.indexedCount)",
                "fresh": "\(current.freshCount)", "index": "\(built.indexName)",
            ])
    }

    /// Lets the model go, where the database says that none is promoted: answers come from what is trending.
    package func removeModel() async throws {
        let (items, mark) = try await store.run { store throws(StoreError) in try store.catalogue() }
        let trending = try await readTrending()
        (encoder, kit, adapterMark, installed, mustBuildAgain) = (nil, nil, nil, nil, false)
        let empty = ServingSnapshot(catalogue: [], catalogueVersion: mark.version, rules: builder.rules)
        cell.replace(
            by: Served(
                snapshot: empty.becoming(items, encodedBy: nil, catalogueVersion: mark.version, at: clock.now).withTrending(trending)
                    .withSegments(segmentCounts, priorEvents: segmentPriorEvents), mark: mark))
    }

    /// Whether so much has changed that the index should be built again.
    package nonisolated var isIndexStale: Bool {
        let snapshot = current
        return snapshot.model != nil && builder.index.policy.isDue(for: snapshot)
    }
}
