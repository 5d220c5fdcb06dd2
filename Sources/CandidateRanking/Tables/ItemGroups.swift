#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Items that belong together, such as those of a category: which group each item is in, and what counting says of the group.
public struct ItemGroups: Sendable, Equatable {
    /// The group of each item, −1 for none.
    public private(set) var group: [Int32]
    /// By group: how many users had something of it, in all and in the last 112 days, summed over its items.
    private(set) var popularity, recent: [Float]
    /// By group: how often somebody who had something of it, and came back, took something of it again within the horizon.
    private(set) var rebuyRate: [Float]
    /// By group its most popular items of late, best first, at most ``topKept``.
    private(set) var top: [[Int32]]

    static let topKept = 10
    /// Users that stand for the mean of all groups in a rate.
    private static let priorUsers: Float = 10

    /// Groups from their parts.
    init(group: [Int32], popularity: [Float], recent: [Float], rebuyRate: [Float], top: [[Int32]]) {
        (self.group, self.popularity, self.recent, self.rebuyRate, self.top) = (group, popularity, recent, rebuyRate, top)
    }

    /// Groups that are there.
    public var groupCount: Int { popularity.count }

    /// Names of which each item has one or none, numbered in order of the first item that has them.
    public static func numbered(_ names: [String?]) -> (group: [Int32], count: Int) {
        var numbers: [String: Int32] = [:]
        let group = names.map { name -> Int32 in
            guard let name else { return -1 }
            if let number = numbers[name] { return number }
            let number = Int32(numbers.count)
            numbers[name] = number
            return number
        }
        return (group, numbers.count)
    }

    /// Counts groups.
    ///
    /// - Parameters:
    ///   - group: of each item, below `groupCount`; −1 for none.
    ///   - popularity, recent: users by item.
    ///   - horizonDays: within which somebody comes back.
    init(
        _ group: [Int32], groupCount: Int, events: CountedEvents, end: Int64, popularity: [Float], recent: [Float], horizonDays: Float
    ) {
        self.group = group
        var all = [Float](repeating: 0, count: groupCount), late = all
        var members = [[Int32]](repeating: [], count: groupCount)
        for (item, own) in group.enumerated() where own >= 0 {
            all[Int(own)] += popularity[item]
            late[Int(own)] += recent[item]
            if popularity[item] > 0 { members[Int(own)].append(Int32(item)) }
        }
        self.popularity = all
        self.recent = late
        var returns = ReturnCounts(count: groupCount)
        events.forEachUser(end: end, keyCount: groupCount, key: { group[Int($0)] }) { pairs, newest in
            returns.add(pairs, newestDays: newest, horizonDays: horizonDays)
        }
        let mean = returns.mean
        rebuyRate = (0..<groupCount).map { returns.rate($0, prior: mean, weight: Self.priorUsers) }
        top = members.map { members in
            Array(
                members.sorted {
                    (recent[Int($0)], popularity[Int($0)], -$0) > (recent[Int($1)], popularity[Int($1)], -$1)
                }.prefix(Self.topKept))
        }
    }

    func renumbered(_ rows: [Int32], itemCount: Int) -> ItemGroups {
        var next = self
        next.group = [Int32](repeating: -1, count: itemCount)
        for (row, new) in rows.enumerated() where new >= 0 && row < group.count { next.group[Int(new)] = group[row] }
        next.top = top.map { $0.compactMap { rows[Int($0)] >= 0 ? rows[Int($0)] : nil } }
        return next
    }
}

/// Of those who had something and came back within a horizon: how many took it again.
struct ReturnCounts {
    private var had: [Float], again: [Float]

    init(count: Int) {
        had = [Float](repeating: 0, count: count)
        again = had
    }

    /// Adds what one user had.
    mutating func add(_ pairs: [OwnPair], newestDays: Float, horizonDays: Float) {
        guard newestDays <= horizonDays else { return }
        for pair in pairs where pair.oldestDays > horizonDays {
            had[Int(pair.key)] += 1
            if pair.newestDays <= horizonDays { again[Int(pair.key)] += 1 }
        }
    }

    /// The rate of all.
    var mean: Float { again.reduce(0, +) / max(1, had.reduce(0, +)) }

    /// The rate of one, with so many users at a prior rate beside its own.
    func rate(_ place: Int, prior: Float, weight: Float) -> Float { (again[place] + weight * prior) / (had[place] + weight) }

    /// The rates of groups of what was counted.
    func rates(of group: [Int32], count: Int, prior: Float, weight: Float) -> [Float] {
        var had = [Float](repeating: 0, count: count), again = had
        for (place, own) in group.enumerated() where own >= 0 {
            had[Int(own)] += self.had[place]
            again[Int(own)] += self.again[place]
        }
        return zip(again, had).map { ($0 + weight * prior) / ($1 + weight) }
    }
}
