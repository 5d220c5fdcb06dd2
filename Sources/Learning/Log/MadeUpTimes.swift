import TrainingFiles

extension TrainingLog {
    /// Rows whose gaps are looked at, about.
    private static let gapsLimit = 200_000

    /// Whether times were made up to tell an order: nearly all gaps are one gap, and most users' last interactions are at one instant.
    package var hasMadeUpTimes: Bool {
        var ends: [Int64: Int] = [:], gaps: [Int64: Int] = [:], users = 0, all = 0
        let step = max(1, count / Self.gapsLimit)
        for user in userIDs.indices where !rows(of: user).isEmpty {
            users += 1
            ends[times[userStarts[user + 1] - 1], default: 0] += 1
            guard user.isMultiple(of: step) else { continue }
            for row in rows(of: user).dropFirst() where times[row] > times[row - 1] {
                gaps[times[row] - times[row - 1], default: 0] += 1
                all += 1
            }
        }
        let commonest = gaps.values.max() ?? 0, last = ends.values.max() ?? 0
        return all >= 100 && Double(commonest) >= 0.9 * Double(all) && Double(last) >= 0.5 * Double(users)
    }
}
