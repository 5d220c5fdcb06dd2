import Interactions
import TowerTraining

/// A trainer's steps: first some that are not timed, then those that are, with the processor's time beside the clock's.
package struct TimedTraining {
    /// The timed steps.
    package let run: TrainBenchSteps
    /// What the timed steps took of all processors.
    package let processorSeconds: Double
    /// What the processor could do at most.
    package let bound: ArithmeticBound

    /// Measures the bound, warms up and runs.
    ///
    /// - Parameter steps: timed steps at most.
    package init(_ trainer: Trainer, _ timing: TrainBenchTiming, steps: Int) {
        bound = .measured(threads: timing.threads)
        var run = TrainBenchSteps(trainer: trainer)
        if timing.warmup > 0 { run.go(steps: timing.warmup, seconds: nil) }
        run.resetTimes()
        let before = ProcessFigures.processorSeconds
        run.go(steps: steps, seconds: timing.seconds)
        processorSeconds = ProcessFigures.processorSeconds - before
        self.run = run
    }

    /// The rate of operations a second beside the bounds, and the losses.
    func add(rate: Double, to line: inout ResultLine) {
        bound.add(rate: rate, to: &line)
        line.add("loss_first_last", .json("[\(run.firstLoss ?? .nan),\(run.lastLoss ?? .nan)]"))
    }
}
