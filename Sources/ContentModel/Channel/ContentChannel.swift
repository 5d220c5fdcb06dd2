import Tensors

/// What content alone says of an item for a user: how near it is to the user's history, and how popular such items become.
///
/// Items that training never met are scored by it. The score is a logit on the scale of the scores that trained items have
/// beside it: its weights are fitted on trained items that are treated as if they were new (``ContentFit``), so that new and
/// old items are ranked together in fair shares.
///
/// Vectors are sparse (``ContentVocabulary``). From a user's sum of vectors that of the average user is taken off in part: what
/// everybody likes says little of one user.
public struct ContentChannel: Sendable {
    /// The parts of a score; the raw value is the place of the weight.
    public enum Part: Int, CaseIterable, Sendable {
        /// The inner product of the user's profile, scaled to length 1, and the item's vector.
        case similarity
        /// The same with the average user's profile: how near the item is to what everybody has.
        case background
        /// The popularity that items of such content have, relative to the mean: see ``ContentPopularity``.
        case popularity
        /// The towers' inner product for the item by its content.
        case tower
        /// The user's inner product with the mean of all trained items: where this user's scores lie.
        case level
        /// Always 1.
        case constant
        /// The cosine between the user's place and the item's in the ``ContentSpace``.
        case affinity
        /// ``affinity`` times how far from 0 the encoder puts the item, 1 for a trained item's mean.
        case strength

        /// How many there are.
        public static let count = allCases.count
    }

    let vocabulary: ContentVocabulary
    let numbers: ContentNumbers
    /// The mean profile of a user over one item of their history, by token.
    let background: [Float]
    let popularity: ContentPopularity
    /// The dense space of contents; nil where there were too few items to learn one.
    public let space: ContentSpace?
    /// One a ``Part``.
    public var weights: [Float]
    /// Which share of lists new items are worth; nil where training learned none, as older programs did.
    public var share: NewItemShare?

    /// Weights where nothing could be fitted: content decides, and the towers help.
    public static let defaultWeights: [Float] = [8, -8, 1, 0.3, 0, 0, 4, 0]

    /// An item as the channel sees it.
    public struct Item: Sendable {
        /// Its words, by how rare they are, of unit length.
        public internal(set) var vector: SparseContent
        /// Expected popularity, relative to the mean.
        public internal(set) var popularity: Float
        /// The inner product with the average profile.
        public internal(set) var background: Float
        /// Where the item lies in the ``ContentSpace``: `[dimension]`, of length 1; empty without one.
        public internal(set) var direction: [Float] = []
        /// How far from 0 the encoder puts it, in mean lengths.
        var length: Float = 0
        /// What it is worth in those of a known item; 0 where no ``NewItemShare`` was learned.
        public internal(set) var worth: Float = 0
    }

    /// What a user's history says. Of size ``tokenCount``.
    public struct Profile: Sendable {
        /// The sum of the history's vectors, scaled to length 1, by token.
        var sum: [Float]
        /// Entries of the history / length of their sum.
        var spread: Float
        /// The user's place in the ``ContentSpace``: `[dimension]`, of length 1; empty where nothing is known.
        var direction: [Float] = []
    }

    /// Tokens known.
    public var tokenCount: Int { vocabulary.count }

    /// The ids that a content links to.
    public func links(of content: ItemContent) -> [String] { vocabulary.links(of: content) }

    /// An item's own vector, as it counts in histories.
    public func vector(of content: ItemContent, id: String) -> SparseContent { vocabulary.vector(of: content, id: id) }

    /// An item without history, by its content and that of the items that it links to.
    public func item(_ content: ItemContent, own: SparseContent, linked: [SparseContent]) -> Item {
        let vector = vocabulary.candidate(own, linked: linked)
        let values = numbers.values(of: content), tokens = vocabulary.tokens(of: content)
        let expected = popularity.expected(tokens: tokens, numbers: values)
        var item = Item(vector: vector, popularity: expected, background: product(vector, background))
        if let share {
            let settled = share.settled(content)
            item.worth = share.worth(
                settled.publishedAt == content.publishedAt
                    ? expected : popularity.expected(tokens: tokens, numbers: numbers.values(of: settled)))
        }
        if let space {
            let place = space.encode(vector, numbers: values)
            item.direction = place.vector
            item.length = place.length / max(space.meanLength, 1e-20)
        }
        return item
    }

    /// The profile of a history; nil where nothing is known of its items.
    ///
    /// - Parameters:
    ///   - history: the items' vectors; taste: what they count together in the ``ContentSpace`` (``ContentSpace/add(_:to:)``), in any
    ///     length.
    /// - Complexity: O(tokens known + tokens of the history)
    public func profile(_ history: some Sequence<SparseContent>, taste: [Float] = []) -> Profile? {
        var sum = [Float](repeating: 0, count: tokenCount), entries: Float = 0
        var touched: [Int32] = []
        for vector in history where !vector.isEmpty {
            entries += 1
            for (token, weight) in zip(vector.tokens, vector.weights) {
                if sum[Int(token)] == 0 { touched.append(token) }
                sum[Int(token)] += weight
            }
        }
        var square: Float = 0
        for token in touched { square += sum[Int(token)] * sum[Int(token)] }
        let direction = ContentSpace.directed(taste)
        guard square > 0 || direction.length > 0 else { return nil }
        let length = max(square.squareRoot(), 1e-20)
        for token in touched { sum[Int(token)] /= length }
        return Profile(sum: sum, spread: square > 0 ? entries / length : 1, direction: direction.length > 0 ? direction.vector : [])
    }

    /// The parts of the score of an item for a user, into `parts` (``Part/count`` floats).
    ///
    /// - Parameters:
    ///   - tower: the towers' inner product; level: the user's with ``Part/level``'s mean.
    public func write(
        _ item: Item, profile: Profile?, tower: Float, level: Float, into parts: UnsafeMutablePointer<Float>
    ) {
        parts[Part.similarity.rawValue] = profile.map { product(item.vector, $0.sum) } ?? 0
        parts[Part.background.rawValue] = (profile?.spread ?? 1) * item.background
        parts[Part.popularity.rawValue] = item.popularity
        parts[Part.tower.rawValue] = tower
        parts[Part.level.rawValue] = level
        parts[Part.constant.rawValue] = 1
        var affinity: Float = 0
        if let direction = profile?.direction, direction.count == item.direction.count, !direction.isEmpty {
            affinity = direction.withUnsafeBufferPointer { user in
                item.direction.withUnsafeBufferPointer { own in
                    guard let user = user.baseAddress, let start = own.baseAddress else { return 0 }
                    return Kernels.dot(user, start, count: own.count)
                }
            }
        }
        parts[Part.affinity.rawValue] = affinity
        parts[Part.strength.rawValue] = affinity * item.length
    }

    /// The score of an item for a user, a logit.
    public func score(_ item: Item, profile: Profile?, tower: Float, level: Float) -> Float {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Part.count) { parts in
            guard let start = parts.baseAddress else { return 0 }
            write(item, profile: profile, tower: tower, level: level, into: start)
            var sum: Float = 0
            for place in 0..<Part.count { sum += weights[place] * start[place] }
            return sum
        }
    }

    @inline(__always)
    private func product(_ vector: SparseContent, _ dense: [Float]) -> Float {
        dense.withUnsafeBufferPointer { dense in
            vector.tokens.withUnsafeBufferPointer { tokens in
                vector.weights.withUnsafeBufferPointer { weights in
                    var sum: Float = 0
                    for place in 0..<tokens.count { sum += weights[place] * dense[Int(tokens[place])] }
                    return sum
                }
            }
        }
    }
}
