import ContentModel
import Learning
import Recommending
import TowerModel
import TrainingFiles

/// What was learned of a model's parts on what was held out: with it the parts are made anew for whatever model is published, judged or
/// served in a replay.
struct PartWeights: Codable {
    /// The weights of the ranking blend; nil where the towers rank alone.
    var blend: BlendWeights?
    /// The ranking heads; nil where there is nothing that they could learn from.
    var heads: HeadWeights?
    /// The weights of the content channel; nil where none were fitted.
    var content: [Float]?
    /// The domains whose adapters helped; nil where none were tried.
    var domains: [String]?

    /// Nothing learned yet.
    init() {}

    /// Those of a model that is there.
    init(_ bundle: ModelBundle) {
        blend = bundle.blend?.weights
        heads = bundle.heads?.weights
        content = bundle.channel?.weights
        domains = bundle.model.domains?.tokens
    }
}

/// Makes a model with its parts: weights as they were learned, tables counted from what the model learned from.
struct BundleTraining {
    let log: TrainingLog
    let configuration: Configuration

    /// The bundle of a model.
    ///
    /// - Parameters:
    ///   - model: with its domains, where it has any: adapters are fitted to the very towers.
    ///   - rows: of each user, what the model learned from.
    ///   - learning: what was learned of contents from the same rows; nil learns it where weights ask for a channel.
    func bundle(
        _ model: TwoTowerModel, _ weights: PartWeights, rows: [Range<Int>], learning: ContentLearning? = nil
    ) -> ModelBundle {
        var bundle = ModelBundle(model)
        bundle.blend = weights.blend.map { BlendTraining(log: log, configuration: configuration).blend($0, for: model, rows: rows) }
        if bundle.blend != nil {
            let training = HeadTraining(log: log, settings: configuration.headSettings)
            bundle.heads = weights.heads.map { training.heads($0, for: model, rows: rows) }
        }
        bundle.channel = learning?.channel
            ?? weights.content.map { _ in ContentTraining(log: log, configuration: configuration).learning(rows).channel }
        if let content = weights.content { bundle.channel?.weights = content }
        return bundle
    }
}
