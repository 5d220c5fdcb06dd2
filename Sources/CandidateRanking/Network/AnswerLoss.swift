#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Smooth losses of one question under the softmax of its scores.
public enum AnswerLoss: Sendable, Hashable, CaseIterable {
    /// −ln(Σ y e^s / Σ e^s) with gains y of up to 1: any answer counts, so that the likeliest answers matter most, as they do at the top
    /// of a list.
    case anyAnswer
    /// Cross entropy with what each candidate has of all gains: every answer counts.
    case shares

    /// The loss, and by each score its derivative.
    ///
    /// - Parameters:
    ///   - scores: `[candidates]`, finite.
    ///   - gains: `[candidates]`, 0 or more, the largest of them 1.
    ///   - slopes: `[candidates]`, overwritten.
    package func callAsFunction(
        _ scores: UnsafePointer<Float>, gains: UnsafePointer<Float>, candidates: Int, slopes: UnsafeMutablePointer<Float>
    ) -> Double {
        var top = -Float.infinity
        for candidate in 0..<candidates { top = max(top, scores[candidate]) }
        var total = 0.0, answers = 0.0, gained = 0.0, expected = 0.0
        for candidate in 0..<candidates {
            let weight = exp(Double(scores[candidate]) - Double(top)), gain = Double(gains[candidate])
            total += weight
            answers += gain * weight
            gained += gain
            expected += gain * (Double(scores[candidate]) - Double(top))
        }
        guard gained > 0 else {
            for candidate in 0..<candidates { slopes[candidate] = 0 }
            return 0
        }
        // An answer far below the rest must not make the loss infinite.
        answers = max(answers, 1e-300)
        for candidate in 0..<candidates {
            let weight = exp(Double(scores[candidate]) - Double(top)), gain = Double(gains[candidate])
            slopes[candidate] = Float(weight / total - (self == .shares ? gain / gained : gain * weight / answers))
        }
        return log(total) - (self == .shares ? expected / gained : log(answers))
    }
}
