import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging
import TestSupport
import Testing

@Suite(
    "Avro and Debezium from Kafka to PostgreSQL, with a schema registry", .serialized,
    .enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)), .timeLimit(.minutes(15)))
struct FormatIngestTests {
    private let database: TestDatabase
    private let broker: EmbeddedBroker
    private let settings: IngestSettings

    init() throws {
        database = try TestDatabase()
        broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["db.products", "db.customers", "db.orders", "shop.dead"])
        var settings = IngestSettings(databaseURL: database.url, clock: { Intakes.wall })
        settings.kafka = KafkaSettings(
            bootstrapServers: broker.bootstrapServers,
            properties: ["session.timeout.ms": "6000", "heartbeat.interval.ms": "500"])
        settings.group = database.name
        settings.topics = ShopTables.mappings.mapValues { RecordKind($0.kind) }
        settings.mappings = ShopTables.mappings
        settings.deadLetterTopic = "shop.dead"
        self.settings = settings
    }

    private func send(_ records: [(topic: String, key: [UInt8], value: [UInt8]?)]) throws {
        let producer = try StreamProducer(settings.kafka)
        for record in records { try producer.produce(topic: record.topic, key: record.key, value: record.value, whenFull: .wait) }
        try producer.flush(timeoutMilliseconds: 10_000)
    }

    private func ingest(_ settings: IngestSettings) throws -> IngestRun.Totals {
        try IngestRole(settings: settings, acceptNewCluster: false, logger: Logger(label: "test"), isStopping: { false }).run(
            untilEnd: true)
    }

    private func items() throws -> String {
        try database.sql(
            "select string_agg(item_id || ' ' || title || ' ' || price_micros, ',' order by item_id) from items where not deleted")
    }

    @Test("products in Avro, customers and orders in JSON: rows are items, users and purchases, each once, and deletions delete")
    func walk() async throws {
        try await RegistryServer.run { registry, place in
            registry.add(1, ShopTables.productEnvelope)
            registry.add(2, ShopTables.productKey)
            var settings = settings
            settings.registry = place
            settings.registry?.login = ("shop", "se:cret")
            func order(_ status: String) -> String {
                #"{"id":1,"customer":"c-7","sku":"a","placed":"2026-09-21T13:33:20Z","total":19.99,"status":"\#(status)"}"#
            }
            func text(_ text: String) -> [UInt8] { Array(text.utf8) }
            let records: [(topic: String, key: [UInt8], value: [UInt8]?)] = [
                ("db.products", ShopTables.key("a"), ShopTables.product("r", after: ("a", "Apple", 199))),
                ("db.products", ShopTables.key("b"), ShopTables.product("c", after: ("b", "Beet", 250))),
                (
                    "db.products", ShopTables.key("a"),
                    ShopTables.product("u", before: ("a", "Apple", 199), after: ("a", "Apple!", 189), at: 1_790_000_001_000)
                ),
                // Older than what is stored.
                ("db.products", ShopTables.key("a"), ShopTables.product("u", after: ("a", "Old", 1), at: 1_780_000_000_000)),
                ("db.products", ShopTables.key("b"), ShopTables.product("d", before: ("b", "Beet", 250), at: 1_790_000_002_000)),
                ("db.products", ShopTables.key("b"), nil),
                ("db.customers", text(#"{"id":7}"#), text(ShopTables.change("c", after: #"{"id":7,"country":"NL"}"#))),
                ("db.orders", text(#"{"id":1}"#), text(ShopTables.change("c", after: order("open")))),
                ("db.orders", text(#"{"id":1}"#), text(ShopTables.change("u", after: order("paid")))),
                ("db.orders", text(#"{"id":1}"#), text(ShopTables.change("d", before: order("paid")))),
            ]
            try send(records)
            let first = try ingest(settings)
            #expect(first.records == 10 && first.stored == 1 && first.rejected == 0 && first.leftOut == 3, "\(first)")
            #expect(try items() == "a Apple! 1890000")
            #expect(try database.sql("select user_id || ' ' || (attributes->>'country') from users") == "c-7 NL")
            #expect(try database.sql("select event_id || ' ' || amount_minor from interactions") == "1 1999")
            // The connector begins anew and sends everything again.
            try send(records)
            let second = try ingest(settings)
            #expect(second.stored == 0 && second.duplicates == 1 && second.rejected == 0, "\(second)")
            #expect(try items() == "a Apple! 1890000")
            // Each schema was asked for once a run.
            #expect(registry.asked.filter { $0 == "/schemas/ids/1" }.count == 2 && registry.logins == ["Basic c2hvcDpzZTpjcmV0"])
        }
    }

    @Test("a schema that is not there yet is waited for, the other topics go on, and nothing is lost or taken twice")
    func waiting() async throws {
        try await RegistryServer.run { registry, place in
            registry.isAway = true
            registry.add(2, ShopTables.productKey)
            var settings = settings
            settings.registry = place
            try send([
                ("db.products", ShopTables.key("a"), ShopTables.product("c", after: ("a", "Apple", 199))),
                ("db.products", ShopTables.key("b"), ShopTables.product("c", after: ("b", "Beet", 250))),
                ("db.customers", Array("7".utf8), Array(ShopTables.change("c", after: #"{"id":7}"#).utf8)),
            ])
            let log = LogLines()
            let role = IngestRole(settings: settings, acceptNewCluster: false, logger: log.logger, isStopping: { false })
            let ending = Thread {
                _ = eventually(within: 60) { (try? database.sql("select count(*) from stream_offsets where halted like '%503%'")) == "1" }
                // The registry comes back, first without the schema.
                registry.isAway = false
                _ = eventually(within: 60) { registry.asked.filter { $0 == "/schemas/ids/1" }.count > 5 }
                registry.add(1, ShopTables.productEnvelope)
            }
            ending.start()
            let totals = try role.run(untilEnd: true)
            #expect(totals.records == 3 && totals.items == 2 && totals.users == 1 && totals.rejected == 0, "\(totals)")
            #expect(try items() == "a Apple 1990000,b Beet 2500000")
            #expect(try database.sql("select count(*) from stream_offsets where halted is not null") == "0")
            let wait = "db.products[0] waits at offset 0 for schema 1: the schema registry answers /schemas/ids/1 with status 503 "
                + "(out for lunch)"
            let told = log.lines.joined(separator: "\n")
            #expect(told.contains(wait), "\(told)")
            #expect(told.contains("goes on at offset 0: schema 1 is there"))
        }
    }

    @Test("a run to the end gives up where a schema stays away, after everything else is stored, and says so; so does a trial")
    func givingUp() async throws {
        try await RegistryServer.run { registry, place in
            var settings = settings
            settings.registry = place
            settings.schemaPatienceSeconds = 1
            try send([
                ("db.products", ShopTables.key("a"), ShopTables.product("c", after: ("a", "Apple", 199))),
                ("db.customers", Array("7".utf8), Array(ShopTables.change("c", after: #"{"id":7}"#).utf8)),
            ])
            let error = #expect(throws: IntakeError.self) { try ingest(settings) }
            let wait = "db.products[0] waits at offset 0 for schema 1: the schema registry knows no schema 1 (Schema not found)"
            #expect(error?.message.contains(wait) == true, "\(error?.message ?? "")")
            #expect(try database.sql("select count(*) from users") == "1")
            let topics = try IngestTrial(settings: settings, isStopping: { false }).run(records: 5)
            let product = try #require(topics.first { $0.name == "db.products" }?.records.first)
            #expect(product.waits?.contains("knows no schema 1") == true && product.understood.isEmpty && product.rejection == nil)
            registry.add(1, ShopTables.productEnvelope)
            registry.add(2, ShopTables.productKey)
            let understood = try IngestTrial(settings: settings, isStopping: { false }).run(records: 5)
            #expect(understood.first { $0.name == "db.products" }?.records.first?.understood.first?.contains(#""price":1.99"#) == true)
            #expect(try ingest(settings).items == 1)
        }
    }

    @Test("schemas that cannot be used make dead letters, and so does a number that a registry which knows others does not know for long")
    func unusable() async throws {
        try await RegistryServer.run { registry, place in
            registry.add(1, #"{"type":"record","name":"A","fields":[{"name":"b","type":"B"}]}"#)
            registry.add(2, "syntax = 'proto3';", type: "PROTOBUF")
            registry.add(3, #"{"type":"object"}"#, type: "JSON")
            registry.add(
                4, #"{"type":"record","name":"A","fields":[{"name":"b","type":"B"}]}"#,
                references: #"[{"name":"B","subject":"b c","version":3}]"#)
            registry.answer(
                "/subjects/b%20c/versions/3",
                #"{"subject":"b c","version":3,"id":9,"schema":"{\"type\":\"fixed\",\"name\":\"B\",\"size\":2}"}"#)
            registry.answer("/schemas/ids/6", "<html>")
            let schemas = try SchemaRegistry(place, unknownPatience: .zero)
            func standing(_ number: Int32) -> String {
                switch schemas.wait(for: number, atMost: .milliseconds(900)) {
                case .known(.avro): "avro"
                case .known(.json): "json"
                case .refused(let why): "refused: \(why)"
                case .awaited(let why): "awaited: \(why ?? "-")"
                }
            }
            #expect(standing(5).hasPrefix("awaited: the schema registry knows no schema 5"), "nothing says that it is the right registry")
            #expect(standing(1) == #"refused: schema 1 of the registry uses the type "B", which nothing before it defines"#)
            #expect(standing(2).hasPrefix("refused: schema 2 is of type PROTOBUF") && standing(3) == "json" && standing(4) == "avro")
            #expect(standing(5).hasPrefix("refused: the schema registry knows no schema 5"))
            #expect(standing(6).contains("something else than JSON"))
        }
        let away = try SchemaRegistry(SchemaRegistry.Settings(url: "http://127.0.0.1:1"))
        #expect(throws: IntakeError.self) { try SchemaRegistry(SchemaRegistry.Settings(url: "registry:8081")) }
        if case .awaited(nil) = away.standing(of: 1) {} else { Issue.record("it answers") }
    }
}
