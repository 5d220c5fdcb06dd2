import Interactions
import Testing

/// One record for every reason that the decoder can give. `conflicting_duplicate` and `erased_user` are the store's to find.
@Suite struct RejectionTests {
    static let cases: [(RejectionCode, String?, String)] = [
        (.malformedJSON, nil, ""),
        (.malformedJSON, nil, "{"),
        (.malformedJSON, nil, "nonsense"),
        (.malformedJSON, nil, #"{"a":1"#),
        (.malformedJSON, nil, #"{"a" 1}"#),
        (.malformedJSON, nil, #"{a:1}"#),
        (.malformedJSON, nil, #"{"a":1,}"#),
        (.malformedJSON, nil, #"{"a":.5}"#),
        (.malformedJSON, nil, #"{"a":+5}"#),
        (.malformedJSON, nil, #"{"a":5.}"#),
        (.malformedJSON, nil, #"{"a":5e}"#),
        (.malformedJSON, nil, #"{"a":-}"#),
        (.malformedJSON, nil, #"{"a":NaN}"#),
        (.malformedJSON, nil, #"{"a":"\x"}"#),
        (.malformedJSON, nil, #"{"a":"\u12g4"}"#),
        (.malformedJSON, nil, #"{"a":"\u12"#),
        (.malformedJSON, nil, #"{"a":"open}"#),
        (.malformedJSON, nil, #"{'a':1}"#),
        (.malformedJSON, nil, "[1,2"),
        (.malformedJSON, "type", #"{"type":clicked}"#),
        (.notAnObject, nil, "[1,2]"),
        (.notAnObject, nil, "\"text\""),
        (.notAnObject, nil, "null"),
        (.notAnObject, nil, " 12 "),
        (.controlCharacter, nil, "{\"a\":\"line\nbreak\"}"),
        (.controlCharacter, "user_id", event([("user_id", "\"a\0b\"")])),
        (.controlCharacter, "item_id", event([("item_id", #""\u0007""#)])),
        (.tooDeep, nil, event([("x", String(repeating: "[", count: 16) + String(repeating: "]", count: 16))])),
        (.tooDeep, nil, String(repeating: "[", count: 100_000)),
        (.missingField, "type", event([("type", nil)])),
        (.missingField, "user_id", event([("user_id", nil)])),
        (.missingField, "item_id", event([("item_id", "null")])),
        (.missingField, "timestamp", event([("timestamp", nil)])),
        (.wrongType, "type", event([("type", "3")])),
        (.wrongType, "timestamp", event([("timestamp", "true")])),
        (.wrongType, "timestamp", event([("timestamp", "\"yesterday\"")])),
        (.wrongType, "timestamp", event([("timestamp", "\"2026-11-21T08:00:00\"")])),
        (.wrongType, "timestamp", event([("timestamp", "1793520000.5")])),
        (.wrongType, "value", event([("value", "\"19.99\"")])),
        (.wrongType, "quantity", event([("quantity", "1.5")])),
        (.wrongType, "currency", event([("currency", "978")])),
        (.wrongType, "context", event([("context", "\"phone\"")])),
        (.outOfRange, "value", event([("value", "-0.01")])),
        (.outOfRange, "value", event([("value", "1e30")])),
        (.outOfRange, "value", event([("value", "9000000000000"), ("quantity", "2000000000")])),
        (.outOfRange, "quantity", event([("quantity", "0")])),
        (.outOfRange, "quantity", event([("quantity", "-2")])),
        (.outOfRange, "quantity", event([("quantity", "2147483648")])),
        (.outOfRange, "currency", event([("currency", "\"EURO\"")])),
        (.outOfRange, "currency", event([("currency", "\"E1R\"")])),
        (.outOfRange, "timestamp", event([("timestamp", "1e30")])),
        (.unknownType, "type", event([("type", "\"wish\"")])),
        (.timeTooEarly, "timestamp", event([("timestamp", "\"1970-01-01T00:00:00Z\"")])),
        (.timeTooEarly, "timestamp", event([("timestamp", "0")])),
        (.timeTooEarly, "timestamp", event([("timestamp", "1793520000")])),
        (.timeTooEarly, "timestamp", event([("timestamp", "-5")])),
        (.timeInFuture, "timestamp", event([("timestamp", "\"2100-01-01T00:00:00Z\"")])),
        (.timeInFuture, "timestamp", event([("timestamp", "1795248300001")])),
        (.tooLarge, "item_id", event([("item_id", "\"\(String(repeating: "i", count: 257))\"")])),
    ]

    @Test(arguments: cases.indices) func reason(_ index: Int) {
        let (code, field, text) = Self.cases[index]
        let result = decode(text)
        #expect(result.code == code, "\(text.prefix(200)) gave \(result)")
        if let field { #expect(result.field == field) }
    }

    @Test func notUTF8() {
        for bad: [UInt8] in [
            [0xFF], [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80],
            [0xE0, 0x9F, 0x80], [0xF0, 0x8F, 0x80, 0x80], [0x80],
        ] {
            let text = Array(#"{"user_id":"u"#.utf8) + bad + Array(event().dropFirst(1).utf8)
            #expect(decode(text).code == .invalidUTF8, "\(bad)")
        }
    }

    @Test func tenMegabytes() {
        let text = event([("more", "\"\(String(repeating: "x", count: 10 << 20))\"")])
        #expect(decode(text).code == .tooLarge)
        #expect(decode(text, rules: DecodingRules(maxRecordBytes: 16 << 20)).code == nil)
    }

    @Test func tenThousandTags() {
        let tags = (0..<10_000).map { "\"t\($0)\"" }.joined(separator: ",")
        let result = decodeItem(#"{"item_id":"i","tags":[\#(tags)]}"#)
        #expect(result.code == .tooManyElements && result.field == "tags")
    }

    @Test func secondsAreRecognized() throws {
        guard case .failure(let rejection) = decode(event([("timestamp", "1793520000")])) else {
            Issue.record("accepted")
            return
        }
        #expect(rejection.detail.contains("looks like seconds"))
    }

    @Test func theEdgeOfTheFutureIsIn() {
        #expect(decode(event([("timestamp", "1795248300000")])).code == nil)
        #expect(decode(event([("timestamp", "631152000000")])).code == nil)
        #expect(decode(event([("timestamp", "631151999999")])).code == .timeTooEarly)
    }

    @Test func everyDecoderCodeIsCovered() {
        let covered = Set(Self.cases.map(\.0)).union([.invalidUTF8, .tooManyElements])
        #expect(covered.union([.conflictingDuplicate, .erasedUser, .malformedRow, .unknownItem, .refusedByDatabase]) == Set(RejectionCode.allCases))
    }

    @Test func syntaxErrorsWinOverFieldErrors() {
        #expect(decode(#"{"type":7,"x":}"#).code == .malformedJSON)
    }
}
