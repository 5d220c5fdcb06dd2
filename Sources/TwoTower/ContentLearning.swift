#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Learns a ``ContentChannel`` in closed form from items, their contents and who took them.
///
/// The expected popularity is a ridge regression of ln(1 + interactions) on tokens and numbers, solved by conjugate gradients; the dense
/// space is ``ContentSpace``. Items may be withheld: then nothing of who took them is learned, nothing links to them, and they stand in
/// ``items`` as new items do when they arrive. On such items the channel's weights are fitted.
public struct ContentLearning: Sendable {
    /// Parts into which items fall by ``fold(of:)``.
    public static let folds = 5
    private static let ridge = 2.0
    private static let stepLimit = 60

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
        Int(FeatureHash.mixed(FeatureHash.hash(itemID.utf8, field: .link)) % UInt64(folds))
    }

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
        let popularity = PopularityRegression(
            vectors: met.map { vectors[$0] }, numbers: met.map { values[$0] }, targets: met.map { log(Double(counts[$0]) + 1) },
            tokens: vocabulary.count
        ).solve(ridge: Self.ridge, steps: Self.stepLimit) { _ in true }
        let rows = Dictionary(itemIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        func linked(_ row: Int) -> [SparseContent] {
            vocabulary.links(of: contents[row]).compactMap { rows[$0].flatMap { isNew[$0] ? nil : vectors[$0] } }
        }
        let space = ContentSpace(
            itemIDs: itemIDs, met: met, candidates: itemIDs.indices.map { vocabulary.candidate(vectors[$0], linked: linked($0)) },
            numbers: values, vocabulary: vocabulary, users: users, events: events, threads: threads)
        let channel = ContentChannel(
            vocabulary: vocabulary, numbers: numbers, background: background, tokenPopularity: popularity.tokens,
            numberPopularity: popularity.numbers, space: space, weights: ContentChannel.defaultWeights)
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

/// Ridge regression on sparse tokens and dense numbers; the mean is not penalised.
struct PopularityRegression {
    let vectors: [SparseContent]
    /// `[items][ContentNumbers.count]`
    let numbers: [[Float]]
    let targets: [Double]
    let tokens: Int

    /// Minimises Σ (x·w − (y − mean))² + ridge |w|² over the items that `uses` takes, by conjugate gradients.
    func solve(ridge: Double, steps: Int, uses: (Int) -> Bool) -> (tokens: [Float], numbers: [Float]) {
        let used = targets.indices.filter(uses), width = tokens + ContentNumbers.count
        guard !used.isEmpty else {
            return ([Float](repeating: 0, count: tokens), [Float](repeating: 0, count: ContentNumbers.count))
        }
        let mean = used.reduce(0.0) { $0 + targets[$1] } / Double(used.count)
        func forward(_ row: Int, _ w: [Double]) -> Double {
            var sum = 0.0
            for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) { sum += Double(weight) * w[Int(token)] }
            for (place, value) in numbers[row].enumerated() { sum += Double(value) * w[tokens + place] }
            return sum
        }
        func add(_ row: Int, _ factor: Double, _ into: inout [Double]) {
            for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) { into[Int(token)] += factor * Double(weight) }
            for (place, value) in numbers[row].enumerated() { into[tokens + place] += factor * Double(value) }
        }
        var w = [Double](repeating: 0, count: width), residual = w
        for row in used { add(row, targets[row] - mean, &residual) }
        var direction = residual
        var square = residual.reduce(0) { $0 + $1 * $1 }
        let enough = square * 1e-8
        for _ in 0..<steps where square > enough {
            var image = direction.map { ridge * $0 }
            for row in used { add(row, forward(row, direction), &image) }
            let step = square / zip(direction, image).reduce(0) { $0 + $1.0 * $1.1 }
            for place in 0..<width {
                w[place] += step * direction[place]
                residual[place] -= step * image[place]
            }
            let next = residual.reduce(0) { $0 + $1 * $1 }
            for place in 0..<width { direction[place] = residual[place] + next / square * direction[place] }
            square = next
        }
        return (w[..<tokens].map { Float($0) }, w[tokens...].map { Float($0) })
    }
}
