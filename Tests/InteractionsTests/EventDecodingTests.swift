import Interactions
import Testing

@Suite struct EventDecodingTests {
    @Test func documentedExample() throws {
        let decoded = try decode(
            """
            {"event_id":"e1","type":"click","user_id":"u1","item_id":"i9","timestamp":"2026-11-21T08:00:00.123Z",
             "value":19.99,"currency":"EUR","quantity":1,"session_id":"s4","request_id":"r7","context":{"device":"phone","country":"DE"}}
            """
        ).get()
        var expected = Interaction(
            eventID: "e1", type: .click, userID: "u1", itemID: "i9", time: EventTime(milliseconds: 1_795_248_000_123),
            priceMicros: 19_990_000, amountMinor: 1_999, currency: "EUR", quantity: 1, sessionID: "s4", requestID: "r7",
            context: #"{"country":"DE","device":"phone"}"#, position: Position(partition: 3, offset: 42))
        expected.payloadHash = expected.contentHash()
        #expect(decoded == expected)
    }

    @Test func payloadHashIsTheSameForEver() throws {
        // The database keeps it: a change of this number makes every stored event a conflict.
        let decoded = try decode(event([("context", #"{ "a" : 1 }"#), ("value", "3.5")])).get()
        #expect(decoded.payloadHash == goldenHash)
        // White space and the order of the members do not matter; a value does.
        #expect(try decode(event([("value", "3.50"), ("context", #"{"a":1}"#)])).get().payloadHash == goldenHash)
        #expect(try decode(event([("value", "3.51"), ("context", #"{"a":1}"#)])).get().payloadHash != goldenHash)
    }

    @Test func hashTellsFieldsApart() {
        let base = Interaction(
            eventID: "e", type: .click, userID: "u", itemID: "i", time: EventTime(milliseconds: 5),
            position: Position(partition: 0, offset: 0))
        var variants = [base]
        func add(_ change: (inout Interaction) -> Void) {
            var variant = base
            change(&variant)
            variants.append(variant)
        }
        add {
            $0.eventID = "eu"
            $0.userID = ""
        }
        add { $0.type = .purchase }
        add { $0.sessionID = "x" }
        add { $0.requestID = "x" }
        add { $0.currency = "x" }
        add { $0.context = "x" }
        add { $0.quantity = 2 }
        add { $0.priceMicros = 1 }
        add { $0.amountMinor = 1 }
        add { $0.slot = 1 }
        add { $0.modelVersion = 1 }
        add { $0.slot = 0 }
        add { $0.time = EventTime(milliseconds: 6) }
        #expect(Set(variants.map { $0.contentHash() }).count == variants.count)
        var moved = base
        moved.position = Position(partition: 7, offset: 9)
        #expect(moved.contentHash() == base.contentHash())
    }

    @Test func typesAndAliases() throws {
        for type in InteractionType.allCases {
            #expect(try decode(event([("type", "\"\(type.name)\"")])).get().type == type)
        }
        let rules = DecodingRules(typeAliases: ["view": .click, "order placed": .purchase])
        #expect(try decode(event([("type", "\"view\"")]), rules: rules).get().type == .click)
        #expect(try decode(event([("type", "\"order placed\"")]), rules: rules).get().type == .purchase)
        #expect(try decode(event([("type", #""cl\u0069ck""#)]), rules: rules).get().type == .click)
        #expect(decode(event([("type", "\"view\"")])).code == .unknownType)
    }

    @Test func missingEventIDIsDerived() throws {
        #expect(try decode(event([("event_id", nil)])).get().eventID == "k1/freshet.events/3/42")
        #expect(try decode(event([("event_id", "\"\"")])).get().eventID == "k1/freshet.events/3/42")
        #expect(try decode(event([("event_id", "null")])).get().eventID == "k1/freshet.events/3/42")
        let file = RecordOrigin(
            source: "file:events.jsonl", cluster: "", position: Position(partition: Position.filePartition, offset: 7))
        let one = try decode(event([("event_id", nil)]), origin: file).get().eventID
        let other = try decode(event([("event_id", nil), ("item_id", "\"i2\"")]), origin: file).get().eventID
        #expect(one.hasPrefix("file:") && one.hasSuffix(":7") && one.utf8.count == 5 + 16 + 2)
        #expect(one != other)
        #expect(one == (try decode(event([("event_id", nil)]), origin: file).get().eventID))
    }

    @Test func sessionStandsInForTheUser() throws {
        let decoded = try decode(event([("user_id", nil), ("session_id", "\"s4\"")])).get()
        #expect(decoded.userID == "session:s4" && decoded.sessionID == "s4")
        #expect(decode(event([("user_id", nil)])).code == .missingField)
        #expect(decode(event([("user_id", "\"\"")])).field == "user_id")
    }

    @Test func idsMayBeWholeNumbers() throws {
        let decoded = try decode(event([("user_id", "17"), ("item_id", "-3"), ("event_id", "900719925474099299")])).get()
        #expect(decoded.userID == "17" && decoded.itemID == "-3" && decoded.eventID == "900719925474099299")
        #expect(decode(event([("user_id", "1.5")])).code == .wrongType)
        #expect(decode(event([("user_id", "1e3")])).code == .wrongType)
        #expect(decode(event([("item_id", "true")])).code == .wrongType)
        #expect(decode(event([("item_id", "[1]")])).code == .wrongType)
    }

    @Test func escapesAndUnicodeInIDs() throws {
        let decoded = try decode(event([("user_id", #""ü\u00e9\ud83d\ude00\/\"\\""#)])).get()
        #expect(decoded.userID == "üé😀/\"\\")
        #expect(decode(event([("user_id", #""a\u0000b""#)])).code == .controlCharacter)
        #expect(decode(event([("user_id", #""a\nb""#)])).code == .controlCharacter)
        #expect(decode(event([("user_id", "\"a\u{7F}b\"")])).code == .controlCharacter)
        #expect(decode(event([("user_id", "\"a\u{85}b\"")])).code == .controlCharacter)
        #expect(decode(event([("user_id", #""a\u0085b""#)])).code == .controlCharacter)
        #expect(try decode(event([("user_id", "\"a\u{A0}b\"")])).get().userID == "a\u{A0}b")
    }

    @Test func unknownFieldsAreCheckedAndIgnored() throws {
        let plain = try decode(event()).get()
        #expect(try decode(event([("more", #"{"a":[1,2,{"b":null}],"c":"\u0000"}"#)])).get() == plain)
        #expect(decode(event([("more", #"{"a":[1,2,}"#)])).code == .malformedJSON)
        #expect(decode(event([("more", "tru")])).code == .malformedJSON)
        #expect(decode(event([("more", "01")])).code == .malformedJSON)
        #expect(decode(event([("more", #""\ud800""#)])).code == .malformedJSON)
    }

    @Test func lastDuplicateKeyCounts() throws {
        let text = #"{"item_id":7,"item_id":"i2","type":"click","user_id":"u","timestamp":1793520000004,"item\u005fid":"i3"}"#
        #expect(try decode(text).get().itemID == "i3")
        #expect(
            decode(#"{"type":"click","type":null,"user_id":"u","item_id":"i","timestamp":1793520000004}"#).code == .missingField)
    }

    @Test func byteOrderMarkAndSpace() throws {
        let plain = try decode(event()).get()
        #expect(try decode("\u{FEFF} \n\(event())\r\n\t ").get() == plain)
        #expect(decode("\(event())x").code == .malformedJSON)
        #expect(decode("\(event())\(event())").code == .malformedJSON)
        #expect(decode("\(event())\0").code == .malformedJSON)
    }

    @Test func contextIsWhatJsonbAccepts() throws {
        #expect(try decode(event([("context", #"{ "a b" : [ 1 , "x y" , { } ] }"#)])).get().context == #"{"a b":[1,"x y",{}]}"#)
        #expect(try decode(event([("context", #"{"q":"\" \\","z":1}"#), ("x", " 1")])).get().context == #"{"q":"\" \\","z":1}"#)
        #expect(try decode(event([("context", "{}")])).get().context == nil)
        #expect(try decode(event([("context", "null")])).get().context == nil)
        #expect(decode(event([("context", "[]")])).code == .wrongType)
        #expect(decode(event([("context", #"{"a":"\u0000"}"#)])).code == .controlCharacter)
        #expect(decode(event([("context", #"{"\u0000":1}"#)])).code == .controlCharacter)
        #expect(decode(event([("context", #"{"a":"\udc00"}"#)])).code == .malformedJSON)
        #expect(decode(event([("context", #"{"a":1e301}"#)])).code == .outOfRange)
        #expect(decode(event([("context", #"{"a":1e-301}"#)])).code == .outOfRange)
        #expect(decode(event([("context", #"{"a":[\#(String(repeating: "1", count: 41))]}"#)])).code == .outOfRange)
        #expect(try decode(event([("context", #"{"a":1e300}"#)])).get().context == #"{"a":1e300}"#)
        let big = #"{"a":"\#(String(repeating: "x", count: 16 << 10))"}"#
        #expect(decode(event([("context", big)])).code == .tooLarge)
        // An extreme number elsewhere harms nobody.
        #expect(try decode(event([("other", "1e999"), ("context", #"{"a":1}"#)])).get().context == #"{"a":1}"#)
    }

    @Test func impressionFields() throws {
        let decoded = try decode(
            event([("type", "\"impression\""), ("slot", "4"), ("model_version", "12"), ("request_id", "\"r\"")])
        ).get()
        #expect(decoded.type == .impression && decoded.slot == 4 && decoded.modelVersion == 12 && decoded.requestID == "r")
        #expect(decode(event([("slot", "-1")])).code == .outOfRange)
        #expect(decode(event([("slot", "1.5")])).code == .wrongType)
        #expect(decode(event([("model_version", "99999999999")])).code == .outOfRange)
    }

    @Test func recordsInAnArray() throws {
        let text = " [ \(event()) , 5 , \"x\" ] "
        let decoder = RecordDecoder()
        let found = withRaw(Array(text.utf8)) { bytes in
            decoder.records(in: bytes, maxBytes: 1 << 20, maxRecords: 3).map { ranges in
                ranges.map { String(decoding: UnsafeRawBufferPointer(rebasing: bytes[$0]), as: UTF8.self) }
            }
        }
        #expect(try found.get() == [event(), "5", "\"x\""])
        let few = withRaw(Array(text.utf8)) { decoder.records(in: $0, maxBytes: 1 << 20, maxRecords: 2) }
        #expect(few.code == .tooManyElements)
        let one = withRaw(Array(event().utf8)) { decoder.records(in: $0, maxBytes: 1 << 20, maxRecords: 2) }
        #expect(try one.get() == [0..<event().utf8.count])
        #expect(withRaw(Array("7".utf8)) { decoder.records(in: $0, maxBytes: 9, maxRecords: 2) }.code == .notAnObject)
        #expect(withRaw(Array("[1,]".utf8)) { decoder.records(in: $0, maxBytes: 9, maxRecords: 2) }.code == .malformedJSON)
    }
}

private let goldenHash: UInt64 = 10_430_829_570_607_509_816
