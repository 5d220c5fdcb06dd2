import Tensors

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Which events an incremental training learns from: the new ones, and old ones drawn again so that what they taught is not forgotten
/// (experience replay). Events are rows of columns in the order of (user, time).
public struct Increment: Sendable {
    /// Rows of new events, ascending.
    public let newRows: [Int]
    /// Rows of old events that are learned again, ascending.
    public let replayedRows: [Int]
    /// What each of the replayed rows weighs, at least 0.
    public let replayedWeights: [Float]

    /// Makes an increment.
    public init(newRows: [Int], replayedRows: [Int] = [], replayedWeights: [Float] = []) {
        precondition(
            replayedRows.count == replayedWeights.count, "\(replayedRows.count) replayed rows with \(replayedWeights.count) weights")
        self.newRows = newRows
        self.replayedRows = replayedRows
        self.replayedWeights = replayedWeights
    }

    /// Draws old events at random without repetition, each with a probability of 2^(−age / half-life): as often as a full training
    /// would weigh them. Their weights make up for what the recency weights of the training take away again.
    ///
    /// - Parameters:
    ///   - count: at most; fewer where so many are not found in a bounded number of tries.
    ///   - times: of all rows. - clock: ages are measured to it.
    ///   - isOld: whether a row may be drawn.
    ///   - halfLifeDays: 0 draws all alike.
    /// - Complexity: O(tries), not O(rows): at most ``triesPerRow`` for each one wanted.
    public static func draw(
        _ count: Int, of times: Column<Int64>, clock: Int64, halfLifeDays: Float, seed: UInt64, isOld: (Int) -> Bool
    ) -> (rows: [Int], weights: [Float]) {
        guard count > 0, times.count > 0 else { return ([], []) }
        var drawn = Set<Int>()
        var random = SeededGenerator(seed: seed, stream: 0x7265_706c)
        let halfLife = Double(halfLifeDays) * 86_400_000
        func recency(_ row: Int) -> Double { halfLife > 0 ? exp2(-Double(max(0, clock - times[row])) / halfLife) : 1 }
        for _ in 0..<count * triesPerRow where drawn.count < count {
            let row = random.next(below: times.count)
            guard isOld(row), !drawn.contains(row) else { continue }
            if halfLife > 0, Double(random.next() >> 11) * 0x1p-53 >= recency(row) { continue }
            drawn.insert(row)
        }
        let rows = drawn.sorted()
        return (rows, rows.map { Float(1 / max(recency($0), 1e-6)) })
    }

    /// Tries for each row wanted.
    public static let triesPerRow = 200
}

extension TrainingSet {
    /// The part of a set that an increment needs: each example's event with as much of its user's history before it as the towers see.
    /// Events that are there as history alone weigh nothing.
    ///
    /// - Parameters:
    ///   - historyLength: entries before an example.
    ///   - isKept: items by row that the part has beside those that occur in it: the ones that the model knows.
    ///   - eventsPerItem: by row, of all that is known.
    /// - Complexity: O(users + items + events kept)
    public func part(
        _ increment: Increment, historyLength: Int, isKept: (Int) -> Bool, eventsPerItem: [Int]
    ) -> TrainingSet {
        var isMet = itemIDs.indices.map(isKept)
        var users: [Int] = [], starts = [0], rows: [Int] = [], weights: [Float] = []
        var new = 0, old = 0
        for user in 0..<userCount {
            let own = userStarts[user]..<userStarts[user + 1]
            let firstNew = new, firstOld = old
            while new < increment.newRows.count, increment.newRows[new] < own.upperBound { new += 1 }
            while old < increment.replayedRows.count, increment.replayedRows[old] < own.upperBound { old += 1 }
            let newest = max(new > firstNew ? increment.newRows[new - 1] : -1, old > firstOld ? increment.replayedRows[old - 1] : -1)
            guard newest >= 0 else { continue }
            let oldest = min(
                new > firstNew ? increment.newRows[firstNew] : .max, old > firstOld ? increment.replayedRows[firstOld] : .max)
            var nextNew = firstNew, nextOld = firstOld
            for row in max(own.lowerBound, oldest - historyLength)...newest {
                var weight: Float = 0
                if nextNew < new, increment.newRows[nextNew] == row {
                    weight = self.weights[row]
                    nextNew += 1
                } else if nextOld < old, increment.replayedRows[nextOld] == row {
                    weight = self.weights[row] * increment.replayedWeights[nextOld]
                    nextOld += 1
                }
                rows.append(row)
                weights.append(weight)
                isMet[Int(items[row])] = true
            }
            users.append(user)
            starts.append(rows.count)
        }
        let met = itemIDs.indices.filter { isMet[$0] }
        var newRows = [Int32](repeating: -1, count: itemIDs.count)
        for (new, old) in met.enumerated() { newRows[old] = Int32(new) }
        return TrainingSet(
            itemIDs: met.map { itemIDs[$0] }, itemContents: met.map { itemContents[$0] }, userIDs: users.map { userIDs[$0] },
            userAttributes: users.map { userAttributes[$0] }, userStarts: Column(starts),
            items: Column(rows.map { newRows[Int(items[$0])] }), types: Column(rows.map { types[$0] }),
            times: Column(rows.map { times[$0] }), weights: Column(weights), knownEventsPerItem: met.map { eventsPerItem[$0] })
    }
}
