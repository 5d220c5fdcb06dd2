import FuzzInputs
import Interactions
import Testing

/// Changes of rows as Debezium's documentation shows them.
@Suite("Debezium's change events")
struct ChangeReaderTests {
    private static func source(_ time: String = "1790000000123") -> String {
        #"{"version":"3.0.0.Final","connector":"postgresql","name":"shop","ts_ms":\#(time),"snapshot":"false","#
            + #""db":"shop","schema":"public","table":"products","lsn":24}"#
    }

    private func read(_ record: String) throws(Rejection) -> ChangeReader.Change {
        let reader = ChangeReader(rules: DecodingRules(), maxBytes: 1 << 20)
        return try withRaw(Array(record.utf8)) { bytes in Result { () throws(Rejection) in try reader.change(bytes) } }.get()
    }

    private func row(_ record: String) throws -> (json: String, time: Int64?) {
        guard case .row(let row, let time) = try read(record) else { throw Rejection(.wrongType, "no row: \(record)") }
        return (String(decoding: row, as: UTF8.self), time?.milliseconds)
    }

    private static let rest =
        #""__ts_ms":1790000000500,"__source_ts_ms":1790000000123,"__db":"shop","__schema":"public","__table":"products"}"#

    @Test("creations, updates and snapshots are the row after, with what is known of the change")
    func rows() throws {
        for op in ["c", "u", "r"] {
            let before = op == "u" ? #"{"id":1,"name":"a"}"# : "null"
            let found = try row(
                #"{"before":\#(before),"after":{"id":1,"name":"b"},"source":\#(Self.source()),"op":"\#(op)","#
                    + #""ts_ms":1790000000500,"transaction":null}"#)
            #expect(found.json == #"{"id":1,"name":"b","__op":"\#(op)",\#(Self.rest)"# && found.time == 1_790_000_000_123)
        }
        #expect(try row(#"{"after":{ },"source":{},"op":"c"}"#).json == #"{ "__op":"c"}"#)
        // A snapshot that knows no time of the source.
        #expect(try row(#"{"after":{"id":1},"source":\#(Self.source("0")),"op":"r","ts_ms":5}"#).time == 5)
    }

    @Test("deletions are the row before, or nothing where the database did not send it")
    func deletions() throws {
        let full = try read(#"{"before":{"id":1},"after":null,"source":\#(Self.source()),"op":"d","ts_ms":1790000000500}"#)
        #expect(full == .deletion(Array((#"{"id":1,"__op":"d","# + Self.rest).utf8), time: EventTime(milliseconds: 1_790_000_000_123)))
        let bare = try read(#"{"before":null,"after":null,"source":{},"op":"d","ts_ms":7}"#)
        #expect(bare == .deletion(nil, time: EventTime(milliseconds: 7)))
        #expect(try read(#"{"schema":null,"payload":null}"#) == .deletion(nil, time: nil))
    }

    @Test("flattened records are rows, and say themselves that they are gone")
    func flattened() throws {
        #expect(try row(#"{"id":1,"name":"b"}"#).json == #"{"id":1,"name":"b"}"#)
        let changed = #"{"id":1,"__deleted":"false","__op":"u","__source_ts_ms":1790000000123}"#
        #expect(try row(changed).json == changed && row(changed).time == 1_790_000_000_123)
        for gone in [#"{"id":1,"__deleted":"true"}"#, #"{"id":1,"__deleted":true}"#, #"{"id":1,"__op":"d"}"#] {
            #expect(try read(gone) == .deletion(Array(gone.utf8), time: nil))
        }
        // Columns of the table's own.
        let row = #"{"id":1,"op":"x","before":"noon","source":"web"}"#
        #expect(try self.row(row).json == row)
        // A document of MongoDB is JSON within a text.
        let document = try self.row(#"{"after":"{\"_id\":7}\n","source":{"collection":"c"},"op":"c"}"#)
        #expect(document.json == #"{"_id":7,"__op":"c","__table":"c"}"#)
    }

    private static func field(_ name: String, _ type: String, _ meaning: String? = nil, _ more: String = "") -> String {
        let named = meaning.map { #","name":"\#($0)","version":1"# } ?? ""
        return #"{"type":"\#(type)","optional":true\#(named)\#(more),"field":"\#(name)"}"#
    }

    private static let columns = [
        field("id", "int64"), field("name", "string"),
        field("price", "bytes", "org.apache.kafka.connect.data.Decimal", #","parameters":{"scale":"2","connect.decimal.precision":"10"}"#),
        field(
            "weight", "struct", "io.debezium.data.VariableScaleDecimal",
            #","fields":[{"type":"int32","field":"scale"},{"type":"bytes","field":"value"}]"#),
        field("born", "int32", "io.debezium.time.Date"), field("opens", "int64", "io.debezium.time.MicroTime"),
        field("at", "int64", "io.debezium.time.MicroTimestamp"), field("fine", "int64", "io.debezium.time.NanoTimestamp"),
        field("coarse", "int64", "io.debezium.time.Timestamp"), field("zoned", "string", "io.debezium.time.ZonedTimestamp"),
        field("doc", "string", "io.debezium.data.Json"),
        #"{"type":"array","items":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"1"}},"#
            + #""field":"list"}"#,
    ].joined(separator: ",")

    private static let envelope = #"{"type":"struct","fields":["#
        + #"{"type":"struct","fields":[\#(columns)],"optional":true,"name":"shop.public.products.Value","field":"before"},"#
        + #"{"type":"struct","fields":[\#(columns)],"optional":true,"name":"shop.public.products.Value","field":"after"},"#
        + #"{"type":"struct","fields":[{"type":"int64","field":"ts_ms"}],"name":"io.debezium.connector.postgresql.Source","#
        + #""field":"source"},"#
        + #"{"type":"string","field":"op"},{"type":"int64","optional":true,"field":"ts_ms"}],"name":"shop.public.products.Envelope"}"#

    @Test("with a schema beside it decimals are numbers, days and times texts, and JSON columns values")
    func schemas() throws {
        let after = #"{"id":1,"name":"a","price":"B88=","weight":{"scale":3,"value":"BNI="},"born":20778,"opens":28800000000,"#
            + #""at":1795248000000001,"fine":1795248000000000001,"coarse":1795248000123,"zoned":"2026-11-21T08:00:00Z","#
            + #""doc":"{\"brand\":\"Acme\"}","list":["/w==",null]}"#
        let wanted = #"{"id":1,"name":"a","price":19.99,"weight":1.234,"born":"2026-11-21","opens":"08:00:00","#
            + #""at":"2026-11-21T08:00:00.000001","#
            + #""fine":"2026-11-21T08:00:00.000000001","coarse":"2026-11-21T08:00:00.123","#
            + #""zoned":"2026-11-21T08:00:00Z","doc":{"brand":"Acme"},"#
            + #""list":[-0.1,null],"__op":"c","__ts_ms":2,"__source_ts_ms":1}"#
        let payload = #"{"before":null,"after":\#(after),"source":{"ts_ms":1},"op":"c","ts_ms":2}"#
        // In either order, and again by the schema that is kept.
        for record in [
            #"{"schema":\#(Self.envelope),"payload":\#(payload)}"#, #"{"payload":\#(payload),"schema":\#(Self.envelope)}"#,
            #"{"schema":\#(Self.envelope),"payload":\#(payload)}"#,
        ] { #expect(try row(record).json == wanted) }
        let flat = #"{"schema":{"type":"struct","fields":[\#(Self.columns)]},"payload":{"id":2,"price":"AA==","born":null,"new":{"a":1}}}"#
        #expect(try row(flat).json == #"{"id":2,"price":0.00,"born":null,"new":{"a":1}}"#)
        // One whose schema was taken away is read as well.
        #expect(try row(#"{"payload":{"before":null,"after":{"id":3},"source":{"ts_ms":1},"op":"c","ts_ms":2}}"#).json
                == #"{"id":3,"__op":"c","__ts_ms":2,"__source_ts_ms":1}"#)
        // Without a schema of the payload it stays as it is; so does a decimal that the converter wrote as a number.
        #expect(try row(#"{"schema":null,"payload":{"price":"B88="}}"#).json == #"{"price":"B88="}"#)
        #expect(try row(#"{"schema":{"type":"struct","fields":[\#(Self.columns)]},"payload":{"price":19.99}}"#).json == #"{"price":19.99}"#)
    }

    @Test("keys are what stands beside their schema")
    func keys() {
        let reader = ChangeReader(rules: DecodingRules(), maxBytes: 1 << 20)
        func key(_ text: String) -> String? { withRaw(Array(text.utf8)) { reader.key($0) }.map { String(decoding: $0, as: UTF8.self) } }
        #expect(key(#"{"schema":{"type":"struct","fields":[{"type":"int32","field":"id"}]},"payload":{"id":7}}"#) == #"{"id":7}"#)
        #expect(key(#"{"schema":{"type":"string"},"payload":"i9"}"#) == #""i9""#)
        #expect(key(#"{"id":7}"#) == nil && key("i9") == nil && key("{") == nil)
    }

    @Test("what is no change of a row is told by what it looks like; messages say nothing")
    func strangers() throws {
        func refused(_ record: String) -> String? {
            do throws(Rejection) {
                _ = try read(record)
                return nil
            } catch {
                return "\(error.code.rawValue) \(error.detail)"
            }
        }
        #expect(refused(#"{"op":"x","after":{},"source":{}}"#)?.contains("knows c, u, d, r, t and m") == true)
        for op in ["upsert", "cc", "é", ""] {
            let words = refused(#"{"op":"\#(op)","after":{},"source":{}}"#)
            #expect(words?.hasPrefix("unknown_type is \"\(op)\", but") == true, "\(words ?? op)")
        }
        #expect(refused(#"{"op":"c","after":null,"source":{}}"#)?.contains("there is no row") == true)
        #expect(refused(#"{"op":"c","after":7,"source":{}}"#)?.contains("the row must be an object") == true)
        #expect(refused(#"{"op":"t","source":{},"ts_ms":1}"#)?.contains("the table was emptied") == true)
        #expect(refused(#"{"source":{},"ddl":"DROP TABLE a","ts_ms":1}"#)?.contains("a changed schema") == true)
        #expect(refused(#"{"status":"BEGIN","id":"1","event_count":null,"data_collections":null}"#)?.contains("a transaction") == true)
        #expect(refused(#"{"ts_ms":1}"#)?.contains("heartbeat") == true)
        for value in ["7", #"{"schema":null,"payload":7}"#] { #expect(refused(value)?.hasPrefix("not_an_object") == true) }
        #expect(refused("{")?.hasPrefix("malformed_json") == true && refused("")?.hasPrefix("malformed_json") == true)
        #expect(try read(#"{"op":"m","ts_ms":1,"source":{},"message":{"prefix":"a","content":"Ynk="}}"#) == .message)
    }

    @Test("a value that the database did not send is not taken for a value")
    func unavailable() {
        let mapping = TopicMapping(
            kind: .items, fields: ["item_id": Mapped.from("id"), "description": Mapped.from("text"), "attributes.x": Mapped.from("x")],
            format: .debezium)
        let missing = "__debezium_unavailable_value"
        #expect(Mapped.all(mapping, #"{"id":1,"text":"\#(missing)"}"#) == ["refused missing_field description"])
        let encoded = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
        #expect(Mapped.all(mapping, #"{"id":1,"text":"\#(encoded)"}"#) == ["refused missing_field description"])
        #expect(Mapped.all(mapping, #"{"id":1,"x":["\#(missing)"]}"#) == ["refused missing_field x"])
        // What nobody reads may be missing.
        #expect(Mapped.all(mapping, #"{"id":1,"text":"a","other":"\#(missing)"}"#) == [#"{"item_id":1,"description":"a"}"#])
    }

    @Test("times are read by their schema whatever the unit, local ones by the zone, else as UTC; a scale makes numbers of base64")
    func fields() {
        var time = Mapped.from("$.at"), price = Mapped.from("p")
        time.unit = .microseconds
        price.scale = 2
        func all(_ record: String, zone: LocalZone? = nil) -> [String] {
            time.zone = zone
            if zone != nil { time.unit = nil }
            var mapping = Mapped.events(["timestamp": time, "value": price])
            mapping.format = .debezium
            return Mapped.all(mapping, #"{"id":"e","u":"u","i":"i","t":"click",\#(record)}"#)
        }
        func event(_ time: Int64, _ value: String = "") -> [String] {
            [#"{"event_id":"e","type":"click","user_id":"u","item_id":"i","timestamp":\#(time)\#(value)}"#]
        }
        #expect(all(#""at":1795248000123456"#) == event(1_795_248_000_123))
        #expect(all(#""at":"2026-11-21T08:00:00Z""#) == event(1_795_248_000_000))
        #expect(all(#""at":"2026-11-21T08:00:00.5""#) == event(1_795_248_000_500) && all(#""at":"2026-11-21""#) == event(1_795_219_200_000))
        let zone = LocalZone(name: "+01:00", periods: [.init(start: EventTime(milliseconds: 0), offsetSeconds: 3_600)])
        #expect(all(#""at":"2026-11-21T08:00:00""#, zone: zone) == event(1_795_244_400_000))
        #expect(all(#""at":1,"p":"B88=""#)[0].hasSuffix(#","value":19.99}"#) && all(#""at":1,"p":5"#)[0].hasSuffix(#","value":5}"#))
        #expect(all(#""at":"2026-11-21","p":"?""#) == ["refused wrong_type value"])
    }

    @Test("any bytes are a change, a deletion, or are refused with a reason")
    func fuzz() async {
        let payload = #"{"before":{"id":1},"after":{"id":1,"price":"B88=","at":1795248000000001},"source":{"ts_ms":1},"op":"u","ts_ms":2}"#
        let seeds = [
            payload, #"{"schema":\#(Self.envelope),"payload":\#(payload)}"#, #"{"id":1,"__deleted":"true"}"#,
        ].map { Array($0.utf8) }
        let decoder = RecordDecoder(rules: DecodingRules(maxDepth: 64))
        let report = await FuzzDoor("kafka.changes.values", short: 6_000, long: 2_000_000).run { source, _ in
            var bytes = source.pick(seeds)
            source.mutate(&bytes, times: source.below(4))
            let reader = ChangeReader(rules: DecodingRules(), maxBytes: 1 << 20)
            switch withRaw(bytes, { bytes in Result { () throws(Rejection) in try reader.change(bytes) } }) {
            case .failure(let rejection): return rejection.detail.isEmpty ? .broken("no reason") : .refused
            case .success(.row(let row, _)), .success(.deletion(let row?, _)):
                if case .success(.object) = row.withUnsafeBytes({ decoder.tree($0, maxBytes: 1 << 20) }) { return .accepted }
                return .broken("the row is no object: \(String(decoding: row, as: UTF8.self))")
            case .success: return .accepted
            }
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }
}
