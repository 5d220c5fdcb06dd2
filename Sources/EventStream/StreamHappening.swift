/// Something that a poll met beside records.
public enum StreamHappening: Sendable, Equatable {
    /// The group gave these partitions to this consumer. Nothing of them is read until the caller names their offsets with
    /// ``StreamConsumer/start(_:)``. An empty list means that other members hold everything.
    case assigned([TopicPartition])
    /// The group takes these partitions back. Unless `lost`, they stay this consumer's until the next poll, so that work in
    /// hand can still be committed. Records of them in the same batch have been left out: their next owner reads them.
    case revoked([TopicPartition], lost: Bool)
    /// Everything in the partition below `offset` has been returned, in this batch at the latest.
    case reachedEnd(TopicPartition, offset: Int64)
    /// Offsets were missing between two records.
    case gap(OffsetGap)
    /// The place to read from does not exist at the broker. The partition stands still until
    /// ``StreamConsumer/start(_:)`` names another place.
    case offsetOutOfRange(OffsetOutOfRange)
    /// No broker answers. Reported once until ``reconnected``; the library keeps trying by itself.
    case disconnected(StreamError)
    /// A broker answers again.
    case reconnected
    /// A lasting trouble such as a missing topic or refused credentials. Reported once until ``reconnected``.
    case trouble(StreamError)
}

/// Offsets that are missing between two records of a partition.
///
/// Normal on compacted and transactional topics. On an embedded broker it means that data was dropped (5 MiB a partition).
public struct OffsetGap: Sendable, Hashable, CustomStringConvertible {
    /// The partition that records are missing in.
    public var partition: TopicPartition
    /// The offset that should have come.
    public var expected: Int64
    /// The offset that came.
    public var got: Int64

    /// Makes a gap.
    public init(partition: TopicPartition, expected: Int64, got: Int64) {
        self.partition = partition
        self.expected = expected
        self.got = got
    }

    public var description: String { "\(partition): expected offset \(expected), got \(got): \(got - expected) missing" }
}

/// A place to read from that the broker does not have.
public struct OffsetOutOfRange: Sendable, Hashable, CustomStringConvertible {
    /// The partition that has no record at the offset.
    public var partition: TopicPartition
    /// The offset that was asked for, where it is known.
    public var offset: Int64?
    /// What the broker has, where it said so.
    public var bounds: PartitionBounds?

    /// Makes a report.
    public init(partition: TopicPartition, offset: Int64?, bounds: PartitionBounds?) {
        self.partition = partition
        self.offset = offset
        self.bounds = bounds
    }

    public var description: String {
        let asked = offset.map { "offset \($0)" } ?? "the offset"
        guard let bounds else { return "\(partition): the broker does not have \(asked)" }
        let why =
            if let offset, offset > bounds.high {
                "the partition is shorter than it was: another or an emptied cluster"
            } else {
                "the oldest records are gone: the retention of the topic is shorter than the consumer was away"
            }
        return "\(partition): the broker does not have \(asked); it has \(bounds.low) to \(bounds.high): \(why)"
    }
}
