import FeatureStore
import Features
import Foundation
import Interactions
import Testing
import TestSupport

/// Each part of the program does its work under a role with the least rights, and nothing beyond.
@Suite(.serialized, .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct DatabaseRoleTests {
    /// A database with the roles, and its URL for each.
    private struct Roles {
        let database: TestDatabase
        private let password = UUID().uuidString.lowercased()

        init() throws {
            database = try TestDatabase()
            for _ in 0..<2 { try database.sql(DatabaseRole.script) }
            for role in DatabaseRole.allCases { try database.sql("alter role \(role.name) password '\(password)'") }
        }

        func url(_ role: DatabaseRole) -> String {
            guard var parts = URLComponents(string: database.url) else { return database.url }
            (parts.user, parts.password) = (role.name, password)
            return parts.string ?? database.url
        }

        /// Whether a role may run a statement, in a transaction that is rolled back.
        func may(_ role: DatabaseRole, _ statement: String) -> Bool {
            (try? database.sql("set role \(role.name); begin; \(statement); rollback")) != nil
        }
    }

    @Test func theFileIsWhatTheProgramPrints() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ops/roles.sql")
        #expect(try String(contentsOf: file, encoding: .utf8) == DatabaseRole.script)
    }

    @Test func ingestStoresErasesAndRefuses() throws {
        let roles = try Roles()
        let store = try IngestStore(url: roles.url(.ingest), rules: FeatureRules())
        for round in 0..<2 {
            let claim = try store.claim(cluster: "c1", source: "freshet.events", partitions: [0], acceptNewCluster: true)[0]
            let start = Int64(round * 100)
            var bought = event("p\(round)", .purchase, user: "u9", item: "i1", at: start, offset: start)
            (bought.amountMinor, bought.currency) = (5, "EUR")
            // The second round repeats an id with another payload.
            var sent = batch(
                (0..<50).map {
                    event("e\($0)", user: "u\($0 % 5)", item: "i\($0 % 3)", at: Int64($0), offset: start + Int64($0), hash: UInt64(round))
                } + [bought], claim: claim, next: start + 100)
            sent.items = [
                upsert("i1", updatedAt: start), upsert("gone", updatedAt: start), (.delete(id: "gone", at: time(start + 1)), origin(9)),
            ]
            sent.users = [
                (.upsert(UserRecord(userID: "u1", aliases: ["u2"])), origin(1, source: "freshet.users")),
                (.delete(id: "u1", at: nil), origin(2, source: "freshet.users")),
            ]
            sent.rejections = [
                RejectedRecord(
                    origin: RecordOrigin(source: "freshet.events", cluster: "c1", position: Position(partition: 0, offset: 900 + start)),
                    key: [0x75, 0x31],
                    payload: [0x7B], payloadBytes: 1, rejection: Rejection(.malformedJSON, "it is broken"))
            ]
            _ = try store.commit(sent)
        }
        try Migrator(url: roles.url(.ingest)).check()
        let queries = StoreQueries(url: roles.url(.ingest))
        _ = try queries.refusedLines(ofFile: "f", after: 0, limit: 1)
        _ = try queries.offsets()
        _ = try queries.erasures(of: ["u1"])
        let letters = try queries.deadLetters()
        try queries.markReplayed(letters.map(\.id))
        #expect(try queries.rights(for: .ingest) == RightsReport(user: "freshet_ingest"))
        for refused in [
            "truncate interactions", "delete from items", "update interactions set type = 0",
            "insert into models (artifact_path, artifact_checksum) values ('a', 'b')", "create table x ()", "drop table items",
            "delete from freshet_migrations",
        ] {
            #expect(!roles.may(.ingest, refused), "\(refused)")
        }
    }

    @Test func serveReadsAndPromotes() async throws {
        let roles = try Roles()
        let queries = StoreQueries(url: roles.url(.serve))
        try Migrator(url: roles.url(.serve)).check()
        let version = try StoreQueries(url: roles.url(.train)).registerModel(
            artifactPath: "a", artifactChecksum: "b", configuration: "{}", metrics: "{}", watermark: "{}")
        #expect(try queries.promoteModel(version, reason: "asked for").status == .promoted)
        _ = try queries.promotedModel()
        _ = try queries.models()
        _ = try queries.catalogue()
        _ = try queries.catalogueMark()
        _ = try queries.itemFeatures(["i1"])
        _ = try queries.userFeatures("u1")
        _ = try queries.item("i1")
        _ = try queries.user("u1")
        _ = try queries.statistics()
        _ = try queries.offsets()
        _ = try queries.watchedFigures()
        _ = try queries.newestItems(limit: 5)
        _ = try queries.newestEventTime()
        _ = try queries.modelOutcomes(since: time(0))
        _ = try queries.interactionsPerMinute(until: time(0))
        _ = try queries.adapters(ofVersion: version, field: "categories")
        _ = try queries.fates(
            of: [SentEvent(position: Position(partition: 0, offset: 1), userID: "u", time: time(1), eventID: "e")], topic: "freshet.events",
            cluster: nil)
        let reader = try UserStateReader(url: roles.url(.serve))
        _ = try await reader.read(userID: "u1", exclude: [.purchase])
        reader.close()
        #expect(try queries.rights(for: .serve) == RightsReport(user: "freshet_serve"))
        for refused in [
            "delete from items", "insert into items (item_id, updated_at, catalogue_version) values ('x', now(), 1)",
            "select payload from dead_letters",
            "select key from dead_letters", "select * from dead_letters", "update dead_letters set replayed_at = now()",
            "delete from users",
            "update user_features set clicks = 0", "update models set artifact_path = 'x'", "delete from models",
            "create temporary table x ()",
        ] { #expect(!roles.may(.serve, refused), "\(refused)") }
        let refused = #expect(throws: StoreError.self) { _ = try queries.deadLetters() }
        #expect(refused?.code == .insufficientPrivilege)
    }

    @Test func trainReadsRegistersAndMakesBareItems() throws {
        let roles = try Roles()
        try Migrator(url: roles.url(.train)).check()
        let queries = StoreQueries(url: roles.url(.train))
        let lock = try TrainingLock(url: roles.url(.train))
        let snapshot = try TrainingSnapshotReader(roles.url(.train))
        try snapshot.readAll()
        let store = try IngestStore(url: roles.url(.train), rules: FeatureRules())
        #expect(try store.commit(IngestBatch(items: [upsert("bare", updatedAt: nil)])).itemsChanged == 1)
        let version = try queries.registerModel(
            artifactPath: "a", artifactChecksum: "b", configuration: "{}", metrics: "{}", watermark: "{}")
        try queries.refuseModel(version, reason: "worse")
        let better = try queries.registerModel(
            artifactPath: "c", artifactChecksum: "d", configuration: "{}", metrics: "{}", watermark: "{}")
        try queries.promoteModel(better, reason: "better")
        _ = try queries.interactions(withItems: ["i1"])
        lock.release()
        #expect(try queries.rights(for: .train) == RightsReport(user: "freshet_train"))
        for refused in [
            "delete from interactions", "insert into users (user_id, updated_at) values ('x', now())", "select code from dead_letters",
            "delete from items", "delete from models",
        ] {
            #expect(!roles.may(.train, refused), "\(refused)")
        }
    }

    @Test func operatorsLookAtDeadLettersAndModels() throws {
        let roles = try Roles()
        let queries = StoreQueries(url: roles.url(.operate))
        _ = try queries.deadLetters()
        try queries.markReplayed([1])
        try queries.markUnsent([1])
        _ = try queries.models()
        #expect(try queries.rights(for: .operate) == RightsReport(user: "freshet_operate"))
        #expect(!roles.may(.operate, "delete from dead_letters") && !roles.may(.operate, "update items set hidden = true"))
    }

    @Test func laterMigrationsRunAsTheOwnerAndTheirTablesAreCovered() throws {
        let roles = try Roles()
        try Migrator(url: roles.url(.migrate)).check()
        let later = Migration(
            number: 9_999, name: "9999_later.sql",
            sql: Array(
                "create table later (id bigint generated always as identity, user_id text); alter table items add column later text;".utf8))
        #expect(try Migrator(url: roles.url(.migrate), migrations: Migration.shipped + [later]).migrate() == ["9999_later.sql"])
        #expect(
            roles.may(.ingest, "insert into later (user_id) values ('u'); delete from later") && roles.may(.serve, "select * from later"))
        #expect(!roles.may(.serve, "delete from later") && !roles.may(.train, "insert into later (user_id) values ('u')"))
        for role in DatabaseRole.allCases {
            #expect(try StoreQueries(url: roles.url(role)).rights(for: role) == RightsReport(user: role.name))
        }
        // The script again changes nothing of that.
        try roles.database.sql(DatabaseRole.script)
        #expect(try StoreQueries(url: roles.url(.serve)).rights(for: .serve) == RightsReport(user: "freshet_serve"))
    }

    @Test func theReportNamesWhatIsMissingAndWhatIsTooMuch() throws {
        let roles = try Roles()
        let asServe = try StoreQueries(url: roles.url(.ingest)).rights(for: .serve)
        #expect(asServe.missing.contains("select on models") && asServe.excess.contains("delete on interactions"))
        #expect(asServe.excess.contains("select on all of dead_letters"))
        let asIngest = try StoreQueries(url: roles.url(.serve)).rights(for: .ingest)
        #expect(asIngest.missing.contains("insert on interactions") && asIngest.missing.contains("temporary on the database"))
        try roles.database.sql(
            "revoke select on users from freshet_serve; grant truncate on items to freshet_serve; grant create on schema public to "
                + "freshet_serve; revoke update (reason) on models from freshet_serve; grant update (artifact_path) on models to "
                + "freshet_serve"
        )
        let changed = try StoreQueries(url: roles.url(.serve)).rights(for: .serve)
        #expect(changed.missing == ["update (reason) on models", "select on users"])
        #expect(changed.excess == ["create on the schema", "truncate on items", "update on artifact_path of models"])
        let owner = try StoreQueries(url: roles.database.url).rights(for: .serve)
        #expect(owner.excess.contains("superuser") || owner.excess.contains { $0.hasPrefix("ownership") })
        let stranger = try StoreQueries(url: roles.url(.serve)).rights(for: .migrate)
        #expect(stranger.missing.contains { $0.hasPrefix("ownership of items") })
    }

    /// Reads everything that a training reads.
    private struct TrainingSnapshotReader {
        let snapshot: TrainingSnapshot
        init(_ url: String) throws { snapshot = try TrainingSnapshot(url: url) }
        func readAll() throws {
            try snapshot.forEachItem { _ in }
            try snapshot.forEachUser { _ in }
        }
    }
}
