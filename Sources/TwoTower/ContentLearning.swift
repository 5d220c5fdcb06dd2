#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Learns a ``ContentChannel`` in closed form from items, their contents and who took them.
///
/// The expected popularity is a ridge regression of ln(1 + interactions) on tokens and numbers, solved by conjugate gradients. For
/// items that are treated as new, the regression leaves them out (``popularity(of:)``).
public struct ContentLearning: Sendable {
    /// Parts into which items fall; each part's popularity is predicted from the others.
    public static let folds = 5
    private static let ridge = 4.0
    private static let stepLimit = 60

    /// The channel under ``ContentChannel/defaultWeights``.
    public let channel: ContentChannel
    /// Each item as the channel sees it, its popularity predicted without it.
    public let items: [ContentChannel.Item]
    /// Each item's own vector.
    public let vectors: [SparseContent]

    /// The fold of an item: by its id, so that it does not change with what else there is.
    public static func fold(of itemID: String) -> Int {
        Int(FeatureHash.mixed(FeatureHash.hash(itemID.utf8, field: .link)) % UInt64(folds))
    }

    /// - Parameters:
    ///   - users: each user's entries of `events`, which hold item rows.
    ///   - clock: milliseconds since 1970 that ages are measured to.
    public init(
        itemIDs: [String], contents: [ItemContent], users: [Range<Int>], events: UnsafeBufferPointer<Int32>, clock: Int64,
        rules: ContentRules
    ) {
        precondition(itemIDs.count == contents.count, "\(itemIDs.count) items with \(contents.count) contents")
        var counts = [Int](repeating: 0, count: itemIDs.count)
        var shares = [Float](repeating: 0, count: itemIDs.count)
        var asked: Float = 0
        for rows in users where !rows.isEmpty {
            asked += 1
            for event in rows {
                counts[Int(events[event])] += 1
                shares[Int(events[event])] += 1 / Float(rows.count)
            }
        }
        let met = itemIDs.indices.filter { counts[$0] > 0 }
        let vocabulary = ContentVocabulary(rules: rules, itemIDs: met.map { itemIDs[$0] }, contents: met.map { contents[$0] })
        let numbers = ContentNumbers(met.map { contents[$0] }, clock: clock)
        let vectors = zip(itemIDs, contents).map { vocabulary.vector(of: $1, id: $0) }
        var background = [Float](repeating: 0, count: vocabulary.count)
        for row in met {
            for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) {
                background[Int(token)] += shares[row] / max(1, asked) * weight
            }
        }
        let regression = PopularityRegression(
            vectors: met.map { vectors[$0] }, numbers: met.map { numbers.values(of: contents[$0]) },
            targets: met.map { log(Double(counts[$0]) + 1) }, tokens: vocabulary.count)
        let fitted = regression.solve(ridge: Self.ridge, steps: Self.stepLimit) { _ in true }
        channel = ContentChannel(
            vocabulary: vocabulary, numbers: numbers, background: background, tokenPopularity: fitted.tokens,
            numberPopularity: fitted.numbers, weights: ContentChannel.defaultWeights)
        self.vectors = vectors
        let rows = Dictionary(itemIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        let folds = itemIDs.map { Self.fold(of: $0) }
        let metFolds = met.map { folds[$0] }
        let others = (0..<Self.folds).map { fold in
            let part = regression.solve(ridge: Self.ridge, steps: Self.stepLimit) { metFolds[$0] != fold }
            return ContentChannel(
                vocabulary: vocabulary, numbers: numbers, background: background, tokenPopularity: part.tokens,
                numberPopularity: part.numbers, weights: ContentChannel.defaultWeights)
        }
        items = itemIDs.indices.map { row in
            let linked = vocabulary.links(of: contents[row]).compactMap { rows[$0].map { vectors[$0] } }
            return others[folds[row]].item(contents[row], own: vectors[row], linked: linked)
        }
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
