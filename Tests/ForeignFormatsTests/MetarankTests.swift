import ForeignFormats
import FuzzInputs
import Interactions
import Testing

@Suite("Metarank's events")
struct MetarankTests {
    private static let file = """
        {"event":"item","id":"a1","timestamp":1655897000000,"item":"p1","fields":[{"name":"title","value":"One"},\
        {"name":"color","value":"red"}]}
        {"event":"metadata","id":"a2","timestamp":"1655897002000","item":"p2","fields":[{"name":"price","value":9.5}]}
        {"event":"item","id":"a3","timestamp":"2022-06-22T11:23:21+00:00","item":"p1","fields":[{"name":"color","value":["blue","green"]}]}
        {"event":"item","id":"a4","timestamp":1655896000000,"item":"p1","fields":[{"name":"title","value":"Old"},\
        {"name":"new","value":true}]}
        {"event":"user","id":"b1","timestamp":1655897000000,"user":"u1","fields":[{"name":"age","value":30}]}
        {"event":"ranking","id":"r1","timestamp":1655897003000,"user":"u1","session":"s1","items":[{"id":"p2","relevancy":2},{"id":"p1"}]}
        {"event":"interaction","id":"c1","timestamp":1655897004000,"item":"p1","type":"click","user":"u1","session":"s1",\
        "ranking":"r1","fields":[]}
        {"event":"interaction","id":"c2","timestamp":"someday","item":"p1","type":"click","user":"u2"}
        {"event":"purchase","id":"c3"}
        no JSON
        """

    @Test("interactions and rankings; what has no kind that is known is refused once")
    func events() throws {
        let read = try Reading(Self.file, .metarank)
        #expect(read.records == [
            #"{"event_id":"c1","type":"click","user_id":"u1","item_id":"p1","timestamp":"2022-06-22T11:23:24.000Z","#
                + #""session_id":"s1","request_id":"r1"}"#
        ])
        #expect(read.refused.map(\.line) == [8, 9, 10] && read.users == ["u2", nil, nil])
        let slates = try Reading(Self.file, .metarank, kind: .impressions)
        #expect(slates.records == [
            #"{"request_id":"r1","user_id":"u1","session_id":"s1","timestamp":"2022-06-22T11:23:23.000Z","#
                + #""items":[{"item_id":"p2"},{"item_id":"p1"}]}"#
        ])
        #expect(slates.refused.isEmpty)
    }

    @Test("an item has the newest value of each field that any event names, whatever the order")
    func folded() throws {
        let items = try Reading(Self.file, .metarank, kind: .items, pieceBytes: 7)
        #expect(items.records == [
            #"{"item_id":"p2","price":9.5,"updated_at":"2022-06-22T11:23:22.000Z"}"#,
            #"{"item_id":"p1","title":"One","updated_at":"2022-06-22T11:23:21.000Z","attributes":{"color":["blue","green"],"new":true}}"#,
        ])
        let users = try Reading(Self.file, .metarank, kind: .users)
        #expect(users.records == [#"{"user_id":"u1","updated_at":"2022-06-22T11:23:20.000Z","attributes":{"age":30}}"#])
    }

    @Test("any order of the same events gives the same items")
    func orders() async throws {
        let report = await FuzzDoor("foreign.metarank", short: 100, long: 10_000).run { source, _ in
            var lines = (0..<12).map { number in
                #"{"event":"item","id":"e\#(number)","timestamp":\#(1_655_897_000_000 + number),"item":"p\#(source.below(3))","#
                    + #""fields":[{"name":"f\#(source.below(3))","value":\#(number)}]}"#
            }
            func items() throws -> Set<Set<Substring>> {
                let records = try Reading(lines.joined(separator: "\n"), .metarank, kind: .items).records
                return Set(records.map { Set($0.split { ",{}".contains($0) }) })
            }
            let first = try items()
            lines.shuffle(using: &source)
            return try items() == first ? .accepted : .broken("another order gives other items")
        }
        #expect(report.findings.isEmpty)
    }

    @Test("fields that are none, and lines of every breakage, are refused and end nothing", arguments: [
        #"{"event":"item","item":"p","timestamp":1,"fields":[{"name":"a","value":{}}]}"#,
        #"{"event":"item","item":"p","timestamp":1,"fields":3}"#, #"{"event":"item","item":"","timestamp":1}"#,
        #"{"event":"item","item":"p"}"#, #"{"event":"item","item":"p","timestamp":1,"fields":[{"value":1}]}"#,
    ])
    func wrong(_ line: String) throws {
        let read = try Reading(line + "\n" + #"{"event":"item","item":"ok","timestamp":1655897000000}"#, .metarank, kind: .items)
        #expect(read.refused.map(\.line) == [1] && read.records.count == 1)
    }
}
