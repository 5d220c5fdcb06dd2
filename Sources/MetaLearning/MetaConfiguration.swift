import Tensors

/// How a `MetaLearner` learns.
public struct MetaConfiguration: Sendable, Equatable {
    /// What the outer gradient takes into account.
    public enum Order: Sendable, Equatable {
        /// The query gradient at the adapted parameters, as if the inner steps did not depend on the start (FOMAML).
        case first
        /// The exact gradient, through the inner steps (MAML).
        case second
    }

    /// One learned inner rate for each parameter matrix, or for each of its elements (Meta-SGD, Li et al. 2017).
    public enum RateShape: Sendable, Equatable { case matrix, element }

    /// Gradient steps on the support loss, 0 or more.
    public var innerSteps: Int
    /// Inner step size before any is learned, positive.
    public var innerRate: Float
    /// Whether inner rates are learned along with the parameters. They are kept as logarithms and so stay positive.
    public var learnsInnerRates: Bool
    /// What one learned rate covers.
    public var rateShape: RateShape
    /// λ of the term λ/2 · |θ − θ₀|² that keeps adapted parameters near the start; 0 for none (iMAML, Rajeswaran et al. 2019).
    public var proximity: Float
    /// Exact or first-order outer gradients.
    public var order: Order
    /// The outer update.
    public var outer: AdamRule
    /// Longest outer gradient, all parameters and rates together; a longer one is scaled down to it. Infinity for no limit.
    public var gradientLimit: Float
    /// Tasks whose gradients are averaged in one outer step, 1 or more.
    public var tasksPerStep: Int
    /// Outer steps between two validations in `train`.
    public var validationIntervalSteps: Int
    /// `train` stops after this many validations in a row without a new best.
    public var patienceValidations: Int
    /// What of the start is learned: its outer gradient is multiplied by this, element by element; nil learns all. Rates are not
    /// concerned, so what starts at a fixed value may adapt.
    public var learnedStart: [Matrix]?

    /// Three inner steps with learned rates, exact second order.
    public init(
        innerSteps: Int = 3, innerRate: Float = 0.1, learnsInnerRates: Bool = true, rateShape: RateShape = .matrix,
        proximity: Float = 0, order: Order = .second, outer: AdamRule = AdamRule(learningRate: 1e-3),
        gradientLimit: Float = 10, tasksPerStep: Int = 4, validationIntervalSteps: Int = 50, patienceValidations: Int = 10
    ) {
        precondition(innerSteps >= 0 && innerRate > 0, "\(innerSteps) inner steps with rate \(innerRate)")
        precondition(tasksPerStep > 0 && validationIntervalSteps > 0, "an outer step needs a task and validation an interval")
        self.innerSteps = innerSteps
        self.innerRate = innerRate
        self.learnsInnerRates = learnsInnerRates
        self.rateShape = rateShape
        self.proximity = proximity
        self.order = order
        self.outer = outer
        self.gradientLimit = gradientLimit
        self.tasksPerStep = tasksPerStep
        self.validationIntervalSteps = validationIntervalSteps
        self.patienceValidations = patienceValidations
    }
}

/// Everything a `MetaLearner` has learned and needs to go on: what a checkpoint holds.
public struct MetaState: Sendable, Equatable {
    /// The start of every adaptation, θ₀.
    public var parameters: [Matrix]
    /// Natural logarithms of the inner rates, one matrix a parameter: `[1, 1]` or the parameter's shape.
    public var logRates: [Matrix]
    /// First and second moments of Adam for the parameters, then for the rates.
    public var firstMoments, secondMoments: [Matrix]
    /// Outer steps done.
    public var steps: Int
    /// State of the random number generator that draws tasks.
    public var generator: SeededGenerator

    /// The state before the first step.
    public init(parameters: [Matrix], configuration: MetaConfiguration, seed: UInt64) {
        self.parameters = parameters
        let start = Kernels.log(configuration.innerRate)
        logRates = parameters.map {
            configuration.rateShape == .matrix
                ? Matrix(scalar: start) : Matrix(rows: $0.rows, columns: $0.columns, repeating: start)
        }
        firstMoments = (parameters + logRates).map { Matrix(rows: $0.rows, columns: $0.columns) }
        secondMoments = firstMoments
        steps = 0
        generator = SeededGenerator(seed: seed)
    }
}
