import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite(
    "What is stored of a person is written down whole, and nothing of others", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct PersonExportTests {
    private static func lines(_ export: PersonExport?, _ queries: StoreQueries) throws -> [String] {
        guard var export else { return [] }
        var lines: [String] = []
        while let page = try export.nextPage(queries) { lines += page }
        return lines
    }

    private static func letter(_ offset: Int64, user: String, payload: [UInt8]) -> RejectedRecord {
        RejectedRecord(
            origin: RecordOrigin(source: "t", cluster: "c", position: Position(partition: 0, offset: offset), recordTime: time(5)),
            key: Array(user.utf8), payload: payload, payloadBytes: payload.count, rejection: Rejection(.malformedJSON, "x"))
    }

    @Test("records, counters, events of every page, matched returns and refused records, of all the person's ids")
    func whole() throws {
        let database = try TestDatabase(), store = try IngestStore(url: database.url, rules: FeatureRules())
        // Two pages and a bit, many at one instant, so that a page ends between them.
        let many = (0..<4_100).map { event("e\($0)", user: "u1", item: "i\($0 % 7)", at: Int64($0 / 1_000), offset: Int64($0)) }
        var batch = IngestBatch(
            interactions: many + [
                event("p", .purchase, user: "u1", item: "i3", at: 9_000, offset: 5_000),
                event("r", .return, user: "u1", item: "i3", at: 9_500, offset: 5_001),
                event("s", user: "session:s1", at: 40, offset: 5_002), event("d", user: "device:\u{e9}", at: 41, offset: 5_003),
                event("o", user: "u2", at: 50, offset: 5_004),
            ])
        batch.users = [
            (.upsert(UserRecord(userID: "u1", attributes: #"{"age":"25"}"#, aliases: ["session:s1"], updatedAt: time(1))), origin(0)),
            (.upsert(UserRecord(userID: "session:s1", aliases: ["device:\u{e9}"], updatedAt: time(1))), origin(1)),
            (.upsert(UserRecord(userID: "u2", aliases: ["shared"], updatedAt: time(1))), origin(2)),
            (.upsert(UserRecord(userID: "u3", aliases: ["shared", "alone"], updatedAt: time(1))), origin(3)),
        ]
        batch.rejections = [
            Self.letter(9, user: "u1", payload: [0, 0xFF, 34, 10]), Self.letter(10, user: "u2", payload: Array("u2 wrote".utf8)),
        ]
        _ = try store.commit(batch)
        let queries = StoreQueries(url: database.url)
        let export = try #require(try queries.export(of: "u1"))
        #expect(export.ids == ["u1", "session:s1", "device:\u{e9}"])
        let lines = try Self.lines(export, queries)
        func count(_ part: String) -> Int { lines.count { $0.contains(part) } }
        #expect(count(#""kind":"interaction""#) == 4_104 && Set(lines).count == lines.count, "each event once")
        #expect(count(#""kind":"user""#) == 2 && count(#""age": "25""#) == 1 && count(#""kind":"counters""#) == 3)
        #expect(count(#""kind":"matched_return""#) == 1 && count(#""type":"return""#) == 1)
        #expect(count(#""kind":"dead_letter""#) == 1 && count(#""payload_base64":"AP8iCg==""#) == 1)
        #expect(count("u2") == 0 && lines.allSatisfy { !$0.contains("\n") })
        // By an id that one record names, by one that two share, by a stranger's.
        let alone = try queries.export(of: "alone")?.ids ?? [], session = try queries.export(of: "session:s1")?.ids ?? []
        #expect(alone == ["u3", "alone", "shared"])
        #expect(session == ["session:s1", "device:\u{e9}"], "it has a record of its own")
        let strangers = try ["shared", "nobody"].compactMap { try queries.export(of: $0)?.ids }
        #expect(strangers.isEmpty)
    }

    @Test("nothing is written down of who is erased, from the deletion on")
    func erased() throws {
        let database = try TestDatabase(), store = try IngestStore(url: database.url, rules: FeatureRules())
        var batch = IngestBatch(interactions: [event("a", user: "u1", at: 10), event("b", user: "u1", at: 20, offset: 1)])
        batch.rejections = [Self.letter(9, user: "u1", payload: [1])]
        _ = try store.commit(batch)
        let queries = StoreQueries(url: database.url)
        #expect(try Self.lines(queries.export(of: "u1"), queries).count == 4)
        _ = try store.commit(IngestBatch(users: [(.delete(id: "u1", at: nil), origin(1, at: time(100)))]))
        let hidden = try queries.export(of: "u1")?.ids
        #expect(hidden == nil, "its rows are still there, and hidden")
        _ = try store.commit(IngestBatch(interactions: [event("c", user: "u1", at: 200, offset: 2)]))
        let lines = try Self.lines(queries.export(of: "u1"), queries)
        #expect(lines.count == 2 && lines.contains { $0.contains(#""event_id":"c""#) }, "what comes later is the person's again")
    }
}
