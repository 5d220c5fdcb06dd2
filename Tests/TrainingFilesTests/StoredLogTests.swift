import Console
import FeatureStore
import Features
import Foundation
import Interactions
import Testing
import TestSupport
import TrainingFiles

/// What a training, an evaluation and a replay read of one moment of a store, and what is cleared up afterwards.
@Suite(.enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct StoredLogTests {
    private static let start: Int64 = 1_700_000_000_000

    private static func event(
        _ user: String, _ item: String, at milliseconds: Int64, offset: Int64, type: InteractionType = .click, amount: Int64? = nil,
        rating: Double? = nil
    ) -> Interaction {
        Interaction(
            eventID: "e\(offset)", type: type, userID: user, itemID: item, time: EventTime(milliseconds: start + milliseconds),
            amountMinor: amount, currency: amount == nil ? nil : "EUR", context: rating.map { "{\"rating\":\($0)}" },
            position: Position(partition: 0, offset: offset), payloadHash: UInt64(offset))
    }

    /// Three users, one item that is deleted, one that is hidden.
    private static func store() throws -> TestDatabase {
        let database = try TestDatabase()
        var batch = IngestBatch(interactions: [
            event("b", "x", at: 5, offset: 1), event("b", "y", at: 5, offset: 0, rating: 1), event("a", "x", at: 9, offset: 2),
            event("a", "y", at: 1, offset: 3, type: .purchase, amount: 700), event("c", "gone", at: 2, offset: 4),
            event("c", "z", at: 20, offset: 5, rating: 4.5),
        ])
        func origin(_ place: Int64) -> RecordOrigin {
            RecordOrigin(source: "items", cluster: "k", position: Position(partition: 0, offset: place), recordTime: nil)
        }
        batch.items = [
            (.upsert(ItemRecord(itemID: "x", title: "X")), origin(0)), (.upsert(ItemRecord(itemID: "z", hidden: true)), origin(1)),
            (.upsert(ItemRecord(itemID: "gone")), origin(2)),
        ]
        batch.users = [(.upsert(UserRecord(userID: "a", attributes: #"{"age":"25"}"#)), origin(3))]
        _ = try IngestStore(url: database.url, rules: FeatureRules()).commit(batch)
        try database.sql("update items set deleted = true where item_id = 'gone'")
        return database
    }

    private func path(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("freshet-\(name)-\(UUID().uuidString)").path
    }

    private func exported(_ database: TestDatabase, _ settings: SnapshotExport.Settings, until: Int64? = nil) throws -> TrainingLog {
        let path = path("log")
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try SnapshotExport(url: database.url, settings: settings)
            .write(to: path, until: until.map { EventTime(milliseconds: Self.start + $0) }) { _ in }
        return try TrainingFile(path: path).log
    }

    @Test("an export knows ratings, bounds and moments")
    func export() throws {
        let database = try Self.store()
        let all = try exported(database, .init(impressionsLimit: 10, maxInteractionsPerUser: 10))
        #expect(all.userIDs == ["a", "b", "c"] && all.itemIDs == ["x", "y", "z"] && all.isHidden == [false, false, true])
        #expect(all.rows(of: 1).map { all.items[$0] } == [1, 0], "of one instant by the place in the source")
        #expect(all.rows(of: 0).map { all.amounts[$0] } == [700, -1] && all.attributes == [["age=25"], [], []] && all.newRows.isEmpty)
        let one = try exported(database, .init(impressionsLimit: 10, maxInteractionsPerUser: 1))
        #expect(one.count == 3 && one.rows(of: 0).map { one.times[$0] - Self.start } == [9], "the newest")
        let rated = try exported(
            database, .init(impressionsLimit: 10, maxInteractionsPerUser: 10, ratings: RatingRules(positiveFrom: 3, declinedBelow: 2)))
        #expect(rated.count == 4 && rated.impressions.count == 1 && rated.impressions.outcomes == [ImpressionColumns.declined])
        #expect(rated.userIDs[Int(rated.impressions.users[0])] == "b" && rated.itemIDs[Int(rated.impressions.items[0])] == "y")
        let early = try exported(database, .init(impressionsLimit: 10, maxInteractionsPerUser: 10), until: 5)
        #expect(early.count == 3 && early.userIDs == ["a", "b"])
    }

    @Test("members of a group are learned as one, whoever is deleted")
    func groups() throws {
        let database = try Self.store()
        var batch = IngestBatch(interactions: [Self.event("c", "w", at: 30, offset: 9)])
        func origin(_ place: Int64) -> RecordOrigin {
            RecordOrigin(source: "items", cluster: "k", position: Position(partition: 0, offset: place), recordTime: nil)
        }
        for (place, id) in ["x", "z", "w"].enumerated() {
            let record = ItemRecord(itemID: id, title: id.uppercased(), attributes: "{\"size\":\(place)}", groupID: "g")
            batch.items.append((.upsert(record), origin(Int64(20 + place))))
        }
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        _ = try store.commit(batch)
        let settings = SnapshotExport.Settings(impressionsLimit: 10, maxInteractionsPerUser: 10)
        let log = try exported(database, settings)
        #expect(log.itemIDs == [ItemGroup.unitID("g"), "y"] && log.contents[0].title == "W")
        #expect(log.rows(of: 0).map { log.items[$0] } == [1, 0] && log.rows(of: 2).map { log.items[$0] } == [0, 0])
        // What a deleted member was bought for still counts for the group; when all are deleted it is gone.
        func delete(_ ids: [String], _ place: Int64) throws {
            _ = try store.commit(IngestBatch(items: ids.map { (.delete(id: $0, at: nil), origin(place)) }))
        }
        try delete(["w"], 40)
        let less = try exported(database, settings)
        #expect(less.itemIDs == log.itemIDs && less.count == log.count && less.contents[0].title == "X")
        try delete(["x", "z"], 41)
        let none = try exported(database, settings)
        #expect(none.itemIDs == ["y"] && none.count == 2)
    }

    @Test("an export says which items came after the first delivery of the catalogue")
    func arrivals() throws {
        let database = try Self.store()
        #expect(try exported(database, .init(impressionsLimit: 10, maxInteractionsPerUser: 10)).arrivals == [nil, nil, nil])
        try database.sql("update items set created_at = now() - interval '10 days'")
        try database.sql("update items set created_at = now() - interval '1 day' where item_id = 'z'")
        let later = try exported(database, .init(impressionsLimit: 10, maxInteractionsPerUser: 10)).arrivals
        #expect(later.count == 3 && later[0] == nil && later[1] == nil)
        let age = EventTime.now.milliseconds - (later[2] ?? 0)
        #expect(abs(age - 86_400_000) < 600_000, "\(age)")
    }

    @Test("a first delivery takes an hour or a twentieth of the time since")
    func firstDelivery() {
        let hour: Int64 = 3_600_000, order: [Int32] = [3, 2, 1, 0]
        let none = Arrivals.withFirst, seen = [0, hour, 2 * hour, nil]
        #expect(Arrivals.of(seen, now: EventTime(milliseconds: 3 * hour), order: order) == [none, 2 * hour, none, none])
        #expect(Arrivals.of(seen, now: EventTime(milliseconds: 100 * hour), order: order) == [none, none, none, none])
        #expect(Arrivals.of([nil, nil], now: EventTime(milliseconds: 5), order: [0, 1]) == [none, none])
        #expect(Arrivals.of([.min, .max], now: EventTime(milliseconds: .max), order: [0, 1]) == [none, .max])
    }

    @Test("an export leaves out what was given back, and says what is left over")
    func returns() throws {
        let database = try Self.store()
        _ = try IngestStore(url: database.url, rules: FeatureRules()).commit(
            IngestBatch(interactions: [
                Self.event("a", "y", at: 30, offset: 6, type: .return, amount: 700), Self.event("b", "z", at: 31, offset: 7, type: .return),
            ]))
        let path = path("log")
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try SnapshotExport(url: database.url, settings: .init(impressionsLimit: 10, maxInteractionsPerUser: 10))
            .write(to: path, until: nil) { _ in }
        let file = try TrainingFile(path: path)
        #expect(file.log.count == 4 && file.log.rows(of: 0).map { file.log.items[$0] } == [0])
        let notes = try #require(AmountNotes(watermark: file.watermark))
        #expect(notes.returns == 2 && notes.leftOverReturns.hasPrefix("1 of 2 returns match no purchase: 50.0 % of the pieces"))
        let before = try exported(database, .init(impressionsLimit: 10, maxInteractionsPerUser: 10), until: 20)
        #expect(before.rows(of: 0).map { before.amounts[$0] } == [700, -1])
    }

    @Test("a stopped export leaves nothing behind")
    func stopped() throws {
        let database = try Self.store(), path = path("log")
        #expect {
            _ = try SnapshotExport(url: database.url, settings: .init(impressionsLimit: 1, maxInteractionsPerUser: 1))
                .write(to: path, until: nil, isStopped: { true }) { _ in }
        } throws: { "\($0)".contains("stopped while interactions were read") }
        #expect(!FileManager.default.fileExists(atPath: path) && !FileManager.default.fileExists(atPath: path + ".partial"))
    }

    @Test("a log for an evaluation leaves no name behind")
    func snapshotLog() throws {
        let database = try Self.store()
        let found = try SnapshotLog(
            SnapshotExport(url: database.url, settings: .init(impressionsLimit: 1, maxInteractionsPerUser: 10)), until: nil, texts: nil,
            threads: 1)
        #expect(found.log.count == 5 && !FileManager.default.fileExists(atPath: String(found.columnsPath.dropLast("-columns".count))))
        #expect(try found.log.trainingSet(columnsAt: found.columnsPath).eventCount == 5)
    }

    @Test("a replay walks the store in the order of time, and a file after it")
    func replay() throws {
        let database = try Self.store()
        let settings = ReplayLog.Settings(url: database.url, rates: nil, currencyBase: nil, rules: DecodingRules())
        let stored = try ReplayLog(settings, start: EventTime(milliseconds: Self.start), file: nil)
        #expect(stored.events.all.map { $0.time - Self.start } == [1, 5, 5, 9, 20] && stored.rejectedLines == 0)
        #expect(stored.events.all.map { stored.itemIDs[Int($0.item)] } == ["y", "y", "x", "x", "z"])
        #expect(
            stored.events.all[0].gain == 700 && stored.row(of: "gone") == nil
                && stored.row(of: "z").map { stored.isHidden[Int($0)] } == true)
        #expect(Dictionary(zip(stored.userIDs, stored.attributes)) { first, _ in first }["a"] == #"{"age": "25"}"#)
        let log = stored.trainingLog()
        #expect(log.isConsistent && log.count == 5 && log.amounts.count { $0 > 0 } == 1)
        #expect(log.contents[Int(try #require(stored.row(of: "x")))].title == "X")

        let file = path("events")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let lines = [
            #"{"event_id":"f1","type":"click","user_id":"d","item_id":"x","timestamp":"2023-11-14T22:13:30Z"}"#, "", "nonsense",
            #"{"event_id":"f2","type":"click","user_id":"d","item_id":"gone","timestamp":"2023-11-14T22:13:31Z"}"#,
            #"{"event_id":"f3","type":"impression","user_id":"d","item_id":"x","timestamp":"2023-11-14T22:13:31Z"}"#,
            #"{"event_id":"f4","type":"click","user_id":"d","item_id":"x","timestamp":"2023-11-14T22:13:20Z"}"#,
        ]
        try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        // What is stored after the start is what the file is to bring.
        let both = try ReplayLog(settings, start: EventTime(milliseconds: Self.start + 5), file: file)
        #expect(both.events.all.map { $0.time - Self.start } == [1, 5, 5, 10_000] && both.rejectedLines == 1)
        try "nonsense\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect { _ = try ReplayLog(settings, start: EventTime(milliseconds: 0), file: file) } throws: {
            "\($0)".contains("not one line of") && "\($0)".contains("line 1:")
        }
    }

    @Test("files of a training that was killed go with time, with an erasure, or where nothing can go on from them")
    func leftovers() throws {
        let database = try Self.store(), root = path("models"), queries = StoreQueries(url: database.url)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let folder = TrainingFolder(path: root + "/training")
        func begin(_ log: Bool = true) throws {
            try folder.clear()
            if log {
                _ = try SnapshotExport(url: database.url, settings: .init(impressionsLimit: 1, maxInteractionsPerUser: 10))
                    .write(to: folder.logPath, until: nil) { _ in }
                try folder.write(.init(stage: .judged, settings: [:]))
            }
        }
        func isThere() -> Bool { FileManager.default.fileExists(atPath: folder.path) }
        func cleared(keepHours: Int = 24) throws -> [String] {
            try TrainingLeftovers(root: root, url: database.url, keepHours: keepHours).clear(queries)
        }
        #expect(try cleared().isEmpty, "nothing was there")
        try begin()
        #expect(try cleared().isEmpty && isThere(), "it may go on")
        #expect(try cleared(keepHours: 0).first?.contains("older than train.keep_unfinished_hours, 0") == true && !isThere())
        try begin(false)
        let lock = try TrainingLock(url: database.url)
        #expect(try cleared().isEmpty && isThere(), "one that lives is still reading")
        lock.release()
        #expect(try cleared().first?.contains("it had not begun to learn") == true && !isThere())
        try begin()
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder.logPath))
        #expect(try cleared().first?.contains("the training file is not whole") == true)
        try begin()
        try queries.eraseUser("b")
        #expect(try cleared().first?.contains("1 of the users in them were erased") == true && !isThere())

        // Files of other ranks and of searches go likewise; a search keeps its table.
        try FileManager.default.createDirectory(atPath: root + "/training-rank-1", withIntermediateDirectories: true)
        let search = root + "/searches/s"
        try FileManager.default.createDirectory(atPath: search, withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: search + "/log.freshet-training"))
        try Data([1]).write(to: URL(fileURLWithPath: search + "/trials.jsonl"))
        let told = try cleared()
        #expect(told.count == 2 && told[0].contains("left by a rank") && told[1].contains("its table stays"))
        #expect(FileManager.default.fileExists(atPath: search + "/trials.jsonl"))
        #expect(!FileManager.default.fileExists(atPath: search + "/log.freshet-training"))
    }
}
