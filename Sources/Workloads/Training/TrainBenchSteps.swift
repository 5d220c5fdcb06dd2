import Console
import TowerTraining

/// Runs a trainer for a number of steps, over the ends of epochs.
package struct TrainBenchSteps {
    private let trainer: Trainer
    /// Since ``resetTimes()``: steps, examples, and seconds of training.
    package private(set) var steps = 0, examples = 0, seconds = 0.0
    /// The loss of the first and of the last step of all.
    package private(set) var firstLoss: Double?, lastLoss: Double?
    /// Examples of the current epoch that are done, and the sum of their losses.
    private var done = 0, lossSum = 0.0

    /// A trainer that has not begun.
    package init(trainer: Trainer) { self.trainer = trainer }

    /// Counts steps, examples and seconds from 0 again; losses are kept.
    package mutating func resetTimes() { (steps, examples, seconds) = (0, 0, 0) }

    /// Runs so many more steps at most, and so many seconds.
    package mutating func go(steps limit: Int, seconds most: Double?) {
        let clock = ContinuousClock(), start = clock.now, end = steps + limit
        var stepsDone = steps, losses = (first: firstLoss, last: lastLoss), known = (done: done, sum: lossSum)
        let isOver = { stepsDone >= end || most.map { start.duration(to: clock.now).inSeconds >= $0 } ?? false }
        while !isOver() {
            let before = done
            let summary = trainer.runEpoch(
                now: { start.duration(to: clock.now).inSeconds },
                shouldStop: {
                    stepsDone += 1
                    return isOver()
                },
                progress: { progress in
                    let sum = progress.loss * Double(progress.examples)
                    let loss = (sum - known.sum) / Double(max(1, progress.examples - known.done))
                    known = (progress.examples, sum)
                    losses = (losses.first ?? loss, loss)
                })
            examples += summary.examples - before
            seconds += summary.seconds
            if summary.isUnfinished {
                done = summary.examples
            } else {
                // The last step of an epoch is not asked whether to stop.
                stepsDone += 1
                (done, known) = (0, (0, 0))
                if summary.examples == before { break }
            }
        }
        (steps, firstLoss, lastLoss, lossSum) = (stepsDone, losses.first, losses.last, known.sum)
    }
}
