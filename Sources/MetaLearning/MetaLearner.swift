import Gradients
import Tensors

/// Model-agnostic meta-learning (Finn et al. 2017): learns parameters from which a few gradient steps on a task's support set
/// give a small loss on its query set, and the sizes of those steps.
///
/// Only what adapts belongs in the parameters: a large model keeps its features fixed and hands over its last layers and
/// adapters (ANIL, Raghu et al. 2020). The same start, seed and tasks give the same result.
public struct MetaLearner: Sendable {
    /// How it learns.
    public let configuration: MetaConfiguration
    /// What it has learned; keep it to go on later.
    public internal(set) var state: MetaState

    /// A learner that starts from `parameters`.
    public init(parameters: [Matrix], configuration: MetaConfiguration = MetaConfiguration(), seed: UInt64) {
        self.configuration = configuration
        state = MetaState(parameters: parameters, configuration: configuration, seed: seed)
    }

    /// A learner that goes on from a saved state. The configuration must have the same `rateShape`.
    public init(resuming state: MetaState, configuration: MetaConfiguration) {
        precondition(
            state.logRates.count == state.parameters.count && state.firstMoments.count == 2 * state.parameters.count
                && state.secondMoments.count == 2 * state.parameters.count,
            "a state of \(state.parameters.count) parameters with \(state.logRates.count) rates")
        self.configuration = configuration
        self.state = state
    }

    /// The parameters after `steps` gradient steps (by default the configured number) on a support loss.
    public func adapted(to supportLoss: MetaTask.Loss, steps: Int? = nil) -> [Matrix] {
        adapt(
            parameters: state.parameters.map(Variable.constant), rates: state.logRates.map { Variable.constant($0).exp() },
            to: supportLoss, steps: steps ?? configuration.innerSteps, order: .first
        ).map(\.value)
    }

    /// The mean query loss of tasks after adaptation to each.
    public func queryLoss(of tasks: [MetaTask]) -> Float {
        let total = tasks.reduce(0.0) { sum, task in
            sum + Double(task.queryLoss(adapted(to: task.supportLoss).map(Variable.constant)).scalar)
        }
        return Float(total / Double(max(tasks.count, 1)))
    }

    /// The query loss of a task after adaptation, and its gradients with respect to the start and the logarithms of the rates.
    public func metaGradient(of task: MetaTask) -> (queryLoss: Float, parameters: [Matrix], logRates: [Matrix]) {
        let parameters = state.parameters.map { Variable($0) }, logRates = state.logRates.map { Variable($0) }
        let end = adapt(
            parameters: parameters, rates: logRates.map { $0.exp() }, to: task.supportLoss, steps: configuration.innerSteps,
            order: configuration.order)
        let loss = task.queryLoss(end)
        let result = gradients(of: loss, withRespectTo: parameters + logRates).map(\.value)
        return (loss.scalar, Array(result[..<parameters.count]), Array(result[parameters.count...]))
    }

    /// θ ← θ − rate · ∇(support loss + λ/2 |θ − θ₀|²), `steps` times.
    private func adapt(
        parameters start: [Variable], rates: [Variable], to supportLoss: MetaTask.Loss, steps: Int,
        order: MetaConfiguration.Order
    ) -> [Variable] {
        var current = start
        for _ in 0..<steps {
            // For first order the loss sees fresh parameters, so that nothing before this step is differentiated.
            let points = order == .second ? current : current.map { Variable($0.value) }
            let slopes = gradients(of: supportLoss(points), withRespectTo: points, creatingGraph: order == .second)
            current = current.indices.map { i in
                var slope = slopes[i]
                if configuration.proximity > 0 {
                    let distance = points[i] - (order == .second ? start[i] : start[i].detached())
                    slope = slope + configuration.proximity * (order == .second ? distance : distance.detached())
                }
                return current[i] - rates[i] * slope
            }
        }
        return current
    }
}

/// What one outer step did.
public struct MetaStepSummary: Sendable, Equatable {
    /// Mean query loss of the step's tasks after adaptation, before the update.
    public var queryLoss: Float
    /// Length of the averaged gradient before it was limited.
    public var gradientLength: Float
    /// False where the gradient was not finite: then nothing was changed.
    public var isApplied: Bool
}

extension MetaLearner {
    /// One outer step: averages the meta-gradients of tasks and updates the start and the rates by Adam.
    ///
    /// Tasks are differentiated one after the other, so that one task's graph is in memory at a time.
    public mutating func step(_ tasks: [MetaTask]) -> MetaStepSummary {
        precondition(!tasks.isEmpty, "an outer step needs a task")
        var total = (state.parameters + state.logRates).map { Matrix(rows: $0.rows, columns: $0.columns) }
        var loss: Float = 0
        for task in tasks {
            let gradient = metaGradient(of: task)
            loss += gradient.queryLoss / Float(tasks.count)
            for (i, part) in (gradient.parameters + gradient.logRates).enumerated() {
                total[i].add(part, scaledBy: 1 / Float(tasks.count))
            }
        }
        let count = state.parameters.count
        let learned = configuration.learnsInnerRates ? 2 * count : count
        let length = total[..<learned].reduce(Float(0)) { sum, part in
            sum + part.withUnsafePointer { Kernels.dot($0, $0, count: part.count) }
        }.squareRoot()
        guard length.isFinite, loss.isFinite else {
            return MetaStepSummary(queryLoss: loss, gradientLength: length, isApplied: false)
        }
        state.steps += 1
        let scale = length > configuration.gradientLimit ? configuration.gradientLimit / length : 1
        for i in 0..<learned {
            var gradient = scale == 1 ? total[i] : total[i].scaled(by: scale)
            if i < count, let mask = configuration.learnedStart?[i] {
                gradient = Matrix(
                    rows: gradient.rows, columns: gradient.columns, values: zip(gradient.values, mask.values).map { $0 * $1 })
            }
            var rule = configuration.outer
            if i >= count { rule.weightDecay = 0 }
            if i < count {
                adamStep(
                    &state.parameters[i], first: &state.firstMoments[i], second: &state.secondMoments[i], gradient: gradient,
                    rule: rule, step: state.steps)
            } else {
                adamStep(
                    &state.logRates[i - count], first: &state.firstMoments[i], second: &state.secondMoments[i],
                    gradient: gradient, rule: rule, step: state.steps)
            }
        }
        return MetaStepSummary(queryLoss: loss, gradientLength: length, isApplied: true)
    }
}
