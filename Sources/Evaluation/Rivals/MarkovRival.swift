#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A rival that knows which items follow which: windowed item transitions.
///
/// A transition from i to j at a distance of up to `window` steps weighs 1/distance; the sum is divided by the square root of the sum
/// leaving i and by a power of the sum reaching j, the smaller the more popular items come out; a user's score of j adds up over the last
/// `lastItems` items of the history, the newest with weight 1 and each older one with `decay` times the weight of the one after it.
public struct MarkovRival: Rival {
    /// Items that the rival ranks.
    public let itemCount: Int
    /// Items of a history that are asked what follows them, the newest.
    public var lastItems: Int
    private let decay: Float
    fileprivate let starts: [Int]
    fileprivate let targets: [Int32]
    fileprivate let weights: [Float]

    /// Counts the transitions of all sequences. O(events × window) time; memory grows with distinct pairs.
    ///
    /// - Parameters:
    ///   - sequences: item rows of each user, oldest first.
    ///   - itemCount: rows are below it.
    ///   - reachingPower: of the sum reaching an item, 0 to 1.
    public init(
        sequences: [[Int32]], itemCount: Int, window: Int = 10, lastItems: Int = 20, decay: Float = 0.8, reachingPower: Double = 0.5
    ) {
        self.itemCount = itemCount
        self.lastItems = lastItems
        self.decay = decay
        // All places of an item together, so that one dense row of sums serves every item in turn.
        var counts = [Int](repeating: 0, count: itemCount + 1)
        for sequence in sequences { for row in sequence { counts[Int(row) + 1] += 1 } }
        for row in 0..<itemCount { counts[row + 1] += counts[row] }
        var places = [(user: Int32, index: Int32)](repeating: (0, 0), count: counts[itemCount])
        var next = counts
        for (user, sequence) in sequences.enumerated() {
            for (index, row) in sequence.enumerated() {
                places[next[Int(row)]] = (Int32(user), Int32(index))
                next[Int(row)] += 1
            }
        }
        var starts = [0], targets: [Int32] = [], sums: [Double] = []
        var leaving = [Double](repeating: 0, count: itemCount), reaching = leaving, row = leaving
        var touched: [Int32] = []
        for item in 0..<itemCount {
            touched.removeAll(keepingCapacity: true)
            for place in places[counts[item]..<counts[item + 1]] {
                let sequence = sequences[Int(place.user)]
                let start = Int(place.index)
                for distance in 1...max(1, window) where start + distance < sequence.count {
                    let other = sequence[start + distance]
                    if other == Int32(item) { continue }
                    if row[Int(other)] == 0 { touched.append(other) }
                    row[Int(other)] += 1 / Double(distance)
                }
            }
            touched.sort()
            for other in touched {
                let sum = row[Int(other)]
                targets.append(other)
                sums.append(sum)
                leaving[item] += sum
                reaching[Int(other)] += sum
                row[Int(other)] = 0
            }
            starts.append(targets.count)
        }
        let reached = reaching.map { pow($0, reachingPower) }
        var weights = [Float](repeating: 0, count: sums.count)
        for item in 0..<itemCount {
            for index in starts[item]..<starts[item + 1] {
                let target = Int(targets[index])
                // The usual power as the one root that it can be, to the digit.
                weights[index] = Float(
                    reachingPower == 0.5
                        ? sums[index] / (leaving[item] * reaching[target]).squareRoot()
                        : sums[index] / (leaving[item].squareRoot() * reached[target]))
            }
        }
        self.starts = starts
        self.targets = targets
        self.weights = weights
    }

    public func scores(_ question: RivalQuestion) -> [Float] { scores(history: question.history) }

    /// The score of every item row for a history, oldest first. Rows out of range are skipped.
    public func scores(history: [Int32]) -> [Float] {
        var result = [Float](repeating: 0, count: itemCount)
        var weight: Float = 1
        for row in history.suffix(lastItems).reversed() {
            defer { weight *= decay }
            guard row >= 0, Int(row) < itemCount else { continue }
            for index in starts[Int(row)]..<starts[Int(row) + 1] {
                result[Int(targets[index])] += weight * weights[index]
            }
        }
        return result
    }

    /// The best `count` rows for a history that are not excluded; ties in row order.
    public func rank(_ count: Int, history: [Int32], excluding excluded: Set<Int32> = []) -> [Int32] {
        topRows(count, of: scores(history: history)) { excluded.contains($0) }
    }
}

extension MarkovRival {
    /// The items that follow one most strongly, best first.
    public func strongest(_ count: Int, after item: Int32) -> [(row: Int32, weight: Float)] {
        let places = starts[Int(item)]..<starts[Int(item) + 1]
        return topRows(count, of: Array(weights[places])).map {
            (targets[places.lowerBound + Int($0)], weights[places.lowerBound + Int($0)])
        }
    }
}
