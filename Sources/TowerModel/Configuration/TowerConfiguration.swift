/// A setting that was refused, with what would be right.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The key at fault.
    public var key: String
    /// A sentence: what was wrong and what would be right.
    public var description: String

    /// A refusal of a key.
    package init(key: String, description: String) { (self.key, self.description) = (key, description) }
}

/// Everything that shapes a two-tower model and its training, by what it concerns. Settings have string keys; see ``keys``.
public struct TowerConfiguration: Sendable, Equatable {
    /// Name of the preset that the settings started from: `auto` are those of `default` until somebody has looked at the data.
    public var preset = "auto"
    /// d: length of item and user vectors, popularity included.
    public var dimension = 64
    /// N: newest interactions that the user tower sees.
    public var historyLength = 50
    /// Entries that a shortened history keeps at most; how many, chance decides, none included.
    public static let shortHistoryEntries = 5
    /// Passes over the examples.
    public var epochs = 6
    /// Decides all that is left to chance.
    public var seed: UInt64 = 1
    /// Threads of a training.
    public var threads = 2
    /// The user tower.
    public var users = Users()
    /// What the user tower is made of where it is a sequence tower.
    public var sequence = SequenceForm()
    /// The item tower.
    public var items = Items()
    /// Which interactions are examples, and what each weighs.
    public var examples = Examples()
    /// What is left out by chance.
    public var dropout = Dropout()
    /// What is made small.
    public var loss = Loss()
    /// What a teacher gives.
    public var distillation = Distillation()
    /// The steps of a training.
    public var steps = Steps()
    /// How a training is watched.
    public var validation = Validation()
    /// What is done to the model that serves.
    public var served = Served()
    /// A training of several ranks.
    public var ranks = Ranks()

    /// The settings of nobody: those of the `default` preset.
    public init() {}

    /// A preset by name.
    public init(preset: String) throws(ConfigurationError) {
        self.init()
        try set("preset", preset)
    }

    /// Names of the presets.
    public static let presets = ["auto", "small", "default", "sequence-large"]

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
}
