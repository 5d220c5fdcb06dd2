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
            blend: blendSettings, ranker: rankerSettings, heads: headSettings, domains: domainSettings, content: contentSettings,
            adaptation: adaptationSettings,
            holdout: holdoutSettings, gate: promotionGate, learnsHeldOut: boolean(.trainFinalFit),
            tailBudget: number(.rankingTailBudgetPercent) / 100,
            served: ServedSettings(rules: judgedRules, tailDial: tailDial), features: featureRules, segments: segmentSettings,
            itemShare: ItemShareSettings(
                limit: number(.rankingItemShareLimitPercent) / 100, cost: number(.rankingItemShareCostPercent) / 100),
            counter: CounterRule(rawValue: text(.trainCounter)) ?? .auto, shares: listShares)
    }

    /// What a training within an evaluation or a search goes by.
    func runSettings() throws(ConfigurationError) -> RunSettings {
        RunSettings(learning: learningSettings, towers: try towerConfiguration())
    }

    /// How the ranking blend is learned.
    var blendSettings: BlendSettings {
        BlendSettings(
            isWanted: text(.rankingBlend) != "off", neighbourLimitItems: integer(.rankingNeighbours),
            recentHalfLifeDays: number(.rankingRecentHalfLifeDays), historyLimitEvents: integer(.ingestHistoryLimitEvents),
            decayHalfLifeMilliseconds: featureRules.decayHalfLifeMilliseconds, trendingLimitItems: integer(.serveTrendingItems))
    }

    /// How the ranker over counters is learned.
    var rankerSettings: RankerSettings {
        RankerSettings(isWanted: text(.rankingCounters) != "off", valueShare: Float(text(.rankingValueShare)))
    }

    /// How the ranking heads are learned.
    var headSettings: HeadSettings {
        HeadSettings(
            isWanted: text(.objectivesHeads) != "off",
            // A wrong setting ended the run before it began.
            balances: (try? headBalances()) ?? [.uncertainty],
            powers: ObjectivePowers(
                click: Float(number(.objectivesClickPower)), conversion: Float(number(.objectivesConversionPower)),
                value: Float(number(.objectivesValuePower))), tunesValue: text(.objectivesTune) == "value")
    }

    /// Which domains get adapters.
    var domainSettings: DomainSettings {
        DomainSettings(
            field: text(.trainDomainField), rank: integer(.trainDomainRank),
            minimumInteractions: integer(.trainDomainMinimumInteractions), limit: integer(.trainDomainLimit))
    }

    /// How the content channel is learned.
    var contentSettings: ContentSettings {
        ContentSettings(
            isWanted: text(.contentChannel) != "off", linkAttributes: list(.contentLinks),
            shareCost: number(.contentShareCostPercent) / 100)
    }

    /// How adaptation to new categories is learned.
    var adaptationSettings: AdaptationSettings {
        AdaptationSettings(
            isWanted: text(.adaptationMode) != "off", field: text(.adaptationField), support: integer(.adaptationSupport),
            query: integer(.adaptationQuery), innerSteps: integer(.adaptationInnerSteps),
            order: text(.adaptationOrder) == "first" ? .first : .second, proximity: Float(number(.adaptationProximity)),
            rank: integer(.adaptationRank), metaSteps: integer(.adaptationMetaSteps),
            metaCategories: integer(.adaptationMetaCategories))
    }

    /// `ranking.tail_dial` and `ranking.tail_lift`.
    var tailDial: TailDial { TailDial(lambda: Float(number(.rankingTailDial)), lift: Float(number(.rankingTailLift))) }

    /// What the data gate lets pass.
    var dataGate: DataGate {
        DataGate(
            maxStabilityIndex: number(.trainDataMaxStabilityIndex), maxGap: number(.trainDataMaxGap),
            maxNullRise: number(.trainDataMaxNullRise), maxRepeatedShare: number(.trainDataMaxRepeatedShare),
            maxItemShare: number(.trainDataMaxItemShare), maxSuspiciousShare: number(.trainDataMaxSuspiciousShare),
            minimumUsers: integer(.trainDataMinimumUsers))
    }

    /// What one user may do before being left out.
    var userBounds: UserBounds {
        UserBounds(
            maxEventsPerMinute: integer(.trainDataMaxEventsPerMinute), maxEventsPerDay: integer(.trainDataMaxEventsPerDay),
            maxItemEventsPerDay: integer(.trainDataMaxItemEventsPerDay))
    }

    /// How an incremental training learns.
    func incrementRules(seed: UInt64, threads: Int) -> IncrementTraining.Rules {
        IncrementTraining.Rules(
            epochs: integer(.trainIncrementalEpochs), rateShare: Float(number(.trainIncrementalRate)),
            replay: number(.trainIncrementalReplay), replayLimitEvents: integer(.trainIncrementalReplayLimitEvents),
            ewc: Float(number(.trainIncrementalEWC)), seed: seed, threads: threads)
    }

    /// The weightings that `objectives.balance` wants to be tried: one, unless it is `sweep`.
    func headBalances() throws(ConfigurationError) -> [HeadBalance] {
        switch text(.objectivesBalance) {
        case "sweep": return HeadSweep.weightings
        case "fixed": break
        default: return [.uncertainty]
        }
        let given = list(.objectivesLossWeights), weights = given.compactMap { Float($0) }
        guard given.count == HeadLoss.names.count, weights.count == given.count, weights.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw ConfigurationError(
                "objectives.loss_weights is \(given.joined(separator: ",")), but takes three numbers from 0: of "
                    + HeadLoss.names.joined(separator: ", "))
        }
        return [.fixed(weights)]
    }

    /// What `rules.exclude` keeps out; nil for auto, where each training decides it and its model says it.
    var exclusion: ExclusionRule? {
        if list(.rulesExclude) == ["auto"] { return nil }
        var types = Set<InteractionType>()
        for name in list(.rulesExclude) {
            switch name {
            case "seen": types.formUnion(InteractionType.acts)
            case "clicked": types.insert(.click)
            case "carted": types.insert(.addToCart)
            default: types.insert(.purchase)
            }
        }
        return ExclusionRule(types)
    }

    /// What `train.holdout` holds out.
    private var holdoutSettings: HoldoutSettings {
        let cut: HoldoutSettings.Cut = switch text(.trainHoldout) {
        case "leave-one-out": .leaveOneOut
        case "none": .none
        default: .newest(share: number(.trainHoldoutPercent) / 100)
        }
        return HoldoutSettings(
            cut: cut, excludes: exclusion, usersLimit: integer(.trainEvaluationUsers))
    }

    /// The gate that `train.gate_*` and `gate.rivals` ask for.
    private var promotionGate: PromotionGate {
        let absolute = number(.trainGateMargin)
        return PromotionGate(
            margin: absolute > 0 ? .absolute(absolute) : .share(number(.trainGateMarginPercent) / 100),
            confidence: number(.trainGateConfidencePercent) / 100, rivals: RivalRule(rawValue: text(.gateRivals)) ?? .refuse)
    }
}
