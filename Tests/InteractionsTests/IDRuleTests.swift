import Foundation
import Interactions
import Testing

/// What an id may be is decided in one place, whatever it was made of.
@Suite struct IDRuleTests {
    /// Unicode Normalization Form C, as the program has it.
    private static let nfc = IDForm(name: "NFC") { $0.precomposedStringWithCanonicalMapping }

    private func user(_ json: String) -> Result<String, Rejection> {
        decode(event([("user_id", json)])).map(\.userID)
    }

    @Test("a whole number is its digits, with a fraction of zeros too; an exponent is refused", arguments: [
        ("257597", "257597"), ("257597.0", "257597"), ("257597.000", "257597"), ("0", "0"), ("-7", "-7"), ("-7.0", "-7"),
        ("18446744073709551616", "18446744073709551616"), ("123456789012345678901234567890.0", "123456789012345678901234567890"),
    ])
    func numbers(written: String, id: String) throws {
        #expect(try user(written).get() == id)
        #expect(try decodeItem(#"{"item_id":\#(written)}"#).get().itemID == id)
        #expect(try decodeUser(#"{"user_id":"u","aliases":[\#(written)]}"#).get().aliases == [id])
    }

    @Test("numbers that are not written as integers are no ids", arguments: ["1e3", "1E0", "1.5", "1.0e0", "1e-2", "12.01"])
    func noIntegers(written: String) {
        #expect(user(written).code == .wrongType)
        #expect(decodeItem(#"{"item_id":\#(written)}"#).code == .wrongType)
    }

    @Test("keys of records follow the rules of fields")
    func keys() throws {
        let rules = DecodingRules(idForm: Self.nfc)
        func key(_ bytes: [UInt8], _ subject: IDSubject = .thing) -> RejectionCode? {
            withRaw(bytes) { raw in
                do throws(Rejection) {
                    _ = try rules.id(validating: raw, of: subject, field: "key")
                    return nil
                } catch {
                    return error.code
                }
            }
        }
        #expect(key([0, 0, 0, 0, 7] + Array("i9".utf8)) == .controlCharacter)
        #expect(
            key([]) == .missingField && key([0xFF]) == .invalidUTF8 && key([0xC2, 0x85]) == .controlCharacter
                && key([0x7F]) == .controlCharacter)
        #expect(key([UInt8](repeating: 0x61, count: 256)) == nil && key([UInt8](repeating: 0x61, count: 257)) == .tooLarge)
        #expect(key(Array("a b/ü\"\\".utf8)) == nil)
        #expect(withRaw(Array("cafe\u{301}".utf8)) { try? rules.id(validating: $0, field: "key") }?.utf8.count == 5)
    }

    @Test("a bound holds after the normal form, which can be longer than what came")
    func boundAfterTheForm() {
        // U+0958 is excluded from composition: three bytes become six.
        let letters = String(repeating: "\u{958}", count: 80)
        #expect(letters.utf8.count == 240)
        #expect(decode(event([("user_id", "\"\(letters)\"")]), rules: DecodingRules(idForm: Self.nfc)).code == .tooLarge)
        #expect(decodeItem(#"{"item_id":"i","tags":["\#(letters)"]}"#, rules: DecodingRules(idForm: Self.nfc)).code == .tooLarge)
        let text = String(repeating: "\u{958}", count: 20_000)
        #expect(decodeItem(#"{"item_id":"i","title":"\#(text)"}"#, rules: DecodingRules(idForm: Self.nfc)).code == .tooLarge)
    }

    @Test("somebody without a user id is named by the session, however long its id may be, and that name is a user id everywhere")
    func sessions() throws {
        for bytes in [248, 249, 255, 256] {
            let session = String(repeating: "s", count: bytes)
            let named = "session:" + session
            let visitor = try decode(event([("user_id", nil), ("session_id", "\"\(session)\"")])).get()
            #expect(visitor.userID == named)
            #expect(try user("\"\(named)\"").get() == named)
            #expect(try decodeUser(#"{"user_id":"\#(named)"}"#).get().userID == named)
            #expect(try decodeUser(#"{"user_id":"u","aliases":["\#(named)"]}"#).get().aliases == [named])
            #expect(decodeItem(#"{"item_id":"\#(named)"}"#).code == (bytes > 248 ? .tooLarge : nil))
        }
        #expect(user("\"session:\(String(repeating: "s", count: 257))\"").code == .tooLarge)
        #expect(decode(event([("user_id", nil), ("session_id", "\"\(String(repeating: "s", count: 257))\"")])).code == .tooLarge)
    }

    @Test("ids that are made of others stay within the bound, and differ where those do")
    func composed() throws {
        func slate(_ request: String) throws -> [String] {
            try decodeSlate(
                #"{"request_id":"\#(request)","user_id":"u","timestamp":"2026-11-21T08:00:00Z","items":[{"item_id":"a"},{"item_id":"b"}]}"#
            ).get().map(\.eventID)
        }
        #expect(try slate("r1") == ["r1#0", "r1#1"])
        let long = String(repeating: "r", count: 255)
        let ids = try slate(long + "a") + slate(long + "b")
        let again = try slate(long + "a") + slate(long + "b")
        #expect(Set(ids).count == 4 && ids.allSatisfy { $0.utf8.count <= 256 } && ids == again)
        let far = RecordOrigin(
            source: String(repeating: "t", count: 249), cluster: String(repeating: "k", count: 40),
            position: Position(partition: 3, offset: 42))
        let farther = RecordOrigin(source: far.source, cluster: far.cluster, position: Position(partition: 3, offset: 43))
        let derived = try [far, farther].map { try decode(event([("event_id", nil)]), origin: $0).get().eventID }
        #expect(derived.allSatisfy { $0.utf8.count <= 256 } && derived[0] != derived[1])
        #expect(try decode(event([("event_id", nil)])).get().eventID == "k1/freshet.events/3/42")
    }

    @Test("texts and labels have the normal form that ids have, in objects too")
    func normalForm() throws {
        let rules = DecodingRules(idForm: Self.nfc)
        func item(_ e: String) throws -> ItemRecord {
            try decodeItem(
                #"{"item_id":"caf\#(e)","title":"Caf\#(e)","description":"caf\#(e) noir","categories":["caf\#(e)","x"],"#
                    + #""tags":["caf\#(e)"],"attributes":{"caf\#(e)":"caf\#(e)","n":[1,"\#(e)"]}}"#,
                rules: rules
            ).get()
        }
        let composed = try item("\u{E9}")
        for other in ["e\u{301}", #"\u00e9"#, #"e\u0301"#] {
            let item = try item(other)
            #expect(item == composed)
            #expect(Array(try #require(item.attributes).utf8) == Array(try #require(composed.attributes).utf8))
            #expect(
                Array(try #require(item.title).utf8) == Array("Caf\u{E9}".utf8)
                    && item.categories.map { Array($0.utf8) }[0] == Array("caf\u{E9}".utf8))
        }
    }

    @Test("the default currency is three letters in upper case, or stays what it was")
    func defaultCurrency() {
        var rules = DecodingRules(defaultCurrency: "eur")
        #expect(rules.defaultCurrency == "EUR")
        rules.defaultCurrency = "Euro"
        #expect(rules.defaultCurrency == "EUR")
        rules.defaultCurrency = "vnd"
        #expect(rules.defaultCurrency == "VND")
        #expect(Currency.code("jpy") == "JPY" && Currency.code("E1R") == nil && Currency.code("") == nil && Currency.code("`{|") == nil)
    }
}
