/// A setting that was refused, with what would be right.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var key: String
    public var description: String
}

/// Which form the user tower has.
public enum UserTowerKind: String, Sendable, CaseIterable {
    /// Recency-weighted pooling of the history with learned weights, then a small network.
    case pooled
}

/// How embedding tables learn; both touch only the rows that a batch used.
public enum TableOptimizer: String, Sendable, CaseIterable {
    /// One accumulator per row (Duchi et al. 2011, as used for recommendation tables).
    case adagrad
    /// Adam whose moments move only for used rows.
    case adam
}

/// Which loss is trained.
public enum LossKind: String, Sendable, CaseIterable {
    /// `full` up to ``TowerConfiguration/fullSoftmaxItems`` items, `sampled` above.
    case auto
    /// Softmax over the whole catalogue.
    case full
    /// Softmax over the batch's targets and uniform negatives, corrected for how often each is drawn.
    case sampled
}

/// Everything that shapes a two-tower model and its training. Settings have string keys; see ``keys``.
public struct TowerConfiguration: Sendable, Equatable {
    public var preset = "default"
    public var userTower = UserTowerKind.pooled
    public var dimension = 64
    public var heads = 4
    public var historyLength = 50
    public var hidden = 256
    public var contentHidden = 128
    public var useContent = true
    public var textBuckets = 32_768
    public var tagBuckets = 32_768
    public var textTokens = 64
    public var userBuckets = 8_192
    public var idDropout: Float = 0.1
    public var historyDropout: Float = 0
    public var attributeDropout: Float = 0.1
    public var attributeMinimumUsers = 5
    public var dropout: Float = 0.1
    public var loss = LossKind.auto
    public var fullSoftmaxItems = 30_000
    public var negatives = 1_024
    public var logQCorrection = true
    public var unitLength = false
    public var temperature: Float = 1
    public var maskHistory = false
    public var targetsAhead = 1
    public var examplesPerUser = 0
    public var clickWeight: Float = 1
    public var cartWeight: Float = 1
    public var purchaseWeight: Float = 1
    public var recencyHalfLifeDays: Float = 0
    public var tailBeta: Float = 0
    public var popularityDial: Float = 0
    public var epochs = 8
    public var batchSize = 1_024
    public var learningRate: Float = 0.002
    public var tableLearningRate: Float = 0.002
    public var tableOptimizer = TableOptimizer.adam
    public var weightDecay: Float = 0.01
    public var warmupShare: Float = 0.05
    public var clipNorm: Float = 1
    public var validationUsers = 0
    public var patience = 0
    public var seed: UInt64 = 1
    public var threads = 2

    /// The `default` preset.
    public init() {}

    /// A preset by name.
    public init(preset: String) throws(ConfigurationError) {
        self.init()
        try set("preset", preset)
    }

    /// Names of the presets.
    public static let presets = ["small", "default"]

    /// Sets one key from text. An unknown key is refused with the nearest known one, a bad value with the range.
    /// `preset` replaces all settings but the seed and the threads, so it comes first.
    public mutating func set(_ key: String, _ value: String) throws(ConfigurationError) {
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

    /// The value of a key as text that ``set(_:_:)`` reads back exactly; `nil` for an unknown key.
    public func value(of key: String) -> String? {
        TowerSetting.all.first { $0.name == key }.map { $0.read(self) }
    }

    /// All settings as text, in the order of ``keys``.
    public var settings: [(key: String, value: String)] { TowerSetting.all.map { ($0.name, $0.read(self)) } }

    /// A key with its range and what it does, for help pages.
    public struct Key: Sendable, Equatable {
        public var name: String
        public var range: String
        public var summary: String
    }

    /// Every key.
    public static let keys: [Key] = TowerSetting.all.map { Key(name: $0.name, range: $0.range, summary: $0.summary) }

    /// Contradictions between settings that are each in range; called where training starts.
    public func validate() throws(ConfigurationError) {
        if temperature != 1 && !unitLength {
            throw ConfigurationError(key: "temperature", description: "train.temperature is \(temperature) but train.unit_length is false; a temperature only makes sense for vectors of unit length")
        }
        if patience > 0 && validationUsers == 0 {
            throw ConfigurationError(key: "patience", description: "train.patience is \(patience) but train.validation_users is 0; early stopping needs users to validate on")
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
        default: return false
        }
        self = fresh
        return true
    }
}
