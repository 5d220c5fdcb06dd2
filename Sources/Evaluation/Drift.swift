#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// How far two counted distributions lie apart.
public enum Drift {
    /// The population stability index, Σ (p − q) ln(p / q) over groups: 0 for equal shares; above 0.25 is usually called a shift.
    ///
    /// A sample differs from its own source by about (groups − 1)(1/n + 1/m) for n and m independent observations; that is taken off, so
    /// that small samples do not cry wolf.
    ///
    /// - Parameters:
    ///   - expected, actual: counts by group, at least 0; a group that only one side has counts as half an observation there.
    ///   - independent: how many independent observations each side stands for; events of one person are not. Nil takes the counts' sums.
    public static func stabilityIndex(
        expected: [Double], actual: [Double], independent: (expected: Double, actual: Double)? = nil
    ) -> Double {
        precondition(expected.count == actual.count, "\(expected.count) groups against \(actual.count)")
        let used = expected.indices.filter { expected[$0] > 0 || actual[$0] > 0 }
        let (n, m) = (expected.reduce(0, +), actual.reduce(0, +))
        guard used.count > 1, n > 0, m > 0 else { return 0 }
        var sum = 0.0
        for group in used {
            let p = max(actual[group], 0.5) / m, q = max(expected[group], 0.5) / n
            sum += (p - q) * log(p / q)
        }
        let sizes = independent ?? (n, m)
        let chance = Double(used.count - 1) * (1 / max(1, sizes.expected) + 1 / max(1, sizes.actual))
        return max(0, sum - chance)
    }

    /// The Kolmogorov–Smirnov statistic of two counted distributions over ordered groups: the largest difference of their cumulative
    /// shares, 0 to 1.
    public static func largestGap(expected: [Double], actual: [Double]) -> Double {
        precondition(expected.count == actual.count, "\(expected.count) groups against \(actual.count)")
        let (n, m) = (expected.reduce(0, +), actual.reduce(0, +))
        guard n > 0, m > 0 else { return 0 }
        var left = 0.0, right = 0.0, gap = 0.0
        for (a, b) in zip(expected, actual) {
            left += a / n
            right += b / m
            gap = max(gap, abs(left - right))
        }
        return gap
    }

    /// What the largest gap of two samples of one source stays below but once in `1 / level` cases (the asymptotic form of Smirnov).
    public static func gapByChance(_ n: Double, _ m: Double, level: Double = 0.001) -> Double {
        precondition(level > 0 && level < 1, "a level of \(level)")
        guard n > 0, m > 0 else { return 1 }
        return (-log(level / 2) / 2).squareRoot() * ((n + m) / (n * m)).squareRoot()
    }
}
