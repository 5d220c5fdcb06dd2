import Tensors

/// Items of a ``ContentChannel`` side by side in memory, so that one profile is compared with many of them in a run instead of by
/// following each item's pointers.
///
/// The scores are those of ``ContentChannel/score(_:profile:tower:level:)``, to the last bit.
public struct PackedContents: Sendable {
    fileprivate struct Entry {
        var token: Int32
        var weight: Float
    }

    /// Components of a direction, 0 without a ``ContentSpace``.
    private let dimension: Int
    /// Where an item's entries begin, `[count + 1]`.
    private var starts = [0]
    private var entries: [Entry] = []
    /// Background, popularity, length and worth of each item, `[count, 4]`.
    private var numbers: [Float] = []
    /// `[count, dimension]`; zeros for an item without a direction.
    private var directions: [Float] = []

    /// Nothing packed. The dimension is that of the channel's space, or 0.
    public init(dimension: Int) {
        self.dimension = max(dimension, 0)
    }

    /// Items that are packed.
    public var count: Int { starts.count - 1 }

    /// Makes room for items with so many entries in all.
    public mutating func reserveCapacity(items: Int, entries count: Int) {
        starts.reserveCapacity(items + 1)
        entries.reserveCapacity(count)
        numbers.reserveCapacity(4 * items)
        directions.reserveCapacity(items * dimension)
    }

    /// Packs one more item of the channel.
    public mutating func append(_ item: ContentChannel.Item) {
        for (token, weight) in zip(item.vector.tokens, item.vector.weights) { entries.append(Entry(token: token, weight: weight)) }
        starts.append(entries.count)
        numbers.append(item.background)
        numbers.append(item.popularity)
        numbers.append(item.length)
        numbers.append(item.worth)
        if item.direction.count == dimension {
            directions.append(contentsOf: item.direction)
        } else {
            directions.append(contentsOf: repeatElement(0, count: dimension))
        }
    }

    /// An item as it was packed; one without a direction has zeros for it.
    public func item(_ place: Int) -> ContentChannel.Item {
        var vector = SparseContent()
        for entry in entries[starts[place]..<starts[place + 1]] {
            vector.tokens.append(entry.token)
            vector.weights.append(entry.weight)
        }
        return ContentChannel.Item(
            vector: vector, popularity: numbers[4 * place + 1], background: numbers[4 * place],
            direction: Array(directions[place * dimension..<(place + 1) * dimension]), length: numbers[4 * place + 2],
            worth: numbers[4 * place + 3])
    }

    /// What an item is worth: ``ContentChannel/Item/worth``.
    public func worth(_ place: Int) -> Float { numbers[4 * place + 3] }

    /// Writes the score of each item for a user into `scores` (``count`` floats), without what the towers say.
    ///
    /// - Complexity: O(tokens of all items + count × dimension)
    public func score(
        _ channel: ContentChannel, profile: ContentChannel.Profile?, level: Float, into scores: UnsafeMutablePointer<Float>
    ) {
        withReader(channel, profile: profile, level: level) { reader in
            for item in 0..<count { scores[item] = reader.score(item, tower: 0) }
        }
    }

    /// Calls `body` with what scores the packed items for one user, valid within the call.
    @inline(__always)
    public func withReader<Result>(
        _ channel: ContentChannel, profile: ContentChannel.Profile?, level: Float, _ body: (Reader) -> Result
    ) -> Result {
        let direction = profile.map { $0.direction.count == dimension ? $0.direction : [] } ?? []
        return starts.withUnsafeBufferPointer { starts in
            entries.withUnsafeBufferPointer { entries in
                numbers.withUnsafeBufferPointer { numbers in
                    directions.withUnsafeBufferPointer { directions in
                        direction.withUnsafeBufferPointer { user in
                            (profile?.sum ?? []).withUnsafeBufferPointer { sum in
                                body(
                                    Reader(
                                        channel.weights, level: level, spread: profile?.spread ?? 1, dimension: dimension,
                                        starts: starts.baseAddress, entries: entries.baseAddress, numbers: numbers.baseAddress,
                                        directions: directions.baseAddress, user: user.isEmpty ? nil : user.baseAddress,
                                        sum: sum.isEmpty ? nil : sum.baseAddress))
                            }
                        }
                    }
                }
            }
        }
    }

    /// Scores packed items for one user.
    public struct Reader {
        private let similar: Float, background: Float, popular: Float, leveled: Float, constant: Float, near: Float, strong: Float
        private let ofTower: Float
        private let spread: Float
        private let dimension: Int
        private let starts: UnsafePointer<Int>?
        private let entries: UnsafePointer<Entry>?
        private let numbers: UnsafePointer<Float>?
        private let directions: UnsafePointer<Float>?
        private let user: UnsafePointer<Float>?
        private let sum: UnsafePointer<Float>?

        fileprivate init(
            _ weights: [Float], level: Float, spread: Float, dimension: Int, starts: UnsafePointer<Int>?, entries: UnsafePointer<Entry>?,
            numbers: UnsafePointer<Float>?, directions: UnsafePointer<Float>?, user: UnsafePointer<Float>?, sum: UnsafePointer<Float>?
        ) {
            func factor(_ part: ContentChannel.Part) -> Float { weights[part.rawValue] }
            (similar, background, popular) = (factor(.similarity), factor(.background), factor(.popularity))
            (leveled, constant, ofTower) = (factor(.level) * level, factor(.constant), factor(.tower))
            (near, strong) = (factor(.affinity), factor(.strength))
            (self.spread, self.dimension) = (spread, dimension)
            (self.starts, self.entries, self.numbers, self.directions) = (starts, entries, numbers, directions)
            (self.user, self.sum) = (user, sum)
        }

        /// An item's score.
        ///
        /// - Parameter tower: the towers' inner product.
        /// - Complexity: O(tokens of the item + dimension)
        @inline(__always)
        public func score(_ item: Int, tower: Float) -> Float {
            guard let starts, let numbers else { return 0 }
            var affinity: Float = 0
            if let user, let directions { affinity = Kernels.dot(user, directions + item * dimension, count: dimension) }
            var product: Float = 0
            if let sum, let entries {
                for place in starts[item]..<starts[item + 1] { product += entries[place].weight * sum[Int(entries[place].token)] }
            }
            // In the order of the parts, as one item alone is scored.
            var score = similar * product + background * (spread * numbers[4 * item])
            score += popular * numbers[4 * item + 1]
            score += ofTower * tower
            score += leveled
            score += constant
            score += near * affinity
            score += strong * (affinity * numbers[4 * item + 2])
            return score
        }
    }
}
