import Interactions
import Testing

/// What decoding costs: twice the text may cost twice as much and no more, whatever the parser and the shape.
@Suite struct ScanCostTests {
    /// Each decodes a JSON value as a field of everything that a decoder reads.
    private static func cost(_ value: String) -> [String: Int] {
        let limits = 1 << 24
        var costs: [String: Int] = [:]
        func measure(_ name: String, _ text: String, _ decode: (RecordDecoder, UnsafeRawBufferPointer) -> Void) {
            let count = ScanCount()
            var rules = DecodingRules(
                maxRecordBytes: limits, maxIDBytes: limits, maxTextBytes: limits, maxTags: limits, maxEmbeddingDimension: limits,
                maxContextBytes: limits, maxSlateItems: limits)
            rules.scanned = count
            Array(text.utf8).withUnsafeBytes { decode(RecordDecoder(rules: rules), $0) }
            costs[name] = count.bytes
        }
        let event = #""event_id":"e","type":"click","item_id":"i","timestamp":1700000000000"#
        for field in ["user_id", "context", "session_id", "value", "nothing"] {
            measure("event.\(field)", "{\"user_id\":\"u\",\(event),\"\(field)\":\(value)}") {
                _ = $0.interaction($1, origin: kafkaOrigin, now: testNow)
            }
        }
        for field in ["title", "categories", "tags", "attributes", "embedding", "published_at", "price"] {
            measure("item.\(field)", "{\"item_id\":\"i\",\"\(field)\":\(value)}") { _ = $0.item($1, origin: kafkaOrigin, now: testNow) }
        }
        for field in ["attributes", "aliases"] {
            measure("user.\(field)", "{\"user_id\":\"u\",\"\(field)\":\(value)}") { _ = $0.user($1, origin: kafkaOrigin, now: testNow) }
        }
        measure("records", "[\(value),\(value)]") { _ = $0.records(in: $1, maxBytes: limits, maxRecords: limits) }
        measure("id", value) { _ = $0.id(inJSON: $1, field: "user_id") }
        measure("identifier", "{\"user_id\":\(value)}") { _ = $0.identifier("user_id", in: $1) }
        measure("line", value) { _ = $0.identifierLine($1, field: "user_id") }
        for read in ["id", "ids", "text", "scalars", "numbers"] {
            measure("object.\(read)", "{\"a\":\(value)}") { decoder, bytes in
                _ = decoder.object(bytes, maxBytes: limits) { fields throws(Rejection) in
                    switch read {
                    case "id": _ = try fields.id("a")
                    case "ids": _ = try fields.ids("a", limit: limits)
                    case "text": _ = try fields.text("a")
                    case "scalars": _ = try fields.scalars("a", limit: limits)
                    default: _ = try fields.numbers("a", limit: limits)
                    }
                }
            }
        }
        return costs
    }

    private static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    static let shapes: [(name: String, make: @Sendable (Int) -> String)] = [
        ("a long string", { "\"" + repeated("x", $0) + "\"" }),
        ("escapes", { "\"" + repeated("\\n", $0 / 2) + "\"" }),
        ("two-byte letters", { "\"" + repeated("é", $0 / 2) + "\"" }),
        ("a long number", { "1" + repeated("0", $0) }),
        ("a long fraction", { "0." + repeated("0", $0) + "1" }),
        ("a list of strings", { "[" + (0..<$0 / 8).map { "\"s\($0)\"" }.joined(separator: ",") + "]" }),
        ("a list of numbers", { "[" + repeated("1,", $0 / 2) + "1]" }),
        ("a list of lists", { "[" + repeated("[],", $0 / 3) + "[]]" }),
        ("an object", { "{" + (0..<$0 / 12).map { "\"k\($0)\":1" }.joined(separator: ",") + "}" }),
        ("an object backwards", { "{" + (0..<$0 / 12).reversed().map { "\"k\($0)\":\"v\"" }.joined(separator: ",") + "}" }),
        ("one key again and again", { "{" + repeated("\"k\":1,", $0 / 6) + "\"k\":1}" }),
        ("objects in objects", { count in "{" + (0..<count / 24).map { "\"k\($0)\":{\"b\":1,\"a\":[2]}" }.joined(separator: ",") + "}" }),
        ("space", { "{" + repeated(" ", $0) + "\"a\":\n1}" }),
        ("deep, and long inside", { repeated("{\"a\":", 12) + "\"" + repeated("x", $0) + "\"" + repeated("}", 12) }),
    ]

    @Test(arguments: shapes.map { $0.name }) func twiceTheTextCostsTwiceAsMuch(_ name: String) throws {
        let shape = try #require(Self.shapes.first { $0.name == name })
        let small = Self.cost(shape.make(20_000))
        for (parser, large) in Self.cost(shape.make(40_000)) {
            let before = try #require(small[parser])
            #expect(large <= 2 * before + before / 8 + 1_000, "\(parser): \(large) bytes read in place of \(before)")
            #expect(large <= 8 * 40_000 + 10_000, "\(parser): \(large) bytes read of \(shape.make(40_000).utf8.count)")
        }
    }

    @Test func aNumberFarBelowOneIsWrittenOutAtOnce() throws {
        let zeros = String(repeating: "0", count: 1_000)
        #expect(JSONText.string("a", inObject: "{\"a\":1.5e-3}") == "0.0015")
        #expect(JSONText.string("a", inObject: "{\"a\":1e-1000}") == "0.\(zeros.dropLast())1")
    }

    @Test func aWordOfMegabytesIsNoMisspeltName() {
        #expect(NearestName.of(String(repeating: "n", count: 4_000_000), among: ["category"]) == nil)
        #expect(NearestName.of("categroy", among: ["category", "context"]) == "category")
    }
}
