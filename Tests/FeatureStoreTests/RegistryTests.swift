import FeatureStore
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct RegistryTests {
    private static func register(_ queries: StoreQueries) throws -> Int32 {
        try queries.registerModel(
            artifactPath: "models/a", artifactChecksum: "crc32:1", configuration: #"{"preset": "small"}"#, metrics: "{}", watermark: #"{"t": 3}"#)
    }

    @Test func promotionRetiresTheFormerAndRollbackGoesBack() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        #expect(try queries.promotedModel() == nil)
        #expect(throws: StoreError.self) { try queries.rollBackModel() }
        let versions = try (0..<3).map { _ in try Self.register(queries) }
        #expect(versions == [1, 2, 3])
        #expect(try queries.promoteModel(1, reason: "first").status == .promoted)
        #expect(throws: StoreError.self) { try queries.rollBackModel() }
        try queries.promoteModel(2, reason: "better")
        try queries.promoteModel(2, reason: "again")
        try queries.promoteModel(3, reason: "better still")
        #expect(try queries.models().map(\.status) == [.promoted, .retired, .retired])
        #expect(try queries.rollBackModel().version == 2)
        #expect(try queries.rollBackModel().version == 1)
        #expect(throws: StoreError.self) { try queries.rollBackModel() }
        let model = try #require(try queries.promotedModel())
        #expect(model.version == 1 && model.configuration == #"{"preset": "small"}"# && model.watermark == #"{"t": 3}"# && model.promotedAt != nil)
        try queries.refuseModel(3, reason: "worse")
        #expect(try queries.model(3)?.status == .refused)
        let promoted = #expect(throws: StoreError.self) { try queries.refuseModel(1, reason: "no") }
        let missing = #expect(throws: StoreError.self) { try queries.promoteModel(99, reason: "no") }
        #expect(promoted?.code == .notFound && missing?.code == .notFound)
        #expect(try queries.promotedModel()?.version == 1)
    }

    @Test func atMostOneIsPromotedWhateverHappensAtOnce() async throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url, connections: 8)
        for _ in 0..<8 { _ = try Self.register(queries) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for version in Int32(1)...8 {
                group.addTask {
                    _ = try await queries.run { (queries) throws(StoreError) in
                        for _ in 0..<5 { try queries.promoteModel(version, reason: "race") }
                        return version
                    }
                }
            }
            for _ in 0..<50 {
                // Somebody is always promoted once anybody was, and never two.
                #expect(try queries.models().count { $0.status == .promoted } <= 1)
            }
            try await group.waitForAll()
        }
        #expect(try database.sql("select count(*) from models where status = 'promoted'") == "1")
    }
}
