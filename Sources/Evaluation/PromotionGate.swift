/// What the gate decided, and why, in sentences.
public struct GateDecision: Sendable, Equatable {
    /// Whether the candidate may be promoted.
    public var passes: Bool
    /// One sentence per check; those that failed say what would have been needed.
    public var reasons: [String]
    /// Mean of candidate − current over users; `nil` where there is no current model.
    public var meanDifference: Double?
    /// Standard error of ``meanDifference``.
    public var standardError: Double?
    /// Users of the holdout.
    public var users: Int
}

/// Lets a new model replace the current one where it is not worse.
///
/// A non-inferiority test on paired differences of a per-user metric: the candidate passes where
/// mean − z · standard error > −margin. So a fresh model of the same quality replaces a stale one, and a worse one does not.
/// The holdout must be later than the training watermark of both models.
public struct PromotionGate: Sendable {
    /// The loss of the metric that is still called "not worse", in the metric's unit; above 0.
    public var margin: Double
    /// Standard errors between the mean and the bound: 1.645 is one-sided 95 %.
    public var z: Double
    /// Fewer users than this decide nothing.
    public var minimumUsers: Int
    /// The share of the rival's mean that a candidate must reach, 0 to leave the check out.
    public var rivalShare: Double

    /// Makes a gate.
    public init(margin: Double = 0.005, z: Double = 1.645, minimumUsers: Int = 50, rivalShare: Double = 1) {
        precondition(margin > 0, "the margin must be above 0, got \(margin): with 0 a model of the same quality never passes")
        self.margin = margin
        self.z = z
        self.minimumUsers = minimumUsers
        self.rivalShare = rivalShare
    }

    /// Decides on paired per-user values: index i of every array is the same user.
    ///
    /// - Parameters:
    ///   - candidate: the metric of each holdout user under the candidate.
    ///   - current: the same users under the promoted model; `nil` where none is.
    ///   - rival: the same users under a simple rival such as popularity; `nil` leaves the check out.
    public func decide(candidate: [Double], current: [Double]?, rival: [Double]? = nil) -> GateDecision {
        precondition(current == nil || current?.count == candidate.count, "values are paired: \(candidate.count) candidate, \(current?.count ?? 0) current")
        precondition(rival == nil || rival?.count == candidate.count, "values are paired: \(candidate.count) candidate, \(rival?.count ?? 0) rival")
        let users = candidate.count
        var decision = GateDecision(passes: true, reasons: [], meanDifference: nil, standardError: nil, users: users)
        let mean = users > 0 ? candidate.reduce(0, +) / Double(users) : 0
        guard users >= minimumUsers else {
            decision.passes = current == nil
            decision.reasons.append(
                current == nil
                    ? "The holdout has \(users) users, too few to judge by (\(minimumUsers) are needed); there is no promoted model yet, so the candidate is taken."
                    : "The holdout has \(users) users and \(minimumUsers) are needed, so the promoted model stays.")
            return decision
        }
        guard candidate.allSatisfy(\.isFinite) else {
            decision.passes = false
            decision.reasons.append("The candidate's metric is not a finite number for every user, so its scores are broken.")
            return decision
        }
        if let current {
            compare(candidate, with: current, into: &decision)
        } else {
            decision.reasons.append("There is no promoted model; the candidate's mean is \(decimal(mean)) over \(users) users.")
        }
        if let rival, rivalShare > 0 {
            let rivalMean = rival.reduce(0, +) / Double(users)
            let needed = rivalShare * rivalMean
            // The rival's check has the same tolerance: a model within the margin of popularity is not refused for noise.
            if mean > needed - margin {
                decision.reasons.append("The simple rival reaches \(decimal(rivalMean)); the candidate's \(decimal(mean)) is not below it by the margin.")
            } else {
                decision.passes = false
                decision.reasons.append("The simple rival reaches \(decimal(rivalMean)) and the candidate only \(decimal(mean)); at least \(decimal(needed - margin)) is needed.")
            }
        }
        return decision
    }

    private func compare(_ candidate: [Double], with current: [Double], into decision: inout GateDecision) {
        var sum = RunningMean()
        for (new, old) in zip(candidate, current) { sum.add(new - old) }
        let difference = sum.value(users: candidate.count)
        let bound = difference.mean - z * difference.standardError
        decision.meanDifference = difference.mean
        decision.standardError = difference.standardError
        let measured = "The candidate differs from the promoted model by \(decimal(difference.mean)) ± \(decimal(difference.standardError)) over \(candidate.count) users"
        if bound > -margin {
            decision.reasons.append("\(measured): not worse than the margin of \(decimal(margin)) (lower bound \(decimal(bound))).")
        } else {
            decision.passes = false
            decision.reasons.append("\(measured): the lower bound \(decimal(bound)) is not above \(decimal(-margin)), so it may be worse and is not promoted.")
        }
    }
}

/// A number with four places, without Foundation.
func decimal(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let scaled = Int64((abs(value) * 10_000).rounded())
    let fraction = String(scaled % 10_000)
    let sign = value < 0 && scaled != 0 ? "-" : ""
    return "\(sign)\(scaled / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
}
