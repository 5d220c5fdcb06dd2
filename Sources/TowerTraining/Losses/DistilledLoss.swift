import Tensors

/// A larger model's view of a student's examples, from which the student learns what else would have been right (Hinton et al. 2015).
public struct Teacher: Sendable {
    /// Length of the teacher's vectors, whatever the student's.
    let dimension: Int
    /// `[events, dimension]`: the teacher's vector of the user just before each event.
    package let users: Column<Float>
    /// `[items, dimension]`, in the rows of the training set.
    package let items: Matrix

    /// A teacher of a training set.
    ///
    /// - Parameters:
    ///   - items: `[set.itemCount, dimension]`, from ``TwoTowerModel/teacherItems(_:threads:)``.
    ///   - users: `[set.eventCount, dimension]`, row-major, from ``TwoTowerModel/encodeBefore(user:of:items:into:)``.
    public init(items: Matrix, users: Column<Float>) {
        dimension = items.columns
        self.users = users
        self.items = items
    }
}

/// Softmax cross-entropy mixed with what a teacher says: (1 − α) CE(y, p) + α T² KL(q‖p_T), where p are the student's shares of the
/// candidates, p_T and q the student's and the teacher's at temperature T (Hinton et al. 2015, section 2). T² keeps the two gradients of
/// one size.
///
/// Corrections of sampled candidates are those of ``SoftmaxLoss``; in p_T and q every candidate stands for what it was drawn for.
struct DistilledLoss {
    let dimension, teacherDimension: Int
    /// Candidates are the first rows of the item vectors, in the student's and in the teacher's.
    let candidates: Int
    /// Added to the scores of sampled candidates; nil for the whole catalogue.
    let corrections: UnsafePointer<Float>?
    /// α and T.
    let weight, temperature: Float

    /// Stands for minus infinity where it is multiplied with zero.
    private static let out: Float = -1e30

    /// Floats of scratch for each user.
    static func scratchFloats(candidates: Int) -> Int { 4 * candidates }

    /// The loss of `count` users and the gradients of user and item vectors; as
    /// ``SoftmaxLoss/run(count:users:items:targets:weights:masked:scores:userGradient:itemGradient:)``.
    ///
    /// - Parameters:
    ///   - teacherUsers: `[count, teacherDimension]`; teacherItems: `[candidates…, teacherDimension]`.
    ///   - scratch: `[count, 4 candidates]`.
    func run(
        count: Int, users: UnsafePointer<Float>, items: UnsafePointer<Float>, teacherUsers: UnsafePointer<Float>,
        teacherItems: UnsafePointer<Float>, targets: UnsafePointer<Int32>, weights: UnsafePointer<Float>,
        masked: ((Int, (Int32) -> Void) -> Void)?, scratch: UnsafeMutablePointer<Float>, userGradient: UnsafeMutablePointer<Float>,
        itemGradient: UnsafeMutablePointer<Float>
    ) -> Double {
        let d = dimension, c = candidates
        let scores = scratch, soft = scratch + count * c, asked = soft + count * c, shares = asked + count * c
        Kernels.multiply(
            rows: count, columns: c, inner: d, users, stride: d, transposed: false, items, stride: d, transposed: true, into: scores,
            stride: c, threads: 1)
        Kernels.multiply(
            rows: count, columns: c, inner: teacherDimension, teacherUsers, stride: teacherDimension, transposed: false, teacherItems,
            stride: teacherDimension, transposed: true, into: asked, stride: c, threads: 1)
        var total = 0.0
        for i in 0..<count {
            let hard = scores + i * c, student = soft + i * c, teacher = asked + i * c, share = shares + i * c, target = Int(targets[i])
            Kernels.scale(1 / temperature, hard, into: student, count: c)
            Kernels.scale(1 / temperature, teacher, into: teacher, count: c)
            let own = hard[target]
            if let corrections {
                for row in [hard, student, teacher] { Kernels.apply(.add, row, corrections, into: row, count: c) }
                // The target stands for itself in the cross-entropy.
                hard[target] = own
            }
            masked?(i) { row in
                guard row < c, Int(row) != target else { return }
                for scores in [hard, student, teacher] { scores[Int(row)] = Self.out }
            }
            let crossEntropy = Kernels.softmax(hard, into: hard, count: c) - own
            hard[target] -= 1
            // KL = Σ q (t − s) − ln Σ eᵗ + ln Σ eˢ
            let teacherSum = Kernels.softmax(teacher, into: share, count: c)
            var divergence = Kernels.dot(share, teacher, count: c) - Kernels.dot(share, student, count: c) - teacherSum
            divergence += Kernels.softmax(student, into: student, count: c)
            total += Double(weights[i]) * Double((1 - weight) * crossEntropy + weight * temperature * temperature * divergence)
            Kernels.scale(weights[i] * (1 - weight), hard, into: hard, count: c)
            Kernels.axpy(weights[i] * weight * temperature, student, into: hard, count: c)
            Kernels.axpy(-weights[i] * weight * temperature, share, into: hard, count: c)
        }
        Kernels.multiply(
            rows: count, columns: d, inner: c, scores, stride: c, items, stride: d, into: userGradient, stride: d, threads: 1)
        Kernels.multiply(
            rows: c, columns: d, inner: count, scores, stride: c, transposed: true, users, stride: d, beta: 1, into: itemGradient,
            stride: d,
            threads: 1)
        return total
    }
}
