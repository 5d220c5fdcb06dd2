/// A little chance in the order of items, the same for the same user: so that two people of whom nothing is known do not see one list.
///
/// Adds `strength` times a Gumbel variable to each log odds. At strength 1 that draws the list from the odds themselves (the
/// Gumbel-max trick; Kool et al. 2019 for lists); at 0.1 an item passes one with a tenth better odds about as often as not.
struct Variety {
    /// In log odds, at least 0.
    let strength: Float
    private let seed: UInt64

    /// - Parameter seed: the user's id or the session's.
    init(strength: Float, seed: String) {
        self.strength = strength
        self.seed = Self.hash(seed, 0x6672_6573_6865_7431)
    }

    /// What to add to an item's log odds.
    func noise(_ itemID: String) -> Float {
        let bits = Self.hash(itemID, seed)
        // Strictly between 0 and 1.
        let uniform = (Float(bits >> 41) + 0.5) * 0x1p-23
        return -strength * naturalLogarithm(-naturalLogarithm(uniform))
    }

    /// FNV-1a from a start, mixed by the finaliser of SplitMix64.
    private static func hash(_ text: String, _ start: UInt64) -> UInt64 {
        var state = start ^ 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        state = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        state = (state ^ (state >> 27)) &* 0x94d0_49bb_1331_11eb
        return state ^ (state >> 31)
    }
}
