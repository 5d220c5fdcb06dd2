import Tensors

/// What being taken by the same users says of items: the leading factors of the matrix of interactions, by orthogonal iteration.
///
/// The matrix `[users, items]` has 1 / √(user's items · item's usersᵖ) where a user took an item, p = ``popularityPower`` · 2. Its right
/// factors minimise the spectral contrastive loss −2 E[f(i)·f(j)] + E'[(f(i)·f(j))²] over pairs of items of one user against independent
/// pairs (HaoChen et al., NeurIPS 2021, eq. 6 and theorem 4.2): what one user took is drawn together, the rest apart.
struct InteractionFactors: Sendable {
    /// Components of a factor.
    let dimension: Int
    /// `[items, dimension]`: what an item counts in a user's history.
    let history: [Float]
    /// `[items, dimension]`: what a new item's content is to predict.
    let target: [Float]

    /// By how much what everybody takes counts less, on each side.
    static let popularityPower: Float = 0.4
    /// Products with the matrix.
    private static let passes = 9
    /// Of more interactions every k-th user is looked at.
    private static let interactionsLimit = 2_000_000

    /// - Parameters:
    ///   - users: each user's entries of `events`, which hold item rows.
    ///   - uses: whether an item takes part; others have zeros.
    /// - Complexity: O(passes · (interactions · dimension + items · dimension²))
    init(
        items: Int, users: [Range<Int>], events: UnsafeBufferPointer<Int32>, dimension: Int, uses: [Bool], threads: Int, seed: UInt64 = 1
    ) {
        precondition(dimension > 0 && dimension.isMultiple(of: 16), "\(dimension) components: a positive multiple of 16 is needed")
        self.dimension = dimension
        let sample = Sample(users: users, events: events, uses: uses)
        var scale = [Float](repeating: 0, count: items)
        for item in 0..<items where sample.counts[item] > 0 { scale[item] = Self.power(Float(sample.counts[item]), -Self.popularityPower) }
        var random = SeededGenerator(seed: seed, stream: 0x6661_6374)
        var basis = [Float](repeating: 0, count: items * dimension)
        for item in 0..<items where sample.counts[item] > 0 {
            for place in 0..<dimension { basis[item * dimension + place] = random.normal() }
        }
        var strengths = OrthonormalColumns.make(&basis, items: items, dimension: dimension)
        var image = basis
        for pass in 1...Self.passes {
            sample.apply(scale, to: basis, into: &image, dimension: dimension, threads: threads)
            swap(&basis, &image)
            // Every other time is enough to keep the columns apart. After the last product, the lengths that are taken off are the squares
            // of the singular values.
            if pass.isMultiple(of: 2) || pass == Self.passes {
                strengths = OrthonormalColumns.make(&basis, items: items, dimension: dimension)
            }
        }
        // √(singular value): half of a factor's weight lies with the history, half with the candidate.
        let weights = strengths.map { max(0, $0).squareRoot().squareRoot() }
        var history = [Float](repeating: 0, count: items * dimension), target = history
        for item in 0..<items {
            for place in 0..<dimension {
                let value = basis[item * dimension + place] * weights[place]
                target[item * dimension + place] = value
                history[item * dimension + place] = value * scale[item]
            }
        }
        self.history = history
        self.target = target
    }

    /// Users and what they took of the items that take part.
    private struct Sample {
        var starts: [Int] = [0]
        var items: [Int32] = []
        var counts: [Int]

        init(users: [Range<Int>], events: UnsafeBufferPointer<Int32>, uses: [Bool]) {
            let step = max(
                1, (users.reduce(0) { $0 + $1.count } + InteractionFactors.interactionsLimit - 1) / InteractionFactors.interactionsLimit)
            counts = [Int](repeating: 0, count: uses.count)
            for user in stride(from: 0, to: users.count, by: step) {
                for event in users[user] where uses[Int(events[event])] { items.append(events[event]) }
                // One item alone is no pair.
                if items.count - (starts.last ?? 0) < 2 {
                    items.removeLast(items.count - (starts.last ?? 0))
                    continue
                }
                for item in items[(starts.last ?? 0)...] { counts[Int(item)] += 1 }
                starts.append(items.count)
            }
        }

        /// `image = D Aᵀ U A D · basis`, where A says who took what, U divides by a user's items and D is `scale`. Threads share out the
        /// columns, so their number does not change a bit.
        func apply(_ scale: [Float], to basis: [Float], into image: inout [Float], dimension: Int, threads: Int) {
            basis.withUnsafeBufferPointer { basis in
                image.withUnsafeMutableBufferPointer { image in
                    guard let source = basis.baseAddress, let out = image.baseAddress else { return }
                    nonisolated(unsafe) let target = out
                    parallelFor(count: dimension / 16, threads: threads) { range, _ in
                        let first = 16 * range.lowerBound, width = 16 * range.count
                        var sum = [Float](repeating: 0, count: width)
                        for item in scale.indices { for place in 0..<width { target[item * dimension + first + place] = 0 } }
                        sum.withUnsafeMutableBufferPointer { sum in
                            guard let sum = sum.baseAddress else { return }
                            for user in 0..<starts.count - 1 {
                                let own = starts[user]..<starts[user + 1]
                                for place in 0..<width { sum[place] = 0 }
                                for entry in own {
                                    let item = Int(items[entry])
                                    Kernels.axpy(scale[item], source + item * dimension + first, into: sum, count: width)
                                }
                                let share = 1 / Float(own.count)
                                for entry in own {
                                    let item = Int(items[entry])
                                    Kernels.axpy(share * scale[item], sum, into: target + item * dimension + first, count: width)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private static func power(_ base: Float, _ exponent: Float) -> Float { Kernels.exp(exponent * Kernels.log(base)) }
}
