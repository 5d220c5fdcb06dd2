import Console
import Recommending
import TowerModel

/// A judged model as it would rank: by a blend where that answers the held-out questions better than the towers alone; for users of
/// whom little is known by weights of their own, where these do (``NewcomerBlend``).
struct JudgedRanking {
    /// The weights, or nil where the towers rank alone.
    let fit: BlendTraining.Fit?
    /// What the ranking answers; a blend is cross-fitted, so no answer was seen by the weights that are judged on it.
    let outcome: HoldoutScoring.Outcome
    /// The vectors of the towers, by row.
    let vectors: HoldoutVectors
    private let trainer: BlendTrainer?
    private let training: BlendTraining
    private let scorings: [BlendTrainer.Scoring]
    private let towersAlone: HoldoutScoring.Outcome
    private let blended: HoldoutScoring.Outcome?
    private let tried: BlendTraining.Fit?
    private let newcomers: [NewcomerBlend.Row]

    /// Fits a blend, unless the configuration wants none, and compares.
    init(_ model: TwoTowerModel, scoring: HoldoutScoring, training: BlendTraining) {
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
    func towers(_ question: Holdout.Question) -> [Float] { vectors.scores(of: vectors.user(question)) }

    /// What the ranking gives for a question, one score a row.
    func scores(_ question: Holdout.Question) -> [Float] { scores(question, tower: towers(question)) }

    /// The same where the inner products are known.
    func scores(_ question: Holdout.Question, tower: [Float]) -> [Float] {
        guard fit != nil else { return tower }
        return scorings[question.user % 2].scores(training.question(question), tower: tower)
    }

    /// Whether a blend was tried, so that there are ``tables``.
    var hasTables: Bool { trainer != nil }

    /// What was counted for the blend. Only where ``hasTables``.
    var tables: RankingTables {
        guard let trainer else { preconditionFailure("no blend was tried, so nothing was counted") }
        return trainer.tables
    }

    /// What the tables say of a history. Only where ``hasTables``.
    func signals(history: [Int32], times: [Int64], now: Int64) -> UserSignals {
        UserSignals(history: history, times: times, now: now, transitions: tables.transitions)
    }

    /// The same ranking on other questions of the same log.
    func score(_ scoring: HoldoutScoring) -> HoldoutScoring.Outcome {
        guard fit != nil else { return scoring.collect(towers) }
        return scoring.collect { scorings[$0.user % 2].scores(training.question($0), tower: towers($0)) }
    }

    /// What was compared and the weights, for the registry.
    var json: String {
        var line = ResultLine([
            "blend": .boolean(fit.map { $0.weights.values != BlendWeights.towersAlone.values } ?? false), "towers_alone_NDCG@10": .number(towersAlone.report["NDCG@10"]),
        ])
        if let blended { line.add("blend_NDCG@10", .number(blended.report["NDCG@10"])) }
        if let tried {
            var weights = ResultLine()
            for (feature, weight) in zip(RankingFeature.allCases, tried.weights.values) { weights.add(feature.name, .number(Double(weight))) }
            line.add("weights", .json(weights.json))
        }
        for row in newcomers {
            line.add(
                "newcomers_up_to_\(row.historyLimitEvents)_events",
                .json(
                    ResultLine([
                        "kept": .boolean(row.isKept), "questions": .integer(row.questions), "everybody_NDCG@10": .number(row.everybody),
                        "newcomers_NDCG@10": .number(row.newcomers),
                    ]).json))
        }
        return line.json
    }
}

extension TrainingStages.Promoted {
    /// What the model in force answers, with its own blend where it has one; what was popular is that of the candidate's log.
    func score(_ scoring: HoldoutScoring, training: BlendTraining) -> HoldoutScoring.Outcome {
        guard let blend else { return scoring.score(model) }
        let log = scoring.log
        let rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        let ranking = training.scoring(
            blend.renumbered(model.itemIDs.map { rowOf[$0] ?? -1 }, itemCount: log.itemIDs.count),
            rows: log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
        let towers = scoring.towers(model)
        return scoring.collect { ranking.scores(training.question($0), tower: towers($0)) }
    }
}
