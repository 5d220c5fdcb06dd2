import Features
import Interactions

/// Writes batches of decoded records: interactions, features, catalogue, dead letters and the offsets in one transaction.
///
/// One thread at a time; owns one connection and opens it again when it broke. ``commit(_:)`` may be repeated with the
/// same batch after any error: the offsets tell whether it was stored.
public final class IngestStore {
    /// How often patches are looked for that have waited for too long.
    static let sweepEvery = Duration.seconds(60)
    /// How often a commit starts again by itself after a deadlock or a serialization failure.
    public static let transactionAttemptsLimit = 4

    /// Called between the steps of a commit. An instrumentation point for crash tests; an error ends the commit.
    public var onStep: ((CommitStep) throws(StoreError) -> Void)?

    private let url: String
    private let owner: String
    private let rules: FeatureRules
    /// What becomes of patches of unknown items.
    private let patches: PatchRules
    /// When those that wait for too long were last looked for.
    private var swept: ContinuousClock.Instant?
    private let statementTimeoutMilliseconds: Int
    private var connection: Connection?
    /// Whether the batch at hand erases somebody though it deletes nobody.
    private var erasesExclusively = false
    private var clusters: [String: String] = [:]
    /// By topic and partition, the next offset as this consumer knows it to be stored.
    private var storedOffsets: [String: [Int32: Int64]] = [:]
    private var ledger = ErasureLedger()
    private var wishLedger = WishLedger()
    private var interactionWriter = InteractionWriter()
    private var featureWriter: FeatureWriter
    private let buffer = WireBuffer(capacityBytes: 256 * 1024)

    /// Connects.
    ///
    /// - Parameters:
    ///   - url: `database.url`.
    ///   - rules: how features are folded; the same in every process of a deployment.
    ///   - patches: what becomes of patches of unknown items.
    ///   - owner: a name of this consumer for people, stored with its claims.
    ///   - statementTimeoutMilliseconds: ends statements that wait longer, for locks too.
    public init(
        url: String, rules: FeatureRules, patches: PatchRules = PatchRules(), owner: String = "freshet ingest",
        statementTimeoutMilliseconds: Int = 60_000
    ) throws(StoreError) {
        self.url = url
        self.owner = owner
        self.rules = rules
        self.patches = patches
        featureWriter = FeatureWriter(rules: rules)
        self.statementTimeoutMilliseconds = statementTimeoutMilliseconds
        _ = try connected()
    }

    private func connected() throws(StoreError) -> Connection {
        if let connection, !connection.isBroken { return connection }
        connection = nil
        forgetLedgers()
        // Behind the same address there may be an older standby now, whose rows have the same places and versions with other contents.
        featureWriter = FeatureWriter(rules: rules)
        // Every statement of a commit finds its rows by key. Fresh tables have no statistics, and a plan that scans a
        // whole table must never be taken for one that looks up a few rows.
        let opened = try Connection(
            url: url, role: "freshet ingest", statementTimeoutMilliseconds: statementTimeoutMilliseconds,
            // A consumer that sleeps inside a transaction must not keep its successor waiting: the server ends it.
            extraSettings:
                "set idle_in_transaction_session_timeout = '10s'; set enable_seqscan = off; set enable_hashjoin = off; set "
                + "enable_mergejoin = off; set plan_cache_mode = force_generic_plan")
        try InteractionWriter.createStaging(opened)
        try CatalogueWriter.createStaging(opened)
        connection = opened
        return opened
    }

    /// What was learnt of erasures and wishes may not be so.
    private func forgetLedgers() { (ledger, wishLedger) = (ErasureLedger(), WishLedger()) }

    /// Runs `body` in a transaction and forgets what was learnt in it when it fails.
    func transaction<R>(_ body: (Connection) throws(StoreError) -> R) throws(StoreError) -> R {
        let connection = try connected()
        do {
            return try connection.transaction { () throws(StoreError) in try body(connection) }
        } catch {
            forgetLedgers()
            if connection.isBroken { self.connection = nil }
            throw error
        }
    }

    // MARK: Claims

    /// Becomes the owner of partitions: raises their epochs and reads their offsets in one transaction.
    ///
    /// A commit of the former owner that is under way finishes first; a later one fails with `lostOwnership`.
    /// - Parameters:
    ///   - cluster: the identity of the Kafka cluster, or empty for files.
    ///   - topicID: the identity of the topic, where library and broker know it; it is stored where none was.
    ///   - acceptNewCluster: whether offsets that were stored under another cluster may restart from the beginning.
    /// - Throws: ``StoreError`` with `otherCluster` when they may not.
    public func claim(
        cluster: String, source topic: String, partitions: [Int32], topicID: String? = nil, acceptNewCluster: Bool
    ) throws(StoreError) -> [PartitionClaim] {
        let sorted = Set(partitions).sorted()
        let claims = try transaction { (connection) throws(StoreError) in
            if !acceptNewCluster {
                var known = Parameters()
                known.add(topic)
                known.add(sorted)
                known.add(cluster)
                let others = try connection.run(
                    """
                    select partition, cluster from stream_offsets
                    where topic = $1 and partition = any($2) and cluster <> $3 order by partition for update
                    """, known)
                if others.count > 0 {
                    throw StoreError(
                        .otherCluster,
                        "\(connection.place): the offsets of topic \(topic) belong to cluster “\(others.string(0, 1) ?? "")”, but "
                            + "the broker is cluster “\(cluster)” — check kafka.bootstrap_servers, or start once with "
                            + "--accept-new-cluster to read the new cluster from its beginning (events without an event_id then count "
                            + "again)"
                    )
                }
            }
            var claim = Parameters()
            claim.add(topic)
            claim.add(sorted)
            claim.add(cluster)
            claim.add(owner)
            claim.add(topicID)
            let rows = try connection.run(
                """
                insert into stream_offsets as s (topic, partition, cluster, epoch, owner, topic_id)
                select $1, p, $3, 1, $4, $5 from unnest($2::int4[]) p
                on conflict (topic, partition) do update
                set epoch = s.epoch + 1, owner = excluded.owner, updated_at = now(), cluster = excluded.cluster, halted = null,
                    next_offset = case when s.cluster = excluded.cluster then s.next_offset end,
                    last_record_time = case when s.cluster = excluded.cluster then s.last_record_time end,
                    topic_id = case
                        when s.cluster = excluded.cluster then coalesce(s.topic_id, excluded.topic_id) else excluded.topic_id end
                returning partition, epoch, next_offset, last_record_time, topic_id, incarnation
                """, claim)
            return (0..<rows.count).map {
                PartitionClaim(
                    partition: rows.int32($0, 0) ?? 0, epoch: rows.int64($0, 1) ?? 0, nextOffset: rows.int64($0, 2),
                    lastRecordTime: rows.time($0, 3), topicID: rows.string($0, 4), incarnation: rows.int32($0, 5) ?? 0)
            }
        }
        clusters[topic] = cluster
        for claim in claims { storedOffsets[topic, default: [:]][claim.partition] = claim.nextOffset }
        return claims.sorted { $0.partition < $1.partition }
    }

    // MARK: Commit

    /// Stores a batch exactly once. Records that PostgreSQL cannot hold become dead letters; everything else is stored.
    ///
    /// - Throws: ``StoreError``; `lostOwnership` when another consumer claimed a partition. After a retriable error call
    ///   again with the same batch, also when the outcome is unknown.
    public func commit(_ batch: IngestBatch) throws(StoreError) -> IngestSummary {
        do throws(StoreError) {
            return try commitPatiently(batch)
        } catch {
            guard error.isOfData else { throw error }
            let source = source(of: batch)
            let refused = RefusedRecords(batch, source: source, cluster: clusters[source] ?? "")
            if let rest = try refused.without({ (part) throws(StoreError) in try self.attempt(part) }) {
                return try commitPatiently(rest)
            }
            // Each record is taken by itself, but not all of them together: a limit of sizes, or two that exclude each other.
            guard let (first, second) = refused.halves else { throw error }
            // Without offsets: after a crash in between, the batch comes again, and what is stored already counts once.
            let before = try commit(first)
            return try commit(second) + before
        }
    }

    private func commitPatiently(_ batch: IngestBatch) throws(StoreError) -> IngestSummary {
        var attempt = 1
        erasesExclusively = false
        while true {
            do throws(StoreError) {
                return try commitOnce(batch)
            } catch {
                guard error.code == .deadlock || error.code == .serialization, attempt < Self.transactionAttemptsLimit else {
                    throw error
                }
                attempt += 1
            }
        }
    }

    /// Stores a batch in a transaction that is rolled back.
    private func attempt(_ batch: IngestBatch) throws(StoreError) {
        let done = StoreError(.closed, "a trial ends without a trace")
        do throws(StoreError) {
            _ = try transaction { (connection) throws(StoreError) in
                var written: FeatureWriter.Written?
                _ = try write(batch, &written, connection)
                throw done
            }
        } catch {
            if error == done { return }
            throw error
        }
    }

    /// The topic that dead letters of a batch's events name.
    private func source(of batch: IngestBatch) -> String { batch.eventSource ?? batch.offsets.first?.topic ?? "" }

    private func commitOnce(_ batch: IngestBatch) throws(StoreError) -> IngestSummary {
        var written: FeatureWriter.Written?
        var summary = try transaction { (connection) throws(StoreError) in try write(batch, &written, connection) }
        if let written {
            (summary.userRows, summary.historyEntries) = written.histories
            featureWriter.committed(written)
        }
        for offset in batch.offsets { storedOffsets[offset.topic, default: [:]][offset.partition] = offset.nextOffset }
        try onStep?(.committed)
        return summary
    }

    private func write(
        _ batch: IngestBatch, _ written: inout FeatureWriter.Written?, _ connection: Connection
    ) throws(StoreError) -> IngestSummary {
        var summary = IngestSummary()
        try onStep?(.began)
        if try OffsetWriter.isCommitted(batch.offsets, stored: storedOffsets, connection) {
            summary.alreadyCommitted = true
            return summary
        }
        try onStep?(.claimsChecked)

        let changes = UserChanges(batch.users, unstored: batch.unstoredUsers, identities: batch.identities)
        let isExclusive = erasesExclusively || !changes.deletions.isEmpty
        try Erasure.lock(connection, exclusively: isExclusive)
        try ledger.refresh(connection, batch: batch)
        try wishLedger.refresh(connection, batch: batch)
        if !isExclusive, changes.mayChangeWishes(wishLedger) {
            erasesExclusively = true
            throw StoreError(
                .serialization, isRetriable: true,
                "\(connection.place): a record changes whether a person's history is kept; it is stored in a second attempt")
        }
        if !isExclusive, !changes.lateAliases(ledger).isEmpty {
            erasesExclusively = true
            throw StoreError(
                .serialization, isRetriable: true,
                "\(connection.place): a late record names other ids of an erased user; they are erased in a second attempt")
        }
        var letters: [RejectedRecord] = []
        try changes.write(connection, ledger: &ledger, wishLedger: &wishLedger, batch: batch, &summary, letters: &letters)
        try onStep?(.usersWritten)

        var planned: FeatureWriter.Plan?
        let stored = try interactionWriter.store(
            batch.interactions, ledger: ledger, wishes: wishLedger, buffer: buffer, connection,
            meanwhile: { planned = batch.prefolded.map { featureWriter.plan($0, events: batch.interactions) } })
        summary.stored = stored.count
        summary.unnamed = stored.unnamed.count
        summary.duplicates = stored.duplicates
        summary.erased += stored.erased
        summary.conflicts = stored.conflicts.count
        try onStep?(.interactionsStored)

        let plan = stored.isWhole ? planned ?? plan(stored, batch) : plan(stored, batch)
        written = try featureWriter.write(plan, connection, afterItems: { () throws(StoreError) in
            try self.onStep?(.itemFeaturesWritten)
        })
        try onStep?(.userFeaturesWritten)
        if var rows = written {
            summary.returns = try featureWriter.matchReturns(
                among: stored.kept.lazy.map { batch.interactions[Int($0)] }, &rows, connection)
            written = rows
        }
        if !stored.unnamed.isEmpty {
            summary.returns += try FeatureWriter.countReturns(
                among: stored.unnamed.lazy.map { batch.interactions[Int($0)] }, connection)
        }
        try onStep?(.returnsMatched)

        if !batch.items.isEmpty {
            summary.catalogueVersion = try CatalogueWriter.write(
                batch.items, patches: patches, buffer: buffer, connection, &summary, letters: &letters)
        }
        letters += try overduePatches(connection)
        try onStep?(.catalogueWritten)

        let source = source(of: batch)
        let otherwise = (source, clusters[source] ?? "")
        let conflicts = stored.conflicts.map {
            DeadLetterWriter.conflict(batch.interactions[Int($0)], origin: batch.origin(ofInteraction: Int($0), otherwise: otherwise))
        }
        try DeadLetterWriter.write(batch.rejections + conflicts + letters, ledger: ledger, connection, &summary)
        try onStep?(.deadLettersWritten)

        try OffsetWriter.write(batch.offsets, connection)
        try onStep?(.offsetsWritten)
        return summary
    }

    /// Patches that have waited for too long, looked for once in ``sweepEvery``.
    private func overduePatches(_ connection: Connection) throws(StoreError) -> [RejectedRecord] {
        guard patches.looksForOverdue, swept.map({ $0.duration(to: .now) >= Self.sweepEvery }) ?? true else { return [] }
        let letters = try WaitingPatches.overdue(patches, byAge: true, connection)
        // Where more are due than one commit takes, the next one goes on.
        if letters.count < WaitingPatches.lettersLimit { swept = .now }
        return letters
    }

    /// The changes of features by what was stored now: never by a duplicate.
    private func plan(_ stored: StoredInteractions, _ batch: IngestBatch) -> FeatureWriter.Plan {
        if stored.isWhole, let prefolded = batch.prefolded { return featureWriter.plan(prefolded, events: batch.interactions) }
        let kept = stored.kept.lazy.map { batch.interactions[Int($0)] }
        if let prefolded = batch.prefolded, stored.count + stored.unnamed.count == batch.interactions.count, !stored.isMixed {
            // Everything counts, and of whole people nothing is kept.
            let unnamed = Set(stored.unnamed.lazy.map { batch.interactions[Int($0)].userID })
            return featureWriter.plan(prefolded.leavingOut(unnamed), events: kept)
        }
        var delta = FeatureDelta(rules: rules)
        for interaction in kept { delta.fold(interaction) }
        for index in stored.unnamed { delta.foldItem(batch.interactions[Int(index)]) }
        return featureWriter.plan(delta, events: kept)
    }
}
