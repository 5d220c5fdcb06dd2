#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What items' records say, as tokens with weights: the rarer a token, the more it says (tf-idf), and all items weigh the same.
public struct ItemTokens: Sendable, Equatable {
    /// Tokens of an item that are kept at most, the rarest.
    static let keptLimit = 40
    /// A token that more than this share of the items have says nothing.
    private static let commonShare = 0.5

    /// Where the tokens of each item begin, and where the last one's end.
    let starts: [Int32]
    let tokens: [Int32]
    /// One a token; of an item they have length 1.
    let weights: [Float]
    /// Tokens that there are.
    let tokenCount: Int

    /// Tokens from their parts.
    init(starts: [Int32], tokens: [Int32], weights: [Float], tokenCount: Int) {
        (self.starts, self.tokens, self.weights, self.tokenCount) = (starts, tokens, weights, tokenCount)
    }

    /// Items that there are.
    var itemCount: Int { starts.count - 1 }

    /// Numbers and weighs the tokens of items; one that only one item has is left out.
    public init(_ texts: [[String]]) {
        var items: [String: Int] = [:]
        let distinct = texts.map { Array(Set($0)) }
        for own in distinct { for token in own { items[token, default: 0] += 1 } }
        let common = Double(texts.count) * Self.commonShare
        let known = items.filter { $0.value > 1 && Double($0.value) <= max(2, common) }.keys.sorted()
        let numbers = Dictionary(uniqueKeysWithValues: known.enumerated().map { ($1, Int32($0)) })
        var starts: [Int32] = [0], tokens: [Int32] = [], weights: [Float] = []
        for own in distinct {
            let kept = own.compactMap { token in numbers[token].map { (number: $0, items: items[token] ?? 1) } }
                .sorted { ($0.items, $0.number) < ($1.items, $1.number) }.prefix(Self.keptLimit)
            let raw = kept.map { Float(log(Double(texts.count + 1) / Double($0.items + 1))) }
            let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
            tokens += kept.map(\.number)
            weights += raw.map { length > 0 ? $0 / length : 0 }
            starts.append(Int32(tokens.count))
        }
        self.init(starts: starts, tokens: tokens, weights: weights, tokenCount: known.count)
    }

    @inline(__always)
    func forEach(_ item: Int32, _ body: (_ token: Int32, _ weight: Float) -> Void) {
        for place in Int(starts[Int(item)])..<Int(starts[Int(item) + 1]) { body(tokens[place], weights[place]) }
    }

    func renumbered(_ rows: [Int32], itemCount: Int) -> ItemTokens {
        var old = [Int32](repeating: -1, count: itemCount)
        for (row, new) in rows.enumerated() where new >= 0 && row < self.itemCount { old[Int(new)] = Int32(row) }
        var starts: [Int32] = [0], tokens: [Int32] = [], weights: [Float] = []
        for row in old {
            if row >= 0 {
                forEach(row) {
                    tokens.append($0)
                    weights.append($1)
                }
            }
            starts.append(Int32(tokens.count))
        }
        return ItemTokens(starts: starts, tokens: tokens, weights: weights, tokenCount: tokenCount)
    }
}

/// What a user's newest items say together, as weights of tokens.
struct TokenProfile {
    /// Newest items that speak, and what each older one counts beside the next.
    static let itemsLimit = 50, decay: Float = 0.9, newestLimit = 2, newestDecay: Float = 0.3

    private var all: [Int32: Float] = [:], newest: [Int32: Float] = [:]

    /// - Parameter history: rows that the tokens know, oldest first.
    init(_ history: [Int32], tokens: ItemTokens) {
        guard tokens.tokenCount > 0 else { return }
        var far: Float = 1, near: Float = 1
        for (place, row) in history.suffix(Self.itemsLimit).reversed().enumerated() {
            tokens.forEach(row) { all[$0, default: 0] += far * $1 }
            if place < Self.newestLimit { tokens.forEach(row) { newest[$0, default: 0] += near * $1 } }
            far *= Self.decay
            near *= Self.newestDecay
        }
    }

    /// How much an item is like what was met lately, and like the newest of it; 0 for what says nothing.
    func likeness(_ row: Int32, tokens: ItemTokens) -> (all: Float, newest: Float) {
        guard !all.isEmpty else { return (0, 0) }
        var far: Float = 0, near: Float = 0
        tokens.forEach(row) {
            far += $1 * (all[$0] ?? 0)
            near += $1 * (newest[$0] ?? 0)
        }
        return (far, near)
    }
}
