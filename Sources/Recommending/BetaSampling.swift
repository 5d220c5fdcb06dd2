#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Random numbers of the beta distribution, as Thompson sampling draws them.
enum BetaSampling {
    /// A number in 0...1 with mean `successes` / (`successes` + `failures`).
    ///
    /// - Parameters:
    ///   - successes: above 0; failures: above 0.
    static func draw(successes: Double, failures: Double, using random: inout some RandomNumberGenerator) -> Double {
        let won = gamma(successes, &random), lost = gamma(failures, &random)
        let all = won + lost
        return all > 0 ? won / all : successes / (successes + failures)
    }

    /// Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; a shape below 1 is raised by one first.
    private static func gamma(_ shape: Double, _ random: inout some RandomNumberGenerator) -> Double {
        guard shape >= 1 else { return gamma(shape + 1, &random) * pow(positive(&random), 1 / shape) }
        let d = shape - 1.0 / 3, c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal(&random)
            let root = 1 + c * x
            guard root > 0 else { continue }
            let v = root * root * root
            if log(positive(&random)) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
        }
    }

    /// Box and Muller 1958.
    private static func normal(_ random: inout some RandomNumberGenerator) -> Double {
        (-2 * log(positive(&random))).squareRoot() * cos(2 * .pi * positive(&random))
    }

    /// In 0...1, 0 left out: its logarithm is wanted.
    private static func positive(_ random: inout some RandomNumberGenerator) -> Double {
        Double((random.next() >> 11) + 1) * 0x1p-53
    }
}
