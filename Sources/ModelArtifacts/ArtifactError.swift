/// Why an artifact could not be written or was refused.
public struct ArtifactError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    public enum Code: String, Sendable {
        /// There is no such artifact.
        case missing
        /// An artifact of this name is there already.
        case exists
        /// The name is not one that a directory may have.
        case invalidName = "invalid_name"
        /// A file cannot be read, written, made durable or renamed.
        case file
        /// A file is cut short or changed: its size or checksum is not that of the manifest.
        case damaged
        /// The manifest is not one of Freshet's.
        case notAnArtifact = "not_an_artifact"
        /// The artifact was written in another version of the format.
        case otherVersion = "other_version"
        /// The artifact is whole, and not the one that was asked for.
        case otherArtifact = "other_artifact"
        /// A key is set, and the artifact was not written with it.
        case notSigned = "not_signed"
        /// Its tensors or settings do not make a model of this program.
        case unusable
    }

    /// The kind of failure.
    public var code: Code
    /// The file or directory at fault.
    public var path: String
    /// What was wrong and what to do.
    public var message: String

    /// Makes an error.
    public init(_ code: Code, path: String, _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// Whether the same call may succeed later.
    public var isRetriable: Bool { code == .file }

    public var description: String { "\(code.rawValue): \(path): \(message)" }
}
