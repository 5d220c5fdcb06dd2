import Evaluation
import Recommending
import TrainingFiles

/// Learns how much each ranking signal counts for users of whom little is known, on held-out questions of which little is told.
///
/// Whoever comes for the first time is asked about where the holdout has enough such users: with the first 0, 1, 2, 5 and 10 of their
/// interactions known. Where it has too few, known users stand in, with the newest few of what they did known and the rest withheld.
/// Weights are cross-fitted by halves of the users, and kept for a length of history only where they answer better than the ranking
/// that serves everybody.
package struct NewcomerBlend {
    /// Histories that have weights of their own: none, and a short one.
    package static let historyLimitsEvents = [0, 10]
    /// Interactions that a question tells.
    package static let toldEvents = [0, 1, 2, 5, 10]
    /// Interactions after a question whose items are to be found.
    package static let answersLimit = 10
    /// Questions about true newcomers that make known users needless, and questions at most.
    private static let leastNewcomers = 30, questionsLimit = 3_000
    private static let listLength = 10

    /// The questions.
    package let scoring: HoldoutScoring
    /// How blends are learned.
    package let training: BlendTraining
    /// What was counted for them.
    package let trainer: BlendTrainer

    /// All of it.
    package init(scoring: HoldoutScoring, training: BlendTraining, trainer: BlendTrainer) {
        self.scoring = scoring
        self.training = training
        self.trainer = trainer
    }

    /// A question with what it tells.
    private struct Asked {
        var question: Holdout.Question
        /// What may not be an answer, told or withheld.
        var excluded: Set<Int32>
    }

    /// What was found for a length of history.
    package struct Row {
        /// Interactions up to which a user is a newcomer.
        package var historyLimitEvents: Int
        /// Questions of newcomers.
        package var questions: Int
        /// Mean NDCG@10 under everybody's weights and, cross-fitted, under those for newcomers.
        package var everybody, newcomers: Double
        /// Whether newcomers are answered better by weights of their own.
        package var isKept: Bool { newcomers > everybody }
    }

    /// Fits weights and adds those that are kept to a fit.
    ///
    /// - Parameters:
    ///   - fit: what serves everybody.
    ///   - towers: the inner products of the towers for a question, one an item.
    package func extended(_ fit: BlendTraining.Fit, towers: (Holdout.Question) -> [Float]) -> (fit: BlendTraining.Fit, rows: [Row]) {
        var found = fit, rows: [Row] = [], shortest = 0
        let places = asked()
        let blendFit = BlendFit()
        for limit in Self.historyLimitsEvents {
            let told = places.filter { shortest...limit ~= $0.known.count }
            shortest = limit + 1
            let step = max(1, Double(told.count) / Double(Self.questionsLimit))
            let asked = (0..<min(told.count, Self.questionsLimit)).map { index in
                let question = told[Int(Double(index) * step)]
                var whole = question
                whole.known = training.log.userStarts[question.user]..<question.known.upperBound
                return Asked(question: question, excluded: scoring.excluded(whole))
            }
            guard !asked.isEmpty else { continue }
            var questions = BlendQuestions(), users: [Int] = []
            for one in asked {
                trainer.add(
                    training.question(one.question), tower: towers(one.question),
                    where: { !one.excluded.contains($0) && !training.log.isHidden[Int($0)] }, to: &questions)
                if questions.count > users.count { users.append(one.question.user) }
            }
            let halves = [0, 1].map { half in blendFit.weights(for: questions) { users[$0] % 2 != half } }
            let means = means(asked, [fit.halves, halves], towers: towers)
            let row = Row(historyLimitEvents: limit, questions: asked.count, everybody: means[0], newcomers: means[1])
            rows.append(row)
            guard row.isKept else { continue }
            found.weights.newcomers.append(
                BlendWeights.Newcomer(historyLimitEvents: limit, values: blendFit.weights(for: questions).values))
            for half in halves.indices {
                found.halves[half].newcomers.append(BlendWeights.Newcomer(historyLimitEvents: limit, values: halves[half].values))
            }
        }
        return (found, rows)
    }

    /// Mean NDCG@10 of questions under each of some weights by halves, each answered by those of the other half of the users.
    private func means(_ asked: [Asked], _ weights: [[BlendWeights]], towers: (Holdout.Question) -> [Float]) -> [Double] {
        let scorings = weights.map { $0.map { trainer.scoring($0) } }
        var metrics = weights.map { _ in RankingMetrics(cutoffs: [Self.listLength], catalogueSize: training.log.itemIDs.count) }
        for one in asked {
            let tower = towers(one.question)
            for (place, halves) in scorings.enumerated() {
                let scores = halves[one.question.user % 2].scores(training.question(one.question), tower: tower)
                let ranked = topRows(Self.listLength, of: scores) { one.excluded.contains($0) || training.log.isHidden[Int($0)] }
                metrics[place].add(ranked: ranked, relevant: one.question.truth)
            }
        }
        return metrics.map { $0.report()["NDCG@10"] }
    }

    /// Questions about newcomers of the holdout or, where these are few, about the holdout's users as if they were.
    private func asked() -> [Holdout.Question] {
        scoring.newcomerQuestions ?? scoring.holdout.questions.flatMap { question in
            Self.toldEvents.compactMap { told in scoring.question(question.user, at: question.known.upperBound, told: told) }
        }
    }

    /// Users of a log who come for the first time where rows known of each end.
    static func newcomers(_ log: TrainingLog, ends: [Int]) -> [Int]? {
        let newcomers = log.userIDs.indices.filter { ends[$0] == log.userStarts[$0] && log.rows(of: $0).count > 1 }
        return newcomers.count >= leastNewcomers ? newcomers : nil
    }
}

extension HoldoutScoring {
    /// Questions about whoever comes for the first time in the holdout, with the first ``NewcomerBlend/toldEvents`` of their interactions
    /// known; nil where these are too few to say anything.
    package var newcomerQuestions: [Holdout.Question]? {
        NewcomerBlend.newcomers(log, ends: holdout.trainingEnds).map { newcomers in
            newcomers.flatMap { user in
                NewcomerBlend.toldEvents.compactMap { told in question(user, at: log.userStarts[user] + told, told: told) }
            }
        }
    }

    /// The question at a row of which the newest `told` interactions before it are known; nil where there are not so many, or no answers.
    fileprivate func question(_ user: Int, at row: Int, told: Int) -> Holdout.Question? {
        let own = log.rows(of: user)
        guard row - told >= own.lowerBound, row < own.upperBound else { return nil }
        let truth = log.answers(of: user, from: row, limitEvents: NewcomerBlend.answersLimit) { log.keepsOut($0, by: excludes) }
        return truth.isEmpty ? nil : Holdout.Question(user: user, known: row - told..<row, truth: truth, time: log.times[row])
    }
}
