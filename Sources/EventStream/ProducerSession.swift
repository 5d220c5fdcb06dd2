import CRDKafka
import Synchronization

/// One life of a producer's client, with the handles of the topics that it sends to. Whoever sends holds it meanwhile.
final class ProducerSession: Sendable {
    private struct Handles: @unchecked Sendable {
        // Unchecked: topic handles may be used from any thread. They are freed in deinit only.
        var byTopic: [String: OpaquePointer] = [:]
    }
    /// A topic handle on its way out of the lock; librdkafka's functions on it may be called from any thread.
    private struct SendableHandle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    let client: ClientHandle
    private let handles = Mutex(Handles())

    init(_ settings: KafkaSettings, _ mode: StreamProducer.Mode, _ reports: DeliveryReports) throws(StreamError) {
        let configuration = try settings.configuration(
            defaults: StreamProducer.defaults
                + (mode == .latency ? StreamProducer.latencyDefaults : StreamProducer.throughputDefaults), fixed: [])
        reports.install(in: configuration)
        client = try ClientHandle(RD_KAFKA_PRODUCER, configuration, callbackContext: reports)
        // Delivery reports go to the library's background thread: no thread of ours only to poll.
        let main = rd_kafka_queue_get_main(client.pointer)
        let background = rd_kafka_queue_get_background(client.pointer)
        rd_kafka_queue_forward(main, background)
        rd_kafka_queue_destroy(background)
        rd_kafka_queue_destroy(main)
    }

    deinit {
        let last = handles.withLock { handles in
            defer { handles.byTopic = [:] }
            return Handles(byTopic: handles.byTopic)
        }
        for handle in last.byTopic.values { rd_kafka_topic_destroy(handle) }
    }

    /// The error after which the client sends nothing more; nil while it does.
    var endReason: StreamError? {
        // Asked before each record: the text only where there is one.
        guard rd_kafka_fatal_error(client.pointer, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        var text = [CChar](repeating: 0, count: 512)
        let error = rd_kafka_fatal_error(client.pointer, &text, text.count)
        return StreamError(error, "Kafka producer", text: text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    }

    /// Reports what waits as failed.
    func giveUp() { rd_kafka_purge(client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT) }

    /// librdkafka's handle of a topic, made on first use.
    func handle(of topic: String) throws(StreamError) -> OpaquePointer {
        let found = handles.withLock { [client] handles -> Result<SendableHandle, StreamError> in
            if let handle = handles.byTopic[topic] { return .success(SendableHandle(pointer: handle)) }
            guard let handle = rd_kafka_topic_new(client.pointer, topic, nil) else {
                return .failure(StreamError(rd_kafka_last_error(), "topic \(topic)"))
            }
            handles.byTopic[topic] = handle
            return .success(SendableHandle(pointer: handle))
        }
        return try found.get().pointer
    }
}
