import Tensors
import TowerModel

/// Bytes that a rank has handed to others for its gradients, without what the network adds.
public struct GradientTraffic: Sendable, Equatable {
    /// Of the dense layers and, under the full loss, of the items' gradients, which then are dense too.
    public var dense = 0
    /// Of table rows that a step used, with their numbers.
    public var sparse = 0
    /// Of the rows of sharded tables that a batch read, with the numbers of those asked for.
    public var fetched = 0
    /// Steps so far.
    public var steps = 0
}

/// Makes one step's gradient out of those of all ranks, each of which has run its share of the batch.
///
/// Every rank's loss is its examples' share of the mean over the whole batch, so gradients are summed. Dense layers are summed where they
/// lie; of tables travel the rows that a rank used, with their numbers, and are added in the order of the ranks. Every rank gets the same
/// bits, so parameters stay equal without being sent. Where tables are sharded, the gradient of a row goes to the rank that holds it, and
/// that of an item's content to all, since its tokens lie everywhere; the same floats are added in the same order.
final class GradientExchange {
    /// A step of all ranks.
    struct Merged {
        var gradients: StepGradients
        /// Places in `gradients.attributes` by row of the user token table.
        var userTokens: TokenTranspose
        var squares: GradientSquares
        var loss: Double
    }

    private let ranks: any RankGroup
    private let shape: TowerShape
    private let shard: RowShard
    private let wire: GradientWire
    private(set) var traffic = GradientTraffic()

    private var locals: LocalRows
    private var gathered = FloatBuffer(0), gatheredContent = FloatBuffer(0), ids = FloatBuffer(0), content = FloatBuffer(0)
    private var rows = FloatBuffer(0), sorted = FloatBuffer(0), attributes = FloatBuffer(0)

    init(_ ranks: any RankGroup, shape: TowerShape, shard: RowShard, compression: GradientCompression) {
        self.ranks = ranks
        self.shape = shape
        self.shard = shard
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
        var merged = own, idSquare: Float?
        if !own.coversCatalogue { idSquare = try mergeItems(own, counts: all(0).map { Int($0) }, into: &merged) }
        let tokens = try mergeUsers(own, users, counts: all(1).map { Int($0) })
        merged.users = []
        merged.attributes = attributes
        traffic.sparse += wire.sentBytes - afterDense
        traffic.steps += 1
        return Merged(
            gradients: merged, userTokens: tokens, squares: GradientSquares(ids: idSquare, attributes: Float(all(3).reduce(0, +))),
            loss: all(2).reduce(0, +))
    }

    /// Item rows: a row's number, complemented where its id took no part, and its gradients. Returns the squared length of the ids'.
    private func mergeItems(_ own: StepGradients, counts: [Int], into merged: inout StepGradients) throws(RankError) -> Float {
        let d = shape.dimension, hasContent = shape.tokenRows > 0
        let numbers = try wire.gather(zip(own.items, own.usesID).map { $1 ? $0 : ~$0 }, counts: counts)
        func item(_ number: Int32) -> Int32 { number < 0 ? ~number : number }
        try bring(own.ids.start, rows: own.items, all: numbers.map(item), counts: counts, into: &gathered)
        if hasContent { try wire.gather(own.content.start, counts: counts.map { $0 * d }, into: &gatheredContent) }
        locals.clear()
        let places = numbers.map { Int(locals.row(of: item($0))) }
        let count = locals.items.count
        grow(&ids, to: count * d)
        grow(&content, to: count * d)
        ids.start.update(repeating: 0, count: count * d)
        content.start.update(repeating: 0, count: count * d)
        var usesID = [Bool](repeating: false, count: count), next = gathered.start
        for (index, place) in places.enumerated() {
            if shard.owns(locals.items[place]) {
                if numbers[index] >= 0 { usesID[place] = true }
                // Also where the id took no part: it counts in the length of the gradient.
                Kernels.axpy(1, next, into: ids.start + place * d, count: d)
                next += d
            }
            if hasContent { Kernels.axpy(1, gatheredContent.start + index * d, into: content.start + place * d, count: d) }
        }
        merged.items = locals.items
        merged.usesID = usesID
        merged.ids = ids
        merged.content = content
        return try idSquare(count)
    }

    /// The squared length of the items' id gradients: a sum for each rank's share of the rows, then over the ranks, so that it is the same
    /// number wherever the rows lie.
    private func idSquare(_ count: Int) throws(RankError) -> Float {
        let d = shape.dimension, shares = RowShard(rank: ranks.rank, size: ranks.size)
        var squares = [Double](repeating: 0, count: ranks.size)
        for place in 0..<count where shard.owns(locals.items[place]) {
            let row = ids.start + place * d
            squares[shares.owner(of: locals.items[place])] += Double(Kernels.dot(row, row, count: d))
        }
        if !shard.isWhole { squares = try wire.gather([squares[ranks.rank]], counts: [Int](repeating: 1, count: ranks.size)) }
        return Float(squares.reduce(0, +))
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
        let all = try wire.gather(users.buckets, counts: counts)
        try bring(rows.start, rows: users.buckets, all: all, counts: counts, into: &attributes)
        let buckets = shard.isWhole ? all : all.filter(shard.owns)
        return TokenTranspose(
            buckets.indices.map { Int32($0) }, bucketCount: shape.userRows, range: { Int($0)..<Int($0) + 1 }, buckets: buckets,
            weight: { _ in 1 })
    }

    /// Brings gradients of table rows to whom they concern, in the order of the ranks: to every rank where tables are whole, else to the
    /// rank that holds the row.
    ///
    /// - Parameters:
    ///   - gradients: of this rank, d floats for each of `rows`.
    ///   - all: the rows of all ranks in their order, `counts[r]` of rank r.
    private func bring(
        _ gradients: UnsafePointer<Float>, rows own: [Int32], all: [Int32], counts: [Int], into target: inout FloatBuffer
    ) throws(RankError) {
        let d = shape.dimension
        guard !shard.isWhole else { return try wire.gather(gradients, counts: counts.map { $0 * d }, into: &target) }
        var sent = [Int](repeating: 0, count: ranks.size), received = sent, first = 0
        grow(&sorted, to: own.count * d)
        var next = sorted.start
        for rank in 0..<ranks.size {
            for (place, row) in own.enumerated() where shard.owner(of: row) == rank {
                next.update(from: gradients + place * d, count: d)
                next += d
                sent[rank] += d
            }
            received[rank] = all[first..<first + counts[rank]].count(where: shard.owns) * d
            first += counts[rank]
        }
        try wire.exchange(sorted.start, counts: sent, receiving: received, into: &target)
    }
}
