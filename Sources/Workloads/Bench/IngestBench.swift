import Console
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging

/// The ingest workload: a stream is made, decoded alone, then consumed from an embedded broker into PostgreSQL.
public struct IngestBench {
    let settings: IngestSettings
    let eventsTopic: String
    let events: Int
    let logger: Logger

    /// Makes the workload.
    ///
    /// - Parameters:
    ///   - settings: of the consumer. Its database is filled; its broker is brought along.
    ///   - eventsTopic: the topic of `settings` that events go to.
    ///   - events: of about 200 bytes.
    public init(settings: IngestSettings, eventsTopic: String, events: Int, logger: Logger) {
        self.settings = settings
        self.eventsTopic = eventsTopic
        self.events = events
        self.logger = logger
    }

    /// Measures: events a second, decoding alone, decoding the same events through a mapping, and through Kafka into PostgreSQL.
    ///
    /// - Throws: `StreamError`, `StoreError` and `IntakeError` of the parts.
    public func run() throws -> ResultLine {
        var stream = SyntheticEvents(seed: 7)
        var records: [(key: String, json: String)] = []
        records.reserveCapacity(events)
        for _ in 0..<events { records.append(stream.next()) }
        let bytes = records.reduce(0) { $0 + $1.json.utf8.count }
        let decodeSeconds = decodeAlone(records), mappedSeconds = MappedDecoding(records.map(\.json)).seconds()

        // The embedded broker keeps 5 MiB a partition: enough of them that nothing is dropped.
        let partitions = max(64, bytes / (3 << 20))
        let broker = try EmbeddedBroker(port: 0, partitions: partitions, topics: settings.topics.keys.sorted())
        defer { broker.close() }
        var settings = settings
        settings.kafka.bootstrapServers = broker.bootstrapServers
        let producer = try StreamProducer(settings.kafka, mode: .throughput)
        for record in records {
            try producer.produce(topic: eventsTopic, key: record.key, value: record.json, whenFull: .wait)
        }
        try producer.flush(timeoutMilliseconds: 120_000)
        producer.close(timeoutMilliseconds: 1_000)
        records = []

        var firstBatch: ContinuousClock.Instant?
        var lastBatch = ContinuousClock.now
        var seen = 0
        let totals = try IngestRole(
            settings: settings, acceptNewCluster: true, logger: logger, isStopping: { false })
            .run(untilEnd: true, progress: { totals in
                if totals.records > 0, firstBatch == nil { firstBatch = .now }
                if totals.stored + totals.duplicates > seen {
                    seen = totals.stored + totals.duplicates
                    lastBatch = .now
                }
            })
        let seconds = (firstBatch ?? lastBatch).duration(to: lastBatch).inSeconds
        let store = StoreQueries(url: settings.databaseURL, connections: 1)
        let statistics = try store.statistics()
        return ResultLine([
            "bench": .text("ingest"), "events": .integer(events), "bytes_per_event": .number(Double(bytes) / Double(max(1, events))),
            "decode_events_per_s": .number((Double(events) / decodeSeconds).rounded()),
            "decode_mapped_events_per_s": .number((Double(events) / mappedSeconds).rounded()),
            "events_per_s": .number((Double(totals.stored) / max(seconds, 1e-9)).rounded()), "seconds": .number(seconds),
            "stored": .integer(totals.stored), "duplicates": .integer(totals.duplicates), "rejected": .integer(totals.rejected),
            "batches": .integer(totals.batches), "gaps": .integer(totals.gaps),
            "interactions_in_database": .integer(Int(statistics.interactions.values.reduce(0, +))),
            "users_in_database": .integer(Int(statistics.users)),
        ])
    }

    /// One core, no broker, no database: bytes to checked values.
    private func decodeAlone(_ records: [(key: String, json: String)]) -> Double {
        let decoder = RecordDecoder(rules: DecodingRules())
        let lines = records.map { Array($0.json.utf8) }
        let now = EventTime(milliseconds: 1_900_000_000_000)
        let start = ContinuousClock.now
        var accepted = 0
        for (number, line) in lines.enumerated() {
            let origin = RecordOrigin(source: "bench", cluster: "bench", position: Position(partition: 0, offset: Int64(number)))
            line.withUnsafeBytes { bytes in
                if case .success = decoder.interaction(bytes, origin: origin, now: now) { accepted += 1 }
            }
        }
        let seconds = start.duration(to: .now).inSeconds
        precondition(accepted == records.count, "\(records.count - accepted) of the benchmark's own events were refused")
        return seconds
    }
}
