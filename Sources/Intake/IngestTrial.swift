import Bytes
import EventStream
import FeatureStore
import Features
import Interactions

/// What the consumer would understand of the newest records of its topics. Nothing is stored: no group is joined, no offset is written, and
/// no database is asked.
public struct IngestTrial {
    /// What became of one record.
    public struct Record: Sendable {
        /// Where it stands, and when it was sent.
        public var origin: RecordOrigin
        /// Records of Freshet's own that it became, as JSON; of an array inside it one for each element.
        public var understood: [String] = []
        /// The id that it deletes; nil where it deletes nothing.
        public var deletes: String?
        /// How many say nothing to be stored: the record itself, or lines of it.
        public var leftOut = 0
        /// Why, of the last of them; nil where there is none.
        public var leftOutReason: String?
        /// Why it would be a dead letter; nil where it would not.
        public var rejection: Rejection?
        /// Why it would wait for a schema; nil where it would not.
        public var waits: String?
    }

    /// The newest records of a topic.
    public struct Topic: Sendable {
        /// The topic's name.
        public var name: String
        /// What it holds.
        public var kind: RecordKind
        /// Whether its records have a shape of their own.
        public var isMapped: Bool
        /// Records that the broker has of it, those that a compaction has dropped included.
        public var recordsHeld: Int64 = 0
        /// The newest records, the oldest of them first.
        public var records: [Record] = []
        /// Why it could not be read, or not to its end; nil where it could.
        public var problem: String?
    }

    /// The most records of a topic.
    public static let recordsLimit = 200
    /// How long a topic may give nothing before what came is all.
    static let patienceMilliseconds = 10_000

    /// How long a schema is waited for.
    static let schemaPatience = Duration.seconds(5)

    private let settings: IngestSettings
    private let isStopping: @Sendable () -> Bool

    /// A trial by the settings of an ingest.
    ///
    /// - Parameter isStopping: asked between reads.
    public init(settings: IngestSettings, isStopping: @escaping @Sendable () -> Bool) {
        self.settings = settings
        self.isStopping = isStopping
    }

    /// Reads the newest records of every topic, mapped ones first.
    ///
    /// - Parameter records: of each topic, at most ``recordsLimit``.
    /// - Throws: `StreamError` where the broker cannot be reached; what is wrong with one topic is its ``Topic/problem``. ``IntakeError``
    ///   of a schema registry whose address is none.
    public func run(records: Int) throws -> [Topic] {
        let schemas = try settings.registry.map { registry throws(IntakeError) in try SchemaRegistry(registry) }
        let consumer = try StreamConsumer(reading: settings.kafka)
        defer { consumer.close() }
        let cluster = try consumer.clusterID()
        let names = settings.topics.keys.sorted { left, right in
            let (leftMapped, rightMapped) = (settings.mappings[left] != nil, settings.mappings[right] != nil)
            return leftMapped == rightMapped ? left < right : leftMapped
        }
        return names.compactMap { name in
            guard let kind = settings.topics[name], !isStopping() else { return nil }
            var topic = Topic(name: name, kind: kind, isMapped: settings.mappings[name] != nil)
            do throws(StreamError) {
                try read(&topic, min(records, Self.recordsLimit), consumer, cluster, schemas)
            } catch {
                topic.problem = error.message
            }
            return topic
        }
    }

    /// A record that was read, until it is known to be among the newest.
    private struct Kept {
        var origin: RecordOrigin
        var key: [UInt8]?
        var value: [UInt8]?
    }

    private func read(
        _ topic: inout Topic, _ wanted: Int, _ consumer: StreamConsumer, _ cluster: String, _ schemas: SchemaRegistry?
    ) throws(StreamError) {
        var open: [Int32: Int64] = [:], starts: [PartitionStart] = []
        for bounds in try consumer.endOffsets(topic.name) where bounds.high > bounds.low {
            topic.recordsHeld += bounds.high - bounds.low
            open[bounds.partition] = bounds.high
            let start = max(bounds.low, bounds.high - Int64(wanted))
            starts.append(PartitionStart(TopicPartition(topic.name, bounds.partition), .offset(start)))
        }
        guard !starts.isEmpty else { return }
        try consumer.assign(starts)
        var kept: [Kept] = [], silence = 0
        while !open.isEmpty, !isStopping() {
            let batch = try consumer.poll(maxRecords: 1_000, timeoutMilliseconds: 100)
            for happening in batch.happenings {
                if case .trouble(let error) = happening { throw error }
                // The end may lie behind records that a compaction or a transaction has dropped.
                if case .reachedEnd(let partition, _) = happening, partition.topic == topic.name { open[partition.partition] = nil }
            }
            batch.forEach { record in
                guard record.topic == topic.name else { return }
                if let end = open[record.partition], record.offset >= end - 1 { open[record.partition] = nil }
                kept.append(
                    Kept(
                        origin: RecordOrigin(
                            source: topic.name, cluster: cluster, position: record.position, recordTime: record.timestamp),
                        key: record.key.map(Array.init), value: record.value.map(Array.init)))
            }
            keepNewest(&kept, wanted)
            silence = batch.isEmpty ? silence + 100 : 0
            guard silence < Self.patienceMilliseconds else {
                topic.problem = "the broker gave nothing for \(Self.patienceMilliseconds / 1_000) s; what came before is shown"
                break
            }
        }
        var intake = RecordIntake(
            rules: settings.rules, featureRules: settings.featureRules, mappings: settings.mappings, schemas: schemas)
        topic.records = kept.map { understand($0, topic.kind, by: &intake, schemas) }
    }

    private func keepNewest(_ kept: inout [Kept], _ wanted: Int) {
        func time(_ record: Kept) -> Int64 { record.origin.recordTime?.milliseconds ?? .min }
        kept.sort { (time($0), $0.origin.position) < (time($1), $1.origin.position) }
        kept.removeFirst(max(0, kept.count - wanted))
    }

    /// By the intake itself, so that what is shown is what would be stored.
    private func understand(_ kept: Kept, _ kind: RecordKind, by intake: inout RecordIntake, _ schemas: SchemaRegistry?) -> Record {
        let leftOutBefore = intake.leftOut
        var waits: String?
        func give(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Void) {
            guard let bytes else { return body(nil) }
            bytes.withUnsafeBytes { body($0) }
        }
        give(kept.key) { key in
            give(kept.value) { value in
                while let awaited = intake.awaitedSchema(kept.origin.source, key: key, value: value), waits == nil {
                    guard case .awaited(let why)? = schemas?.wait(for: awaited.number, atMost: Self.schemaPatience) else { continue }
                    waits = "schema \(awaited.number): \(why ?? "the schema registry has not answered yet")"
                }
                guard waits == nil else { return }
                _ = intake.add(kind, key: key, value: value, origin: kept.origin, now: settings.clock())
            }
        }
        let reason = intake.leftOutReason
        let batch = intake.take(offsets: [])
        var record = Record(
            origin: kept.origin, leftOut: intake.leftOut - leftOutBefore, leftOutReason: reason,
            rejection: batch.rejections.first?.rejection, waits: waits)
        record.understood = batch.interactions.map { $0.json() }
        for (identity, _) in batch.identities {
            record.understood.append(
                JSONWriter.object { object in
                    object.field("type", "identify")
                    object.field("user_id", identity.userID)
                    object.field("anonymous_id", identity.alias)
                    object.field("timestamp", identity.time)
                })
        }
        for item in batch.items {
            switch item.change {
            case .upsert(let item): record.understood.append(item.json())
            case .patch(let patch): record.understood.append(patch.json())
            case .delete(let id, _): record.deletes = id
            }
        }
        for user in batch.users {
            switch user.change {
            case .upsert(let user): record.understood.append(user.json())
            case .patch(let patch): record.understood.append(patch.json())
            case .delete(let id, _): record.deletes = id
            }
        }
        return record
    }
}
