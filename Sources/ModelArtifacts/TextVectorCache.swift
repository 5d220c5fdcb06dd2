import Bytes
import Foundation

/// What a text is known by in a ``TextVectorCache``: two hashes of it.
public struct TextKey: Hashable, Sendable {
    /// The two hashes.
    public var first, second: UInt64

    /// Makes a key.
    public init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }
}

/// Vectors of texts that an encoder computed, by hashes of the texts, in one file that outlives the program.
///
/// Layout, little-endian: 8 bytes `FRTEXT01`, the encoder's checksum as 8 letters, the width as 4 bytes and 4 bytes of zero; then records
/// of 16 bytes of key, the vector as 32-bit floats, and the CRC-32 of both. Records are appended; a torn end, and any record whose
/// checksum is wrong, count as missing. A file of another encoder, or none of this kind, is begun anew. Several processes may read
/// and append at once. `@unchecked Sendable`: all state is behind a lock.
public final class TextVectorCache: @unchecked Sendable {
    private static let magic = Array("FRTEXT01".utf8)
    private static let headerBytes = 24

    /// Length of a vector.
    public let width: Int
    /// The file.
    public let path: String
    private let header: [UInt8]
    private let limitBytes: Int
    private let lock = NSLock()
    private var vectors: [TextKey: [Float]] = [:]

    /// Opens the file, or makes it with its folder.
    ///
    /// - Parameters:
    ///   - encoder: the encoder's checksum; its first 8 bytes count.
    ///   - limitBytes: a file that has reached it is not appended to; see ``trim()``. Memory is about the same.
    /// - Throws: where the folder cannot be made.
    public init(path: String, encoder: String, width: Int, limitBytes: Int) throws(ArtifactError) {
        precondition(width > 0, "vectors of length \(width)")
        self.path = path
        self.width = width
        self.limitBytes = limitBytes
        var header = Self.magic + Array(encoder.utf8.prefix(8))
        header += [UInt8](repeating: 0x20, count: 16 - header.count)
        for shift in [0, 8, 16, 24] { header.append(UInt8(truncatingIfNeeded: width >> shift)) }
        self.header = header + [0, 0, 0, 0]
        do {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw ArtifactError(.file, path: path, "its folder cannot be made: \(Self.reason(error))")
        }
        read()
    }

    /// Vectors that are known.
    public var count: Int { lock.withLock { vectors.count } }

    /// The vector of a text, nil where it is not known.
    public subscript(_ key: TextKey) -> [Float]? { lock.withLock { vectors[key] } }

    /// Keeps vectors, in memory and, below the limit, in the file. Those that are known are passed over.
    ///
    /// - Precondition: vectors have the width of the cache.
    /// - Throws: where the file cannot be written; the vectors are kept in memory then.
    public func add(_ entries: [(key: TextKey, vector: [Float])]) throws(ArtifactError) {
        let bytes = lock.withLock {
            var bytes: [UInt8] = []
            for entry in entries where vectors[entry.key] == nil && (vectors.count + 1) * recordBytes <= limitBytes {
                precondition(entry.vector.count == width, "a vector of length \(entry.vector.count) in a cache of length \(width)")
                vectors[entry.key] = entry.vector
                bytes += record(entry.key, entry.vector)
            }
            return bytes
        }
        guard !bytes.isEmpty else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ArtifactError(.file, path: path, "it cannot be opened for writing.") }
        defer { close(descriptor) }
        // One call, so that what two processes append does not mix.
        let whole = lseek(descriptor, 0, SEEK_END) == 0 ? header + bytes : bytes
        guard whole.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == whole.count else {
            throw ArtifactError(.file, path: path, "it cannot be written; is the disk full?")
        }
    }

    /// Drops the vectors that `isKept` does not name, where the file has grown beyond half of its limit, and writes the rest anew.
    public func trim(keeping isKept: (TextKey) -> Bool) throws(ArtifactError) {
        let bytes: [UInt8]? = lock.withLock {
            guard vectors.count * recordBytes > limitBytes / 2 else { return nil }
            vectors = vectors.filter { isKept($0.key) }
            var bytes = header
            for (key, vector) in vectors.sorted(by: { ($0.key.first, $0.key.second) < ($1.key.first, $1.key.second) }) {
                bytes += record(key, vector)
            }
            return bytes
        }
        guard let bytes else { return }
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ArtifactError(.file, path: path, "it cannot be written anew: \(Self.reason(error))")
        }
    }

    /// The system's word for what went wrong, where Foundation has one of its own.
    private static func reason(_ error: any Error) -> String {
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        return cause.map { String(cString: strerror(Int32($0.code))) } ?? error.localizedDescription
    }

    private var recordBytes: Int { 16 + 4 * width + 4 }

    private func record(_ key: TextKey, _ vector: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(recordBytes)
        for word in [key.first, key.second] { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        for value in vector { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }
        var checksum = CRC32()
        bytes.withUnsafeBytes { checksum.combine($0) }
        withUnsafeBytes(of: checksum.value.littleEndian) { bytes += $0 }
        return bytes
    }

    private func read() {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else { return }
        guard data.count >= Self.headerBytes, data.prefix(Self.headerBytes).elementsEqual(header) else {
            // Another encoder's, or damaged: its vectors are of no use.
            try? FileManager.default.removeItem(atPath: path)
            return
        }
        let whole = (data.count - Self.headerBytes) / recordBytes
        data.withUnsafeBytes { raw in
            for index in 0..<whole {
                let bytes = UnsafeRawBufferPointer(rebasing: raw[(Self.headerBytes + index * recordBytes)...].prefix(recordBytes))
                var checksum = CRC32()
                checksum.combine(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)))
                guard UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: recordBytes - 4, as: UInt32.self)) == checksum.value else {
                    continue
                }
                let key = TextKey(
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
                vectors[key] = (0..<width).map {
                    Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 16 + 4 * $0, as: UInt32.self)))
                }
            }
        }
        // What follows a torn end would not be found again: the rest is cut off.
        let kept = Self.headerBytes + whole * recordBytes
        if kept < data.count { truncate(path, off_t(kept)) }
    }
}
