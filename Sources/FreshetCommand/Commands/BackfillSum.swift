import Console
import EventStream
import FeatureStore
import Intake
import Interactions
import Logging

/// What became of all files of a backfill.
struct BackfillSum {
    private var totals = BackfillRun.Totals()
    /// What ended a file early.
    private(set) var damage: StreamError?
    /// Files of which not one line was accepted.
    private(set) var refusedFiles: [String] = []

    /// Adds a file, and tells what a person has to know of it.
    ///
    /// - Parameter isPart: whether records of other kinds in the same file are stored beside, so that it may have none of this one.
    mutating func add(_ file: BackfillRun.Totals, of path: String, isPart: Bool, wasStopped: Bool, told logger: Logger) {
        totals.lines += max(0, file.lines - file.resumedAt)
        totals.stored += file.stored
        totals.duplicates += file.duplicates
        totals.rejected += file.rejected
        totals.items += file.items
        totals.users += file.users
        totals.resumedAt += file.resumedAt
        totals.mended += file.mended
        totals.erased += file.erased
        totals.returns += file.returns
        damage = file.damage
        if file.isAllRefused { refusedFiles.append(path) }
        if file.mended > 0 { logger.notice("\(path): \(file.mended) lines that were refused before are accepted now") }
        if file.hasChanged {
            logger.warning("\(path) changed while it was read: run the same command again once nobody writes to it")
        }
        if file.lines == 0, file.damage == nil, !wasStopped, !isPart { logger.warning("\(path) is empty") }
        if file.erased > 0 { logger.notice("\(path): \(file.erased) events are of users who were erased since, and are not stored") }
        if let leftOver = file.returns.sentence { logger.notice("\(path): \(leftOver)") }
        guard file.rejected > 0 else { return }
        var reasons = file.firstReasons
        let conflicts = file.rejected - file.refusedLines
        if conflicts > 0 { reasons.append("\(conflicts) have the id of an event that is stored with other content") }
        if let hint = file.hint { reasons.append(hint) }
        logger.warning(
            """
            \(path): \(file.rejected) of \(file.accepted + file.refusedLines) records were refused; \(reasons.joined(separator: "; ")). \
            Mend what is wrong, such as a name in ingest.event_types, and run the same command again, or freshet dead-letters replay
            """)
    }

    /// The result.
    func line(seconds: Double) -> ResultLine {
        ResultLine([
            "lines": .integer(totals.lines), "known_lines": .integer(totals.resumedAt), "mended_lines": .integer(totals.mended),
            "stored": .integer(totals.stored), "duplicates": .integer(totals.duplicates), "items": .integer(totals.items),
            "users": .integer(totals.users), "rejected": .integer(totals.rejected), "erased": .integer(totals.erased),
            "returns": .integer(Int(totals.returns.returns)), "returns_unmatched": .integer(Int(max(0, totals.returns.unmatched))),
            "returns_matched_late": .integer(Int(max(0, -totals.returns.unmatched))),
            "returns_partly": .integer(Int(totals.returns.partly)), "returned_pieces": .integer(Int(totals.returns.pieces)),
            "unmatched_pieces": .integer(Int(max(0, totals.returns.unmatchedPieces))), "seconds": .number(seconds),
        ])
    }
}
