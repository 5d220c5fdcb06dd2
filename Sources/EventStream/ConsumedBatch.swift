import CRDKafka
import Interactions

/// One record, as a view over the consumer's memory.
///
/// ``key`` and ``value`` are valid as long as the ``ConsumedBatch`` that the record came from is alive. Copy what must outlive it.
public struct ConsumedRecord {
    /// The topic that it was read from.
    public let topic: String
    /// The partition that it was read from.
    public let partition: Int32
    /// Its place in the partition.
    public let offset: Int64
    /// The time that the producer or the broker gave the record.
    public let timestamp: EventTime?
    /// Whether ``timestamp`` is the time at which the broker appended the record, by the broker's clock.
    public let isAppendTime: Bool
    /// Nil where the record has none; an empty key is not nil.
    public let key: UnsafeRawBufferPointer?
    /// Nil for a deletion (a tombstone); an empty value is not nil.
    public let value: UnsafeRawBufferPointer?

    /// The record's place in its topic.
    public var position: Position { Position(partition: partition, offset: offset) }
}

/// What one poll returned: records in order of offset within each partition, and what else happened.
///
/// The batch owns the records' memory and gives it back to librdkafka when it is freed. It never copies. It does not change, so
/// several threads may read it at once.
public final class ConsumedBatch: @unchecked Sendable {
    // Unchecked: everything is constant after init, and messages may be freed from any thread.
    typealias Message = UnsafeMutablePointer<rd_kafka_message_t>

    /// The number of records.
    public let count: Int
    /// What happened beside records, in order.
    public let happenings: [StreamHappening]
    private let messages: UnsafeMutablePointer<Message?>
    private let topics: [TopicPositions]
    private let client: ClientHandle?

    /// Takes ownership of `messages` and of the first `count` messages in it.
    init(
        messages: UnsafeMutablePointer<Message?>, count: Int, topics: [TopicPositions], happenings: [StreamHappening],
        client: ClientHandle?
    ) {
        self.messages = messages
        self.count = count
        self.topics = topics
        self.happenings = happenings
        self.client = client
    }

    deinit {
        for index in 0..<count {
            if let message = messages[index] { rd_kafka_message_destroy(message) }
        }
        messages.deallocate()
    }

    /// Whether there are no records; there may be happenings.
    public var isEmpty: Bool { count == 0 }

    /// The record at `index`, valid as long as this batch is alive.
    public subscript(index: Int) -> ConsumedRecord {
        precondition(index >= 0 && index < count, "record \(index) of a batch of \(count)")
        return record(messages[index]!)
    }

    /// Calls `body` with every record, in order.
    public func forEach<Failure: Error>(_ body: (ConsumedRecord) throws(Failure) -> Void) throws(Failure) {
        for index in 0..<count { try body(record(messages[index]!)) }
    }

    private func record(_ message: Message) -> ConsumedRecord {
        let m = message.pointee
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = rd_kafka_message_timestamp(message, &kind)
        // Few topics are read at once: looking through them costs less than hashing.
        let topic = topics.first { $0.handle == m.rkt }?.name ?? String(cString: rd_kafka_topic_name(m.rkt))
        return ConsumedRecord(
            topic: topic, partition: m.partition, offset: m.offset,
            timestamp: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || milliseconds < 0
                ? nil : EventTime(milliseconds: milliseconds),
            isAppendTime: kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
            key: m.key.map { UnsafeRawBufferPointer(start: $0, count: m.key_len) },
            value: m.payload.map { UnsafeRawBufferPointer(start: $0, count: m.len) })
    }
}

extension ConsumedBatch {
    /// The partitions that the group gave to this consumer in this poll, or nil where it gave none. Answer with
    /// ``StreamConsumer/start(_:)``.
    public var assigned: [TopicPartition]? {
        for case .assigned(let partitions) in happenings { return partitions }
        return nil
    }

    /// The partitions that the group took back in this poll.
    public var revoked: [TopicPartition] {
        happenings.flatMap { happening -> [TopicPartition] in
            if case .revoked(let partitions, _) = happening { partitions } else { [] }
        }
    }

    /// The partitions of which everything has been returned, with the offset of their end.
    public var ends: [(partition: TopicPartition, offset: Int64)] {
        happenings.compactMap { if case .reachedEnd(let partition, let offset) = $0 { (partition, offset) } else { nil } }
    }

    /// The gaps found in this poll.
    public var gaps: [OffsetGap] {
        happenings.compactMap { if case .gap(let gap) = $0 { gap } else { nil } }
    }
}
