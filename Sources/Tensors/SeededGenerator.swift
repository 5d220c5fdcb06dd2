import Bytes

/// A seeded random number generator: xoshiro256** (Blackman and Vigna 2018), its state filled from the seed by SplitMix64.
///
/// The same seed gives the same numbers on every machine: integers by construction, floats because only operations that
/// IEEE 754 rounds exactly take part (the logarithm of `normal()` is our own for that reason). The state can be saved and
/// restored, so a resumed training draws what an uninterrupted one would have drawn. Not for secrets.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Equatable {
    private var s0: UInt64, s1: UInt64, s2: UInt64, s3: UInt64

    /// A generator for a seed. Different `stream`s of one seed are independent: one for each thread, epoch or purpose.
    public init(seed: UInt64, stream: UInt64 = 0) {
        var mix = SplitMix64(state: seed)
        var word = SplitMix64(state: mix.next() ^ (stream &* 0xD134_2543_DE82_EF95))
        (s0, s1, s2, s3) = (word.next(), word.next(), word.next(), word.next())
    }

    /// The state as four words, for a checkpoint.
    public var state: [UInt64] { [s0, s1, s2, s3] }

    /// A generator that goes on from a saved `state`; nil unless it is four words that are not all zero.
    public init?(state: [UInt64]) {
        guard state.count == 4, state.contains(where: { $0 != 0 }) else { return nil }
        (s0, s1, s2, s3) = (state[0], state[1], state[2], state[3])
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        let multiplied = s1 &* 5
        let result = (multiplied << 7 | multiplied >> 57) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = s3 << 45 | s3 >> 19
        return result
    }

    /// A whole number in `0..<bound`, each as likely as any other (Lemire 2019). `bound` must be positive.
    public mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "a random number below \(bound)")
        let range = UInt64(bound)
        var (high, low) = next().multipliedFullWidth(by: range)
        if low < range {
            let threshold = (0 &- range) % range
            while low < threshold { (high, low) = next().multipliedFullWidth(by: range) }
        }
        return Int(high)
    }

    /// A number in `[0, 1)`, a multiple of 2⁻²⁴.
    public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// A number in `[0, 1)`, a multiple of 2⁻⁵³.
    public mutating func uniformDouble() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number in `[low, high)`.
    public mutating func uniform(in range: Range<Float>) -> Float {
        let value = range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
        // Rounding may land on the upper bound, which does not belong to the range.
        return value < range.upperBound ? value : range.lowerBound
    }

    /// A standard normal number (mean 0, deviation 1) by Marsaglia's polar method.
    public mutating func normal() -> Float {
        while true {
            let x = 2 * uniformDouble() - 1
            let y = 2 * uniformDouble() - 1
            let square = x * x + y * y
            if square > 0 && square < 1 { return Float(x * (-2 * exactLog(square) / square).squareRoot()) }
        }
    }

    /// True with the given probability.
    public mutating func bernoulli(_ probability: Float) -> Bool { uniform() < probability }

    /// Puts the elements in random order (Fisher–Yates), each order as likely as any other.
    public mutating func shuffle<T>(_ array: inout [T]) {
        guard array.count > 1 else { return }
        for i in stride(from: array.count - 1, to: 0, by: -1) { array.swapAt(i, next(below: i + 1)) }
    }
}

/// Steele, Lea and Flood 2014: fills the state of the larger generator from one word.
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        defer { state &+= SplitMix64Mixing.increment }
        return SplitMix64Mixing.mixed(state)
    }
}

/// The natural logarithm of a positive normal number from additions, multiplications and divisions alone, so that it is the
/// same on every machine; system libraries differ in the last bit. ln m = 2 artanh((m − 1) / (m + 1)).
private func exactLog(_ x: Double) -> Double {
    var mantissa = x.significand, exponent = Double(x.exponent)
    if mantissa > 1.4142135623730951 {
        mantissa /= 2
        exponent += 1
    }
    let t = (mantissa - 1) / (mantissa + 1), square = t * t
    var sum = 0.0, k = 21.0
    while k >= 1 {
        sum = sum * square + 1 / k
        k -= 2
    }
    return exponent * 0.6931471805599453 + 2 * t * sum
}
