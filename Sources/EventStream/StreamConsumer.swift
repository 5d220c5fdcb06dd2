import CRDKafka

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads records from Kafka, as a member of a consumer group or from partitions that the caller names.
///
/// One thread at a time. All callbacks of librdkafka run inside ``poll(maxRecords:timeoutMilliseconds:)``, so poll at least
/// every five minutes (`max.poll.interval.ms`): a consumer that does not is taken for dead and loses its partitions.
///
/// In a group the caller keeps the offsets. Each poll may report ``StreamHappening/assigned(_:)``; answer it with
/// ``start(_:)``. Partitions are handed over by `range` assignment. Whatever Kafka itself has stored as the group's offsets is
/// never read; ``commitToBroker(_:)`` writes it for lag tools.
///
/// There is no pause: to hold records back, do not poll for a while. Prefetched records wait in a queue of at most 64 MiB
/// (`queued.max.messages.kbytes`).
public final class StreamConsumer {
    let client: ClientHandle
    let group: String?
    private let events: ConsumerEvents
    private let queue: OpaquePointer
    private var yielding: YieldingQueue?
    private(set) var topics: [TopicPositions] = []
    private var isClosed = false
    private var connection: ConnectionWatch

    /// The group waits for this consumer to let go of its partitions.
    private var owesRelease = false
    /// The group waits for this consumer to take what it was given.
    private var owesStart = false
    /// Partitions that are to be read from other places, with these, as soon as the library can be told.
    private var moves: [TopicPartition: Int64] = [:]
    /// Partitions whose reading was halted.
    private var halted: Set<TopicPartition> = []
    private var starting = Starting()
    /// Whether the broker may know identities of topics: one that did not answer is not asked again.
    var mayKnowTopicIDs = true

    /// Whether the library has stopped what it read before the last start. It reads nothing before that: the first word of any partition
    /// shows that it has.
    private struct Starting {
        private var beganAt: ContinuousClock.Instant?
        /// Where no word comes, since no broker answers, the library has stopped after this time all the same.
        private static let limit = Duration.seconds(1)

        mutating func began() { beganAt = .now }
        mutating func heard() { beganAt = nil }
        var isSettled: Bool { beganAt.map { $0.duration(to: .now) >= Self.limit } ?? true }

        /// Holds the thread up until the library can be told to stop everything.
        func wait() {
            while !isSettled, let beganAt, beganAt.duration(to: .now) < .milliseconds(100) { usleep(10_000) }
        }
    }

    /// What the group has given to this consumer, started or not.
    private var assignment: [TopicPartition] = []

    /// Joins `group` and subscribes to `topics`. Returns at once: that no broker answers is reported by poll.
    ///
    /// - Parameter yielding: those of them whose records let the others' go first.
    /// - Throws: ``StreamError`` with code `configuration`.
    public convenience init(_ settings: KafkaSettings, group: String, topics: [String], yielding: Set<String> = []) throws(StreamError) {
        try self.init(settings, group: group)
        self.yielding = YieldingQueue(yielding, client: client.pointer)
        let list = PartitionList(topics.map { (TopicPartition($0, -1), Int64(RD_KAFKA_OFFSET_INVALID)) })
        let error = rd_kafka_subscribe(client.pointer, list.pointer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw StreamError(error, "subscribing to \(topics.joined(separator: ", "))")
        }
    }

    /// Makes a consumer that belongs to no group. It reads what ``assign(_:)`` names.
    ///
    /// - Throws: ``StreamError`` with code `configuration`.
    public convenience init(reading settings: KafkaSettings) throws(StreamError) {
        try self.init(settings, group: nil)
    }

    private init(_ settings: KafkaSettings, group: String?) throws(StreamError) {
        self.group = group
        events = ConsumerEvents(log: settings.log)
        let configuration = try settings.configuration(
            defaults: Self.defaults,
            fixed: [
                // Without a name librdkafka assigns nothing; one that never subscribes is never seen by the broker as a group.
                ("group.id", group ?? "freshet-reader"),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "error"),
                ("enable.partition.eof", "true"),
                ("partition.assignment.strategy", "range"),
            ])
        events.install(in: configuration)
        client = try ClientHandle(RD_KAFKA_CONSUMER, configuration, callbackContext: events)
        connection = ConnectionWatch()
        // From here on everything, errors included, arrives in the one queue that poll reads.
        rd_kafka_poll_set_consumer(client.pointer)
        queue = rd_kafka_queue_get_consumer(client.pointer)
    }

    deinit { close() }

    /// librdkafka's settings where they differ from its own defaults, each for a measured or documented reason.
    static let defaults: [(String, String)] = [
        // Freshness: a fetch with nothing to return waits no longer than this. (An embedded broker always waits it out.)
        ("fetch.wait.max.ms", "10"),
        ("fetch.error.backoff.ms", "100"),
        // Throughput: with the default of 100,000 messages a fast consumer idles. The bytes are the real bound.
        ("queued.min.messages", "1000000"),
        ("queued.max.messages.kbytes", "65536"),
        // Large records: the answer to one fetch may hold a record beyond the fetch size, from each partition.
        ("receive.message.max.bytes", "536870912"),
        // A crashed member's partitions move within 10 s, and a change of members is noticed within 1 s.
        ("session.timeout.ms", "10000"),
        ("heartbeat.interval.ms", "1000"),
        // A broker that is silent, without an end of the connection, is noticed within 15 s.
        ("socket.keepalive.enable", "true"),
        ("socket.timeout.ms", "15000"),
        ("socket.connection.setup.timeout.ms", "10000"),
        // After an outage the wait for the next attempt does not grow to the default of 10 s.
        ("reconnect.backoff.max.ms", "2000"),
        ("topic.metadata.refresh.interval.ms", "60000"),
        ("allow.auto.create.topics", "false"),
        ("client.id", "freshet"),
    ]

    // MARK: Reading

    /// Returns up to `maxRecords` records that have arrived, waiting up to `timeoutMilliseconds` for the first one.
    ///
    /// It returns as soon as something has arrived or happened; it does not wait for the batch to fill.
    ///
    /// - Throws: ``StreamError`` where the consumer cannot go on: it was closed, or librdkafka reports a fatal error.
    public func poll(maxRecords: Int, timeoutMilliseconds: Int) throws(StreamError) -> ConsumedBatch {
        precondition(maxRecords > 0, "poll for \(maxRecords) records: at least 1")
        guard !isClosed else { throw StreamError(.closed, "The consumer was closed; make a new one.") }
        release()
        if !moves.isEmpty, !owesStart, starting.isSettled { try takeMoves() }
        let messages = UnsafeMutablePointer<ConsumedBatch.Message?>.allocate(capacity: maxRecords)
        let received = receive(into: messages, maxRecords, timeoutMilliseconds)
        var happenings: [StreamHappening] = []
        noteRebalances(&happenings)
        let kept = sift(messages, received, &happenings)
        connection.note(events.errors, sawData: kept > 0, client, &happenings)
        events.errors.removeAll(keepingCapacity: true)
        let batch = ConsumedBatch(messages: messages, count: kept, topics: topics, happenings: happenings, client: client)
        var text = [CChar](repeating: 0, count: 512)
        let fatal = rd_kafka_fatal_error(client.pointer, &text, text.count)
        if fatal != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw StreamError(fatal, "consumer", text: text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
        }
        return batch
    }

    /// Waits for one message and then takes what else is there: librdkafka's batch call waits for a full batch otherwise.
    private func receive(
        into messages: UnsafeMutablePointer<ConsumedBatch.Message?>, _ capacity: Int, _ timeoutMilliseconds: Int
    ) -> Int {
        yielding?.seeTo()
        var count = max(0, rd_kafka_consume_batch_queue(queue, 0, messages, capacity - (yielding?.share(of: capacity) ?? 0)))
        count += yielding?.receive(into: messages + count, capacity - count) ?? 0
        var waited = 0
        // In slices: a rebalance or an error served meanwhile must end the wait too.
        while count == 0 && waited < timeoutMilliseconds && events.rebalances.isEmpty && events.errors.isEmpty {
            let slice = min(yielding == nil ? 100 : 5, timeoutMilliseconds - waited)
            count = max(0, rd_kafka_consume_batch_queue(queue, Int32(slice), messages, 1))
            waited += slice
            yielding?.seeTo()
            if count == 1 && capacity > 1 && events.rebalances.isEmpty {
                count += max(0, rd_kafka_consume_batch_queue(queue, 0, messages + 1, capacity - 1))
            }
            count += yielding?.receive(into: messages + count, capacity - count) ?? 0
        }
        return count
    }

    private func noteRebalances(_ happenings: inout [StreamHappening]) {
        for rebalance in events.rebalances {
            switch rebalance {
            case .assign(let partitions):
                assignment = partitions
                owesStart = true
                forgetAll()
                happenings.append(.assigned(partitions.sorted()))
            case .revoke(let partitions, let lost):
                owesRelease = true
                owesStart = false
                assignment = []
                yielding?.take([])
                forgetAll()
                happenings.append(.revoked(partitions.sorted(), lost: lost))
            }
        }
        events.rebalances.removeAll()
        if owesStart && assignment.isEmpty {
            // Nothing to start: take the empty assignment, so that the group does not wait.
            rd_kafka_assign(client.pointer, nil)
            owesStart = false
        }
    }

    private func forgetAll() {
        moves = [:]
        if !halted.isEmpty {
            let list = PartitionList(halted.map { ($0, offset: Int64(RD_KAFKA_OFFSET_INVALID)) })
            rd_kafka_resume_partitions(client.pointer, list.pointer)
            halted = []
        }
        forgetPositions()
    }

    private func forgetPositions() {
        for index in topics.indices { topics[index].clear() }
    }

    /// Keeps the records that are this consumer's, in place; turns everything else into happenings.
    private func sift(
        _ messages: UnsafeMutablePointer<ConsumedBatch.Message?>, _ received: Int, _ happenings: inout [StreamHappening]
    ) -> Int {
        var kept = 0
        for index in 0..<received {
            guard let message = messages[index] else { continue }
            let m = message.pointee
            let topic = topicIndex(m.rkt)
            if topic != nil, m.partition >= 0 { starting.heard() }
            guard m.err == RD_KAFKA_RESP_ERR_NO_ERROR, let topic else {
                note(message, topic, &happenings)
                rd_kafka_message_destroy(message)
                continue
            }
            let expected = topics[topic][m.partition]
            // Of a partition just lost, or read before the last start.
            guard expected != TopicPositions.notOwned, m.offset >= expected else {
                rd_kafka_message_destroy(message)
                continue
            }
            if expected >= 0 && m.offset > expected {
                let partition = TopicPartition(topics[topic].name, m.partition)
                happenings.append(.gap(OffsetGap(partition: partition, expected: expected, got: m.offset)))
            }
            topics[topic][m.partition] = m.offset + 1
            messages[kept] = message
            kept += 1
        }
        return kept
    }

    /// The topic of a message by its handle, which is looked up by name once after each rebalance.
    private func topicIndex(_ handle: OpaquePointer?) -> Int? {
        guard let handle else { return nil }
        for index in topics.indices where topics[index].handle == handle { return index }
        let name = String(cString: rd_kafka_topic_name(handle))
        guard let index = topics.firstIndex(where: { $0.name == name }) else { return nil }
        topics[index].handle = handle
        return index
    }

    private func note(_ message: ConsumedBatch.Message, _ topic: Int?, _ happenings: inout [StreamHappening]) {
        let m = message.pointee
        let name = m.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        let partition = TopicPartition(name, m.partition)
        switch m.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR: break
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            guard let topic, topics[topic][m.partition] != TopicPositions.notOwned else { return }
            // A compacted or transactional tail: the end lies beyond the last record that exists.
            topics[topic][m.partition] = max(topics[topic][m.partition], m.offset)
            connection.sawBroker(&happenings)
            happenings.append(.reachedEnd(partition, offset: m.offset))
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, Self.logTruncated:
            guard let topic, topics[topic][m.partition] != TopicPositions.notOwned else { return }
            let position = topics[topic][m.partition]
            let bounds = try? client.bounds(partition, timeoutMilliseconds: 2_000)
            happenings.append(
                .offsetOutOfRange(
                    OffsetOutOfRange(partition: partition, offset: position < 0 ? nil : position, bounds: bounds)))
        default:
            let text = rd_kafka_message_errstr(message).map { String(cString: $0) }
            let place = name.isEmpty ? "consumer" : m.partition < 0 ? "topic \(name)" : "\(partition)"
            connection.trouble(StreamError(m.err, place, text: text), &happenings)
        }
    }

    /// What librdkafka 2.1 and later say where a partition lost its end to an election of a leader that was behind.
    private static let logTruncated = rd_kafka_resp_err_t(rawValue: -139)

    // MARK: Membership

    /// Begins to read at the given places: the answer to ``StreamHappening/assigned(_:)`` or to
    /// ``StreamHappening/offsetOutOfRange(_:)``.
    ///
    /// Partitions that were started before and are not named go on where they are. Assigned partitions that are never named are
    /// not read. Places in partitions that are not this consumer's are ignored: a rebalance may have taken them meanwhile.
    public func start(_ starts: [PartitionStart]) throws(StreamError) {
        guard !isClosed, !owesRelease else { return }
        let mine = Set(assignment)
        for start in starts where mine.contains(start.partition) {
            forget(start.partition)
            moves[start.partition] = start.kafkaOffset
        }
        if owesStart || starting.isSettled { try takeMoves() }
    }

    /// Reads no more of these partitions until ``start(_:)`` names a place in them. They stay this consumer's, and the others go on where
    /// they are.
    public func halt(_ partitions: [TopicPartition]) {
        for partition in partitions {
            forget(partition)
            moves[partition] = nil
        }
        // What the library reads ahead of a pause is not returned: the partitions have no place any more.
        let list = PartitionList(partitions.map { ($0, offset: Int64(RD_KAFKA_OFFSET_INVALID)) })
        rd_kafka_pause_partitions(client.pointer, list.pointer)
        halted.formUnion(partitions)
    }

    private func forget(_ partition: TopicPartition) {
        guard let index = topics.firstIndex(where: { $0.name == partition.topic }) else { return }
        topics[index].forget(partition.partition)
    }

    /// Gives the library the places of all partitions, those that move among them.
    ///
    /// An earlier giving must have taken effect: where a partition is to stop twice before it has stopped once, librdkafka 2.0 ends the
    /// process.
    private func takeMoves() throws(StreamError) {
        var places = moves
        for topic in topics {
            for partition in topic.owned {
                places[TopicPartition(topic.name, partition)] = topic[partition]
            }
        }
        let resumed = halted.filter { moves[$0] != nil }
        if !resumed.isEmpty {
            let list = PartitionList(resumed.map { ($0, offset: Int64(RD_KAFKA_OFFSET_INVALID)) })
            rd_kafka_resume_partitions(client.pointer, list.pointer)
            halted.subtract(resumed)
        }
        moves = [:]
        forgetPositions()
        for (partition, offset) in places { place(partition, at: offset) }
        let list = PartitionList(places.sorted { $0.key < $1.key }.map { ($0.key, offset: $0.value) })
        owesStart = false
        starting.began()
        let error = rd_kafka_assign(client.pointer, list.pointer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw StreamError(error, "starting \(places.count) partitions")
        }
        yielding?.take(places.keys)
    }

    /// Reads exactly the given partitions from the given places, without a group. Replaces what was assigned before.
    public func assign(_ starts: [PartitionStart]) throws(StreamError) {
        precondition(group == nil, "assign on a consumer of group \(group ?? ""): the group assigns; answer it with start")
        assignment = starts.map(\.partition)
        moves = [:]
        forgetPositions()
        try start(starts)
    }

    private func place(_ partition: TopicPartition, at offset: Int64) {
        if let index = topics.firstIndex(where: { $0.name == partition.topic }) {
            topics[index][partition.partition] = offset
        } else {
            var topic = TopicPositions(name: partition.topic)
            topic[partition.partition] = offset
            topics.append(topic)
        }
    }

    private func release() {
        guard owesRelease else { return }
        owesRelease = false
        starting.wait()
        rd_kafka_assign(client.pointer, nil)
    }

    /// Leaves the group and stops. Batches that are still alive stay valid. Calling it twice does nothing more.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        events.isClosing = true
        starting.wait()
        // A group that waits for an answer would make leaving it wait too.
        if owesRelease || owesStart { rd_kafka_assign(client.pointer, nil) }
        rd_kafka_consumer_close(client.pointer)
        rd_kafka_queue_destroy(queue)
        yielding = nil
    }
}
