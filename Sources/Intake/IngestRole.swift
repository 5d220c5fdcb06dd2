import EventStream
import FeatureStore
import Foundation
import Logging

/// The consumer as a role: waits for a broker and a database that are not there yet, and starts over after a lost ownership.
public struct IngestRole: Sendable {
    private let settings: IngestSettings
    private let consent: IngestConsent
    private let logger: Logger
    private let isStopping: @Sendable () -> Bool

    /// A role that has not started.
    ///
    /// - Parameters:
    ///   - acceptNewCluster: whether offsets of another cluster, or of another topic of the same name, are given up for the beginning.
    ///   - acceptMissingRecords: whether a partition goes on behind records that the broker has dropped.
    ///   - isStopping: asked between batches and while something is waited for.
    public init(
        settings: IngestSettings, acceptNewCluster: Bool, acceptMissingRecords: Bool = false, logger: Logger,
        isStopping: @escaping @Sendable () -> Bool
    ) {
        self.settings = settings
        consent = IngestConsent(newCluster: acceptNewCluster, missingRecords: acceptMissingRecords)
        self.logger = logger
        self.isStopping = isStopping
    }

    /// Consumes until it is asked to stop, or, with `untilEnd`, until everything is stored that was in the topics at the start.
    ///
    /// - Throws: ``IntakeError``, `StoreError` and `StreamError`, each a sentence.
    public func run(
        untilEnd: Bool, started: @escaping @Sendable () -> Void = {}, progress: (IngestRun.Totals) -> Void = { _ in }
    ) throws -> IngestRun.Totals {
        do {
            return try consume(untilEnd: untilEnd, started: started, progress: progress)
        } catch is Stopped {
            return IngestRun.Totals()
        }
    }

    private func consume(
        untilEnd: Bool, started: @escaping @Sendable () -> Void, progress: (IngestRun.Totals) -> Void
    ) throws -> IngestRun.Totals {
        let schemas = try settings.registry.map { registry throws(IntakeError) in try SchemaRegistry(registry) }
        // A wrong password or schema is told at once, whether or not Kafka is there.
        try patiently(waitsFor: "the database") { try Migrator(url: settings.databaseURL).check() }
        var erasures: ErasureThread?
        defer { erasures?.close() }
        var totals = IngestRun.Totals()
        var pause = GrowingPause(first: .seconds(1), longest: .seconds(5))
        var patience = GroupWait.firstPatienceSeconds
        while true {
            var run: IngestRun?
            let consumer = try StreamConsumer(
                settings.kafka, group: settings.group, topics: settings.topics.keys.sorted(),
                yielding: Set(settings.topics.filter { $0.value == .items || $0.value == .users }.keys))
            do {
                let cluster = try patiently(waitsFor: "Kafka at \(settings.kafka.bootstrapServers)") {
                    try consumer.clusterID(timeoutMilliseconds: 5_000)
                }
                // Each attempt has a store, and so a connection, of its own: the thread of an earlier one may still have its batch in hand.
                let store = try patiently(waitsFor: "the database") {
                    try Migrator(url: settings.databaseURL).check()
                    return try IngestStore(url: settings.databaseURL, rules: settings.featureRules, patches: settings.patches)
                }
                // Begun once the schema is known to fit.
                if erasures == nil { erasures = ErasureThread(settings: settings, logger: logger) }
                let ends = untilEnd ? try endOffsets(of: consumer) : nil
                let attempt = IngestRun(
                    consumer: consumer, store: store, deadLetters: try StreamProducer(settings.kafka), settings: settings,
                    cluster: cluster, consent: consent, schemas: schemas, patienceSeconds: patience, logger: logger, isStopping: isStopping)
                run = attempt
                logger.notice("consuming", metadata: ["cluster": "\(cluster)", "group": "\(settings.group)"])
                started()
                try attempt.run(until: ends, progress: progress)
                totals += attempt.totals
                consumer.close()
                // Where all is stored that was sent, all is removed that was asked for.
                if untilEnd { try ErasureThread.finish(settings: settings, logger: logger, isStopping: isStopping) }
                return totals
            } catch where !isStopping() && Self.passes(error) {
                // The group has moved on, or a server was away: joining again with new claims is the way back, and nothing is
                // lost, since the offsets are in the database.
                if let run {
                    totals += run.totals
                    patience = run.hadPartitions
                        ? GroupWait.firstPatienceSeconds : min(GroupWait.longestPatienceSeconds, patience * 2)
                    if run.hadPartitions { pause.reset() }
                }
                consumer.close()
                logger.warning("joining the group again: \(error)")
                pause.sleep()
            }
        }
    }

    /// Thrown where a stop was asked for while waiting: the role ends well, having nothing to do.
    private struct Stopped: Error {}

    private static func passes(_ error: any Error) -> Bool {
        if let error = error as? StoreError { return error.isRetriable || error.code == .lostOwnership }
        if let error = error as? StreamError { return error.isRetriable }
        return false
    }

    private func endOffsets(of consumer: StreamConsumer) throws -> [TopicPartition: Int64] {
        var ends: [TopicPartition: Int64] = [:]
        for topic in settings.topics.keys {
            for bounds in try consumer.endOffsets(topic) where bounds.high > bounds.low {
                ends[TopicPartition(topic, bounds.partition)] = bounds.high
            }
        }
        return ends
    }

    /// Tries until it works, with one sentence when the waiting starts, unless the error says that trying again cannot help.
    private func patiently<Result>(
        waitsFor what: String, _ work: () throws -> sending Result
    ) throws -> sending Result {
        var pause = GrowingPause(first: .milliseconds(250), longest: .seconds(2), factor: 1.5)
        var told = false
        while true {
            do {
                let result = try work()
                if told { logger.notice("\(what) answers") }
                return result
            } catch {
                let retriable = (error as? StoreError)?.isRetriable ?? (error as? StreamError)?.isRetriable ?? false
                guard retriable else { throw error }
                guard !isStopping() else { throw Stopped() }
                if !told { logger.warning("waiting for \(what): \(error)") }
                told = true
                pause.sleep()
            }
        }
    }
}

extension IngestRun.Totals {
    /// Adds what another attempt did.
    public static func += (left: inout IngestRun.Totals, right: IngestRun.Totals) {
        left.records += right.records
        left.stored += right.stored
        left.duplicates += right.duplicates
        left.rejected += right.rejected
        left.leftOut += right.leftOut
        left.items += right.items
        left.users += right.users
        left.batches += right.batches
        left.gaps += right.gaps
        left.missing += right.missing
        left.returns += right.returns
    }
}
