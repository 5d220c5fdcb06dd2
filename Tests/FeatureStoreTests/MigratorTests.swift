import FeatureStore
import Foundation
import Testing
import TestSupport

/// Needs no server.
struct EmbeddedMigrationTests {
    @Test func theBinaryHoldsEveryMigrationUnchanged() throws {
        let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("migrations")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }.sorted()
        #expect(!names.isEmpty)
        #expect(Migration.shipped.map(\.name) == names)
        #expect(Migration.shipped.map(\.number) == Array(1...names.count))
        for migration in Migration.shipped {
            #expect(migration.sql == Array(try Data(contentsOf: folder.appendingPathComponent(migration.name))), "\(migration.name)")
            #expect(migration.name.hasPrefix(String(repeating: "0", count: 4 - String(migration.number).count) + "\(migration.number)_"))
        }
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct MigratorTests {
    @Test func migratingTwiceAndAtOnceAppliesEachStepOnce() async throws {
        let database = try TestDatabase(migrated: false)
        let url = database.url
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<6 { group.addTask { try Migrator(url: url).migrate() } }
            var all: [String] = []
            for try await names in group { all += names }
            return all
        }
        #expect(applied.sorted() == Migration.shipped.map(\.name))
        #expect(try Migrator(url: url).migrate() == [])
        try Migrator(url: url).check()
        #expect(try database.sql("select count(*) from freshet_migrations") == "\(Migration.shipped.count)")
    }

    @Test func anEditedMigrationIsRefusedByName() throws {
        let database = try TestDatabase()
        var edited = Migration.shipped
        edited[1].sql.append(0x0A)
        for call in [
            { _ = try Migrator(url: database.url, migrations: edited).migrate() },
            { try Migrator(url: database.url, migrations: edited).check() },
        ] {
            let error = #expect(throws: StoreError.self) { try call() }
            #expect(error?.code == .migrationEdited)
            #expect(error?.message.contains(edited[1].name) == true)
        }
    }

    @Test func aSchemaThatIsTooOldOrTooNewSaysSo() throws {
        let database = try TestDatabase(migrated: false)
        let fewer = Array(Migration.shipped.dropLast())
        var error = #expect(throws: StoreError.self) { try Migrator(url: database.url).check() }
        #expect(error?.code == .schemaTooOld && error?.message.contains("run freshet migrate") == true)
        try Migrator(url: database.url, migrations: fewer).migrate()
        error = #expect(throws: StoreError.self) { try Migrator(url: database.url).check() }
        #expect(error?.code == .schemaTooOld && error?.message.contains(Migration.shipped.last?.name ?? "-") == true)
        #expect(try Migrator(url: database.url).migrate() == [Migration.shipped.last?.name])
        error = #expect(throws: StoreError.self) { try Migrator(url: database.url, migrations: fewer).check() }
        #expect(error?.code == .schemaTooNew)
        error = #expect(throws: StoreError.self) { try Migrator(url: database.url, migrations: fewer).migrate() }
        #expect(error?.code == .schemaTooNew)
    }

    @Test func aMigrationThatFailsLeavesNothing() throws {
        let database = try TestDatabase()
        let broken = Migration(
            number: Migration.shipped.count + 1, name: "9999_broken.sql", sql: Array("create table half (x int); select 1 / 0;".utf8))
        let error = #expect(throws: StoreError.self) { try Migrator(url: database.url, migrations: Migration.shipped + [broken]).migrate() }
        #expect(error?.message.contains("9999_broken.sql") == true && error?.sqlState == "22012")
        #expect(try database.sql("select to_regclass('half') is null") == "t")
        try Migrator(url: database.url).check()
    }

    @Test func connectionErrorsSayWhatToDoAndKeepThePassword() throws {
        func failure(_ url: String) -> StoreError? {
            #expect(throws: StoreError.self) { try Migrator(url: url).check() }
        }
        for wrong in [
            "postgresql://u:s3cret@127.0.0.1:243x/x", "postgresql://u:s3cret@127.0.0.1:99999/x",
            "postgresql://u:s3cret@127.0.0.1/x?sslmode=ful",
        ] {
            let error = failure(wrong)
            #expect(error?.code == .invalidURL && error?.isRetriable == false, "\(wrong): \(String(describing: error))")
        }
        let unreachable = failure("postgresql://u:s3cret@127.0.0.1:1/x?connect_timeout=3")
        #expect(unreachable?.code == .unreachable && unreachable?.isRetriable == true)
        let missing = failure(TestDatabase.url(database: "no_such_database"))
        #expect(missing?.code == .missingDatabase && missing?.sqlState == "3D000")
        #expect(missing?.message.contains("createdb") == true)
        #expect(failure("postgresql://u:s3c@ret@127.0.0.1/x")?.code == .invalidURL)
        #expect(failure("postgresql://u:s3cret@127.0.0.1:x/y z?nonsense=1")?.code == .invalidURL)
        for error in [unreachable, missing, failure("postgresql://u:s3c@ret@127.0.0.1/x"), failure("nonsense s3cret")] {
            #expect(error?.message.contains("s3c") == false)
        }
    }
}
