import ForeignFormats
import Interactions
import Testing

@Suite("Gorse's exports")
struct GorseTests {
    @Test("feedback: its own key is its id, whatever the case of names and the form of times")
    func feedback() throws {
        let read = try Reading(
            """
            {"FeedbackType":"star","UserId":"u1","ItemId":"i1","Value":0,"Timestamp":"2022-10-30T14:06:09Z","Comment":""}
            {"feedbacktype":"read","userid":7,"itemid":"i2","value":3.5,"timestamp":"2022/10/30 14:06","labels":["a"]}

            {"FeedbackType":"star","UserId":"u1","ItemId":"i1","Timestamp":"0001-01-01T00:00:00Z"}
            {"FeedbackType":"star","UserId":"u1"}
            ["star"]
            {"FeedbackType":
            """, .gorse)
        #expect(read.records == [
            #"{"event_id":"gorse/star/u1/i1/1667138769000","type":"star","user_id":"u1","item_id":"i1","#
                + #""timestamp":"2022-10-30T14:06:09.000Z","context":{"feedback_type":"star"}}"#,
            #"{"event_id":"gorse/read/7/i2/1667138760000","type":"read","user_id":"7","item_id":"i2","#
                + #""timestamp":"2022-10-30T14:06:00.000Z","context":{"feedback_type":"read","value":3.5,"labels":["a"]}}"#,
        ])
        #expect(read.refused.map(\.line) == [4, 5, 6, 7])
        #expect(read.refused.map(\.reason.field) == ["Timestamp", "ItemId", nil, nil])
        #expect(read.refused.allSatisfy { $0.reason.code == .malformedRow } && read.users == ["u1", "u1", nil, nil])
    }

    @Test("slashes in ids part no feedback into another one's")
    func slashes() throws {
        let pairs = [("s/b", "c"), ("s", "b/c"), ("s%2Fb", "c")]
        let lines = pairs.map {
            #"{"FeedbackType":"star","UserId":"\#($0.0)","ItemId":"\#($0.1)","Timestamp":"2022-10-30T14:06:09Z"}"#
        }
        let keys = try Reading(lines.joined(separator: "\n"), .gorse).records.map { $0.prefix { $0 != "," } }
        #expect(Set(keys).count == 3, "\(keys)")
    }

    @Test("items: words become tags, names attributes, and the zero time none")
    func items() throws {
        let read = try Reading(
            """
            {"ItemId":"1","IsHidden":true,"Categories":["Comedy"],"Timestamp":"2020-01-02T00:00:00Z",\
            "Labels":["a","b"],"Comment":"Toy Story"}
            {"ItemId":"2","IsHidden":false,"Categories":null,"Timestamp":"0001-01-01T00:00:00Z","Labels":{"embedding":[0.1,2],"brand":"x"}}
            """, .gorse, kind: .items)
        #expect(read.records == [
            #"{"item_id":"1","title":"Toy Story","categories":["Comedy"],"tags":["a","b"],"#
                + #""published_at":"2020-01-02T00:00:00.000Z","hidden":true}"#,
            #"{"item_id":"2","hidden":false,"attributes":{"embedding":[0.1,2],"brand":"x"}}"#,
        ])
        #expect(read.layout?.columns.contains { $0.name == "Comment" && $0.field == "title" } == true)
    }

    @Test("users, and what files are called")
    func users() throws {
        let lines = [#"{"UserId":"u","Labels":{"age":24,"job":"writer"},"Comment":"c"}"#, #"{"UserId":"v","Labels":["x"]}"#]
        let read = try Reading(lines.joined(separator: "\n"), .gorse, kind: .users)
        #expect(read.records == [
            #"{"user_id":"u","attributes":{"age":24,"job":"writer","comment":"c"}}"#, #"{"user_id":"v","attributes":{"labels":["x"]}}"#,
        ])
        for (name, kind) in [
            ("users.jsonl", RecordKind.users), ("/data/user/items.jsonl.gz", .items), ("feedback.jsonl", .events), ("x", .events),
        ] {
            #expect(ForeignFormat.gorse.kinds(ofFileNamed: name) == [kind])
        }
    }
}
