import Console
import TowerTraining

/// Runs a trainer for a number of steps, over the ends of epochs.
struct TrainBenchSteps {
    let trainer: Trainer
    private(set) var steps = 0, examples = 0, seconds = 0.0
    private(set) var firstLoss: Double?, lastLoss: Double?
    /// Examples of the current epoch that are done, and the sum of their losses.
    private var done = 0, lossSum = 0.0

    init(trainer: Trainer) { self.trainer = trainer }

    mutating func resetTimes() { (steps, examples, seconds) = (0, 0, 0) }

    mutating func go(steps limit: Int, seconds most: Double?) {
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
