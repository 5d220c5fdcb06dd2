import Tensors

/// Softmax cross-entropy of users against candidate items, tile by tile: scores of one tile of users at a time exist.
///
/// With the whole catalogue as candidates this is the exact loss. With sampled candidates, each stands for
/// count / expected count items: its score gets ln(count) − ln(expected count) added (the log q correction of Bengio and Senécal 2008, in the
/// mixed form of Yang et al. 2020), which makes the sum of exponentials an unbiased estimate of the one over the catalogue. The user's target is
/// always there and stands for itself, so it gets no correction, and its draws by others do not count again.
struct SoftmaxLoss {
    let dimension: Int
    /// Candidates are the first rows of the item vectors.
    let candidates: Int
    /// Added to the scores of sampled candidates; nil for the whole catalogue.
    let corrections: UnsafePointer<Float>?

    /// Floats of one tile of scores: 1 MiB, so that the passes over it stay in cache.
    static let tileLimitFloats = 262_144

    /// Users of one tile for a number of candidates.
    static func tileUsers(candidates: Int) -> Int {
        max(8, min(128, tileLimitFloats / max(1, candidates)))
    }

    /// The loss of `count` users and the gradients of user and item vectors.
    ///
    /// - Parameters:
    ///   - users: `[count, d]`; items: `[candidates…, d]`.
    ///   - targets: the target's candidate row of each user.
    ///   - weights: what each user's loss counts; the result is the weighted sum.
    ///   - masked: candidate rows to leave out for user i, called with a body to call for each row; the target stays.
    ///   - scores: `[count, candidates]`, scratch.
    ///   - userGradient: `[count, d]`, overwritten; itemGradient: added to.
    func run(
        count: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        weights: UnsafePointer<Float>, masked: ((Int, (Int32) -> Void) -> Void)?, scores: UnsafeMutablePointer<Float>,
        userGradient: UnsafeMutablePointer<Float>, itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        let d = dimension, c = candidates
        Kernels.multiply(
            rows: count, columns: c, inner: d, users, stride: d, transposed: false, items, stride: d, transposed: true, into: scores, stride: c,
            threads: 1)
        var total = 0.0
        for i in 0..<count {
            let row = scores + i * c, target = Int(targets[i])
            let own = row[target]
            if let corrections { Kernels.apply(.add, row, corrections, into: row, count: c) }
            masked?(i) { if $0 < c { row[Int($0)] = -.infinity } }
            row[target] = own
            let logSum = Kernels.softmax(row, into: row, count: c)
            total += Double(weights[i]) * Double(logSum - own)
            row[target] -= 1
            Kernels.scale(weights[i], row, into: row, count: c)
        }
        Kernels.multiply(
            rows: count, columns: d, inner: c, scores, stride: c, items, stride: d, into: userGradient, stride: d, threads: 1)
        Kernels.multiply(
            rows: c, columns: d, inner: count, scores, stride: c, transposed: true, users, stride: d, beta: 1,
            into: itemGradient, stride: d, threads: 1)
        return total
    }
}

/// Corrections for sampled candidates.
///
/// - Parameters:
///   - counts: how often each candidate was drawn, by the other examples of the batch and uniformly together; at least 1.
///   - shares: each candidate's share of all examples.
///   - otherExamples: examples of the batch beside the user's own.
///   - uniform: uniform draws from `catalogue` items.
/// - Returns: ln(count) − ln(otherExamples · share + uniform / catalogue) for each candidate.
public func logQCorrections(counts: [Int], shares: [Float], otherExamples: Int, uniform: Int, catalogue: Int) -> [Float] {
    precondition(counts.count == shares.count, "one share per count: \(shares.count) shares, \(counts.count) counts")
    return zip(counts, shares).map { count, share in
        let expected = Float(otherExamples) * share + Float(uniform) / Float(max(1, catalogue))
        return Kernels.log(Float(max(1, count))) - Kernels.log(max(expected, 1e-12))
    }
}
