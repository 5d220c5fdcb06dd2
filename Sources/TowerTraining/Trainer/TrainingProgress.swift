import Evaluation

/// How far a training has come; sent about a hundred times an epoch.
public struct TrainingProgress: Sendable {
    /// The epoch under way, from 1, and how many there will be.
    public var epoch, epochs: Int
    /// Examples done in this epoch, and its length.
    public var examples, examplesInEpoch: Int
    /// Mean loss of the epoch so far.
    public var loss: Double
    /// By the caller's clock; 0 where it does not run.
    public var examplesPerSecond: Double
    /// Until the last epoch ends, by the speed of this one; 0 where no clock runs.
    public var secondsLeft: Double
}

/// What an epoch achieved.
public struct EpochSummary: Sendable {
    /// The epoch, from 1.
    public var epoch: Int
    /// Examples trained on.
    public var examples: Int
    /// Mean loss over the epoch's examples.
    public var loss: Double
    /// By the caller's clock.
    public var seconds: Double
    /// Examples by those seconds; 0 where no clock runs.
    public var examplesPerSecond: Double
    /// Ranking of the held-out interactions over the whole catalogue, where `validation_users` is set.
    public var validation: MetricsReport?
    /// Whether no earlier epoch validated better.
    public var isBest: Bool
    /// Whether `patience` epochs have gone by without a better one.
    public var shouldStop: Bool
    /// Whether the epoch was stopped before its end.
    public var isUnfinished = false
    /// Why the ranks could not go on together; nil where they could.
    public var failure: RankError?
}
