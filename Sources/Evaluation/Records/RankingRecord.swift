/// What a training found of its ranking blend.
public struct RankingRecord: Codable, Sendable, Equatable {
    /// Whether the blend answers better than the towers alone, and is used.
    public var blend: Bool?
    /// NDCG@10 of the towers without a blend.
    public var towersAlone: Double?
    /// NDCG@10 of the blend, cross-fitted; nil where none was tried.
    public var blended: Double?
    /// The weights that were tried, in the order of the features.
    public var weights: NamedNumbers?
    /// What the ranker over counters gave; nil where none was tried.
    public var counters: Counters?
    /// Of the items in top tens the share that each kind of knowledge moved most; nil where that was not asked.
    public var carriers: NamedNumbers?
    /// Weights of their own for users of whom little is known, by the longest history that they are for.
    public var newcomers: [Newcomers] = []

    /// What a ranker over counters gave.
    public struct Counters: Codable, Sendable, Equatable {
        /// Whether it answers better than the ranking without it, and is used.
        public var used: Bool?
        /// Whether it is a network, or a linear model.
        public var network: Bool?
        /// Questions that it learned from, and borders in time at which they are asked.
        public var questions: Int?, borders: Int?
        /// The share of the ranking without it in the final score, in deviations, from 0 to 1.
        public var rankingShare: Double?
        /// What the worth of orders counts in it beside whether there are any, from 0 to 1; nil where nothing was known of it.
        public var valueShare: Double?
        /// The share of the best NDCG@10, and of the best revenue-weighted NDCG@10, that any compromise of the two has and the chosen one
        /// keeps; nil where none was looked for.
        public var keptOfTaken: Double?, keptOfValue: Double?
        /// NDCG@10 of the ranking without it, and with it, cross-fitted.
        public var without: Double?, with: Double?
        /// Its share for users of whom little is known, by length of history; nil or empty where there were too few of them.
        public var newcomers: [Short]?
        /// Seconds that it took.
        public var seconds: Double?

        /// What it gave for users with short histories.
        public struct Short: Codable, Sendable, Equatable {
            /// The longest of these histories, in events.
            public var historyLimitEvents: Int
            /// Questions of so short histories.
            public var questions: Int
            /// The share of the ranking without it that is best there, and whether it is used.
            public var rankingShare: Double, kept: Bool
            /// NDCG@10 among candidates under everybody's share, and under this one, cross-fitted.
            public var everybody: Double, newcomers: Double

            /// All of it.
            public init(
                historyLimitEvents: Int, questions: Int, rankingShare: Double, kept: Bool, everybody: Double, newcomers: Double
            ) {
                (self.historyLimitEvents, self.questions, self.rankingShare) = (historyLimitEvents, questions, rankingShare)
                (self.kept, self.everybody, self.newcomers) = (kept, everybody, newcomers)
            }

            private enum CodingKeys: String, CodingKey {
                case questions, kept
                case historyLimitEvents = "history_limit_events"
                case rankingShare = "ranking_share"
                case everybody = "everybody_NDCG@10"
                case newcomers = "newcomers_NDCG@10"
            }
        }

        /// What a ranker gave.
        public init(
            used: Bool, network: Bool, questions: Int, borders: Int, rankingShare: Double, without: Double, with: Double, seconds: Double
        ) {
            (self.used, self.network, self.questions, self.borders) = (used, network, questions, borders)
            (self.rankingShare, self.without, self.with, self.seconds) = (rankingShare, without, with, seconds)
        }

        private enum CodingKeys: String, CodingKey {
            case used, network, questions, borders, newcomers, seconds
            case rankingShare = "ranking_share"
            case valueShare = "value_share"
            case keptOfTaken = "kept_of_NDCG@10"
            case keptOfValue = "kept_of_gNDCG@10"
            case without = "without_NDCG@10"
            case with = "NDCG@10"
        }
    }

    /// What weights for users with short histories gave.
    public struct Newcomers: Codable, Sendable, Equatable {
        /// The longest history that the weights are for, in events.
        public var historyLimitEvents = 0
        /// Whether they are used.
        public var kept: Bool?
        /// Questions with so short a history.
        public var questions: Int?
        /// NDCG@10 on them by everybody's weights.
        public var everybody: Double?
        /// NDCG@10 on them by weights of their own.
        public var newcomers: Double?

        /// What one history length gave.
        public init(historyLimitEvents: Int, kept: Bool, questions: Int, everybody: Double, newcomers: Double) {
            self.historyLimitEvents = historyLimitEvents
            self.kept = kept
            self.questions = questions
            self.everybody = everybody
            self.newcomers = newcomers
        }

        private enum CodingKeys: String, CodingKey {
            case kept, questions
            case everybody = "everybody_NDCG@10"
            case newcomers = "newcomers_NDCG@10"
        }
    }

    /// Nothing found yet.
    public init() {}

    private static let prefix = "newcomers_up_to_", ending = "_events"
    private static let blend = NameKey("blend"), towers = NameKey("towers_alone_NDCG@10"), blended = NameKey("blend_NDCG@10")
    private static let weights = NameKey("weights"), counters = NameKey("counters"), carriers = NameKey("carried_by")

    /// Writes an object, with a key for each history length of ``newcomers``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: NameKey.self)
        try container.encodeIfPresent(blend, forKey: Self.blend)
        try container.encodeIfPresent(towersAlone, forKey: Self.towers)
        try container.encodeIfPresent(blended, forKey: Self.blended)
        try container.encodeIfPresent(weights, forKey: Self.weights)
        try container.encodeIfPresent(counters, forKey: Self.counters)
        try container.encodeIfPresent(carriers, forKey: Self.carriers)
        for row in newcomers { try container.encode(row, forKey: NameKey("\(Self.prefix)\(row.historyLimitEvents)\(Self.ending)")) }
    }

    /// Reads what is there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: NameKey.self)
        blend = container.ifReadable(Self.blend)
        towersAlone = container.ifReadable(Self.towers)
        blended = container.ifReadable(Self.blended)
        weights = container.ifReadable(Self.weights)
        counters = container.ifReadable(Self.counters)
        carriers = container.ifReadable(Self.carriers)
        for key in container.allKeys where key.stringValue.hasPrefix(Self.prefix) && key.stringValue.hasSuffix(Self.ending) {
            guard let limit = Int(key.stringValue.dropFirst(Self.prefix.count).dropLast(Self.ending.count)),
                var row = container.ifReadable(Newcomers.self, key)
            else { continue }
            row.historyLimitEvents = limit
            newcomers.append(row)
        }
        newcomers.sort { $0.historyLimitEvents < $1.historyLimitEvents }
    }
}

/// An adapter of one domain: what it would gain on the domain's held-out questions, and whether it is kept.
public struct DomainRecord: Codable, Sendable, Equatable {
    /// Held-out questions of a domain below which nothing is kept: fewer say too little.
    public static let leastQuestions = 30

    /// The value of the field that makes the domain.
    public var domain: String
    /// Its users.
    public var users: Int?
    /// Their interactions.
    public var interactions: Int?
    /// Held-out questions of them.
    public var asked: Int?
    /// Whether the adapter is used.
    public var kept: Bool?
    /// Whether an adapter was better than none on what was learned from.
    public var adapter: Bool?
    /// The loss on the newest of what was learned from, without the adapter.
    public var loss: Double?
    /// The same with it.
    public var adaptedLoss: Double?
    /// NDCG@10 on the questions by the shared model.
    public var shared: Double?
    /// The same with the adapter.
    public var adapted: Double?
    /// The lower end of the gain's interval.
    public var gainLow: Double?
    /// The upper end of the gain's interval.
    public var gainHigh: Double?

    private enum CodingKeys: String, CodingKey {
        case domain, users, interactions, asked, kept, adapter, loss
        case adaptedLoss = "loss_adapted"
        case shared = "NDCG@10"
        case adapted = "NDCG@10_adapted"
        case gainLow = "gain_low"
        case gainHigh = "gain_high"
    }

    /// A domain that was tried.
    public init(domain: String, users: Int, interactions: Int, asked: Int, kept: Bool, adapter: Bool) {
        self.domain = domain
        self.users = users
        self.interactions = interactions
        self.asked = asked
        self.kept = kept
        self.adapter = adapter
    }
}

/// The weights of the content channel.
public struct ContentChannelRecord: Codable, Sendable, Equatable {
    /// By the part of the score that they weigh.
    public var weights: NamedNumbers
    /// What was fitted beside them.
    public var constants: [Float]

    /// Keeps weights and constants.
    public init(weights: NamedNumbers, constants: [Float]) {
        self.weights = weights
        self.constants = constants
    }

    private static let constants = NameKey("constants")

    /// Writes an object: a key a part, and the constants.
    public func encode(to encoder: any Encoder) throws {
        try weights.encode(to: encoder)
        var container = encoder.container(keyedBy: NameKey.self)
        try container.encode(constants, forKey: Self.constants)
    }

    /// Reads what is there.
    public init(from decoder: any Decoder) throws {
        weights = try NamedNumbers(from: decoder)
        constants = try decoder.container(keyedBy: NameKey.self).ifReadable(Self.constants) ?? []
    }
}

/// How well a model adapts to categories that were treated as new.
public struct AdaptationRecord: Codable, Sendable, Equatable {
    /// Categories that were learned from.
    public var categories: Int?
    /// The loss on query sets without adaptation.
    public var unadapted: Double?
    /// The same after plain fine-tuning.
    public var fineTuned: Double?
    /// The same after adaptation as it was learned.
    public var meta: Double?
    /// The rate of plain fine-tuning that did best.
    public var fineTuneRate: Double?
    /// Steps of the meta-training.
    public var metaSteps: Int?

    private enum CodingKeys: String, CodingKey {
        case categories
        case unadapted = "loss_unadapted"
        case fineTuned = "loss_fine_tuned"
        case meta = "loss_meta"
        case fineTuneRate = "fine_tune_rate"
        case metaSteps = "meta_steps"
    }

    /// Keeps what a meta-training found.
    public init(categories: Int, unadapted: Double, fineTuned: Double, meta: Double, fineTuneRate: Double, metaSteps: Int) {
        self.categories = categories
        self.unadapted = unadapted
        self.fineTuned = fineTuned
        self.meta = meta
        self.fineTuneRate = fineTuneRate
        self.metaSteps = metaSteps
    }
}

/// What an incremental training went on from, and what it did not forget.
public struct IncrementRecord: Codable, Sendable, Equatable {
    /// The version that it went on from.
    public var fromVersion: Int?
    /// Interactions that were new.
    public var newInteractions: Int?
    /// The new model on what both learned.
    public var knownModel: MetricsRecord?
    /// The former model on the same.
    public var knownPromoted: MetricsRecord?

    private enum CodingKeys: String, CodingKey {
        case fromVersion = "from_version"
        case newInteractions = "new_interactions"
        case knownModel = "known_model"
        case knownPromoted = "known_promoted"
    }

    /// Keeps what was compared.
    public init(fromVersion: Int, newInteractions: Int, knownModel: MetricsRecord, knownPromoted: MetricsRecord) {
        self.fromVersion = fromVersion
        self.newInteractions = newInteractions
        self.knownModel = knownModel
        self.knownPromoted = knownPromoted
    }
}
