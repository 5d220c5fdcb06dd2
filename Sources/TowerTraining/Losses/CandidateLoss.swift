import Tensors

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Losses of examples against a few drawn candidates and, apart from them, the example's own target.
///
/// As a softmax this is ``SoftmaxLoss`` over the target and the candidates, each candidate corrected for how often it was drawn. As
/// gSASRec's binary cross-entropy (Petrov and Macdonald 2023, equations 9 and 12) the loss is
/// −β ln σ(s⁺) − Σ ln(1 − σ(s⁻)) over 1 + draws, with β = α (t (1 − 1/α) + 1/α) and α the share of the catalogue that is drawn.
struct CandidateLoss {
    /// Weight of the positive under binary cross-entropy; nil for the softmax.
    let positiveWeight: Float?
    let dimension: Int
    /// Candidates are the first rows of the item vectors.
    let candidates: Int
    /// How often each candidate was drawn, and what the softmax adds to its score.
    let draws, corrections: UnsafePointer<Float>
    let precision: ProductPrecision

    /// β for `negatives` draws from `items` items; t is `calibration`.
    static func positiveWeight(negatives: Int, items: Int, calibration t: Float) -> Float {
        let alpha = min(1, Float(negatives) / Float(max(1, items - 1)))
        return alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    }

    /// Floats of scratch for each example.
    var scoreStride: Int { (candidates + 1 + 15) / 16 * 16 }

    /// The loss of `count` users and the gradients of user and item vectors.
    ///
    /// - Parameters:
    ///   - users: `[count, d]`; items: `[rows, d]`.
    ///   - targets: the row of each user's target in `items`.
    ///   - targetCorrections: added to the score of each user's target under the softmax; nil for none.
    ///   - weights: what each user's loss counts; the result is the weighted sum.
    ///   - masked: candidate rows to leave out for user i, called with a body to call for each row.
    ///   - scores: `[count, scoreStride]`, scratch.
    ///   - userGradient: `[count, d]`, overwritten; itemGradient: added to.
    func run(
        count: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        targetCorrections: UnsafePointer<Float>?, weights: UnsafePointer<Float>, masked: ((Int, (Int32) -> Void) -> Void)?,
        scores: UnsafeMutablePointer<Float>, userGradient: UnsafeMutablePointer<Float>, itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        let d = dimension, c = candidates, stride = scoreStride
        Kernels.multiply(
            rows: count, columns: c, inner: d, users, stride: d, transposed: false, items, stride: d, transposed: true, into: scores,
            stride: stride, threads: 1, precision: precision)
        var total = 0.0
        for i in 0..<count {
            let row = scores + i * stride, target = Int(targets[i])
            row[c] = Kernels.dot(users + i * d, items + target * d, count: d) + (targetCorrections?[i] ?? 0)
            // A candidate that is the target would be right and wrong at once.
            if target < c { row[target] = -.infinity }
            masked?(i) { if $0 < c { row[Int($0)] = -.infinity } }
            total += Double(weights[i]) * (positiveWeight.map { binary(row, positive: $0) } ?? softmax(row))
            Kernels.scale(weights[i], row, into: row, count: c + 1)
        }
        Kernels.multiply(
            rows: count, columns: d, inner: c, scores, stride: stride, items, stride: d, into: userGradient, stride: d, threads: 1,
            precision: precision)
        Kernels.multiply(
            rows: c, columns: d, inner: count, scores, stride: stride, transposed: true, users, stride: d, beta: 1,
            into: itemGradient, stride: d, threads: 1, precision: precision)
        for i in 0..<count {
            let slope = scores[i * stride + c], target = Int(targets[i]) * d
            Kernels.axpy(slope, items + target, into: userGradient + i * d, count: d)
            Kernels.axpy(slope, users + i * d, into: itemGradient + target, count: d)
        }
        return total
    }

    /// Turns scores into slopes and returns the loss.
    private func softmax(_ row: UnsafeMutablePointer<Float>) -> Double {
        Kernels.apply(.add, row, corrections, into: row, count: candidates)
        let own = row[candidates]
        let logSum = Kernels.softmax(row, into: row, count: candidates + 1)
        row[candidates] -= 1
        return Double(logSum - own)
    }

    private func binary(_ row: UnsafeMutablePointer<Float>, positive: Float) -> Double {
        let c = candidates, own = row[c], share = 1 / (1 + Kernels.sum(draws, count: c))
        var loss = 0.0
        Kernels.apply(.sigmoid, row, into: row, count: c)
        for j in 0..<c where row[j] > 0 {
            // σ may round to 1; the loss then is that of the nearest number below.
            loss -= Double(draws[j] * log(max(1 - row[j], 6e-8)))
            row[j] *= draws[j] * share
        }
        let missed = 1 / (1 + exp(own))
        loss += Double(positive) * Double(own < 0 ? -own + log1p(exp(own)) : log1p(exp(-own)))
        row[c] = -positive * missed * share
        return loss * Double(share)
    }
}
