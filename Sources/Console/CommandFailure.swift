/// A failure that ends a command, in a sentence for a person.
public struct CommandFailure: Error, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// - Parameter description: what was wrong, where, and what to do.
    public init(_ description: String) {
        self.description = description
    }
}
