import EventStream
import Testing

/// Test failures that are not comparisons.
struct TimedOut: Error { let what: String }

/// A record copied out of its batch.
struct Copied: Equatable {
    var topic: String
    var partition: Int32
    var offset: Int64
    var key: [UInt8]?
    var value: [UInt8]?

    init(_ record: ConsumedRecord) {
        topic = record.topic
        partition = record.partition
        offset = record.offset
        key = record.key.map { Array($0) }
        value = record.value.map { Array($0) }
    }

    var text: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "(null)" }
}

/// What a consumer saw until a condition held.
struct Seen {
    var records: [Copied] = []
    var happenings: [StreamHappening] = []

    var gaps: [OffsetGap] { happenings.compactMap { if case .gap(let gap) = $0 { gap } else { nil } } }
    var ends: Set<TopicPartition> {
        Set(happenings.compactMap { if case .reachedEnd(let partition, _) = $0 { partition } else { nil } })
    }
    var outOfRange: [OffsetOutOfRange] {
        happenings.compactMap { if case .offsetOutOfRange(let out) = $0 { out } else { nil } }
    }
}

extension StreamConsumer {
    /// Polls until `done`, answering assignments with `place`; fails after `seconds`.
    func read(
        _ what: String, seconds: Int = 20, maxRecords: Int = 10_000,
        from place: (TopicPartition) -> PartitionStart.Place = { _ in .beginning },
        into seen: Seen = Seen(), until done: (Seen) -> Bool
    ) throws -> Seen {
        var seen = seen
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !done(seen) {
            guard ContinuousClock.now < deadline else {
                throw TimedOut(what: "\(what): \(seen.records.count) records, \(seen.happenings)")
            }
            let batch = try poll(maxRecords: maxRecords, timeoutMilliseconds: 200)
            batch.forEach { seen.records.append(Copied($0)) }
            seen.happenings += batch.happenings
            if let assigned = batch.assigned { try start(assigned.map { PartitionStart($0, place($0)) }) }
        }
        return seen
    }
}

/// A consumer of one topic, outside of any group, from offset 0 of every partition.
func reader(_ broker: EmbeddedBroker, _ topic: String, properties: [String: String] = [:]) throws -> StreamConsumer {
    let consumer = try StreamConsumer(
        reading: KafkaSettings(bootstrapServers: broker.bootstrapServers, properties: properties))
    try consumer.assign(consumer.partitions(topic).map { PartitionStart(TopicPartition(topic, $0), .offset(0)) })
    return consumer
}

func settings(_ broker: EmbeddedBroker, _ properties: [String: String] = [:]) -> KafkaSettings {
    KafkaSettings(bootstrapServers: broker.bootstrapServers, properties: properties)
}

/// A port that was free a moment ago.
func freePort() throws -> UInt16 {
    let broker = try EmbeddedBroker(port: 0)
    defer { broker.close() }
    return broker.port
}

/// Everything that starts a broker runs in turn: the tests block their threads, and a time limit counts waiting too.
@Suite(.serialized) enum OverTheProtocol {}
