import CandidateRanking
import Interactions
import Recommending
import Tensors
import TrainingFiles

/// What a ranker is asked at one border: of each user what lies before is known, and what they take within a horizon behind it is to be
/// found.
package struct RankerQuestions {
    /// Worthless candidates of a question that are learned from at most, drawn at random.
    private static let worthlessLimit = 50
    /// Candidates of a question that are learned from, about: those, and a few that were taken.
    static let candidatesExpected = worthlessLimit + 5

    /// One user's question.
    package struct Question {
        /// A row of the log's users.
        package var user: Int
        /// Rows of the log, oldest first: what was known.
        package var known: Range<Int>
        /// Rows of the log behind them that are to be found.
        package var later: Range<Int>
        /// The time of the question.
        package var now: Int64

        /// All of it.
        package init(user: Int, known: Range<Int>, later: Range<Int>, now: Int64) {
            (self.user, self.known, self.later, self.now) = (user, known, later, now)
        }
    }

    /// What is learned from.
    package let log: TrainingLog
    /// Interactions of a user that serving reads, and so a question knows.
    package let historyLimitEvents: Int
    /// What is left out of the answers.
    package let excludes: ExclusionRule

    /// All of it.
    package init(log: TrainingLog, historyLimitEvents: Int, excludes: ExclusionRule) {
        (self.log, self.historyLimitEvents, self.excludes) = (log, historyLimitEvents, excludes)
    }

    /// Questions at a border of time: about everybody who was there before and came back within the horizon.
    ///
    /// Half of them are asked when the user comes back, as a page asks, and half at the border, as a batch does.
    ///
    /// - Parameter border: known is what is not later than it.
    package func questions(at border: Int64, until end: Int64) -> [Question] {
        log.userIDs.indices.compactMap { user in
            let first = log.firstRow(of: user, after: border), last = log.firstRow(of: user, after: end)
            guard first > log.userStarts[user], first < last else { return nil }
            return Question(
                user: user, known: log.userStarts[user]..<first, later: first..<last,
                now: (user / 2).isMultiple(of: 2) ? log.times[first] : border)
        }
    }

    /// Questions about everybody of whom something is known and something held out, asked when they come back.
    ///
    /// - Parameter ends: the row at which what is known of each user ends.
    package func questions(after ends: [Int]) -> [Question] {
        log.userIDs.indices.compactMap { user in
            let known = log.userStarts[user]..<ends[user], later = ends[user]..<log.userStarts[user + 1]
            return known.isEmpty || later.isEmpty ? nil : Question(user: user, known: known, later: later, now: log.times[ends[user]])
        }
    }

    /// Questions about everybody who came for the first time behind a border, with the first few of their interactions known: to be found
    /// is what they take next.
    ///
    /// - Parameters:
    ///   - end: what is later is not looked at.
    ///   - told: how many are known; a user has a question for each number but 0 that leaves something to be found.
    package func newcomers(at border: Int64, until end: Int64, told: [Int]) -> [Question] {
        log.userIDs.indices.flatMap { user -> [Question] in
            let start = log.userStarts[user], last = log.firstRow(of: user, after: end)
            guard start < last, log.times[start] > border else { return [] }
            return told.compactMap { told in
                let row = start + told
                guard told > 0, row < last else { return nil }
                return Question(
                    user: user, known: start..<row, later: row..<min(last, row + NewcomerBlend.answersLimit), now: log.times[row])
            }
        }
    }

    /// What counting says of a question's user.
    package func signals(_ question: Question, tables: CandidateTables) -> CandidateSignals {
        CandidateSignals(history(question.known, now: question.now), tables: tables)
    }

    /// What a ranker reads of rows, as it would of a history of a request.
    package func history(_ known: Range<Int>, now: Int64) -> CandidateHistory {
        let rows = known.suffix(historyLimitEvents)
        let isPurchase = rows.map { log.types[$0] == InteractionType.purchase.rawValue }
        return CandidateHistory(
            rows: rows.map { log.items[$0] }, times: rows.map { log.times[$0] },
            amounts: zip(rows, isPurchase).map { $1 ? max(0, log.amounts[$0]) : 0 }, isPurchase: isPurchase, now: now)
    }

    /// Whether a row may be an answer to a question.
    package func admits(_ question: Question) -> (Int32) -> Bool {
        guard !excludes.isEmpty else { return { !log.isHidden[Int($0)] } }
        var taken = Set<Int32>()
        for row in question.known where log.keepsOut(row, by: excludes) { taken.insert(log.items[row]) }
        return { !log.isHidden[Int($0)] && !taken.contains($0) }
    }

    /// What each item that is to be found was worth: 1, and what was paid for it in minor units.
    package func gains(_ question: Question) -> [Int32: Float] {
        var paid: [Int32: Float] = [:]
        for row in question.later {
            let isPurchase = log.types[row] == InteractionType.purchase.rawValue
            paid[log.items[row], default: 0] += isPurchase ? Float(max(0, log.amounts[row])) : 0
        }
        return paid
    }

    /// Adds questions with their candidates to what is learned from.
    ///
    /// - Parameters:
    ///   - hasValues: whether there is a second goal, what was paid.
    ///   - candidatesLimit: of all questions together.
    package func add(
        _ questions: some Sequence<Question>, tables: CandidateTables, hasValues: Bool, candidatesLimit: Int, random: inout SeededGenerator,
        to lists: inout CandidateLists
    ) {
        let width = CandidateSignal.count
        for question in questions where lists.signals.count < candidatesLimit * width {
            let user = signals(question, tables: tables), gains = gains(question)
            let candidates = user.candidates(where: admits(question))
            let found = candidates.filter { gains[$0] != nil }
            guard !found.isEmpty, found.count < candidates.count else { continue }
            var others = candidates.filter { gains[$0] == nil }
            if others.count > Self.worthlessLimit {
                random.shuffle(&others)
                others.removeLast(others.count - Self.worthlessLimit)
            }
            let rows = found + others
            var signals = [Float](repeating: 0, count: rows.count * width)
            signals.withUnsafeMutableBufferPointer { user.write(rows, into: $0) }
            let values = rows.map { gains[$0] ?? 0 }
            let goals = [rows.map { gains[$0] == nil ? Float(0) : 1 }] + (hasValues ? [values] : [])
            lists.append(signals: signals, gains: goals, group: question.user % 2)
        }
    }
}
