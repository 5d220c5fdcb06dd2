import CRDKafka

/// Owns one librdkafka client. Destroyed when its last user lets go of it: batches hold it too, since their messages are its.
///
/// librdkafka documents every function of a client as thread-safe, apart from destroying it.
final class ClientHandle: @unchecked Sendable {
    // Unchecked: the pointer never changes and librdkafka's functions may be called from any thread; only deinit destroys it.
    let pointer: OpaquePointer
    /// What C callbacks get as their opaque pointer; kept alive at least as long as the client.
    private let callbackContext: AnyObject?

    /// Takes ownership of `configuration` and makes a client of it.
    init(
        _ kind: rd_kafka_type_t, _ configuration: OpaquePointer, callbackContext: AnyObject? = nil
    ) throws(StreamError) {
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(kind, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            let said = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            throw StreamError(.configuration, "Kafka client: \(said). Correct the settings under kafka.properties.")
        }
        pointer = client
        self.callbackContext = callbackContext
    }

    deinit { rd_kafka_destroy(pointer) }

    /// Which topics to ask the broker about. Never a single one by name: a broker may create what it is asked for.
    enum Asked {
        /// Those that the client uses already; the cheapest question.
        case known
        case all
    }

    /// Partition counts by topic.
    func partitionCounts(_ asked: Asked, timeoutMilliseconds: Int32) throws(StreamError) -> [String: Int] {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let error = rd_kafka_metadata(pointer, asked == .all ? 1 : 0, nil, &metadata, timeoutMilliseconds)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw StreamError(unanswered: error, "asking the broker for its topics")
        }
        defer { rd_kafka_metadata_destroy(metadata) }
        var counts: [String: Int] = [:]
        for index in 0..<Int(metadata.pointee.topic_cnt) {
            let entry = metadata.pointee.topics[index]
            if entry.err == RD_KAFKA_RESP_ERR_NO_ERROR { counts[String(cString: entry.topic)] = Int(entry.partition_cnt) }
        }
        return counts
    }

    /// The oldest offset and the end of a partition, asked of its leader.
    func bounds(_ partition: TopicPartition, timeoutMilliseconds: Int32) throws(StreamError) -> PartitionBounds {
        var low: Int64 = 0
        var high: Int64 = 0
        let error = rd_kafka_query_watermark_offsets(
            pointer, partition.topic, partition.partition, &low, &high, timeoutMilliseconds)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw StreamError(unanswered: error, "asking for the offsets of \(partition)")
        }
        return PartitionBounds(partition: partition.partition, low: low, high: high)
    }
}

extension StreamError {
    /// A request that timed out means, for the caller, that no broker is there.
    init(unanswered error: rd_kafka_resp_err_t, _ place: String) {
        let unreachable = [RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT].contains(error)
        self.init(unreachable ? RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN : error, place, text: unreachable ? "no broker answered" : nil)
    }
}
