/// A rival that looks at which items the same people had: item-to-item neighbours by the cosine of their users.
///
/// The likeness of i and j is n(i, j) / √(n(i) n(j)) · n(i, j) / (n(i, j) + shrinkage), with n(i, j) the users who had both (Sarwar et al.,
/// WWW 2001; the damping of rare pairs is that of Bell and Koren, KDD 2007). A user's score of j adds up over the distinct items that they
/// had last.
public struct ItemItemRival: Rival {
    /// Neighbours of an item that are kept, the likest first.
    public static let neighboursLimit = 200
    /// Distinct items of a user that count, the newest.
    public static let userItemsLimit = 300

    /// Items that the rival ranks.
    public let itemCount: Int
    private let lastItems: Int
    private let starts: [Int]
    private let neighbours: [Int32]
    private let likeness: [Float]

    /// Counts who had what.
    ///
    /// - Parameters:
    ///   - sequences: item rows of each user, oldest first; repeats count once.
    ///   - itemCount: rows are below it.
    ///   - shrinkage: users that a pair must have to count half; 0 or above.
    ///   - lastItems: distinct items of a history that are asked for their neighbours, the newest; above 0.
    /// - Complexity: O(Σ distinct items of a user²) time, O(items × neighbours) memory.
    public init(sequences: [[Int32]], itemCount: Int, shrinkage: Float = 10, lastItems: Int = 100) {
        precondition(shrinkage >= 0, "the shrinkage must be 0 or above, got \(shrinkage)")
        precondition(lastItems > 0, "at least one item of a history must count, got \(lastItems)")
        self.itemCount = itemCount
        self.lastItems = lastItems
        let users = sequences.map { newestDistinct($0, limit: Self.userItemsLimit, below: itemCount) }
        var usersOf = [[Int32]](repeating: [], count: itemCount)
        for (user, items) in users.enumerated() { for item in items { usersOf[Int(item)].append(Int32(user)) } }
        var starts = [0], neighbours: [Int32] = [], likeness: [Float] = []
        var common = [Int32](repeating: 0, count: itemCount), touched: [Int32] = []
        var scores = [Float](repeating: .nan, count: itemCount)
        for item in 0..<itemCount {
            touched.removeAll(keepingCapacity: true)
            for user in usersOf[item] {
                for other in users[Int(user)] where other != Int32(item) {
                    if common[Int(other)] == 0 { touched.append(other) }
                    common[Int(other)] += 1
                }
            }
            let own = Float(usersOf[item].count)
            for other in touched {
                let both = Float(common[Int(other)])
                scores[Int(other)] = both / (own * Float(usersOf[Int(other)].count)).squareRoot() * both / (both + shrinkage)
                common[Int(other)] = 0
            }
            touched.sort { scores[Int($0)] != scores[Int($1)] ? scores[Int($0)] > scores[Int($1)] : $0 < $1 }
            for other in touched.prefix(Self.neighboursLimit) {
                neighbours.append(other)
                likeness.append(scores[Int(other)])
            }
            starts.append(neighbours.count)
        }
        self.starts = starts
        self.neighbours = neighbours
        self.likeness = likeness
    }

    public func scores(_ question: RivalQuestion) -> [Float] {
        var scores = [Float](repeating: 0, count: itemCount)
        for row in newestDistinct(question.history, limit: lastItems, below: itemCount) {
            for place in starts[Int(row)]..<starts[Int(row) + 1] { scores[Int(neighbours[place])] += likeness[place] }
        }
        return scores
    }
}

extension ItemItemRival {
    /// The items that are likest to one, best first.
    public func strongest(_ count: Int, of item: Int32) -> [(row: Int32, weight: Float)] {
        (starts[Int(item)]..<starts[Int(item) + 1]).prefix(count).map { (neighbours[$0], likeness[$0]) }
    }
}

/// The distinct rows of a history from its end, newest first; rows out of range are skipped.
private func newestDistinct(_ history: [Int32], limit: Int, below itemCount: Int) -> [Int32] {
    var seen = Set<Int32>(), rows: [Int32] = []
    for row in history.reversed() where row >= 0 && Int(row) < itemCount && seen.insert(row).inserted {
        rows.append(row)
        if rows.count == limit { break }
    }
    return rows
}
