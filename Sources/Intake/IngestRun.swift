import EventStream
import FeatureStore
import Foundation
import Interactions
import Logging

/// One consumer: Kafka records become decoded batches, and batches become transactions.
///
/// Reading and decoding happen on the calling thread, storing on the ``CommitLane``. Where a partition is read from is decided by
/// the database alone: an assignment claims its partitions there, which raises their epoch and tells the offset.
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
        /// Items that changed.
        public var items = 0
        /// Users that changed.
        public var users = 0
        /// Transactions.
        public var batches = 0
        /// Places where the broker had dropped records before they were read.
        public var gaps = 0

        /// Nothing yet.
        public init() {}
    }

    private struct Owned {
        var epoch: Int64
        /// The next offset to be handed over for storing.
        var next: Int64?
    }

    private let consumer: StreamConsumer
    private let deadLetters: StreamProducer?
    private let store: IngestStore
    private let lane: CommitLane
    private let logger: Logger
    private let settings: IngestSettings
    private let cluster: String
    private let acceptNewCluster: Bool
    private let isStopping: @Sendable () -> Bool
    private var intake: RecordIntake
    private var owned: [TopicPartition: Owned] = [:]
    /// Offsets that the gathered records reach, by partition.
    private var reached: [TopicPartition: Int64] = [:]
    private var batchStarted: ContinuousClock.Instant?
    /// Ends that the broker has reported while reading.
    private var readEnds: [TopicPartition: Int64] = [:]
    private var foreignLook: ContinuousClock.Instant?
    private let queries: StoreQueries
    /// What was done so far.
    public private(set) var totals = Totals()

    /// Takes what it works with; nothing is read yet.
    ///
    /// - Parameters:
    ///   - consumer: subscribed to the topics of `settings`, closed by the caller.
    ///   - deadLetters: where refused records are announced; the database holds them in any case.
    ///   - cluster: the identity of the broker's cluster, which goes with the offsets.
    ///   - isStopping: asked between batches, and while the database is waited for.
    public init(
        consumer: StreamConsumer, store: IngestStore, deadLetters: StreamProducer?, settings: IngestSettings, cluster: String,
        acceptNewCluster: Bool, logger: Logger, isStopping: @escaping @Sendable () -> Bool
    ) {
        self.consumer = consumer
        self.store = store
        self.deadLetters = deadLetters
        self.cluster = cluster
        self.acceptNewCluster = acceptNewCluster
        self.logger = logger
        self.isStopping = isStopping
        self.settings = settings
        intake = RecordIntake(rules: settings.rules, featureRules: settings.featureRules)
        queries = StoreQueries(url: settings.databaseURL, connections: 1)
        lane = CommitLane(store: store, logger: logger, isStopping: isStopping)
    }

    /// Reads and stores until `isStopping`, or until every partition in `ends` is stored up to its offset.
    ///
    /// - Throws: ``IntakeError``, `StoreError` and `StreamError`, each a sentence.
    public func run(until ends: [TopicPartition: Int64]? = nil, progress: (Totals) -> Void = { _ in }) throws {
        defer { lane.close() }
        var ownedLast: ContinuousClock.Instant? = .now
        while !isStopping() {
            if !owned.isEmpty { ownedLast = .now } else { tellOfNoPartitions(since: &ownedLast) }
            let consumed = try consumer.poll(maxRecords: settings.batchRecords, timeoutMilliseconds: settings.lingerMilliseconds)
            // A batch may hold records from before and after a change of assignment: what was gathered is stored first.
            for happening in consumed.happenings { try handle(happening) }
            try gather(consumed)
            if intake.isFull(batchRecords: settings.batchRecords) || (intake.records > 0 && isDue) { try handOver() }
            settle()
            progress(totals)
            if let ends, try isComplete(ends) { break }
        }
        try handOver()
        try lane.drain()
        settle()
        progress(totals)
        try? deadLetters?.flush(timeoutMilliseconds: 2_000)
    }

    /// How long the wait for partitions goes on without a word.
    private static let silentSeconds = 30.0

    /// Once for each wait: a consumer that only stands by is nothing to warn of for ever.
    private func tellOfNoPartitions(since start: inout ContinuousClock.Instant?) {
        guard let since = start, since.duration(to: .now) >= .seconds(Self.silentSeconds) else { return }
        start = nil
        logger.warning(
            """
            no partition was assigned for \(Int(Self.silentSeconds)) s: right where the group has as many consumers as partitions; \
            else the broker does not answer the group, and starting this consumer again helps
            """)
    }

    /// Batches wait for more records only while the lane is busy or their time is not up.
    private var isDue: Bool {
        guard let batchStarted else { return false }
        return !lane.isBusy || batchStarted.duration(to: .now) >= .milliseconds(settings.lingerMilliseconds)
    }

    private func gather(_ consumed: ConsumedBatch) throws {
        guard consumed.count > 0 else { return }
        let now = settings.clock()
        try consumed.forEach { record in
            let partition = TopicPartition(record.topic, record.partition)
            // Records of a partition that another consumer owns by now are that consumer's.
            guard let owner = owned[partition], let kind = settings.topics[record.topic] else { return }
            if let next = reached[partition] ?? owner.next, record.offset < next { return }
            let origin = RecordOrigin(
                source: record.topic, cluster: cluster,
                position: Position(partition: record.partition, offset: record.offset), recordTime: record.timestamp)
            if batchStarted == nil { batchStarted = .now }
            intake.add(kind, key: record.key, value: record.value, origin: origin, now: now)
            reached[partition] = record.offset &+ 1
            // A poll is bounded by records; what they hold may be more than one transaction should.
            if intake.isFull(batchRecords: settings.batchRecords) { try handOver() }
        }
    }

    private func handOver() throws {
        guard intake.records > 0 || !reached.isEmpty else { return }
        var offsets: [ClaimedOffset] = []
        for (partition, next) in reached {
            guard let owner = owned[partition] else { continue }
            offsets.append(
                ClaimedOffset(topic: partition.topic, partition: partition.partition, epoch: owner.epoch, nextOffset: next))
            owned[partition]?.next = next
        }
        totals.records += intake.records
        let batch = intake.take(offsets: offsets)
        reached = [:]
        batchStarted = nil
        announce(batch.rejections)
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
            totals.batches += 1
            consumer.commitToBroker(
                offsets.map { (partition: TopicPartition($0.topic, $0.partition), nextOffset: $0.nextOffset) })
        }
    }

    private func handle(_ happening: StreamHappening) throws {
        switch happening {
        case .assigned(let partitions):
            try handOver()
            try drain()
            try claim(partitions)
        case .revoked(let partitions, let lost):
            if !lost { try handOver() }
            try drain()
            settle()
            for partition in partitions {
                owned[partition] = nil
                reached[partition] = nil
            }
            logger.info("partitions given back", metadata: ["count": "\(partitions.count)", "lost": "\(lost)"])
        case .gap(let gap):
            totals.gaps += 1
            // Compacted topics have gaps by nature.
            let kind = settings.topics[gap.partition.topic]
            guard kind == .events || kind == .impressions else { break }
            logger.warning("records are missing: the broker dropped them before they were read", metadata: ["gap": "\(gap)"])
        case .reachedEnd(let partition, let offset):
            readEnds[partition] = offset
        case .offsetOutOfRange(let missing):
            throw IntakeError(
                .otherCluster,
                "\(missing). If the topic was made anew, start once with --accept-new-cluster: it is then read from its beginning; "
                    + "known events with an event_id count once, events without one count again")
        case .disconnected(let error):
            logger.warning("waiting for Kafka: \(error.message)")
        case .reconnected:
            logger.notice("Kafka answers again")
            try checkCluster()
        case .trouble(let error):
            logger.error("\(error.message)")
        }
    }

    /// Offsets mean something in one cluster only: an embedded broker that restarted is another one.
    private func checkCluster() throws {
        let found = try consumer.clusterID()
        guard found != cluster else { return }
        throw IntakeError(
            .otherCluster,
            "the broker is another one now: \(found) instead of \(cluster). Its offsets have nothing to do with the stored ones. "
                + "If that is meant, start once with --accept-new-cluster: the topics are then read from their beginning; "
                + "known events with an event_id count once, events without one count again, since the id they get names the cluster")
    }

    private func drain() throws {
        do {
            try lane.drain()
        } catch {
            try explain(error)
        }
    }

    private func claim(_ partitions: [TopicPartition]) throws {
        try checkCluster()
        var starts: [PartitionStart] = []
        for (topic, group) in Dictionary(grouping: partitions, by: \.topic) {
            let claims = try store.claim(
                cluster: cluster, source: topic, partitions: group.map(\.partition).sorted(), acceptNewCluster: acceptNewCluster)
            for claim in claims {
                let partition = TopicPartition(topic, claim.partition)
                owned[partition] = Owned(epoch: claim.epoch, next: claim.nextOffset)
                starts.append(PartitionStart(partition, claim.nextOffset.map { .offset($0) } ?? .beginning))
            }
        }
        try consumer.start(starts)
        logger.info("partitions taken over", metadata: ["count": "\(partitions.count)"])
    }

    private func explain(_ error: StoreError) throws {
        guard error.code == .lostOwnership else { throw error }
        // Another consumer raised the epoch: what this batch held is stored by that one. Kafka will say so shortly.
        logger.warning("\(error.message)")
        owned = [:]
        throw error
    }

    /// Whether everything below `ends` is stored, by this consumer or by the others of its group.
    private func isComplete(_ ends: [TopicPartition: Int64]) throws -> Bool {
        guard intake.records == 0, reached.isEmpty, !owned.isEmpty else { return false }
        var foreign: [TopicPartition: Int64] = [:]
        for (partition, end) in ends where end > 0 {
            if let owner = owned[partition] {
                // A tail without records (deleted by retention, transaction markers) has an end and nothing to store.
                if max(owner.next ?? 0, readEnds[partition] ?? 0) < end { return false }
            } else {
                foreign[partition] = end
            }
        }
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

    private func announce(_ rejections: [RejectedRecord]) {
        guard let deadLetters else { return }
        for rejected in rejections {
            // The database holds the authoritative copy: a full queue here only thins out the topic.
            try? deadLetters.produce(topic: settings.deadLetterTopic, key: rejected.key, value: Array(rejected.json().utf8))
        }
    }
}

extension RejectedRecord {
    /// The record as the dead-letter topic carries it.
    func json() -> String {
        var fields = [
            "\"source\":\(JSONText.quoted(origin.source))", "\"partition\":\(origin.position.partition)",
            "\"offset\":\(origin.position.offset)", "\"code\":\"\(rejection.code.rawValue)\"",
            "\"detail\":\(JSONText.quoted(rejection.detail))", "\"payload_bytes\":\(payloadBytes)",
        ]
        if let field = rejection.field { fields.append("\"field\":\(JSONText.quoted(field))") }
        fields.append("\"payload\":\(JSONText.quoted(String(decoding: payload, as: UTF8.self)))")
        return "{" + fields.joined(separator: ",") + "}"
    }
}
