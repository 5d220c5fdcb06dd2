/// What the preset `auto` saw of the data of a training, what it chose, and why.
public struct ChoiceRecord: Codable, Sendable, Equatable {
    /// What the data looked like; without events where nobody has looked yet.
    public var seen: DataLook
    /// What was chosen.
    public var decisions: [AutoDecision]
    /// What somebody set otherwise.
    public var overruled: [AutoDecision]
    /// What else would suit the data, a sentence each.
    public var advice: [String]
    /// Of an incremental training: the version whose choice this is.
    public var baseVersion: Int?

    private enum CodingKeys: String, CodingKey {
        case seen
        case decisions = "chosen"
        case overruled, advice
        case baseVersion = "base_version"
    }

    /// Keeps a choice.
    public init(seen: DataLook, decisions: [AutoDecision], overruled: [AutoDecision] = [], advice: [String] = []) {
        self.seen = seen
        self.decisions = decisions
        self.overruled = overruled
        self.advice = advice
    }

    /// A choice by what was seen, with the one that had to be made before.
    ///
    /// - Parameter own: what somebody set, by key, as text.
    public init(_ look: DataLook, own: [String: String], likes: AutoDecision?) {
        let choice = AutoChoice(look, own: own, likes: likes)
        self.init(seen: look, decisions: choice.decisions, overruled: choice.overruled, advice: choice.advice)
    }

    /// What was chosen, for settings: keys with values.
    public var values: [(key: String, value: String)] { decisions.map { ($0.key, $0.value) } }
}
