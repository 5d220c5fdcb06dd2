import Bytes
import Tensors
import TowerModel

/// The examples of one step, gathered: histories, targets and the items that take part.
///
/// Under the full loss, item rows are those of the training set. Under the sampled loss they are local: first the
/// candidates (targets and uniform negatives), then items that occur in histories only.
struct TrainingBatch {
    /// Number of examples.
    var count = 0
    /// Place of the first of them among those of all ranks.
    var first = 0
    /// Candidate row of each example's target.
    var targets: [Int32] = []
    /// The event of each example.
    var events: [Int32] = []
    /// Share of each example in the loss: weight / number of examples of all ranks.
    var weights: [Float] = []
    /// User row of each example; −1 where training hides the attributes.
    var users: [Int32] = []
    /// The history of example i is `starts[i]..<starts[i + 1]` of the next three, newest first.
    var starts: [Int] = [0]
    var rows: [Int32] = []
    var types: [UInt8] = []
    var gaps: [UInt8] = []
    /// Bucket of the time between each example's newest entry and its target.
    var idle: [UInt8] = []
    /// Item row of each local row.
    var items: [Int32] = []
    /// Local rows that are candidates: the first ones.
    var candidates = 0
    /// Corrections of the candidates; under the full loss the logit adjustment alone, empty without one.
    var corrections: [Float] = []
    /// What each example's target carries under a logit adjustment; empty without one.
    var targetCorrections: [Float] = []

    /// Forgets the examples and keeps the memory; item rows and corrections stay.
    mutating func removeExamples() {
        targets.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        targetCorrections.removeAll(keepingCapacity: true)
        users.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        starts.append(0)
        rows.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        gaps.removeAll(keepingCapacity: true)
        idle.removeAll(keepingCapacity: true)
    }

    /// Puts another batch's examples behind these.
    mutating func appendExamples(of other: TrainingBatch) {
        let before = rows.count
        targets += other.targets
        events += other.events
        weights += other.weights
        targetCorrections += other.targetCorrections
        users += other.users
        for start in other.starts.dropFirst() { starts.append(before + start) }
        rows += other.rows
        types += other.types
        gaps += other.gaps
        idle += other.idle
    }
}
