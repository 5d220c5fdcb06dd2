#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The rivals of a model for new items that somebody who knows their records would write in an afternoon: the cosine between what a user
/// had and an item, alone or weighed by the popularity that items of such content have.
public struct ContentCosine: Sendable {
    /// What is set of it; the first of ``plain`` and of ``weighed`` is the usual one.
    public struct Setting: Sendable, Hashable {
        /// The power that a token's rarity counts by: 1 as the channel has it, 0 all tokens alike.
        public var rarityPower: Float
        /// Distinct items of a history that make the profile, the newest; 0 for all.
        public var newestItems: Int
        /// What expected popularity counts, in logarithms; 0 for nothing.
        public var popularity: Float

        /// All of it.
        public init(rarityPower: Float = 1, newestItems: Int = 0, popularity: Float = 0) {
            (self.rarityPower, self.newestItems, self.popularity) = (rarityPower, newestItems, popularity)
        }

        /// The settings of the profile alone: those that give the same cosines are asked once.
        public var profile: Setting { Setting(rarityPower: rarityPower, newestItems: newestItems) }
    }

    /// Powers of rarity and lengths of histories that are tried.
    private static let powers: [Float] = [1, 0.5, 2], lengths = [0, 20, 5]
    /// Weights of popularity that are tried.
    private static let popularities: [Float] = [0.5, 0.25, 1]

    /// Settings of the cosine alone.
    public static let plain = powers.flatMap { power in lengths.map { Setting(rarityPower: power, newestItems: $0) } }
    /// Settings of the cosine weighed by popularity.
    public static let weighed = plain.flatMap { own in
        popularities.map { Setting(rarityPower: own.rarityPower, newestItems: own.newestItems, popularity: $0) }
    }

    /// What no cosine counts beside one of 1, so that popularity has a say where nothing else has.
    private static let floor: Float = 0.01

    /// By item of the log its own vector, as it counts in histories.
    private let vectors: [SparseContent]
    private let items: [ContentChannel.Item]
    private let rarity: [Float]
    /// By ``Setting/rarityPower``, of each item its vector of length 1.
    private let directions: [Float: [SparseContent]]

    /// - Parameters:
    ///   - learning: from what may be learned from.
    ///   - items: those that are ranked, as the channel sees them.
    public init(_ learning: ContentLearning, items: [ContentChannel.Item]) {
        vectors = learning.vectors
        self.items = items
        let rarity = learning.channel.vocabulary.inverseFrequency
        self.rarity = rarity
        directions = Dictionary(uniqueKeysWithValues: Self.powers.map { power in
            (power, items.map { Self.directed(Self.weighed($0.vector, by: rarity, power: power)) })
        })
    }

    /// Whether anything is known of an item, by its place among those that are ranked.
    public func isKnown(_ place: Int) -> Bool { !items[place].vector.isEmpty }

    /// The popularity that each item is expected to have, in logarithms beside the mean: the same list for everybody.
    public var popularity: [Float] { items.map(\.popularity) }

    /// The cosine of each item with a history.
    ///
    /// - Parameter history: rows of the log, oldest first; repeats count once.
    public func cosines(_ history: some BidirectionalCollection<Int>, _ setting: Setting) -> [Float] {
        var profile = [Float](repeating: 0, count: rarity.count), met = Set<Int>(), square: Float = 0
        for row in history.reversed() where setting.newestItems == 0 || met.count < setting.newestItems {
            guard met.insert(row).inserted else { continue }
            let own = Self.weighed(vectors[row], by: rarity, power: setting.rarityPower)
            for (token, weight) in zip(own.tokens, own.weights) {
                let before = profile[Int(token)], after = before + weight
                square += after * after - before * before
                profile[Int(token)] = after
            }
        }
        let length = square > 0 ? square.squareRoot() : 1
        let directions = directions[setting.rarityPower] ?? items.map {
            Self.directed(Self.weighed($0.vector, by: rarity, power: setting.rarityPower))
        }
        return profile.withUnsafeBufferPointer { profile in
            directions.map { item in
                var sum: Float = 0
                for place in item.tokens.indices { sum += item.weights[place] * profile[Int(item.tokens[place])] }
                return sum / length
            }
        }
    }

    /// The score of each item from its cosine: weighed by popularity where the setting says so.
    public func scores(_ cosines: [Float], _ setting: Setting) -> [Float] {
        guard setting.popularity != 0 else { return cosines }
        return cosines.indices.map { (max(0, cosines[$0]) + Self.floor) * exp(setting.popularity * items[$0].popularity) }
    }

    /// The vector with each token's rarity counting by another power.
    private static func weighed(_ vector: SparseContent, by rarity: [Float], power: Float) -> SparseContent {
        guard power != 1 else { return vector }
        var own = vector
        for place in own.tokens.indices { own.weights[place] *= pow(rarity[Int(own.tokens[place])], power - 1) }
        return own
    }

    private static func directed(_ vector: SparseContent) -> SparseContent {
        var own = vector
        let length = own.weights.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        guard length > 0 else { return own }
        for place in own.weights.indices { own.weights[place] /= length }
        return own
    }
}
