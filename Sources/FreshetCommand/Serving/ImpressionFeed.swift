import EventStream
import Interactions
import Logging
import Recommending
import Synchronization

/// Publishes what was shown: one record an answer, keyed by the user.
final class ImpressionFeed: Sendable {
    private let producer: StreamProducer
    private let topic: String
    private let logger: Logger
    private let lost = Mutex(0)

    init(producer: StreamProducer, topic: String, logger: Logger) {
        self.producer = producer
        self.topic = topic
        self.logger = logger
    }

    /// Answers whose impressions found the producer's queue full.
    var lostAnswers: Int { lost.withLock { $0 } }

    /// Publishes an answer without waiting. Answers for nobody in particular are not published.
    func publish(_ answer: RecommendationAnswer, userID: String, sessionID: String?, at now: EventTime) {
        guard !answer.items.isEmpty else { return }
        var json = "{\"request_id\":\(JSONText.quoted(answer.requestID)),\"user_id\":\(JSONText.quoted(userID))"
        json += ",\"timestamp\":\(now.milliseconds)"
        if let version = answer.modelVersion { json += ",\"model_version\":\(version)" }
        if let sessionID { json += ",\"session_id\":\(JSONText.quoted(sessionID))" }
        json += ",\"items\":["
        for (slot, item) in answer.items.enumerated() {
            if slot > 0 { json += "," }
            json += "{\"item_id\":\(JSONText.quoted(item.itemID)),\"score\":\(item.score.isFinite ? item.score : 0)"
            json += ",\"reason\":\"\(item.reason.rawValue)\"\(item.isExploration ? ",\"exploration\":true" : "")}"
        }
        json += "]}"
        do {
            try producer.produce(topic: topic, key: Array(userID.utf8), value: Array(json.utf8))
        } catch {
            // An answer never waits for its impressions; what is lost is counted and told, not hidden.
            let count = lost.withLock { lost in
                lost += 1
                return lost
            }
            if count == 1 || count.isMultiple(of: 10_000) {
                logger.warning("impressions are not published: \(error)", metadata: ["answers": "\(count)"])
            }
        }
    }
}
