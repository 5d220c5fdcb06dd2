import Tensors

/// How a category is adapted to.
public enum AdaptationMethod: String, CaseIterable, Sendable {
    /// From the meta-learned start, with learned rates.
    case meta
    /// From the start that is best without adaptation, with one tuned rate: plain fine-tuning.
    case fineTune = "fine-tune"
    /// The start that is best without adaptation, as it is.
    case none
}

/// What training learned for categories to come: where each method starts and how far its steps go.
public struct CategoryStarts: Sendable, Equatable {
    /// The start that minimises the query loss with no step.
    public var plain: [Matrix]
    /// The rate of plain fine-tuning with the smallest loss on validation tasks at ``steps``.
    public var plainRate: Float
    /// The meta-learned start.
    public var meta: [Matrix]
    /// The natural logarithms of its learned rates.
    public var metaLogRates: [Matrix]
    /// Inner steps.
    public var steps: Int
    /// λ of the proximity to the start.
    public var proximity: Float

    /// Whether meta-learning found no start that did better on its validation tasks than the one that is best without adaptation.
    public var metaStaysPlain: Bool { meta == plain }

    /// The starts of a training, or of the file that holds them; both have the parameters of `CategoryAdapter` in its order.
    public init(plain: [Matrix], plainRate: Float, meta: [Matrix], metaLogRates: [Matrix], steps: Int, proximity: Float) {
        self.plain = plain
        self.plainRate = plainRate
        self.meta = meta
        self.metaLogRates = metaLogRates
        self.steps = steps
        self.proximity = proximity
    }

    /// The parameters after adaptation to a support set; of no users, the start.
    public func adapted(to support: CategoryQuestions?, by method: AdaptationMethod) -> [Matrix] {
        let isMeta = method == .meta
        guard let support, support.users.rows > 0, support.items.rows > 1, method != .none else { return isMeta ? meta : plain }
        var configuration = MetaConfiguration(innerSteps: steps, innerRate: plainRate, proximity: proximity, order: .first)
        configuration.rateShape = isMeta && metaLogRates.contains { $0.count > 1 } ? .element : .matrix
        var state = MetaState(parameters: isMeta ? meta : plain, configuration: configuration, seed: 0)
        if isMeta { state.logRates = metaLogRates }
        return MetaLearner(resuming: state, configuration: configuration).adapted { support.loss($0) }
    }
}

/// Learns ``CategoryStarts`` from tasks.
public struct CategoryMetaTraining {
    /// Rates that plain fine-tuning is tried with.
    public static let plainRates: [Float] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]

    private static let leastMetaRate: Float = 0.01

    /// A category vector starts at 0: one that categories share says nothing of the next. Without adaptation nothing is known of a
    /// support, so the plain start leaves likeness to it out.
    private static func learnedStart(rank: Int, likeness: Bool) -> [Matrix] {
        [
            Matrix(row: CategoryPart.allCases.map { $0 == .likeness && !likeness ? 0 : 1 }), Matrix(rows: 1, columns: rank, repeating: 1),
            Matrix(rows: 1, columns: rank),
        ]
    }

    /// What the learning found on the validation tasks: mean query losses.
    public struct Summary: Sendable, Equatable {
        /// With no step from the plain start, with tuned fine-tuning, with the meta-learned start.
        public var none, fineTune, meta: Float
        /// Outer steps that the meta-learned start took.
        public var metaSteps: Int
    }

    /// Inner steps, their rates, and the order of derivatives of the meta-learned start; the plain start takes no step.
    public let configuration: MetaConfiguration
    /// Outer steps for each of the two starts at most.
    public let maxSteps: Int
    /// Decides which tasks are drawn when.
    public let seed: UInt64

    /// A learning that has not begun; see ``run(rank:validation:shouldStop:draw:)``.
    public init(configuration: MetaConfiguration, maxSteps: Int, seed: UInt64) {
        self.configuration = configuration
        self.maxSteps = maxSteps
        self.seed = seed
    }

    /// Learns the plain start first, tunes fine-tuning from it, then meta-learns from the same place.
    ///
    /// - Parameters:
    ///   - rank: of the vectors.
    ///   - shouldStop: asked before each outer step; a learning that is stopped keeps what it has.
    ///   - draw: a training task.
    public func run(
        rank: Int, validation: [MetaTask], shouldStop: () -> Bool = { false }, draw: (inout SeededGenerator) -> MetaTask
    ) -> (starts: CategoryStarts, summary: Summary) {
        var plainRules = configuration
        plainRules.innerSteps = 0
        plainRules.learnsInnerRates = false
        plainRules.order = .first
        plainRules.learnedStart = Self.learnedStart(rank: rank, likeness: false)
        var plain = MetaLearner(parameters: CategoryAdapter.start(rank: rank).parameters, configuration: plainRules, seed: seed)
        _ = plain.train(maxSteps: shouldStop() ? 0 : maxSteps, validation: validation, draw: draw)
        let start = plain.state.parameters

        var bestRate = Self.plainRates[0], bestLoss = Float.infinity
        for rate in Self.plainRates {
            var rules = configuration
            rules.innerRate = rate
            rules.rateShape = .matrix
            let loss = MetaLearner(parameters: start, configuration: rules, seed: seed).queryLoss(of: validation)
            if loss < bestLoss { (bestRate, bestLoss) = (rate, loss) }
        }
        var metaRules = configuration
        // Rates are learned in proportion, so from a very small one they would hardly move.
        metaRules.innerRate = max(bestRate, Self.leastMetaRate)
        metaRules.learnedStart = Self.learnedStart(rank: rank, likeness: true)
        var meta = MetaLearner(parameters: start, configuration: metaRules, seed: seed &+ 1)
        let learned = meta.train(maxSteps: shouldStop() ? 0 : maxSteps, validation: validation, draw: draw)
        let starts = CategoryStarts(
            plain: start, plainRate: bestRate, meta: meta.state.parameters, metaLogRates: meta.state.logRates,
            steps: configuration.innerSteps, proximity: configuration.proximity)
        return (
            starts,
            Summary(
                none: plain.queryLoss(of: validation), fineTune: bestLoss, meta: meta.queryLoss(of: validation), metaSteps: learned.steps)
        )
    }
}
