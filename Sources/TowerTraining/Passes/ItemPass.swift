import Bytes
import Tensors
import TowerModel

/// The item tower's share of a step: vectors of the batch's items on the way forth, and on the way back from their gradient to that of
/// what they were made of. Work is split as ``TowerStep`` says.
final class ItemPass {
    let parameters: TowerParameters
    let content: ContentTable
    private let configuration: TowerConfiguration
    private let threads: Int
    private let d: Int

    /// Vectors of the batch's items `[items, d]` and their gradient, which is that of the id rows where those took part.
    private(set) var vectors = FloatBuffer(0)
    private(set) var vectorGradient = FloatBuffer(0)
    /// Gradient of the content inputs x `[items, d]`: that of a token row is the weighted sum over the items that have it.
    private(set) var contentGradient = FloatBuffer(0)
    /// Whether the id row of each of the batch's items took part.
    private(set) var usesID: [Bool] = []
    /// Each part's gradient of the item vectors, added by ``backward(_:parts:dense:)``.
    private(set) var partVectors: [FloatBuffer] = []

    private var inputs = FloatBuffer(0), hidden = FloatBuffer(0), scratch = FloatBuffer(0), lengths = FloatBuffer(0)

    init(_ parameters: TowerParameters, content: ContentTable, configuration: TowerConfiguration) {
        self.parameters = parameters
        self.content = content
        self.configuration = configuration
        threads = configuration.threads
        d = parameters.shape.dimension
    }

    /// Makes the vectors of `items`; `key` decides which ids are left out, a share `rate` of them.
    func forward(_ items: [Int32], key: UInt64, rate: Float) {
        let h = parameters.shape.contentHidden, n = items.count
        grow(&vectors, to: n * d)
        grow(&vectorGradient, to: n * d)
        grow(&inputs, to: n * d)
        grow(&contentGradient, to: n * d)
        grow(&hidden, to: n * h)
        grow(&scratch, to: n * h)
        grow(&lengths, to: n)
        while partVectors.count < threads { partVectors.append(FloatBuffer(0)) }
        for index in 0..<threads { grow(&partVectors[index], to: n * d) }
        chooseIDs(items, key: key, rate: rate)
        encode(items)
    }

    private func chooseIDs(_ items: [Int32], key: UInt64, rate: Float) {
        guard rate > 0 else {
            usesID = [Bool](repeating: true, count: items.count)
            return
        }
        usesID.removeAll(keepingCapacity: true)
        let threshold = UInt64(rate * 16_777_216)
        for item in items {
            let draw = SplitMix64Mixing.mixed(key ^ (UInt64(item) &* 0xd6e8_feb8_6659_fd93)) >> 40
            usesID.append(draw >= threshold || content.isEmpty[Int(item)])
        }
    }

    private func encode(_ items: [Int32]) {
        let ids = parameters.rows(.itemIDs), tower = self.tower, isUnit = configuration.items.unitLength
        // Values of their own: each access to a variable of the object is checked.
        let (inputs, hidden, vectors, lengths, usesID) = (inputs.start, hidden.start, vectors.start, lengths.start, usesID)
        // Without content a vector is its id row.
        let areIDs = parameters.shape.tokenRows == 0 && ids.slots == nil
        items.withUnsafeBufferPointer { rows in
            parallelFor(count: items.count, threads: threads, minimumChunk: 64) { range, _ in
                for tile in tiles(of: range, limit: ItemTower.tileLimitItems) {
                    let first = vectors + tile.lowerBound * d
                    if areIDs, let indices = rows.baseAddress {
                        Kernels.gatherRows(
                            ids.start, stride: d, indices: indices + tile.lowerBound, rows: tile.count, columns: d, into: first, stride: d)
                    } else {
                        for place in tile where usesID[place] { Kernels.prefetch(ids[rows[place]], bytes: 4 * d) }
                        tower.forward(
                            rows, range: tile, content: content, inputs: inputs, hidden: hidden, vectors: vectors)
                        for place in tile where usesID[place] {
                            Kernels.apply(.add, vectors + place * d, ids[rows[place]], into: vectors + place * d, count: d)
                        }
                    }
                    guard isUnit else { continue }
                    Kernels.unitRows(
                        rows: tile.count, columns: d - 1, first, stride: d, epsilon: 1e-6, inverses: lengths + tile.lowerBound)
                }
            }
        }
    }

    /// The way back from the first `parts` of ``partVectors``; adds to the dense gradient of each part.
    func backward(_ items: [Int32], parts: Int, dense: [FloatBuffer]) {
        reduce(items.count, parts: parts)
        guard parameters.shape.tokenRows > 0 else { return }
        let tower = self.tower
        items.withUnsafeBufferPointer { rows in
            parallelFor(count: items.count, threads: threads, minimumChunk: 64) { range, slot in
                for tile in tiles(of: range, limit: ItemTower.tileLimitItems) {
                    // Items without content took no part in the content half.
                    for place in tile {
                        let target = contentGradient.start + place * d
                        if content.isEmpty[Int(rows[place])] {
                            target.update(repeating: 0, count: d)
                        } else {
                            target.update(from: vectorGradient.start + place * d, count: d)
                        }
                    }
                    tower.backward(
                        rows, range: tile, content: content, inputs: inputs.start, hidden: hidden.start,
                        outer: contentGradient.start, inner: contentGradient.start, scratch: scratch.start,
                        gradient: dense[slot].start)
                }
            }
        }
    }

    /// Adds the parts' item gradients in order.
    private func reduce(_ items: Int, parts: Int) {
        let (vectors, gradient, lengths, partVectors) = (vectors.start, vectorGradient.start, lengths.start, partVectors)
        parallelFor(count: items, threads: threads, minimumChunk: 256) { range, _ in
            // Few enough at a time to stay in the first cache.
            for tile in tiles(of: range, limit: 64) {
                let from = tile.lowerBound * d, count = tile.count * d
                (gradient + from).update(from: partVectors[0].start + from, count: count)
                for part in 1..<max(1, parts) { Kernels.axpy(1, partVectors[part].start + from, into: gradient + from, count: count) }
                guard configuration.items.unitLength else { continue }
                Kernels.unitRowsBackward(
                    rows: tile.count, columns: d - 1, vectors + from, stride: d, inverses: lengths + tile.lowerBound,
                    gradient: gradient + from, stride: d)
            }
        }
    }

    private var tower: ItemTower {
        ItemTower(layout: parameters.layout, dense: parameters.dense.start, tokens: parameters.rows(.contentTokens))
    }
}
