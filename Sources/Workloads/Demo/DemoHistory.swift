import Console
import EventStream
import Interactions
import Simulation

/// The shop's past, sent through Kafka like everybody's events.
public struct DemoHistory: Sendable {
    /// Where each kind of record goes.
    public struct Topics: Sendable {
        let items: String, users: String, events: String

        /// Names the topics.
        public init(items: String, users: String, events: String) {
            self.items = items
            self.users = users
            self.events = events
        }
    }

    let kafka: KafkaSettings
    let topics: Topics

    /// Makes the past's way.
    public init(kafka: KafkaSettings, topics: Topics) {
        self.kafka = kafka
        self.topics = topics
    }

    /// Sends items, users and the past log with a progress bar.
    ///
    /// - Throws: `StreamError`; `CommandFailure` where the broker did not acknowledge all of it.
    public func produce(_ shop: inout Shop, until end: EventTime) throws {
        let producer = try StreamProducer(kafka, mode: .throughput)
        let items = shop.catalogue(openedBy: end)
        let users = shop.users()
        let progress = ProgressLine("stream the shop's past into Kafka", total: items.count + users.count + DemoState.historyEvents)
        var sent = 0
        func send(_ topic: String, key: String, value: String) throws(StreamError) {
            try producer.produce(topic: topic, key: key, value: value, whenFull: .wait)
            sent += 1
            progress.update(sent)
        }
        for item in items { try send(topics.items, key: item.itemID, value: item.json()) }
        for user in users { try send(topics.users, key: user.userID, value: user.json()) }
        let start = EventTime(milliseconds: end.milliseconds - DemoState.historyDays * 86_400_000)
        try shop.history(events: DemoState.historyEvents, from: start, to: end) { event in
            try send(topics.events, key: event.userID, value: event.json())
        }
        try producer.flush(timeoutMilliseconds: 60_000)
        progress.finish(sent)
        let failed = producer.counts.failed
        if failed > 0 { throw CommandFailure("\(failed) records of the shop's past were not acknowledged by the broker") }
    }
}
