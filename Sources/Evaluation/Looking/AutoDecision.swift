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

    private static let kept = "kept from version "

    /// The same, kept from a version of which this was chosen, or which kept it from another.
    func kept(from version: Int) -> AutoDecision {
        let reason = why.hasPrefix(Self.kept) ? String(why.drop { $0 != ":" }.dropFirst(2)) : why
        return AutoDecision(key, value, why: "\(Self.kept)\(version): \(reason)")
    }
}
