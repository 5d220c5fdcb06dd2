import Tensors

/// What a run of meta-training did.
public struct MetaTrainingSummary: Sendable, Equatable {
    /// Outer steps done, including those whose gradient was not finite.
    public var steps: Int
    /// Steps that changed nothing because their gradient was not finite.
    public var skippedSteps: Int
    /// Mean query loss of the validation tasks before the first step.
    public var firstLoss: Float
    /// The smallest that was seen; the learner is left as it was then.
    public var bestLoss: Float
    /// Outer step of the best validation; 0 where no step made it better.
    public var bestStep: Int
    /// Whether it ended before `maxSteps` because validation stopped improving.
    public var stoppedEarly: Bool
}

extension MetaLearner {
    /// Meta-trains on drawn tasks and keeps the state with the smallest validation loss.
    ///
    /// - Parameters:
    ///   - maxSteps: outer steps at the most.
    ///   - validation: tasks that are not trained on; the smallest mean query loss on them decides what is kept. With none,
    ///     all steps are done and the last state stays.
    ///   - draw: makes one training task from the learner's generator.
    ///   - progress: called after every step with its number, from 1.
    public mutating func train(
        maxSteps: Int, validation: [MetaTask], progress: (Int, MetaStepSummary) -> Void = { _, _ in },
        draw: (inout SeededGenerator) -> MetaTask
    ) -> MetaTrainingSummary {
        let first = validation.isEmpty ? Float.nan : queryLoss(of: validation)
        var summary = MetaTrainingSummary(
            steps: 0, skippedSteps: 0, firstLoss: first, bestLoss: first, bestStep: 0, stoppedEarly: false)
        var best = state
        var withoutBest = 0
        while summary.steps < maxSteps {
            let tasks = (0..<configuration.tasksPerStep).map { _ in draw(&state.generator) }
            let result = step(tasks)
            summary.steps += 1
            if !result.isApplied { summary.skippedSteps += 1 }
            progress(summary.steps, result)
            let isLast = summary.steps == maxSteps
            guard !validation.isEmpty, isLast || summary.steps % configuration.validationIntervalSteps == 0 else { continue }
            let loss = queryLoss(of: validation)
            // A first loss that is not a number is beaten by any that is.
            if loss < summary.bestLoss || (summary.bestLoss.isNaN && !loss.isNaN) {
                (summary.bestLoss, summary.bestStep, withoutBest) = (loss, summary.steps, 0)
                best = state
            } else {
                withoutBest += 1
                if withoutBest >= configuration.patienceValidations, !isLast {
                    summary.stoppedEarly = true
                    break
                }
            }
        }
        if !validation.isEmpty { state = best }
        return summary
    }
}
