import Features
import Foundation
import Interactions
import Recommending
import TowerModel
import TrainingFiles

/// Learns how much each ranking signal counts, on the questions that training held out.
///
/// What is judged is cross-fitted: the users fall into two halves, and each half's questions are answered by the weights that the
/// other half gave. The weights that are published come from all of them. A blend that answers the questions no better than the
/// towers alone is not used.
package struct BlendTraining {
    /// Questions that weights are fitted on at most.
    private static let fitQuestionsLimit = 3_000
    /// Questions of one user at most.
    private static let questionsPerUser = 4

    /// What is counted and asked.
    package let log: TrainingLog
    /// How it is learned.
    package let settings: BlendSettings

    /// All of it.
    package init(log: TrainingLog, settings: BlendSettings) {
        self.log = log
        self.settings = settings
    }

    /// Weights of a blend, and those of each half of the users.
    package struct Fit {
        /// Fitted on all questions.
        package var weights: BlendWeights
        /// The weights for users of even and odd rows, fitted on the others.
        package var halves: [BlendWeights]

        /// All of it.
        package init(weights: BlendWeights, halves: [BlendWeights]) {
            self.weights = weights
            self.halves = halves
        }
    }

    /// Whether `ranking.blend` wants a blend at all.
    package var isWanted: Bool { settings.isWanted }

    /// Counts what may be learned from: the rows of each user.
    package func trainer(_ rows: [Range<Int>]) -> BlendTrainer {
        let rules = RankingTables.Rules(
            transitions: TransitionTable.Rules(neighbourLimitItems: settings.neighbourLimitItems),
            recentHalfLifeDays: settings.recentHalfLifeDays)
        let tables = log.items.withUnsafeBufferPointer { items in
            log.times.withUnsafeBufferPointer { times in
                RankingTables(
                    users: rows, items: items, times: times, itemCount: log.itemIDs.count, categories: log.contents.map(\.categories),
                    rules: rules)
            }
        }
        return BlendTrainer(tables: tables, trending: trending(rows))
    }

    /// Fits weights on a holdout.
    ///
    /// - Parameter towers: the inner products of the towers for a question, one an item.
    package func fit(_ scoring: HoldoutScoring, trainer: BlendTrainer, towers: (Holdout.Question) -> [Float]) -> Fit {
        var questions = BlendQuestions()
        var users: [Int] = []
        for question in asked(scoring) {
            let excluded = scoring.excluded(question)
            trainer.add(
                self.question(question), tower: towers(question),
                where: { !excluded.contains($0) && !log.isHidden[Int($0)] }, to: &questions)
            if questions.count > users.count { users.append(question.user) }
        }
        let fit = BlendFit()
        return Fit(
            weights: fit.weights(for: questions),
            halves: [0, 1].map { half in fit.weights(for: questions) { users[$0] % 2 != half } })
    }

    /// Questions all along what was held out, of users who were known before and of new ones: the first thing after a pause, and what
    /// comes in the middle of a visit, as serving is asked both. At most ``fitQuestionsLimit``, spread over all users.
    private func asked(_ scoring: HoldoutScoring) -> [Holdout.Question] {
        var places: [(user: Int, row: Int)] = []
        for user in log.userIDs.indices {
            let held = scoring.holdout.trainingEnds[user]..<log.userStarts[user + 1]
            var last = log.userStarts[user]
            for part in 0..<Self.questionsPerUser where !held.isEmpty {
                let row = max(held.lowerBound + held.count * part / Self.questionsPerUser, log.userStarts[user] + 1)
                if row > last, row < held.upperBound { places.append((user, row)) }
                last = max(last, row)
            }
        }
        let step = max(1, Double(places.count) / Double(Self.fitQuestionsLimit))
        return (0..<min(places.count, Self.fitQuestionsLimit)).compactMap { index in
            let (user, row) = places[Int(Double(index) * step)]
            let truth = log.answers(of: user, from: row) { log.keepsOut($0, by: scoring.excludes) }
            return truth.isEmpty
                ? nil : Holdout.Question(user: user, known: log.userStarts[user]..<row, truth: truth, time: log.times[row])
        }
    }

    /// What the blend gives for a question, one score an item.
    package func question(_ question: Holdout.Question) -> BlendQuestion {
        let known = question.known.suffix(settings.historyLimitEvents)
        return BlendQuestion(
            history: known.map { log.items[$0] }, times: known.map { log.times[$0] }, now: question.time, answers: question.truth)
    }

    /// What the user had bought before a question, of as much of the history as serving reads.
    package func purchases(_ question: Holdout.Question) -> [(row: Int32, amountMinor: UInt32)] {
        question.known.suffix(settings.historyLimitEvents).compactMap { row in
            log.types[row] == InteractionType.purchase.rawValue && log.amounts[row] > 0
                ? (row: log.items[row], amountMinor: UInt32(clamping: log.amounts[row])) : nil
        }
    }

    /// The blend to publish with a model: tables over `rows`, in the model's own rows.
    package func blend(_ weights: BlendWeights, for model: TwoTowerModel, rows: [Range<Int>]) -> RankingBlend {
        RankingBlend(weights: weights, tables: trainer(rows).tables).renumbered(
            log.itemIDs.map { model.row(of: $0) ?? -1 }, itemCount: model.itemIDs.count)
    }

    /// A blend in rows of the log with the trending list of the end of some rows.
    package func scoring(_ blend: RankingBlend, rows: [Range<Int>]) -> BlendTrainer.Scoring {
        BlendTrainer(tables: blend.tables, trending: trending(rows)).scoring(blend.weights)
    }

    /// The trending list as serving would have had it after the last of the rows.
    ///
    /// Summed in doubles from the newest row back: what is learned from needs no exact counters, whose sums ``TrendingClock`` keeps in
    /// whatever order events come.
    package func trending(_ rows: [Range<Int>]) -> [BlendTrainer.TrendingRow] {
        let halfLife = Double(settings.decayHalfLifeMilliseconds)
        var scores = [Double](repeating: 0, count: log.itemIDs.count)
        log.times.withUnsafeBufferPointer { times in
            let newest = rows.lazy.filter { !$0.isEmpty }.map { times[$0.upperBound - 1] }.max() ?? 0
            for own in rows {
                for row in own {
                    guard let weight = TrendingScore.weight(of: InteractionType(rawValue: log.types[row])) else { continue }
                    scores[Int(log.items[row])] += weight * exp2(Double(times[row] - newest) / halfLife)
                }
            }
        }
        let popular = scores.indices.filter { scores[$0] > 0 && !log.isHidden[$0] }.sorted { (scores[$0], -$0) > (scores[$1], -$1) }
        guard let top = popular.first.map({ scores[$0] }) else { return [] }
        return popular.prefix(settings.trendingLimitItems).map {
            BlendTrainer.TrendingRow(row: Int32($0), share: Float(scores[$0] / top))
        }
    }
}
