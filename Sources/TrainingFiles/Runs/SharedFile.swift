import Console
import Foundation
import TowerTraining

/// A file of rank 0 that all ranks need: those on the same disk read it where it lies, to the others it is sent.
package struct SharedFile {
    private static let blockBytes = 16 << 20
    private let group: any RankGroup

    /// Files of a group of ranks.
    package init(_ group: any RankGroup) { self.group = group }

    /// Rank 0's part: sends the file where anybody asks for it.
    package func give(_ path: String, bytes: Int) throws {
        guard try group.isRaisedAnywhere(false) else { return }
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        var sent = 0
        while sent < bytes {
            var block = [UInt8](try handle.read(upToCount: min(Self.blockBytes, bytes - sent)) ?? Data())
            guard !block.isEmpty else { throw CommandFailure("\(path) became shorter while it was sent to other ranks") }
            try block.withUnsafeMutableBytes { if let start = $0.baseAddress { try group.broadcast(start, count: $0.count) } }
            sent += block.count
            // A read may give less than it was asked for; the others need to know how much comes.
            guard sent == bytes || block.count == Self.blockBytes else { throw CommandFailure("\(path) could not be read in whole blocks") }
        }
    }

    /// Another rank's part: takes the file into `path` where this rank `isMissing` it. Ranks that have it listen too.
    package func take(bytes: Int, into path: String, isMissing: Bool) throws {
        guard try group.isRaisedAnywhere(isMissing) else { return }
        let file = isMissing ? try ColumnFile(creating: path) : nil
        var block = [UInt8](repeating: 0, count: min(bytes, Self.blockBytes)), taken = 0
        while taken < bytes {
            let count = min(Self.blockBytes, bytes - taken)
            try block.withUnsafeMutableBytes { buffer in
                guard let start = buffer.baseAddress else { return }
                try group.broadcast(start, count: count)
                try file?.write(UnsafeRawBufferPointer(start: start, count: count), at: taken)
            }
            taken += count
        }
    }
}
