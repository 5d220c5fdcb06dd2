import Tensors

/// An interval from resampling: users are drawn with replacement, as often as there are, and the statistic is taken again.
///
/// The percentile method. The same values and seed give the same interval.
public struct BootstrapInterval: Sendable, Equatable {
    /// The statistic of the values as they are.
    public var estimate: Double
    /// The bounds: so many of the resamples lie outside on either side as the level says.
    public var lower, upper: Double

    /// How often users are drawn anew.
    public static let defaultResamples = 2_000

    /// The interval of a mean over users. Of paired differences, the interval of the difference.
    ///
    /// - Complexity: O(values × resamples)
    public init(ofMean values: [Double], level: Double = 0.95, resamples: Int = Self.defaultResamples, seed: UInt64 = 1) {
        self.init(values.count, level: level, resamples: resamples, seed: seed) { counts in
            var sum = 0.0
            for (value, count) in zip(values, counts) { sum += value * Double(count) }
            return values.isEmpty ? 0 : sum / Double(values.count)
        }
    }

    /// The interval of `mean(values) / mean(base)` − 1 over the same users: how much better, as a share of the base.
    public init(
        ofGain values: [Double], over base: [Double], level: Double = 0.95, resamples: Int = Self.defaultResamples, seed: UInt64 = 1
    ) {
        precondition(values.count == base.count, "values are paired: \(values.count) and \(base.count)")
        self.init(values.count, level: level, resamples: resamples, seed: seed) { counts in
            var sum = 0.0, baseSum = 0.0
            for (place, count) in counts.enumerated() where count > 0 {
                sum += values[place] * Double(count)
                baseSum += base[place] * Double(count)
            }
            return baseSum > 0 ? sum / baseSum - 1 : 0
        }
    }

    private init(_ users: Int, level: Double, resamples: Int, seed: UInt64, statistic: ([Int32]) -> Double) {
        precondition(level > 0 && level < 1 && resamples > 0, "level \(level) and \(resamples) resamples make no interval")
        estimate = statistic([Int32](repeating: 1, count: users))
        guard users > 1 else {
            lower = estimate
            upper = estimate
            return
        }
        var generator = SeededGenerator(seed: seed, stream: 0x6b6f_6f74)
        var found: [Double] = []
        found.reserveCapacity(resamples)
        var counts = [Int32](repeating: 0, count: users)
        for _ in 0..<resamples {
            for place in counts.indices { counts[place] = 0 }
            for _ in 0..<users { counts[generator.next(below: users)] += 1 }
            found.append(statistic(counts))
        }
        found.sort()
        let outside = (1 - level) / 2
        func quantile(_ share: Double) -> Double {
            let place = share * Double(found.count - 1)
            let low = Int(place), rest = place - Double(Int(place))
            return low + 1 < found.count ? found[low] * (1 - rest) + found[low + 1] * rest : found[low]
        }
        lower = quantile(outside)
        upper = quantile(1 - outside)
    }
}
