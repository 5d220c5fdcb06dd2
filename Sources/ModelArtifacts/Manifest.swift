import Bytes
import Foundation

/// What an artifact holds: `manifest.json`, the last file to be written.
///
/// The file ends with the checksum of everything before it, so a damaged manifest is known without help from elsewhere.
struct Manifest: Codable, Equatable {
    static let format = "freshet-artifact"
    static let version = 1
    static let fileName = "manifest.json"
    /// HMAC-SHA-256 of the manifest in hexadecimal, where the writer had a key.
    static let signatureName = "manifest.hmac"
    static let maxBytes = 16 << 20

    enum Kind: String, Codable {
        case model, checkpoint
    }

    struct File: Codable, Equatable {
        var bytes: Int
        /// CRC-32 in hexadecimal.
        var crc32: String
        /// SHA-256 in hexadecimal; nil in an artifact of before.
        var sha256: String?
    }

    var format = Manifest.format
    var formatVersion = Manifest.version
    var kind: Kind
    /// The configuration of the model as text, key by key.
    var settings: [String: String]
    var counters: [String: Int64] = [:]
    /// What the writer wants to remember: the watermark, metrics.
    var notes: [String: String] = [:]
    var itemCount = 0
    var files: [String: File] = [:]

    enum CodingKeys: String, CodingKey {
        case format, kind, settings, counters, notes, files
        case formatVersion = "format_version"
        case itemCount = "item_count"
    }

    /// The parts that any version of the format has.
    private struct Heading: Codable {
        var format: String
        var format_version: Int
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
        guard heading.format_version == version else {
            throw ArtifactError(
                .otherVersion, path: path,
                "its format version is \(heading.format_version); this program reads \(version). Use the program that wrote it, or train "
                    + "again."
            )
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
