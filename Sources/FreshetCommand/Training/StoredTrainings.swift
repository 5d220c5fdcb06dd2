import ArgumentParser
import EventStream
import FeatureStore
import Foundation
import Interactions
import Learning
import Logging
import ModelArtifacts
import Recommending
import Reports
import Serving
import TrainingFiles

extension StoreQueries: RegisteredModels {}
extension ModelChoice: ExpressibleByArgument {}

/// The database and the models' files as a training sees them.
struct StoredTrainings: TrainingStore {
    let configuration: Configuration
    let url: String
    let store: StoreQueries
    let artifacts: ArtifactStore
    let lock: TrainingLock
    let asOf: EventTime?
    let logger: Logger

    private static let itemsAtOnce = 10_000

    var models: any RegisteredModels { store }

    func bundle(of version: RegisteredModel) throws -> ModelBundle { try artifacts.artifact(of: version).bundle }

    func export(
        to path: String, seen: (snapshot: String, until: EventTime?)?, likesFrom: Double?, isStopped: () -> Bool, progress: (Int) -> Void
    ) throws -> SnapshotExport.Summary {
        var settings = try configuration.exportSettings()
        if let likesFrom, !settings.ratings.isNeeded { settings.ratings = RatingRules(positiveFrom: likesFrom) }
        return try SnapshotExport(url: url, settings: settings, seen: seen).write(
            to: path, until: asOf, isStopped: isStopped, progress: progress)
    }

    /// Items that came with events alone get a bare record, so that what is learned of them can be recommended. A real record, with
    /// any date, replaces it: theirs is the earliest time there is, so that none that came from outside is ever overwritten.
    func register(itemsWithoutRecord itemIDs: [String]) throws {
        guard configuration.boolean(.trainRegisterItems) else { return }
        var patches = configuration.patchRules
        // A training writes no dead letters.
        patches.looksForOverdue = false
        let ingest = try IngestStore(url: url, rules: configuration.featureRules, patches: patches)
        let origin = RecordOrigin(source: "train", cluster: "", position: Position(partition: Position.filePartition, offset: 0))
        for start in stride(from: 0, to: itemIDs.count, by: Self.itemsAtOnce) {
            var batch = IngestBatch()
            for id in itemIDs[start..<min(start + Self.itemsAtOnce, itemIDs.count)] {
                batch.items.append((change: .upsert(ItemRecord(itemID: id, updatedAt: .earliestWritable)), origin: origin))
            }
            _ = try ingest.commit(batch)
        }
        logger.notice("items without a record were registered; send records to describe them", metadata: ["items": "\(itemIDs.count)"])
    }

    func erasedUsers(in log: TrainingLog) throws -> Int { try ErasedUsers.count(in: log, ledger: store) }

    func isLocked() -> Bool { lock.isHeld() }

    func register(_ bundle: ModelBundle, _ entry: RegistryEntry) throws -> Int32 {
        let reference = try artifacts.write(bundle, name: ArtifactStore.newName())
        return try store.registerModel(
            artifactPath: URL(fileURLWithPath: reference.path).lastPathComponent, artifactChecksum: reference.checksum,
            artifactSHA256: reference.sha256, configuration: entry.configuration, metrics: entry.metrics, watermark: entry.watermark,
            answers: entry.answers, refused: entry.refused)
    }

    func check(_ version: RegisteredModel) throws { _ = try artifacts.checkPromotion(of: version) }

    func promote(_ version: Int32, reason: String, judgedAgainst judged: Int?) throws {
        if let judged {
            try store.promoteModel(version, reason: reason, judgedAgainst: judged > 0 ? Int32(clamping: judged) : nil)
        } else {
            try store.promoteModel(version, reason: reason)
        }
    }

    func refuse(_ version: Int32, reason: String) throws { try store.refuseModel(version, reason: reason) }

    func writeReport(of version: RegisteredModel) throws { try version.writeReport(to: artifacts.reportPath(of: version)) }

    func write(_ page: ReportPage, to path: String) throws { try LineWriter.write(page.html, to: path) }

    func removeFiles(of version: RegisteredModel) throws -> Bool {
        // Only what lies in this folder is this folder's to remove.
        guard artifacts.names().contains(version.artifactName) else { return false }
        try artifacts.remove(name: version.artifactName)
        return true
    }

    func holdingPromotions(_ work: () throws -> Void) throws {
        // A connection of its own: that of the queries within is the only one of the others.
        try StoreQueries(url: url, connections: 1).holdingPromotions(work)
    }
}
