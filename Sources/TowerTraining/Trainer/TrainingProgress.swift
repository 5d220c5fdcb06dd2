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

/// A training between two steps. Resuming over the same training set goes on as if it had never stopped, bit for bit.
public struct Checkpoint: Sendable, Equatable {
    /// The configuration, as ``TowerConfiguration/settings``.
    public var settings: [String: String]
    /// `epoch`, `step`, `done` examples of an unfinished epoch and the sum of their `loss`, `stale`, `best` (bit pattern of a Double), and the sizes of the training set.
    public var counters: [String: Int64]
    /// Parameters, optimizer state and, where validation runs, the best parameters so far.
    public var tensors: [NamedTensor]

    /// Makes a checkpoint from its parts, as read from a file.
    public init(settings: [String: String], counters: [String: Int64], tensors: [NamedTensor]) {
        self.settings = settings
        self.counters = counters
        self.tensors = tensors
    }
}
