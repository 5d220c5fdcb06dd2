import Bytes
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
                _ = decoder.object(bytes, maxBytes: limits) { fields throws(Rejection) -> Void in
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

    static let shapes = [
        "a long string", "escapes", "two-byte letters", "a long number", "a long fraction", "a list of strings",
        "a list of numbers", "a list of lists", "an object", "an object backwards", "one key again and again",
        "objects in objects", "space", "deep, and long inside",
    ]

    private static func text(_ shape: String, _ n: Int) -> String {
        switch shape {
        case "a long string": return "\"" + repeated("x", n) + "\""
        case "escapes": return "\"" + repeated("\\n", n / 2) + "\""
        case "two-byte letters": return "\"" + repeated("é", n / 2) + "\""
        case "a long number": return "1" + repeated("0", n)
        case "a long fraction": return "0." + repeated("0", n) + "1"
        case "a list of strings": return "[" + (0..<n / 8).map { "\"s\($0)\"" }.joined(separator: ",") + "]"
        case "a list of numbers": return "[" + repeated("1,", n / 2) + "1]"
        case "a list of lists": return "[" + repeated("[],", n / 3) + "[]]"
        case "an object": return "{" + (0..<n / 12).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"
        case "an object backwards": return "{" + (0..<n / 12).reversed().map { "\"k\($0)\":\"v\"" }.joined(separator: ",") + "}"
        case "one key again and again": return "{" + repeated("\"k\":1,", n / 6) + "\"k\":1}"
        case "objects in objects": return "{" + (0..<n / 24).map { "\"k\($0)\":{\"b\":1,\"a\":[2]}" }.joined(separator: ",") + "}"
        case "space": return "{" + repeated(" ", n) + "\"a\":\n1}"
        case "deep, and long inside": return repeated("{\"a\":", 12) + "\"" + repeated("x", n) + "\"" + repeated("}", 12)
        default: return ""
        }
    }

    @Test(arguments: shapes) func twiceTheTextCostsTwiceAsMuch(_ name: String) throws {
        let small = Self.cost(Self.text(name, 20_000))
        for (parser, large) in Self.cost(Self.text(name, 40_000)) {
            let before = try #require(small[parser])
            #expect(large <= 2 * before + before / 8 + 1_000, "\(parser): \(large) bytes read in place of \(before)")
            #expect(large <= 8 * 40_000 + 10_000, "\(parser): \(large) bytes read of \(Self.text(name, 40_000).utf8.count)")
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
