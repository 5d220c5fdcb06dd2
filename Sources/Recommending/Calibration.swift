#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a head's logits become probabilities that hold: Platt's scaling, σ(slope · logit + offset), which keeps the order.
public struct Calibration: Sendable, Equatable, Codable {
    /// What the logit is multiplied by.
    public var slope: Float
    /// What is added to it then.
    public var offset: Float

    /// Makes one; by default it changes nothing.
    public init(slope: Float = 1, offset: Float = 0) {
        self.slope = slope
        self.offset = offset
    }

    /// The corrected logit.
    public func logit(_ logit: Float) -> Float { slope * logit + offset }

    /// Fits slope and offset to outcomes by Newton's method (Platt 1999); with too little to learn from it changes nothing.
    ///
    /// - Parameters:
    ///   - logits: from a model that did not see these outcomes; outcomes: from 0 to 1; weights: one each.
    public init(fitting logits: [Float], outcomes: [Float], weights: [Float]) {
        precondition(logits.count == outcomes.count && logits.count == weights.count, "columns of a calibration differ in length")
        self.init()
        let positive = zip(outcomes, weights).reduce(0.0) { $0 + Double($1.0 * $1.1) }
        let all = weights.reduce(0.0) { $0 + Double($1) }
        guard positive >= 20, all - positive >= 20 else { return }
        var a = 1.0, b = 0.0
        for _ in 0..<30 {
            var ga = 0.0, gb = 0.0, aa = 1e-6, ab = 0.0, bb = 1e-6
            for index in logits.indices {
                let x = Double(logits[index]), weight = Double(weights[index])
                let p = 1 / (1 + exp(-(a * x + b)))
                let error = weight * (p - Double(outcomes[index])), curve = weight * p * (1 - p)
                ga += error * x
                gb += error
                aa += curve * x * x
                ab += curve * x
                bb += curve
            }
            let determinant = aa * bb - ab * ab
            guard determinant > 1e-12 else { break }
            let da = (bb * ga - ab * gb) / determinant, db = (aa * gb - ab * ga) / determinant
            a -= min(max(da, -1), 1)
            b -= min(max(db, -2), 2)
            if abs(da) + abs(db) < 1e-7 { break }
        }
        // A slope that turns the order round would be a model that is wrong everywhere: leave it visible.
        guard a.isFinite, b.isFinite, a > 0.05 else { return }
        slope = Float(a)
        offset = Float(b)
    }
}

/// How well probabilities hold: what was predicted beside what came, in bins of equal size.
public struct Reliability: Sendable, Equatable {
    /// A bin: mean prediction, share that came true, weight.
    public struct Bin: Sendable, Equatable {
        /// The mean predicted probability.
        public var predicted: Double
        /// The share of the questions that came true.
        public var observed: Double
        /// The sum of the questions' weights.
        public var weight: Double
    }

    /// From the smallest probabilities to the largest.
    public let bins: [Bin]

    /// Sorts predictions into bins that hold equally many.
    public init(_ probabilities: [Float], outcomes: [Float], weights: [Float], bins count: Int = 10) {
        precondition(
            probabilities.count == outcomes.count && outcomes.count == weights.count && count > 0,
            "columns of a reliability differ in length")
        let order = probabilities.indices.sorted { (probabilities[$0], $0) < (probabilities[$1], $1) }
        bins = (0..<count).compactMap { bin in
            var predicted = 0.0, observed = 0.0, weight = 0.0
            for place in order[order.count * bin / count..<order.count * (bin + 1) / count] {
                let own = Double(weights[place])
                predicted += own * Double(probabilities[place])
                observed += own * Double(outcomes[place])
                weight += own
            }
            return weight > 0 ? Bin(predicted: predicted / weight, observed: observed / weight, weight: weight) : nil
        }
    }

    /// The expected calibration error: the mean distance of both, weighted (Naeini et al. 2015).
    public var expectedError: Double {
        let total = bins.reduce(0) { $0 + $1.weight }
        return total > 0 ? bins.reduce(0) { $0 + $1.weight * abs($1.predicted - $1.observed) } / total : 0
    }
}
