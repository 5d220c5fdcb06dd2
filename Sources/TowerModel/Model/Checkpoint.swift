/// A training between two steps. Resuming over the same training set goes on as if it had never stopped, bit for bit.
public struct Checkpoint: Sendable, Equatable {
    /// The configuration, as ``TowerConfiguration/settings``.
    public var settings: [String: String]
    /// `epoch`, `step`, `done` examples of an unfinished epoch and the sum of their `loss`, `stale`, `best` (bit pattern of a Double), and
    /// the sizes of the training set.
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
