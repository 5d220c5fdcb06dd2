import Console
import FeatureStore
import Interactions
import RecommendationAPI
import Recommending
import Synchronization

/// What the dashboard, the readiness check and the metrics show of the parts around the HTTP service.
///
/// Counting reads whole tables, so it happens on a loop of its own that takes at most a tenth of one connection's time, and only
/// while somebody has been looking.
package final class StatisticsBoard: Sendable {
    private static let newestItems = 8
    private static let watchedFor = Duration.seconds(30)

    fileprivate struct Contents {
        var counts: StoreStatistics?
        var countedAt: EventTime?
        var committedOffsets: Int64 = 0
        var missingRecords: Int64 = 0
        var halted: [String] = []
        var lag: Int64?
        var openErasures: Int?
        var idleErasures: Int?
        var returns: ReturnTally?
        /// What the broker said last of its partitions; stored offsets of others count nowhere.
        var reading: LagReading?
        var newest: [ItemSummary] = []
        var recentUsers: [String] = []
        var model: ModelVersionView?
        var training: TrainingView?
        var refusals: ModelRefusals?
        /// The version of which it was told what the rules cost it.
        var toldVersion: Int32?
        var activity = ActivityFeed()
        var rate = StoredRate()
        var snapshotChanged: (version: Int64, model: Int?, at: ContinuousClock.Instant)?
        var looked: ContinuousClock.Instant?
        var exploredSlots: Int64 = 0
    }

    private let contents = Mutex(Contents())
    private let feed: SnapshotFeed
    private let store: StoreQueries
    /// Whether each part does its work.
    package let parts = PartsBoard()
    private let clock: ServiceClock
    private let excludes: ExclusionRule?

    /// A board of what this feed serves.
    ///
    /// - Parameter excludes: what `rules.exclude` keeps out; nil for auto.
    package init(feed: SnapshotFeed, store: StoreQueries, clock: ServiceClock, excludes: ExclusionRule? = nil) {
        self.clock = clock
        self.excludes = excludes
        self.feed = feed
        self.store = store
    }

    /// Adds to the activity feed.
    package func note(_ kind: String, _ text: String) {
        contents.withLock { $0.activity.note(kind, text, at: .now) }
    }

    /// Tells which version is in force, and what a rule that was set costs it.
    package func serves(_ model: RegisteredModel) {
        set(model: model.view)
        let isNews = contents.withLock { contents in
            defer { contents.toldVersion = model.version }
            return contents.toldVersion != model.version
        }
        if isNews, let warning = model.exclusionWarning(under: excludes) { note("warning", warning) }
    }

    /// Tells where a training stands; nil: none runs.
    package func set(training: TrainingView?) { contents.withLock { $0.training = training } }

    /// Takes in what the database says every few seconds, whether or not somebody looks.
    package func sampled(_ figures: WatchedFigures) {
        sampled(figures.offsets)
        contents.withLock {
            $0.openErasures = figures.openErasures
            $0.idleErasures = figures.idleErasures
            $0.returns = figures.returns
        }
        set(refusals: figures.refusals)
    }

    /// Takes in what the gate refused; a version that was not there before is told in the feed.
    private func set(refusals: ModelRefusals) {
        let isNews = contents.withLock { contents in
            defer { contents.refusals = refusals }
            return contents.refusals != nil && contents.refusals?.newest?.version != refusals.newest?.version
        }
        if isNews, let newest = refusals.newest { note("warning", "the gate refused version \(newest.version): \(newest.reason)") }
    }

    /// Tells what is in force.
    package func set(model: ModelVersionView?) {
        contents.withLock { $0.model = model }
        parts.update { facts in
            facts.model.loading = nil
            facts.model.refused = nil
        }
    }

    /// Tells which version the registry promotes; nil: none.
    package func promoted(_ version: Int32?) {
        parts.update { facts in
            facts.model.isKnown = true
            facts.model.promoted = version.map { Int($0) }
            facts.model.loading = nil
        }
    }

    /// Tells that a version is being loaded, or its index built anew.
    package func loading(_ version: Int32) {
        parts.update { $0.model.loading = (Int(version), .now) }
    }

    /// Tells that a version could not be used.
    package func refused(_ version: Int32, _ error: any Error) {
        parts.update { facts in
            facts.model.loading = nil
            facts.model.refused = (Int(version), "\(error)")
        }
    }

    /// Tells what the broker said of its partitions; nil: nothing.
    package func read(_ reading: LagReading?, stored: [StoredOffset]?) {
        let found = reading?.ingest(stored: stored)
        contents.withLock { contents in
            contents.reading = reading ?? contents.reading
            contents.lag = found?.lagRecords
        }
        parts.update { facts in
            facts.ingest.lagRecords = nil
            if let found { facts.see(found, at: .now) }
        }
    }

    /// Takes the stored offsets in: what they grew by is the rate of the plot. Cheap, so it goes on while nobody looks.
    private func sampled(_ offsets: [StoredOffset]) {
        let total = boundedSum(offsets.lazy.map { $0.nextOffset ?? 0 })
        contents.withLock { contents in
            let current: [StoredOffset] = contents.reading?.current(offsets) ?? offsets.filter { $0.partition >= 0 }
            contents.committedOffsets = boundedSum(current.lazy.map { $0.nextOffset ?? 0 })
            contents.rate.look(total: total, at: .now, now: .now)
            contents.missingRecords = boundedSum(offsets.lazy.map(\.missingRecords))
            let halted = offsets.compactMap(\.halted).sorted()
            for sentence in Set(halted).subtracting(contents.halted) { contents.activity.note("warning", sentence, at: .now) }
            contents.halted = halted
        }
    }

    /// Tells how the last look for changed items and promoted models went.
    package func database(problem: String?) {
        parts.update { facts in
            facts.updates.end(problem: problem, at: .now)
            facts.model.loading = nil
        }
    }

    /// A user who was active just now, for the dashboard to offer.
    package func saw(userID: String) {
        contents.withLock { contents in
            contents.recentUsers.removeAll { $0 == userID }
            contents.recentUsers.insert(userID, at: 0)
            if contents.recentUsers.count > 12 { contents.recentUsers.removeLast() }
        }
    }

    /// Counts slots that an answer gave to items of which little is known.
    package func explored(slots: Int) {
        if slots > 0 { contents.withLock { $0.exploredSlots += Int64(slots) } }
    }

    /// Whether anybody has asked for statistics lately.
    package var isWatched: Bool {
        contents.withLock { contents in contents.looked.map { $0.duration(to: .now) < Self.watchedFor } ?? false }
    }

    /// Counts once.
    package func count() async throws {
        let (counts, newest) = try await store.run { store throws(StoreError) in
            (try store.statistics(), try store.newestItems(limit: Self.newestItems))
        }
        contents.withLock { contents in
            contents.counts = counts
            contents.countedAt = .now
            contents.newest = newest.map { newest in
                ItemSummary(newest.record, addedAt: newest.addedAt)
            }
        }
    }

    /// `/v1/stats`
    package func statistics() -> ServiceStatistics {
        let snapshot = feed.current
        return contents.withLock { contents in
            contents.looked = .now
            contents.sawSnapshot(snapshot)
            let counts = contents.counts
            var byType: [String: Int64] = [:]
            for (type, count) in counts?.interactions ?? [:] { byType[type.name] = count }
            var statistics = ServiceStatistics(
                time: .now, countedAt: contents.countedAt, eventsTotal: boundedSum(byType.values), eventsByType: byType,
                eventsPerSecond: contents.rate.perSecond,
                eventSeries: contents.rate.series, lagRecords: contents.lag, committedOffsetTotal: contents.committedOffsets,
                deadLettersByCode: counts?.deadLetters ?? [:], items: Int64(snapshot.itemCount),
                hiddenItems: Int64(snapshot.itemCount - snapshot.availableCount), freshItems: Int64(snapshot.freshCount),
                exploration: ExplorationStatistics(
                    everySlots: Int64(feed.exploration.everySlots), items: Int64(snapshot.explored.items), slots: contents.exploredSlots,
                    impressions: Int64(snapshot.explored.impressions), clicks: Int64(snapshot.explored.clicks)),
                newestItems: contents.newest, users: counts?.users ?? 0, recentUserIDs: contents.recentUsers, model: contents.model,
                snapshotAgeSeconds: contents.snapshotChanged.map { $0.at.duration(to: .now).inSeconds },
                training: contents.training, refusals: contents.refusals?.view, activity: contents.activity.entries)
            statistics.openErasures = Int64(contents.openErasures ?? 0)
            return statistics
        }
    }

    /// What `/metrics` adds.
    package func gauges() -> [Gauge] {
        var gauges = ServingGauges(snapshot: feed.current, parts: parts.known(feed))
        contents.withLock { contents in
            contents.sawSnapshot(gauges.snapshot)
            gauges.refusals = contents.refusals
            gauges.exploredSlots = contents.exploredSlots
            gauges.snapshotAgeSeconds = contents.snapshotChanged.map { $0.at.duration(to: .now).inSeconds }
            gauges.openErasures = contents.openErasures
            gauges.idleErasures = contents.idleErasures
            gauges.returns = contents.returns
            gauges.missingRecords = contents.missingRecords
            gauges.haltedPartitions = contents.halted.count
            gauges.lagRecords = contents.lag
        }
        gauges.rereads = feed.rereads.current
        gauges.clockAheadSeconds = clock.aheadSeconds
        gauges.droppedLogLines = StandardError.droppedLines
        return gauges.all
    }
}

extension ModelRefusals {
    /// The figures as the API shows them.
    package var view: RefusalStatistics {
        RefusalStatistics(
            total: total, inARow: inARow, version: newest.map { Int($0.version) }, at: newest?.createdAt, reason: newest?.reason)
    }
}

extension StatisticsBoard.Contents {
    fileprivate mutating func sawSnapshot(_ snapshot: ServingSnapshot) {
        if snapshotChanged?.version != snapshot.catalogueVersion || snapshotChanged?.model != snapshot.modelVersion {
            snapshotChanged = (snapshot.catalogueVersion, snapshot.modelVersion, .now)
        }
    }
}
