import FeatureStore
import Testing
import TestSupport

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct RegistryTests {
    private static func register(_ queries: StoreQueries) throws -> Int32 {
        try queries.registerModel(
            artifactPath: "models/a", artifactChecksum: "crc32:1", configuration: #"{"preset": "small"}"#, metrics: "{}",
            watermark: #"{"t": 3}"#)
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
        #expect(
            model.version == 1 && model.configuration == #"{"preset": "small"}"# && model.watermark == #"{"t": 3}"#
                && model.promotedAt != nil)
        try queries.refuseModel(3, reason: "worse")
        #expect(try queries.model(3)?.status == .refused)
        let promoted = #expect(throws: StoreError.self) { try queries.refuseModel(1, reason: "no") }
        let missing = #expect(throws: StoreError.self) { try queries.promoteModel(99, reason: "no") }
        #expect(promoted?.code == .notFound && missing?.code == .notFound)
        #expect(try queries.promotedModel()?.version == 1)
    }

    @Test func whatTheGateRefusedServesByForceAloneAndKeepsItsRefusal() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        for _ in 0..<4 { _ = try Self.register(queries) }
        #expect(try queries.modelRefusals() == ModelRefusals())
        try queries.promoteModel(1, reason: "first", judgedAgainst: nil)
        try queries.refuseModel(2, reason: "7 % worse.")
        try queries.refuseModel(3, reason: "9 % worse.")
        var refusals = try queries.modelRefusals()
        #expect(refusals.total == 2 && refusals.inARow == 2 && refusals.newest?.version == 3 && refusals.newest?.reason == "9 % worse.")
        let calm = #expect(throws: StoreError.self) { try queries.promoteModel(2, reason: "by hand") }
        #expect(calm?.code == .conflict && calm?.message.contains("7 % worse.") == true && calm?.message.contains("--force") == true)
        #expect(try queries.promotedModel()?.version == 1)
        let forced = try queries.promoteModel(2, reason: "by hand with force", force: true)
        #expect(forced.status == .promoted && forced.reason == "by hand with force" && forced.refusal == "7 % worse.")
        // A counter beside a refused model is refused with it, and is no training of its own.
        let counter = try queries.registerModel(
            artifactPath: "models/b", artifactChecksum: "crc32:2", configuration: "{}", metrics: #"{"counter": {"rival": "buy_again"}}"#,
            watermark: "{}")
        try queries.refuseModel(counter, reason: "a model serves")
        refusals = try queries.modelRefusals()
        #expect(refusals.total == 2 && refusals.inARow == 1)
        // Promoted meanwhile: a version that was judged beside another one waits for a new judgement.
        let late = #expect(throws: StoreError.self) { try queries.promoteModel(4, reason: "good", judgedAgainst: 1) }
        #expect(late?.code == .conflict && late?.message.contains("version 2") == true)
        try queries.promoteModel(4, reason: "good", judgedAgainst: 2)
        #expect(try queries.modelRefusals().inARow == 0)
        #expect(try queries.rollbackTarget().version == 2)
        let back = #expect(throws: StoreError.self) { try queries.rollBackModel() }
        #expect(back?.code == .conflict && back?.message.contains("7 % worse.") == true)
        #expect(try queries.promotedModel()?.version == 4)
        #expect(try queries.rollBackModel(force: true).refusal == "7 % worse.")
    }

    @Test func answersComeBackAndOldRefusalsAreKept() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        let bytes: [UInt8] = [0, 1, 255, 0]
        let version = try queries.registerModel(
            artifactPath: "a", artifactChecksum: "c", configuration: "{}", metrics: "{}", watermark: "{}", answers: bytes,
            refusal: "of its parent")
        #expect(try queries.answers(of: version) == bytes)
        #expect(try queries.answers(of: Self.register(queries)) == nil && queries.answers(of: 99) == nil)
        // A version made of a refused one takes force, too; one that is registered as refused was never anything else.
        #expect(throws: StoreError.self) { try queries.promoteModel(version, reason: "by hand") }
        let refused = try queries.registerModel(
            artifactPath: "a", artifactChecksum: "c", configuration: "{}", metrics: "{}", watermark: "{}", refused: "7 % worse.")
        let model = try #require(try queries.model(refused))
        #expect(model.status == .refused && model.reason == "7 % worse." && model.refusal == "7 % worse.")
        #expect(try queries.model(version)?.status == .candidate && queries.modelRefusals().inARow == 1)
    }

    @Test func theLastWeeksAreThoseOfTheDatabasesClock() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        for _ in 0..<5 { _ = try Self.register(queries) }
        for version in Int32(1)...4 { try queries.promoteModel(version, reason: "better") }
        // Version 1 served until 40 days ago, version 2 from then until yesterday, version 3 since then until today.
        for (version, days) in [(1, 60), (2, 40), (3, 1)] {
            _ = try database.sql("update models set promoted_at = clock_timestamp() - interval '\(days) days' where version = \(version)")
        }
        #expect(try queries.modelsThatServed(days: 28).map(\.version) == [3, 2])
        #expect(try queries.modelsThatServed(days: 50).map(\.version) == [3, 2, 1])
        #expect(try queries.modelsThatServed(days: 0).isEmpty)
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
