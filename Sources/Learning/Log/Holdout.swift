import Interactions
import TowerTraining
import TrainingFiles

/// What is learned from and what is asked afterwards. Both parts are rows of the same log: of each user the older ones and the newer.
package struct Holdout {
    /// One user's question: the rows known before, and the items to be found.
    package struct Question {
        /// A user row of the log.
        package var user: Int
        /// Rows of the log, oldest first.
        package var known: Range<Int>
        /// Distinct item rows of the log.
        package var truth: [Int32]
        /// The time of the question.
        package var time: Int64

        /// All of it.
        package init(user: Int, known: Range<Int>, truth: [Int32], time: Int64) {
            self.user = user
            self.known = known
            self.truth = truth
            self.time = time
        }
    }

    /// The row at which what may be learned of each user ends.
    package var trainingEnds: [Int]
    /// What is asked, in the order of users.
    package var questions: [Question]
    /// How it was cut, for people.
    package var description: String
    /// The first moment of a time split; nil for others.
    package var border: Int64?

    /// All of it.
    package init(trainingEnds: [Int], questions: [Question], description: String, border: Int64? = nil) {
        self.trainingEnds = trainingEnds
        self.questions = questions
        self.description = description
        self.border = border
    }

    /// The holdout that settings ask for; nil where nothing is held out.
    package init?(_ settings: HoldoutSettings, of log: TrainingLog) {
        switch settings.cut {
        case .newest(let share): self = .newest(share: share, of: log, excludes: settings.excludes, maxUsers: settings.usersLimit)
        case .leaveOneOut: self = .leaveOneOut(of: log, excludes: settings.excludes, maxUsers: settings.usersLimit)
        case .none: return nil
        }
    }

    /// The newest `share` of all interactions, by time. Users without anything before the border are not asked: they are new.
    ///
    /// Interactions at the border's instant go to the training part together, so that the held-out part is later than all of it; where
    /// more than the share happened at one last instant, nothing is held out.
    package static func newest(share: Double, of log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int) -> Holdout {
        precondition(share >= 0 && share < 1, "the share must be in 0..<1, got \(share)")
        let kept = max(1, log.count - Int((Double(log.count) * share).rounded()))
        let last = log.count > 0 && share > 0 ? log.times.value(atRank: kept - 1) : Int64.max
        let ends = log.userIDs.indices.map { log.firstRow(of: $0, after: last) }
        let border = log.userIDs.indices.lazy.filter { ends[$0] < log.userStarts[$0 + 1] }.map { log.times[ends[$0]] }.min()
        var holdout = Holdout(
            trainingEnds: ends, questions: [], description: "the newest \(Int((share * 100).rounded())) % by time", border: border)
        holdout.ask(log, from: ends, excludes: excludes, maxUsers: maxUsers)
        return holdout
    }

    /// Each user's last interaction.
    package static func leaveOneOut(of log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int) -> Holdout {
        let ends = log.userIDs.indices.map { log.rows(of: $0).upperBound - (log.rows(of: $0).count >= 3 ? 1 : 0) }
        var holdout = Holdout(trainingEnds: ends, questions: [], description: "each user's last interaction", border: nil)
        holdout.ask(log, from: ends, excludes: excludes, maxUsers: maxUsers)
        return holdout
    }

    /// The same split with other questions: what comes after `time` is asked, everything up to it is known.
    package func asking(after time: Int64, of log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int) -> Holdout {
        var later = self
        let asked = trainingEnds.indices.map { max(trainingEnds[$0], log.firstRow(of: $0, after: time)) }
        later.ask(log, from: asked, excludes: excludes, maxUsers: maxUsers)
        return later
    }

    /// The rows of a user that may be learned from.
    package func trainingRows(of user: Int, in log: TrainingLog) -> Range<Int> { log.userStarts[user]..<trainingEnds[user] }

    /// Asks each user for what comes from a row on; of more users than `maxUsers` those whose ids have the smallest hashes: the same ones
    /// in another training, too, so that two models can be compared on the questions that both were asked. Memory grows with users, items
    /// and the users that are asked.
    private mutating func ask(_ log: TrainingLog, from rows: [Int], excludes: Set<UInt8>, maxUsers: Int) {
        var isExcluded = [Bool](repeating: false, count: 256)
        for type in excludes { isExcluded[Int(type)] = true }
        // The user to whom a mark belongs, so that nothing is cleared between users.
        var seenBy = [Int32](repeating: -1, count: log.itemIDs.count), takenBy = seenBy
        func markSeen(_ user: Int) {
            for row in log.userStarts[user]..<rows[user] where isExcluded[Int(log.types[row])] { seenBy[Int(log.items[row])] = Int32(user) }
        }
        var users: [Int] = []
        for user in log.userIDs.indices where log.userStarts[user] < rows[user] && rows[user] < log.userStarts[user + 1] {
            // What serving would not show again is no question; what it may show is.
            markSeen(user)
            let later = rows[user]..<log.userStarts[user + 1]
            if later.contains(where: { seenBy[Int(log.items[$0])] != Int32(user) }) { users.append(user) }
        }
        if users.count > maxUsers {
            let hashes = users.map { user in
                var hash = PayloadHash(), id = log.userIDs[user]
                id.withUTF8 { hash.combine(UnsafeRawBufferPointer($0)) }
                return (hash: hash.value, user: user)
            }
            users = hashes.sorted { $0.hash != $1.hash ? $0.hash < $1.hash : $0.user < $1.user }.prefix(maxUsers).map(\.user).sorted()
        }
        questions = users.map { user in
            markSeen(user)
            var truth: [Int32] = []
            for row in rows[user]..<log.userStarts[user + 1] {
                let item = Int(log.items[row])
                guard seenBy[item] != Int32(user), takenBy[item] != Int32(user) else { continue }
                takenBy[item] = Int32(user)
                truth.append(log.items[row])
            }
            return Question(user: user, known: log.userStarts[user]..<rows[user], truth: truth, time: log.times[rows[user]])
        }
    }
}

extension Column<Int64> {
    /// The value that would stand at `rank` (from 0) if the column were sorted. Reads the column four times and keeps a count for each
    /// of 65,536 digits.
    package func value(atRank rank: Int) -> Int64 {
        precondition(indices.contains(rank), "rank \(rank) of \(count) values")
        return withUnsafeBufferPointer { values in
            // Flipping the sign makes the order that of whole numbers without one.
            var prefix: UInt64 = 0, left = rank
            for shift in [48, 32, 16, 0] as [UInt64] {
                var counts = [Int](repeating: 0, count: 1 << 16)
                for value in values {
                    let bits = UInt64(bitPattern: value) ^ 1 << 63
                    if shift == 48 || bits >> (shift + 16) == prefix { counts[Int(bits >> shift & 0xFFFF)] += 1 }
                }
                var digit = 0
                while left >= counts[digit] {
                    left -= counts[digit]
                    digit += 1
                }
                prefix = prefix << 16 | UInt64(digit)
            }
            return Int64(bitPattern: prefix ^ 1 << 63)
        }
    }
}
