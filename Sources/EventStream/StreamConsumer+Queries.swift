import CRDKafka

extension StreamConsumer {
    /// How long a question to the broker may take unless the caller says otherwise.
    public static let defaultAnswerTimeoutMilliseconds = 10_000

    /// Writes the group's offsets to Kafka, for tools that show lag. Asynchronous; a failure is not reported, since nothing
    /// here ever reads these offsets.
    ///
    /// - Parameter offsets: of each partition the offset of the next record to read.
    public func commitToBroker(_ offsets: [(partition: TopicPartition, nextOffset: Int64)]) {
        guard group != nil, !offsets.isEmpty else { return }
        let list = PartitionList(offsets.map { ($0.partition, offset: $0.nextOffset) })
        rd_kafka_commit(client.pointer, list.pointer, 1)
    }

    /// The oldest offset and the end of every partition of `topic`, asked of the broker.
    ///
    /// - Throws: ``StreamError`` with code `unreachable` or `unknownTopic`.
    /// - Complexity: one round trip a partition.
    public func endOffsets(
        _ topic: String, timeoutMilliseconds: Int = defaultAnswerTimeoutMilliseconds
    ) throws(StreamError) -> [PartitionBounds] {
        var bounds: [PartitionBounds] = []
        for partition in try partitions(topic, timeoutMilliseconds: timeoutMilliseconds) {
            bounds.append(
                try client.bounds(TopicPartition(topic, partition), timeoutMilliseconds: Int32(clamping: timeoutMilliseconds)))
        }
        return bounds
    }

    /// The oldest offset and the end of one partition, asked of its leader.
    ///
    /// - Throws: ``StreamError`` with code `unreachable` or `unknownTopic`.
    public func bounds(
        _ partition: TopicPartition, timeoutMilliseconds: Int = defaultAnswerTimeoutMilliseconds
    ) throws(StreamError) -> PartitionBounds {
        try client.bounds(partition, timeoutMilliseconds: Int32(clamping: timeoutMilliseconds))
    }

    /// The identity of each of these topics, which a topic of the same name that is made later does not have. Empty where the library
    /// (before 2.3) or the broker (before Kafka 2.8) knows none, and where the broker does not answer in time.
    public func topicIDs(_ topics: [String], timeoutMilliseconds: Int = 2_000) -> [String: String] {
        guard mayKnowTopicIDs, !topics.isEmpty, let library = TopicIdentity.ofClient else { return [:] }
        let found = library.ask(client, topics, timeoutMilliseconds: timeoutMilliseconds)
        mayKnowTopicIDs = !found.isEmpty
        return found
    }

    /// The partitions of `topic`, ascending.
    ///
    /// - Throws: ``StreamError`` with code `unreachable` or `unknownTopic`.
    public func partitions(
        _ topic: String, timeoutMilliseconds: Int = defaultAnswerTimeoutMilliseconds
    ) throws(StreamError) -> [Int32] {
        let counts = try client.partitionCounts(.all, timeoutMilliseconds: Int32(clamping: timeoutMilliseconds))
        guard let count = counts[topic], count > 0 else {
            throw StreamError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "topic \(topic)")
        }
        return (0..<Int32(count)).map { $0 }
    }

    /// The identity of the cluster, in which offsets have a meaning. It changes when an embedded broker restarts empty.
    ///
    /// Ask at every assignment and after every ``StreamHappening/reconnected``: the broker may be another one by then.
    ///
    /// - Throws: ``StreamError`` with code `unreachable`.
    public func clusterID(timeoutMilliseconds: Int = defaultAnswerTimeoutMilliseconds) throws(StreamError) -> String {
        try ClusterIdentity.ask(client, timeoutMilliseconds: timeoutMilliseconds)
    }

    /// How far each partition that is being read stands behind its end, as far as the last fetches told. Asks nobody.
    public func lag() -> [PartitionLag] {
        topics.flatMap { topic in
            topic.owned.compactMap { partition in
                var low: Int64 = 0
                var high: Int64 = 0
                let error = rd_kafka_get_watermark_offsets(client.pointer, topic.name, partition, &low, &high)
                let position = topic[partition]
                guard error == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0, position >= 0 else { return nil }
                return PartitionLag(partition: TopicPartition(topic.name, partition), position: position, end: high)
            }
        }
    }
}

extension StreamConsumer {
    /// Looks whether a topic may be read, from its end on, so that nothing is taken.
    ///
    /// - Throws: ``StreamError``, `authorization` where the user may not.
    public func tryReading(_ topic: String, timeoutMilliseconds: Int) throws(StreamError) {
        guard let first = try partitions(topic, timeoutMilliseconds: timeoutMilliseconds * 4).first else { return }
        try assign([PartitionStart(TopicPartition(topic, first), .end)])
        let batch = try poll(maxRecords: 1, timeoutMilliseconds: timeoutMilliseconds)
        for case .trouble(let error) in batch.happenings { throw error }
    }
}
