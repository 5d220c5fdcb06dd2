/// How SplitMix64 mixes the bits of a word (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
/// Each function is a bijection of 64 bits, the same on every machine and in every version.
public enum SplitMix64Mixing {
    /// What the generator's state grows by in a step: 2^64 divided by the golden ratio, and odd.
    @inlinable
    public static var increment: UInt64 { 0x9E37_79B9_7F4A_7C15 }

    /// The finaliser: every input bit reaches every output bit. It leaves 0 as it is.
    @inlinable
    public static func finalised(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// What a generator with this state gives next: the finaliser of the state's successor.
    @inlinable
    public static func mixed(_ value: UInt64) -> UInt64 { finalised(value &+ increment) }
}
