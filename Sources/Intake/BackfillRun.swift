import EventStream
import FeatureStore
import Foundation
import Interactions
import Logging

/// History from files, through the same decoding, folding and storing as Kafka's records, without Kafka.
///
/// The next line of each file is stored with the batch, as offsets are: a run that was killed goes on where it stopped, and a
/// file that was stored before is passed over. A changed file counts as another one, whose known events count once.
public struct BackfillRun {
    private let store: IngestStore
    private let settings: IngestSettings
    private let logger: Logger
    private let isStopping: @Sendable () -> Bool

    /// Totals of a file.
    public struct Totals: Sendable, Equatable {
        /// Lines of the file, also those of earlier runs and empty ones.
        public var lines = 0
        /// Events that were stored for the first time.
        public var stored = 0
        /// Events that were stored before.
        public var duplicates = 0
        /// Lines that became dead letters.
        public var rejected = 0
        /// Items that changed.
        public var items = 0
        /// Users that changed.
        public var users = 0
        /// Lines that an earlier run had stored.
        public var resumedAt = 0

        /// Nothing yet.
        public init() {}
    }

    /// A run over files with one store; `isStopping` is asked between lines.
    public init(
        store: IngestStore, settings: IngestSettings, logger: Logger, isStopping: @escaping @Sendable () -> Bool
    ) {
        self.store = store
        self.settings = settings
        self.logger = logger
        self.isStopping = isStopping
    }

    /// Stores the records of one file.
    ///
    /// - Parameter progress: told after each batch.
    /// - Throws: ``IntakeError``, `StoreError` and `StreamError`, each a sentence. What was stored stays.
    public func run(path: String, kind: RecordKind, progress: (Totals) -> Void = { _ in }) throws -> Totals {
        let name = URL(fileURLWithPath: path).lastPathComponent
        let source = "file:\(kind.rawValue):\(name):\(try FileIdentity.of(path: path))"
        let claims = try store.claim(
            cluster: "file", source: source, partitions: [Position.filePartition], acceptNewCluster: false)
        guard let claim = claims.first else { throw IntakeError(.unexpected, "the database did not hand out \(source)") }
        let lane = CommitLane(store: store, logger: logger, isStopping: isStopping)
        defer { lane.close() }
        var intake = RecordIntake(rules: settings.rules, featureRules: settings.featureRules)
        var totals = Totals()
        let start = claim.nextOffset ?? 0
        totals.resumedAt = Int(start)
        let reader = try LineReader(path: path, maxLineBytes: max(1 << 20, settings.rules.maxRecordBytes * 2))
        var line: Int64 = 0
        let now = settings.clock()

        func handOver() throws {
            let offsets = [
                ClaimedOffset(topic: source, partition: Position.filePartition, epoch: claim.epoch, nextOffset: line)
            ]
            try lane.submit(intake.take(offsets: offsets))
            totals.settle(lane.takeFinished())
            totals.lines = Int(line)
            progress(totals)
        }

        while !isStopping(), let next = try reader.next() {
            line = next.number + 1
            guard next.number >= start, !next.bytes.isEmpty else { continue }
            let origin = RecordOrigin(
                source: source, cluster: "", position: Position(partition: Position.filePartition, offset: next.number))
            if next.isOverlong {
                intake.addOversized(bytes: Int(next.byteCount), head: next.bytes, origin: origin)
            } else {
                intake.add(kind, key: nil, value: next.bytes, origin: origin, now: now)
            }
            if intake.records >= settings.batchRecords { try handOver() }
        }
        if intake.records > 0 { try handOver() }
        try lane.drain()
        totals.settle(lane.takeFinished())
        totals.lines = Int(line)
        return totals
    }
}

extension BackfillRun.Totals {
    fileprivate mutating func settle(_ finished: [(offsets: [ClaimedOffset], summary: IngestSummary)]) {
        for (_, summary) in finished {
            stored += summary.stored
            duplicates += summary.duplicates
            rejected += summary.rejected
            items += summary.itemsChanged
            users += summary.usersChanged
        }
    }
}

/// What makes two files the same for a backfill: every byte.
enum FileIdentity {
    /// 16 hexadecimal digits: the ``FileChecksum`` of the file.
    static func of(path: String) throws -> String {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue,
            let file = FileHandle(forReadingAtPath: path)
        else {
            throw IntakeError(.file, "cannot read \(path): it is \(isDirectory.boolValue ? "a directory" : "missing or not readable")")
        }
        defer { try? file.close() }
        var checksum = FileChecksum()
        while let block = try file.read(upToCount: FileChecksum.blockBytes), !block.isEmpty {
            block.withUnsafeBytes { checksum.combine($0) }
        }
        return FileChecksum.hexadecimal(checksum.value)
    }
}
