import CandidateRanking
import Console
import ContentModel
import Evaluation
import Recommending
import TowerModel
import TrainingFiles

/// Everything that is learned of a model's parts on what was held out: the blend and the ranker, then the heads that read their ranking,
/// then the content channel that is fitted beside it. A training, an evaluation and a search learn them here, and so alike.
package struct PartsJudging {
    /// The towers with their blend.
    package let ranking: JudgedRanking
    /// Nil where there is nothing that heads could learn from.
    package let heads: HeadTraining.Outcome?
    /// Nil where there is no channel.
    package let content: ContentTraining.Fitted?
    private let scoring: HoldoutScoring
    private let settings: LearningSettings
    /// The content channel as it would be published with the judged model; nil where there is none.
    private let channel: ContentChannel?

    /// Learns the parts.
    ///
    /// - Parameters:
    ///   - model: trained without the held-out part, with its domains.
    ///   - drawsTailCurve: whether ``tailCurve`` is wanted where no budget asks for it.
    package init(_ model: TwoTowerModel, scoring: HoldoutScoring, settings: LearningSettings, drawsTailCurve: Bool = false) {
        let log = scoring.log, training = BlendTraining(log: log, settings: settings.blend)
        var ranking = JudgedRanking(model, scoring: scoring, training: training)
        if settings.ranker.isWanted {
            ranking = ranking.ranked(by: settings.rankerTraining(log, threads: scoring.threads), scoring: scoring)
        }
        let heads = HeadTraining(log: log, settings: settings.heads).learn(scoring, judged: ranking, training: training)
        self.init(ranking, heads: heads, scoring: scoring, settings: settings, drawsTailCurve: drawsTailCurve)
    }

    /// The same towers with a counter in the place of blend, ranker and heads; what is fitted to a ranking, as the content channel and
    /// prices, is fitted to it.
    package func counted(by fit: RankerTraining.Fit, _ training: RankerTraining) -> PartsJudging {
        var parts = PartsJudging(
            ranking.counted(by: fit, training), heads: nil, scoring: scoring, settings: settings, drawsTailCurve: false)
        parts.domains = domains
        return parts
    }

    private init(
        _ ranking: JudgedRanking, heads: HeadTraining.Outcome?, scoring: HoldoutScoring, settings: LearningSettings, drawsTailCurve: Bool
    ) {
        self.scoring = scoring
        self.settings = settings
        (self.ranking, self.heads) = (ranking, heads)
        let log = scoring.log, model = ranking.vectors.model
        let content = ContentTraining(log: log, settings: settings.content)
        let fitted = content.isWanted
            ? content.fitted(
                model, scoring: scoring, levelWeight: (ranking.fit?.weights[.tower] ?? 1) * (ranking.ranker?.weights.interest ?? 1),
                scores: ranking.scores) : nil
        self.content = fitted
        let budget = settings.tailBudget
        tailCurve = ranking.hasTables && (drawsTailCurve || budget > 0) ? TailCurve(scoring, judged: ranking) : nil
        dial = budget > 0 ? tailCurve?.dial(losing: budget) ?? TailDial() : TailDial()
        channel = fitted.map { fitted in
            let learning = fitted.learning ?? content.learning(of: scoring)
            var channel = learning.channel
            channel.weights = fitted.all
            channel.share = NewItemTraining(log: log, rows: log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
                .share(learning, for: model, holdout: settings.holdout)
            return channel
        }
        let pricing = PriceTraining(settings.itemShare, itemCount: log.itemIDs.indices.count { !log.isHidden[$0] })
        guard pricing.isWanted else { return }
        let unpriced = bundles
        prices = pricing.fitted(scoring) { ServedScoring(unpriced, scoring: $0, settings: settings) }
    }

    /// Learns the parts of towers, first the domains that `train.domain_field` asks for.
    ///
    /// - Parameters:
    ///   - base: trained without the held-out part.
    ///   - stop: ends the learning of domains early.
    /// - Throws: where the process was asked to stop.
    package static func learning(
        _ base: TwoTowerModel, scoring: HoldoutScoring, settings: LearningSettings, drawsTailCurve: Bool = false, stop: StopSignal
    ) throws -> PartsJudging {
        var model = base, domains: DomainTraining.Judged?
        if settings.domains.isWanted {
            let training = DomainTraining(log: scoring.log, settings: settings.domains, threads: scoring.threads, stop: stop)
            domains = try training.judged(base, scoring: scoring)
            model.domains = domains?.kept
        }
        var parts = PartsJudging(model, scoring: scoring, settings: settings, drawsTailCurve: drawsTailCurve)
        parts.domains = domains
        return parts
    }

    /// What was found of domains; nil where none were asked for.
    package private(set) var domains: DomainTraining.Judged?
    /// The tail dial that training builds in: the best beyond the head within `ranking.tail_budget_percent`.
    package let dial: TailDial
    /// What each place of the dial gives; nil where nothing was counted or nobody asked.
    package let tailCurve: TailCurve?

    /// What items must cost so that none is in too many lists; nil where that is not bounded.
    package private(set) var prices: PriceTraining.Fitted?

    /// ``prices`` by the ids of the items.
    private var itemPrices: ItemPrices {
        ItemPrices(Dictionary((prices?.prices ?? [:]).map { (scoring.log.itemIDs[Int($0)], $1) }) { first, _ in first })
    }

    /// What is known of contents from what may be learned from; nil where nothing is known of any item. Rivals by content are asked also
    /// where no channel is wanted.
    package var contentLearning: ContentLearning? {
        if let learning = content?.learning { return learning }
        var wanted = settings.content
        wanted.isWanted = true
        let training = ContentTraining(log: scoring.log, settings: wanted)
        return training.isWanted ? training.learning(of: scoring) : nil
    }

    /// What is published of them.
    package var weights: PartWeights {
        var weights = PartWeights()
        weights.blend = blend(ranking.fit?.weights, beside: ranking.ranker?.weights)
        weights.ranker = ranking.ranker?.weights
        weights.heads = heads?.weights
        weights.content = content?.all
        weights.domains = domains.map { $0.kept?.tokens ?? [] }
        weights.prices = itemPrices.isEmpty ? nil : itemPrices
        return weights
    }

    /// The weights of the content channel, for the registry; nil where there is none.
    package var contentRecord: ContentChannelRecord? {
        content.map { fitted in
            ContentChannelRecord(
                weights: NamedNumbers(zip(ContentChannel.Part.allCases, fitted.all).map { NamedNumbers.Entry("\($0)", Double($1)) }),
                constants: fitted.constants)
        }
    }

    /// Heads read the blend's tables, also where the towers rank alone; so does the dial.
    private func blend(_ fitted: BlendWeights?, beside ranker: RankerWeights?) -> BlendWeights? {
        let weights = fitted ?? (heads == nil ? nil : .towersAlone)
        return dial == TailDial() ? weights : (weights ?? .towersAlone).dialled(dial.beside(interest: ranker?.interest ?? 1))
    }

    /// The judged model as it would serve, once for each half of the users: blend and heads are what the other half gave. The few weights
    /// of the channel are one for both.
    package var bundles: [ModelBundle] {
        let log = scoring.log, model = ranking.vectors.model
        let rows = log.itemIDs.map { model.row(of: $0) ?? -1 }, items = model.itemIDs.count, prices = itemPrices
        return [0, 1].map { half in
            var bundle = ModelBundle(model)
            let ranker = ranking.ranker.map { CandidateRanker(weights: $0.halves[half], tables: $0.tables) }
            bundle.ranker = ranker?.renumbered(rows, itemCount: items)
            if ranking.hasTables, let weights = blend(ranking.fit?.halves[half], beside: ranker?.weights) {
                bundle.blend = RankingBlend(weights: weights, tables: ranking.tables).renumbered(rows, itemCount: items)
                bundle.heads = heads?.halves[half].renumbered(rows, itemCount: items)
            }
            bundle.channel = channel
            bundle.exclusion = scoring.excludes
            bundle.prices = prices
            return bundle
        }
    }
}
