import Tensors
import TowerModel

/// What an adapter is fitted on: users of one domain as the base sees them, each before an interaction, oldest first.
public struct DomainExamples: Sendable {
    /// `[targets.count, d]`, the base's vectors.
    public var users: [Float] = []
    /// What each took: rows of the candidates.
    public var targets: [Int32] = []

    /// None.
    public init() {}
}

/// Fits the adapter of one domain over a frozen base: softmax cross-entropy of the adapted user vectors over fixed candidates. Begins with
/// no change (R drawn, all else zero), and keeps what is best on the newest examples, which it does not learn from.
///
/// The same examples and seed give the same adapter, whatever the threads.
public struct DomainFit: Sendable {
    /// r of ``DomainAdapters``.
    public var rank = 4
    /// Decides how R is drawn, and the order of examples.
    public var seed: UInt64 = 1
    /// Threads of a fit; they change no bit.
    public var threads = 1
    /// Passes at most; passes without a better validation after which it ends.
    public var epochs = 12, patience = 2
    /// Examples of a step.
    public var batchExamples = 256
    /// The steps.
    public var rule = AdamRule(learningRate: 0.01, beta2: 0.99, weightDecay: 0.05)
    /// The newest share of the examples, which choose the pass that is kept.
    public static let validationShare = 0.1
    /// Users that go through the loss together.
    private static let tileUsers = 64

    /// What a fit came to.
    public struct Result: Sendable {
        /// An adapter's values; nil where none was better than no change.
        public var values: [Float]?
        /// Mean loss on the newest examples: without a change, and with the adapter.
        public var lossBefore, lossAfter: Double
    }

    /// With the rule's own numbers.
    public init() {}

    /// Candidate rows that a user's question leaves out, called with the example's number and a body to call for each row.
    public typealias LeftOut = (Int, (Int32) -> Void) -> Void

    /// Fits.
    ///
    /// - Parameter items: `[candidates, d]`.
    public func run(_ examples: DomainExamples, items: Matrix, leavingOut leftOut: LeftOut? = nil) -> Result {
        let count = examples.targets.count, held = max(1, Int(Double(count) * Self.validationShare)), learned = count - held
        guard learned > 0, items.rows > 1 else { return Result(values: nil, lossBefore: 0, lossAfter: 0) }
        let width = DomainAdapters.width(dimension: items.columns, rank: rank)
        let values = FloatBuffer(first(dimension: items.columns)), gradient = FloatBuffer(width),
            moments = [FloatBuffer(width), FloatBuffer(width)]
        let newest = Array(learned..<count)
        func validation() -> Double { loss(values, examples, newest, items: items, leavingOut: leftOut, gradient: nil) }
        let before = validation()
        var best = before, kept: [Float]?, stale = 0, step = 0
        var random = SeededGenerator(seed: seed, stream: 0x646f6d), order = Array(0..<learned)
        for _ in 0..<epochs where stale < patience {
            random.shuffle(&order)
            for batch in tiles(of: 0..<learned, limit: batchExamples) {
                _ = loss(values, examples, Array(order[batch]), items: items, leavingOut: leftOut, gradient: gradient)
                step += 1
                Kernels.adamStep(
                    values.start, first: moments[0].start, second: moments[1].start, gradient: gradient.start, count: width, rule: rule,
                    step: step)
            }
            let now = validation()
            if now < best {
                (best, kept, stale) = (now, values.values, 0)
            } else {
                stale += 1
            }
        }
        return Result(values: kept, lossBefore: before, lossAfter: best)
    }

    /// The mean loss of examples under an adapter and its gradient, for checks of the derivatives.
    public func lossAndGradient(
        _ values: [Float], _ examples: DomainExamples, items: Matrix, leavingOut leftOut: LeftOut? = nil
    ) -> (loss: Double, gradient: [Float]) {
        let gradient = FloatBuffer(values.count)
        let loss = loss(
            FloatBuffer(values), examples, Array(examples.targets.indices), items: items, leavingOut: leftOut, gradient: gradient)
        return (loss, gradient.values)
    }

    /// No change: s, b and L are zero, R is drawn.
    private func first(dimension d: Int) -> [Float] {
        var random = SeededGenerator(seed: seed, stream: 0x72_6967_6874)
        let deviation = 1 / Float(d).squareRoot()
        return [Float](repeating: 0, count: d * (2 + rank)) + (0..<d * rank).map { _ in deviation * random.normal() }
    }

    private func loss(
        _ values: FloatBuffer, _ examples: DomainExamples, _ places: [Int], items: Matrix, leavingOut leftOut: LeftOut?,
        gradient: FloatBuffer?
    ) -> Double {
        let d = items.columns, n = places.count, map = DomainMap(dimension: d, rank: rank)
        let users = FloatBuffer(n * d), inner = FloatBuffer(n * rank), adapted = FloatBuffer(n * d), outer = FloatBuffer(n * d)
        let targets = places.map { examples.targets[$0] }, weights = [Float](repeating: 1 / Float(n), count: n)
        examples.users.withUnsafeBufferPointer { all in
            guard let all = all.baseAddress else { return }
            for (row, place) in places.enumerated() { (users.start + row * d).update(from: all + place * d, count: d) }
        }
        map.forward(count: n, adapter: values.start, users: users.start, inner: inner.start, into: adapted.start)
        // Tiles of fixed size, so that threads change no bit.
        let tiles = tiles(of: 0..<n, limit: Self.tileUsers), softmax = CatalogueSoftmax(dimension: d, candidates: items.rows)
        var losses = [Double](repeating: 0, count: tiles.count)
        losses.withUnsafeMutableBufferPointer { losses in
            targets.withUnsafeBufferPointer { targets in
                weights.withUnsafeBufferPointer { weights in
                    items.withUnsafePointer { items_ in
                        guard let targets = targets.baseAddress, let weights = weights.baseAddress else { return }
                        parallelFor(count: tiles.count, threads: threads) { range, _ in
                            let scores = FloatBuffer(Self.tileUsers * items.rows), unused = FloatBuffer(items.rows * d)
                            for index in range {
                                let tile = tiles[index], first = tile.lowerBound
                                var masked: LeftOut?
                                if let leftOut { masked = { user, body in leftOut(places[first + user], body) } }
                                losses[index] = softmax.run(
                                    count: tile.count, users: adapted.start + first * d, items: items_, targets: targets + first,
                                    weights: weights + first, masked: masked, scores: scores.start, userGradient: outer.start + first * d,
                                    itemGradient: unused.start)
                            }
                        }
                    }
                }
            }
        }
        if let gradient {
            let scratch = FloatBuffer(n * rank)
            map.backward(
                count: n, adapter: values.start, users: users.start, inner: inner.start, outer: outer.start, scratch: scratch.start,
                gradient: gradient.start)
        }
        return losses.reduce(0, +)
    }
}
