import CKernels

/// Softmax cross-entropy of a tile of users against a catalogue, or a sample of it, with the gradients of both sides.
///
/// The score of user i for candidate j is `users[i] · items[j] + corrections[j]`. The target of a user takes `targetCorrections[i]`
/// instead and is never masked. The loss is `Σ weights[i] · (ln Σⱼ e^score(i, j) − score(i, target))`. All on the calling thread.
///
/// Exponentials are taken relative to the target's score: that needs no search for the largest score, and a sum of 1 or more. Scores
/// more than about 69 above the target's are noticed and the tile is computed again relative to the largest (`byRows`).
/// Rows are divided by their sums where it costs least: in the user's vectors and gradients, not in the scores.
public struct CatalogueSoftmax: Sendable {
    /// Floats of a vector.
    public let dimension: Int
    /// Candidates: the first rows of the item vectors.
    public let candidates: Int
    /// What the three products are computed in. Sums, exponentials and the targets' own part are float32 in either case.
    public let precision: ProductPrecision

    /// Candidates that go through all steps together, so that their scores are still in cache from one to the next.
    public static let blockCandidates = 384
    /// Above it the tile is computed again relative to the largest scores.
    static let largestSum: Float = 1e30

    /// A loss over `candidates` vectors of `dimension` floats.
    public init(dimension: Int, candidates: Int, precision: ProductPrecision = .float32) {
        self.dimension = dimension
        self.candidates = candidates
        self.precision = precision
    }

    /// The loss of `count` users and the gradients of user and item vectors.
    ///
    /// - Parameters:
    ///   - users: `[count, d]`; items: `[candidates…, d]`.
    ///   - targets: the target's candidate row of each user.
    ///   - weights: what each user's loss counts.
    ///   - corrections: `[candidates]`, added to scores of candidates that are not the target; nil for none.
    ///   - targetCorrections: `[count]`, added to each target's score; nil for none.
    ///   - masked: called with a user and a body to call with each candidate row to leave out; rows of no candidate and the target are
    ///     ignored, and a row may come more than once.
    ///   - scores: `[count, candidates]` of scratch.
    ///   - userGradient: `[count, d]`, overwritten; itemGradient: `[candidates…, d]`, added to.
    public func run(
        count: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        weights: UnsafePointer<Float>, corrections: UnsafePointer<Float>? = nil, targetCorrections: UnsafePointer<Float>? = nil,
        masked: ((Int, (Int32) -> Void) -> Void)? = nil, scores: UnsafeMutablePointer<Float>,
        userGradient: UnsafeMutablePointer<Float>, itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        guard count > 0 else { return 0 }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: count * (dimension + 2)) { buffer in
            guard let scaled = buffer.baseAddress else { return 0 }
            let own = scaled + count * dimension, sums = own + count
            for i in 0..<count {
                own[i] = fk_dot(users + i * dimension, items + Int(targets[i]) * dimension, dimension) + (targetCorrections?[i] ?? 0)
                sums[i] = 0
            }
            exponentials(
                count: count, users: users, items: items, targets: targets, corrections: corrections, own: own, scores: scores,
                sums: sums)
            if let masked { leaveOut(masked, count: count, targets: targets, scores: scores, sums: sums) }
            // NaN fails the comparison too.
            guard (0..<count).allSatisfy({ sums[$0] < Self.largestSum }) else {
                return byRows(
                    count: count, users: users, items: items, targets: targets, weights: weights, corrections: corrections,
                    targetCorrections: targetCorrections, masked: masked, scores: scores, userGradient: userGradient,
                    itemGradient: itemGradient)
            }
            var total = 0.0
            for i in 0..<count {
                total += Double(weights[i]) * Double(Kernels.log(sums[i]))
                sums[i] = weights[i] / sums[i]
                Kernels.scale(sums[i], users + i * dimension, into: scaled + i * dimension, count: dimension)
            }
            slopes(
                count: count, items: items, scaled: scaled, scores: scores, userGradient: userGradient, itemGradient: itemGradient)
            for i in 0..<count {
                let target = Int(targets[i]) * dimension, outer = userGradient + i * dimension
                Kernels.scale(sums[i], outer, into: outer, count: dimension)
                Kernels.axpy(-weights[i], items + target, into: outer, count: dimension)
                Kernels.axpy(-weights[i], users + i * dimension, into: itemGradient + target, count: dimension)
            }
            return total
        }
    }

    /// Blocks of candidates; the scores of block b of width w are `[count, w]`, one block after the other.
    private var blocks: [Range<Int>] {
        stride(from: 0, to: candidates, by: Self.blockCandidates).map { $0..<min($0 + Self.blockCandidates, candidates) }
    }

    /// e^(score − own) of every pair, block by block, and its sum over candidates added to `sums`.
    private func exponentials(
        count: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        corrections: UnsafePointer<Float>?, own: UnsafePointer<Float>, scores: UnsafeMutablePointer<Float>,
        sums: UnsafeMutablePointer<Float>
    ) {
        for block in blocks {
            let first = block.lowerBound, width = block.count, part = scores + count * first
            Kernels.multiply(
                rows: count, columns: width, inner: dimension, users, stride: dimension, transposed: false, items + first * dimension,
                stride: dimension, transposed: true, into: part, stride: width, threads: 1, precision: precision)
            for i in 0..<count where block.contains(Int(targets[i])) {
                let target = Int(targets[i])
                part[i * width + target - first] = own[i] - (corrections?[target] ?? 0)
            }
            fk_exp_sum_rows(count, width, part, width, corrections.map { $0 + first }, own, sums)
        }
    }

    /// Takes masked candidates out of the exponentials and the sums.
    private func leaveOut(
        _ masked: (Int, (Int32) -> Void) -> Void, count: Int, targets: UnsafePointer<Int32>, scores: UnsafeMutablePointer<Float>,
        sums: UnsafeMutablePointer<Float>
    ) {
        for i in 0..<count {
            var gone: Float = 0
            masked(i) { row in
                guard row >= 0, row < candidates, row != targets[i] else { return }
                let first = Int(row) / Self.blockCandidates * Self.blockCandidates
                let width = min(Self.blockCandidates, candidates - first)
                let place = scores + count * first + i * width + (Int(row) - first)
                gone += place.pointee
                place.pointee = 0
            }
            guard gone > 0 || gone.isNaN else { continue }
            if gone < 0.75 * sums[i] {
                sums[i] -= gone
            } else {
                // A difference would have few digits left.
                sums[i] = 0
                for block in blocks {
                    sums[i] += fk_sum(scores + count * block.lowerBound + i * block.count, block.count)
                }
            }
        }
    }

    /// From exponentials to `userGradient = E · items` and `itemGradient += Eᵀ · scaled`, block by block.
    private func slopes(
        count: Int, items: UnsafePointer<Float>, scaled: UnsafePointer<Float>, scores: UnsafePointer<Float>,
        userGradient: UnsafeMutablePointer<Float>, itemGradient: UnsafeMutablePointer<Float>
    ) {
        for block in blocks {
            let first = block.lowerBound, width = block.count, part = scores + count * first
            Kernels.multiply(
                rows: count, columns: dimension, inner: width, part, stride: width, items + first * dimension, stride: dimension,
                beta: first == 0 ? 0 : 1, into: userGradient, stride: dimension, threads: 1, precision: precision)
            Kernels.multiply(
                rows: width, columns: dimension, inner: count, part, stride: width, transposed: true, scaled, stride: dimension, beta: 1,
                into: itemGradient + first * dimension, stride: dimension, threads: 1, precision: precision)
        }
    }

    /// The same loss row by row relative to the largest score, in float32, with the exponential of 2 units in the last place: the plain
    /// form of `run`, and what it falls back on.
    public func byRows(
        count: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        weights: UnsafePointer<Float>, corrections: UnsafePointer<Float>? = nil, targetCorrections: UnsafePointer<Float>? = nil,
        masked: ((Int, (Int32) -> Void) -> Void)? = nil, scores: UnsafeMutablePointer<Float>,
        userGradient: UnsafeMutablePointer<Float>, itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        let d = dimension, c = candidates
        Kernels.multiply(
            rows: count, columns: c, inner: d, users, stride: d, transposed: false, items, stride: d, transposed: true, into: scores,
            stride: c, threads: 1)
        var total = 0.0
        for i in 0..<count {
            let row = scores + i * c, target = Int(targets[i])
            let own = row[target] + (targetCorrections?[i] ?? 0)
            if let corrections { Kernels.apply(.add, row, corrections, into: row, count: c) }
            masked?(i) { if $0 >= 0 && $0 < c { row[Int($0)] = -.infinity } }
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
