import Foundation
import Interactions
import Testing

/// The decoder against Foundation's JSON parser: the same texts are valid, and the same values come out.
@Suite struct ReferenceParserTests {
    /// Pieces of JSON that are often right next to each other and often not.
    private static let pieces = [
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\\n\"", "\"\\u0041\"", "\"\\ud83d\\ude00\"", "1", "-2", "0.5", "1e5", "true",
        "false",
        "null", " ", "\n", "\"\"", "00", "1.", ".5", "\"\\q\"", "tru", "+1", "-", "\"\t\"", "'a'",
    ]

    private func document(_ depth: Int, _ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<(depth > 3 ? 6 : 9), using: &random) {
        case 0: return "\(Int.random(in: -1_000...1_000, using: &random))"
        case 1: return "-0.25e+2"
        case 2: return "true"
        case 3: return "null"
        case 4: return "\"x\\u00e9\\\\ \\\"y\""
        case 5: return "\"é😀\""
        case 6, 7:
            let members = (0..<Int.random(in: 0...3, using: &random)).map { "\"k\($0)\" :\(document(depth + 1, &random))" }
            return "{" + members.joined(separator: ", ") + "}"
        default:
            return "["
                + (0..<Int.random(in: 0...3, using: &random)).map { _ in document(depth + 1, &random) }.joined(separator: " ,")
                + "]"
        }
    }

    @Test func theSameTextsAreValid() {
        var random = SeededGenerator(seed: 3)
        let decoder = RecordDecoder()
        var valid = 0
        var invalid = 0
        for round in 0..<20_000 {
            var text: String
            if round % 2 == 0 {
                text = document(0, &random)
                if round % 4 == 0 {
                    var characters = Array(text)
                    characters.insert(
                        contentsOf: Self.pieces.randomElement(using: &random)!,
                        at: Int.random(in: 0...characters.count, using: &random))
                    text = String(characters)
                }
            } else {
                text = (0..<Int.random(in: 1...7, using: &random)).map { _ in Self.pieces.randomElement(using: &random)! }.joined()
            }
            // Foundation takes a comma before a closing bracket, and refuses numbers that a double cannot hold; RFC 8259 does neither.
            let dense = text.filter { $0 != " " && $0 != "\n" }
            if dense.contains(",}") || dense.contains(",]") { continue }
            if text.range(of: "[eE][+-]?[0-9]{3}", options: .regularExpression) != nil { continue }
            let reference = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])) != nil
            let ours = withRaw(Array(text.utf8)) { decoder.interaction($0, origin: kafkaOrigin, now: testNow) }
            let accepted = ours.code != .malformedJSON && ours.code != .controlCharacter
            #expect(accepted == reference, "\(text): \(ours)")
            if reference { valid += 1 } else { invalid += 1 }
        }
        #expect(valid > 2_000 && invalid > 2_000, "\(valid) valid, \(invalid) invalid")
    }

    @Test func theSameValuesComeOut() throws {
        var random = SeededGenerator(seed: 4)
        let letters: [Character] = Array("aZ09 /\\\"é😀漢\u{301}\u{2028}")
        func word() -> String {
            "x" + String((0..<Int.random(in: 0...12, using: &random)).map { _ in letters.randomElement(using: &random)! })
        }
        for _ in 0..<2_000 {
            let document: [String: Any] = [
                "event_id": word(), "type": "purchase", "user_id": word(), "item_id": word(), "session_id": word(),
                "timestamp": Int.random(in: 700_000_000_000...1_795_000_000_000, using: &random),
                "quantity": Int.random(in: 1...9, using: &random),
                "value": Double(Int.random(in: 0...100_000, using: &random)) / 64,
                "context": ["a": word(), "b": [1, 2], "c": ["d": NSNull()]] as [String: Any], "unknown": [word()],
            ]
            let options: JSONSerialization.WritingOptions = Bool.random(using: &random) ? [.prettyPrinted] : []
            let data = try JSONSerialization.data(withJSONObject: document, options: options)
            let decoded = try decode(Array(data)).get()
            let read = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            #expect(decoded.eventID == read["event_id"] as? String)
            #expect(decoded.userID == read["user_id"] as? String)
            #expect(decoded.itemID == read["item_id"] as? String)
            #expect(decoded.sessionID == read["session_id"] as? String)
            #expect(Int(decoded.time.milliseconds) == read["timestamp"] as? Int)
            #expect(Int(decoded.quantity) == read["quantity"] as? Int)
            // Sixty-fourths have six decimals: the micros are the value itself.
            #expect(Double(decoded.priceMicros!) / 1_000_000 == read["value"] as? Double)
            let context = try #require(
                try JSONSerialization.jsonObject(with: Data(decoded.context!.utf8)) as? [String: Any])
            #expect(NSDictionary(dictionary: context).isEqual(to: read["context"] as! [String: Any]))
        }
    }
}
