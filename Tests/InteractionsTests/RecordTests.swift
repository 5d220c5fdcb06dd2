import Interactions
import Testing

@Suite struct RecordTests {
    @Test func documentedItem() throws {
        let item = try decodeItem(
            """
            {"item_id":"i9","title":"Trail shoe","description":"Line one\\nline two","categories":["shoes","outdoor"],"tags":["grip"],
             "price":89.9,"currency":"EUR","attributes":{"brand":"Acme","cites":["i3","i5"]},"updated_at":"2026-11-20T00:00:00Z",
             "published_at":"2026-11-20T00:00:00Z","hidden":false,"embedding":[0.1,-2e-3,7]}
            """
        ).get()
        #expect(
            item
                == ItemRecord(
                    itemID: "i9", title: "Trail shoe", description: "Line one line two", categories: ["shoes", "outdoor"],
                    tags: ["grip"], priceMicros: 89_900_000, currency: "EUR",
                    attributes: #"{"brand":"Acme","cites":["i3","i5"]}"#, embedding: [0.1, -2e-3, 7],
                    publishedAt: EventTime(rfc3339: "2026-11-20T00:00:00Z"),
                    updatedAt: EventTime(rfc3339: "2026-11-20T00:00:00Z"), hidden: false))
    }

    @Test func itemLists() throws {
        let item = try decodeItem(#"{"item_id":5,"categories":"shoes","tags":["a","",null,"a",7,"b\tc"]}"#).get()
        #expect(item.itemID == "5" && item.categories == ["shoes"] && item.tags == ["a", "7", "b c"])
        #expect(decodeItem(#"{"item_id":"i","tags":[{}]}"#).field == "tags[0]")
        #expect(decodeItem(#"{"item_id":"i","tags":{}}"#).code == .wrongType)
        #expect(decodeItem(#"{"item_id":"i","tags":["\u0000"]}"#).code == .controlCharacter)
        #expect(decodeItem(#"{"item_id":"i","tags":["\#(String(repeating: "t", count: 300))"]}"#).code == .tooLarge)
    }

    @Test func controlCharactersInTextBecomeSpaces() throws {
        let item = try decodeItem("{\"item_id\":\"i\",\"title\":\"a\u{85}b\u{7F}c©é\u{A0}\\u0007\\u0085d\\u00e9\"}").get()
        #expect(item.title == "a b c©é\u{A0}  dé")
    }

    @Test func itemBounds() throws {
        #expect(decodeItem(#"{"title":"x"}"#).code == .missingField)
        #expect(decodeItem(#"{"item_id":"i","title":true}"#).code == .wrongType)
        #expect(decodeItem(#"{"item_id":"i","title":["a"]}"#).code == .wrongType)
        #expect(decodeItem(#"{"item_id":"i","hidden":"yes"}"#).code == .wrongType)
        #expect(decodeItem(#"{"item_id":"i","price":-1}"#).code == .outOfRange)
        #expect(decodeItem(#"{"item_id":"i","title":"a\u0000"}"#).code == .controlCharacter)
        #expect(decodeItem(#"{"item_id":"i","embedding":[1,"x"]}"#).field == "embedding[1]")
        #expect(decodeItem(#"{"item_id":"i","embedding":[1e39]}"#).code == .outOfRange)
        #expect(
            decodeItem(#"{"item_id":"i","embedding":[1,2,3]}"#, rules: DecodingRules(maxEmbeddingDimension: 2)).code
                == .tooManyElements)
        #expect(decodeItem(#"{"item_id":"i","description":"\#(String(repeating: "x", count: 65_537))"}"#).code == .tooLarge)
        #expect(try decodeItem(#"{"item_id":"i","price":1}"#).get().currency == "USD")
        #expect(
            try decodeItem(#"{"item_id":"i","published_at":-2208988800000}"#).get().publishedAt?.milliseconds == -2_208_988_800_000)
        #expect(try decodeItem(#"{"item_id":"i","embedding":[],"attributes":{},"title":""}"#).get() == ItemRecord(itemID: "i"))
    }

    @Test("a number is a title as it is written, and loses nothing else of the item")
    func numbersAsTexts() throws {
        let item = try decodeItem(
            #"{"item_id":"i","title":1984,"description":1e3,"categories":[1.5,2.0,1e3,null],"tags":7,"price":3}"#).get()
        #expect(item.title == "1984" && item.description == "1e3" && item.priceMicros == 3_000_000)
        #expect(item.categories == ["1.5", "2", "1e3"] && item.tags == ["7"])
    }

    @Test("a record of the future would win for ever, whatever dates it")
    func updatesFromTheFuture() {
        let later = #"{"item_id":"i","user_id":"u","updated_at":"2026-11-21T08:05:00.001Z"}"#
        #expect(decodeItem(later).code == .timeInFuture && decodeItem(later).field == "updated_at")
        #expect(decodeUser(later).code == .timeInFuture)
        #expect(decodeItem(#"{"item_id":"i","updated_at":"2026-11-21T08:05:00Z"}"#).code == nil)
        var origin = kafkaOrigin
        origin.recordTime = EventTime(milliseconds: testNow.milliseconds + 300_001)
        let undated = #"{"item_id":"i","user_id":"u"}"#, dated = #"{"item_id":"i","user_id":"u","updated_at":"2026-11-20T08:00:00Z"}"#
        #expect(decodeItem(undated, origin: origin).code == .timeInFuture && decodeUser(undated, origin: origin).code == .timeInFuture)
        #expect(decodeItem(dated, origin: origin).code == nil && decodeUser(dated, origin: origin).code == nil)
        origin.recordTime = testNow
        #expect(decodeItem(undated, origin: origin).code == nil && decodeItem(later, origin: origin).code == .timeInFuture)
    }

    @Test("an update dated in another unit is refused with a hint, since it would lose to every other or win over all")
    func updatesInOtherUnits() {
        for (number, code, word) in [
            ("1795248000", RejectionCode.timeTooEarly, "seconds"), ("1795248000000000", .outOfRange, "microseconds"),
            ("1795248000000000000", .outOfRange, "nanoseconds"), ("1795248000.5", .wrongType, "seconds"),
        ] {
            let item = decodeItem(#"{"item_id":"i","updated_at":\#(number)}"#)
            #expect(item.code == code && item.field == "updated_at", "\(number)")
            if case .failure(let rejection) = item { #expect(rejection.detail.contains("looks like \(word)"), "\(rejection.detail)") }
        }
        // Made-up times of tests and films of the sixties are what they are.
        #expect(decodeItem(#"{"item_id":"i","updated_at":5,"published_at":1000000000}"#).code == nil)
    }

    @Test func documentedUser() throws {
        let user = try decodeUser(
            #"{"user_id":"u1","attributes":{"gender":"F","age":"25"},"updated_at":"2026-11-20T00:00:00Z","aliases":["session:s4","u1",8]}"#
        ).get()
        #expect(
            user
                == UserRecord(
                    userID: "u1", attributes: #"{"age":"25","gender":"F"}"#, aliases: ["session:s4", "8"],
                    updatedAt: EventTime(rfc3339: "2026-11-20T00:00:00Z")))
        #expect(decodeUser(#"{"user_id":"u","aliases":["a\n"]}"#).code == .controlCharacter)
        #expect(decodeUser(#"{"user_id":""}"#).code == .missingField)
    }

    @Test func slate() throws {
        let text = #"""
            {"request_id":"r7","user_id":"u1","timestamp":"2026-11-21T07:59:59Z","model_version":3,"experiment":null,"session_id":null,
             "items":[{"item_id":"i1","score":0.5,"reason":"personal"},{"item_id":"i2"}]}
            """#
        let shown = try decodeSlate(text).get()
        #expect(shown.map(\.eventID) == ["r7#0", "r7#1"])
        #expect(shown.map(\.itemID) == ["i1", "i2"])
        #expect(shown.map(\.slot) == [0, 1])
        #expect(shown.map(\.context) == [#"{"reason":"personal"}"#, nil])
        #expect(shown.allSatisfy { $0.type == .impression && $0.requestID == "r7" && $0.modelVersion == 3 && $0.userID == "u1" })
        #expect(shown.allSatisfy { $0.payloadHash == $0.contentHash() })
        // Each is an event of its own.
        for one in shown { #expect(try decode(one.json()).get() == one) }
    }

    @Test func slateReasons() throws {
        func slate(_ items: String, _ more: String = "") -> String {
            #"{"request_id":"r","session_id":"s","timestamp":1793520000004,"items":\#(items)\#(more)}"#
        }
        #expect(try decodeSlate(slate("[]")).get().isEmpty)
        #expect(decodeSlate(slate("[{}]")).field == "items[0].item_id")
        #expect(decodeSlate(slate(#"[{"item_id":"a"},{"item_id":true}]"#)).field == "items[1].item_id")
        #expect(decodeSlate(slate("[3]")).code == .wrongType)
        #expect(decodeSlate(slate("7")).code == .wrongType)
        #expect(decodeSlate(slate("null")).code == .missingField)
        #expect(
            decodeSlate(slate(#"[{"item_id":"a"},{"item_id":"b"}]"#), rules: DecodingRules(maxSlateItems: 1)).code
                == .tooManyElements)
        let one = try decodeSlate(slate(#"[{"item_id":"a","reason":"fresh"}]"#, #","experiment":"blue\"ish""#)).get()[0]
        #expect(one.userID == "session:s" && one.context == #"{"experiment":"blue\"ish","reason":"fresh"}"#)
    }
}
