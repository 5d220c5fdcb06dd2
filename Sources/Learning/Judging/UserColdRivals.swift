import Evaluation
import Foundation
import Recommending
import TrainingFiles

/// The rivals of a user-cold evaluation: they learn from the known users, and their settings are chosen on some of those, treated as new.
package struct UserColdRivals {
    /// Who ranks for new users.
    package enum Key: String, CaseIterable {
        /// Counts of interactions: the same list for all.
        case popularity
        /// The same, an older interaction counting less, up to the moment of the question.
        case recentPopularity = "recent_popularity"
        /// Popularity by the user's attributes (``SegmentTable``).
        case segmentPopularity = "segment_popularity"
        /// Transitions from the items that are known, over popularity where they say nothing.
        case markov
    }

    /// What was chosen.
    package struct Settings {
        /// Half-life of recent popularity.
        package var halfLifeMilliseconds: Int64
        /// Events that everybody's popularity weighs beside that of a segment.
        package var priorEvents: Double
        /// Interactions back from which the next one follows.
        package var markovWindow: Int
        /// What popularity counts beside the transitions.
        package var popularityShare: Float

        /// All of it.
        package init(halfLifeMilliseconds: Int64, priorEvents: Double, markovWindow: Int, popularityShare: Float) {
            self.halfLifeMilliseconds = halfLifeMilliseconds
            self.priorEvents = priorEvents
            self.markovWindow = markovWindow
            self.popularityShare = popularityShare
        }
    }

    private static let halfLifeShares = [100.0, 30, 10, 3, 1], priors = [1.0, 3, 10, 30, 100]
    private static let windows = [1, 3, 10], popularityShares: [Float] = [0.001, 0.03, 0.1, 0.3]
    /// Users whose attributes make a segment, at least.
    private static let segmentUsers = 10

    private let cut: UserColdCut
    private let isLearned: (Int) -> Bool
    private let counts: [Float]
    private let largest: Float

    /// Learns from users that `isLearned` names.
    package init(_ cut: UserColdCut, isLearned: @escaping (Int) -> Bool) {
        self.cut = cut
        self.isLearned = isLearned
        let log = cut.log
        var counts = [Float](repeating: 0, count: log.itemIDs.count)
        for user in log.userIDs.indices where isLearned(user) { for row in log.rows(of: user) { counts[Int(log.items[row])] += 1 } }
        self.counts = counts
        largest = max(1, counts.max() ?? 1)
    }

    /// Ranks for a question.
    package typealias Ranker = (_ question: UserColdCut.Question) -> [Float]

    /// Every rival under its settings. Recent popularity answers the questions that it was made for only.
    package func rankers(_ settings: Settings, for questions: [UserColdCut.Question]) -> [Key: Ranker] {
        let recent = recent(settings.halfLifeMilliseconds, for: questions)
        let segments = segments(settings.priorEvents)
        let markov = markov(settings.markovWindow)
        return [
            .popularity: { _ in counts },
            .recentPopularity: { recent[$0.row] ?? counts },
            .segmentPopularity: segments,
            .markov: { blended(markov, settings.popularityShare, $0) },
        ]
    }

    /// The settings with the best mean NDCG@10 over questions and history lengths.
    package func settings(for questions: [UserColdCut.Question], lengths: [Int], score: (Ranker, [Int]) -> Double) -> Settings {
        let log = cut.log
        let rows = log.userIDs.indices.lazy.filter { isLearned($0) && !log.rows(of: $0).isEmpty }.map { log.rows(of: $0) }
        let newest = rows.map { log.times[$0.upperBound - 1] }.max() ?? 0, oldest = rows.map { log.times[$0.lowerBound] }.min() ?? 0
        func best<Value>(_ values: [Value], _ lengths: [Int], _ ranker: (Value) -> Ranker) -> Value {
            values.map { (value: $0, score: score(ranker($0), lengths)) }.max { $0.score < $1.score }?.value ?? values[0]
        }
        let halfLives = Self.halfLifeShares.map { max(60_000, Int64(Double(newest - oldest) / $0)) }
        let halfLife = best(halfLives, [0]) { value in
            let recent = recent(value, for: questions)
            return { recent[$0.row] ?? counts }
        }
        let prior = best(Self.priors, [0]) { segments($0) }
        // Without a history the transitions have no say.
        let asked = lengths.contains { $0 > 0 } ? lengths.filter { $0 > 0 } : lengths
        var chosen: (window: Int, share: Float, score: Double)?
        for window in Self.windows {
            let markov = markov(window)
            for share in Self.popularityShares {
                let found = score({ blended(markov, share, $0) }, asked)
                if found > chosen?.score ?? -1 { chosen = (window, share, found) }
            }
        }
        return Settings(
            halfLifeMilliseconds: halfLife, priorEvents: prior, markovWindow: chosen?.window ?? Self.windows[0],
            popularityShare: chosen?.share ?? Self.popularityShares[0])
    }

    /// Decayed counts at the moment of each question, by its row: only what came before it.
    private func recent(_ halfLife: Int64, for questions: [UserColdCut.Question]) -> [Int: [Float]] {
        let log = cut.log
        var rows: [Int32] = []
        for user in log.userIDs.indices where isLearned(user) { rows += log.rows(of: user).map { Int32($0) } }
        rows.sort { log.times[Int($0)] < log.times[Int($1)] }
        let start = rows.first.map { log.times[Int($0)] } ?? 0
        var sums = [Double](repeating: 0, count: log.itemIDs.count), next = 0
        var answers: [Int: [Float]] = [:]
        for question in questions.sorted(by: { $0.time < $1.time }) {
            while next < rows.count, log.times[Int(rows[next])] < question.time {
                let row = Int(rows[next])
                // Forward: relative to the start, so that nothing is ever rescaled. The grid keeps it within a double's range.
                sums[Int(log.items[row])] += exp2(min(900, Double(log.times[row] - start) / Double(halfLife)))
                next += 1
            }
            let top = sums.max() ?? 0
            answers[question.row] = top > 0 ? sums.map { Float($0 / top) } : nil
        }
        return answers
    }

    /// Popularity by the attributes of the question's user.
    private func segments(_ prior: Double) -> (UserColdCut.Question) -> [Float] {
        let log = cut.log
        var users: [String: Int] = [:]
        for user in log.userIDs.indices where isLearned(user) && !log.rows(of: user).isEmpty {
            for token in log.attributes[user] { users[token, default: 0] += 1 }
        }
        var table = SegmentTable(priorEvents: prior)
        for user in log.userIDs.indices where isLearned(user) {
            let segments = log.attributes[user].filter { users[$0, default: 0] >= Self.segmentUsers }
            for row in log.rows(of: user) {
                table.add(log.items[row], segment: "", events: 1)
                for segment in segments { table.add(log.items[row], segment: segment, events: 1) }
            }
        }
        table.prune()
        return { [table, counts] question in
            let known = table.known(log.attributes[question.user])
            return counts.indices.map { counts[$0] > 0 ? log1p(counts[$0]) + table.logLift(Int32($0), in: known) : 0 }
        }
    }

    private func markov(_ window: Int) -> MarkovRival {
        let log = cut.log
        let users = log.userIDs.indices.filter(isLearned)
        // The bound of all rivals that learn from pairs: of more interactions, every k-th user's.
        let total = users.reduce(0) { $0 + log.rows(of: $1).count }
        let step = max(1, (total + HoldoutScoring.rivalEventsLimit - 1) / HoldoutScoring.rivalEventsLimit)
        let sequences = stride(from: 0, to: users.count, by: step).map { place in log.rows(of: users[place]).map { log.items[$0] } }
        return MarkovRival(sequences: sequences, itemCount: log.itemIDs.count, window: window)
    }

    private func blended(_ markov: MarkovRival, _ share: Float, _ question: UserColdCut.Question) -> [Float] {
        guard !question.known.isEmpty else { return counts }
        let follows = markov.scores(history: question.known.map { cut.log.items[$0] })
        let top = max(follows.max() ?? 0, .leastNormalMagnitude)
        return counts.indices.map { follows[$0] / top + share * counts[$0] / largest }
    }
}
