/// A setting that was refused, with what would be right.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The key at fault.
    public var key: String
    /// A sentence: what was wrong and what would be right.
    public var description: String

    /// A refusal of a key.
    package init(key: String, description: String) { (self.key, self.description) = (key, description) }
}

/// Everything that shapes a two-tower model and its training. Settings have string keys; see ``keys``.
public struct TowerConfiguration: Sendable, Equatable {
    /// Name of the preset that the settings started from.
    public var preset = "default"
    /// Form of the user tower.
    public var userTower = UserTowerKind.pooled
    /// d: length of item and user vectors, popularity included.
    public var dimension = 64
    /// K: weighted means of the history.
    public var heads = 4
    /// N: newest interactions that the user tower sees.
    public var historyLength = 50
    /// Width of the user tower's hidden layer; 0 for none.
    public var hidden = 256
    /// What the blocks of the sequence tower are made of.
    public var block = BlockKind.hstu
    /// Blocks of the sequence tower.
    public var blocks = 2
    /// Attention heads of each block.
    public var attentionHeads = 2
    /// Width of each block's feed-forward layer; 0 for none.
    public var feedForward = 0
    /// Whether attention learns a bias for each distance.
    public var distanceBias = true
    /// Whether each place of the window has a learned vector.
    public var places = false
    /// Share of the sequence tower's inputs and of its blocks' outputs set to zero.
    public var blockDropout: Float = 0.2
    /// How the sequence tower ends.
    public var head = HeadKind.network
    /// Moving means of the history that the sequence tower's head sees.
    public var historyMeans = 3
    /// Width of the item tower's hidden layer; 0 for none.
    public var contentHidden = 128
    /// Whether the item tower sees content.
    public var useContent = true
    /// Rows for hashed words and word pieces.
    public var textBuckets = 32_768
    /// Rows for hashed categories, tags and attributes.
    public var tagBuckets = 32_768
    /// Tokens kept of each field of an item.
    public var textTokens = 64
    /// Rows for hashed user attributes.
    public var userBuckets = 8_192
    /// Share of items that a batch sees by content alone (Volkovs et al. 2017).
    public var idDropout: Float = 0.1
    /// Share of history entries that training leaves out.
    public var historyDropout: Float = 0
    /// Share of examples of which the pooled tower sees the newest ``shortHistoryEntries`` at most: what it knows of new users.
    public var shortHistory: Float = 0
    /// Entries that a shortened history keeps at most; how many, chance decides, none included.
    public static let shortHistoryEntries = 5
    /// Share of examples without the user's attributes.
    public var attributeDropout: Float = 0.1
    /// Users that must share an attribute before it is learned.
    public var attributeMinimumUsers = 5
    /// Share of the user tower's inputs set to zero.
    public var dropout: Float = 0.1
    /// Which loss is trained.
    public var loss = LossKind.auto
    /// Largest catalogue for which ``LossKind/auto`` means the full loss.
    public var fullSoftmaxItems = 30_000
    /// Uniform negatives of a batch under the sampled loss.
    public var negatives = 1_024
    /// Where the sequence tower's negatives come from.
    public var negativeSampling = NegativeSampling.mixed
    /// How it is known how often the batch's targets contain an item.
    public var logQEstimate = FrequencyEstimate.counted
    /// t of the calibrated binary cross-entropy: 0 plain, 1 fully calibrated.
    public var calibration: Float = 0.75
    /// Whether sampled scores are corrected for how often an item is drawn.
    public var logQCorrection = true
    /// Whether vectors are scaled to length 1, popularity apart.
    public var unitLength = false
    /// Divides the similarity of unit-length vectors.
    public var temperature: Float = 1
    /// Whether the temperature is learned, from ``temperature`` on.
    public var learnedTemperature = false
    /// Whether items of the history are left out of the loss.
    public var maskHistory = false
    /// How far ahead the interaction to predict may lie.
    public var targetsAhead = 1
    /// Most examples of one user in an epoch; 0 for no limit.
    public var examplesPerUser = 0
    /// Weight of a click as an example.
    public var clickWeight: Float = 1
    /// Weight of an add to cart as an example.
    public var cartWeight: Float = 1
    /// Weight of a purchase as an example.
    public var purchaseWeight: Float = 1
    /// Age in days at which an example counts half; 0 counts all alike.
    public var recencyHalfLifeDays: Float = 0
    /// β of the effective-number weights; 0 for none.
    public var tailBeta: Float = 0
    /// Power of popularity in an item's propensity, by whose inverse examples weigh; 0 for none.
    public var propensityPower: Float = 0
    /// Largest inverse-propensity weight, in mean weights.
    public var propensityLimit: Float = 10
    /// τ in loss(score + τ ln π); 0 for none.
    public var logitAdjustment: Float = 0
    /// λ in score − λ ln p of served vectors.
    public var popularityDial: Float = 0
    /// Passes over the examples.
    public var epochs = 6
    /// Examples of one step.
    public var batchSize = 1_024
    /// Batches whose gradients one step sums.
    public var accumulation = 1
    /// How the products of a training are computed; parameters and serving are always Float32.
    public var precision = TrainingPrecision.float32
    /// α of a distillation: the share of the loss that the teacher gives.
    public var distillationWeight: Float = 0.5
    /// T of a distillation: larger makes the teacher's answers softer.
    public var distillationTemperature: Float = 2
    /// Whether tables and weights are rounded to 8 bits.
    public var quantisation = Quantisation.none
    /// Where the embedding tables of a training of several ranks lie.
    public var tableSharding = TableSharding.none
    /// How gradients travel between ranks.
    public var gradientCompression = GradientCompression.none
    /// Share of the averaged weights that a step keeps; 0 for no averaging.
    public var weightAverage: Float = 0
    /// Peak step size of the dense layers.
    public var learningRate: Float = 0.002
    /// Peak step size of the embedding tables.
    public var tableLearningRate: Float = 0.002
    /// How embedding tables learn.
    public var tableOptimizer = TableOptimizer.adam
    /// Decoupled weight decay of the dense layers.
    public var weightDecay: Float = 0.01
    /// Share of the steps over which the step size rises.
    public var warmupShare: Float = 0.05
    /// Largest length of a step's gradient; 0 for no limit.
    public var clipNorm: Float = 1
    /// Users whose last interaction is held out to watch the training.
    public var validationUsers = 0
    /// Epochs without a better validation after which training stops; 0 never stops early.
    public var patience = 0
    /// Decides all that is left to chance.
    public var seed: UInt64 = 1
    /// Threads of a training.
    public var threads = 2

    /// The `default` preset.
    public init() {}

    /// A preset by name.
    public init(preset: String) throws(ConfigurationError) {
        self.init()
        try set("preset", preset)
    }

    /// Names of the presets.
    public static let presets = ["small", "default", "sequence-large"]

    /// Sets one key from text. An unknown key is refused with the nearest known one, a bad value with the range.
    /// `preset` replaces all settings but the seed and the threads, so it comes first.
    /// What an earlier version knew and this one does not is refused with what to do; see ``RetiredSetting``.
    public mutating func set(_ key: String, _ value: String) throws(ConfigurationError) {
        if let refusal = Self.retirement(of: key, value) { throw ConfigurationError(key: key, description: refusal) }
        guard RetiredSetting.of(key, value) == nil else { return }
        guard let setting = TowerSetting.all.first(where: { $0.name == key }) else {
            let nearest = TowerSetting.nearest(to: key)
            throw ConfigurationError(
                key: key,
                description: "train.\(key) is not a setting of the towers" + (nearest.map { "; did you mean \($0)?" } ?? ".")
                    + " Known: " + TowerSetting.all.map(\.name).joined(separator: ", "))
        }
        guard setting.write(&self, value) else {
            throw ConfigurationError(key: key, description: "train.\(key) cannot be '\(value)': \(setting.range)")
        }
    }

    /// Why a setting of an earlier version is refused, with what to do; nil for one that this version knows or lets pass.
    public static func retirement(of key: String, _ value: String) -> String? {
        RetiredSetting.of(key, value).flatMap { retired in retired.instead.map { "train.\(key) is \(value): \($0)" } }
    }

    /// The value of a key as text that ``set(_:_:)`` reads back exactly; `nil` for an unknown key.
    public func value(of key: String) -> String? {
        TowerSetting.all.first { $0.name == key }.map { $0.read(self) }
    }

    /// All settings as text, in the order of ``keys``.
    public var settings: [(key: String, value: String)] { TowerSetting.all.map { ($0.name, $0.read(self)) } }

    /// A key with its range and what it does, for help pages.
    public struct Key: Sendable, Equatable {
        /// The key, without `train.`.
        public var name: String
        /// What values it takes, in words.
        public var range: String
        /// What it does, in a line.
        public var summary: String
    }

    /// Every key.
    public static let keys: [Key] = TowerSetting.all.map { Key(name: $0.name, range: $0.range, summary: $0.summary) }

    /// Contradictions between settings that are each in range; called where training starts.
    ///
    /// - Parameters:
    ///   - ranks: processes that train together. - hasTeacher: whether there is a teacher.
    public func validate(ranks: Int = 1, hasTeacher: Bool = false) throws(ConfigurationError) {
        if hasTeacher && userTower != .pooled {
            throw ConfigurationError(
                key: "user_tower",
                description:
                    "train.user_tower is \(userTower.rawValue), which learns without a teacher; choose pooled (presets small and default), "
                        + "or leave out --teacher"
            )
        }
        if ranks > 1 && tableSharding == .rows { try validateSharding() }
        if temperature != 1 && !unitLength {
            throw ConfigurationError(
                key: "temperature",
                description:
                    "train.temperature is \(temperature) but train.unit_length is false; a temperature only makes sense for vectors of "
                        + "unit length"
            )
        }
        if learnedTemperature && !unitLength {
            throw ConfigurationError(
                key: "learned_temperature",
                description:
                    "train.learned_temperature is true but train.unit_length is false; a temperature only makes sense for vectors of unit "
                        + "length"
            )
        }
        if userTower == .sequence && dimension % attentionHeads != 0 {
            throw ConfigurationError(
                key: "attention_heads",
                description: "train.attention_heads is \(attentionHeads), which does not divide train.dimension, \(dimension)")
        }
        if loss == .bce && userTower != .sequence {
            throw ConfigurationError(
                key: "loss",
                description: "train.loss is bce but train.user_tower is \(userTower.rawValue); only the sequence tower has that loss")
        }
        if logitAdjustment > 0 && loss == .bce {
            throw ConfigurationError(
                key: "logit_adjustment",
                description:
                    "train.logit_adjustment is \(logitAdjustment) but train.loss is bce; only the softmax losses (full, sampled) carry it. "
                        + "Choose one, or weigh examples by train.propensity_power"
            )
        }
        if logitAdjustment > 0 && hasTeacher {
            throw ConfigurationError(
                key: "logit_adjustment",
                description:
                    "train.logit_adjustment is \(logitAdjustment) but there is a teacher, whose answers are those of popularity as it is; "
                        + "set it to 0, or leave out --teacher"
            )
        }
        if userTower == .sequence && negatives == 0 && (loss == .sampled || loss == .bce) {
            throw ConfigurationError(
                key: "negatives", description: "train.negatives is 0; the \(loss.rawValue) loss of the sequence tower needs negatives")
        }
        if patience > 0 && validationUsers == 0 {
            throw ConfigurationError(
                key: "patience",
                description: "train.patience is \(patience) but train.validation_users is 0; early stopping needs users to validate on")
        }
    }

    /// What a training whose tables lie on several ranks cannot do.
    private func validateSharding() throws(ConfigurationError) {
        func refuse(_ key: String, _ what: String) throws(ConfigurationError) {
            throw ConfigurationError(key: key, description: "\(what), or set train.table_sharding to none")
        }
        if loss == .full {
            try refuse(
                "loss",
                "train.loss is full, which needs the vectors of all items in every step, and train.table_sharding is rows; choose sampled "
                    + "or auto"
            )
        }
        if validationUsers > 0 {
            try refuse(
                "validation_users",
                "train.validation_users is \(validationUsers), which ranks all items after every epoch, and train.table_sharding is rows; "
                    + "set it to 0"
            )
        }
        if quantisation == .int8Aware {
            try refuse(
                "quantisation",
                "train.quantisation is int8-aware, which keeps a second, rounded table, and train.table_sharding is rows; choose int8-post")
        }
    }

    mutating func apply(preset name: String) -> Bool {
        var fresh = TowerConfiguration()
        fresh.seed = seed
        fresh.threads = threads
        fresh.preset = name
        switch name {
        case "default": break
        case "small":
            fresh.dimension = 32
            fresh.heads = 3
            fresh.historyLength = 20
            fresh.hidden = 64
            fresh.contentHidden = 0
            fresh.textBuckets = 4_096
            fresh.tagBuckets = 4_096
            fresh.textTokens = 32
            fresh.userBuckets = 1_024
            fresh.batchSize = 512
        case "sequence-large":
            fresh.userTower = .sequence
            fresh.dimension = 128
            fresh.blocks = 4
            fresh.attentionHeads = 4
            fresh.historyLength = 200
            fresh.batchSize = 4_096
            fresh.epochs = 30
            fresh.precision = .auto
        default: return false
        }
        self = fresh
        return true
    }
}
