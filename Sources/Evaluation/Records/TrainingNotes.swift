/// A line about the data of a training: a name with a text or a number.
public struct DataNote: Codable, Sendable, Equatable {
    /// What is said.
    public enum Value: Sendable, Equatable {
        /// Words.
        case text(String)
        /// A count.
        case integer(Int)
        /// Another number.
        case number(Double)
    }

    /// What it is said of.
    public var name: String
    /// What is said.
    public var value: Value

    /// Makes a line.
    public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    private enum CodingKeys: CodingKey { case name, value }

    /// Writes name and value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        switch value {
        case .text(let text): try container.encode(text, forKey: .value)
        case .integer(let count): try container.encode(count, forKey: .value)
        case .number(let number): try container.encode(number, forKey: .value)
        }
    }

    /// Reads name and value; a number that is not there, or is none, is no number.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        if let text = container.ifReadable(String.self, .value) {
            value = .text(text)
        } else if let count = container.ifReadable(Int.self, .value) {
            value = .integer(count)
        } else {
            value = .number(container.ifReadable(Double.self, .value) ?? .nan)
        }
    }
}

/// The profiles of a training's data, to compare the next one's with.
public struct DataRecord: Codable, Sendable, Equatable {
    /// Of all interactions.
    public var all: DataProfile
    /// Of the interactions since the training before; nil where there was none.
    public var recent: DataProfile?

    /// Keeps profiles.
    public init(all: DataProfile, recent: DataProfile?) {
        self.all = all
        self.recent = recent
    }
}

/// The epochs of one stage of a training.
public struct LearningCurve: Codable, Sendable, Equatable {
    /// One pass over the examples.
    public struct Epoch: Codable, Sendable, Equatable {
        /// From 1.
        public var epoch: Int
        /// The mean loss of its examples.
        public var loss: Double?
        /// How long it took.
        public var seconds: Double?
        /// Its speed.
        public var examplesPerSecond: Double?
        /// NDCG@10 on validation users; nil where none were held back.
        public var validation: Double?

        private enum CodingKeys: String, CodingKey {
            case epoch, loss, seconds
            case examplesPerSecond = "examples_per_second"
            case validation = "validation_ndcg@10"
        }

        /// Notes an epoch.
        public init(epoch: Int, loss: Double?, seconds: Double?, examplesPerSecond: Double? = nil, validation: Double? = nil) {
            self.epoch = epoch
            self.loss = loss
            self.seconds = seconds
            self.examplesPerSecond = examplesPerSecond
            self.validation = validation
        }
    }

    /// The stage, in words.
    public var stage: String?
    /// By number.
    public var epochs: [Epoch]

    /// Epochs of a stage.
    public init(stage: String?, epochs: [Epoch]) {
        self.stage = stage
        self.epochs = epochs
    }
}

/// How long a step of a run took.
public struct StepTiming: Codable, Sendable, Equatable {
    /// The step, in words.
    public var name: String
    /// Its seconds, those of runs before a resume too.
    public var seconds: Double

    /// Notes a step.
    public init(name: String, seconds: Double) {
        self.name = name
        self.seconds = seconds
    }
}
