import CRDKafka

/// One partition of a topic.
public struct TopicPartition: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32

    /// Names a partition.
    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }

    public var description: String { "\(topic)[\(partition)]" }
}

/// Where to begin to read a partition.
public struct PartitionStart: Sendable, Hashable {
    /// A place in a partition.
    public enum Place: Sendable, Hashable {
        /// The record with this offset comes first.
        case offset(Int64)
        /// The oldest record that the broker still has.
        case beginning
        /// Only what is written from now on.
        case end
    }

    /// The partition that is to be read.
    public var partition: TopicPartition
    /// Where reading begins.
    public var place: Place

    /// Makes a start.
    public init(_ partition: TopicPartition, _ place: Place) {
        self.partition = partition
        self.place = place
    }

    var kafkaOffset: Int64 {
        switch place {
        case .offset(let offset): offset
        case .beginning: Int64(RD_KAFKA_OFFSET_BEGINNING)
        case .end: Int64(RD_KAFKA_OFFSET_END)
        }
    }
}

/// The offsets that a partition holds: from `low` to just below `high`.
public struct PartitionBounds: Sendable, Hashable {
    /// The partition's number, from 0.
    public var partition: Int32
    /// The oldest offset that the broker still has.
    public var low: Int64
    /// The offset that the next record will get.
    public var high: Int64

    /// Makes bounds.
    public init(partition: Int32, low: Int64, high: Int64) {
        self.partition = partition
        self.low = low
        self.high = high
    }
}

/// How far the consumer stands behind the end of a partition.
public struct PartitionLag: Sendable, Hashable {
    /// The partition that is read.
    public var partition: TopicPartition
    /// The offset of the next record that ``StreamConsumer/poll(maxRecords:timeoutMilliseconds:)`` will return.
    public var position: Int64
    /// The end of the partition as the broker last reported it.
    public var end: Int64
    /// Records between the two.
    public var lagRecords: Int64 { max(0, end - position) }
}

/// A partition list in librdkafka's form, freed with its scope.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ entries: [(TopicPartition, offset: Int64)]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(entries.count))
        for (partition, offset) in entries {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition).pointee.offset = offset
        }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    static func partitions(of list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [TopicPartition] {
        guard let list else { return [] }
        return (0..<Int(list.pointee.cnt)).map { index in
            let entry = list.pointee.elems[index]
            return TopicPartition(String(cString: entry.topic), entry.partition)
        }
    }
}
