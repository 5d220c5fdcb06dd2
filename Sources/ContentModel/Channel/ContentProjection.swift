import Tensors

/// Short dense vectors of which the inner product comes near a channel's score, so that an index of vectors finds what fits a user.
///
/// For one user the score of ``ContentChannel/score(_:profile:tower:level:)`` is, apart from what is the same for all items, an inner
/// product of
/// `[similarity · tokens, (affinity + strength · length) · direction, tower · vector, background, popularity]` with
/// `[profile, direction, user's vector, spread, 1]`. The first three of these are as long as the vocabulary, the space and the towers
/// together; they are mapped to the orthonormal directions in which items differ most (orthogonal iteration, Halko, Martinsson and
/// Tropp 2011, algorithm 4.4). The last two stay as they are. Both sides are mapped alike, so that what is lost is the part of the
/// items outside these directions alone.
public struct ContentProjection: Sendable {
    /// Components of a vector, a multiple of 16: ``plain`` of them are not mapped.
    public let dimension: Int
    /// What the vector of the towers has.
    public let towerDimension: Int
    /// `[tokens + space + towers, dimension]`; the last ``plain`` columns are 0.
    private let basis: [Float]
    private let tokenCount: Int, spaceDimension: Int
    /// The channel's weights, by which items are scaled.
    private let weights: [Float]
    /// How long users' vectors are in the mean: by so much the towers' part counts more where the directions are sought.
    private let userLength: Float

    /// Components that are not mapped: background and popularity.
    private static let plain = 2
    /// Products with the matrix of items.
    private static let passes = 4

    /// An item of a projection: what the channel knows of it, and its vector of the towers, empty for zeros.
    public struct Source {
        let item: ContentChannel.Item
        let tower: [Float]

        /// Both.
        public init(item: ContentChannel.Item, tower: [Float]) {
            (self.item, self.tower) = (item, tower)
        }
    }

    /// Learns the directions.
    ///
    /// - Parameters:
    ///   - sample: items of the kind that will be looked for; some ten thousand are enough.
    ///   - dimension: a multiple of 16, at least 32.
    ///   - userLength: how long the users' vectors are in the mean.
    /// - Complexity: O(passes · (entries of the sample · dimension + components · dimension²))
    public init(
        _ channel: ContentChannel, sample: [Source], towerDimension: Int, userLength: Float = 1, dimension: Int = 128, threads: Int = 1
    ) {
        precondition(dimension >= 32 && dimension.isMultiple(of: 16), "\(dimension) components: a multiple of 16 from 32 on is needed")
        (self.dimension, self.towerDimension) = (dimension, towerDimension)
        (tokenCount, spaceDimension) = (channel.tokenCount, channel.space?.dimension ?? 0)
        weights = channel.weights
        self.userLength = userLength > 1e-6 && userLength.isFinite ? userLength : 1
        let count = tokenCount + spaceDimension + towerDimension
        var random = SeededGenerator(seed: 1, stream: 0x7072_6f6a)
        var basis = [Float](repeating: 0, count: count * dimension)
        for row in 0..<count {
            for column in 0..<dimension - Self.plain { basis[row * dimension + column] = random.normal() }
        }
        OrthonormalColumns.make(&basis, items: count, dimension: dimension)
        var image = basis
        let layout = Layout(tokens: tokenCount, space: spaceDimension, weights: weights, towerScale: self.userLength)
        for _ in 0..<Self.passes {
            Self.apply(sample, layout, to: basis, into: &image, dimension: dimension, threads: threads)
            swap(&basis, &image)
            OrthonormalColumns.make(&basis, items: count, dimension: dimension)
        }
        self.basis = basis
    }

    /// Where the parts of an item stand among the components that are mapped, and by what they are multiplied.
    private struct Layout {
        let tokens: Int, space: Int
        let similar: Float, near: Float, strong: Float, tower: Float

        init(tokens: Int, space: Int, weights: [Float], towerScale: Float) {
            (self.tokens, self.space) = (tokens, space)
            similar = weights[ContentChannel.Part.similarity.rawValue]
            near = weights[ContentChannel.Part.affinity.rawValue]
            strong = weights[ContentChannel.Part.strength.rawValue]
            tower = weights[ContentChannel.Part.tower.rawValue] * towerScale
        }

        /// Calls `body` with each component of an item that is not 0.
        @inline(__always)
        func forEach(_ item: ContentChannel.Item, tower own: UnsafeBufferPointer<Float>, _ body: (Int, Float) -> Void) {
            for (token, weight) in zip(item.vector.tokens, item.vector.weights) { body(Int(token), similar * weight) }
            if item.direction.count == space {
                let scale = near + strong * item.length
                for place in item.direction.indices { body(tokens + place, scale * item.direction[place]) }
            }
            for place in own.indices { body(tokens + space + place, tower * own[place]) }
        }
    }

    /// `image = Xᵀ X · basis` over the items of a sample. Threads share out the columns, so their number does not change a bit.
    private static func apply(
        _ sample: [Source], _ layout: Layout, to basis: [Float], into image: inout [Float], dimension: Int, threads: Int
    ) {
        basis.withUnsafeBufferPointer { basis in
            image.withUnsafeMutableBufferPointer { image in
                guard let source = basis.baseAddress, let start = image.baseAddress else { return }
                nonisolated(unsafe) let target = start
                let rows = image.count / dimension
                parallelFor(count: dimension / 16, threads: threads) { range, _ in
                    let first = 16 * range.lowerBound, width = 16 * range.count
                    for row in 0..<rows { for place in 0..<width { target[row * dimension + first + place] = 0 } }
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { sum in
                        guard let sum = sum.baseAddress else { return }
                        for entry in sample {
                            for place in 0..<width { sum[place] = 0 }
                            entry.tower.withUnsafeBufferPointer { tower in
                                layout.forEach(entry.item, tower: tower) { row, value in
                                    Kernels.axpy(value, source + row * dimension + first, into: sum, count: width)
                                }
                                layout.forEach(entry.item, tower: tower) { row, value in
                                    Kernels.axpy(value, sum, into: target + row * dimension + first, count: width)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Writes an item's vector (``dimension`` floats).
    ///
    /// - Parameter tower: its vector of the towers; empty for zeros.
    /// - Complexity: O((tokens + space + towers) · dimension)
    public func write(_ item: ContentChannel.Item, tower: UnsafeBufferPointer<Float>, into vector: UnsafeMutablePointer<Float>) {
        for place in 0..<dimension { vector[place] = 0 }
        let layout = Layout(tokens: tokenCount, space: spaceDimension, weights: weights, towerScale: userLength)
        basis.withUnsafeBufferPointer { basis in
            guard let basis = basis.baseAddress else { return }
            layout.forEach(item, tower: tower) { row, value in
                Kernels.axpy(value, basis + row * dimension, into: vector, count: dimension)
            }
        }
        vector[dimension - 2] = weights[ContentChannel.Part.background.rawValue] * item.background
        vector[dimension - 1] = weights[ContentChannel.Part.popularity.rawValue] * item.popularity
    }

    /// What is asked for a user: its inner product with an item's vector comes near their score.
    ///
    /// - Parameter user: the user's vector of the towers; empty where it has no say.
    /// - Returns: `[dimension]`
    public func query(_ profile: ContentChannel.Profile?, user: [Float] = []) -> [Float] {
        var query = [Float](repeating: 0, count: dimension)
        query.withUnsafeMutableBufferPointer { query in
            basis.withUnsafeBufferPointer { basis in
                guard let out = query.baseAddress, let basis = basis.baseAddress else { return }
                func add(_ values: [Float], at first: Int, scale: Float = 1) {
                    for place in values.indices where values[place] != 0 {
                        Kernels.axpy(scale * values[place], basis + (first + place) * dimension, into: out, count: dimension)
                    }
                }
                if let profile {
                    add(profile.sum, at: 0)
                    if profile.direction.count == spaceDimension { add(profile.direction, at: tokenCount) }
                }
                if user.count == towerDimension { add(user, at: tokenCount + spaceDimension, scale: 1 / userLength) }
            }
        }
        query[dimension - 2] = profile?.spread ?? 1
        query[dimension - 1] = 1
        return query
    }
}
