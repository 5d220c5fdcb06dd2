import Console
import Foundation
import Interactions
import TrainingFiles

/// One moment of the store, read for an evaluation.
struct SnapshotLog {
    let log: TrainingLog
    /// Where trainings of the evaluation may write columns of their own.
    let columnsPath: String

    /// Reads the store and gives items the vectors of their texts.
    ///
    /// The log lies in a mapped file whose name is gone before this returns: nothing stays behind, however the program ends.
    ///
    /// - Parameter texts: the encoder of texts; nil for none.
    init(_ export: SnapshotExport, until: EventTime?, texts: ContentEncoder?, threads: Int) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-evaluate-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        TrainingLeftovers.sweepTemporary()
        let progress = ProgressLine("read interactions")
        _ = try export.write(to: path, until: until) { progress.update($0) }
        var log = try TrainingFile(path: path).log
        log.describeTexts(by: texts, threads: threads)
        self.log = log
        columnsPath = path + "-columns"
    }
}
