import Bytes
import Console
import EventStream
import Interactions
import Logging
import RecommendationAPI
import Recommending
import Synchronization

/// Publishes what was shown: one record an answer, keyed by the user.
///
/// Whoever may read makes the service write here, so what an answer writes is bounded: its first items, and so many items a second of
/// all answers together. Answers beyond are given and not recorded, which is counted.
package final class ImpressionFeed: Sendable {
    /// What waits for Kafka at most, in librdkafka's queue.
    package static let queueLimitKibibytes = 65_536

    /// The bounds of what is written.
    package struct Bounds: Sendable {
        /// Items of one answer that are recorded, from the first.
        package var itemsPerAnswer: Int
        /// Items a second, of all answers.
        package var itemsPerSecond: Int

        /// Both.
        package init(itemsPerAnswer: Int, itemsPerSecond: Int) {
            self.itemsPerAnswer = itemsPerAnswer
            self.itemsPerSecond = itemsPerSecond
        }
    }

    private struct Counts {
        var lost = 0
        var held = 0
        /// What Kafka has not taken, as far as it was told.
        var failed: Int64 = 0
    }

    private let producer: StreamProducer
    private let topic: String
    private let bounds: Bounds
    private let rate: RateLimit
    private let parts: PartsBoard
    private let logger: Logger
    private let counts = Mutex(Counts())

    /// A feed with a producer of its own: an outage is outlasted, and nobody waits for it.
    package init(
        _ settings: KafkaSettings, topic: String, bounds: Bounds, parts: PartsBoard, logger: Logger
    ) throws(StreamError) {
        var settings = settings
        if settings.properties["queue.buffering.max.kbytes"] == nil {
            settings.properties["queue.buffering.max.kbytes"] = String(Self.queueLimitKibibytes)
        }
        producer = try StreamProducer(settings, mode: .latency)
        self.topic = topic
        self.bounds = bounds
        rate = RateLimit(
            requestsPerSecond: bounds.itemsPerSecond, burstRequests: max(bounds.itemsPerSecond, bounds.itemsPerAnswer), callers: 1,
            now: .now)
        self.parts = parts
        self.logger = logger
    }

    /// What `/metrics` adds.
    package func gauges() -> [Gauge] {
        let counts = counts.withLock { ($0.lost, $0.held) }
        return [
            Gauge(
                name: "freshet_impressions_lost_answers_total", help: "Answers whose impressions found no room in the queue for Kafka.",
                kind: .counter, value: Double(counts.0)),
            Gauge(
                name: "freshet_impressions_held_answers_total",
                help: "Answers whose impressions were not recorded, as they were more than serve.impressions_per_second.",
                kind: .counter, value: Double(counts.1)),
            Gauge(
                name: "freshet_impressions_failed_answers_total", help: "Answers whose impressions Kafka did not take.", kind: .counter,
                value: Double(producer.counts.failed)),
        ]
    }

    /// Publishes an answer without waiting. Answers to a request that names nobody are not published.
    ///
    /// - Parameter userID: to whom it was shown; nil of somebody who does not want to be known.
    package func publish(_ answer: RecommendationAnswer, userID: String?, sessionID: String?, at now: EventTime) {
        guard !answer.items.isEmpty else { return }
        let items = answer.items.prefix(bounds.itemsPerAnswer)
        guard rate.admit(cost: items.count, now: .now) == nil else {
            let held = counts.withLock { counts in
                counts.held += 1
                return counts.held
            }
            if held == 1 || held.isMultiple(of: 10_000) {
                logger.warning(
                    "more items are shown than serve.impressions_per_second records: answers go on, what is beyond is not learned from",
                    metadata: ["answers": "\(held)"])
            }
            return
        }
        let record = Self.record(of: answer, items: items, userID: userID, sessionID: sessionID, at: now)
        do {
            try producer.produce(topic: topic, key: Array((userID ?? answer.requestID).utf8), value: record)
        } catch {
            // An answer never waits for its impressions; what is lost is counted and told, not hidden.
            lose(error)
        }
    }

    /// The record of an answer: what was shown to whom, in its order. To nobody in particular, where `userID` is nil.
    package static func record(
        of answer: RecommendationAnswer, items: ArraySlice<RecommendedItem>, userID: String?, sessionID: String?, at now: EventTime
    ) -> [UInt8] {
        var json = JSONWriter(reservingBytes: 256 + items.count * 96)
        json.object { object in
            object.field("request_id", answer.requestID)
            object.field("user_id", userID)
            if userID == nil { object.field("personalised", false) }
            object.field("timestamp", now.milliseconds)
            object.field("model_version", answer.modelVersion)
            object.field("session_id", sessionID)
            object.key("items")
            object.array { array in
                for item in items {
                    array.object { object in
                        object.field("item_id", item.itemID)
                        object.key("score")
                        object.number(item.score.isFinite ? item.score : 0)
                        object.field("reason", item.reason.rawValue)
                        if item.isExploration { object.field("exploration", true) }
                    }
                }
            }
        }
        return json.bytes
    }

    /// Tells what Kafka has not taken since this was last asked.
    package func tellFailures() {
        let failed = producer.counts.failed
        let (lost, isNews) = counts.withLock { counts in
            defer { counts.failed = failed }
            return (Int64(counts.lost) + failed, failed > counts.failed)
        }
        if isNews { tell(lost, producer.lastFailure?.message) }
    }

    private func lose(_ error: StreamError) {
        let (queued, lost) = counts.withLock { counts in
            counts.lost += 1
            return (counts.lost, Int64(counts.lost) + counts.failed)
        }
        tell(lost, error.message)
        if queued == 1 || queued.isMultiple(of: 10_000) {
            logger.warning("impressions are not published: \(error)", metadata: ["answers": "\(queued)"])
        }
    }

    private func tell(_ lost: Int64, _ problem: String?) {
        parts.update { facts in
            facts.lostImpressions = Int(clamping: lost)
            facts.impressionsLostAt = .now
            facts.impressionsProblem = problem
        }
    }
}
