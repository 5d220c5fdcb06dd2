import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging
import TestSupport
import Testing

@Suite(
    "One consumer from Kafka to PostgreSQL", .serialized,
    .enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct IngestTests {
    private let database: TestDatabase
    private let broker: EmbeddedBroker
    private let settings: IngestSettings

    init() throws {
        database = try TestDatabase()
        let topics: [RecordKind: String] = Dictionary(uniqueKeysWithValues: RecordKind.allCases.map { ($0, "t.\($0.rawValue)") })
        broker = try EmbeddedBroker(port: 0, partitions: 1, topics: topics.values.sorted() + ["t.dead"])
        var settings = IngestSettings(databaseURL: database.url, clock: { Intakes.wall })
        settings.kafka = KafkaSettings(
            bootstrapServers: broker.bootstrapServers,
            properties: ["session.timeout.ms": "6000", "heartbeat.interval.ms": "500"])
        settings.group = database.name
        settings.topics = Dictionary(uniqueKeysWithValues: topics.map { ($1, $0) })
        settings.deadLetterTopic = "t.dead"
        self.settings = settings
    }

    private func ingest() throws -> IngestRun.Totals {
        try IngestRole(settings: settings, acceptNewCluster: false, logger: Logger(label: "test"), isStopping: { false }).run(
            untilEnd: true)
    }

    private func send(_ records: [(kind: RecordKind, key: [UInt8]?, value: String?)]) throws {
        let producer = try StreamProducer(settings.kafka)
        for record in records {
            try producer.produce(
                topic: "t.\(record.kind.rawValue)", key: record.key, value: record.value.map { Array($0.utf8) }, whenFull: .wait)
        }
        try producer.flush(timeoutMilliseconds: 10_000)
    }

    @Test("keys that are no ids end nothing: each is a dead letter, and what lies around them is stored", .timeLimit(.minutes(15)))
    func keys() throws {
        let framed: [UInt8] = [0, 0, 0, 0, 7] + Array("i9".utf8)
        var records: [(kind: RecordKind, key: [UInt8]?, value: String?)] = []
        for (number, key) in [framed, nil, [], [0xFF, 0xFE], Array("a\u{0}b".utf8), [UInt8](repeating: 0x61, count: 3_000)].enumerated() {
            records.append((.items, Array("i\(number)".utf8), #"{"item_id":"i\#(number)"}"#))
            records.append((.items, key, nil))
            records.append((.users, Array("u\(number)".utf8), #"{"user_id":"u\#(number)"}"#))
            records.append((.users, key, nil))
            records.append(
                (.events, Array("u\(number)".utf8), #"{"type":"click","user_id":"u","item_id":"i\#(number)","timestamp":1790000000000}"#))
            records.append((.events, key, nil))
            records.append((.impressions, key, nil))
        }
        records.append((.items, Array("i5".utf8), nil))
        try send(records)
        let totals = try ingest()
        #expect(totals.records == records.count && totals.stored == 6 && totals.rejected == 24)
        #expect(try database.sql("select string_agg(item_id, ',' order by 1) from items where not deleted") == "i0,i1,i2,i3,i4")
        #expect(try database.sql("select count(*) from users") == "6")
        #expect(try database.sql("select count(*) from interactions") == "6")
        #expect(try database.sql("select count(*) from dead_letters") == "24")
        // The next start goes on behind them.
        try send([(.items, Array("late".utf8), #"{"item_id":"late"}"#)])
        let next = try ingest()
        #expect(next.records == 1 && next.rejected == 0)
    }

    @Test("a record that the database refuses ends nothing either", .timeLimit(.minutes(15)))
    func refusedByDatabase() throws {
        try database.sql("alter table items add constraint mine check (item_id <> 'bad')")
        try send(["a", "bad", "b"].map { (.items, Array($0.utf8), #"{"item_id":"\#($0)"}"#) })
        let totals = try ingest()
        #expect(totals.items == 2 && totals.rejected == 1)
        #expect(try database.sql("select source, code, convert_from(key, 'UTF8') from dead_letters") == "t.items|refused_by_database|bad")
        #expect(try ingest().records == 0)
    }
}
