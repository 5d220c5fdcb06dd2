import FeatureStore
import Features
import Foundation
import Interactions
import Testing
import TestSupport
import TrainingFiles

/// Who was erased after a training file was written is found in it.
@Suite(.enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct ErasedUsersTests {
    private func click(_ user: String, at milliseconds: Int64, offset: Int64) -> Interaction {
        Interaction(
            eventID: "e\(offset)", type: .click, userID: user, itemID: "i1",
            time: EventTime(milliseconds: 1_700_000_000_000 + milliseconds),
            position: Position(partition: 0, offset: offset), payloadHash: UInt64(offset))
    }

    @Test func erasedSinceAndNotBefore() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erased-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let queries = StoreQueries(url: database.url)
        _ = try store.commit(IngestBatch(interactions: (0..<5).map { click("u\($0)", at: Int64($0), offset: Int64($0)) }))
        // Erased, and a customer again: what is in the file came after the erasure.
        try queries.eraseUser("u0", at: EventTime(milliseconds: 1_700_000_000_500))
        _ = try store.commit(IngestBatch(interactions: [click("u0", at: 1_000_000_000, offset: 10)]))
        let path = folder + "/log"
        _ = try SnapshotExport(url: database.url, settings: .init(impressionsLimit: 10, maxInteractionsPerUser: 100))
            .write(to: path, until: nil) { _ in }
        let log = try TrainingFile(path: path).log
        #expect(log.userIDs.contains("u0") && log.userIDs.count == 5)
        #expect(try ErasedUsers.count(in: log, ledger: queries) == 0)
        try queries.eraseUser("somebody else")
        #expect(try ErasedUsers.count(in: log, ledger: queries) == 0)
        try queries.eraseUser("u3")
        #expect(try ErasedUsers.count(in: log, ledger: queries) == 1)
        try queries.eraseUser("u0")
        #expect(try ErasedUsers.count(in: log, ledger: queries) == 2)
    }
}
