import AvroRecords
import FuzzInputs
import Testing

@Suite("Avro's binary encoding as JSON")
struct AvroDecoderTests {
    private func json(_ schema: String, _ bytes: [UInt8], references: [String] = [], most: Int = 1 << 20) throws(AvroProblem) -> String {
        let schema = try AvroSchema(schema, references: references)
        return try bytes.withUnsafeBufferPointer { (bytes) throws(AvroProblem) in
            String(decoding: try AvroDecoder(maxTextBytes: most).json(UnsafeRawBufferPointer(bytes), by: schema), as: UTF8.self)
        }
    }

    private func problem(_ schema: String, _ bytes: [UInt8] = [], references: [String] = [], most: Int = 1 << 20) -> AvroProblem? {
        do throws(AvroProblem) {
            _ = try json(schema, bytes, references: references, most: most)
            return nil
        } catch {
            return error
        }
    }

    @Test("values of any schema are as they were written, in whichever blocks")
    func roundTrip() throws {
        for index in 0..<3_000 {
            var source = FuzzSource(seed: 7, index: index), names = 0
            let shape = AvroShape.any(&source, depth: 5, &names)
            var encoder = AvroEncoder()
            let wanted = shape.draw(&source, &encoder)
            let found = try json(shape.schema, encoder.bytes)
            try #require(found == wanted, "\(index): \(shape.schema)")
        }
    }

    @Test("examples of the specification")
    func specified() throws {
        #expect(try json(#""long""#, [0x01]) == "-1" && json(#""long""#, [0x80, 0x01]) == "64" && json("long", [0x7F]) == "-64")
        #expect(try json(#""string""#, [0x06, 0x66, 0x6F, 0x6F]) == #""foo""#)
        let record = #"{"type":"record","name":"test","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}"#
        #expect(try json(record, [0x36, 0x06, 0x66, 0x6F, 0x6F]) == #"{"a":27,"b":"foo"}"#)
        #expect(try json(#"{"type":"array","items":"long"}"#, [0x04, 0x06, 0x36, 0x00]) == "[3,27]")
        #expect(try json(#"["null","string"]"#, [0x02, 0x02, 0x61]) == #""a""# && json(#"["null","string"]"#, [0x00]) == "null")
        #expect(try json(#""long""#, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]) == "-9223372036854775808")
    }

    @Test("logical types, and those of Kafka Connect and Debezium, say what numbers and bytes mean")
    func meanings() throws {
        func value(_ type: String, _ write: (inout AvroEncoder) -> Void) throws -> String {
            var encoder = AvroEncoder()
            write(&encoder)
            return try json(type, encoder.bytes)
        }
        func connect(_ type: String, _ name: String, _ more: String = "") -> String {
            #"{"type":"\#(type)","connect.version":1,"connect.name":"\#(name)"\#(more)}"#
        }
        let number = { (value: Int64) in { (encoder: inout AvroEncoder) in encoder.long(value) } }
        let sized = { (bytes: [UInt8]) in { (encoder: inout AvroEncoder) in encoder.sized(bytes) } }
        #expect(try value(#"{"type":"int","logicalType":"time-millis"}"#, number(28_800_500)) == #""08:00:00.500""#)
        #expect(try value(#"{"type":"long","logicalType":"timestamp-nanos"}"#, number(1)) == #""1970-01-01T00:00:00.000000001Z""#)
        #expect(try value(#"{"type":"long","logicalType":"timestamp-millis"}"#, number(.max)) == "\(Int64.max)")
        #expect(try value(#"{"type":"int","logicalType":"nonsense"}"#, number(5)) == "5")
        #expect(try value(#"{"type":"string","logicalType":"decimal","scale":2}"#, sized([0x31])) == #""1""#)
        #expect(try value(connect("int", "io.debezium.time.Date"), number(0)) == #""1970-01-01""#)
        #expect(try value(connect("long", "io.debezium.time.MicroTimestamp"), number(1_500)) == #""1970-01-01T00:00:00.001500""#)
        #expect(try value(connect("long", "io.debezium.time.NanoTime"), number(0)) == #""00:00:00""#)
        let scale = #","connect.parameters":{"scale":"2"}"#
        #expect(try value(connect("bytes", "org.apache.kafka.connect.data.Decimal", scale), sized([0x07, 0xCF])) == "19.99")
        #expect(try value(connect("string", "io.debezium.data.Json"), sized(Array(#"{"a":[1]}"#.utf8))) == #"{"a":[1]}"#)
        #expect(try value(connect("string", "io.debezium.data.Json"), sized(Array(#"{"a":"#.utf8))) == #""{\"a\":""#)
        let variable = #"{"type":"record","name":"V","connect.name":"io.debezium.data.VariableScaleDecimal","#
            + #""fields":[{"name":"scale","type":"int"},{"name":"value","type":"bytes"}]}"#
        #expect(try value(variable) { $0.long(1); $0.sized([0xFF]) } == "-0.1")
        let uuid = (0..<16).map { UInt8($0) }
        #expect(
            try value(#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#) { $0.raw(uuid) }
                == #""00010203-0405-0607-0809-0a0b0c0d0e0f""#)
        let long = [UInt8](repeating: 0x7F, count: 20)
        #expect(
            try value(#"{"type":"bytes","logicalType":"decimal","precision":50,"scale":3}"#, sized(long))
                == "727885129180488904360266563744972327436484050.815")
        #expect(try value("double") { $0.double(.nan) } == #""nan""# && value("float") { $0.float(1.1) } == "1.1")
    }

    @Test("names are found in their namespaces, in what contains them, and in schemas that are referred to")
    func names() throws {
        let node = #"{"type":"record","name":"Node","namespace":"n","fields":[{"name":"v","type":"int"},"#
            + #"{"name":"next","type":["null","Node"]}]}"#
        #expect(try json(node, [0x02, 0x02, 0x04, 0x00]) == #"{"v":1,"next":{"v":2,"next":null}}"#)
        let order = #"{"type":"record","name":"shop.Order","fields":[{"name":"to","type":"Address"},"#
            + #"{"name":"from","type":"shop.Address"}]}"#
        let address = #"{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"zip","type":"string"}]}"#
        #expect(try json(order, [0x02, 0x61, 0x02, 0x62], references: [address]) == #"{"to":{"zip":"a"},"from":{"zip":"b"}}"#)
        #expect(problem(order)?.detail == #"uses the type "Address", which nothing before it defines"#)
        #expect(problem(address, references: [address])?.detail == #"defines "shop.Address" twice"#)
    }

    @Test("what is no schema is refused with what is wrong")
    func badSchemas() {
        for (schema, detail) in [
            ("{", "is no JSON"), ("7", "has a number where a type is wanted"), ("[]", "a union without branches"),
            (#"[["int"]]"#, "union within"),
            (#"{"type":"record","name":"A"}"#, "a record without fields"), (#"{"type":"enum","name":"A"}"#, "an enum without symbols"),
            (#"{"type":"array"}"#, "an array without items"), (#"{"name":"a"}"#, "an object without a type"),
            (#"{"type":"fixed","name":"F","size":-1}"#, "size"), (#"{"type":"fixed","name":"F","size":99999999}"#, "size"),
            (#"{"type":"record","name":"A","fields":[{"name":"b"}]}"#, "a field without"),
            (#"{"type":"bytes","logicalType":"decimal","scale":101}"#, "scale 101"),
            ("\"" + String(repeating: "a", count: 1 << 20) + "\"", "bytes"),
            (String(repeating: "[", count: 200), "is no JSON"),
        ] {
            let found = problem(schema)
            #expect(found?.code == .schema && found?.detail.contains(detail) == true, "\(schema.prefix(80)): \(found?.detail ?? "taken")")
        }
        let many = (0...AvroSchema.typesLimit).map { #"{"name":"f\#($0)","type":"int"}"# }.joined(separator: ",")
        #expect(problem(#"{"type":"record","name":"A","fields":[\#(many)]}"#)?.detail.contains("more than") == true)
    }

    @Test("bytes that claim more than they are, or that become more than is read, end with a reason")
    func badBytes() {
        func refused(_ schema: String, _ bytes: [UInt8], _ detail: String, _ code: AvroProblem.Code = .bytes, most: Int = 4_096) {
            let found = problem(schema, bytes, most: most)
            #expect(found?.code == code && found?.detail.contains(detail) == true, "\(schema): \(found?.detail ?? "taken")")
        }
        refused(#""string""#, [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x61], "claim")
        refused(#""bytes""#, [0x01], "claim -1 bytes")
        refused(#""long""#, [UInt8](repeating: 0x80, count: 9) + [0x02], "longer than 64 bits")
        refused(#""long""#, [0x80], "end within a value")
        refused(#""int""#, [0x80, 0x80, 0x80, 0x80, 0x40], "32 bits")
        refused(#""int""#, [0x00, 0x00], "1 bytes follow")
        refused(#""boolean""#, [2], "a boolean is 2")
        refused(#"["null","int"]"#, [0x04], "branch 2 of 2")
        refused(#"{"type":"enum","name":"E","symbols":["A"]}"#, [0x01], "symbol -1 of 1")
        refused(#"{"type":"bytes","logicalType":"decimal","scale":2}"#, [0x82, 0x01] + [UInt8](repeating: 1, count: 65), "65 bytes")
        // Values of no bytes, as many as 63 bits say, and types that double with every level.
        let most: [UInt8] = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
        refused(#"{"type":"array","items":"null"}"#, most, "more than 4096 bytes as JSON", .tooLarge)
        refused(#"{"type":"array","items":{"type":"record","name":"R","fields":[]}}"#, most, "more than 4096 bytes as JSON", .tooLarge)
        refused(#"{"type":"array","items":"null"}"#, [0xFF] + most.dropFirst() + [0x00], "a block", .bytes)
        var doubling = #"{"type":"record","name":"R0","fields":[]}"#
        for level in 1...40 {
            doubling = #"{"type":"record","name":"R\#(level)","fields":[{"name":"a","type":\#(doubling)},"#
                + #"{"name":"b","type":"R\#(level - 1)"}]}"#
        }
        refused(doubling, [], "more than 4096 bytes as JSON", .tooLarge)
        refused(
            #"{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}"#, [], "nested more than 64 deep", .tooLarge, most: 1 << 20)
    }

    @Test("any damage to schema or bytes is refused or read, and the text is bounded")
    func fuzz() async {
        let report = await FuzzDoor("avro.values", short: 6_000, long: 2_000_000).run { source, _ in
            var names = 0
            let shape = AvroShape.any(&source, depth: 4, &names)
            var encoder = AvroEncoder()
            _ = shape.draw(&source, &encoder)
            var schema = Array(shape.schema.utf8), bytes = encoder.bytes
            if source.once(in: 4) { source.mutate(&schema, times: 1 + source.below(2)) }
            if source.once(in: 2) { source.mutate(&bytes, times: 1 + source.below(3)) }
            do throws(AvroProblem) {
                let text = try json(String(decoding: schema, as: UTF8.self), bytes, most: 10_000)
                // One value may cross the bound, by its own length.
                return text.utf8.count <= 10_000 + bytes.count * 6 + 256 ? .accepted : .broken("\(text.utf8.count) bytes of text")
            } catch {
                return error.detail.isEmpty ? .broken("no reason") : .refused
            }
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        #expect(report.inputs < 1_000 || report.accepted > report.inputs / 10)
    }
}
