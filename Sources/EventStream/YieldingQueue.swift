import CRDKafka

/// What arrives of topics whose records let those of others go first, in a queue of its own: a feed of a million records stands behind no
/// event, and no event behind it.
///
/// Like the consumer's own queue it holds 64 MiB at most (`queued.max.messages.kbytes`). One thread at a time.
final class YieldingQueue {
    /// Records that one poll takes at most, so that the next look at the others comes soon.
    static let recordsLimit = 10_000

    private let topics: Set<String>
    private let client: OpaquePointer
    private let queue: OpaquePointer
    /// Partitions whose records come here, and when that was seen to.
    private var partitions: [TopicPartition] = []
    private var seenTo = ContinuousClock.now
    /// How long a partition that was started again may stay without its way here.
    private static let seeToEvery = Duration.milliseconds(50)

    /// A queue for these topics; nil where there are none.
    init?(_ topics: Set<String>, client: OpaquePointer) {
        guard !topics.isEmpty, let queue = rd_kafka_queue_new(client) else { return nil }
        (self.topics, self.client, self.queue) = (topics, client, queue)
    }

    deinit { rd_kafka_queue_destroy(queue) }

    /// Has the records of these partitions sent here that are of its topics, of all others no more. Of the others nothing changes.
    func take(_ partitions: some Sequence<TopicPartition>) {
        self.partitions = partitions.filter { topics.contains($0.topic) }
        forward()
    }

    /// Sees to it that they still come here. A partition that was started once more loses its way in a thread of the library, whenever
    /// that gets to it, and the library gives it no other one: nobody would ever read its records.
    func seeTo() {
        guard !partitions.isEmpty, seenTo.duration(to: .now) >= Self.seeToEvery else { return }
        forward()
    }

    private func forward() {
        seenTo = .now
        for partition in partitions {
            guard let source = rd_kafka_queue_get_partition(client, partition.topic, partition.partition) else { continue }
            rd_kafka_queue_forward(source, queue)
            // A reference of ours; what it leads to stays.
            rd_kafka_queue_destroy(source)
        }
    }

    /// The places of a poll that are kept free for what waits here: others do not hold it up for ever.
    func share(of capacity: Int) -> Int { min(Int(clamping: rd_kafka_queue_length(queue)), capacity / 4, Self.recordsLimit) }

    /// Takes what is there, without waiting.
    func receive(into messages: UnsafeMutablePointer<ConsumedBatch.Message?>, _ capacity: Int) -> Int {
        guard capacity > 0 else { return 0 }
        return max(0, rd_kafka_consume_batch_queue(queue, 0, messages, min(capacity, Self.recordsLimit)))
    }
}
