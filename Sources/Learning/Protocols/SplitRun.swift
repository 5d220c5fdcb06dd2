import Console
import Evaluation
import Reports
import TrainingFiles

/// `freshet evaluate` with a part of the store held out: a model and the rivals on the same questions.
package struct SplitRun {
    /// What may be an answer, and how the model answers.
    package let settings: LearningSettings
    /// The share of the newest interactions that is held out; nil holds out each user's last one.
    package let share: Double?

    /// All of it.
    package init(settings: LearningSettings, share: Double?) {
        self.settings = settings
        self.share = share
    }

    private static let threads = 2

    /// Asks a model version and every rival.
    ///
    /// - Parameter watermark: of the version in the registry.
    /// - Throws: where nobody can be asked.
    package func run(_ model: PromotedModel, watermark: String, on snapshot: SnapshotLog) throws -> SplitReport {
        let log = snapshot.log
        let excludes = settings.holdout.exclusion(of: model.bundle)
        let users = settings.holdout.usersLimit
        let holdout: Holdout =
            share.map { .newest(share: $0, of: log, maxUsers: users) }
            ?? .leaveOneOut(of: log, maxUsers: users)
        guard !holdout.questions.isEmpty else {
            throw CommandFailure("there is nobody to ask: no user has interactions both before and in \(holdout.description)")
        }
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: excludes, threads: Self.threads)
        let own = model.score(scoring, settings: settings)
        let asked = [HoldoutScoring.JudgedRival(contestant: .model, outcome: own)] + scoring.scoreRivals()
        return SplitReport(
            version: model.version, description: holdout.description,
            contestants: asked.map { SplitReport.Entry(contestant: $0.contestant, settings: $0.settings, record: $0.outcome.record) },
            watermark: watermark)
    }
}
