import Bytes
import Interactions

/// Tables of a shop as Debezium sends their changes, and how they are mapped.
enum ShopTables {
    private static func from(_ path: String) -> FieldSource {
        do { return FieldSource(paths: [try RecordPath(path)]) } catch { preconditionFailure("\(path) \(error.detail)") }
    }

    private static func condition(_ path: String, _ test: TopicMapping.Condition.Test) -> TopicMapping.Condition {
        .init(path: from(path).paths[0], test)
    }

    /// By topic.
    static let mappings: [String: TopicMapping] = {
        var user = from("id")
        user.prefix = "c-"
        return [
            "db.products": TopicMapping(
                kind: .items, fields: ["item_id": from("sku"), "title": from("name"), "price": from("price"), "description": from("text")],
                format: .debezium),
            "db.customers": TopicMapping(kind: .users, fields: ["user_id": user, "attributes.country": from("country")], format: .debezium),
            "db.orders": TopicMapping(
                kind: .events, conditions: [condition("status", .isOneOf(["paid"])), condition("__op", .isNoneOf(["x"]))],
                fields: [
                    "event_id": from("id"), "user_id": from("customer"), "item_id": from("sku"), "timestamp": from("placed"),
                    "type": FieldSource(otherwise: #""purchase""#), "value": from("total"),
                ], format: .debezium),
        ]
    }()

    /// An envelope without a schema.
    static func change(_ op: String, before: String = "null", after: String = "null", at time: Int64 = 1_790_000_000_000) -> String {
        #"{"before":\#(before),"after":\#(after),"source":{"ts_ms":\#(time),"table":"t"},"op":"\#(op)","ts_ms":\#(time + 50)}"#
    }

    /// The schema of a product's envelope in Avro, as Confluent's converter writes it.
    static let productEnvelope = #"""
        {"type":"record","name":"Envelope","namespace":"db.products","fields":[
          {"name":"before","type":["null",{"type":"record","name":"Value","fields":[
            {"name":"sku","type":"string"},{"name":"name","type":["null","string"],"default":null},
            {"name":"price","type":["null",{"type":"bytes","scale":2,"precision":10,"connect.version":1,"connect.parameters":{"scale":"2"},
              "connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}],"default":null}],
            "connect.name":"db.products.Value"}],"default":null},
          {"name":"after","type":["null","Value"],"default":null},
          {"name":"source","type":{"type":"record","name":"Source","namespace":"io.debezium.connector.postgresql",
            "fields":[{"name":"ts_ms","type":"long"},{"name":"table","type":"string"}]}},
          {"name":"op","type":"string"},{"name":"ts_ms","type":["null","long"],"default":null}],"connect.name":"db.products.Envelope"}
        """#
    /// The schema of its key.
    static let productKey = #"{"type":"record","name":"Key","namespace":"db.products","fields":[{"name":"sku","type":"string"}]}"#

    /// Avro's bytes: just what these records need.
    struct Avro {
        private(set) var bytes: [UInt8]

        init(schema number: UInt32) { bytes = [0] + withUnsafeBytes(of: number.bigEndian) { Array($0) } }

        mutating func long(_ value: Int64) {
            var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
            while rest > 0x7F {
                bytes.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }

        mutating func sized(_ value: [UInt8]) {
            long(Int64(value.count))
            bytes += value
        }
    }

    private static func write(_ row: (sku: String, name: String, cents: Int16)?, to avro: inout Avro) {
        avro.long(row == nil ? 0 : 1)
        guard let row else { return }
        avro.sized(Array(row.sku.utf8))
        avro.long(1)
        avro.sized(Array(row.name.utf8))
        avro.long(1)
        avro.sized(withUnsafeBytes(of: row.cents.bigEndian) { Array($0) })
    }

    /// A change of a product in Avro.
    static func product(
        _ op: String, schema: UInt32 = 1, before: (sku: String, name: String, cents: Int16)? = nil,
        after: (sku: String, name: String, cents: Int16)? = nil, at time: Int64 = 1_790_000_000_000
    ) -> [UInt8] {
        var avro = Avro(schema: schema)
        write(before, to: &avro)
        write(after, to: &avro)
        avro.long(time)
        avro.sized(Array("products".utf8))
        avro.sized(Array(op.utf8))
        avro.long(0)
        return avro.bytes
    }

    /// A product's key in Avro.
    static func key(_ sku: String, schema: UInt32 = 2) -> [UInt8] {
        var avro = Avro(schema: schema)
        avro.sized(Array(sku.utf8))
        return avro.bytes
    }
}
