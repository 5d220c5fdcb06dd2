import Console
import ContentModel
import Recommending
import TowerModel
import TrainingFiles

/// Makes a model with its parts: weights as they were learned, tables counted from what the model learned from.
package struct BundleTraining {
    /// What is counted.
    package let log: TrainingLog
    /// How parts are counted.
    package let settings: LearningSettings

    /// All of it.
    package init(log: TrainingLog, settings: LearningSettings) {
        self.log = log
        self.settings = settings
    }

    /// The bundle of towers with the domains that weights name, whose adapters are fitted anew.
    ///
    /// - Parameters:
    ///   - rows, learning: as ``bundle(_:_:rows:learning:)`` has them.
    ///   - stop: ends the fit of the adapters early.
    /// - Throws: where the process was asked to stop.
    package func bundle(
        fittingDomainsTo base: TwoTowerModel, _ weights: PartWeights, rows: [Range<Int>], learning: ContentLearning? = nil, threads: Int,
        stop: StopSignal
    ) throws -> ModelBundle {
        var model = base
        if let kept = weights.domains, !kept.isEmpty {
            model.domains = try DomainTraining(log: log, settings: settings.domains, threads: threads, stop: stop)
                .fitted(on: base, rows: rows) { kept.contains($0) }.adapters
        }
        return bundle(model, weights, rows: rows, learning: learning)
    }

    /// The bundle of a model.
    ///
    /// - Parameters:
    ///   - model: with its domains, where it has any: adapters are fitted to the very towers.
    ///   - rows: of each user, what the model learned from.
    ///   - learning: what was learned of contents from the same rows; nil learns it where weights ask for a channel.
    package func bundle(
        _ model: TwoTowerModel, _ weights: PartWeights, rows: [Range<Int>], learning: ContentLearning? = nil
    ) -> ModelBundle {
        var bundle = ModelBundle(model)
        bundle.exclusion = settings.holdout.excludes
        bundle.blend = weights.blend.map { BlendTraining(log: log, settings: settings.blend).blend($0, for: model, rows: rows) }
        bundle.ranker = weights.ranker.map { settings.rankerTraining(log).ranker($0, for: model, rows: rows) }
        if bundle.blend != nil {
            let training = HeadTraining(log: log, settings: settings.heads)
            bundle.heads = weights.heads.map { training.heads($0, for: model, rows: rows) }
        }
        let learning = learning ?? weights.content.map { _ in ContentTraining(log: log, settings: settings.content).learning(rows) }
        bundle.channel = learning?.channel
        if let content = weights.content { bundle.channel?.weights = content }
        bundle.prices = weights.prices ?? ItemPrices()
        bundle.channel?.share = learning.flatMap {
            NewItemTraining(log: log, rows: rows).share($0, for: model, holdout: settings.holdout)
        }
        return bundle
    }
}
