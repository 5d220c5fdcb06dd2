import FeatureStore
import Features
import Intake
import Interactions
import Testing

@Suite("Changes of a shop's tables")
struct ChangeIntakeTests {
    private var intake = RecordIntake(
        rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules(), mappings: ShopTables.mappings)

    private mutating func add(_ topic: String, key: String? = nil, _ value: String?, time: EventTime? = Intakes.now) {
        let kind = RecordKind(ShopTables.mappings[topic]?.kind ?? .events)
        let origin = RecordOrigin(
            source: topic, cluster: "k", position: Position(partition: 0, offset: Int64(intake.records)), recordTime: time)
        func give(_ text: String?, _ body: (UnsafeRawBufferPointer?) -> Void) {
            guard let text else { return body(nil) }
            Array(text.utf8).withUnsafeBytes { body($0) }
        }
        give(key) { key in give(value) { value in _ = intake.add(kind, key: key, value: value, origin: origin, now: Intakes.now) } }
    }

    private static func shown(_ batch: IngestBatch) -> [String] {
        batch.items.map { change in
            switch change.change {
            case .upsert(let item): "\(item.itemID) \(item.title ?? "-") \(change.origin.recordTime?.milliseconds ?? 0)"
            case .delete(let id, let time): "delete \(id) \(time?.milliseconds ?? 0)"
            case .patch(let patch): patch.json()
            }
        }
    }

    @Test("rows are items, dated by their database; a deletion's second record, for compaction, says nothing new")
    mutating func items() {
        add("db.products", ShopTables.change("c", after: #"{"sku":"a","name":"A"}"#))
        add("db.products", ShopTables.change("u", before: #"{"sku":"a"}"#, after: #"{"sku":"a","name":"B"}"#, at: 1_790_000_001_000))
        add("db.products", key: #"{"id":5}"#, ShopTables.change("d", before: #"{"sku":"a","name":"B"}"#, at: 1_790_000_002_000))
        add("db.products", key: #"{"id":5}"#, nil)
        // Tombstones alone, of keys as converters write them.
        for key in [#"{"sku":"b"}"#, #"{"schema":{"type":"struct","fields":[]},"payload":{"sku":"c"}}"#, "d", #"{"item_id":"e"}"#] {
            add("db.products", key: key, nil)
        }
        let left = intake.leftOut, batch = intake.take(offsets: [])
        let now = Intakes.now.milliseconds
        #expect(Self.shown(batch) == [
            "a A 1790000000000", "a B 1790000001000", "delete a 1790000002000", "delete b \(now)", "delete c \(now)", "delete d \(now)",
            "delete e \(now)",
        ])
        #expect(left == 1 && batch.rejections.isEmpty)
    }

    @Test("users are deleted with the prefix of their ids, by the row or by the key")
    mutating func users() {
        add("db.customers", ShopTables.change("r", after: #"{"id":7,"country":"NL"}"#))
        add("db.customers", ShopTables.change("d", before: #"{"id":8}"#))
        add("db.customers", key: #"{"id":9}"#, ShopTables.change("d"))
        add("db.customers", key: #"{"id":10}"#, nil)
        add("db.customers", #"{"id":11,"__deleted":"true","__source_ts_ms":1790000000000}"#)
        let batch = intake.take(offsets: [])
        let deleted = batch.users.compactMap { if case .delete(let id, _) = $0.change { id } else { nil } }
        #expect(deleted == ["c-8", "c-9", "c-10", "c-11"] && batch.users.count == 5 && batch.rejections.isEmpty)
    }

    @Test("an order counts when it is paid, by its id; that its row goes takes nothing back")
    mutating func orders() {
        func order(_ status: String) -> String {
            #"{"id":1,"customer":7,"sku":"a","placed":"2026-09-21T13:33:20","total":"19.99","status":"\#(status)"}"#
        }
        add("db.orders", ShopTables.change("c", after: order("open")))
        add("db.orders", ShopTables.change("u", before: order("open"), after: order("paid")))
        add("db.orders", ShopTables.change("u", before: order("paid"), after: order("paid"), at: 1_790_000_009_000))
        add("db.orders", ShopTables.change("d", before: order("paid")))
        add("db.orders", key: #"{"id":1}"#, nil)
        let left = intake.leftOut, batch = intake.take(offsets: [])
        #expect(batch.interactions.map(\.eventID) == ["1", "1"] && batch.rejections.isEmpty && left == 3)
        #expect(Set(batch.interactions.map(\.payloadHash)).count == 1, "the second is a repetition")
        #expect(batch.interactions.first?.amountMinor == 1_999 && batch.interactions.first?.time.milliseconds == 1_789_997_600_000)
    }

    @Test("what cannot be taken is a dead letter with the record as it came, and says what to do")
    mutating func deadLetters() {
        add("db.products", key: #"{"id":5}"#, ShopTables.change("d", before: #"{"id":5,"sku":null}"#))
        add("db.products", ShopTables.change("d"))
        add("db.products", "\0\0\0\0\u{7}abc")
        add("db.products", "hello")
        add("db.products", ShopTables.change("t"))
        add("db.products", ShopTables.change("u", after: #"{"sku":"a","text":"__debezium_unavailable_value"}"#))
        add("db.customers", ShopTables.change("c", after: #"{"id":"\u0000"}"#))
        // Of 2096, where Kafka's own time is that of now.
        add("db.products", ShopTables.change("u", after: #"{"sku":"a"}"#, at: 4_000_000_000_000))
        let letters = intake.take(offsets: []).rejections
        let wanted = [
            ("missing_field item_id", "REPLICA IDENTITY FULL"), ("missing_field item_id", "neither the row as it was (before) nor a key"),
            ("malformed_json -", "set ingest.registry.url"), ("malformed_json -", #"this one is the text "hello""#),
            ("missing_field before", "the table was emptied"), ("missing_field description", "was not sent by the database"),
            ("control_character user_id", "mapped from id"),
            ("time_in_future updated_at", "the time that the change event states (source.ts_ms, else ts_ms)"),
        ]
        for (letter, (code, detail)) in zip(letters, wanted) {
            #expect("\(letter.rejection.code.rawValue) \(letter.rejection.field ?? "-")" == code)
            #expect(letter.rejection.detail.contains(detail), "\(letter.rejection.detail)")
        }
        #expect(letters.count == wanted.count && letters[3].payload == Array("hello".utf8))
    }
}
