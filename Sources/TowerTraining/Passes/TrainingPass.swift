import Tensors

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

/// What a batch came to.
struct BatchResult {
    /// Examples of the batch, of all ranks.
    var examples: Int
    /// Weighted mean loss over them; this rank's share of it.
    var loss: Double
}

/// The gradient of the mean loss of a step's examples.
struct StepGradients {
    /// Of the dense block.
    var dense: FloatBuffer
    /// Item row of each place below, and whether all items in their order are there.
    var items: [Int32]
    var coversCatalogue: Bool
    /// Of the id rows `[items, d]`, where ``usesID`` says that they took part.
    var ids: FloatBuffer
    var usesID: [Bool]
    /// Of the content inputs `[items, d]`.
    var content: FloatBuffer
    /// User row of each row below, −1 for none.
    var users: [Int32]
    /// Of the attribute sums `[users, d]`.
    var attributes: FloatBuffer
}

/// Squared lengths of a step's gradients before they were brought together; nil where they are those of the rows at hand.
struct GradientSquares {
    var ids: Float?
    /// Of the attribute gradients before they were added up by token.
    var attributes: Float?
}

/// Sums the gradients of several batches, as though they had been one: each counts by its examples.
final class GradientAccumulator {
    private let d: Int
    private var dense, ids, content, attributes: FloatBuffer
    private var items: [Int32] = [], usesID: [Bool] = [], users: [Int32] = []
    private var places: [Int32: Int] = [:]
    private var coversCatalogue = false
    private var examples = 0

    init(dimension: Int) {
        d = dimension
        (dense, ids, content, attributes) = (FloatBuffer(0), FloatBuffer(0), FloatBuffer(0), FloatBuffer(0))
    }

    /// Examples added since the start or the last ``finish()``.
    var count: Int { examples }

    /// Adds a batch's gradient of its mean loss.
    func add(_ gradients: StepGradients, examples new: Int) {
        let weight = Float(new)
        if examples == 0 {
            dense = dense.count == gradients.dense.count ? dense : FloatBuffer(gradients.dense.count)
            dense.zero()
            items.removeAll(keepingCapacity: true)
            usesID.removeAll(keepingCapacity: true)
            users.removeAll(keepingCapacity: true)
            places.removeAll(keepingCapacity: true)
        }
        examples += new
        coversCatalogue = gradients.coversCatalogue
        Kernels.axpy(weight, gradients.dense.start, into: dense.start, count: dense.count)
        let room = (items.count + gradients.items.count) * d
        keep(&ids, used: items.count * d, needed: room)
        keep(&content, used: items.count * d, needed: room)
        for (from, item) in gradients.items.enumerated() {
            let place = self.place(of: item, at: from)
            if gradients.usesID[from] {
                usesID[place] = true
                Kernels.axpy(weight, gradients.ids.start + from * d, into: ids.start + place * d, count: d)
            }
            Kernels.axpy(weight, gradients.content.start + from * d, into: content.start + place * d, count: d)
        }
        let first = users.count * d
        users += gradients.users
        keep(&attributes, used: first, needed: users.count * d)
        Kernels.scale(weight, gradients.attributes.start, into: attributes.start + first, count: gradients.users.count * d)
    }

    /// The gradient of the mean over all examples added; the next ``add(_:examples:)`` starts anew.
    func finish() -> StepGradients {
        let share = 1 / Float(max(1, examples))
        Kernels.scale(share, dense.start, into: dense.start, count: dense.count)
        Kernels.scale(share, ids.start, into: ids.start, count: items.count * d)
        Kernels.scale(share, content.start, into: content.start, count: items.count * d)
        Kernels.scale(share, attributes.start, into: attributes.start, count: users.count * d)
        examples = 0
        return StepGradients(
            dense: dense, items: items, coversCatalogue: coversCatalogue, ids: ids, usesID: usesID, content: content, users: users,
            attributes: attributes)
    }

    private func place(of item: Int32, at index: Int) -> Int {
        if coversCatalogue, index < items.count { return index }
        if let place = places[item], !coversCatalogue { return place }
        let place = items.count
        items.append(item)
        usesID.append(false)
        if !coversCatalogue { places[item] = place }
        (ids.start + place * d).update(repeating: 0, count: d)
        (content.start + place * d).update(repeating: 0, count: d)
        return place
    }

    /// Makes room and keeps what is there.
    private func keep(_ buffer: inout FloatBuffer, used: Int, needed: Int) {
        guard buffer.count < needed else { return }
        let larger = FloatBuffer(2 * needed)
        let old = buffer
        // The address alone does not keep the old buffer alive.
        withExtendedLifetime(old) { larger.start.update(from: old.start, count: used) }
        buffer = larger
    }
}

/// Replaces a buffer by a larger one where it has too little room; what it held is lost then.
func grow(_ buffer: inout FloatBuffer, to count: Int) {
    if buffer.count < count { buffer = FloatBuffer(count + count / 8) }
}
