import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Learning
import ModelArtifacts
import Reports
import TrainingFiles

/// `freshet evaluate` with a part of the store held out: a model and the rivals on the same questions.
struct SplitRun {
    let configuration: Configuration
    let url: String
    let until: EventTime?
    /// The share of the newest interactions that is held out; nil holds out each user's last one.
    let share: Double?

    private static let threads = 2

    /// Asks a model version and every rival.
    func run(_ version: RegisteredModel) throws -> SplitReport {
        let artifact = try configuration.artifactStore.artifact(of: version)
        let ranking = TrainingStages.Promoted(
            model: artifact.model, blend: try artifact.blend(), version: Int(version.version), newestEvent: nil)
        // The texts that the model has learned from, or none.
        let known = try artifact.notes[ContentEncoder.noteName].flatMap { wanted in
            try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")).flatMap { $0.checksum == wanted ? $0 : nil }
        }
        let log = try SnapshotLog(
            SnapshotExport(url: url, configuration: configuration), until: until, texts: known, threads: Self.threads
        ).log
        let excludes = Set(configuration.excludedTypes.map(\.rawValue))
        let users = configuration.integer("train.evaluation_users")
        let holdout: Holdout =
            share.map { .newest(share: $0, of: log, excludes: excludes, maxUsers: users) }
            ?? .leaveOneOut(of: log, excludes: excludes, maxUsers: users)
        guard !holdout.questions.isEmpty else {
            throw CommandFailure("there is nobody to ask: no user has interactions both before and in \(holdout.description)")
        }
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: excludes, threads: Self.threads)
        let own = ranking.score(scoring, training: BlendTraining(log: log, configuration: configuration))
        let rivals = [HoldoutScoring.Rival(contestant: .model, outcome: own)] + scoring.scoreRivals()
        return SplitReport(
            version: Int(version.version), description: holdout.description,
            contestants: rivals.map { SplitReport.Entry(contestant: $0.contestant, record: $0.outcome.record) }, watermark: version.watermark)
    }
}
