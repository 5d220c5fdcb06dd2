/// How much of a training is measured, and by what means.
package struct TrainBenchTiming {
    /// Threads of the training and of the bound.
    package var threads: Int
    /// Examples of a step, or histories of one, on average.
    package var batch: Int
    /// Steps that are not timed.
    package var warmup: Int
    /// Timed steps at most, over as many epochs as they take; nil for what the workload says.
    package var steps: Int?
    /// Seconds after which the timed part ends; nil for no limit.
    package var seconds: Double?
    /// Decides everything that is random.
    package var seed: UInt64

    /// All of it.
    package init(threads: Int, batch: Int, warmup: Int, steps: Int? = nil, seconds: Double? = nil, seed: UInt64) {
        self.threads = threads
        self.batch = batch
        self.warmup = warmup
        self.steps = steps
        self.seconds = seconds
        self.seed = seed
    }
}
