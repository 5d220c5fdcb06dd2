import Evaluation
import Recommending
import TowerModel
import TrainingFiles

/// A judged model as it would rank: by a blend where that answers the held-out questions better than the towers alone; for users of
/// whom little is known by weights of their own, where these do (``NewcomerBlend``).
package struct JudgedRanking {
    /// The weights, or nil where the towers rank alone.
    package let fit: BlendTraining.Fit?
    /// What the ranking answers; a blend is cross-fitted, so no answer was seen by the weights that are judged on it.
    package let outcome: HoldoutScoring.Outcome
    /// The vectors of the towers, by row.
    package let vectors: HoldoutVectors
    private let trainer: BlendTrainer?
    private let training: BlendTraining
    private let scorings: [BlendTrainer.Scoring]
    private let towersAlone: HoldoutScoring.Outcome
    private let blended: HoldoutScoring.Outcome?
    private let tried: BlendTraining.Fit?
    private let newcomers: [NewcomerBlend.Row]

    /// Fits a blend, unless the configuration wants none, and compares.
    package init(_ model: TwoTowerModel, scoring: HoldoutScoring, training: BlendTraining) {
        self.training = training
        let vectors = scoring.vectors(model)
        self.vectors = vectors
        func towers(_ question: Holdout.Question) -> [Float] { vectors.scores(of: vectors.user(question)) }
        towersAlone = scoring.collect(towers)
        guard training.isWanted, !scoring.holdout.questions.isEmpty else {
            (fit, tried, outcome, blended, scorings, trainer, newcomers) = (nil, nil, towersAlone, nil, [], nil, [])
            return
        }
        let trainer = training.trainer(scoring.log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: scoring.log) })
        let tried = training.fit(scoring, trainer: trainer, towers: towers)
        func answered(_ fit: BlendTraining.Fit) -> (scorings: [BlendTrainer.Scoring], outcome: HoldoutScoring.Outcome) {
            let scorings = fit.halves.map { trainer.scoring($0) }
            return (scorings, scoring.collect { scorings[$0.user % 2].scores(training.question($0), tower: towers($0)) })
        }
        let blended = answered(tried)
        let isBetter = blended.outcome.report["NDCG@10"] > towersAlone.report["NDCG@10"]
        let everybody = isBetter ? tried : BlendTraining.Fit(weights: .towersAlone, halves: [.towersAlone, .towersAlone])
        let extended = NewcomerBlend(scoring: scoring, training: training, trainer: trainer).extended(everybody, towers: towers)
        self.trainer = trainer
        self.tried = tried
        self.blended = blended.outcome
        newcomers = extended.rows
        if extended.fit.weights.newcomers.isEmpty {
            fit = isBetter ? tried : nil
            scorings = blended.scorings
            outcome = isBetter ? blended.outcome : towersAlone
        } else {
            fit = extended.fit
            (scorings, outcome) = answered(extended.fit)
        }
    }

    /// The inner products of the towers for a question, one a row.
    package func towers(_ question: Holdout.Question) -> [Float] { vectors.scores(of: vectors.user(question)) }

    /// What the ranking gives for a question, one score a row.
    package func scores(_ question: Holdout.Question) -> [Float] { scores(question, tower: towers(question)) }

    /// The same where the inner products are known.
    package func scores(_ question: Holdout.Question, tower: [Float]) -> [Float] {
        guard fit != nil else { return tower }
        return scorings[question.user % 2].scores(training.question(question), tower: tower)
    }

    /// Whether a blend was tried, so that there are ``tables``.
    package var hasTables: Bool { trainer != nil }

    /// What was counted for the blend. Only where ``hasTables``.
    package var tables: RankingTables {
        guard let trainer else { preconditionFailure("no blend was tried, so nothing was counted") }
        return trainer.tables
    }

    /// What the tables say of a history. Only where ``hasTables``.
    package func signals(history: [Int32], times: [Int64], now: Int64) -> UserSignals {
        UserSignals(history: history, times: times, now: now, transitions: tables.transitions)
    }

    /// The same ranking on other questions of the same log.
    package func score(_ scoring: HoldoutScoring) -> HoldoutScoring.Outcome {
        guard fit != nil else { return scoring.collect(towers) }
        return scoring.collect { scorings[$0.user % 2].scores(training.question($0), tower: towers($0)) }
    }

    /// What was compared and the weights, for the registry.
    package var record: RankingRecord {
        var record = RankingRecord()
        record.blend = fit.map { $0.weights.values != BlendWeights.towersAlone.values } ?? false
        record.towersAlone = towersAlone.report["NDCG@10"]
        record.blended = blended?.report["NDCG@10"]
        record.weights = tried.map { tried in
            NamedNumbers(zip(RankingFeature.allCases, tried.weights.values).map { NamedNumbers.Entry($0.name, Double($1)) })
        }
        record.newcomers = newcomers.map {
            RankingRecord.Newcomers(
                historyLimitEvents: $0.historyLimitEvents, kept: $0.isKept, questions: $0.questions, everybody: $0.everybody,
                newcomers: $0.newcomers)
        }
        return record
    }
}
