import Features
import Intake
import Interactions
import Testing

@Suite("Records of mapped topics")
struct MappedIntakeTests {
    private static func intake() -> RecordIntake {
        RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules(), mappings: MappedShop.mappings)
    }

    private static func add(
        _ record: String, to intake: inout RecordIntake, offset: Int64 = 7, topic: String = "shop.orders", key: String? = nil
    ) {
        let origin = RecordOrigin(
            source: topic, cluster: "k", position: Position(partition: 2, offset: offset), recordTime: Intakes.now)
        Array((key ?? "").utf8).withUnsafeBytes { key in
            Array(record.utf8).withUnsafeBytes { value in
                _ = intake.add(.events, key: key.isEmpty ? nil : key, value: value, origin: origin, now: Intakes.now)
            }
        }
    }

    @Test("an order becomes one event a line, and what is left out is counted")
    func order() {
        var intake = Self.intake()
        Self.add(MappedShop.order("o1", user: "u1", lines: ["a", "shipping", "b"]), to: &intake)
        let left = intake.leftOut, records = intake.records, bytes = intake.bytes
        let batch = intake.take(offsets: [])
        #expect(batch.interactions.map(\.eventID) == ["o1/0", "o1/2"] && batch.interactions.map(\.itemID) == ["a", "b"])
        #expect(batch.interactions.allSatisfy { $0.type == .purchase && $0.userID == "u1" && $0.amountMinor == 1_999 })
        #expect(left == 1 && records == 1 && bytes > 1_024 && batch.rejections.isEmpty)
        #expect(batch.interactions.allSatisfy { $0.position == Position(partition: 2, offset: 7) })
    }

    @Test("what tracking tools send to say who somebody is joins two ids, beside their other events")
    func identify() throws {
        func field(_ path: String) throws -> FieldSource { FieldSource(paths: [try RecordPath(path)]) }
        var type = FieldSource(paths: [try RecordPath("event"), try RecordPath("type")])
        type.words = ["Product Viewed": #""click""#, "identify": #""identify""#]
        var intake = RecordIntake(
            rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules(),
            mappings: [
                "tracks": TopicMapping(
                    kind: .events,
                    fields: [
                        "event_id": try field("messageId"), "type": type, "user_id": try field("userId"),
                        "anonymous_id": try field("anonymousId"), "anonymous_id_space": FieldSource(otherwise: #""web""#),
                        "item_id": try field("properties.product_id"), "timestamp": try field("timestamp"),
                    ])
            ])
        let time = #""timestamp":"2020-01-02T03:04:05.000Z""#
        for record in [
            #"{"type":"identify","messageId":"m1","userId":"97980cfea0067","anonymousId":"507f191e",\#(time),"traits":{"plan":"pro"}}"#,
            #"{"type":"identify","messageId":"m2","userId":"u2","anonymousId":"a2"}"#,
            #"{"type":"track","event":"Product Viewed","messageId":"m3","userId":"u2","anonymousId":"a2",\#(time),"#
                + #""properties":{"product_id":"p1"}}"#,
            #"{"type":"identify","messageId":"m4","userId":"u3","anonymousId":null}"#,
        ] {
            Self.add(record, to: &intake, topic: "tracks")
        }
        let batch = intake.take(offsets: [])
        #expect(batch.identities.map(\.identity.userID) == ["97980cfea0067", "u2"])
        #expect(batch.identities.map(\.identity.alias) == ["web:507f191e", "web:a2"])
        #expect(batch.identities.first?.identity.time == EventTime(milliseconds: 1_577_934_245_000))
        #expect(batch.interactions.map(\.itemID) == ["p1"] && batch.interactions.first?.userID == "u2")
        #expect(batch.rejections.map(\.rejection.field) == ["anonymous_id"])
    }

    @Test("good lines beside a bad one are taken, and the record as it came is one dead letter that says which line and why")
    func partly() throws {
        var intake = Self.intake()
        let record = MappedShop.order("o1", user: "u\u{65}\u{301}", lines: ["a", "", "b", ""])
        Self.add(record, to: &intake, key: "k1")
        let batch = intake.take(offsets: [])
        #expect(batch.interactions.map(\.eventID) == ["o1/0", "o1/2"])
        let letter = try #require(batch.rejections.first)
        #expect(batch.rejections.count == 1 && letter.payload == Array(record.utf8) && letter.key == Array("k1".utf8))
        #expect(letter.origin.source == "shop.orders" && letter.userID == Array("u\u{E9}".utf8))
        #expect(letter.rejection.code == .missingField && letter.rejection.field == "item_id")
        let detail = "line 1 (the first of 2 lines that are refused): is missing or empty; it must be a non-empty string; mapped from sku; "
            + "2 other lines are taken"
        #expect(letter.rejection.detail == detail)
        // Sent again, what was good is the same event as before.
        Self.add(record, to: &intake, offset: 9)
        #expect(intake.take(offsets: []).interactions.map(\.payloadHash) == batch.interactions.map(\.payloadHash))
    }

    @Test("a letter is as old as the older of the record's times, and is found by its user without a key")
    func names() throws {
        var intake = Self.intake()
        Self.add(#"{"order":{"id":"o","buyer":"u1","placed":1600000000},"lines":7}"#, to: &intake)
        Self.add(#"{"order":{"id":"o","buyer":"u2","placed":1600000000"#, to: &intake)
        let letters = intake.take(offsets: []).rejections
        #expect(letters.map(\.userID) == [Array("u1".utf8), Array("u2".utf8)] && letters.map(\.key) == letters.map(\.userID))
        #expect(letters.allSatisfy { $0.origin.recordTime?.milliseconds == 1_600_000_000_000 })
        #expect(letters.map(\.rejection.code) == [.missingField, .malformedJSON])
    }

    @Test("events without an id get one of their place, and other topics are read as ever")
    func others() {
        var intake = Self.intake()
        Self.add(MappedShop.click("", user: "u1", item: "i1"), to: &intake, topic: "shop.clicks")
        Self.add(#"{"type":"click","user_id":"u","item_id":"i","timestamp":1790000000000}"#, to: &intake, topic: "freshet.events")
        Self.add(#"{"name":"scroll","user":"u"}"#, to: &intake, topic: "shop.clicks")
        let left = intake.leftOut, batch = intake.take(offsets: [])
        #expect(batch.interactions.map(\.eventID) == ["k/shop.clicks/2/7", "k/freshet.events/2/7"])
        #expect(batch.rejections.isEmpty && left == 1)
    }

    @Test("the key of a deletion is an id without the prefix that the mapping writes before it")
    func prefixedDeletions() {
        var source = FieldSource(paths: MappedShop.mappings["shop.clicks"]?.fields["user_id"]?.paths ?? [])
        source.prefix = "c-"
        var intake = RecordIntake(
            rules: DecodingRules(), featureRules: FeatureRules(),
            mappings: ["shop.users": TopicMapping(kind: .users, fields: ["user_id": source])])
        for (offset, key) in ["99", #""98""#, String(repeating: "9", count: 255)].enumerated() {
            let origin = RecordOrigin(
                source: "shop.users", cluster: "k", position: Position(partition: 0, offset: Int64(offset)), recordTime: Intakes.now)
            Array(key.utf8).withUnsafeBytes { _ = intake.add(.users, key: $0, value: nil, origin: origin, now: Intakes.now) }
        }
        let batch = intake.take(offsets: [])
        let deleted = batch.users.compactMap { if case .delete(let id, _) = $0.change { id } else { nil } }
        #expect(deleted == ["c-99", "c-98"])
        #expect(batch.rejections.map(\.rejection.code) == [.tooLarge], "with the prefix it is longer than ids may be")
    }

    @Test("what is too long to be read is found by its user as well")
    func oversized() {
        var intake = Self.intake()
        Array(#"{"order":{"id":"o","buyer":"u1""#.utf8).withUnsafeBytes {
            intake.addOversized(
                .events, bytes: 9_999_999, head: $0,
                origin: RecordOrigin(source: "shop.orders", cluster: "k", position: Position(partition: 0, offset: 0)))
        }
        #expect(intake.take(offsets: []).rejections.first?.userID == Array("u1".utf8))
    }
}
