/// Where a training stands, for the dashboard.
package struct TrainingStatus: Sendable {
    /// The step, in words.
    package var phase: String
    /// The epoch that runs, and how many there are.
    package var epoch: Int, epochs: Int
    /// The share of the phase that is done.
    package var fraction: Double
    /// The loss of the epoch so far; nil outside of epochs.
    package var loss: Double?
    /// Its speed.
    package var examplesPerSecond: Double?

    /// All of it.
    package init(phase: String, epoch: Int, epochs: Int, fraction: Double, loss: Double? = nil, examplesPerSecond: Double? = nil) {
        (self.phase, self.fraction) = (phase, fraction)
        (self.epoch, self.epochs) = (epoch, epochs)
        self.loss = loss
        self.examplesPerSecond = examplesPerSecond
    }
}
