/// Vectors of items by what their content says, in a space that was learned from who took what: the space in which categories adapt.
///
/// Few numbers an item: the leading singular vectors of the users × items matrix, each item's predicted from its tokens and numbers by
/// ridge regression, in the same regression as its popularity. So an item without history has a vector, and a user has
/// one at once by the items of their history.
public struct ContentFactors: Sendable, Equatable {
    /// Numbers in a vector.
    public let rank: Int
    /// `[tokens, rank + 1]`, `[numbers, rank + 1]` and `[rank + 1]`: what each adds; the last column is ln popularity.
    let tokenRows, numberRows, mean: [Float]
    /// `[items of the model, rank]`: what an item of a history adds to a user's vector.
    let historyRows: [Float]

    /// Factors are of a matrix whose columns are divided by popularity to this power, and whose rows by the length of histories.
    static let popularityPower: Float = 0.25
    /// Counts are damped by so many.
    static let damping: Float = 10

    /// An item without history.
    public struct Item: Sendable, Equatable {
        /// `[rank]`
        public var vector: [Float]
        /// Expected ln popularity, relative to the mean.
        public var popularity: Float
    }

    init(rank: Int, tokenRows: [Float], numberRows: [Float], mean: [Float], historyRows: [Float]) {
        self.rank = rank
        self.tokenRows = tokenRows
        self.numberRows = numberRows
        self.mean = mean
        self.historyRows = historyRows
    }

    /// Items that histories know.
    public var itemCount: Int { historyRows.count / max(rank, 1) }

    /// The vector of an item by its content.
    ///
    /// - Parameter own: as `channel`, with which the factors were learned, gives it.
    public func item(_ content: ItemContent, own: SparseContent, channel: ContentChannel) -> Item {
        item(own, numbers: channel.numbers.values(of: content))
    }

    func item(_ own: SparseContent, numbers: [Float]) -> Item {
        let width = rank + 1
        var sum = mean
        for (token, weight) in zip(own.tokens, own.weights) where (Int(token) + 1) * width <= tokenRows.count {
            for place in 0..<width { sum[place] += weight * tokenRows[Int(token) * width + place] }
        }
        for (number, value) in numbers.enumerated() {
            for place in 0..<width { sum[place] += value * numberRows[number * width + place] }
        }
        return Item(vector: Array(sum[..<rank]), popularity: sum[rank])
    }

    /// A user's vector by the items of their history, `[rank]`; rows of the model's items, others are passed over.
    public func user(_ history: some Sequence<Int32>) -> [Float] {
        var sum = [Float](repeating: 0, count: rank), count: Float = 0
        for row in history where row >= 0 && Int(row) < itemCount {
            count += 1
            for place in 0..<rank { sum[place] += historyRows[Int(row) * rank + place] }
        }
        let scale = Self.userScale / (count + Self.damping).squareRoot()
        return sum.map { $0 * scale }
    }

    /// Factors are of unit length over all items, so products of vectors are small: this brings them to the size of logits.
    static let userScale: Float = 400
}
