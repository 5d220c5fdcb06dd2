import Bytes
import ForeignClients
import FuzzInputs
import Interactions
import Tensors
import Testing

/// What clients of Gorse send comes back as they sent it.
@Suite struct GorseObjectTests {
    private static func tree(_ json: String) throws -> JSONTree { try GorseObjects.tree(Array(json.utf8)) }

    private static func written(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static let origin = RecordOrigin(
        source: "t", cluster: "c", position: Position(partition: 0, offset: 1), recordTime: EventTime(milliseconds: 1_800_000_000_000))

    @Test(
        arguments: [
            #"null"#, #""a word""#, #"12.50"#, #"["a","b","c"]"#, #"["a","a"]"#, #"["é"]"#, #"[0.1,0.2,0.3]"#, #"[]"#, #"{}"#,
            #"{"age":24,"gender":"M"}"#, #"{"deep":{"x":{"y":[1,2]}},"embedding":[0.1,0.2]}"#, #"{"comment":"c","labels":["x"]}"#,
            #"{"comment":3}"#, #"{"n":10000000000000000000000001}"#, #"{"":"empty name"}"#,
        ])
    func labelsComeBackAsTheyWereSent(labels: String) throws {
        for comment in ["", "a comment", " padded ", "é\u{301}", String(repeating: "long ", count: 100)] {
            let quoted = JSONText.quoted(comment)
            let user = try GorseObjects.user(Self.tree(#"{"UserId":"u1","Labels":\#(labels),"Comment":\#(quoted)}"#))
            guard
                case .success(.upsert(let record)) = user.body.withUnsafeBytes({
                    RecordDecoder().userChange($0, origin: Self.origin, now: EventTime(milliseconds: 1_800_000_000_000))
                })
            else { throw Refused(what: labels) }
            #expect(
                Self.written { GorseObjects.write(record, to: &$0) } == #"{"UserId":"u1","Labels":\#(labels),"Comment":\#(quoted)}"#)
            let item = try GorseObjects.item(
                Self.tree(
                    #"{"ItemId":"i","IsHidden":true,"Categories":["d","e"],"Timestamp":"2026-11-29T10:00:00Z","#
                        + #""Labels":\#(labels),"Comment":\#(quoted)}"#))
            guard
                case .success(.upsert(let found)) = item.body.withUnsafeBytes({
                    RecordDecoder().itemChange($0, origin: Self.origin, now: EventTime(milliseconds: 1_800_000_000_000))
                })
            else { throw Refused(what: labels) }
            let expected =
                #"{"ItemId":"i","IsHidden":true,"Categories":["d","e"],"Timestamp":"2026-11-29T10:00:00Z","#
                    + #""Labels":\#(labels),"Comment":\#(quoted)}"#
            #expect(Self.written { GorseObjects.write(found, to: &$0) } == expected)
        }
    }

    private struct Refused: Error { var what: String }

    @Test(arguments: ["true", "[1,\"a\"]", "{\"a\":false}", "[[1]]", "{\"a\":[null]}"])
    func labelsOfOtherKindsAreRefused(labels: String) throws {
        let user = try Self.tree(#"{"UserId":"u","Labels":\#(labels)}"#)
        #expect(throws: Rejection.self) { try GorseObjects.user(user) }
    }

    @Test func namesAreFoundWhateverTheirCaseAndOthersAreIgnored() throws {
        let user = try GorseObjects.user(Self.tree(#"{"userid":"u","LABELS":["a"],"Subscribe":["x"],"extra":{"y":true}}"#))
        #expect(user.id == "u")
        #expect(String(decoding: user.body, as: UTF8.self) == #"{"user_id":"u","attributes":{"labels":["a"]}}"#)
    }

    @Test func aPatchRemovesWhatGoesAndLeavesWhatIsNull() throws {
        let now = #"{"age":24,"gender":"M","comment":"old"}"#
        let patch = try GorseObjects.userPatch("u", Self.tree(#"{"Labels":{"age":25},"Comment":null}"#), now: now)
        let text = String(decoding: patch.body, as: UTF8.self)
        #expect(text == #"{"user_id":"u","attributes":{"age":25,"comment":"old","gender":null},"patch":true}"#)
        var known = ItemRecord(itemID: "i", title: "old", categories: ["c"])
        known.attributes = #"{"genre":"x"}"#
        let nulls = #"{"Categories":null,"Comment":null,"IsHidden":null,"Labels":null,"Timestamp":null}"#
        let untouched = try GorseObjects.itemPatch(Self.tree(nulls), of: known)
        #expect(String(decoding: untouched.body, as: UTF8.self) == #"{"item_id":"i","patch":true}"#)
        let renamed = try GorseObjects.itemPatch(Self.tree(#"{"Comment":"new"}"#), of: known)
        #expect(String(decoding: renamed.body, as: UTF8.self).contains(#""title":"new""#))
    }

    @Test func hostileBodiesAreRefusedNotCrashed() {
        var random = SeededGenerator(seed: 7)
        let whole = Array(#"{"ItemId":"i","Labels":{"a":[1,2]},"Timestamp":"2026-11-29T10:00:00Z","Comment":"c"}"#.utf8)
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0..<(1 + Int(random.next() % 4)) {
                let place = Int(random.next() % UInt64(bytes.count))
                if random.next() % 2 == 0 { bytes[place] = UInt8(truncatingIfNeeded: random.next()) } else { bytes.remove(at: place) }
            }
            if let tree = try? GorseObjects.tree(bytes) {
                _ = try? GorseObjects.item(tree)
                _ = try? GorseObjects.user(tree)
                _ = try? GorseFeedback(tree)
            }
        }
    }
}

@Suite struct GorseTextTests {
    @Test func momentsAreWrittenAsGoWritesThem() {
        func text(_ time: String) -> String { GorseText.time(EventTime(rfc3339: time)) }
        #expect(text("2026-11-29T10:00:00Z") == "2026-11-29T10:00:00Z")
        #expect(text("2026-11-29T10:00:00.120Z") == "2026-11-29T10:00:00.12Z")
        #expect(text("2026-11-29T12:00:00+02:00") == "2026-11-29T10:00:00Z")
        #expect(GorseText.time(nil) == "0001-01-01T00:00:00Z")
    }

    @Test func spansAreReadAsGoReadsThem() {
        #expect(GorseText.milliseconds(ofDuration: "10m") == 600_000)
        #expect(GorseText.milliseconds(ofDuration: "1h30m") == 5_400_000)
        #expect(GorseText.milliseconds(ofDuration: "500ms") == 500)
        #expect(GorseText.milliseconds(ofDuration: "1.5s") == 1_500)
        #expect(GorseText.milliseconds(ofDuration: "-1s") == -1_000)
        #expect(GorseText.milliseconds(ofDuration: "0") == 0)
        for bad in ["", "10", "m", "1x", "-", "1h 30m", "9999999h", "1..5s"] {
            #expect(GorseText.milliseconds(ofDuration: bad) == nil, "\(bad)")
        }
    }

    @Test func conditionsHoldByTheValue() throws {
        let condition = try #require(FeedbackCondition("read>=3"))
        #expect(condition.type == "read" && condition.holds(3) && !condition.holds(2.9))
        #expect(try #require(FeedbackCondition("read")).holds(-1))
        #expect(try #require(FeedbackCondition("a < 2")).holds(1))
        for bad in ["", ">3", "read>", "read>=x"] { #expect(FeedbackCondition(bad) == nil, "\(bad)") }
    }
}

@Suite struct GorseFeedbackTests {
    private static let now = EventTime(rfc3339: "2026-11-29T10:00:00Z")!

    private static func event(_ json: String, known: Set<String> = ["click", "purchase"], salt: String? = nil) throws -> Interaction {
        let feedback = try GorseFeedback(GorseObjects.tree(Array(json.utf8)))
        let bytes = feedback.event(knownTypes: known, now: now, salt: salt)
        let origin = RecordOrigin(source: "t", cluster: "c", position: Position(partition: 3, offset: 9), recordTime: now)
        return try bytes.withUnsafeBytes { RecordDecoder().interaction($0, origin: origin, now: now) }.get()
    }

    @Test func aRepeatIsTheSameEvent() throws {
        let json = #"{"FeedbackType":"like","UserId":"u","ItemId":"i","Value":2,"Timestamp":"2026-11-28T10:00:00Z","#
            + #""Labels":{"a":[1]},"Comment":"c"}"#
        let first = try Self.event(json), again = try Self.event(json)
        #expect(first.eventID == again.eventID && first.payloadHash == again.payloadHash && first.time == again.time)
        #expect(first.type == .click)
        let feedback = try #require(Feedback(first))
        #expect(feedback.type == "like" && feedback.value == 2 && feedback.labels == #"{"a":[1]}"# && feedback.comment == "c")
        #expect(try Self.event(json, salt: "k").eventID != first.eventID)
    }

    @Test func whatLiesAheadIsKeptWithItsTime() throws {
        let event = try Self.event(#"{"FeedbackType":"read","UserId":"u","ItemId":"i","Timestamp":"2026-11-30T10:00:00Z"}"#)
        #expect(event.time == Self.now)
        #expect(Feedback(event)?.time == EventTime(rfc3339: "2026-11-30T10:00:00Z"))
    }

    @Test func ofABodyTheFirstOfAKeyCounts() throws {
        let list = try [1, 2, 3].map { value in
            try GorseFeedback(
                GorseObjects.tree(
                    Array(#"{"FeedbackType":"a","UserId":"u","ItemId":"\#(value / 3)","Value":\#(value)}"#.utf8)))
        }
        #expect(GorseFeedback.firsts(list) == [list[0], list[2]])
    }

    @Test func plainEventsCarryNoFeedback() {
        let event = Interaction(
            eventID: "e", type: .click, userID: "u", itemID: "i", time: Self.now, context: #"{"device":"feedback_typ","f":1}"#,
            position: Position(partition: 0, offset: 0))
        #expect(Feedback(event) == nil)
    }
}
