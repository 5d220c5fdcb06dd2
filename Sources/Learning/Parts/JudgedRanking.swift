import CandidateRanking
import Console
import Evaluation
import Recommending
import TowerModel
import TrainingFiles

/// A judged model as it would rank: by a blend where that answers the held-out questions better than the towers alone; for users of
/// whom little is known by weights of their own, where these do (``NewcomerBlend``).
package struct JudgedRanking {
    /// The weights, or nil where the towers rank alone.
    package private(set) var fit: BlendTraining.Fit?
    /// What the ranking answers; a blend is cross-fitted, so no answer was seen by the weights that are judged on it.
    package private(set) var outcome: HoldoutScoring.Outcome
    /// The vectors of the towers, by row.
    package let vectors: HoldoutVectors
    private var trainer: BlendTrainer?
    private let training: BlendTraining
    private let scorings: [BlendTrainer.Scoring]
    private let towersAlone: HoldoutScoring.Outcome
    private let blended: HoldoutScoring.Outcome?
    private let tried: BlendTraining.Fit?
    private let newcomers: [NewcomerBlend.Row]
    private let excludes: ExclusionRule
    private var counters: RankingRecord.Counters?
    private var rankerTraining: RankerTraining?
    /// The ranker over counters; nil where none is wanted or none helps.
    package private(set) var ranker: RankerTraining.Fit?

    /// Fits a blend, unless the configuration wants none, and compares.
    package init(_ model: TwoTowerModel, scoring: HoldoutScoring, training: BlendTraining) {
        self.training = training
        excludes = scoring.excludes
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

    /// The same ranking with a ranker over counters behind it, where that answers better.
    package func ranked(by training: RankerTraining, scoring: HoldoutScoring) -> JudgedRanking {
        let began = ContinuousClock.now
        guard let fit = training.fit(scoring, interest: { interest($0, tower: towers($0)) }) else { return self }
        var next = self
        next.ranker = fit
        next.rankerTraining = training
        let answered = scoring.collect { next.scores($0) }
        let with = answered.report[HoldoutScoring.gateMetric], without = outcome.report[HoldoutScoring.gateMetric]
        // Who asked for turnover may lose hits by it: there what the mix was chosen by decides.
        let asked = fit.hasValues ? Double(training.settings.valueShare ?? 0) : 0
        let gain = fit.mixing.mixedOfValue / max(fit.mixing.aloneOfValue, 1e-12) - 1
        let isBetter = (1 - asked) * (with / max(without, 1e-12) - 1) + (asked > 0 ? asked * gain : 0) > 0
        if isBetter { next.outcome = answered } else { next = self }
        var counters = RankingRecord.Counters(
            used: isBetter, network: fit.isNetwork, questions: fit.questions, borders: fit.borders, rankingShare: fit.rankingShare,
            without: without, with: with, seconds: began.duration(to: .now).inSeconds)
        if fit.hasValues {
            counters.valueShare = Double(fit.mixing.valueShare)
            (counters.keptOfTaken, counters.keptOfValue) = (fit.mixing.kept?.taken, fit.mixing.kept?.value)
        }
        counters.newcomers = fit.newcomers.map {
            RankingRecord.Counters.Short(
                historyLimitEvents: $0.historyLimitEvents, questions: $0.questions, rankingShare: Double($0.share), kept: $0.isKept,
                everybody: $0.everybody, newcomers: $0.newcomers)
        }
        next.counters = counters
        return next
    }

    /// The ranking of a counter alone: without blend, so that what decides between equal counts is the towers' product.
    package func counted(by fit: RankerTraining.Fit, _ training: RankerTraining) -> JudgedRanking {
        var next = self
        (next.fit, next.trainer, next.counters) = (nil, nil, nil)
        (next.ranker, next.rankerTraining) = (fit, training)
        return next
    }

    /// The inner products of the towers for a question, one a row.
    package func towers(_ question: Holdout.Question) -> [Float] { vectors.scores(of: vectors.user(question)) }

    /// What the ranking gives for a question, one score a row.
    package func scores(_ question: Holdout.Question) -> [Float] { scores(question, tower: towers(question)) }

    /// The same where the inner products are known.
    package func scores(_ question: Holdout.Question, tower: [Float]) -> [Float] {
        let interest = interest(question, tower: tower)
        guard let ranker, let rankerTraining else { return interest }
        return rankerTraining.scores(
            question, interest: interest, weights: ranker.halves[question.user % 2], tables: ranker.tables, excludes: excludes)
    }

    /// What towers and blend give, one score a row.
    private func interest(_ question: Holdout.Question, tower: [Float]) -> [Float] {
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

    /// What was compared and the weights, for the registry.
    package var record: RankingRecord {
        var record = RankingRecord()
        record.blend = fit.map { $0.weights.values != BlendWeights.towersAlone.values } ?? false
        record.towersAlone = towersAlone.report["NDCG@10"]
        record.blended = blended?.report["NDCG@10"]
        record.weights = tried.map { tried in
            NamedNumbers(zip(RankingFeature.allCases, tried.weights.values).map { NamedNumbers.Entry($0.name, Double($1)) })
        }
        record.counters = counters
        record.newcomers = newcomers.map {
            RankingRecord.Newcomers(
                historyLimitEvents: $0.historyLimitEvents, kept: $0.isKept, questions: $0.questions, everybody: $0.everybody,
                newcomers: $0.newcomers)
        }
        return record
    }
}
