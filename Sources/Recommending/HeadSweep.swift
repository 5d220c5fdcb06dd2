/// Heads fitted under several weightings of their losses, judged on the users that each did not learn from.
///
/// Every loss has its own judge, so there is no best weighting, only a front: those that no other beats in one loss without losing in
/// another. Of the front ``picked`` is the compromise: the smallest of the largest excess over the best, each loss measured in its
/// standard errors.
public struct HeadSweep: Sendable {
    /// Weightings that a sweep tries: by uncertainty, alike, and each loss alone or with another counting four times as much.
    public static let weightings: [HeadBalance] = [
        .uncertainty, .fixed([1, 1, 1]), .fixed([4, 1, 1]), .fixed([1, 4, 1]), .fixed([1, 1, 4]), .fixed([4, 4, 1]), .fixed([1, 4, 4]),
    ]

    /// One weighting.
    public struct Point: Sendable {
        /// How the goals share the trunk.
        public var balance: HeadBalance
        /// The heads for examples of group 0 and 1, fitted on the other group.
        public var halves: [HeadNetwork]
        /// What the losses counted in the end, the mean of both halves.
        public var weights: [Float]
        /// Mean losses of ``HeadLoss/names`` on examples that were not learned from: click and conversion over all, value over purchases.
        public var losses: [Double]
        /// Whether no other point is at least as good in all losses and better in one.
        public var isOnFront = false
    }

    /// In the order of the weightings.
    public let points: [Point]
    /// The place of the point to use.
    public let picked: Int

    /// Fits and judges; with one weighting there is nothing to choose.
    ///
    /// - Parameters:
    ///   - examples: of groups 0 and 1.
    ///   - balances: at least one.
    public init(_ examples: HeadExamples, balances: [HeadBalance], seed: UInt64 = 1) {
        precondition(!balances.isEmpty, "a sweep of no weighting")
        var points: [Point] = []
        var scales = [Double](repeating: 0, count: HeadLoss.names.count)
        for balance in balances {
            let fits = [0, 1].map { half in HeadFit(balance: balance, seed: seed).network(for: examples) { examples.groups[$0] != half } }
            let judged = Self.judge(examples, halves: fits.map(\.network))
            // One scale for all points: that of the first.
            if points.isEmpty { scales = judged.errors }
            points.append(
                Point(
                    balance: balance, halves: fits.map(\.network), weights: zip(fits[0].weights, fits[1].weights).map { ($0 + $1) / 2 },
                    losses: judged.means))
        }
        Self.markFront(&points)
        picked = Self.compromise(points.map(\.losses), scales: scales)
        self.points = points
    }

    /// The place with the smallest of the largest excess over the best of each loss, in `scales`; a scale of 0 leaves its loss out. Of
    /// equal places the first. It lies on the front, or is as good as a place that does.
    public static func compromise(_ losses: [[Double]], scales: [Double]) -> Int {
        let best = scales.indices.map { loss in losses.map { $0[loss] }.min() ?? 0 }
        func largest(_ place: Int) -> Double {
            scales.indices.map { scales[$0] > 0 ? (losses[place][$0] - best[$0]) / scales[$0] : 0 }.max() ?? 0
        }
        func sum(_ place: Int) -> Double {
            scales.indices.reduce(0) { $0 + (scales[$1] > 0 ? (losses[place][$1] - best[$1]) / scales[$1] : 0) }
        }
        // Where the largest are equal the rest decides, or a place could win that another beats.
        return losses.indices.min { (largest($0), sum($0), $0) < (largest($1), sum($1), $1) } ?? 0
    }

    private static func markFront(_ points: inout [Point]) {
        for place in points.indices {
            let own = points[place].losses
            points[place].isOnFront = !points.contains { other in
                zip(other.losses, own).allSatisfy { $0 <= $1 } && zip(other.losses, own).contains { $0 < $1 }
            }
        }
    }

    /// Means of each loss, weighted as examples are, and their standard errors over examples.
    private static func judge(_ examples: HeadExamples, halves: [HeadNetwork]) -> (means: [Double], errors: [Double]) {
        let outputs = halves.map { network in examples.features.withUnsafeBufferPointer { network.outputs($0) } }
        var sums = [Double](repeating: 0, count: HeadLoss.names.count), squares = sums, weights = sums
        for (index, example) in examples.examples.enumerated() where example.weight > 0 {
            let losses = HeadLoss().evaluate(outputs[examples.groups[index]][index], example).losses
            for place in sums.indices where place < 2 || (example.isBought && example.value > 0) {
                let loss = Double(losses[place] / example.weight), weight = Double(example.weight)
                sums[place] += weight * loss
                squares[place] += weight * loss * loss
                weights[place] += weight
            }
        }
        let means = zip(sums, weights).map { $1 > 0 ? $0 / $1 : 0 }
        let errors = sums.indices.map { place in
            weights[place] > 0 ? (max(0, squares[place] / weights[place] - means[place] * means[place]) / weights[place]).squareRoot() : 0
        }
        return (means, errors)
    }
}
