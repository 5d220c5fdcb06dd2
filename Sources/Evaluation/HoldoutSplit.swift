/// How events are cut into a part to learn from and a part to be judged by.
///
/// Both cuts work on event indices and keep the order of the events in each part.
public struct HoldoutSplit: Sendable, Equatable {
    /// Indices of the events to learn from, ascending.
    public var training: [Int]
    /// Indices of the events to be judged by, ascending.
    public var holdout: [Int]

    /// Cuts off the newest `share` of all events by time.
    ///
    /// Events at the border's instant go to the training part together, so that the holdout is later than all of it;
    /// where more than the share happened at one last instant, the holdout is empty. For data whose times can be compared
    /// between users.
    public static func newest(share: Double, times: [Int64]) -> HoldoutSplit {
        precondition(share >= 0 && share < 1, "the share must be in 0..<1, got \(share)")
        guard !times.isEmpty, share > 0 else { return HoldoutSplit(training: Array(times.indices), holdout: []) }
        let sorted = times.sorted()
        let kept = max(1, times.count - Int((Double(times.count) * share).rounded()))
        return after(sorted[kept - 1], times: times)
    }

    /// Cuts at a point in time: events later than `border` are the holdout.
    public static func after(_ border: Int64, times: [Int64]) -> HoldoutSplit {
        var split = HoldoutSplit(training: [], holdout: [])
        for (index, time) in times.enumerated() {
            if time > border { split.holdout.append(index) } else { split.training.append(index) }
        }
        return split
    }

    /// Cuts off each user's last event; users with fewer than `minimumEvents` keep all in training.
    ///
    /// - Parameters:
    ///   - users: the user of each event; a user's events stand in time order (not necessarily together).
    ///   - keep: whether a user takes part, for a sample of users.
    public static func leaveOneOut(users: [Int32], minimumEvents: Int = 2, keep: (Int32) -> Bool = { _ in true }) -> HoldoutSplit {
        var last: [Int32: (index: Int, count: Int)] = [:]
        for (index, user) in users.enumerated() {
            last[user] = (index, (last[user]?.count ?? 0) + 1)
        }
        var held = [Bool](repeating: false, count: users.count)
        for (user, entry) in last where entry.count >= max(1, minimumEvents) && keep(user) { held[entry.index] = true }
        var split = HoldoutSplit(training: [], holdout: [])
        for index in users.indices {
            if held[index] { split.holdout.append(index) } else { split.training.append(index) }
        }
        return split
    }
}
