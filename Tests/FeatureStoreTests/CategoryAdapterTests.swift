import FeatureStore
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct CategoryAdapterTests {
    private static func store(
        _ queries: StoreQueries, _ category: String, version: Int32 = 1, events: Int64 = 5, field: String = "categories"
    ) throws -> Int64 {
        try queries.storeAdapter(
            version: version, field: field, category: category, events: events, supportItemIDs: ["i1", "i2"],
            payload: [1, 2, UInt8(events)],
            metrics: #"{"loss": 1}"#)
    }

    @Test("the newest adapter of a category counts; versions and fields are apart; old ones go")
    func newestWins() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        for _ in 0..<2 {
            _ = try queries.registerModel(artifactPath: "a", artifactChecksum: "c", configuration: "{}", metrics: "{}", watermark: "{}")
        }
        #expect(try queries.newestAdapterID(ofVersion: 1) == 0)
        for events in Int64(5)...14 { _ = try Self.store(queries, "Western", events: events) }
        let last = try Self.store(queries, "Noir")
        _ = try Self.store(queries, "Noir", version: 2, events: 9)
        _ = try Self.store(queries, "Acme", field: "brand")
        let found = try queries.adapters(ofVersion: 1, field: "categories")
        #expect(found.map(\.category) == ["Noir", "Western"] && found.map(\.events) == [5, 14])
        #expect(found[0].adapterID == last && found[1].payload == [1, 2, 14] && found[1].supportItemIDs == ["i1", "i2"])
        #expect(try queries.newestAdapterID(ofVersion: 1) > last, "other fields count too: a look at them costs nothing")
        #expect(
            try database.sql("select count(*) from category_adapters where category = 'Western'")
                == "\(StoreQueries.keptAdaptersOfCategory)")
        #expect(throws: StoreError.self) { try Self.store(queries, "Western", version: 77) }
    }

    @Test("a damaged payload is refused with the name of its category")
    func damaged() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        _ = try queries.registerModel(artifactPath: "a", artifactChecksum: "c", configuration: "{}", metrics: "{}", watermark: "{}")
        _ = try Self.store(queries, "Western")
        _ = try database.sql("update category_adapters set payload = '\\x00'")
        let error = #expect(throws: StoreError.self) { try queries.adapters(ofVersion: 1, field: "categories") }
        #expect(error?.message.contains("Western") == true)
    }
}
