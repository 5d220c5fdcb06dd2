import Bytes
import EventStream
import Foundation
import Interactions
import Logging

/// Tells of refused records on a topic of their own. The database holds them in any case: what cannot be sent only thins the topic out,
/// which the log says.
final class RejectionAnnouncer {
    /// How often the log tells of what could not be sent.
    private static let tellEvery = Duration.seconds(60)

    private let producer: StreamProducer
    private let topic: String
    private let logger: Logger
    /// Records that the producer did not take, and why the last one was not.
    private var refused: (count: Int64, why: StreamError?) = (0, nil)
    private var toldCount: Int64 = 0
    private var toldAt: ContinuousClock.Instant?

    init(producer: StreamProducer, topic: String, logger: Logger) {
        self.producer = producer
        self.topic = topic
        self.logger = logger
    }

    /// Queues them; waits for nothing.
    func announce(_ rejections: [RejectedRecord]) {
        for rejected in rejections {
            do throws(StreamError) {
                try producer.produce(topic: topic, key: rejected.key, value: Array(rejected.json().utf8))
            } catch {
                refused = (refused.count + 1, error)
            }
        }
    }

    /// Says what could not be sent, at most once a minute.
    func tellOfFailures() {
        let lost = refused.count + producer.counts.failed
        guard lost > toldCount, toldAt.map({ $0.duration(to: .now) >= Self.tellEvery }) ?? true else { return }
        let why = (refused.why ?? producer.lastFailure)?.message ?? "the broker did not take them"
        logger.warning(
            """
            \(lost - toldCount) dead letters could not be announced on topic \(topic): \(why) The database holds them: \
            freshet dead-letters list
            """)
        (toldCount, toldAt) = (lost, .now)
    }

    /// Waits a moment for what is queued.
    func finish() {
        try? producer.flush(timeoutMilliseconds: 2_000)
        toldAt = nil
        tellOfFailures()
    }
}

extension RejectedRecord {
    /// The record as the dead-letter topic carries it.
    func json() -> String {
        JSONWriter.object(reservingBytes: payload.count + 256) { object in
            object.field("source", origin.source)
            object.field("partition", origin.position.partition)
            object.field("offset", origin.position.offset)
            object.field("code", rejection.code.rawValue)
            object.field("detail", rejection.detail)
            object.field("payload_bytes", payloadBytes)
            object.field("field", rejection.field)
            object.field("payload", String(decoding: payload, as: UTF8.self))
        }
    }
}
