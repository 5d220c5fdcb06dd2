import Bytes

/// The SplitMix64 generator: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
///
/// The state grows by a constant and each output is a mix of it, so that every seed gives the full period of 2^64, and nearby
/// seeds give unrelated sequences.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator; equal seeds give equal sequences.
    public init(seed: UInt64) {
        state = seed
    }

    /// A generator for one thing of many, such as item 7 of a seed's shop: what one draws never shifts what another does.
    public init(seed: UInt64, stream: UInt64, index: UInt64) {
        let place = SplitMix64Mixing.finalised(stream &* 0xD1B5_4A32_D192_ED03 &+ SplitMix64Mixing.finalised(index))
        state = SplitMix64Mixing.finalised(seed &+ place)
    }

    public mutating func next() -> UInt64 {
        defer { state &+= SplitMix64Mixing.increment }
        return SplitMix64Mixing.mixed(state)
    }

    /// A number in [0, 1) with 53 random bits.
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number in 0..<bound; the bias is below bound / 2^64.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A nearly normal number with mean 0 and variance 1: twelve uniform ones, as Irwin and Hall sum them.
    mutating func normal() -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += unit() }
        return sum
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// Two different ones of at least two elements.
    mutating func pickTwo<Element>(_ elements: [Element]) -> (Element, Element) {
        let first = below(elements.count)
        let second = (first + 1 + below(elements.count - 1)) % elements.count
        return (elements[first], elements[second])
    }
}
