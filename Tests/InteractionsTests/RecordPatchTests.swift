import Interactions
import Testing

@Suite("Patches are read by the rules of records")
struct RecordPatchTests {
    static func decode(_ text: String, rules: DecodingRules = DecodingRules()) -> Result<RecordChange<ItemRecord>, Rejection> {
        withRaw(Array(text.utf8)) { RecordDecoder(rules: rules).itemChange($0, origin: kafkaOrigin, now: testNow) }
    }

    static func patch(_ text: String) -> RecordPatch<ItemRecord>? {
        guard case .success(.patch(let patch)) = decode(text) else { return nil }
        return patch
    }

    @Test func itNamesWhatItStatesAndNothingElse() throws {
        let patch = try #require(Self.patch(#"{"item_id":"i1","patch":true,"price":9.5,"stock":0,"title":null,"unknown":1}"#))
        #expect(patch.id == "i1" && patch.values.priceMicros == 9_500_000 && patch.values.stock == 0)
        #expect(patch.values.currency == nil, "what the default would be is nobody's word")
        #expect(patch.named == #""title","price","stock""#)
        let empty = try #require(Self.patch(#"{"item_id":"i1","patch":true,"attributes":{},"updated_at":"2026-11-21T07:00:00Z"}"#))
        #expect(empty.isEmpty && empty.updatedAt?.rfc3339() == "2026-11-21T07:00:00.000Z")
    }

    @Test func membersOfAttributesAreNamedOneByOne() throws {
        let patch = try #require(
            Self.patch(#"{"item_id":"i1","patch":true,"attributes":{"brand":"Ac\u006de","old":null,"sizes":[1,2]}}"#))
        #expect(patch.members == ["brand": .value(#""Acme""#), "old": .removed, "sizes": .value("[1,2]")])
        // A null within removes, too; in a list it is a value (RFC 7396).
        let nested = try #require(
            Self.patch(
                #"{"item_id":"i1","patch":true,"attributes":{"a":{"b":null,"c":{"d":null},"e":[null,{"f":null}],"g":"null"},"#
                    + #""h":{"i":null}}}"#))
        #expect(nested.members == ["a": .value(#"{"c":{},"e":[null,{"f":null}],"g":"null"}"#), "h": .value("{}")])
        #expect(!patch.clearsAttributes)
        #expect(try #require(Self.patch(#"{"item_id":"i1","patch":true,"attributes":null}"#)).clearsAttributes)
    }

    @Test func onlyTrueMakesAPatch() {
        for whole in [#"{"item_id":"i1","title":"T"}"#, #"{"item_id":"i1","patch":false}"#, #"{"item_id":"i1","patch":null}"#,
            #"{"item_id":"i1","title":"\"patch\":true"}"#, #"{"item_id":"i1","attributes":{"patch":true}}"#]
        {
            guard case .success(.upsert) = Self.decode(whole) else { Issue.record("not whole: \(whole)"); continue }
        }
        #expect(Self.patch(#"{"item_id":"i1","\u0070atch":true,"title":"T"}"#) != nil)
        #expect(Self.patch(#"{"item_id":"i1","patch":false,"patch":true}"#) != nil, "of a key that occurs twice the last counts")
    }

    @Test(arguments: [
        (#"{"item_id":"i1","patch":"yes"}"#, RejectionCode.wrongType), (#"{"patch":true,"price":1}"#, .missingField),
        (#"{"item_id":null,"patch":true}"#, .missingField), (#"{"item_id":"i1","patch":true,"price":-1}"#, .outOfRange),
        (#"{"item_id":"i1","patch":true,"attributes":[1]}"#, .wrongType), (#"{"item_id":"i1","patch":true,"#, .malformedJSON),
        (#"{"item_id":"i1","patch":true,"updated_at":"2027-11-21T08:00:00Z"}"#, .timeInFuture),
        (#"{"item_id":"i1","patch":true,"stock":1.5}"#, .wrongType),
    ])
    func whatIsWrongIsRefusedAsInAWholeRecord(text: String, code: RejectionCode) {
        #expect(Self.decode(text).code == code)
    }

    @Test func itIsReadAsItIsWritten() throws {
        for text in [
            #"{"item_id":"i \"1\"","patch":true,"title":null,"price":0.000001,"currency":"CHF","hidden":false,"categories":[]}"#,
            #"{"item_id":"i1","patch":true,"attributes":{"a":null,"b":{"c":[1e3]},"":"é"},"updated_at":5}"#,
            #"{"item_id":"i1","patch":true,"attributes":null,"embedding":[0.5],"item_group_id":"g","available_until":9}"#,
        ] {
            let patch = try #require(Self.patch(text))
            #expect(Self.patch(patch.json()) == patch, "\(patch.json())")
        }
        let user = #"{"user_id":"u1","patch":true,"aliases":["session:4"],"attributes":{"age":"25"}}"#
        let change = try withRaw(Array(user.utf8)) { RecordDecoder().userChange($0, origin: kafkaOrigin, now: testNow) }.get()
        guard case .patch(let patch) = change else { Issue.record("no patch"); return }
        let again = try withRaw(Array(patch.json().utf8)) { RecordDecoder().userChange($0, origin: kafkaOrigin, now: testNow) }.get()
        #expect(again == change)
    }
}
