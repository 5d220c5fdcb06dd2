import Console
import ContentModel
import Recommending
import TowerModel
import TowerTraining
import TrainingFiles

/// Trains a model with its parts for a protocol of evaluation, as `freshet train` makes what it publishes: parts are learned on what is
/// held out, then everything learns from that, too, unless `train.final_fit` is off.
///
/// Of what a training publishes only the adaptation to new categories is missing, which changes nothing before somebody adapts.
package struct BundleRun {
    /// How parts are learned, and what is held out.
    package let settings: LearningSettings
    /// How the towers learn.
    package let towers: TowerConfiguration
    /// Threads to judge with.
    package let threads: Int

    /// All of it.
    package init(settings: LearningSettings, towers: TowerConfiguration, threads: Int) {
        self.settings = settings
        self.towers = towers
        self.threads = threads
    }

    /// What was trained.
    package struct Trained {
        /// What would be published.
        package var bundle: ModelBundle
        /// What was learned of its parts.
        package var parts: PartsJudging
        /// What was learned of contents from all that the model learned from; nil where no channel is wanted.
        package var learning: ContentLearning?
        /// The rows of each user that the model learned from.
        package var rows: [Range<Int>]
    }

    /// Trains on a log.
    ///
    /// - Parameters:
    ///   - path: where columns may be written.
    ///   - note: what progress is told under.
    /// - Throws: where the settings of the towers contradict each other.
    package func trained(on log: TrainingLog, columnsAt path: String, note: String) throws -> Trained {
        let holdout = Holdout(settings.holdout, of: log) ?? .leaveOneOut(of: log, maxUsers: settings.holdout.usersLimit)
        let settings = settings.decided(log, holdout, threads: threads)
        let (model, epoch) = try log.trainer(towers, until: holdout.trainingEnds, columnsAt: path).learned(titled: "train, \(note)")
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: settings.holdout.excludes, threads: threads)
        let parts = try PartsJudging.learning(model, scoring: scoring, settings: settings, stop: StopSignal())
        guard settings.learnsHeldOut else {
            return try published(model, parts, log, settings, rows: log.userIDs.indices.map { holdout.trainingRows(of: $0, in: log) })
        }
        var final = towers
        if towers.validation.patience > 0 {
            try final.set("epochs", String(max(1, epoch)))
            try final.set("patience", "0")
        }
        return try published(
            log.trainer(final, columnsAt: path).model(titled: "final fit, \(note)"), parts, log, settings,
            rows: log.userIDs.indices.map { log.rows(of: $0) })
    }

    private func published(
        _ model: TwoTowerModel, _ parts: PartsJudging, _ log: TrainingLog, _ settings: LearningSettings, rows: [Range<Int>]
    ) throws -> Trained {
        let content = ContentTraining(log: log, settings: settings.content)
        let learning = content.isWanted ? content.learning(rows, threads: threads) : nil
        let bundle = try BundleTraining(log: log, settings: settings).bundle(
            fittingDomainsTo: model, parts.weights, rows: rows, learning: learning, threads: threads, stop: StopSignal())
        return Trained(bundle: bundle, parts: parts, learning: learning, rows: rows)
    }
}
