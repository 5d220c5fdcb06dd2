import Bytes
import Interactions
import TowerTraining
import TrainingFiles

/// Some users held out whole, as if they were to come tomorrow: what may be learned from the others, and what the new ones are asked.
///
/// A user is asked as they come: before their first interaction, and after 0, 1, 2, … of them, each time for those that follow. The same
/// users are asked each time; the moments and the answers differ, as they do for whoever comes.
package struct UserColdCut {
    /// Interactions before a question; those above a run's longest are left out.
    package static let historyLengths = NewcomerBlend.toldEvents

    /// Rows of the whole log.
    package struct Question {
        /// A user row of the log.
        package var user: Int
        /// The row at which the question stands: what comes before is known.
        package var row: Int
        /// What is known, oldest first.
        package var known: Range<Int>
        /// Distinct item rows of the log.
        package var truth: [Int32]
        /// The time of the question.
        package var time: Int64
    }

    /// The whole log.
    package let log: TrainingLog
    /// The same users and items without the interactions of users who are new.
    package let known: TrainingLog
    /// By user row, who is treated as new.
    package let isNew: [Bool]
    /// Interactions of a new user before the last question.
    package let longestHistory: Int

    /// - Parameters:
    ///   - fold: which of `folds` parts of the users, by a hash of their ids, is new.
    ///   - longestHistory: users with fewer interactions before a question are not asked.
    package init(_ log: TrainingLog, fold: Int, folds: Int, longestHistory: Int) {
        self.log = log
        self.longestHistory = longestHistory
        let isNew = log.userIDs.map { FNV1a.part(of: $0, of: folds) == fold }
        self.isNew = isNew
        known = Self.leaving(log) { !isNew[$0] }
    }

    /// The log without what users did and were shown that `isKept` does not name; rows of users and items stay.
    private static func leaving(_ whole: TrainingLog, _ isKept: (Int) -> Bool) -> TrainingLog {
        var starts = [0], items: [Int32] = [], types: [UInt8] = [], times: [Int64] = [], amounts: [Int64] = []
        for user in whole.userIDs.indices {
            if isKept(user) {
                for row in whole.rows(of: user) {
                    items.append(whole.items[row])
                    types.append(whole.types[row])
                    times.append(whole.times[row])
                    amounts.append(whole.amounts[row])
                }
            }
            starts.append(items.count)
        }
        var log = whole
        log.userStarts = starts
        log.items = Column(items)
        log.types = Column(types)
        log.times = Column(times)
        log.amounts = Column(amounts)
        log.impressions = whole.impressions.renumbered(
            users: whole.userIDs.indices.map { isKept($0) ? Int32($0) : -1 }, items: whole.itemIDs.indices.map { Int32($0) })
        return log
    }

    /// One question, after `length` interactions, for each of some users who have enough of them for the longest history.
    package func questions(of users: some Sequence<Int>, after length: Int, limit: Int) -> [Question] {
        var questions: [Question] = []
        for user in users where log.rows(of: user).count > longestHistory {
            let rows = log.rows(of: user), row = rows.lowerBound + length, known = rows.lowerBound..<row
            let truth = log.answers(of: user, from: row, limitEvents: NewcomerBlend.answersLimit)
            if !truth.isEmpty { questions.append(Question(user: user, row: row, known: known, truth: truth, time: log.times[row])) }
        }
        guard questions.count > limit else { return questions }
        let step = Double(questions.count) / Double(limit)
        return (0..<limit).map { questions[Int(Double($0) * step)] }
    }
}
