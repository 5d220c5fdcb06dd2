/// Why an index could not be built, saved or loaded.
public struct VectorIndexError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    public enum Code: String, Sendable {
        /// The vectors or settings given are not usable.
        case invalidInput = "invalid_input"
        case outOfMemory = "out_of_memory"
        /// The file cannot be opened, read or written.
        case file
        /// The file is no index of Freshet's.
        case notAnIndex = "not_an_index"
        /// The file was written by another version of the format.
        case otherVersion = "other_version"
        /// The file is cut short or changed.
        case damaged
        /// The file belongs to other vectors.
        case otherVectors = "other_vectors"
        /// The file belongs to another version of the model.
        case otherModel = "other_model"
        /// The file was built for other settings.
        case otherSettings = "other_settings"
        /// FAISS failed in a way that has no name here.
        case failed
    }

    /// The kind of failure.
    public var code: Code
    /// What was wrong, where, and what to do.
    public var message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same call may succeed later without a change of its input.
    public var isRetriable: Bool {
        switch code {
        case .outOfMemory, .file: true
        default: false
        }
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
