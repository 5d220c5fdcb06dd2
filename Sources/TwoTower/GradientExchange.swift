import Tensors

/// Bytes that a rank has handed to others for its gradients, without what the network adds.
public struct GradientTraffic: Sendable, Equatable {
    /// Of the dense layers and, under the full loss, of the items' gradients, which then are dense too.
    public var dense = 0
    /// Of table rows that a step used, with their numbers.
    public var sparse = 0
    /// Steps so far.
    public var steps = 0
}

/// Makes one step's gradient out of those of all ranks, each of which has run its share of the batch.
///
/// Every rank's loss is its examples' share of the mean over the whole batch, so gradients are summed. Dense layers are summed where they
/// lie; of tables travel the rows that a rank used, with their numbers, and are added in the order of the ranks. Every rank gets the same
/// bits, so parameters stay equal without being sent.
final class GradientExchange {
    /// A step of all ranks.
    struct Merged {
        var gradients: StepGradients
        /// Places in `gradients.attributes` by row of the user token table.
        var userTokens: TokenTranspose
        /// Sum of the squares of the attribute gradients before they were added up by token.
        var attributeSquare: Float
        var loss: Double
    }

    private let ranks: any RankGroup
    private let shape: TowerShape
    private let wire: GradientWire
    private(set) var traffic = GradientTraffic()

    private var locals: LocalRows
    private var gathered = FloatBuffer(0), ids = FloatBuffer(0), content = FloatBuffer(0), rows = FloatBuffer(0), attributes = FloatBuffer(0)

    init(_ ranks: any RankGroup, shape: TowerShape, compression: GradientCompression) {
        self.ranks = ranks
        self.shape = shape
        wire = GradientWire(ranks, compression: compression)
        locals = LocalRows(itemCount: shape.itemCount)
    }

    /// The step of all ranks.
    ///
    /// - Parameters:
    ///   - own: of this rank; its dense gradient, and under the full loss that of the items, is overwritten by the sum.
    ///   - users: the user tokens of `own` turned round.
    ///   - loss: this rank's share of the mean loss.
    func merge(_ own: StepGradients, users: TokenTranspose, loss: Double) throws(RankError) -> Merged {
        let d = shape.dimension
        let square = Kernels.dot(own.attributes.start, own.attributes.start, count: own.users.count * d)
        let sparseItems = own.coversCatalogue ? 0 : own.items.count
        // One small message tells what follows.
        let facts = try wire.gather(
            [Double(sparseItems), Double(users.buckets.count), loss, Double(square)], counts: [Int](repeating: 4, count: ranks.size))
        func all(_ index: Int) -> [Double] { (0..<ranks.size).map { facts[4 * $0 + index] } }
        let before = wire.sentBytes
        var dense = [(start: own.dense.start, count: own.dense.count)]
        if own.coversCatalogue {
            dense.append((own.ids.start, own.items.count * d))
            if shape.tokenRows > 0 { dense.append((own.content.start, own.items.count * d)) }
        }
        try wire.sum(dense)
        traffic.dense += wire.sentBytes - before
        let afterDense = wire.sentBytes
        var merged = own
        if !own.coversCatalogue { try mergeItems(own, counts: all(0).map { Int($0) }, into: &merged) }
        let tokens = try mergeUsers(own, users, counts: all(1).map { Int($0) })
        merged.users = []
        merged.attributes = attributes
        traffic.sparse += wire.sentBytes - afterDense
        traffic.steps += 1
        return Merged(
            gradients: merged, userTokens: tokens, attributeSquare: Float(all(3).reduce(0, +)), loss: all(2).reduce(0, +))
    }

    /// Item rows: a row's number, complemented where its id took no part, and its gradients.
    private func mergeItems(_ own: StepGradients, counts: [Int], into merged: inout StepGradients) throws(RankError) {
        let d = shape.dimension, hasContent = shape.tokenRows > 0, stride = hasContent ? 2 * d : d
        grow(&rows, to: own.items.count * stride)
        for place in own.items.indices {
            let row = rows.start + place * stride
            row.update(from: own.ids.start + place * d, count: d)
            if hasContent { (row + d).update(from: own.content.start + place * d, count: d) }
        }
        let numbers = try wire.gather(zip(own.items, own.usesID).map { $1 ? $0 : ~$0 }, counts: counts)
        try wire.gather(rows.start, counts: counts.map { $0 * stride }, into: &gathered)
        locals.clear()
        let places = numbers.map { Int(locals.row(of: $0 < 0 ? ~$0 : $0)) }
        let count = locals.items.count
        grow(&ids, to: count * d)
        grow(&content, to: count * d)
        ids.start.update(repeating: 0, count: count * d)
        content.start.update(repeating: 0, count: count * d)
        var usesID = [Bool](repeating: false, count: count)
        for (index, place) in places.enumerated() {
            let row = gathered.start + index * stride
            if numbers[index] >= 0 { usesID[place] = true }
            // Also where the id took no part: it counts in the length of the gradient.
            Kernels.axpy(1, row, into: ids.start + place * d, count: d)
            if hasContent { Kernels.axpy(1, row + d, into: content.start + place * d, count: d) }
        }
        merged.items = locals.items
        merged.usesID = usesID
        merged.ids = ids
        merged.content = content
    }

    /// Rows of the user token table; users of one batch share most of their tokens.
    private func mergeUsers(_ own: StepGradients, _ users: TokenTranspose, counts: [Int]) throws(RankError) -> TokenTranspose {
        let d = shape.dimension
        grow(&rows, to: users.buckets.count * d)
        rows.start.update(repeating: 0, count: users.buckets.count * d)
        for index in users.buckets.indices {
            for place in users.starts[index]..<users.starts[index + 1] {
                Kernels.axpy(
                    users.weights[place], own.attributes.start + Int(users.places[place]) * d, into: rows.start + index * d, count: d)
            }
        }
        let buckets = try wire.gather(users.buckets, counts: counts)
        try wire.gather(rows.start, counts: counts.map { $0 * d }, into: &attributes)
        return TokenTranspose(
            buckets.indices.map { Int32($0) }, bucketCount: shape.userRows, range: { Int($0)..<Int($0) + 1 }, buckets: buckets,
            weight: { _ in 1 })
    }
}
