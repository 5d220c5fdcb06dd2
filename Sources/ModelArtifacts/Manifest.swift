import Bytes
import Foundation

/// What an artifact holds: `manifest.json`, the last file to be written.
///
/// The file ends with the checksum of everything before it, so a damaged manifest is known without help from elsewhere.
struct Manifest: Codable, Equatable {
    static let format = "freshet-artifact"
    static let fileName = "manifest.json"
    /// HMAC-SHA-256 of the manifest in hexadecimal, where the writer had a key.
    static let signatureName = "manifest.hmac"
    static let maxBytes = 16 << 20

    enum Kind: String, Codable {
        case model, checkpoint

        /// The version of the format that this program writes and reads.
        var version: Int {
            switch self {
            case .model: 2
            case .checkpoint: 1
            }
        }

        /// What to do with one of an older version.
        fileprivate var advice: String {
            switch self {
            case .model:
                "Train again: models of Freshet before 0.2.0 keep their parts in another format. The program that wrote it still reads it."
            case .checkpoint: "Use the program that wrote it, or train again."
            }
        }
    }

    struct File: Codable, Equatable {
        var bytes: Int
        /// CRC-32 in hexadecimal.
        var crc32: String
        /// SHA-256 in hexadecimal; nil in an artifact of before.
        var sha256: String?
    }

    var format = Manifest.format
    var formatVersion: Int
    var kind: Kind
    /// The configuration of the model as text, key by key.
    var settings: [String: String]
    var counters: [String: Int64] = [:]
    /// What the writer wants to remember: the watermark, metrics.
    var notes: [String: String] = [:]
    var itemCount = 0
    var files: [String: File] = [:]

    init(kind: Kind, settings: [String: String], counters: [String: Int64] = [:], notes: [String: String] = [:], itemCount: Int = 0) {
        formatVersion = kind.version
        self.kind = kind
        self.settings = settings
        self.counters = counters
        self.notes = notes
        self.itemCount = itemCount
    }

    enum CodingKeys: String, CodingKey {
        case format, kind, settings, counters, notes, files
        case formatVersion = "format_version"
        case itemCount = "item_count"
    }

    /// The parts that any version of the format has.
    private struct Heading: Codable {
        var format: String
        var format_version: Int
        var kind: String
    }

    /// The JSON text with its checksum as the last member.
    func bytes(path: String) throws(ArtifactError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self), data.count <= Self.maxBytes - 64, data.last == UInt8(ascii: "}") else {
            throw ArtifactError(.unusable, path: path, "the manifest cannot be written as JSON of a reasonable size.")
        }
        let body = [UInt8](data.dropLast()).trimmedRight
        return body + Self.ending(of: body)
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, path: String) throws(ArtifactError) -> Manifest {
        let damaged = ArtifactError(.damaged, path: path, "its checksum is wrong. Restore the artifact, or train again.")
        guard bytes.count <= maxBytes else {
            throw ArtifactError(.notAnArtifact, path: path, "\(bytes.count) bytes are too many for a manifest.")
        }
        let endingBytes = ending(of: []).count
        guard bytes.count > endingBytes else { throw damaged }
        let body = Array(bytes.dropLast(endingBytes))
        guard Array(bytes.suffix(endingBytes)) == ending(of: body) else { throw damaged }
        let text = Data(body + [UInt8(ascii: "}")])
        let decoder = JSONDecoder()
        guard let heading = try? decoder.decode(Heading.self, from: text), heading.format == format else {
            throw ArtifactError(.notAnArtifact, path: path, "it is not a manifest of Freshet's.")
        }
        guard let kind = Kind(rawValue: heading.kind) else {
            throw ArtifactError(.notAnArtifact, path: path, "it is a \(heading.kind), which this program does not know.")
        }
        guard heading.format_version == kind.version else {
            let isOlder = heading.format_version < kind.version
            throw ArtifactError(
                .otherVersion, path: path,
                "its format version is \(heading.format_version); this program reads \(kind.version) of a \(kind.rawValue). "
                    + (isOlder ? kind.advice : "Use the program that wrote it, or train again."))
        }
        guard let manifest = try? decoder.decode(Manifest.self, from: text) else {
            throw ArtifactError(.notAnArtifact, path: path, "parts of the manifest are missing.")
        }
        return manifest
    }

    private static func ending(of body: [UInt8]) -> [UInt8] {
        let checksum = body.withUnsafeBytes { CRC32.text(of: $0) }
        return Array(",\n  \"manifest_crc32\" : \"\(checksum)\"\n}\n".utf8)
    }
}

extension [UInt8] {
    fileprivate var trimmedRight: [UInt8] {
        var end = count
        while end > 0, self[end - 1] == 0x0A || self[end - 1] == 0x20 { end -= 1 }
        return Array(self[..<end])
    }
}
