import FeatureStore
import Features
import Foundation
import Interactions
import Testing
import TestSupport
import TrainingFiles

/// What was accepted can always be read again: records go through the decoder, PostgreSQL and a training file.
@Suite("what was accepted is read again", .enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct ReadAgainTests {
    private static let now = EventTime(rfc3339: "2026-11-21T08:00:00Z")!

    /// Stores what the decoder accepts and exports it.
    private func exported(
        items: [String] = [], users: [String] = [], events: [String] = [], rules: DecodingRules = DecodingRules(),
        until: EventTime? = nil
    ) throws -> (file: TrainingFile, summary: SnapshotExport.Summary, database: TestDatabase) {
        let database = try TestDatabase()
        let decoder = RecordDecoder(rules: rules)
        var batch = IngestBatch()
        func origin(_ source: String, _ place: Int) -> RecordOrigin {
            RecordOrigin(source: source, cluster: "k1", position: Position(partition: 0, offset: Int64(place)), recordTime: nil)
        }
        for (place, line) in items.enumerated() {
            let origin = origin("items", place)
            batch.items.append((.upsert(try Self.decoded(line) { decoder.item($0, origin: origin, now: Self.now) }), origin))
        }
        for (place, line) in users.enumerated() {
            let origin = origin("users", place)
            batch.users.append((.upsert(try Self.decoded(line) { decoder.user($0, origin: origin, now: Self.now) }), origin))
        }
        for (place, line) in events.enumerated() {
            let origin = origin("events", place)
            batch.interactions.append(try Self.decoded(line) { decoder.interaction($0, origin: origin, now: Self.now) })
        }
        let rules = FeatureRules()
        batch.prefolded = batch.interactions.reduce(into: FeatureDelta(rules: rules)) { $0.fold($1) }
        _ = try IngestStore(url: database.url, rules: rules).commit(batch)
        let path = FileManager.default.temporaryDirectory.appending(path: "freshet-log-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let summary = try SnapshotExport(
            url: database.url, settings: SnapshotExport.Settings(impressionsLimit: 100, maxInteractionsPerUser: 100)
        ).write(to: path, until: until) { _ in }
        return (try TrainingFile(path: path), summary, database)
    }

    private static func decoded<Record>(
        _ line: String, _ decode: (UnsafeRawBufferPointer) -> Result<Record, Rejection>
    ) throws -> Record {
        try Array(line.utf8).withUnsafeBytes { try decode($0).get() }
    }

    private static func click(_ number: Int, _ member: String = #""user_id":"u1""#, item: String = "i1", at time: String) -> String {
        #"{"event_id":"e\#(number)","type":"click",\#(member),"item_id":"\#(item)","timestamp":"\#(time)"}"#
    }

    @Test("numbers that the database writes out at length are accepted and come back")
    func numbers() throws {
        let list = [String](repeating: "1e30", count: 2_500).joined(separator: ",")
        let found = try exported(
            items: [
                #"{"item_id":"i1","attributes":{"spam_probability":2.1e-47,"least":1e-300,"most":-9.99e300}}"#,
                #"{"item_id":"i2","attributes":{"many":[\#(list)]}}"#,
            ],
            users: [#"{"user_id":"u1","attributes":{"score":1e41}}"#],
            events: [Self.click(1, at: "2026-11-20T08:00:00Z")])
        #expect(found.file.log.itemIDs == ["i1", "i2"] && found.file.log.count == 1)
        let tokens = found.file.log.contents[0].attributes
        #expect(tokens.contains("spam_probability=0." + String(repeating: "0", count: 46) + "21"))
        #expect(found.file.log.contents[1].attributes == ["many=1" + String(repeating: "0", count: 30)])
        #expect(found.file.log.attributes == [["score=1" + String(repeating: "0", count: 41)]])
    }

    @Test("somebody known by a session alone is read again, however long the session's id may be", arguments: [1, 248, 249, 255, 256])
    func sessions(bytes: Int) throws {
        let session = String(repeating: "s", count: bytes)
        let found = try exported(events: [Self.click(1, #""session_id":"\#(session)""#, at: "2026-11-20T08:00:00Z")])
        #expect(found.file.log.userIDs == ["session:" + session])
    }

    @Test("a currency that a former version stored in small letters or at length does not end the reading")
    func currencies() throws {
        let database = try TestDatabase()
        try database.sql(
            "insert into items (item_id, currency, price_micros, updated_at, catalogue_version) values ('i1', 'Euro', 5, now(), 1)")
        let path = FileManager.default.temporaryDirectory.appending(path: "freshet-log-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let settings = SnapshotExport.Settings(impressionsLimit: 1, maxInteractionsPerUser: 1)
        _ = try SnapshotExport(url: database.url, settings: settings).write(to: path, until: nil) { _ in }
        #expect(try TrainingFile(path: path).log.itemIDs == ["i1"])
    }

    @Test("what was published after the moment that is read is no item without a record")
    func publishedLater() throws {
        let until = try #require(EventTime(rfc3339: "2026-11-15T00:00:00Z"))
        let found = try exported(
            items: [
                #"{"item_id":"i1","title":"one"}"#,
                #"{"item_id":"i2","title":"two","price":3,"hidden":true,"published_at":"2026-11-18T00:00:00Z"}"#,
            ],
            events: [
                Self.click(1, at: "2026-11-10T08:00:00Z"), Self.click(2, item: "i2", at: "2026-11-10T09:00:00Z"),
                Self.click(3, item: "i3", at: "2026-11-10T10:00:00Z"),
            ], until: until)
        #expect(found.file.log.itemIDs == ["i1", "i2", "i3"])
        #expect(found.file.log.contents.map(\.title) == ["one", nil, nil])
        #expect(found.summary.itemsWithoutRecord == ["i3"])
        #expect(try found.database.sql("select title, hidden, price_micros from items where item_id = 'i2'") == "two|t|3000000")
    }
}
