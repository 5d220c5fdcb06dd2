/// A setting that was chosen by what the data look like.
public struct AutoDecision: Codable, Sendable, Equatable {
    /// The setting's key, section and name.
    public var key: String
    /// Its value, as a settings file has it.
    public var value: String
    /// Why, a sentence.
    public var why: String

    /// A choice.
    public init(_ key: String, _ value: String, why: String) {
        self.key = key
        self.value = value
        self.why = why
    }
}
