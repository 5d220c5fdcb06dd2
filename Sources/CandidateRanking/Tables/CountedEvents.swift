/// The interactions that tables are counted from: of each user a range of rows, oldest first.
public struct CountedEvents {
    /// Rows of each user; users without rows are passed over.
    public var users: [Range<Int>]
    /// The item of each row, below ``itemCount``.
    public var items: UnsafeBufferPointer<Int32>
    /// Milliseconds since 1970 of each row.
    public var times: UnsafeBufferPointer<Int64>
    /// What was paid at each row, in minor units; 0 or less where nothing is known.
    public var amounts: UnsafeBufferPointer<Int64>
    /// Items that there are.
    public var itemCount: Int

    /// Names the rows.
    public init(
        users: [Range<Int>], items: UnsafeBufferPointer<Int32>, times: UnsafeBufferPointer<Int64>, amounts: UnsafeBufferPointer<Int64>,
        itemCount: Int
    ) {
        precondition(
            items.count == times.count && items.count == amounts.count,
            "\(items.count) items, \(times.count) times and \(amounts.count) amounts")
        (self.users, self.items, self.times, self.amounts, self.itemCount) = (users, items, times, amounts, itemCount)
    }

    /// The newest time; 0 without rows.
    public var newest: Int64 { users.lazy.filter { !$0.isEmpty }.map { times[$0.upperBound - 1] }.max() ?? 0 }

    /// The items of every k-th user, so that they are about as many interactions as a bound allows.
    func sequences(limitEvents: Int) -> [[Int32]] {
        let known = users.filter { !$0.isEmpty }, total = known.reduce(0) { $0 + $1.count }
        let step = max(1, (total + limitEvents - 1) / max(1, limitEvents))
        return stride(from: 0, to: known.count, by: step).map { place in known[place].map { items[$0] } }
    }
}

/// What one user did with one item, or with one group of items.
struct OwnPair {
    /// The item, or the group.
    var key: Int32
    /// Days before the end of the tables.
    var oldestDays, newestDays: Float
    /// Days of the calendar with it.
    var visits: Int32 = 1
    /// Whether something lies from 14 to 56 days before the end.
    var isOfMonthBefore = false
    fileprivate var lastDay: Int64
}

extension CountedEvents {
    static let millisecondsPerDay: Int64 = 86_400_000

    /// Calls `body` with the pairs of each user in turn, and with the days before `end` of their newest interaction.
    ///
    /// - Parameter key: of an item; below 0 for none. Keys are below `keyCount`.
    func forEachUser(
        end: Int64, keyCount: Int, key: (Int32) -> Int32, _ body: (_ pairs: [OwnPair], _ newestDays: Float) -> Void
    ) {
        var owner = [Int32](repeating: -1, count: keyCount), place = [Int32](repeating: 0, count: keyCount)
        var pairs: [OwnPair] = []
        for (user, own) in users.enumerated() where !own.isEmpty {
            pairs.removeAll(keepingCapacity: true)
            for row in own {
                let key = key(items[row])
                guard key >= 0 else { continue }
                let age = Float(max(0, Double(end) - Double(times[row])) / Double(Self.millisecondsPerDay))
                let day = times[row] / Self.millisecondsPerDay
                if owner[Int(key)] != Int32(user) {
                    owner[Int(key)] = Int32(user)
                    place[Int(key)] = Int32(pairs.count)
                    pairs.append(OwnPair(key: key, oldestDays: age, newestDays: age, lastDay: day))
                }
                let at = Int(place[Int(key)])
                pairs[at].newestDays = min(pairs[at].newestDays, age)
                if day != pairs[at].lastDay {
                    pairs[at].visits += 1
                    pairs[at].lastDay = day
                }
                if age > 14, age <= 56 { pairs[at].isOfMonthBefore = true }
            }
            let newest = Float(max(0, Double(end) - Double(times[own.upperBound - 1])) / Double(Self.millisecondsPerDay))
            body(pairs, newest)
        }
    }
}
