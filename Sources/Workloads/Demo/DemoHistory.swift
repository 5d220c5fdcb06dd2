import Console
import EventStream
import Interactions
import Simulation

/// The shop's past, sent through Kafka like everybody's events.
struct DemoHistory {
    let configuration: Configuration

    /// Sends items, users and the past log with a progress bar.
    func produce(_ shop: inout Shop, until end: EventTime) throws {
        let producer = try StreamProducer(configuration.kafkaSettings, mode: .throughput)
        let items = shop.catalogue(openedBy: end)
        let users = shop.users()
        let progress = ProgressLine("stream the shop's past into Kafka", total: items.count + users.count + DemoState.historyEvents)
        var sent = 0
        func send(_ topic: String, key: String, value: String) throws(StreamError) {
            try producer.produce(topic: topic, key: key, value: value, whenFull: .wait)
            sent += 1
            progress.update(sent)
        }
        for item in items { try send(configuration.text("topics.items"), key: item.itemID, value: item.json()) }
        for user in users { try send(configuration.text("topics.users"), key: user.userID, value: user.json()) }
        let start = EventTime(milliseconds: end.milliseconds - DemoState.historyDays * 86_400_000)
        try shop.history(events: DemoState.historyEvents, from: start, to: end) { event in
            try send(configuration.text("topics.events"), key: event.userID, value: event.json())
        }
        try producer.flush(timeoutMilliseconds: 60_000)
        progress.finish(sent)
        let failed = producer.counts.failed
        if failed > 0 { throw CommandFailure("\(failed) records of the shop's past were not acknowledged by the broker") }
    }
}
