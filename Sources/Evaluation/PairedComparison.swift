#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Two models on the same questions: how far apart they are, and how sure that is.
public struct PairedComparison: Sendable, Equatable {
    /// Questions that both answered.
    public var questions: Int
    /// The metric's mean over the questions.
    public var candidateMean, otherMean: Double
    /// Mean of candidate − other.
    public var difference: Double
    /// Standard error of ``difference``.
    public var standardError: Double
    /// The lower end of the one-sided interval of ``difference``.
    public var lowerBound: Double

    /// Compares values that are paired: index i of both is the same question.
    ///
    /// - Parameters: candidate, other: the metric of each question, finite. - confidence: what ``StudentQuantile`` takes.
    /// - Complexity: O(questions)
    public init(candidate: [Double], other: [Double], confidence: Double) {
        precondition(candidate.count == other.count, "values are paired: \(candidate.count) and \(other.count)")
        questions = candidate.count
        let n = Double(max(1, candidate.count))
        candidateMean = candidate.reduce(0, +) / n
        otherMean = other.reduce(0, +) / n
        difference = zip(candidate, other).reduce(0) { $0 + ($1.0 - $1.1) } / n
        // About the mean, not by the sum of squares: equal answers have a scatter of exactly 0.
        var squares = 0.0
        for (new, old) in zip(candidate, other) {
            let apart = new - old - difference
            squares += apart * apart
        }
        standardError = candidate.count > 1 ? (squares / (n - 1) / n).squareRoot() : 0
        lowerBound = difference - StudentQuantile.upper(confidence, degrees: candidate.count - 1) * standardError
    }

    /// The two-sided interval of ``difference``.
    ///
    /// - Parameter outside: the chance that the true difference lies outside; the half of it, from 1, is one of
    ///   ``StudentQuantile/confidences``.
    public func interval(outside: Double) -> (low: Double, high: Double) {
        let half = StudentQuantile.upper(1 - outside / 2, degrees: questions - 1) * standardError
        return (difference - half, difference + half)
    }

    /// Compares two means of different questions: their scatter adds up.
    public init(candidate: MetricValue, candidateQuestions: Int, other: MetricValue, confidence: Double) {
        questions = candidateQuestions
        candidateMean = candidate.mean
        otherMean = other.mean
        difference = candidate.mean - other.mean
        standardError = (candidate.standardError * candidate.standardError + other.standardError * other.standardError).squareRoot()
        lowerBound = difference - StudentQuantile.upper(confidence, degrees: candidateQuestions - 1) * standardError
    }
}

/// Quantiles of Student's t.
public enum StudentQuantile {
    /// The shares that ``upper(_:degrees:)`` takes.
    public static let confidences = 0.5...0.9999
    /// Above it the normal quantile is another quotient, of a logarithm.
    private static let centre = 0.97575

    /// The value below which a share `confidence` of Student's t with `degrees` of freedom lies.
    ///
    /// The normal quantile is Acklam's rational approximation (relative error below 1.2e-9), widened by the first two terms of the
    /// Cornish–Fisher expansion (Abramowitz and Stegun 26.7.5); to a confidence of 0.975 right to 1 % from 5 degrees on, and from 50 on
    /// to 0.01 %.
    public static func upper(_ confidence: Double, degrees: Int) -> Double {
        precondition(confidences.contains(confidence), "the confidence must be in \(confidences), got \(confidence)")
        let z = normal(confidence), v = Double(max(1, degrees)), squared = z * z
        return z + z * (squared + 1) / (4 * v) + z * ((5 * squared + 16) * squared + 3) / (96 * v * v)
    }

    /// The quantile of the normal distribution.
    private static func normal(_ confidence: Double) -> Double {
        if confidence > centre {
            let t = (-2 * log(1 - confidence)).squareRoot()
            let above = ((((-0.007784894002430293 * t - 0.3223964580411365) * t - 2.400758277161838) * t - 2.549732539343734) * t
                + 4.374664141464968) * t
                + 2.938163982698783
            let below = (((0.007784695709041462 * t + 0.3224671290700398) * t + 2.445134137142996) * t + 3.754408661907416) * t
                + 1
            return -above / below
        }
        let q = confidence - 0.5, r = q * q
        let above = ((((-39.696830286653757 * r + 220.9460984245205) * r - 275.92851044696869) * r + 138.357751867269) * r
            - 30.66479806614716) * r + 2.506628277459239
        let below = ((((-54.476098798224058 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r
            - 13.28068155288572) * r + 1
        return q * above / below
    }
}
