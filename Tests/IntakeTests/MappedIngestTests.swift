import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging
import TestSupport
import Testing

@Suite(
    "Two mapped topics of a kind, from Kafka to PostgreSQL", .serialized,
    .enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct MappedIngestTests {
    private let database: TestDatabase
    private let broker: EmbeddedBroker
    private let settings: IngestSettings

    init() throws {
        database = try TestDatabase()
        broker = try EmbeddedBroker(
            port: 0, partitions: 2, topics: ["shop.orders", "shop.clicks", "freshet.events", "freshet.items", "shop.dead"])
        var settings = IngestSettings(databaseURL: database.url, clock: { Intakes.wall })
        settings.kafka = KafkaSettings(
            bootstrapServers: broker.bootstrapServers,
            properties: ["session.timeout.ms": "6000", "heartbeat.interval.ms": "500"])
        settings.group = database.name
        settings.topics = ["shop.orders": .events, "shop.clicks": .events, "freshet.events": .events, "freshet.items": .items]
        settings.mappings = MappedShop.mappings
        settings.deadLetterTopic = "shop.dead"
        self.settings = settings
    }

    private func ingest() throws -> IngestRun.Totals {
        try IngestRole(settings: settings, acceptNewCluster: false, logger: Logger(label: "test"), isStopping: { false }).run(
            untilEnd: true)
    }

    private func send(_ records: [(topic: String, key: String, value: String?)]) throws {
        let producer = try StreamProducer(settings.kafka)
        for record in records {
            try producer.produce(
                topic: record.topic, key: Array(record.key.utf8), value: record.value.map { Array($0.utf8) }, whenFull: .wait)
        }
        try producer.flush(timeoutMilliseconds: 10_000)
    }

    private func events() throws -> String {
        try database.sql(
            "select string_agg(event_id || ' ' || user_id || ' ' || item_id || ' ' || type, ',' order by event_id) from interactions")
    }

    @Test("orders with lines and clicks, each in its own shape, count once, however often they come", .timeLimit(.minutes(15)))
    func once() throws {
        let orders = (1...3).map { ("shop.orders", "u\($0)", MappedShop.order("o\($0)", user: "u\($0)", lines: ["a", "shipping", "b"])) }
        let clicks = (1...2).map { ("shop.clicks", "u\($0)", MappedShop.click("c\($0)", user: "u\($0)", item: "a")) }
        let own = [("freshet.events", "u9", #"{"event_id":"own","type":"click","user_id":"u9","item_id":"a","timestamp":1790000000000}"#)]
        let left = [("shop.clicks", "u1", #"{"name":"scroll"}"#)]
        try send((orders + clicks + own + left).map { ($0, $1, $2) })
        let first = try ingest()
        #expect(first.records == 7 && first.stored == 9 && first.rejected == 0 && first.leftOut == 4)
        let stored = try events()
        #expect(stored == "c1 u1 a 1,c2 u2 a 1,o1/0 u1 a 3,o1/2 u1 b 3,o2/0 u2 a 3,o2/2 u2 b 3,o3/0 u3 a 3,o3/2 u3 b 3,own u9 a 1")
        #expect(try database.sql("select sum(amount_minor) from interactions") == "\(6 * 1_999)")
        // The shop sends all of it again, in new records.
        try send((orders + clicks).map { ($0, $1, $2) })
        let second = try ingest()
        #expect(second.records == 5 && second.stored == 0 && second.duplicates == 8)
        #expect(try events() == stored)
        // Offsets go on behind what was left out.
        #expect(try ingest().records == 0)
    }

    @Test("a bad line is a dead letter with the order as it came; sent again once the shop knows better, it adds what was missing",
        .timeLimit(.minutes(15)))
    func deadLetters() throws {
        let order = MappedShop.order("o1", user: "u1", lines: ["a", "", "b"])
        try send([("shop.orders", "u1", order), ("shop.orders", "u2", "{"), ("shop.clicks", "u3", nil)])
        let totals = try ingest()
        #expect(totals.stored == 2 && totals.rejected == 3)
        #expect(try database.sql("select convert_from(payload, 'UTF8') from dead_letters where convert_from(key, 'UTF8') = 'u1'") == order)
        #expect(try database.sql("select source || ' ' || code from dead_letters where convert_from(key, 'UTF8') = 'u1'")
            == "shop.orders missing_field")
        try send([("shop.orders", "u1", MappedShop.order("o1", user: "u1", lines: ["a", "c", "b"]))])
        let again = try ingest()
        #expect(again.stored == 1 && again.duplicates == 2 && again.rejected == 0)
        #expect(try events() == "o1/0 u1 a 3,o1/1 u1 c 3,o1/2 u1 b 3")
    }

    @Test("a trial shows what would be stored of the newest records, and stores nothing", .timeLimit(.minutes(15)))
    func trial() throws {
        try send((0..<30).map { ("shop.orders", "u\($0)", MappedShop.order("o\($0)", user: "u\($0)", lines: ["a", "shipping"])) })
        try send([("shop.orders", "u", MappedShop.order("bad", user: "u", lines: ["", "b"])), ("freshet.items", "gone", nil)])
        var settings = self.settings
        settings.databaseURL = ""
        settings.topics["shop.nowhere"] = .users
        let topics = try IngestTrial(settings: settings, isStopping: { false }).run(records: 5)
        #expect(topics.map(\.name) == ["shop.clicks", "shop.orders", "freshet.events", "freshet.items", "shop.nowhere"])
        let orders = topics[1]
        #expect(orders.isMapped && orders.recordsHeld == 31 && orders.records.count == 5 && orders.problem == nil)
        #expect(orders.records.allSatisfy { $0.understood.count == 1 })
        let bad = try #require(orders.records.first { $0.rejection != nil })
        #expect(bad.rejection?.field == "item_id")
        #expect(bad.understood.first?.contains(#""event_id":"bad/1","type":"purchase","user_id":"u","item_id":"b""#) == true)
        #expect(orders.records.filter { $0.rejection == nil }.allSatisfy { $0.leftOut == 1 })
        #expect(topics[0].records.isEmpty && !topics[2].isMapped && topics[3].records.first?.deletes == "gone")
        #expect(topics[4].records.isEmpty)
        #expect(try database.sql("select count(*) from stream_offsets") == "0")
        // The consumer finds everything as it was.
        #expect(try ingest().records == 32)
        #expect(try IngestTrial(settings: settings, isStopping: { false }).run(records: 200)[1].records.count == 31)
    }
}
