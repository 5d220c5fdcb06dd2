import Evaluation
import Interactions

/// What is learned from and what is asked afterwards.
struct Holdout {
    /// One user's question: the rows known before, and the items to be found.
    struct Question {
        var user: Int
        /// Rows of the log, oldest first.
        var known: [Int]
        /// Distinct item rows of the log.
        var truth: [Int32]
        /// The time of the question.
        var time: Int64
    }

    /// Rows that may be learned from.
    var isTraining: [Bool]
    var questions: [Question]
    /// How it was cut, for people.
    var description: String
    /// The first moment of a time split; nil for others.
    var border: Int64?

    /// The newest `share` of all interactions, by time. Users without anything before the border are not asked: they are new.
    static func newest(share: Double, of log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int) -> Holdout {
        let split = HoldoutSplit.newest(share: share, times: log.times)
        var isTraining = [Bool](repeating: false, count: log.count)
        for row in split.training { isTraining[row] = true }
        let border = split.holdout.map { log.times[$0] }.min()
        var holdout = Holdout(
            isTraining: isTraining, questions: [], description: "the newest \(Int((share * 100).rounded())) % by time", border: border)
        holdout.ask(log, excludes: excludes, maxUsers: maxUsers)
        return holdout
    }

    /// Each user's last interaction.
    static func leaveOneOut(of log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int) -> Holdout {
        var isTraining = [Bool](repeating: true, count: log.count)
        for user in log.userIDs.indices where log.rows(of: user).count >= 3 {
            isTraining[log.rows(of: user).upperBound - 1] = false
        }
        var holdout = Holdout(isTraining: isTraining, questions: [], description: "each user's last interaction", border: nil)
        holdout.ask(log, excludes: excludes, maxUsers: maxUsers)
        return holdout
    }

    /// The same split with other questions: what comes after `time` is asked, everything up to it is known.
    func asking(after time: Int64, of log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int) -> Holdout {
        var later = self
        later.questions = []
        later.ask(log, excludes: excludes, maxUsers: maxUsers) { log.times[$0] > time && !isTraining[$0] }
        return later
    }

    private mutating func ask(_ log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int) {
        let isTraining = isTraining
        ask(log, excludes: excludes, maxUsers: maxUsers) { !isTraining[$0] }
    }

    private mutating func ask(_ log: TrainingLog, excludes: Set<UInt8>, maxUsers: Int, isAsked: (Int) -> Bool) {
        for user in log.userIDs.indices {
            let rows = log.rows(of: user)
            let known = rows.filter { !isAsked($0) }
            let later = rows.filter(isAsked)
            guard !known.isEmpty, !later.isEmpty else { continue }
            // What serving would not show again is no question; what it may show is.
            let seen = Set(known.filter { excludes.contains(log.types[$0]) }.map { log.items[$0] })
            var truth: [Int32] = []
            var taken = Set<Int32>()
            for row in later where !seen.contains(log.items[row]) && taken.insert(log.items[row]).inserted {
                truth.append(log.items[row])
            }
            guard !truth.isEmpty else { continue }
            questions.append(Question(user: user, known: known, truth: truth, time: log.times[later[0]]))
        }
        guard questions.count > maxUsers else { return }
        // Every k-th user: the same ones each time, and spread over all.
        let step = Double(questions.count) / Double(maxUsers)
        questions = (0..<maxUsers).map { questions[Int(Double($0) * step)] }
    }
}
