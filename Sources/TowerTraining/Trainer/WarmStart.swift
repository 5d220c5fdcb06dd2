import ContentModel
import TowerModel

/// What an incremental training begins from: a trained model, whose tables grow by the new items.
///
/// Rows of known items keep their values and so do dense layers and tokens: they are shared by content, so new words already have
/// rows. How rare a word is stays as the model learned it, or all known vectors would move. New items begin where their content
/// places them; those without content begin as in a training from nothing.
public struct WarmStart {
    /// The settings of the model.
    public let configuration: TowerConfiguration
    let hasher: ContentHasher
    let embedding: Int
    let trainedIdle: [Bool]
    private let rows: [String: Int32]
    private let parameters: TowerParameters
    /// The training whose optimizer goes on; nil where the optimizer starts anew.
    let kept: Trainer?

    /// Reads a model's parameters.
    ///
    /// - Throws: where the model's tensors do not fit its settings.
    public init(_ model: TwoTowerModel, keeping trainer: Trainer? = nil) throws(ModelError) {
        kept = trainer
        configuration = model.configuration
        let reader = try TensorReader(model.tensors), items = model.itemIDs.count
        hasher = try ContentHasher(configuration, reader: reader)
        rows = Dictionary(model.itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        embedding = reader.rows(of: DenseParameter.contentEmbedding.name) ?? 0
        parameters = TowerParameters(TowerShape(configuration, itemCount: items, embedding: embedding))
        try parameters.read(reader)
        trainedIdle = try reader.values("user.idle.trained", rows: 1, columns: TowerShape.idleCount).map { $0 != 0 }
    }

    /// The model's settings for a run of its own: shorter, with smaller steps, and without a validation of its own.
    ///
    /// - Parameter rateShare: the share of the peak step sizes.
    public func settings(epochs: Int, rateShare: Float, seed: UInt64, threads: Int) -> TowerConfiguration {
        var own = configuration
        own.epochs = epochs
        own.steps.learningRate *= rateShare
        own.steps.tableLearningRate *= rateShare
        own.validation.users = 0
        own.validation.patience = 0
        own.seed = seed
        own.threads = threads
        return own
    }

    /// Whether the model knows an item.
    public func knows(_ itemID: String) -> Bool { rows[itemID] != nil }

    /// Puts the model's values over the first ones of a training.
    ///
    /// - Parameters:
    ///   - itemIDs: by the training's rows; hasContent: whether something is known of each.
    func fill(_ target: TowerParameters, itemIDs: [String], hasContent: (Int) -> Bool) {
        target.dense.copy(from: parameters.dense)
        for table in [TableParameter.contentTokens, .userTokens] { target.table(table).copy(from: parameters.table(table)) }
        fill(
            target.table(.itemIDs), from: parameters.table(.itemIDs), dimension: target.shape.dimension, rows: itemIDs.map { rows[$0] },
            startsAtZero: hasContent)
    }

    /// Whether a row of the user token table was ever learned; those of attributes that too few users shared are zero.
    func hasLearned(token: Int32) -> Bool {
        let d = parameters.shape.dimension, row = parameters.table(.userTokens).start + Int(token) * d
        return (0..<d).contains { row[$0] != 0 }
    }

    /// The model's row of each item.
    func knownRows(_ itemIDs: [String]) -> [Int32?] { itemIDs.map { rows[$0] } }

    private func fill(_ target: FloatBuffer, from source: FloatBuffer, dimension d: Int, rows: [Int32?], startsAtZero: (Int) -> Bool) {
        for (new, old) in rows.enumerated() {
            let start = target.start + new * d
            if let old {
                start.update(from: source.start + Int(old) * d, count: d)
            } else if startsAtZero(new) {
                start.update(repeating: 0, count: d)
            }
        }
    }
}
