import Tensors

/// Items of a ``ContentChannel`` side by side in memory, so that one profile is compared with all of them in a run instead of by
/// following each item's pointers.
///
/// The scores are those of ``ContentChannel/score(_:profile:tower:level:)`` with a tower of 0, to the last bit.
public struct PackedContents: Sendable {
    private struct Entry {
        var token: Int32
        var weight: Float
    }

    /// Components of a direction, 0 without a ``ContentSpace``.
    private let dimension: Int
    /// Where an item's entries begin, `[count + 1]`.
    private var starts = [0]
    private var entries: [Entry] = []
    /// Background, popularity and length of each item, `[count, 3]`.
    private var numbers: [Float] = []
    /// `[count, dimension]`; zeros for an item without a direction.
    private var directions: [Float] = []

    /// Nothing packed. The dimension is that of the channel's space, or 0.
    public init(dimension: Int) {
        self.dimension = max(dimension, 0)
    }

    /// Items that are packed.
    public var count: Int { starts.count - 1 }

    /// Packs one more item of the channel.
    public mutating func append(_ item: ContentChannel.Item) {
        for (token, weight) in zip(item.vector.tokens, item.vector.weights) { entries.append(Entry(token: token, weight: weight)) }
        starts.append(entries.count)
        numbers.append(contentsOf: [item.background, item.popularity, item.length])
        if item.direction.count == dimension {
            directions.append(contentsOf: item.direction)
        } else {
            directions.append(contentsOf: repeatElement(0, count: dimension))
        }
    }

    /// Writes the score of each item for a user into `scores` (``count`` floats).
    ///
    /// - Complexity: O(tokens of all items + count × dimension)
    public func score(
        _ channel: ContentChannel, profile: ContentChannel.Profile?, level: Float, into scores: UnsafeMutablePointer<Float>
    ) {
        func factor(_ part: ContentChannel.Part) -> Float { channel.weights[part.rawValue] }
        let similar = factor(.similarity), background = factor(.background), popular = factor(.popularity)
        let leveled = factor(.level) * level, constant = factor(.constant), near = factor(.affinity), strong = factor(.strength)
        let spread = profile?.spread ?? 1, sum = profile?.sum ?? []
        let direction = profile.map { $0.direction.count == dimension ? $0.direction : [] } ?? []
        for item in 0..<count {
            let affinity = direction.isEmpty ? 0 : dot(direction, item)
            // In the order of the parts, as one item alone is scored.
            var score = similar * (sum.isEmpty ? 0 : product(sum, item)) + background * (spread * numbers[3 * item])
            score += popular * numbers[3 * item + 1]
            score += leveled
            score += constant
            score += near * affinity
            score += strong * (affinity * numbers[3 * item + 2])
            scores[item] = score
        }
    }

    @inline(__always)
    private func product(_ sum: [Float], _ item: Int) -> Float {
        entries.withUnsafeBufferPointer { entries in
            sum.withUnsafeBufferPointer { sum in
                var product: Float = 0
                for place in starts[item]..<starts[item + 1] { product += entries[place].weight * sum[Int(entries[place].token)] }
                return product
            }
        }
    }

    @inline(__always)
    private func dot(_ direction: [Float], _ item: Int) -> Float {
        directions.withUnsafeBufferPointer { all in
            direction.withUnsafeBufferPointer { user in
                guard let all = all.baseAddress, let user = user.baseAddress else { return 0 }
                return Kernels.dot(user, all + item * dimension, count: dimension)
            }
        }
    }
}
