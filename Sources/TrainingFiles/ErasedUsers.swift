import FeatureStore
import Interactions

/// Which users of a training log were erased after it was read.
package struct ErasedUsers {
    private let log: TrainingLog
    /// Of each user the earliest time in the log; the earliest there is for those of whom it has a record alone.
    private var earliest: [Int64]
    /// Users that were found.
    package private(set) var count = 0

    /// Looks at a log. O(users + impressions).
    package init(of log: TrainingLog) {
        self.log = log
        earliest = log.userIDs.indices.map { user in log.rows(of: user).first.map { log.times[$0] } ?? .max }
        for (place, user) in log.impressions.users.enumerated() {
            earliest[Int(user)] = min(earliest[Int(user)], log.impressions.times[place])
        }
        for user in earliest.indices where earliest[user] == .max { earliest[user] = .min }
    }

    /// Hears of an erasure. What the user did after it may be learned from; anything before it was read before the erasure.
    package mutating func add(_ userID: String, erasedAt: EventTime) {
        guard let user = log.user(userID), earliest[user] <= erasedAt.milliseconds else { return }
        count += 1
    }

    /// How many users of a log the database's ledger says were erased since it was read.
    package static func count(in log: TrainingLog, ledger store: StoreQueries) throws(StoreError) -> Int {
        var found = ErasedUsers(of: log)
        try store.forEachErasure { (userID, time) throws(StoreError) in found.add(userID, erasedAt: time) }
        return found.count
    }
}

extension TrainingLog {
    /// The number of a user; users are in the order of their ids, byte by byte.
    func user(_ userID: String) -> Int? {
        var (low, high) = (0, userIDs.count)
        while low < high {
            let middle = (low + high) / 2
            if userIDs[middle].utf8.lexicographicallyPrecedes(userID.utf8) { low = middle + 1 } else { high = middle }
        }
        return low < userIDs.count && userIDs[low] == userID ? low : nil
    }
}
