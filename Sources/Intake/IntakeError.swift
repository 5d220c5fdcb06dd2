/// What ended an intake that no adapter has an error for: a sentence for a person.
public struct IntakeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of error it is, for code that decides.
    public enum Code: String, Sendable {
        /// The broker is not the one whose offsets are stored, or a topic was made anew.
        case otherCluster = "other_cluster"
        /// A schema registry whose address is none.
        case registry
        /// A file that cannot be taken as it is.
        case file
        /// Something that must not happen.
        case unexpected
    }

    /// The kind of failure.
    public var code: Code
    /// What was wrong, where, and what to do about it.
    public var message: String

    /// Whether the same call may succeed later with nothing changed by a person.
    public var isRetriable: Bool { false }
    public var description: String { message }

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
