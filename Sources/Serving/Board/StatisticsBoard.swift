import Console
import FeatureStore
import Foundation
import Interactions
import Learning
import RecommendationAPI
import Recommending
import Synchronization

/// What the dashboard, the readiness check and the metrics show of the parts around the HTTP service.
///
/// Counting reads whole tables, so it happens on a loop of its own that takes at most a tenth of one connection's time, and only
/// while somebody has been looking.
final class StatisticsBoard: Sendable {
    /// Entries of the activity feed.
    fileprivate static let maxActivityEntries = 60
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
        /// What the broker said last of its partitions; stored offsets of others count nowhere.
        var reading: LagReading?
        var newest: [ItemSummary] = []
        var recentUsers: [String] = []
        var model: ModelVersionView?
        var training: TrainingView?
        var refusals: ModelRefusals?
        var activity: [ActivityEntry] = []
        var series: [RatePoint] = []
        var perSecond = 0.0
        var snapshotChanged: (version: Int64, model: Int?, at: ContinuousClock.Instant)?
        var looked: ContinuousClock.Instant?
        var exploredSlots: Int64 = 0
        var lastTotal: (count: Int64, at: ContinuousClock.Instant)?
    }

    private let contents = Mutex(Contents())
    private let feed: SnapshotFeed
    private let store: StoreQueries
    /// Whether each part does its work.
    let parts = PartsBoard()

    private let clock: ServiceClock

    init(feed: SnapshotFeed, store: StoreQueries, clock: ServiceClock) {
        self.clock = clock
        self.feed = feed
        self.store = store
    }

    /// Adds to the activity feed.
    func note(_ kind: String, _ text: String) {
        contents.withLock { $0.note(kind, text) }
    }

    func set(training: TrainingView?) { contents.withLock { $0.training = training } }

    /// Takes in what the database says every few seconds, whether or not somebody looks.
    func sampled(_ figures: WatchedFigures) {
        sampled(figures.offsets)
        contents.withLock { $0.openErasures = figures.openErasures }
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
    func set(model: ModelVersionView?) {
        contents.withLock { $0.model = model }
        parts.update { facts in
            facts.model.loading = nil
            facts.model.refused = nil
        }
    }

    /// Tells which version the registry promotes; nil: none.
    func promoted(_ version: Int32?) {
        parts.update { facts in
            facts.model.isKnown = true
            facts.model.promoted = version.map { Int($0) }
            facts.model.loading = nil
        }
    }

    /// Tells that a version is being loaded, or its index built anew.
    func loading(_ version: Int32) {
        parts.update { $0.model.loading = (Int(version), .now) }
    }

    /// Tells that a version could not be used.
    func refused(_ version: Int32, _ error: any Error) {
        parts.update { facts in
            facts.model.loading = nil
            facts.model.refused = (Int(version), "\(error)")
        }
    }

    /// Tells what the broker said of its partitions; nil: nothing.
    func read(_ reading: LagReading?, stored: [StoredOffset]?) {
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

    /// Stored numbers may be anything: a sum of them must not end the service.
    private static func sum(_ numbers: some Sequence<Int64>) -> Int64 {
        numbers.reduce(0) { sum, next in
            let (larger, isBeyond) = sum.addingReportingOverflow(next)
            return isBeyond ? .max : larger
        }
    }

    /// Takes the stored offsets in: what they grew by is the rate of the plot. Cheap, so it goes on while nobody looks.
    private func sampled(_ offsets: [StoredOffset]) {
        let total = Self.sum(offsets.lazy.map { $0.nextOffset ?? 0 })
        contents.withLock { contents in
            let current: [StoredOffset] = contents.reading?.current(offsets) ?? offsets.filter { $0.partition >= 0 }
            contents.committedOffsets = Self.sum(current.lazy.map { $0.nextOffset ?? 0 })
            contents.record(total: total)
            contents.missingRecords = Self.sum(offsets.lazy.map(\.missingRecords))
            let halted = offsets.compactMap(\.halted).sorted()
            for sentence in Set(halted).subtracting(contents.halted) { contents.note("warning", sentence) }
            contents.halted = halted
        }
    }

    /// Tells how the last look for changed items and promoted models went.
    func database(problem: String?) {
        parts.update { facts in
            facts.updates.end(problem: problem, at: .now)
            facts.model.loading = nil
        }
    }

    /// A user who was active just now, for the dashboard to offer.
    func saw(userID: String) {
        contents.withLock { contents in
            contents.recentUsers.removeAll { $0 == userID }
            contents.recentUsers.insert(userID, at: 0)
            if contents.recentUsers.count > 12 { contents.recentUsers.removeLast() }
        }
    }

    /// Counts slots that an answer gave to items of which little is known.
    func explored(slots: Int) {
        if slots > 0 { contents.withLock { $0.exploredSlots += Int64(slots) } }
    }

    /// Whether anybody has asked for statistics lately.
    var isWatched: Bool {
        contents.withLock { contents in contents.looked.map { $0.duration(to: .now) < Self.watchedFor } ?? false }
    }

    /// Counts once.
    func count() async throws {
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
    func statistics() -> ServiceStatistics {
        let snapshot = feed.current
        return contents.withLock { contents in
            contents.looked = .now
            contents.sawSnapshot(snapshot)
            let counts = contents.counts
            var byType: [String: Int64] = [:]
            for (type, count) in counts?.interactions ?? [:] { byType[type.name] = count }
            var statistics = ServiceStatistics(
                time: .now, countedAt: contents.countedAt, eventsTotal: Self.sum(byType.values), eventsByType: byType,
                eventsPerSecond: contents.perSecond,
                eventSeries: contents.series, lagRecords: contents.lag, committedOffsetTotal: contents.committedOffsets,
                deadLettersByCode: counts?.deadLetters ?? [:], items: Int64(snapshot.itemCount),
                hiddenItems: Int64(snapshot.itemCount - snapshot.availableCount), freshItems: Int64(snapshot.freshCount),
                exploration: ExplorationStatistics(
                    everySlots: Int64(feed.exploration.everySlots), items: Int64(snapshot.explored.items), slots: contents.exploredSlots,
                    impressions: Int64(snapshot.explored.impressions), clicks: Int64(snapshot.explored.clicks)),
                newestItems: contents.newest, users: counts?.users ?? 0, recentUserIDs: contents.recentUsers, model: contents.model,
                snapshotAgeSeconds: contents.snapshotChanged.map { $0.at.duration(to: .now).inSeconds },
                training: contents.training, refusals: contents.refusals?.view, activity: contents.activity)
            statistics.openErasures = Int64(contents.openErasures ?? 0)
            return statistics
        }
    }

    /// What `/metrics` adds.
    func gauges() -> [Gauge] {
        let snapshot = feed.current
        let known = parts.known(feed)
        let parts = known.map { part in
            Gauge(
                name: "freshet_part_ready", help: "Whether a part does its work; without a required one the service cannot answer.",
                labels: ["part": part.name, "required": "\(part.isRequired)"], value: part.isReady ? 1 : 0)
        }
        return contents.withLock { contents in
            contents.sawSnapshot(snapshot)
            var gauges = [
                Gauge(name: "freshet_catalogue_items", help: "Items known to serving.", value: Double(snapshot.itemCount)),
                Gauge(name: "freshet_catalogue_available_items", help: "Items that may be recommended.", value: Double(snapshot.availableCount)),
                Gauge(name: "freshet_catalogue_fresh_items", help: "Items searched outside the index.", value: Double(snapshot.freshCount)),
                Gauge(name: "freshet_exploration_items", help: "New items that get slots of their own.", value: Double(snapshot.explored.items)),
                Gauge(name: "freshet_exploration_impressions", help: "How often the items that are explored now were shown.", value: Double(snapshot.explored.impressions)),
                Gauge(name: "freshet_exploration_clicks", help: "How often they were clicked.", value: Double(snapshot.explored.clicks)),
                Gauge(
                    name: "freshet_exploration_slots_total", help: "Slots given to explored items.", kind: .counter,
                    value: Double(contents.exploredSlots)),
                Gauge(name: "freshet_catalogue_version", help: "The catalogue version served.", value: Double(snapshot.catalogueVersion)),
                Gauge(name: "freshet_model_version", help: "The model version served; 0 without one.", value: Double(snapshot.modelVersion ?? 0)),
            ]
            if let refusals = contents.refusals {
                gauges += [
                    Gauge(
                        name: "freshet_trainings_refused_total", help: "Model versions that the gate refused, as the registry has them.",
                        kind: .counter, value: Double(refusals.total)),
                    Gauge(
                        name: "freshet_trainings_refused_in_a_row",
                        help: "Trainings since the newest model that was ever promoted, all refused by the gate.",
                        value: Double(refusals.inARow)),
                ]
            }
            gauges += [
                Gauge(
                    name: "freshet_model_unusable", help: "1 while the promoted model cannot be used and is tried again.",
                    value: known.contains { $0.name == "model" && $0.state == .refused } ? 1 : 0),
                Gauge(
                    name: "freshet_catalogue_rereads_total",
                    help: "How often the database's catalogue did not go on from the one served and was read again from the beginning.",
                    kind: .counter, value: Double(feed.rereads.current)),
            ]
            if let changed = contents.snapshotChanged {
                gauges.append(
                    Gauge(name: "freshet_snapshot_age_seconds", help: "Since the serving snapshot last changed.", value: changed.at.duration(to: .now).inSeconds))
            }
            if let open = contents.openErasures {
                gauges.append(
                    Gauge(name: "freshet_erasures_open", help: "Erased users, hidden from everybody, whose rows are still to be removed.", value: Double(open)))
            }
            gauges += [
                Gauge(
                    name: "freshet_ingest_missing_records_total", help: "Records that the broker had dropped before ingest read them.",
                    kind: .counter, value: Double(contents.missingRecords)),
                Gauge(
                    name: "freshet_ingest_halted_partitions", help: "Partitions that stand still until somebody decides.",
                    value: Double(contents.halted.count)),
                Gauge(
                    name: "freshet_clock_ahead_seconds", help: "How far this machine's clock is ahead of PostgreSQL's.", value: clock.aheadSeconds),
                Gauge(
                    name: "freshet_log_lines_dropped_total", help: "Log lines that could not be written.", kind: .counter,
                    value: Double(StandardError.droppedLines)),
            ]
            if let lag = contents.lag {
                gauges.append(Gauge(name: "freshet_ingest_lag_records", help: "Records in Kafka that are not stored yet.", value: Double(lag)))
            }
            return gauges + parts
        }
    }
}

extension ModelRefusals {
    /// The figures as the API shows them.
    var view: RefusalStatistics {
        RefusalStatistics(
            total: total, inARow: inARow, version: newest.map { Int($0.version) }, at: newest?.createdAt, reason: newest?.reason)
    }
}

extension StatisticsBoard.Contents {
    fileprivate mutating func note(_ kind: String, _ text: String) {
        activity.insert(ActivityEntry(time: .now, kind: kind, text: text), at: 0)
        if activity.count > StatisticsBoard.maxActivityEntries { activity.removeLast() }
    }

    fileprivate mutating func sawSnapshot(_ snapshot: ServingSnapshot) {
        if snapshotChanged?.version != snapshot.catalogueVersion || snapshotChanged?.model != snapshot.modelVersion {
            snapshotChanged = (snapshot.catalogueVersion, snapshot.modelVersion, .now)
        }
    }

    /// Turns totals into a rate by the time between two counts.
    fileprivate mutating func record(total: Int64) {
        let now = ContinuousClock.now
        defer { lastTotal = (total, now) }
        guard let last = lastTotal else { return }
        let seconds = last.at.duration(to: now).inSeconds
        guard seconds > 0 else { return }
        perSecond = min(1e15, total > last.count ? (Double(total) - Double(last.count)) / seconds : 0)
        series.append(RatePoint(second: EventTime.now.milliseconds / 1_000, count: Int64(perSecond.rounded())))
        let oldest = EventTime.now.milliseconds / 1_000 - 600
        series.removeAll { $0.second < oldest }
    }
}
