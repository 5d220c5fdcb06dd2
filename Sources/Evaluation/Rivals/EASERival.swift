import Tensors

/// A rival in closed form: a linear model from the items that a user had to the items that go with them.
///
/// Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019: with the Gram matrix G = XᵀX of the users' items, X
/// of ones and zeros, and P = (G + λI)⁻¹, the weights are B = I − P / diag(P) (its equations 8 and 9), and a user's scores are
/// the sum of the rows of B of the items that they had.
public struct EASERival: Sendable {
    /// Items at most; of more, the most popular ones take part and the others are never recommended.
    public static let itemsLimit = 8_000

    /// Items that the rival ranks.
    public let itemCount: Int
    /// Items that take part, most popular first.
    public let modelledRows: [Int32]
    /// The place of an item in ``modelledRows``, −1 for none.
    private let places: [Int32]
    /// B, `[modelled, modelled]`.
    private let weights: Matrix
    /// What each older item of a history counts in ``scores(_:)``, times that of the next newer one; 1 counts all alike.
    public var decay: Float = 1

    /// Who had what with what: the Gram matrix of the users' items, once for every λ that is tried.
    public struct Gram: Sendable {
        fileprivate let itemCount: Int
        fileprivate let rows: [Int32]
        fileprivate let places: [Int32]
        /// G on and above the diagonal, `[modelled, modelled]`.
        fileprivate let values: Matrix

        /// Counts pairs.
        ///
        /// - Parameters:
        ///   - sequences: item rows of each user; repeats count once.
        ///   - itemCount: rows are below it.
        ///   - itemsLimit: items that take part at most, the most popular ones.
        /// - Complexity: O(Σ distinct items of a user²); a square matrix of `modelled` rows.
        public init(sequences: [[Int32]], itemCount: Int, itemsLimit: Int = EASERival.itemsLimit) {
            var users = [Int](repeating: 0, count: itemCount)
            let distinct = sequences.map { Array(Set($0)) }
            for items in distinct { for row in items { users[Int(row)] += 1 } }
            var rows = (0..<Int32(itemCount)).filter { users[Int($0)] > 0 }
            rows.sort { users[Int($0)] != users[Int($1)] ? users[Int($0)] > users[Int($1)] : $0 < $1 }
            rows = Array(rows.prefix(max(0, itemsLimit)))
            var places = [Int32](repeating: -1, count: itemCount)
            for (place, row) in rows.enumerated() { places[Int(row)] = Int32(place) }
            let count = rows.count
            var gram = Matrix(rows: count, columns: count)
            gram.withUnsafeMutablePointer { gram in
                for items in distinct {
                    // Ascending places, so that only what is on and right of the diagonal is written, and memory is walked forward.
                    let taken = items.map { places[Int($0)] }.filter { $0 >= 0 }.sorted()
                    for (index, place) in taken.enumerated() {
                        let row = gram + Int(place) * count
                        for other in taken[index...] { row[Int(other)] += 1 }
                    }
                }
            }
            self.itemCount = itemCount
            self.rows = rows
            self.places = places
            values = gram
        }
    }

    /// Solves for the weights, from nothing.
    ///
    /// - Parameters:
    ///   - sequences, itemCount, itemsLimit: as of ``Gram``.
    ///   - lambda: what is added to the diagonal, in users; above 0.
    public init(sequences: [[Int32]], itemCount: Int, lambda: Float = 250, itemsLimit: Int = Self.itemsLimit) {
        self.init(Gram(sequences: sequences, itemCount: itemCount, itemsLimit: itemsLimit), lambda: lambda)
    }

    /// Solves for the weights.
    ///
    /// - Parameter lambda: what is added to the diagonal, in users; above 0.
    /// - Complexity: O(modelled³); two square matrices of `modelled` rows.
    public init(_ counted: Gram, lambda: Float) {
        precondition(lambda > 0, "lambda must be above 0, got \(lambda): without it the matrix may have no inverse")
        itemCount = counted.itemCount
        modelledRows = counted.rows
        places = counted.places
        let count = counted.rows.count
        var gram = counted.values
        gram.withUnsafeMutablePointer { gram in
            for place in 0..<count { gram[place * count + place] += lambda }
        }
        // λ > 0 makes it positive definite; without a solution, which only numbers that are not finite could cause, nothing is recommended.
        var weights = gram.inverseOfSymmetric() ?? Matrix(rows: count, columns: count)
        weights.withUnsafeMutablePointer { weights in
            let diagonal = (0..<count).map { weights[$0 * count + $0] }
            for row in 0..<count {
                for column in 0..<count {
                    let place = row * count + column
                    weights[place] = row == column || diagonal[column] == 0 ? 0 : -weights[place] / diagonal[column]
                }
            }
        }
        self.weights = weights
    }

    /// The score of every item row for a history: repeats count once; rows that do not take part count nothing and get no
    /// number.
    public func scores(history: [Int32]) -> [Float] {
        let count = modelledRows.count
        var sums = [Float](repeating: 0, count: count)
        weights.withUnsafePointer { weights in
            sums.withUnsafeMutableBufferPointer { sums in
                for row in Set(history).sorted() where row >= 0 && Int(row) < itemCount && places[Int(row)] >= 0 {
                    let from = weights + Int(places[Int(row)]) * count
                    for place in 0..<count { sums[place] += from[place] }
                }
            }
        }
        var scores = [Float](repeating: .nan, count: itemCount)
        for (place, row) in modelledRows.enumerated() { scores[Int(row)] = sums[place] }
        return scores
    }

    /// The same where the items of a history count the less the longer they are past, by their order.
    public func scores(_ question: RivalQuestion) -> [Float] {
        guard decay < 1 else { return scores(history: question.history) }
        let count = modelledRows.count
        var sums = [Float](repeating: 0, count: count), weight: Float = 1, seen = Set<Int32>()
        weights.withUnsafePointer { weights in
            for row in question.history.reversed() where weight > 1e-3 && seen.insert(row).inserted {
                defer { weight *= decay }
                guard row >= 0, Int(row) < itemCount, places[Int(row)] >= 0 else { continue }
                let from = weights + Int(places[Int(row)]) * count
                for place in 0..<count { sums[place] += weight * from[place] }
            }
        }
        var scores = [Float](repeating: .nan, count: itemCount)
        for (place, row) in modelledRows.enumerated() { scores[Int(row)] = sums[place] }
        return scores
    }

    /// The best `count` rows for a history that are not excluded; ties in row order.
    public func rank(_ count: Int, history: [Int32], excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores(history: history)) { excluded.contains($0) }
    }
}

extension EASERival {
    /// The items that one item counts most for, those with the largest weight first; none for an item that takes no part.
    public func strongest(_ count: Int, of item: Int32) -> [(row: Int32, weight: Float)] {
        guard Int(item) < itemCount, item >= 0, places[Int(item)] >= 0 else { return [] }
        return weights.topK(count, ofRow: Int(places[Int(item)])).map { (modelledRows[Int($0.index)], $0.value) }
    }
}
