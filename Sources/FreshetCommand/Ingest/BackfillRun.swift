import EventStream
import FeatureStore
import Foundation
import Interactions
import Logging

/// History from files, through the same decoding, folding and storing as Kafka's records, without Kafka.
///
/// The next line of each file is stored with the batch, as offsets are: a run that was killed goes on where it stopped, and a
/// file that was stored before is passed over. A changed file counts as another one, whose known events count once.
struct BackfillRun {
    let store: IngestStore
    let configuration: Configuration
    let logger: Logger
    let isStopping: @Sendable () -> Bool

    /// Totals of a file.
    struct Totals: Sendable {
        var lines = 0
        var stored = 0
        var duplicates = 0
        var rejected = 0
        var items = 0
        var users = 0
        /// Lines that an earlier run had stored.
        var resumedAt = 0
    }

    func run(path: String, kind: RecordKind) throws -> Totals {
        let name = URL(fileURLWithPath: path).lastPathComponent
        let source = "file:\(name):\(try FileIdentity.of(path: path))"
        let claims = try store.claim(
            cluster: "file", source: source, partitions: [Position.filePartition], acceptNewCluster: false)
        guard let claim = claims.first else { throw CommandFailure("the database did not hand out \(source)") }
        let lane = CommitLane(store: store, logger: logger, isStopping: isStopping)
        defer { lane.close() }
        var intake = RecordIntake(rules: try configuration.decodingRules(), featureRules: configuration.featureRules)
        var totals = Totals()
        let start = claim.nextOffset ?? 0
        totals.resumedAt = Int(start)
        let batchRecords = configuration.integer("ingest.batch_records")
        let progress = ProgressLine("backfill \(name)")
        let reader = try LineReader(path: path, maxLineBytes: max(1 << 20, configuration.integer("ingest.max_record_bytes") * 2))
        var line: Int64 = 0
        let now = EventTime.now

        func handOver() throws {
            let offsets = [
                ClaimedOffset(topic: source, partition: Position.filePartition, epoch: claim.epoch, nextOffset: line)
            ]
            try lane.submit(intake.take(offsets: offsets))
            totals.settle(lane.takeFinished())
            progress.update(Int(line), note: "\(totals.stored) stored, \(totals.rejected) rejected")
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
            if intake.records >= batchRecords { try handOver() }
        }
        if intake.records > 0 { try handOver() }
        try lane.drain()
        totals.settle(lane.takeFinished())
        totals.lines = Int(line)
        progress.finish(totals.lines, note: "\(totals.stored) stored, \(totals.rejected) rejected")
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

/// What makes two files the same for a backfill: their size and their bytes at both ends.
enum FileIdentity {
    /// 16 hexadecimal digits from the size, the first MiB and the last 64 KiB (FNV-1a).
    static func of(path: String) throws -> String {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw CommandFailure("cannot read \(path): it is missing or not readable")
        }
        defer { try? file.close() }
        let size = try file.seekToEnd()
        try file.seek(toOffset: 0)
        let head = try file.read(upToCount: 1 << 20) ?? Data()
        try file.seek(toOffset: size > 65_536 ? size - 65_536 : 0)
        let tail = try file.read(upToCount: 65_536) ?? Data()
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for shift in stride(from: 0, to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: size >> UInt64(shift))) }
        for byte in head { mix(byte) }
        for byte in tail { mix(byte) }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
