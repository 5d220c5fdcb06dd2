import ContentModel

/// Finds items whose content is like one item's: a space of its own beside the towers', in which an item is at home before anybody
/// met it.
///
/// An inverted file of the heaviest tokens of each vector. A search walks the lists of the tokens that weigh most until it has read
/// ``scannedLimitEntries``, then compares the best rows with the whole vector, by cosine. Tokens that very many items share say little
/// and have no list.
struct ContentNeighbours: Sendable {
    /// Tokens kept of a vector.
    private static let keptTokens = 32
    /// A token of more items than this share of all, and than ``commonItems``, has no list.
    private static let commonShare = 0.1
    private static let commonItems = 1_000
    /// Entries of lists that a search reads at most.
    private static let scannedLimitEntries = 200_000
    /// Rows compared by their whole vectors, for each that is wanted.
    private static let comparedPerWanted = 4

    /// By token: where its list begins; one more than there are tokens.
    private let starts: [Int32]
    private let rows: [Int32]
    private let weights: [Float]

    /// - Parameters:
    ///   - vectors: by row; an empty one is never found.
    ///   - tokenCount: above every token.
    /// - Complexity: O(all tokens of all vectors)
    init(_ vectors: [SparseContent], tokenCount: Int) {
        var frequency = [Int32](repeating: 0, count: tokenCount)
        let kept = vectors.map(Self.heaviest)
        for vector in kept { for (token, _) in vector { frequency[Int(token)] += 1 } }
        let common = Int32(clamping: max(Self.commonItems, Int(Double(vectors.count) * Self.commonShare)))
        var starts = [Int32](repeating: 0, count: tokenCount + 1)
        for token in 0..<tokenCount { starts[token + 1] = starts[token] + (frequency[token] > common ? 0 : frequency[token]) }
        var ends = starts
        var rows = [Int32](repeating: 0, count: Int(starts[tokenCount]))
        var weights = [Float](repeating: 0, count: rows.count)
        for (row, vector) in kept.enumerated() {
            for (token, weight) in vector where frequency[Int(token)] <= common {
                let place = Int(ends[Int(token)])
                rows[place] = Int32(row)
                weights[place] = weight
                ends[Int(token)] += 1
            }
        }
        self.starts = starts
        self.rows = rows
        self.weights = weights
    }

    /// The rows whose content is nearest, best first, each with its cosine; none that shares no listed token.
    ///
    /// - Parameters:
    ///   - vector: of a row of the build; later: rows that came or changed since, which are compared one by one.
    func nearest(
        _ count: Int, to query: SparseContent, later: RowMap<SparseContent>, vector: (Int32) -> SparseContent?,
        where admits: (Int32) -> Bool
    ) -> [Candidate] {
        guard count > 0, !query.isEmpty else { return [] }
        var sums: [Int32: Float] = [:]
        var read = 0
        for (token, weight) in Self.heaviest(query).sorted(by: { $0.weight != $1.weight ? $0.weight > $1.weight : $0.token < $1.token }) {
            guard Int(token) + 1 < starts.count, read < Self.scannedLimitEntries else { continue }
            let list = Int(starts[Int(token)])..<Int(starts[Int(token) + 1])
            read += list.count
            for place in list { sums[rows[place], default: 0] += weight * weights[place] }
        }
        var compared = TopRows(limit: Self.comparedPerWanted * count)
        for (row, sum) in sums where later[row] == nil && compared.wouldKeep(sum) && admits(row) { compared.offer(row, sum) }
        var top = TopRows(limit: count)
        for candidate in compared.sorted() {
            if let own = vector(candidate.row) { top.offer(candidate.row, Self.cosine(query, own)) }
        }
        later.forEach { row, own in
            guard admits(row) else { return }
            let cosine = Self.cosine(query, own)
            if cosine > 0 { top.offer(row, cosine) }
        }
        return top.sorted()
    }

    /// The tokens that weigh most, with their share of the vector's length.
    private static func heaviest(_ vector: SparseContent) -> [(token: Int32, weight: Float)] {
        let length = length(vector)
        guard length > 0 else { return [] }
        var tokens = zip(vector.tokens, vector.weights).map { (token: $0, weight: $1 / length) }
        guard tokens.count > keptTokens else { return tokens }
        tokens.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.token < $1.token }
        return Array(tokens.prefix(keptTokens))
    }

    private static func length(_ vector: SparseContent) -> Float {
        vector.weights.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    static func cosine(_ left: SparseContent, _ right: SparseContent) -> Float {
        let lengths = length(left) * length(right)
        guard lengths > 0 else { return 0 }
        var sum: Float = 0
        var (a, b) = (0, 0)
        while a < left.tokens.count, b < right.tokens.count {
            if left.tokens[a] == right.tokens[b] {
                sum += left.weights[a] * right.weights[b]
                a += 1
                b += 1
            } else if left.tokens[a] < right.tokens[b] {
                a += 1
            } else {
                b += 1
            }
        }
        return sum / lengths
    }
}
