import FeatureStore
import Features
import ForeignFormats
import Foundation
import Intake
import Interactions
import Logging
import TestSupport
import Testing

@Suite("Spaces of ids, from records to the store")
struct IDSpaceIntakeTests {
    private static func intake(_ mappings: [String: TopicMapping] = [:]) -> RecordIntake {
        RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules(), mappings: mappings)
    }

    private static func deleted(_ batch: IngestBatch) -> [String] {
        batch.users.compactMap { if case .delete(let id, _) = $0.change { id } else { nil } }
    }

    @Test("a key names the whole id: of a bare one somebody else is deleted")
    func keys() {
        var intake = Self.intake()
        for key in ["app:7", #"{"user_id":"7","id_space":"app"}"#, "7", #"{"user_id":7}"#] {
            intake.add(.users, key: Array(key.utf8), value: nil, time: Intakes.now)
        }
        intake.add(.users, key: Array("7".utf8), value: #"{"user_id":"7","id_space":"app"}"#, time: Intakes.now)
        let batch = intake.take(offsets: [])
        #expect(Self.deleted(batch) == ["app:7", "app:7", "7", "7"] && batch.rejections.isEmpty)
        guard case .upsert(let record)? = batch.users.last?.change else { return #expect(Bool(false), "the record is missing") }
        #expect(record.userID == "app:7", "a record with a value is of whom it names, whatever its key")
    }

    @Test("where a mapping has a constant space a key is the bare id; where it reads one, the whole id")
    func mappedKeys() throws {
        var user = FieldSource(paths: [try RecordPath("id")])
        user.prefix = "c-"
        let space = FieldSource(paths: [try RecordPath("app")])
        var intake = Self.intake([
            "constant": TopicMapping(kind: .users, fields: ["user_id": user, "id_space": FieldSource(otherwise: #""web""#)]),
            "path": TopicMapping(kind: .users, fields: ["user_id": user, "id_space": space]),
        ])
        for (topic, key) in [("constant", "7"), ("path", "ios:c-7")] {
            let origin = RecordOrigin(
                source: topic, cluster: "k", position: Position(partition: 0, offset: 1), recordTime: Intakes.now)
            Array(key.utf8).withUnsafeBytes { _ = intake.add(.users, key: $0, value: nil, origin: origin, now: Intakes.now) }
            for text in [#"{"id":7,"app":"ios"}"#, #"{"id":7,"app":"ios","updated_at":"no"}"#] {
                Array(text.utf8).withUnsafeBytes { _ = intake.add(.users, key: nil, value: $0, origin: origin, now: Intakes.now) }
            }
        }
        let batch = intake.take(offsets: [])
        #expect(Self.deleted(batch) == ["web:c-7", "ios:c-7"])
        let records = batch.users.compactMap { if case .upsert(let record) = $0.change { record.userID } else { nil } }
        #expect(records == ["web:c-7", "web:c-7", "ios:c-7", "ios:c-7"])
    }

    @Test("rows of a database's changes are deleted with their spaces")
    func changes() throws {
        let fields = ["user_id": FieldSource(paths: [try RecordPath("id")]), "id_space": FieldSource(paths: [try RecordPath("app")])]
        var mapping = TopicMapping(kind: .users, fields: fields)
        mapping.format = .debezium
        var intake = Self.intake(["db.users": mapping])
        let origin = RecordOrigin(source: "db.users", cluster: "k", position: Position(partition: 0, offset: 1), recordTime: Intakes.now)
        Array(ShopTables.change("d", before: #"{"id":7,"app":"ios"}"#).utf8).withUnsafeBytes {
            _ = intake.add(.users, key: nil, value: $0, origin: origin, now: Intakes.now)
        }
        Array(#"{"id":8,"app":"ios"}"#.utf8).withUnsafeBytes {
            _ = intake.add(.users, key: $0, value: nil, origin: origin, now: Intakes.now)
        }
        Array(#"{"id":9}"#.utf8).withUnsafeBytes {
            _ = intake.add(.users, key: $0, value: nil, origin: origin, now: Intakes.now)
        }
        let batch = intake.take(offsets: [])
        #expect(Self.deleted(batch) == ["ios:7", "ios:8"], "9 alone would be somebody else")
        #expect(batch.rejections.map(\.rejection.field) == ["id_space"])
    }

    @Test("a dead letter is kept under its user's whole id")
    func deadLetter() {
        var intake = Self.intake()
        intake.add(.events, value: #"{"type":"boo","user_id":"7","id_space":"app","item_id":"i","timestamp":1790000000000}"#)
        #expect(intake.take(offsets: []).rejections.map(\.userID) == [Array("app:7".utf8)])
    }

    @Test("a no of one space leaves the same number of another alone; joined, it is of both", .enabled(if: TestDatabase.isAvailable))
    func wishes() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        func take(_ kind: RecordKind, _ records: [String]) throws {
            var intake = Self.intake()
            for record in records { intake.add(kind, value: record, time: Intakes.now) }
            #expect(intake.batch.rejections.isEmpty)
            _ = try store.commit(intake.take(offsets: []))
        }
        func click(_ id: String, _ space: String, item: String) -> String {
            #"{"event_id":"\#(id)","type":"click","user_id":"7","id_space":"\#(space)","item_id":"\#(item)","timestamp":1790000000000}"#
        }
        try take(.users, [#"{"user_id":"7","id_space":"app","personalised":false}"#])
        let queries = StoreQueries(url: database.url)
        #expect(try queries.wish(of: "app:7") == false)
        #expect(try queries.wish(of: "7") == nil && queries.wish(of: "web:7") == nil)
        try take(.events, [click("a", "app", item: "i1"), click("b", "web", item: "i1")])
        #expect(try database.sql("select user_id from interactions") == "web:7")
        #expect(try database.sql("select clicks from item_features where item_id = 'i1'") == "2")
        try take(.events, [#"{"type":"identify","user_id":"7","id_space":"app","anonymous_id":"7","anonymous_id_space":"web"}"#])
        try take(.events, [click("c", "web", item: "i2")])
        #expect(try database.sql("select count(*) from interactions where item_id = 'i2'") == "0")
    }

    @Test("rows of a file have a constant space, or one of a column", .enabled(if: TestDatabase.isAvailable))
    func imported() throws {
        let database = try TestDatabase()
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("spaces-\(UUID().uuidString).csv")
        defer { try? FileManager.default.removeItem(at: path) }
        let settings = IngestSettings(databaseURL: database.url, rules: DecodingRules(idForm: .nfc), clock: { Intakes.now })
        for (item, map) in [("i1", #"id_space="web""#), ("i2", "id_space=app")] {
            // A row that stood in another file would be its repetition.
            try Data("user_id,item_id,type,timestamp,app\n7,\(item),click,2026-09-21 10:00:00 UTC,ios\n".utf8).write(to: path)
            var options = ForeignOptions()
            options.maps = [try FieldMap(map)]
            options.typeNames = settings.rules.typeNames
            options.now = Intakes.now
            let file = try ForeignFile(
                path: path.path, format: .csv, kind: .events, encoding: nil, options: options, isStopping: { false })
            let store = try IngestStore(url: database.url, rules: settings.featureRules)
            _ = try BackfillRun(store: store, settings: settings, logger: Logger(label: "test"), isStopping: { false }).run(file)
        }
        #expect(try database.sql("select user_id from user_features order by 1") == "ios:7\nweb:7")
    }
}
