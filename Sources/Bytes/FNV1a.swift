/// FNV-1a with 64 bits (Fowler, Noll and Vo; IETF draft-eastlake-fnv): the same on every machine and in every version, since models
/// store what was learned per hash and experiments part users by it.
///
/// It takes a byte a step, so it is for short texts. Its low bits are weak: mix them (``SplitMix64Mixing``) before a few are used.
public struct FNV1a: Sendable {
    /// The hash of what was combined so far.
    public var value: UInt64 { @inlinable get { state } }
    @usableFromInline
    var state: UInt64

    /// Starts with nothing combined.
    ///
    /// - Parameter salt: sets the hashes of one use apart from those of another; 0 gives FNV-1a as it is published.
    @inlinable
    public init(salt: UInt64 = 0) { state = 0xCBF2_9CE4_8422_2325 ^ salt }

    /// Combines a byte.
    @inlinable
    public mutating func combine(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }

    /// The hash of bytes.
    ///
    /// - Parameter salt: as in ``init(salt:)``.
    @inlinable
    public static func hash(_ bytes: some Sequence<UInt8>, salt: UInt64 = 0) -> UInt64 {
        var hash = FNV1a(salt: salt)
        for byte in bytes { hash.combine(byte) }
        return hash.value
    }

    /// Which of `count` parts of about one size a name falls into, from 0: a split that is the same in every run and version.
    public static func part(of name: String, of count: Int) -> Int {
        Int(SplitMix64Mixing.mixed(hash(name.utf8)) % UInt64(count))
    }
}
