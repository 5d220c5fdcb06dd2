import Tensors

/// Softmax cross-entropy of users against candidate items, tile by tile: scores of one tile of users at a time exist.
///
/// With the whole catalogue as candidates this is the exact loss. With sampled candidates, each stands for
/// count / expected count items: its score gets ln(count) − ln(expected count) added (the log q correction of Bengio and Senécal 2008, in
/// the mixed form of Yang et al. 2020), which makes the sum of exponentials an unbiased estimate of the one over the catalogue. The user's
/// target is always there and stands for itself, so it gets no correction, and its draws by others do not count again. A logit adjustment
/// (Menon et al. 2021) is part of the corrections, and of the target's own.
struct SoftmaxLoss {
    let dimension: Int
    /// Candidates are the first rows of the item vectors.
    let candidates: Int
    /// Added to the scores of candidates as others' answers; nil for none.
    let corrections: UnsafePointer<Float>?

    /// What the products are computed in.
    var precision: ProductPrecision = .float32

    /// Floats of one tile of scores: 4 MiB. Tiles are worked on in blocks of candidates that stay in cache; many users a tile keep the
    /// passes over the item vectors and their gradient few.
    static let tileLimitFloats = 1_048_576

    /// Users of one tile for a number of candidates.
    static func tileUsers(candidates: Int) -> Int {
        max(16, min(128, tileLimitFloats / max(1, candidates)))
    }

    /// The loss of `count` users and the gradients of user and item vectors; see ``Tensors/CatalogueSoftmax``.
    ///
    /// - Parameters:
    ///   - users: `[count, d]`; items: `[candidates…, d]`.
    ///   - targets: the target's candidate row of each user.
    ///   - targetCorrections: added to the score of each user's target; nil for none.
    ///   - weights: what each user's loss counts; the result is the weighted sum.
    ///   - masked: candidate rows to leave out for user i, called with a body to call for each row; the target stays.
    ///   - scores: `[count, candidates]`, scratch.
    ///   - userGradient: `[count, d]`, overwritten; itemGradient: added to.
    func run(
        count: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        targetCorrections: UnsafePointer<Float>?, weights: UnsafePointer<Float>, masked: ((Int, (Int32) -> Void) -> Void)?,
        scores: UnsafeMutablePointer<Float>, userGradient: UnsafeMutablePointer<Float>, itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        CatalogueSoftmax(dimension: dimension, candidates: candidates, precision: precision).run(
            count: count, users: users, items: items, targets: targets, weights: weights, corrections: corrections,
            targetCorrections: targetCorrections, masked: masked, scores: scores, userGradient: userGradient, itemGradient: itemGradient)
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
