import Tensors
import TowerModel

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
