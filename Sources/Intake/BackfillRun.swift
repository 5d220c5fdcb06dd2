import EventStream
import FeatureStore
import Foundation
import Interactions
import Logging

/// History from files, through the same decoding, folding and storing as Kafka's records, without Kafka.
///
/// The next line of each file is stored with the batch, as offsets are: a run that was killed goes on where it stopped, and a
/// file that was stored before is passed over, except for lines that are dead letters: they are read again, since the
/// configuration may accept them now. A changed file counts as another one, whose known events count once.
///
/// A pipe, a device or standard input is read once, as it comes. It has no identity and nothing to go on from: given again, its
/// events count once by their `event_id`, or by the one that is derived of their content and line.
public struct BackfillRun {
    private let lane: CommitLane
    private let queries: StoreQueries
    private let settings: IngestSettings
    private let logger: Logger
    private let isStopping: @Sendable () -> Bool

    /// Refused lines that are looked up at once.
    private static let refusedLinesPage = 10_000

    /// A run over files with a store that is its alone from now on; `isStopping` is asked between lines, and while a pipe is waited for.
    public init(
        store: sending IngestStore, settings: IngestSettings, logger: Logger, isStopping: @escaping @Sendable () -> Bool
    ) {
        lane = CommitLane(store: store, logger: logger, isStopping: isStopping)
        self.settings = settings
        self.logger = logger
        self.isStopping = isStopping
        queries = StoreQueries(url: settings.databaseURL, connections: 1)
    }

    /// Stores the records of one file, or of standard input for `-`.
    ///
    /// - Parameter progress: told after each batch.
    /// - Throws: ``IntakeError``, `StoreError` and `StreamError`, each a sentence. What was stored stays. A file that is damaged
    ///   further in throws nothing: see ``Totals/damage``.
    public func run(path: String, kind: RecordKind, progress: (Totals) -> Void = { _ in }) throws -> Totals {
        let reader = try LineReader(
            path: path, maxLineBytes: max(1 << 20, settings.rules.maxRecordBytes * 2), isStopping: isStopping)
        return try run(path, kind, reader, reading: "", progress)
    }

    /// Stores the records of another system's file. What is known of its lines is known of this reading of it: with another mapping the
    /// file is another one, whose known events count once.
    ///
    /// - Parameter progress: told after each batch.
    /// - Throws: as ``run(path:kind:progress:)``.
    public func run(_ file: ForeignFile, progress: (Totals) -> Void = { _ in }) throws -> Totals {
        try run(file.path, file.kind, try ForeignSource(file, isStopping: isStopping), reading: "-\(file.reading)", progress)
    }

    private func run(
        _ path: String, _ kind: RecordKind, _ reader: any RecordSource, reading: String, _ progress: (Totals) -> Void
    ) throws -> Totals {
        let name = path == "-" ? "stdin" : URL(fileURLWithPath: path).lastPathComponent
        guard path != "-", reader.isRegularFile else {
            // Of two streams neither is the other, so their dead letters must not meet.
            let run = "\(settings.clock().milliseconds)-\(getpid())"
            var pass = Pass(source: "file:\(kind.rawValue):\(name):stream-\(run)", kind: kind, claim: nil)
            return try self.run(&pass, reader, progress)
        }
        guard let identity = try FileIdentity.of(path: path, isStopping: isStopping) else { return Totals() }
        let source = "file:\(kind.rawValue):\(name):\(identity.checksum)\(reading)"
        let claims = try lane.use { (store) throws(StoreError) in
            try store.claim(cluster: "file", source: source, partitions: [Position.filePartition], acceptNewCluster: false)
        }
        guard let claim = claims.first else { throw IntakeError(.unexpected, "the database did not hand out \(source)") }
        var pass = Pass(source: source, kind: kind, claim: claim)
        var totals = try run(&pass, reader, progress)
        totals.hasChanged = !isStopping() && totals.damage == nil && reader.readFileBytes != identity.bytes
        return totals
    }

    /// One reading of a file.
    private struct Pass {
        let source: String
        let kind: RecordKind
        /// What is known of the file's lines; nil of a stream.
        let claim: PartitionClaim?
        /// Lines that were read by earlier runs.
        var start: Int64 { claim?.nextOffset ?? 0 }
        /// Dead letters of the lines ahead, in their order.
        var refused: ArraySlice<RefusedLine> = []
        var hasMoreRefused = true
        /// Dead letters whose lines are accepted in the batch at hand.
        var mended: [Int64] = []
    }

    private func run(_ pass: inout Pass, _ reader: any RecordSource, _ progress: (Totals) -> Void) throws -> Totals {
        // What an earlier file left is that file's.
        _ = lane.takeFinished()
        var intake = RecordIntake(rules: settings.rules, featureRules: settings.featureRules)
        var totals = Totals()
        totals.resumedAt = Int(pass.start)
        pass.hasMoreRefused = pass.start > 0
        let clock = try referenceClock()
        while !isStopping(), let line = next(reader, &totals) {
            totals.lines = Int(line.number + line.lines)
            guard !line.isBlank else { continue }
            try lane.check()
            // A pipe may be read for days: what lies in the future is measured line by line.
            try take(line, &pass, &intake, &totals, clock.now(local: settings.clock()))
            if intake.isFull(batchRecords: settings.batchRecords) {
                try handOver(&pass, &intake, &totals, lane)
                progress(totals)
            }
        }
        try handOver(&pass, &intake, &totals, lane)
        try lane.drain()
        totals.settle(lane.takeFinished())
        // Records of erased users may tell of more ids of theirs.
        if pass.kind == .users { try ErasureThread.finish(settings: settings, logger: logger, isStopping: isStopping) }
        return totals
    }

    /// The database's clock, and a word in the log where this machine's differs.
    private func referenceClock() throws -> ReferenceClock {
        var clock = ReferenceClock()
        guard settings.followsDatabaseClock else { return clock }
        let started = ContinuousClock.now
        let time = try lane.use { (store) throws(StoreError) in try store.clock() }
        clock.set(database: time, at: started + started.duration(to: .now) / 2)
        if let sentence = clock.disagreement(local: settings.clock()) { logger.warning("\(sentence)") }
        return clock
    }

    /// The next line; nil at the end, and where damage ends the file early, so that what was whole is stored first.
    private func next(_ reader: any RecordSource, _ totals: inout Totals) -> SourceRecord? {
        do throws(StreamError) {
            return try reader.nextRecord()
        } catch {
            totals.damage = error
            return nil
        }
    }

    private func take(
        _ line: SourceRecord, _ pass: inout Pass, _ intake: inout RecordIntake, _ totals: inout Totals, _ now: EventTime
    ) throws {
        var letter: RefusedLine?
        if line.number < pass.start {
            letter = try refused(line.number, &pass)
            guard letter != nil else { totals.accepted += 1; return }
        }
        let origin = RecordOrigin(
            source: pass.source, cluster: "", position: Position(partition: Position.filePartition, offset: line.number))
        var isAccepted = false
        switch line.content {
        case .record(let bytes, let byteCount) where byteCount > bytes.count:
            intake.addOversized(pass.kind, bytes: byteCount, head: bytes, origin: origin)
        case .record(let bytes, _): isAccepted = intake.add(pass.kind, key: nil, value: bytes, origin: origin, now: now)
        case .refused(let rejection, let row):
            intake.addRefused(rejection, text: row.text, textBytes: row.textBytes, user: row.userID, origin: origin)
        }
        if isAccepted {
            totals.accepted += 1
            if let letter { pass.mended.append(letter.id) }
        } else if let reason = intake.batch.rejections.last {
            totals.note(reason)
        }
    }

    /// The dead letter of a line that an earlier run had read, or nil where it was accepted. Lines are asked for in their order.
    private func refused(_ line: Int64, _ pass: inout Pass) throws -> RefusedLine? {
        while true {
            while let next = pass.refused.first, next.line < line { pass.refused.removeFirst() }
            if let next = pass.refused.first { return next.line == line ? next : nil }
            guard pass.hasMoreRefused else { return nil }
            let page = try queries.refusedLines(ofFile: pass.source, after: line - 1, limit: Self.refusedLinesPage)
            pass.refused = page[...]
            pass.hasMoreRefused = page.count == Self.refusedLinesPage
        }
    }

    private func handOver(
        _ pass: inout Pass, _ intake: inout RecordIntake, _ totals: inout Totals, _ lane: CommitLane
    ) throws {
        guard intake.records > 0 else { return }
        var offsets: [ClaimedOffset] = []
        // A batch of lines that were read before moves nothing on.
        if let claim = pass.claim, totals.lines > pass.start {
            offsets.append(
                ClaimedOffset(
                    topic: pass.source, partition: Position.filePartition, epoch: claim.epoch, nextOffset: Int64(totals.lines)))
        }
        try lane.submit(intake.take(offsets: offsets))
        if !pass.mended.isEmpty {
            // Stored first: after a crash in between, the lines are read again and known.
            try lane.drain()
            totals.mended += pass.mended.count
            try queries.markReplayed(pass.mended)
            pass.mended = []
        }
        let finished = lane.takeFinished()
        for batch in finished { intake.note(batch.summary) }
        totals.settle(finished)
    }
}
