import Interactions
import Testing

/// Values that are written decode to themselves, and no bytes whatever make the decoder trap.
@Suite struct RoundTripTests {
    private static let alphabet: [Character] = Array("abcXYZ0189 _-/\\\"'{}[]:,.é😀ß漢\u{A0}\u{301}")

    private func word(_ random: inout SeededGenerator, _ length: ClosedRange<Int> = 1...20) -> String {
        String((0..<Int.random(in: length, using: &random)).map { _ in Self.alphabet.randomElement(using: &random)! })
    }

    private func object(_ random: inout SeededGenerator) -> String {
        let members = (0..<Int.random(in: 1...4, using: &random)).map { index in
            let value = [
                "\(Int.random(in: -99...99, using: &random))", "true", "null", JSONText.quoted(word(&random)), "[1,\"x\"]",
                "1.5e-7", "{\"n\":{}}",
            ].randomElement(using: &random)!
            return "\(JSONText.quoted("k\(index)" + word(&random, 0...3))):\(value)"
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func time(_ random: inout SeededGenerator) -> EventTime {
        EventTime(milliseconds: Int64.random(in: 631_152_000_000...1_795_248_000_000, using: &random))
    }

    private func interaction(_ random: inout SeededGenerator) -> Interaction {
        var value = Interaction(
            eventID: word(&random), type: InteractionType.allCases.randomElement(using: &random)!, userID: word(&random),
            itemID: word(&random), time: time(&random), position: kafkaOrigin.position)
        if Bool.random(using: &random) { value.quantity = Int32.random(in: 1...Int32.max, using: &random) }
        if Bool.random(using: &random) {
            value.currency = ["EUR", "JPY", "KWD"].randomElement(using: &random)!
            value.quantity = Int32.random(in: 1...20, using: &random)
            // Whole hundredths, so that the amount is known here without the decoder's rounding.
            let cents = Int64.random(in: 0...10_000_000, using: &random)
            value.priceMicros = cents * 10_000
            switch value.currency {
            case "KWD": value.amountMinor = cents * Int64(value.quantity) * 10
            case "JPY": value.amountMinor = (cents * Int64(value.quantity) + 50) / 100
            default: value.amountMinor = cents * Int64(value.quantity)
            }
        }
        if Bool.random(using: &random) { value.sessionID = word(&random) }
        if Bool.random(using: &random) { value.requestID = word(&random) }
        if Bool.random(using: &random) { value.slot = Int32.random(in: 0...Int32.max, using: &random) }
        if Bool.random(using: &random) { value.modelVersion = Int32.random(in: 0...Int32.max, using: &random) }
        if Bool.random(using: &random) { value.context = object(&random) }
        value.payloadHash = value.contentHash()
        return value
    }

    private func labels(_ random: inout SeededGenerator) -> [String] {
        Array(Set((0..<Int.random(in: 0...4, using: &random)).map { _ in word(&random) }))
    }

    private func item(_ random: inout SeededGenerator) -> ItemRecord {
        var value = ItemRecord(itemID: word(&random), categories: labels(&random), tags: labels(&random))
        if Bool.random(using: &random) { value.title = word(&random, 1...80) }
        if Bool.random(using: &random) { value.description = word(&random, 1...300) }
        if Bool.random(using: &random) {
            value.priceMicros = Int64.random(in: 0...Int64.max, using: &random)
            value.currency = "EUR"
        }
        if Bool.random(using: &random) { value.attributes = object(&random) }
        if Bool.random(using: &random) {
            value.embedding = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                let float = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
                return float.isFinite ? float : 1
            }
        }
        if Bool.random(using: &random) { value.publishedAt = time(&random) }
        if Bool.random(using: &random) { value.updatedAt = time(&random) }
        value.hidden = Bool.random(using: &random)
        return value
    }

    private func user(_ random: inout SeededGenerator) -> UserRecord {
        UserRecord(
            userID: word(&random), attributes: Bool.random(using: &random) ? object(&random) : nil,
            aliases: labels(&random), updatedAt: Bool.random(using: &random) ? time(&random) : nil)
    }

    @Test func writtenValuesDecodeToThemselves() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<3_000 {
            let one = interaction(&random)
            #expect(try decode(one.json()).get() == one)
            let two = item(&random)
            #expect(try decodeItem(two.json()).get() == two)
            let three = user(&random)
            var kept = three
            kept.aliases.removeAll { $0 == three.userID }
            #expect(try decodeUser(three.json()).get() == kept)
            #expect(!one.json().contains("\n") && !two.json().contains("\n"))
        }
    }

    private static let splices: [[UInt8]] =
        [
            "null", "\\u0000", "\\ud800", "\\udc00\\ud800", "\"", "\\", "{", "}", "[", "]", ",", ":", "-", "1e999", "0.3333333333",
            "\u{FEFF}", "\0", "\n", "é", "\"type\":", "\"quantity\":7,", "true", "  ", "99999999999999999999999", "\\u00e9",
            "\u{7F}",
            "\u{85}",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]

    private func mutated(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1 where at < bytes.count: bytes.remove(at: at)
            case 2: bytes.insert(contentsOf: Self.splices.randomElement(using: &random)!, at: at)
            case 3: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 0...12, using: &random)))
            default:
                let end = min(bytes.count, at + Int.random(in: 0...40, using: &random))
                bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }

    @Test func mutationsNeverTrapAndWhatIsAcceptedIsStable() throws {
        var random = SeededGenerator(seed: 2)
        let slate = Array(
            (#"{"request_id":"r7","user_id":"u1","timestamp":1793520000004,"model_version":3,"#
                + #""items":[{"item_id":"i1","score":0.5,"reason":"personal"},{"item_id":"i2"}]}"#).utf8)
        let decoder = RecordDecoder()
        var accepted = 0
        var refused = 0
        for round in 0..<60_000 {
            switch round % 4 {
            case 0, 1:
                let bytes = mutated(Array(interaction(&random).json().utf8), &random)
                guard case .success(let value) = decode(bytes) else {
                    refused += 1
                    continue
                }
                accepted += 1
                #expect(try decode(value.json()).get() == value, "\(String(decoding: bytes, as: UTF8.self))")
                if let context = value.context { _ = JSONText.tokens(ofObject: context) }
            case 2:
                let bytes = mutated(Array(item(&random).json().utf8), &random)
                guard case .success(let value) = withRaw(bytes, { decoder.item($0, origin: kafkaOrigin, now: testNow) }) else {
                    refused += 1
                    continue
                }
                accepted += 1
                #expect(try decodeItem(value.json()).get() == value, "\(String(decoding: bytes, as: UTF8.self))")
            default:
                let bytes = mutated(slate, &random)
                let shown = withRaw(bytes) { decoder.slate($0, origin: kafkaOrigin, now: testNow) }
                let user = withRaw(bytes) { decoder.user($0, origin: kafkaOrigin, now: testNow) }
                if case .success(let value) = user { #expect(try decodeUser(value.json()).get() == value) }
                guard case .success(let values) = shown else {
                    refused += 1
                    continue
                }
                accepted += 1
                for value in values { #expect(try decode(value.json()).get() == value) }
            }
        }
        // Both sides are exercised.
        #expect(accepted > 5_000 && refused > 5_000, "\(accepted) accepted, \(refused) refused")
    }
}
