/// Why a file cannot be read at all, as a sentence: what is wrong and what to do, without the file's name.
public struct ForeignProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
