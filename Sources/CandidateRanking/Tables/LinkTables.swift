import Evaluation

/// What goes with what, as the counters that a shop would try see it.
public struct LinkTables: Sendable, Equatable {
    /// Bounds of what is counted and kept.
    public struct Bounds: Sendable, Equatable {
        /// Interactions that links are counted from, about: of more, every k-th user's.
        public var eventsLimit: Int
        /// Items that EASE models, the most popular: its cost grows with their cube.
        public var easeItemsLimit: Int

        /// Makes bounds.
        public init(eventsLimit: Int = 1_000_000, easeItemsLimit: Int = 4_000) {
            (self.eventsLimit, self.easeItemsLimit) = (eventsLimit, easeItemsLimit)
        }
    }

    /// Links that are kept of an item, by kind.
    static let easeKept = 100, followersKept = 100, nextKept = 50, neighboursKept = 50
    /// λ of EASE, in users.
    static let easeLambda: Float = 100
    /// The power of the sum reaching an item that transitions are divided by: popular items keep most of their lead.
    static let reachingPower = 0.2

    /// EASE (Steck 2019): the weights of a linear model from what one had to what goes with it.
    public internal(set) var ease: ItemLinks
    /// What follows within ten steps, and what comes next.
    public internal(set) var followers, next: ItemLinks
    /// The cosine of the people who had both.
    public internal(set) var neighbours: ItemLinks

    /// Links from their parts.
    init(ease: ItemLinks, followers: ItemLinks, next: ItemLinks, neighbours: ItemLinks) {
        (self.ease, self.followers, self.next, self.neighbours) = (ease, followers, next, neighbours)
    }

    /// Counts them.
    ///
    /// - Complexity: O(events × 10 + Σ distinct items of a user² + EASE's items³).
    public init(_ events: CountedEvents, bounds: Bounds = Bounds()) {
        let sequences = events.sequences(limitEvents: bounds.eventsLimit), count = events.itemCount
        let markov = MarkovRival(sequences: sequences, itemCount: count, window: 10, reachingPower: Self.reachingPower)
        followers = ItemLinks(itemCount: count) { markov.strongest(Self.followersKept, after: $0) }
        let first = MarkovRival(sequences: sequences, itemCount: count, window: 1, reachingPower: Self.reachingPower)
        next = ItemLinks(itemCount: count) { first.strongest(Self.nextKept, after: $0) }
        let likeness = ItemItemRival(sequences: sequences, itemCount: count, shrinkage: 5)
        neighbours = ItemLinks(itemCount: count) { likeness.strongest(Self.neighboursKept, of: $0) }
        let gram = EASERival.Gram(sequences: sequences, itemCount: count, itemsLimit: bounds.easeItemsLimit)
        let model = EASERival(gram, lambda: Self.easeLambda)
        ease = ItemLinks(itemCount: count) { model.strongest(Self.easeKept, of: $0) }
    }

    /// The same links under other row numbers; see ``ItemLinks/renumbered(_:itemCount:)``.
    func renumbered(_ rows: [Int32], itemCount: Int) -> LinkTables {
        LinkTables(
            ease: ease.renumbered(rows, itemCount: itemCount), followers: followers.renumbered(rows, itemCount: itemCount),
            next: next.renumbered(rows, itemCount: itemCount), neighbours: neighbours.renumbered(rows, itemCount: itemCount))
    }
}
