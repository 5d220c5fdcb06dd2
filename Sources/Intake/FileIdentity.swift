import Bytes
import EventStream
import Foundation
import Interactions

/// What makes two files the same for a backfill: every byte.
struct FileIdentity: Equatable {
    /// 16 hexadecimal digits: the `FileChecksum` of the file.
    var checksum: String
    /// The size when the file was hashed.
    var bytes: Int64

    /// Reads the file once; nil where a stop was asked for meanwhile.
    static func of(path: String, isStopping: () -> Bool) throws -> FileIdentity? {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw IntakeError(.file, "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { try? file.close() }
        var checksum = FileChecksum()
        var bytes: Int64 = 0
        while let block = try file.read(upToCount: FileChecksum.blockBytes), !block.isEmpty {
            if isStopping() { return nil }
            block.withUnsafeBytes { checksum.combine($0) }
            bytes += Int64(block.count)
        }
        return FileIdentity(checksum: Hexadecimal.text(checksum.value), bytes: bytes)
    }
}
