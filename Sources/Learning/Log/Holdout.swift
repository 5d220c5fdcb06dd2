import Evaluation
import Interactions
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
        case .newest(let share): self = .newest(share: share, of: log, maxUsers: settings.usersLimit)
        case .leaveOneOut: self = .leaveOneOut(of: log, maxUsers: settings.usersLimit)
        case .none: return nil
        }
    }

    /// The newest `share` of all interactions, by time. Users without anything before the border are not asked: they are new.
    ///
    /// Interactions at the border's instant go to the training part together, so that the held-out part is later than all of it; where
    /// more than the share happened at one last instant, nothing is held out.
    package static func newest(share: Double, of log: TrainingLog, maxUsers: Int) -> Holdout {
        precondition(share >= 0 && share < 1, "the share must be in 0..<1, got \(share)")
        let times = log.times
        let border = share > 0 ? times.withUnsafeBufferPointer { NewestPart.border(newest: share, of: $0, count: $0.count) } : nil
        let last = border ?? .max
        let ends = log.userIDs.indices.map { log.firstRow(of: $0, after: last) }
        let first = log.userIDs.indices.lazy.filter { ends[$0] < log.userStarts[$0 + 1] }.map { log.times[ends[$0]] }.min()
        var holdout = Holdout(
            trainingEnds: ends, questions: [], description: "the newest \(Int((share * 100).rounded())) % by time", border: first)
        holdout.ask(log, from: ends, maxUsers: maxUsers)
        return holdout
    }

    /// Each user's last interaction.
    package static func leaveOneOut(of log: TrainingLog, maxUsers: Int) -> Holdout {
        let ends = log.userIDs.indices.map { log.rows(of: $0).upperBound - (log.rows(of: $0).count >= 3 ? 1 : 0) }
        var holdout = Holdout(trainingEnds: ends, questions: [], description: "each user's last interaction", border: nil)
        holdout.ask(log, from: ends, maxUsers: maxUsers)
        return holdout
    }

    /// The same split with other questions: what comes after `time` is asked, everything up to it is known.
    package func asking(after time: Int64, of log: TrainingLog, maxUsers: Int) -> Holdout {
        var later = self
        let asked = trainingEnds.indices.map { max(trainingEnds[$0], log.firstRow(of: $0, after: time)) }
        later.ask(log, from: asked, maxUsers: maxUsers)
        return later
    }

    /// The rows of a user that may be learned from.
    package func trainingRows(of user: Int, in log: TrainingLog) -> Range<Int> { log.userStarts[user]..<trainingEnds[user] }

    /// Asks each user for all that comes from a row on, whether the rules would show it or not: what a rule keeps out is missed. Of more
    /// users than `maxUsers` those whose ids have the smallest hashes: the same ones in another training, too, so that two models can be
    /// compared on the questions that both were asked. Memory grows with users, items and the users that are asked.
    private mutating func ask(_ log: TrainingLog, from rows: [Int], maxUsers: Int) {
        var users = log.userIDs.indices.filter { log.userStarts[$0] < rows[$0] && rows[$0] < log.userStarts[$0 + 1] }
        if users.count > maxUsers {
            let hashes = users.map { user in
                var hash = PayloadHash(), id = log.userIDs[user]
                id.withUTF8 { hash.combine(UnsafeRawBufferPointer($0)) }
                return (hash: hash.value, user: user)
            }
            users = hashes.sorted { $0.hash != $1.hash ? $0.hash < $1.hash : $0.user < $1.user }.prefix(maxUsers).map(\.user).sorted()
        }
        // The user to whom a mark belongs, so that nothing is cleared between users.
        var takenBy = [Int32](repeating: -1, count: log.itemIDs.count)
        questions = users.map { user in
            var truth: [Int32] = []
            for row in rows[user]..<log.userStarts[user + 1] where takenBy[Int(log.items[row])] != Int32(user) {
                takenBy[Int(log.items[row])] = Int32(user)
                truth.append(log.items[row])
            }
            return Question(user: user, known: log.userStarts[user]..<rows[user], truth: truth, time: log.times[rows[user]])
        }
    }
}
