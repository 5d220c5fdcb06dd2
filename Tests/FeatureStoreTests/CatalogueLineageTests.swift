import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

/// A catalogue's version is one of a history: who read another history reads everything again.
@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct CatalogueLineageTests {
    private enum Found: Equatable {
        case unchanged
        case changes([String])
        case everything([String])
    }

    private func look(_ queries: StoreQueries, _ mark: CatalogueMark?) throws -> Found {
        switch try queries.catalogue(after: mark) {
        case .unchanged: .unchanged
        case .changes(let items, _): .changes(items.map(\.record.itemID).sorted())
        case .everything(let items, _): .everything(items.map(\.record.itemID).sorted())
        }
    }

    private func put(_ store: IngestStore, _ ids: [String], at: Int64) throws {
        _ = try store.commit(IngestBatch(items: ids.map { upsert($0, updatedAt: at) }))
    }

    @Test func oneHistoryIsReadByItsChanges() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        #expect(try look(queries, nil) == .everything([]))
        let empty = try queries.catalogueMark()
        try put(store, ["a", "b"], at: 1)
        let first = try queries.catalogueMark()
        #expect(first.version == 1 && first.lineage != empty.lineage)
        #expect(try look(queries, empty) == .changes(["a", "b"]) && look(queries, first) == .unchanged)
        try put(store, ["b", "c"], at: 2)
        #expect(try look(queries, first) == .changes(["b", "c"]) && look(queries, empty) == .changes(["a", "b", "c"]))
        #expect(try queries.lineage(ofVersion: 1) == first.lineage && queries.lineage(ofVersion: 3) == nil)
    }

    @Test func aRestoredDatabaseIsAnotherHistoryBelowAtAndBeyondTheVersion() throws {
        let database = try TestDatabase()
        var store: IngestStore? = try IngestStore(url: database.url, rules: FeatureRules())
        for step in 0..<5 { try put(try #require(store), ["i\(step)"], at: Int64(step)) }
        // A backup of now, which goes on by itself later.
        store = nil
        let backup = try TestDatabase(migrated: false)
        try backup.becomeCopy(of: database)
        let served: CatalogueMark
        do {
            let later = try IngestStore(url: database.url, rules: FeatureRules())
            for step in 5..<8 { try put(later, ["i\(step)"], at: Int64(step)) }
            served = try StoreQueries(url: database.url).catalogueMark()
            #expect(served.version == 8)
        }
        let restored = StoreQueries(url: backup.url)
        let kept = (0..<5).map { "i\($0)" }
        #expect(try look(restored, served) == .everything(kept), "below")
        let ingest = try IngestStore(url: backup.url, rules: FeatureRules())
        for step in 0..<3 { try put(ingest, ["n\(step)"], at: Int64(10 + step)) }
        #expect(try restored.catalogueMark().version == served.version)
        #expect(try look(restored, served) == .everything(kept + ["n0", "n1", "n2"]), "at the same number")
        try put(ingest, ["n3"], at: 20)
        #expect(try look(restored, served) == .everything(kept + ["n0", "n1", "n2", "n3"]), "beyond it")
        // Where both have one past, they go on from it.
        let shared = CatalogueMark(version: 5, lineage: try #require(try restored.lineage(ofVersion: 5)))
        #expect(try look(restored, shared) == .changes(["n0", "n1", "n2", "n3"]))
    }

    @Test func whoMovesTheVersionByHandMakesAnotherHistory() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        for step in 0..<4 { try put(store, ["i\(step)"], at: Int64(step)) }
        let served = try queries.catalogueMark()
        try database.sql("update catalogue_state set version = 2; delete from items where catalogue_version > 2")
        #expect(try look(queries, served) == .everything(["i0", "i1"]))
        try put(store, ["x", "y"], at: 9)
        try put(store, ["z"], at: 9)
        #expect(try look(queries, served) == .everything(["i0", "i1", "x", "y", "z"]), "passed again between two looks")
    }

    @Test(arguments: ["truncate items", "delete from items where item_id = 'i0'", "delete from items"])
    func rowsThatAreRemovedMakeReadersReadAll(statement: String) throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        try put(store, ["i0", "i1"], at: 1)
        let served = try queries.catalogueMark()
        try database.sql("delete from items where item_id = 'nobody'")
        #expect(try look(queries, served) == .unchanged)
        try database.sql(statement)
        let left = statement.contains("i0") ? ["i1"] : []
        #expect(try look(queries, served) == .everything(left))
        try put(store, ["i2"], at: 2)
        #expect(try look(queries, served) == .everything(left + ["i2"]))
    }

    @Test func theHistoryIsBounded() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        let first = try queries.catalogueMark()
        try database.sql("update catalogue_state set version = version + 1")
        let second = try queries.catalogueMark()
        try database.sql("update catalogue_state set version = version + \(StoreQueries.keptVersionsLimit)")
        #expect(try database.sql("select count(*) from catalogue_versions") == "1")
        #expect(try look(queries, first) == .everything([]) && look(queries, second) == .everything([]))
    }

    @Test func aRequestsReadTellsTheHistoryToo() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        try put(store, ["i0"], at: 1)
        let reader = try UserStateReader(url: database.url)
        let before = try await reader.read(userID: "u", exclude: []).catalogue
        #expect(try before == StoreQueries(url: database.url).catalogueMark())
        try database.sql("update catalogue_state set version = version")
        let after = try await reader.read(userID: "u", exclude: []).catalogue
        #expect(after.version == before.version && after.lineage != before.lineage)
        reader.close()
    }
}
