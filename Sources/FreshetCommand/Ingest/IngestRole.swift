import EventStream
import FeatureStore
import Foundation
import Logging

/// The consumer as a role: waits for a broker and a database that are not there yet, and starts over after a lost ownership.
struct IngestRole: Sendable {
    let configuration: Configuration
    let acceptNewCluster: Bool
    let stop: StopSignal

    /// Consumes until `stop`, or, with `untilEnd`, until everything is stored that was in the topics at the start.
    func run(
        untilEnd: Bool, started: @escaping @Sendable () -> Void = {}, progress: (IngestRun.Totals) -> Void = { _ in }
    ) throws -> IngestRun.Totals {
        let logger = configuration.logger("ingest")
        let store = try patiently(logger, waitsFor: "the database") {
            try IngestStore(url: try configuration.databaseURL(), rules: configuration.featureRules)
        }
        var totals = IngestRun.Totals()
        while true {
            let consumer = try StreamConsumer(
                configuration.kafkaSettings, group: configuration.text("kafka.group"),
                topics: configuration.topicKinds.keys.sorted())
            let cluster = try patiently(logger, waitsFor: "Kafka at \(configuration.text("kafka.bootstrap_servers"))") {
                try consumer.clusterID(timeoutMilliseconds: 5_000)
            }
            let ends = untilEnd ? try endOffsets(of: consumer) : nil
            let run = try IngestRun(
                consumer: consumer, store: store, deadLetters: try StreamProducer(configuration.kafkaSettings),
                configuration: configuration, cluster: cluster, acceptNewCluster: acceptNewCluster, logger: logger,
                isStopping: { [stop] in stop.isRaised })
            logger.notice("consuming", metadata: ["cluster": "\(cluster)", "group": "\(configuration.text("kafka.group"))"])
            started()
            do {
                try run.run(until: ends, progress: progress)
                totals += run.totals
                consumer.close()
                return totals
            } catch let error as StoreError where error.code == .lostOwnership {
                // The rest of the group has moved on; joining it again is the way back.
                totals += run.totals
                consumer.close()
                logger.notice("joining the group again")
                Thread.sleep(forTimeInterval: 1)
            }
        }
    }

    private func endOffsets(of consumer: StreamConsumer) throws -> [TopicPartition: Int64] {
        var ends: [TopicPartition: Int64] = [:]
        for topic in configuration.topicKinds.keys {
            for bounds in try consumer.endOffsets(topic) {
                ends[TopicPartition(topic, bounds.partition)] = bounds.high
            }
        }
        return ends
    }

    /// Tries until it works, with one sentence when the waiting starts, unless the error says that trying again cannot help.
    private func patiently<Result>(
        _ logger: Logger, waitsFor what: String, _ work: () throws -> Result
    ) throws -> Result {
        var pause = 0.25
        var told = false
        while true {
            do {
                let result = try work()
                if told { logger.notice("\(what) answers") }
                return result
            } catch {
                let retriable = (error as? StoreError)?.isRetriable ?? (error as? StreamError)?.isRetriable ?? false
                guard retriable, !stop.isRaised else { throw error }
                if !told { logger.warning("waiting for \(what): \(error)") }
                told = true
                Thread.sleep(forTimeInterval: pause)
                pause = min(2, pause * 1.5)
            }
        }
    }
}

extension IngestRun.Totals {
    static func += (left: inout IngestRun.Totals, right: IngestRun.Totals) {
        left.records += right.records
        left.stored += right.stored
        left.duplicates += right.duplicates
        left.rejected += right.rejected
        left.items += right.items
        left.users += right.users
        left.batches += right.batches
        left.gaps += right.gaps
    }
}
