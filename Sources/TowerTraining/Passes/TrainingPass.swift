import Tensors
import TowerModel

/// What the trainer drives: a tower's way through the batches of an epoch. One implementation a form of batch.
protocol TrainingPass: AnyObject {
    /// Plans an epoch (from 0) and leaves out its first `done` examples; returns how many examples the whole epoch has.
    func begin(epoch: Int, skipping done: Int) -> Int
    /// Gathers the next batch and runs it forth and back, or returns nil at the end of the epoch. `key` decides what chance decides.
    ///
    /// Where ranks train together, a batch is that of all of them, and this rank runs its share.
    func runNext(key: UInt64) throws(RankError) -> BatchResult?
    /// Gathers the first `count` examples in the order of events and runs them without dropout, for checks.
    func runFirst(_ count: Int) -> BatchResult
    /// The gradients of the last batch.
    var gradients: StepGradients { get }
    /// What a resumed training needs beside the parameters, for a checkpoint.
    func tensors() -> [NamedTensor]
    /// Reads ``tensors()``.
    func read(_ reader: TensorReader) throws(ModelError)
}

extension TrainingPass {
    func tensors() -> [NamedTensor] { [] }
    func read(_ reader: TensorReader) throws(ModelError) {}
}
