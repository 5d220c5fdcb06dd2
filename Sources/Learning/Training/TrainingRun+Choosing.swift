import Evaluation
import TrainingFiles

extension TrainingRun {
    /// What ratings there are, and whether low ones are left out, which decides what is read; nil where nothing is to be chosen.
    func likes(_ read: SnapshotExport.Summary) throws -> (AutoDecision?, RatingLook)? {
        guard let choosing, let ratings = read.ratings, ratings.lowest < ratings.highest else { return nil }
        return (try choosing.likes(TrainingFile(path: folder.logPath).log, ratings: ratings), ratings)
    }

    /// Nil where nothing is to be chosen.
    var choosing: TrainingChoosing? {
        plan.automatic.map { automatic in
            TrainingChoosing(
                automatic: automatic, models: store.models, folder: folder, obstacle: obstacle, logger: logger, stop: stop)
        }
    }

    /// Why settings cannot be compared; nil where they can.
    private var obstacle: String? {
        if ranks.group.isShared { return "several processes train together" }
        if teacher != nil { return "a teacher is learned from" }
        return plan.learning.holdout.cut == .none ? "train.holdout is none" : nil
    }
}
