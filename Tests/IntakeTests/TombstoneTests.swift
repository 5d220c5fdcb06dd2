import FeatureStore
import Features
import Foundation
import Intake
import Interactions
import Testing

@Suite("A record without a value deletes what its key names")
struct TombstoneTests {
    private func batch(
        _ kind: RecordKind, key: [UInt8]?, time: EventTime? = Intakes.now
    ) -> IngestBatch {
        var intake = RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules())
        intake.add(kind, key: key, value: nil, time: time)
        return intake.take(offsets: [])
    }

    private func deleted(_ batch: IngestBatch) -> (id: String, at: EventTime?)? {
        if case .delete(let id, let at)? = batch.items.first?.change { return (id, at) }
        if case .delete(let id, let at)? = batch.users.first?.change { return (id, at) }
        return nil
    }

    static let badKeys: [(key: [UInt8]?, code: RejectionCode)] = [
        (nil, .missingField), ([], .missingField), ([0, 0, 0, 0, 7] + Array("i9".utf8), .controlCharacter),
        (Array("a\u{1}".utf8), .controlCharacter), (Array("a\u{7F}".utf8), .controlCharacter), (Array("a\u{85}".utf8), .controlCharacter),
        ([0x69, 0xFF], .invalidUTF8), ([0xED, 0xA0, 0x80], .invalidUTF8), ([UInt8](repeating: 0x61, count: 257), .tooLarge),
        (Array(String(repeating: "é", count: 129).utf8), .tooLarge), (Array(#"{"id":"u151"}"#.utf8), .wrongType),
        (Array("{}".utf8), .wrongType),
        (Array(#"{"payload":{"user_id":"u1"}}"#.utf8), .wrongType), (Array(#""""#.utf8), .wrongType),
        (Array(#""a\u0001""#.utf8), .wrongType),
    ]

    @Test("a key that is no id is a dead letter with its reason", arguments: badKeys, [RecordKind.items, .users])
    func badKey(_ bad: (key: [UInt8]?, code: RejectionCode), _ kind: RecordKind) {
        let batch = batch(kind, key: bad.key)
        #expect(batch.rejections.map(\.rejection.code) == [bad.code])
        #expect(batch.rejections.first?.rejection.field == "key")
        #expect(batch.rejections.first?.key == bad.key)
        #expect(batch.items.isEmpty && batch.users.isEmpty)
    }

    @Test("bytes of a schema registry's serializer are named as such")
    func registry() {
        let framed: [UInt8] = [0, 0, 0, 0, 7] + Array("i9".utf8)
        #expect(batch(.items, key: framed).rejections.first?.rejection.detail.contains("schema registry") == true)
        var intake = RecordIntake(rules: DecodingRules(), featureRules: FeatureRules())
        intake.add(.items, value: "\0\0\0\0\u{7}{\"item_id\":\"i9\"}")
        #expect(intake.batch.rejections.first?.rejection.detail.contains("schema registry") == true)
        intake.add(.items, value: "{")
        #expect(intake.batch.rejections.last?.rejection.detail.contains("schema registry") == false)
    }

    static let goodKeys: [(key: String, id: String)] = [
        ("i9", "i9"), ("cafe\u{301}", "café"), ("a/b c", "a/b c"), ("7", "7"), ("\"i9\"", "i9"),
        (#""caf\u00e9""#, "café"), ("{3F25-04}", "{3F25-04}"),
        (#"{"schema":{"type":"string","optional":false},"payload":"i9"}"#, "i9"),
        (#""\"i9\"""#, #""i9""#), ("\"", "\""), (String(repeating: "a", count: 256), String(repeating: "a", count: 256)),
    ]

    @Test("a key is the id's text, in one spelling; where a serializer made JSON of it, what stands in it", arguments: goodKeys)
    func goodKey(_ good: (key: String, id: String)) {
        for kind in [RecordKind.items, .users] {
            let batch = batch(kind, key: Array(good.key.utf8))
            #expect(batch.rejections == [])
            // By bytes: Swift's own comparison does not tell the two spellings of é apart.
            #expect(deleted(batch).map { Array($0.id.utf8) } == Array(good.id.utf8))
        }
    }

    @Test("an object that holds the id alone names the record, in any spelling", arguments: [
        #"{"ID":"i9"}"#, #" { "ID" : "i9" } "#, "{\n\t\"ID\": \"i\\u0039\"\r\n}\n", #"{"\u0049D":"i9"}"#, #"{"ID":"i1","ID":"i9"}"#,
    ])
    func objects(key: String) {
        for (kind, field) in [(RecordKind.items, "item_id"), (.users, "user_id")] {
            let spelled = key.replacingOccurrences(of: "\\u0049D", with: "\\u00\(kind == .items ? "69tem" : "75ser")_id")
                .replacingOccurrences(of: "ID", with: field)
            #expect(deleted(batch(kind, key: Array(spelled.utf8)))?.id == "i9", "\(spelled)")
        }
    }

    @Test("an object with any further member names a part of the record: a null value deletes nothing and is counted", arguments: [
        #"{"ID":"i9","patch":true}"#, #"{"patch":true,"ID":"i9"}"#, #"{"ID":"i9", "patch":true}"#, " {\"ID\":\"i9\",\n\"patch\" : true }\n",
        #"{"ID":"i9","patch":false}"#, #"{"ID":"i9","patch":null}"#, #"{"ID":"i9","patch":"true"}"#, #"{"ID":"i9","field":"price"}"#,
        #"{"ID":"i9","\u0070atch":true}"#, #"{"ID":"i9","part":{"of":["it"]}}"#, #"{"ID":7,"patch":true}"#, #"{"ID":"i9","":0}"#,
        #"{"ID":"i9","schema":1}"#, #"{"payload":"i9","schema":{"type":"string"},"patch":true}"#,
    ])
    func parts(key: String) {
        for (kind, field) in [(RecordKind.items, "item_id"), (.users, "user_id")] {
            var intake = RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules())
            let bytes = Array(key.replacingOccurrences(of: "ID", with: field).utf8)
            intake.add(kind, key: bytes, value: nil, time: Intakes.now)
            #expect(intake.batch.items.isEmpty && intake.batch.users.isEmpty && intake.batch.rejections.isEmpty, "\(kind) \(key)")
            #expect(intake.leftOut == 1 && intake.leftOutReason?.contains("deletes nothing") == true)
        }
        // Without the id it names nobody, which is no reason to be silent.
        #expect(batch(.users, key: Array(#"{"patch":true}"#.utf8)).rejections.map(\.rejection.code) == [.wrongType])
    }

    @Test("the key that an id is sent under names that id and no other", arguments: [
        "i9", #""i9""#, #"{"item_id":"i9"}"#, "{3F25-04}", #""\"#, "[1]", "null", "7", "caf\u{E9}", #"a"b"#,
    ])
    func keyOfID(id: String) {
        for kind in [RecordKind.items, .users] {
            #expect(deleted(batch(kind, key: RecordKey.bytes(of: id)))?.id == id)
        }
    }

    @Test("a deletion is taken whatever its time: that of the future is cut to now, none and that of an unset clock are now")
    func times() {
        let now = Intakes.now
        let early = EventTime(milliseconds: now.milliseconds - 86_400_000)
        for kind in [RecordKind.items, .users] {
            for (time, expected) in [
                (early, early), (now, now), (EventTime(milliseconds: now.milliseconds + 1), now),
                (EventTime(milliseconds: 4_102_444_800_000), now), (EventTime(milliseconds: .max), now), (EventTime(milliseconds: 0), now),
                (nil, now),
            ] as [(EventTime?, EventTime)] {
                #expect(deleted(batch(kind, key: Array("x".utf8), time: time))?.at == expected, "\(kind) \(String(describing: time))")
            }
        }
    }

    @Test("an item without any time is as new as its arrival, so that it comes back after its deletion; a user is not")
    func undated() {
        var intake = RecordIntake(rules: DecodingRules(), featureRules: FeatureRules())
        for time in [nil, EventTime(milliseconds: 0)] {
            intake.add(.items, value: #"{"item_id":"i1"}"#, time: time)
            intake.add(.users, value: #"{"user_id":"u1"}"#, time: time)
        }
        #expect(intake.batch.items.map(\.origin.recordTime) == [Intakes.now, Intakes.now])
        #expect(intake.batch.users.map(\.origin.recordTime) == [nil, nil])
    }

    @Test("an event is not deleted so, and a record whose key names another is its own")
    func others() {
        for kind in [RecordKind.events, .impressions] {
            #expect(batch(kind, key: Array("u1".utf8)).rejections.map(\.rejection.code) == [.missingField])
            #expect(batch(kind, key: nil).rejections.count == 1)
        }
        var intake = RecordIntake(rules: DecodingRules(), featureRules: FeatureRules())
        intake.add(.items, key: Array("i1".utf8), value: #"{"item_id":"i2"}"#)
        intake.add(.items, key: [0xFF, 0], value: #"{"item_id":"i3"}"#)
        #expect(intake.batch.rejections == [] && intake.batch.items.count == 2)
    }

    @Test("a batch is full by records and by the bytes that it holds, refused ones included")
    func bound() {
        var intake = RecordIntake(rules: DecodingRules(), featureRules: FeatureRules())
        let line = String(repeating: "x", count: (1 << 20) + 1)
        #expect(!intake.isFull(batchRecords: 1))
        intake.add(.events, value: line)
        #expect(intake.isFull(batchRecords: 1) && !intake.isFull(batchRecords: 2))
        // A refused record is kept cut: 64 KiB each.
        for _ in 1..<1_023 { intake.add(.events, value: line) }
        #expect(!intake.isFull(batchRecords: .max))
        intake.add(.events, value: line)
        #expect(intake.isFull(batchRecords: .max))
        _ = intake.take(offsets: [])
        #expect(!intake.isFull(batchRecords: 1))
    }
}
