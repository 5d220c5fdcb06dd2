import Bytes

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

    /// A hash of all 64 bits.
    private static func hash(_ text: String, _ start: UInt64) -> UInt64 {
        SplitMix64Mixing.finalised(FNV1a.hash(text.utf8, salt: start))
    }
}
