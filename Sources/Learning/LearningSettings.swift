import Evaluation
import Features
import MetaLearning
import Recommending
import TowerModel

/// All that learning, judging and the protocols of evaluation go by. The root fills it in one place.
package struct LearningSettings: Sendable {
    /// How the ranking blend is learned.
    package var blend: BlendSettings
    /// How the ranker over counters is learned.
    package var ranker: RankerSettings
    /// How the ranking heads are learned.
    package var heads: HeadSettings
    /// Which domains get adapters.
    package var domains: DomainSettings
    /// How the content channel is learned.
    package var content: ContentSettings
    /// How adaptation to new categories is learned.
    package var adaptation: AdaptationSettings
    /// What is held out, and what is asked of it.
    package var holdout: HoldoutSettings
    /// What a candidate must reach.
    package var gate: PromotionGate
    /// When the best counter becomes a version of its own.
    package var counter: CounterRule
    /// Whether the published model learns from the held-out part, too.
    package var learnsHeldOut: Bool
    /// What the tail dial that is built in may cost of NDCG@10, as a share; 0 builds in none.
    package var tailBudget: Double
    /// How many lists an item may be in.
    package var itemShare: ItemShareSettings
    /// How many repeats, discoveries and new items the shop wants in lists: what that costs is told, and models are judged without.
    package var shares: ListShares
    /// How models answer.
    package var served: ServedSettings
    /// How interactions fold into features, as serving reads them.
    package var features: FeatureRules
    /// What is counted of segments of users; nil where nothing is.
    package var segments: SegmentSettings?

    /// All of it.
    package init(
        blend: BlendSettings, ranker: RankerSettings, heads: HeadSettings, domains: DomainSettings, content: ContentSettings,
        adaptation: AdaptationSettings,
        holdout: HoldoutSettings, gate: PromotionGate, learnsHeldOut: Bool, tailBudget: Double, served: ServedSettings,
        features: FeatureRules, segments: SegmentSettings?, itemShare: ItemShareSettings = ItemShareSettings(),
        counter: CounterRule = .auto, shares: ListShares = ListShares()
    ) {
        self.blend = blend
        self.ranker = ranker
        self.heads = heads
        self.domains = domains
        self.content = content
        self.adaptation = adaptation
        self.holdout = holdout
        self.gate = gate
        self.counter = counter
        self.learnsHeldOut = learnsHeldOut
        self.tailBudget = tailBudget
        self.served = served
        self.features = features
        self.segments = segments
        self.itemShare = itemShare
        self.shares = shares
    }
}

/// How many of the lists of ten an item may be in.
package struct ItemShareSettings: Sendable {
    /// The share of the lists; 1 for any number of them.
    package var limit: Double
    /// What the bound may cost of NDCG@10, as a share: where it would cost more it is loosened.
    package var cost: Double

    /// Both.
    package init(limit: Double = 0.1, cost: Double = 0.02) {
        self.limit = limit
        self.cost = cost
    }
}

/// What a training within an evaluation or a search goes by.
package struct RunSettings: Sendable {
    /// How parts are learned and judged.
    package var learning: LearningSettings
    /// How the towers learn.
    package var towers: TowerConfiguration

    /// All of it.
    package init(learning: LearningSettings, towers: TowerConfiguration) {
        self.learning = learning
        self.towers = towers
    }
}

/// The settings in force with other values of some keys; `source` says who set them. It throws where a value is refused.
package typealias Configured = (_ values: [(key: String, value: String)], _ source: String) throws -> RunSettings

/// What is held out of a log, and what is asked of it.
package struct HoldoutSettings: Sendable {
    /// How the log is cut.
    package enum Cut: Sendable, Equatable {
        /// The newest share of all interactions.
        case newest(share: Double)
        /// Each user's last interaction.
        case leaveOneOut
        /// Nothing is held out.
        case none

        /// As `train.holdout` names it.
        package var name: String {
            switch self {
            case .newest: "time"
            case .leaveOneOut: "leave-one-out"
            case .none: "none"
            }
        }
    }

    /// How the log is cut.
    package var cut: Cut
    /// What keeps an item out of answers: what was set, or what ``LearningSettings/deciding(_:_:threads:)`` decided; until then what was
    /// bought.
    package var excludes: ExclusionRule
    /// Whether each training decides ``excludes`` for itself.
    package var decidesExclusion: Bool
    /// Users that are asked at most.
    package var usersLimit: Int

    /// All of it.
    ///
    /// - Parameter excludes: nil where each training decides it.
    package init(cut: Cut, excludes: ExclusionRule?, usersLimit: Int) {
        self.cut = cut
        self.excludes = excludes ?? .purchased
        decidesExclusion = excludes == nil
        self.usersLimit = usersLimit
    }

    /// What keeps an item out of a model's answers: as it was set or, where it was not, as the model's training decided.
    package func exclusion(of bundle: ModelBundle) -> ExclusionRule {
        decidesExclusion ? bundle.exclusion ?? .purchased : excludes
    }
}

/// What is counted of segments of users.
package struct SegmentSettings: Sendable {
    /// A segment with fewer users says nothing.
    package var minimumUsers: Int
    /// Events that everybody's popularity weighs beside that of a segment.
    package var priorEvents: Double

    /// All of it.
    package init(minimumUsers: Int, priorEvents: Double) {
        self.minimumUsers = minimumUsers
        self.priorEvents = priorEvents
    }
}

/// How the ranking blend is learned.
package struct BlendSettings: Sendable {
    /// Whether a blend is wanted at all.
    package var isWanted = true
    /// Followers that are kept of each item.
    package var neighbourLimitItems = 0
    /// Half-life of what counts as recent popularity.
    package var recentHalfLifeDays = 0.0
    /// Interactions of a user that serving reads, and so a question knows.
    package var historyLimitEvents = 0
    /// Half-life of the counters of trending.
    package var decayHalfLifeMilliseconds: Int64 = 1
    /// Places of the trending list.
    package var trendingLimitItems = 0

    /// All of it.
    package init(
        isWanted: Bool, neighbourLimitItems: Int, recentHalfLifeDays: Double, historyLimitEvents: Int, decayHalfLifeMilliseconds: Int64,
        trendingLimitItems: Int
    ) {
        self.isWanted = isWanted
        self.neighbourLimitItems = neighbourLimitItems
        self.recentHalfLifeDays = recentHalfLifeDays
        self.historyLimitEvents = historyLimitEvents
        self.decayHalfLifeMilliseconds = decayHalfLifeMilliseconds
        self.trendingLimitItems = trendingLimitItems
    }
}

/// How the ranking heads are learned, and what they are ranked by.
package struct HeadSettings: Sendable {
    /// Whether heads are wanted at all.
    package var isWanted: Bool
    /// Weightings of the losses that are tried.
    package var balances: [HeadBalance]
    /// The powers to rank by.
    package var powers: ObjectivePowers
    /// Whether the value power that is best on the held-out questions takes the place of that of ``powers``.
    package var tunesValue: Bool

    /// All of it.
    package init(isWanted: Bool, balances: [HeadBalance], powers: ObjectivePowers, tunesValue: Bool) {
        self.isWanted = isWanted
        self.balances = balances
        self.powers = powers
        self.tunesValue = tunesValue
    }
}

/// Which domains get adapters of their own.
package struct DomainSettings: Sendable {
    /// The attribute of users that names the domain; empty for no adapters.
    package var field: String
    /// The rank of an adapter.
    package var rank: Int
    /// A domain with fewer interactions gets none.
    package var minimumInteractions: Int
    /// Domains at most, the largest first.
    package var limit: Int

    /// All of it.
    package init(field: String, rank: Int, minimumInteractions: Int, limit: Int) {
        self.field = field
        self.rank = rank
        self.minimumInteractions = minimumInteractions
        self.limit = limit
    }

    /// Whether a field is named.
    package var isWanted: Bool { !field.isEmpty }
}

/// How the content channel is learned.
package struct ContentSettings: Sendable {
    /// Whether a channel is wanted at all.
    package var isWanted: Bool
    /// Attributes of items that name related items.
    package var linkAttributes: [String]
    /// What the share of new items may cost, as a share of NDCG@10.
    package var shareCost: Double

    /// All of it.
    package init(isWanted: Bool, linkAttributes: [String], shareCost: Double) {
        self.isWanted = isWanted
        self.linkAttributes = linkAttributes
        self.shareCost = shareCost
    }
}

/// How adaptation to new categories is learned.
package struct AdaptationSettings: Sendable {
    /// Whether it is wanted at all.
    package var isWanted: Bool
    /// `categories`, or the attribute of items that names the category.
    package var field: String
    /// Events of a task to adapt by, and to judge by.
    package var support: Int, query: Int
    /// Steps of an adaptation.
    package var innerSteps: Int
    /// The order of the derivatives.
    package var order: MetaConfiguration.Order
    /// What holds an adaptation near its start.
    package var proximity: Float
    /// The rank of the vectors by content.
    package var rank: Int
    /// Steps of the meta-training, and categories that it draws from, at most.
    package var metaSteps: Int, metaCategories: Int

    /// All of it.
    package init(
        isWanted: Bool, field: String, support: Int, query: Int, innerSteps: Int, order: MetaConfiguration.Order, proximity: Float,
        rank: Int, metaSteps: Int, metaCategories: Int
    ) {
        self.isWanted = isWanted
        self.field = field
        self.support = support
        self.query = query
        self.innerSteps = innerSteps
        self.order = order
        self.proximity = proximity
        self.rank = rank
        self.metaSteps = metaSteps
        self.metaCategories = metaCategories
    }
}
