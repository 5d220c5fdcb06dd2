/// The hash of a file's bytes, whole or in part: a ``PayloadHash`` over blocks of a mebibyte, the last one shorter.
public struct FileChecksum: Sendable {
    /// Bytes of a block; who hashes a file piece by piece hands over whole blocks.
    public static let blockBytes = 1 << 20

    private var hash = PayloadHash()

    /// The hash of nothing yet.
    public init() {}

    /// The hash so far.
    public var value: UInt64 { hash.value }

    /// Combines what comes next. Only the last call may bring bytes that are no whole blocks.
    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            hash.combine(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.blockBytes)))
            rest = rest.dropFirst(Self.blockBytes)
        }
    }

    /// The hash of bytes that are all there.
    public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var checksum = FileChecksum()
        checksum.combine(bytes)
        return checksum.value
    }
}
