#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Draws ranks 0..<count in proportion to 1 / (rank + 1)^exponent, by binary search in the cumulated weights.
public struct ZipfDraw: Sendable {
    private let cumulated: [Double]

    /// Makes the draw; `count` is above 0.
    public init(count: Int, exponent: Double) {
        var sum = 0.0
        cumulated = (1...count).map { rank in
            sum += 1 / pow(Double(rank), exponent)
            return sum
        }
    }

    /// The next rank.
    public func draw(_ random: inout some RandomNumberGenerator) -> Int {
        let target = Double.random(in: 0..<(cumulated.last ?? 1), using: &random)
        var low = 0
        var high = cumulated.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulated[middle] <= target { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
