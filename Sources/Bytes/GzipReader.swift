import CZlib

/// Decompresses gzip as the bytes arrive.
///
/// Not sendable: zlib's state belongs to one reader.
public final class GzipReader {
    /// The first two bytes of a member.
    public static let magic: [UInt8] = [0x1F, 0x8B]

    /// What a step came to.
    public enum Outcome: Equatable {
        /// The member goes on.
        case goesOn
        /// The member has ended; ``beginMember()`` takes another one.
        case memberEnded
        /// The data is damaged, in zlib's words.
        case damaged(String)
    }

    // In an object, since zlib refuses a state that has moved.
    private var stream = z_stream()

    /// Begins with a member's first byte; nil where there is no memory for it.
    public init?() {
        // 15: the largest window. 16 more: gzip's header and checksum.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    }

    deinit { inflateEnd(&stream) }

    /// Begins with the first byte of another member.
    public func beginMember() { inflateReset(&stream) }

    /// Decompresses what of `input` fits into `target`.
    ///
    /// - Returns: the bytes that were taken of the input, those that were written, and what it came to. Bytes before a damage are
    ///   written; the next step meets the damage again.
    public func step(
        _ input: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> (taken: Int, written: Int, outcome: Outcome) {
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(clamping: input.count)
        stream.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(clamping: target.count)
        let (given, room) = (stream.avail_in, stream.avail_out)
        let code = inflate(&stream, Z_NO_FLUSH)
        let outcome: Outcome =
            switch code {
            case Z_STREAM_END: .memberEnded
            case Z_OK, Z_BUF_ERROR: .goesOn
            default: .damaged(stream.msg.map { String(cString: $0) } ?? "error \(code)")
            }
        return (Int(given - stream.avail_in), Int(room - stream.avail_out), outcome)
    }
}
