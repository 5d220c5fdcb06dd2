import EventStream
import FeatureStore
import Foundation
import Interactions
import Logging

/// One consumer: Kafka records become decoded batches, and batches become transactions.
///
/// Reading and decoding happen on the calling thread, storing on the ``CommitLane``, which alone has the store. Where a partition is read
/// from is decided by the database alone: an assignment claims its partitions there, which raises their epoch and tells the offset.
public final class IngestRun {
    /// Totals since the start, for progress and the result line.
    public struct Totals: Sendable, Equatable {
        /// Records that were read, refused ones included.
        public var records = 0
        /// Events that were stored for the first time.
        public var stored = 0
        /// Events that were stored before.
        public var duplicates = 0
        /// Records that became dead letters.
        public var rejected = 0
        /// Records of mapped topics, or lines of them, that a condition left out.
        public var leftOut = 0
        /// Items that changed.
        public var items = 0
        /// Users that changed.
        public var users = 0
        /// Transactions.
        public var batches = 0
        /// Places where the broker had dropped records before they were read.
        public var gaps = 0
        /// The records that were missing there.
        public var missing = 0
        /// Returns that were stored, and what of all returns matches no purchase beyond what did before.
        public var returns = ReturnTally()

        /// Nothing yet.
        public init() {}
    }

    /// A partition that this consumer has claimed.
    struct Owned {
        var epoch: Int64
        /// The next offset to be handed over for storing.
        var next: Int64?
        /// What records' origins name: the cluster, and how often the topic began anew in it.
        var origin: String
        /// The time that the record before ``next`` has, if the topic is the one that was read before; nil once that is known.
        var expectedTime: EventTime?
        /// Why the partition stands still.
        var halted: String?
        /// The schema that its next record waits for.
        var awaited: AwaitedSchema?
        /// How often the broker did not have an offset that it has.
        var contradictions = 0
    }

    /// How far the gathered records reach in a partition.
    struct Reached {
        var next: Int64
        var time: EventTime?
        var missing: Int64 = 0
    }

    let consumer: StreamConsumer
    private let announcer: RejectionAnnouncer?
    let lane: CommitLane
    let logger: Logger
    let settings: IngestSettings
    let cluster: String
    let consent: IngestConsent
    private let isStopping: @Sendable () -> Bool
    private var intake: RecordIntake
    var owned: [TopicPartition: Owned] = [:]
    /// How far the gathered records reach, by partition.
    var reached: [TopicPartition: Reached] = [:]
    private var batchStarted: ContinuousClock.Instant?
    /// Ends that the broker has reported while reading.
    var readEnds: [TopicPartition: Int64] = [:]
    private var foreignLook: ContinuousClock.Instant?
    private let queries: StoreQueries
    private var wait: GroupWait
    private var clock = ReferenceClock()
    private var haltedTold: ContinuousClock.Instant?
    /// What was done so far.
    public internal(set) var totals = Totals()
    /// Whether the group gave this consumer partitions.
    public private(set) var hadPartitions = false

    /// Takes what it works with; nothing is read yet.
    ///
    /// - Parameters:
    ///   - consumer: subscribed to the topics of `settings`, closed by the caller.
    ///   - store: this run's alone from now on.
    ///   - deadLetters: where refused records are announced; the database holds them in any case.
    ///   - cluster: the identity of the broker's cluster, which goes with the offsets.
    ///   - consent: what a person agreed to.
    ///   - schemas: where the schemas of Avro records are; nil where no topic has some.
    ///   - patienceSeconds: how long the group may stay silent before the consumer joins anew.
    ///   - isStopping: asked between batches, and while the database is waited for.
    public init(
        consumer: StreamConsumer, store: sending IngestStore, deadLetters: StreamProducer?, settings: IngestSettings, cluster: String,
        consent: IngestConsent, schemas: SchemaRegistry? = nil, patienceSeconds: Double = GroupWait.firstPatienceSeconds, logger: Logger,
        isStopping: @escaping @Sendable () -> Bool
    ) {
        self.consumer = consumer
        announcer = deadLetters.map { RejectionAnnouncer(producer: $0, topic: settings.deadLetterTopic, logger: logger) }
        self.cluster = cluster
        self.consent = consent
        self.logger = logger
        self.isStopping = isStopping
        self.settings = settings
        wait = GroupWait(patienceSeconds: patienceSeconds)
        intake = RecordIntake(
            rules: settings.rules, featureRules: settings.featureRules, mappings: settings.mappings, schemas: schemas)
        queries = StoreQueries(url: settings.databaseURL, connections: 1)
        lane = CommitLane(store: store, logger: logger, isStopping: isStopping)
    }

    /// Reads and stores until `isStopping`, or until every partition in `ends` is stored up to its offset.
    ///
    /// A batch that cannot be stored for good ends it at the next poll, whether or not records come.
    ///
    /// - Throws: ``IntakeError``, `StoreError` and `StreamError`, each a sentence.
    public func run(until ends: [TopicPartition: Int64]? = nil, progress: (Totals) -> Void = { _ in }) throws {
        defer { lane.close() }
        while !isStopping() {
            try tellOfWaiting()
            let consumed = try consumer.poll(maxRecords: settings.batchRecords, timeoutMilliseconds: settings.lingerMilliseconds)
            // A batch may hold records from before and after a change of assignment: what was gathered is stored first.
            for happening in consumed.happenings { try handle(happening) }
            do { try lane.check() } catch { try explain(error) }
            try gather(consumed)
            try lookForSchemas(isBounded: ends != nil)
            if intake.isFull(batchRecords: settings.batchRecords) || (intake.records > 0 && isDue) { try handOver() }
            settle()
            announcer?.tellOfFailures()
            progress(totals)
            if let ends, try isComplete(ends) { break }
        }
        try handOver()
        try drain()
        settle()
        progress(totals)
        announcer?.finish()
        if ends != nil, !isStopping(), let reason = owned.values.compactMap(\.halted).sorted().first {
            throw IntakeError(.otherCluster, reason)
        }
    }

    /// Looks after what takes its time: a group that gives nothing, partitions that stand still, the clocks.
    private func tellOfWaiting() throws {
        switch wait.look(hasPartitions: !owned.isEmpty, at: .now) {
        case .nothing: break
        case .standingBy(let seconds):
            logger.warning("no partition was assigned for \(seconds) s: the group has as many consumers as there are partitions to share")
        case .joinAgain(let seconds):
            throw StreamError(.timedOut, isRetriable: true, "the group did not answer for \(seconds) s.")
        }
        let halted = owned.values.compactMap(\.halted).sorted()
        if let first = halted.first, haltedTold.map({ $0.duration(to: .now) > .seconds(60) }) ?? false {
            haltedTold = .now
            logger.error("\(halted.count == 1 ? "a partition stands" : "\(halted.count) partitions stand") still: \(first)")
        }
        if settings.followsDatabaseClock, !owned.isEmpty, !lane.isBusy, clock.age().map({ $0 > .seconds(60) }) ?? false {
            try readClock()
        }
    }

    /// Asks the database what time it is. One that is away is asked again later: the answer before still stands.
    private func readClock() throws {
        guard settings.followsDatabaseClock else { return }
        do throws(StoreError) {
            let started = ContinuousClock.now
            let time = try lane.use { (store) throws(StoreError) in try store.clock() }
            clock.set(database: time, at: started + started.duration(to: .now) / 2)
        } catch {
            guard error.isRetriable else { throw error }
            if let database = clock.database() { clock.set(database: database) }
        }
        if let sentence = clock.disagreement(local: settings.clock()) { logger.warning("\(sentence)") }
    }

    /// Batches wait for more records only while the lane is busy or their time is not up.
    private var isDue: Bool {
        guard let batchStarted else { return false }
        return !lane.isBusy || batchStarted.duration(to: .now) >= .milliseconds(settings.lingerMilliseconds)
    }

    private func gather(_ consumed: ConsumedBatch) throws {
        guard consumed.count > 0 else { return }
        let local = settings.clock(), instant = ContinuousClock.now
        let now = clock.now(local: local, at: instant)
        var strangers: [TopicPartition: EventTime?] = [:], waiting: [TopicPartition] = []
        try consumed.forEach { record in
            let partition = TopicPartition(record.topic, record.partition)
            // Records of a partition that another consumer owns by now are that consumer's.
            guard let owner = owned[partition], owner.halted == nil, owner.awaited == nil, let kind = settings.topics[record.topic],
                strangers[partition] == nil
            else { return }
            if let expected = owner.expectedTime, let next = owner.next {
                owned[partition]?.expectedTime = nil
                if record.offset == next - 1, record.storableTime != expected {
                    strangers[partition] = .some(record.storableTime)
                    return
                }
            }
            let before = reached[partition]
            let expected = before?.next ?? owner.next
            if let expected, record.offset < expected { return }
            if let awaited = awaitedSchema(record.topic, key: record.key, value: record.value) {
                waiting.append(partition)
                return waitForSchema(awaited.number, at: record)
            }
            let origin = RecordOrigin(
                source: record.topic, cluster: owner.origin,
                position: Position(partition: record.partition, offset: record.offset), recordTime: record.timestamp)
            if batchStarted == nil { batchStarted = .now }
            intake.add(
                kind, key: record.key, value: record.value, origin: origin,
                now: record.isAppendTime ? clock.now(local: local, appended: record.timestamp, at: instant) : now)
            let missing = expected.map { Self.losesByGaps(kind) ? record.offset - $0 : 0 } ?? 0
            totals.missing += Int(missing)
            reached[partition] = Reached(
                next: record.offset &+ 1, time: record.storableTime, missing: (before?.missing ?? 0) + missing)
            // A poll is bounded by records; what they hold may be more than one transaction should.
            if intake.isFull(batchRecords: settings.batchRecords) { try handOver() }
        }
        if !waiting.isEmpty { consumer.halt(waiting) }
        for (partition, found) in strangers { try meetAnotherTopic(partition, foundTime: found) }
    }

    /// The number of a schema without which a record cannot be read yet.
    func awaitedSchema(
        _ topic: String, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?
    ) -> (number: Int32, why: String?)? { intake.awaitedSchema(topic, key: key, value: value) }

    /// Compacted topics have gaps by nature.
    static func losesByGaps(_ kind: RecordKind?) -> Bool { kind == .events || kind == .impressions }

    func handOver() throws {
        guard intake.records > 0 || !reached.isEmpty else { return }
        var offsets: [ClaimedOffset] = []
        for (partition, reach) in reached {
            guard let owner = owned[partition] else { continue }
            offsets.append(
                ClaimedOffset(
                    topic: partition.topic, partition: partition.partition, epoch: owner.epoch, nextOffset: reach.next,
                    lastRecordTime: reach.time, missingRecords: reach.missing))
            owned[partition]?.next = reach.next
        }
        totals.records += intake.records
        totals.leftOut = intake.leftOut
        let batch = intake.take(offsets: offsets)
        reached = [:]
        batchStarted = nil
        announcer?.announce(batch.rejections)
        do {
            try lane.submit(batch)
        } catch {
            try explain(error)
        }
    }

    /// Tells Kafka's own tools how far the database is, and counts.
    private func settle() {
        for (offsets, summary) in lane.takeFinished() {
            totals.stored += summary.stored
            totals.duplicates += summary.duplicates
            totals.rejected += summary.rejected
            totals.items += summary.itemsChanged
            totals.users += summary.usersChanged
            totals.returns += summary.returns
            totals.batches += 1
            intake.note(summary)
            consumer.commitToBroker(
                offsets.map { (partition: TopicPartition($0.topic, $0.partition), nextOffset: $0.nextOffset) })
        }
    }

    private func handle(_ happening: StreamHappening) throws {
        switch happening {
        case .assigned(let partitions):
            wait.groupAnswered(at: .now)
            if !partitions.isEmpty { hadPartitions = true }
            try handOver()
            try drain()
            try claim(partitions)
            try readClock()
        case .revoked(let partitions, let lost):
            wait.groupTook(at: .now)
            if !lost { try handOver() }
            try drain()
            settle()
            for partition in partitions {
                owned[partition] = nil
                reached[partition] = nil
                readEnds[partition] = nil
            }
            logger.info("partitions given back", metadata: ["count": "\(partitions.count)", "lost": "\(lost)"])
        case .gap(let gap):
            var gap = gap
            // Read from one before the stored place, to see whether the record there is still the same.
            if let owner = owned[gap.partition], owner.expectedTime != nil, let next = owner.next { gap.expected = next }
            guard gap.got > gap.expected else { break }
            totals.gaps += 1
            guard Self.losesByGaps(settings.topics[gap.partition.topic]) else { break }
            logger.warning("records are missing: the broker dropped them before they were read", metadata: ["gap": "\(gap)"])
        case .reachedEnd(let partition, let offset):
            readEnds[partition] = offset
            try noteEnd(of: partition, at: offset)
        case .offsetOutOfRange(let missing):
            try find(missing)
        case .disconnected(let error):
            wait.brokerWent()
            logger.warning("waiting for Kafka: \(error.message)")
        case .reconnected:
            wait.brokerCame(at: .now)
            logger.notice("Kafka answers again")
            try checkCluster()
        case .trouble(let error):
            logger.error("\(error.message)")
        }
    }

    /// Offsets mean something in one cluster only: an embedded broker that restarted is another one.
    func checkCluster() throws {
        let found = try consumer.clusterID()
        guard found != cluster else { return }
        throw IntakeError(
            .otherCluster,
            "the broker is another one now: \(found) instead of \(cluster). Its offsets have nothing to do with the stored ones. "
                + "If that is meant, start once with --accept-new-cluster: the topics are then read from their beginning; "
                + "known events with an event_id count once, events without one count again, since the id they get names the cluster")
    }

    func drain() throws {
        do {
            try lane.drain()
        } catch {
            try explain(error)
        }
    }

    func tellOfHalt(_ sentence: String) {
        haltedTold = .now
        logger.error("\(sentence)")
    }

    func explain(_ error: StoreError) throws {
        guard error.code == .lostOwnership else { throw error }
        // Another consumer raised the epoch: what this batch held is stored by that one. Kafka will say so shortly.
        logger.warning("\(error.message)")
        owned = [:]
        throw error
    }

    /// Whether everything below `ends` is stored, by this consumer or by the others of its group.
    private func isComplete(_ ends: [TopicPartition: Int64]) throws -> Bool {
        guard intake.records == 0, reached.isEmpty, !owned.isEmpty else { return false }
        for (partition, owner) in owned where owner.halted == nil {
            if owner.awaited != nil { return false }
            let end = ends[partition] ?? 0
            // A tail without records (deleted by retention, transaction markers) has an end and nothing to store.
            if max(owner.next ?? 0, readEnds[partition] ?? 0) < end { return false }
            // What is stored may be more than the partition has: then it is another topic, and the broker is about to say so.
            if owner.expectedTime != nil || owner.next ?? 0 > end && readEnds[partition] == nil { return false }
        }
        var foreign = ends.filter { $0.value > 0 && owned[$0.key] == nil }
        try drain()
        if foreign.isEmpty { return true }
        guard foreignLook.map({ $0.duration(to: .now) > .seconds(1) }) ?? true else { return false }
        foreignLook = .now
        for offset in try queries.offsets() {
            let partition = TopicPartition(offset.topic, offset.partition)
            if let end = foreign[partition], (offset.nextOffset ?? 0) >= end { foreign[partition] = nil }
        }
        return foreign.isEmpty
    }
}
