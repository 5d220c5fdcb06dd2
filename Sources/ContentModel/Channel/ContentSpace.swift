import Tensors

/// A dense space in which contents lie near what the same users take: the content encoder that is pre-trained on pairs of items of one
/// user's history.
///
/// The spectral contrastive loss over such pairs has its least value in closed form (``InteractionFactors``); the encoder is the linear
/// map of tokens and plain numbers that comes nearest to it (``ContentRegression``), so items that nobody took have a place too. An
/// item's place is a vector of length 1; a user's is the direction of the sum of their history, in which trained items stand with
/// their own factors and others with what the encoder says.
public struct ContentSpace: Sendable {
    /// Components of a vector.
    public let dimension: Int
    /// By token of the vocabulary the row of ``tokens``, −1 for one too many.
    let rows: [Int32]
    /// `[rows, dimension]`
    let tokens: [Float]
    /// `[ContentNumbers.count, dimension]`
    let numbers: [Float]
    /// `[dimension]`: where an item lies of which nothing is known.
    let mean: [Float]
    /// Hashes of the trained items' ids, ascending.
    let trained: [UInt64]
    /// `[trained, dimension]`
    let factors: [Float]
    /// The mean length of ``factors``: how much an item counts in a history that nobody took.
    let factorLength: Float
    /// The mean distance from 0 at which the encoder puts the trained items.
    let meanLength: Float

    /// Components at most.
    static let dimensionLimit = 384
    /// For so many items one component; at least ``dimensionLeast`` from ``itemsLeast`` items on.
    private static let itemsPerComponent = 28
    private static let dimensionLeast = 16
    private static let itemsLeast = 64
    /// Numbers of the token table at most; the rarest tokens are left out.
    private static let tableLimit = 16 << 20
    private static let tokensLimit = 1 << 16

    init(
        dimension: Int, rows: [Int32], tokens: [Float], numbers: [Float], mean: [Float], trained: [UInt64], factors: [Float],
        factorLength: Float, meanLength: Float
    ) {
        self.dimension = dimension
        self.rows = rows
        self.tokens = tokens
        self.numbers = numbers
        self.mean = mean
        self.trained = trained
        self.factors = factors
        self.factorLength = factorLength
        self.meanLength = meanLength
    }

    /// Learns a space; nil where there are too few items for one.
    ///
    /// - Parameters:
    ///   - met: rows of the items that somebody took, and that are not to be treated as new.
    ///   - candidates, numbers: of every item, as it would be found without history.
    ///   - users, events: who took what.
    init?(
        itemIDs: [String], met: [Int], candidates: [SparseContent], numbers: [[Float]], vocabulary: ContentVocabulary, users: [Range<Int>],
        events: UnsafeBufferPointer<Int32>, threads: Int
    ) {
        var documents = [Int32](repeating: 0, count: vocabulary.count)
        for item in met { for token in candidates[item].tokens { documents[Int(token)] += 1 } }
        let kept = vocabulary.hashes.indices.filter { documents[$0] > 0 }
            .sorted { documents[$0] != documents[$1] ? documents[$0] > documents[$1] : $0 < $1 }.prefix(Self.tokensLimit)
        guard met.count >= Self.itemsLeast, !kept.isEmpty else { return nil }
        let size = max(
            Self.dimensionLeast, min(Self.dimensionLimit, met.count / Self.itemsPerComponent, Self.tableLimit / kept.count) / 16 * 16)
        var rows = [Int32](repeating: -1, count: vocabulary.count)
        for (row, token) in kept.sorted().enumerated() { rows[token] = Int32(row) }
        var uses = [Bool](repeating: false, count: itemIDs.count)
        for item in met { uses[item] = true }
        let factors = InteractionFactors(items: itemIDs.count, users: users, events: events, dimension: size, uses: uses, threads: threads)
        let learned = ContentRegression(
            vectors: met.map { Self.renumbered(candidates[$0], rows) }, numbers: met.map { numbers[$0] }, tokens: kept.count,
            threads: threads
        ).fit(met.flatMap { factors.target[$0 * size..<($0 + 1) * size] }, width: size).fit
        let hashes = met.map { (hash: FeatureHash.hash(itemIDs[$0].utf8, field: .link), item: $0) }.sorted { $0.hash < $1.hash }
        var own: [Float] = [], lengths: Float = 0
        own.reserveCapacity(hashes.count * size)
        for (_, item) in hashes {
            let factor = factors.history[item * size..<(item + 1) * size]
            lengths += factor.reduce(0) { $0 + $1 * $1 }.squareRoot()
            own += factor
        }
        func space(meanLength: Float) -> ContentSpace {
            ContentSpace(
                dimension: size, rows: rows, tokens: learned.tokens, numbers: learned.numbers, mean: learned.mean,
                trained: hashes.map(\.hash),
                factors: own, factorLength: lengths / Float(max(1, hashes.count)), meanLength: meanLength)
        }
        let first = space(meanLength: 1)
        let distances = met.reduce(Float(0)) { $0 + first.encode(candidates[$1], numbers: numbers[$1]).length }
        self = space(meanLength: distances / Float(max(1, met.count)))
    }

    /// Where a content lies.
    ///
    /// - Returns: `[dimension]`, of length 1, with the length before, which says how sure the encoder is.
    /// - Complexity: O(tokens · dimension)
    func encode(_ content: SparseContent, numbers values: [Float]) -> (vector: [Float], length: Float) {
        var sum = mean
        sum.withUnsafeMutableBufferPointer { sum in
            tokens.withUnsafeBufferPointer { table in
                numbers.withUnsafeBufferPointer { plain in
                    guard let sum = sum.baseAddress, let table = table.baseAddress, let plain = plain.baseAddress else { return }
                    for (token, weight) in zip(content.tokens, content.weights) where rows[Int(token)] >= 0 {
                        Kernels.axpy(weight, table + Int(rows[Int(token)]) * dimension, into: sum, count: dimension)
                    }
                    for (index, value) in values.enumerated() {
                        Kernels.axpy(ContentRegression.numbersWeight * value, plain + index * dimension, into: sum, count: dimension)
                    }
                }
            }
        }
        return Self.directed(sum)
    }

    /// The place of a trained item in ``add(_:weight:to:)``; nil for one that nobody took.
    public func place(of itemID: String) -> Int32? {
        let hash = FeatureHash.hash(itemID.utf8, field: .link)
        var low = 0, high = trained.count
        while low < high {
            let middle = (low + high) / 2
            if trained[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return low < trained.count && trained[low] == hash ? Int32(low) : nil
    }

    /// Adds what a trained item counts in a history.
    public func add(_ place: Int32, to sum: inout [Float]) {
        precondition(sum.count == dimension && place >= 0 && Int(place) < trained.count, "no place \(place) in a sum of \(sum.count)")
        sum.withUnsafeMutableBufferPointer { sum in
            factors.withUnsafeBufferPointer { factors in
                if let sum = sum.baseAddress, let start = factors.baseAddress {
                    Kernels.axpy(1, start + Int(place) * dimension, into: sum, count: dimension)
                }
            }
        }
    }

    /// Adds what an item counts in a history that nobody took.
    public func add(_ item: ContentChannel.Item, to sum: inout [Float]) {
        guard item.direction.count == sum.count else { return }
        for place in sum.indices { sum[place] += factorLength * item.direction[place] }
    }

    /// A vector scaled to length 1 and its length; zeros stay zeros.
    static func directed(_ values: [Float]) -> (vector: [Float], length: Float) {
        let length = values.withUnsafeBufferPointer { values in
            values.baseAddress.map { Kernels.dot($0, $0, count: values.count).squareRoot() } ?? 0
        }
        guard length > 1e-20, length.isFinite else { return ([Float](repeating: 0, count: values.count), 0) }
        return (values.map { $0 / length }, length)
    }

    private static func renumbered(_ vector: SparseContent, _ rows: [Int32]) -> SparseContent {
        var result = SparseContent()
        for (token, weight) in zip(vector.tokens, vector.weights) where rows[Int(token)] >= 0 {
            result.tokens.append(rows[Int(token)])
            result.weights.append(weight)
        }
        return result
    }
}
