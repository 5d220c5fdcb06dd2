/// When the best counter becomes a version of its own.
public enum CounterRule: String, Sendable, CaseIterable {
    /// Where `gate.rivals` refuses the model and nothing better serves.
    case auto
    /// After every full training.
    case always
    /// Never.
    case off
}

/// A version that is a counter: which one, how it counts, and what it gives.
public struct CounterRecord: Codable, Sendable, Equatable {
    /// Which, as ``EvaluationRecord/Contestant`` names it.
    public var rival: String?
    /// How it counts where it serves, in words.
    public var settings: String?
    /// How many questions were asked.
    public var questions: Int?
    /// NDCG@10 as it serves, each half of the users answered by the settings that the other half gave.
    public var served: Double?
    /// NDCG@10 of the rival itself.
    public var rivalNDCG: Double?
    /// NDCG@10 of the model of the same training.
    public var model: Double?
    /// The ends of the 95 % interval of ``served`` minus ``model``, paired over users.
    public var low: Double?, high: Double?

    private enum CodingKeys: String, CodingKey {
        case rival, settings, questions, served
        case rivalNDCG = "rival_ndcg"
        case model, low, high
    }

    /// Nothing known yet.
    public init() {}

    /// The counter with its settings, for people.
    public var name: String {
        let title = rival.flatMap(EvaluationRecord.Contestant.init)?.title ?? rival ?? "a counter"
        return settings.map { "\(title) (\($0))" } ?? title
    }

    /// What it is and what it gives, in a sentence.
    public var sentence: String {
        func figure(_ value: Double?) -> String { value.map { decimal($0) } ?? "unknown" }
        return "This version is a counter: \(name). NDCG@10 \(figure(served)) as it serves, \(figure(rivalNDCG)) by itself, "
            + "\(figure(model)) of the model of the same training."
    }
}
