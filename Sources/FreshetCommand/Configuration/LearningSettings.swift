import Evaluation
import Interactions
import Learning
import MetaLearning
import Recommending
import Settings

/// The one place where keys become the settings of what learns and judges.
extension Configuration {
    /// All that learning, judging and evaluation go by.
    var learningSettings: LearningSettings {
        LearningSettings(
            blend: blendSettings, heads: headSettings, domains: domainSettings, content: contentSettings, adaptation: adaptationSettings,
            holdout: holdoutSettings, gate: promotionGate, learnsHeldOut: boolean("train.final_fit"),
            tailBudget: number("ranking.tail_budget_percent") / 100,
            served: ServedSettings(rules: recommendingRules, tailDial: tailDial), features: featureRules, segments: segmentSettings)
    }

    /// What a training within an evaluation or a search goes by.
    func runSettings() throws(ConfigurationError) -> RunSettings {
        RunSettings(learning: learningSettings, towers: try towerConfiguration())
    }

    /// How the ranking blend is learned.
    var blendSettings: BlendSettings {
        BlendSettings(
            isWanted: text("ranking.blend") != "off", neighbourLimitItems: integer("ranking.neighbours"),
            recentHalfLifeDays: number("ranking.recent_half_life_days"), historyLimitEvents: integer("ingest.history_limit_events"),
            decayHalfLifeMilliseconds: featureRules.decayHalfLifeMilliseconds, trendingLimitItems: integer("serve.trending_items"))
    }

    /// How the ranking heads are learned.
    var headSettings: HeadSettings {
        HeadSettings(
            isWanted: text("objectives.heads") != "off",
            // A wrong setting ended the run before it began.
            balances: (try? headBalances()) ?? [.uncertainty],
            powers: ObjectivePowers(
                click: Float(number("objectives.click_power")), conversion: Float(number("objectives.conversion_power")),
                value: Float(number("objectives.value_power"))), tunesValue: text("objectives.tune") == "value")
    }

    /// Which domains get adapters.
    var domainSettings: DomainSettings {
        DomainSettings(
            field: text("train.domain_field"), rank: integer("train.domain_rank"),
            minimumInteractions: integer("train.domain_minimum_interactions"), limit: integer("train.domain_limit"))
    }

    /// How the content channel is learned.
    var contentSettings: ContentSettings {
        ContentSettings(
            isWanted: text("content.channel") != "off", linkAttributes: list("content.links"),
            shareCost: number("content.share_cost_percent") / 100)
    }

    /// How adaptation to new categories is learned.
    var adaptationSettings: AdaptationSettings {
        AdaptationSettings(
            isWanted: text("adaptation.mode") != "off", field: text("adaptation.field"), support: integer("adaptation.support"),
            query: integer("adaptation.query"), innerSteps: integer("adaptation.inner_steps"),
            order: text("adaptation.order") == "first" ? .first : .second, proximity: Float(number("adaptation.proximity")),
            rank: integer("adaptation.rank"), metaSteps: integer("adaptation.meta_steps"),
            metaCategories: integer("adaptation.meta_categories"))
    }

    /// `ranking.tail_dial` and `ranking.tail_lift`.
    var tailDial: TailDial { TailDial(lambda: Float(number("ranking.tail_dial")), lift: Float(number("ranking.tail_lift"))) }

    /// What the data gate lets pass.
    var dataGate: DataGate {
        DataGate(
            maxStabilityIndex: number("train.data_max_stability_index"), maxGap: number("train.data_max_gap"),
            maxNullRise: number("train.data_max_null_rise"), maxRepeatedShare: number("train.data_max_repeated_share"),
            maxItemShare: number("train.data_max_item_share"), maxSuspiciousShare: number("train.data_max_suspicious_share"),
            minimumUsers: integer("train.data_minimum_users"))
    }

    /// What one user may do before being left out.
    var userBounds: UserBounds {
        UserBounds(
            maxEventsPerMinute: integer("train.data_max_events_per_minute"), maxEventsPerDay: integer("train.data_max_events_per_day"),
            maxItemEventsPerDay: integer("train.data_max_item_events_per_day"))
    }

    /// How an incremental training learns.
    func incrementRules(seed: UInt64, threads: Int) -> IncrementTraining.Rules {
        IncrementTraining.Rules(
            epochs: integer("train.incremental_epochs"), rateShare: Float(number("train.incremental_rate")),
            replay: number("train.incremental_replay"), replayLimitEvents: integer("train.incremental_replay_limit_events"),
            ewc: Float(number("train.incremental_ewc")), seed: seed, threads: threads)
    }

    /// The weightings that `objectives.balance` wants to be tried: one, unless it is `sweep`.
    func headBalances() throws(ConfigurationError) -> [HeadBalance] {
        switch text("objectives.balance") {
        case "sweep": return HeadSweep.weightings
        case "fixed": break
        default: return [.uncertainty]
        }
        let given = list("objectives.loss_weights"), weights = given.compactMap { Float($0) }
        guard given.count == HeadLoss.names.count, weights.count == given.count, weights.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw ConfigurationError(
                "objectives.loss_weights is \(given.joined(separator: ",")), but takes three numbers from 0: of "
                    + HeadLoss.names.joined(separator: ", "))
        }
        return [.fixed(weights)]
    }

    /// The interactions that `rules.exclude` names.
    var excludedTypes: [InteractionType] {
        var types = Set<InteractionType>()
        for name in list("rules.exclude") {
            switch name {
            case "seen": types.formUnion([.click, .addToCart, .purchase])
            case "clicked": types.insert(.click)
            case "carted": types.insert(.addToCart)
            default: types.insert(.purchase)
            }
        }
        return types.sorted { $0.rawValue < $1.rawValue }
    }

    /// What `train.holdout` holds out.
    private var holdoutSettings: HoldoutSettings {
        let cut: HoldoutSettings.Cut = switch text("train.holdout") {
        case "leave-one-out": .leaveOneOut
        case "none": .none
        default: .newest(share: number("train.holdout_percent") / 100)
        }
        return HoldoutSettings(
            cut: cut, excludes: Set(excludedTypes.map(\.rawValue)), usersLimit: integer("train.evaluation_users"))
    }

    /// The gate that `train.gate_*` asks for.
    private var promotionGate: PromotionGate {
        let absolute = number("train.gate_margin")
        return PromotionGate(
            margin: absolute > 0 ? .absolute(absolute) : .share(number("train.gate_margin_percent") / 100),
            confidence: number("train.gate_confidence_percent") / 100)
    }
}
