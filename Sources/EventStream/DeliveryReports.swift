import CRDKafka
import Interactions
import Synchronization

/// How many records a producer has seen delivered and failed.
public struct DeliveryCounts: Sendable, Equatable {
    /// Acknowledged by the broker.
    public var delivered: Int64 = 0
    /// Given up: refused by the broker, timed out, or purged on close.
    public var failed: Int64 = 0

    /// Makes counts.
    public init(delivered: Int64 = 0, failed: Int64 = 0) {
        self.delivered = delivered
        self.failed = failed
    }
}

/// Takes in what the broker said about each record, on librdkafka's background thread.
final class DeliveryReports: Sendable {
    /// Waits for one record's report.
    final class Waiter: Sendable {
        let continuation: CheckedContinuation<Result<Position, StreamError>, Never>
        init(_ continuation: CheckedContinuation<Result<Position, StreamError>, Never>) { self.continuation = continuation }
    }

    private struct State {
        var counts = DeliveryCounts()
        var lastFailure: StreamError?
        var lastError: StreamError?
    }

    private let state = Mutex(State())
    private let log: (@Sendable (Int32, String) -> Void)?

    init(log: (@Sendable (Int32, String) -> Void)?) { self.log = log }

    var counts: DeliveryCounts { state.withLock { $0.counts } }
    var lastFailure: StreamError? { state.withLock { $0.lastFailure } }
    var lastError: StreamError? { state.withLock { $0.lastError } }

    /// Registers the callbacks; `configuration` borrows this object, which must outlive the client.
    func install(in configuration: OpaquePointer) {
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
        rd_kafka_conf_set_background_event_cb(configuration) { _, event, opaque in
            defer { rd_kafka_event_destroy(event) }
            guard let opaque, let event else { return }
            Unmanaged<DeliveryReports>.fromOpaque(opaque).takeUnretainedValue().take(event)
        }
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, line in
            guard let opaque = rd_kafka_opaque(client) else { return }
            let reports = Unmanaged<DeliveryReports>.fromOpaque(opaque).takeUnretainedValue()
            reports.log?(level, "\(facility.map { String(cString: $0) } ?? ""): \(line.map { String(cString: $0) } ?? "")")
        }
    }

    private func take(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            var delivered: Int64 = 0
            var failed: Int64 = 0
            var failure: StreamError?
            var answers: [(waiter: Waiter, result: Result<Position, StreamError>)] = []
            while let message = rd_kafka_event_message_next(event) {
                let m = message.pointee
                let error = m.err == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : failureOf(message)
                if let error {
                    failed += 1
                    failure = error
                } else {
                    delivered += 1
                }
                if let waiting = m._private {
                    let waiter = Unmanaged<Waiter>.fromOpaque(waiting).takeRetainedValue()
                    let position = Position(partition: m.partition, offset: m.offset)
                    answers.append((waiter, error.map { .failure($0) } ?? .success(position)))
                }
            }
            // The counts first: who has its answer finds its record counted.
            state.withLock { [delivered, failed, failure] in
                $0.counts.delivered += delivered
                $0.counts.failed += failed
                if let failure { $0.lastFailure = failure }
            }
            for answer in answers { answer.waiter.continuation.resume(returning: answer.result) }
        case RD_KAFKA_EVENT_ERROR:
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
            let error = StreamError(rd_kafka_event_error(event), "Kafka producer", text: text)
            state.withLock { $0.lastError = error }
        default: break
        }
    }

    private func failureOf(_ message: UnsafePointer<rd_kafka_message_t>) -> StreamError {
        let topic = message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        return StreamError(message.pointee.err, "sending to topic \(topic)")
    }
}
