import Bytes

/// Learns a ``ContentChannel`` in closed form from items, their contents and who took them.
///
/// The expected popularity is ``ContentPopularity``, the dense space ``ContentSpace``. Items may be withheld: then nothing of who took
/// them is learned, nothing links to them, and they stand in ``items`` as new items do when they arrive. On such items the channel's
/// weights are fitted.
public struct ContentLearning: Sendable {
    /// Parts into which items fall by ``fold(of:)``.
    public static let folds = 5
    /// The fold on which strengths are chosen; the first may be withheld.
    private static let judgeFold = 1

    /// The channel under ``ContentChannel/defaultWeights``.
    public let channel: ContentChannel
    /// Each item as the channel sees it.
    public let items: [ContentChannel.Item]
    /// Each item's own vector.
    public let vectors: [SparseContent]
    /// By item its place in the ``ContentSpace``; nil for those that nobody took or that were withheld.
    public let places: [Int32?]

    /// The fold of an item: by its id, so that it does not change with what else there is.
    public static func fold(of itemID: String) -> Int {
        Int(SplitMix64Mixing.mixed(FeatureHash.hash(itemID.utf8, field: .link)) % UInt64(folds))
    }

    /// Whether strengths are chosen on an item.
    static func isJudge(_ itemID: String) -> Bool { fold(of: itemID) == judgeFold }

    /// - Parameters:
    ///   - users: each user's entries of `events`, which hold item rows.
    ///   - clock: milliseconds since 1970 that ages are measured to.
    ///   - withheld: by item whether it is treated as if it were to arrive later; empty for none.
    public init(
        itemIDs: [String], contents: [ItemContent], users: [Range<Int>], events: UnsafeBufferPointer<Int32>, clock: Int64,
        rules: ContentRules, withheld: [Bool] = [], threads: Int = 1
    ) {
        precondition(itemIDs.count == contents.count, "\(itemIDs.count) items with \(contents.count) contents")
        precondition(withheld.isEmpty || withheld.count == itemIDs.count, "\(withheld.count) marks for \(itemIDs.count) items")
        let isNew = withheld.isEmpty ? [Bool](repeating: false, count: itemIDs.count) : withheld
        var counts = [Int](repeating: 0, count: itemIDs.count)
        var shares = [Float](repeating: 0, count: itemIDs.count)
        var asked: Float = 0
        for rows in users {
            let known = rows.count { !isNew[Int(events[$0])] }
            guard known > 0 else { continue }
            asked += 1
            for event in rows where !isNew[Int(events[event])] {
                counts[Int(events[event])] += 1
                shares[Int(events[event])] += 1 / Float(known)
            }
        }
        let met = itemIDs.indices.filter { counts[$0] > 0 }
        let vocabulary = ContentVocabulary(
            rules: rules, itemIDs: met.map { itemIDs[$0] }, contents: met.map { contents[$0] },
            unknown: itemIDs.indices.filter { isNew[$0] }.map { itemIDs[$0] })
        let numbers = ContentNumbers(met.map { contents[$0] }, clock: clock)
        let vectors = zip(itemIDs, contents).map { vocabulary.vector(of: $1, id: $0) }
        var background = [Float](repeating: 0, count: vocabulary.count)
        for row in met {
            for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) {
                background[Int(token)] += shares[row] / max(1, asked) * weight
            }
        }
        let values = contents.map { numbers.values(of: $0) }
        let learned = ContentPopularity.sample(of: met)
        let popularity = ContentPopularity(
            tokens: learned.map { vocabulary.tokens(of: contents[$0]) }, numbers: learned.map { values[$0] },
            counts: learned.map { counts[$0] },
            isJudge: learned.map { Self.isJudge(itemIDs[$0]) }, vocabularySize: vocabulary.count)
        let rows = Dictionary(itemIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        func linked(_ row: Int) -> [SparseContent] {
            vocabulary.links(of: contents[row]).compactMap { rows[$0].flatMap { isNew[$0] ? nil : vectors[$0] } }
        }
        let space = ContentSpace(
            itemIDs: itemIDs, met: met, candidates: itemIDs.indices.map { vocabulary.candidate(vectors[$0], linked: linked($0)) },
            numbers: values, vocabulary: vocabulary, users: users, events: events, threads: threads)
        let channel = ContentChannel(
            vocabulary: vocabulary, numbers: numbers, background: background, popularity: popularity, space: space,
            weights: ContentChannel.defaultWeights)
        self.channel = channel
        self.vectors = vectors
        places = itemIDs.map { space?.place(of: $0) }
        items = itemIDs.indices.map { channel.item(contents[$0], own: vectors[$0], linked: linked($0)) }
    }

    /// The profile of a history of items.
    public func profile(_ history: some Sequence<Int>) -> ContentChannel.Profile? {
        var taste = [Float](repeating: 0, count: channel.space?.dimension ?? 0)
        for row in history {
            if let place = places[row] { channel.space?.add(place, to: &taste) } else { channel.space?.add(items[row], to: &taste) }
        }
        return channel.profile(history.lazy.map { vectors[$0] }, taste: taste)
    }
}
