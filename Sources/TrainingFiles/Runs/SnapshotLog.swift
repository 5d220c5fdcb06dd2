import Console
import Evaluation
import Foundation
import Interactions
import ModelArtifacts

/// One moment of the store, read for an evaluation.
package struct SnapshotLog {
    /// What was read.
    package let log: TrainingLog
    /// What the ratings of the store look like; nil where they were read by rules.
    package var ratings: RatingLook?
    /// Where trainings of the evaluation may write columns of their own.
    package let columnsPath: String

    /// A log that is there already.
    package init(log: TrainingLog, columnsPath: String) {
        self.log = log
        self.columnsPath = columnsPath
    }

    /// Reads the store and gives items the vectors of their texts.
    ///
    /// The log lies in a mapped file whose name is gone before this returns: nothing stays behind, however the program ends.
    ///
    /// - Parameter texts: the encoder of texts; nil for none.
    package init(_ export: SnapshotExport, until: EventTime?, texts: ContentEncoder?, threads: Int) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-evaluate-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        TrainingLeftovers.sweepTemporary()
        let progress = ProgressLine("read interactions")
        ratings = try export.write(to: path, until: until) { progress.update($0) }.ratings
        var log = try TrainingFile(path: path).log
        log.describeTexts(by: texts, threads: threads)
        self.log = log
        columnsPath = path + "-columns"
    }
}

extension TrainingLog {
    /// Gives the items the vectors of their texts, with progress.
    package mutating func describeTexts(by encoder: ContentEncoder?, threads: Int) {
        guard let encoder else { return }
        let line = ProgressLine("encode texts")
        var total = 0
        encoder.complete(&contents, threads: threads) { done, all in
            total = all
            line.update(share: Double(done) / Double(max(1, all)), note: "\(done.formatted()) of \(all.formatted()) new texts")
        }
        if total > 0 { line.finish(total, note: "texts") }
        encoder.trim(to: contents)
    }
}
