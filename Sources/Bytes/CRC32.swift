import CZlib

/// CRC-32 as of ISO 3309, by zlib, so that `crc32`, `gzip -v` or Python's `zlib.crc32` can check a file by hand.
///
/// It finds every change within 32 neighbouring bits and others but for one in 2^32. It is no guard against forgery.
public struct CRC32: Sendable {
    private var state: UInt = 0

    /// Starts with nothing combined.
    public init() {}

    /// Combines what comes next.
    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        // Without an address zlib gives the start again.
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        state = crc32_z(state, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// The checksum so far.
    public var value: UInt32 { UInt32(truncatingIfNeeded: state) }

    /// Eight hexadecimal digits in lower case.
    public var text: String { Hexadecimal.text(value) }

    /// The text of bytes that are all there.
    public static func text(of bytes: UnsafeRawBufferPointer) -> String {
        var checksum = CRC32()
        checksum.combine(bytes)
        return checksum.text
    }
}
