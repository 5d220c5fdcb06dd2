/// What the gate decided, and why, in sentences.
public struct GateDecision: Sendable, Equatable {
    /// Whether the candidate may be promoted.
    public var passes: Bool
    /// One sentence per check; those that failed say what would have been needed.
    public var reasons: [String]
    /// The figures behind the decision; nil where nothing could be compared.
    public var comparison: PairedComparison?
    /// The largest loss that was allowed, in the metric's unit.
    public var allowedLoss: Double?

    /// Makes a decision.
    public init(passes: Bool, reasons: [String], comparison: PairedComparison? = nil, allowedLoss: Double? = nil) {
        self.passes = passes
        self.reasons = reasons
        self.comparison = comparison
        self.allowedLoss = allowedLoss
    }
}

/// What a training does where a simple rival answers better than its model by more than chance.
public enum RivalRule: String, Sendable, CaseIterable {
    /// The model is not promoted.
    case refuse
    /// It is said, and the model is promoted.
    case warn
    /// It is in the record alone.
    case off
}

/// Lets a new model replace the one in force where it is shown to be not worse.
///
/// A non-inferiority test: both models answer the same questions, and the lower end of the paired interval of their difference must lie
/// within the margin. Scatter never lowers the bar: with few questions the interval is wide and the model in force stays; the questions
/// grow with every day that it does. What share of equal and of worse models pass is in docs/decisions/0009.
public struct PromotionGate: Sendable {
    /// The loss that is still called "not worse".
    public enum Margin: Sendable, Equatable {
        /// Of the other model's mean, above 0: 0.05 is five per cent.
        case share(Double)
        /// In the metric's unit, above 0.
        case absolute(Double)

        /// The loss in the metric's unit beside a model with this mean.
        public func loss(beside mean: Double) -> Double {
            switch self {
            case .share(let share): share * max(0, mean)
            case .absolute(let loss): loss
            }
        }
    }

    /// How much worse than the model in force a new one may be.
    public var margin: Margin
    /// How sure the interval is, one-sided; one of ``StudentQuantile/confidences``.
    public var confidence: Double
    /// Fewer questions than this decide nothing.
    public var minimumQuestions: Int
    /// What is done where a simple rival is better.
    public var rivals: RivalRule

    /// Questions below which nothing is decided, unless a caller says otherwise.
    public static let defaultMinimumQuestions = 50

    /// Makes a gate.
    public init(
        margin: Margin = .share(0.05), confidence: Double = 0.9, minimumQuestions: Int = Self.defaultMinimumQuestions,
        rivals: RivalRule = .refuse
    ) {
        switch margin {
        case .share(let value), .absolute(let value):
            precondition(value > 0, "the margin must be above 0, got \(value): with 0 a model of the same quality never passes")
        }
        let confidences = StudentQuantile.confidences
        precondition(confidences.contains(confidence), "the confidence must be in \(confidences), got \(confidence)")
        self.margin = margin
        self.confidence = confidence
        self.minimumQuestions = minimumQuestions
        self.rivals = rivals
    }

    /// Whether an own evaluation can be believed at all: its values are numbers. Nil where they are; else the refusal.
    public func broken(_ candidate: [Double]) -> GateDecision? {
        let odd = candidate.count { !$0.isFinite }
        guard odd > 0 else { return nil }
        return Self.refused(
            "The candidate's metric is no finite number for \(odd) of \(candidate.count) questions, so its scores are broken.")
    }

    /// Decides where no model is in force: nothing can get worse, so few questions are no reason to serve none.
    public func first(_ candidate: [Double]) -> GateDecision {
        if let broken = broken(candidate) { return broken }
        let n = candidate.count, mean = n > 0 ? candidate.reduce(0, +) / Double(n) : 0
        guard n >= minimumQuestions else {
            return GateDecision(
                passes: true,
                reasons: [
                    "The holdout has \(n) questions, too few to judge by (\(minimumQuestions) are needed); no model is promoted yet, so "
                        + "the candidate is taken."
                ])
        }
        return GateDecision(
            passes: true, reasons: ["No model is promoted yet; the candidate's mean is \(decimal(mean)) over \(n) questions."])
    }

    /// Decides on paired values: index i of both is the same question. Passes where the interval lies within the margin.
    ///
    /// - Parameters: candidate, other: the metric of each question. - name: the other model, such as `version 3`. - questions: which they
    ///   are, such as `questions later than all that version 3 learned`.
    public func decide(candidate: [Double], other: [Double], named name: String, on questions: String) -> GateDecision {
        if let broken = broken(candidate) { return broken }
        guard candidate.count >= minimumQuestions else { return tooFew(candidate.count, beside: name) }
        guard other.allSatisfy(\.isFinite) else {
            return Self.refused(
                "The metric of \(name) is no finite number for every question, so nothing can be compared with it; it stays.")
        }
        let found = PairedComparison(candidate: candidate, other: other, confidence: confidence)
        return judged(found, beside: name, on: "\(candidate.count) \(questions)")
    }

    /// Decides on means of different questions, where nothing better is known of the other model. It takes more questions than
    /// ``decide(candidate:other:named:on:)``, for the scatter of both counts.
    public func decide(candidate: MetricValue, questions: Int, recorded: MetricValue, named name: String) -> GateDecision {
        guard questions >= minimumQuestions else { return tooFew(questions, beside: name) }
        guard [candidate.mean, candidate.standardError, recorded.mean, recorded.standardError].allSatisfy(\.isFinite) else {
            return Self.refused(
                "The figures of the candidate or of \(name) are no finite numbers, so nothing can be compared; \(name) stays.")
        }
        let found = PairedComparison(candidate: candidate, candidateQuestions: questions, other: recorded, confidence: confidence)
        return judged(found, beside: name, on: "other questions than those of its recorded figure")
    }

    /// Holds the candidate against a model of the last weeks that did best: its mean may not be below that one's by more than the margin,
    /// so that many small losses do not add up. By the mean alone: the interval is the promoted model's check, and another one here would
    /// refuse equal models for their scatter. Fewer questions than the minimum say nothing.
    public func anchored(candidate: [Double], anchor: [Double], named name: String, on questions: String) -> GateDecision {
        if let broken = broken(candidate) { return broken }
        guard candidate.count >= minimumQuestions, anchor.allSatisfy(\.isFinite) else {
            return GateDecision(
                passes: true,
                reasons: ["\(name) could not be compared with: \(candidate.count) common questions, and \(minimumQuestions) are needed."])
        }
        let found = PairedComparison(candidate: candidate, other: anchor, confidence: confidence)
        let loss = margin.loss(beside: found.otherMean)
        let figures = "\(decimal(found.candidateMean)) beside \(decimal(found.otherMean)) of \(name), the best of the last weeks, on "
            + "\(candidate.count) \(questions): \(change(found.difference, beside: found.otherMean))"
        let passes = found.difference >= -loss
        let bar = "and at most \(allowed(loss, beside: found.otherMean)) less is let pass, so that small losses do not add up"
        return GateDecision(
            passes: passes, reasons: [passes ? "\(figures)." : "\(figures), \(bar)."], comparison: found, allowedLoss: loss)
    }

    /// Holds the candidate against a simple rival such as popularity: its mean may not be below that one's by more than the margin.
    public func above(_ rival: [Double], candidate: [Double], named name: String) -> GateDecision {
        if let broken = broken(candidate) { return broken }
        guard candidate.count >= minimumQuestions, rival.allSatisfy(\.isFinite) else { return GateDecision(passes: true, reasons: []) }
        let found = PairedComparison(candidate: candidate, other: rival, confidence: confidence)
        let needed = found.otherMean - margin.loss(beside: found.otherMean)
        let passes = found.candidateMean >= needed
        let (own, theirs) = (decimal(found.candidateMean), decimal(found.otherMean))
        let reason = passes
            ? "\(name) reaches \(theirs); the candidate's \(own) is not below it by the margin."
            : "\(name) reaches \(theirs) and the candidate only \(own); at least \(decimal(needed)) is needed."
        return GateDecision(passes: passes, reasons: [reason], comparison: found, allowedLoss: found.otherMean - needed)
    }

    private func tooFew(_ questions: Int, beside name: String) -> GateDecision {
        Self.refused(
            "There are \(questions) questions to compare by and \(minimumQuestions) are needed, so \(name) stays; later events bring more.")
    }

    private static func refused(_ reason: String) -> GateDecision { GateDecision(passes: false, reasons: [reason]) }

    private func judged(_ found: PairedComparison, beside name: String, on questions: String) -> GateDecision {
        let loss = margin.loss(beside: found.otherMean)
        let figures = "\(decimal(found.candidateMean)) beside \(decimal(found.otherMean)) of \(name), on \(questions): "
            + "\(change(found.difference, beside: found.otherMean)) (± \(decimal(found.standardError)))"
        let sure =
            "with \(decimal(confidence * 100, places: 1)) % confidence not below \(change(found.lowerBound, beside: found.otherMean))"
        let bound = "at most \(allowed(loss, beside: found.otherMean)) less is let pass"
        if found.lowerBound >= -loss {
            return GateDecision(passes: true, reasons: ["\(figures); \(sure), and \(bound)."], comparison: found, allowedLoss: loss)
        }
        var advice = "so it is worse and is not promoted"
        if found.difference >= -loss {
            advice = "so it may be worse and is not promoted yet"
            if let needed = needed(found, loss: loss) { advice += "; about \(needed) questions would let an equal model pass" }
        }
        return GateDecision(
            passes: false, reasons: ["\(figures); \(sure), and \(bound), \(advice)."], comparison: found, allowedLoss: loss)
    }

    /// The questions at which four of five equal models pass: the interval and 0.84 standard errors fit into the margin.
    private func needed(_ found: PairedComparison, loss: Double) -> Int? {
        guard loss > 0 else { return nil }
        let errors = StudentQuantile.upper(confidence, degrees: found.questions - 1) + 0.84
        let times = errors * found.standardError / loss
        let number = Double(found.questions) * times * times
        guard number.isFinite, number < 1e9 else { return nil }
        let step = number < 1_000 ? 50.0 : 500.0
        return Int((number / step).rounded(.up) * step)
    }

    /// A difference as people read it: in per cent of the other model's mean where there is one.
    private func change(_ difference: Double, beside mean: Double) -> String {
        guard mean > 0 else { return decimal(difference) }
        return "\(difference >= 0 ? "+" : "")\(decimal(100 * difference / mean, places: 1)) %"
    }

    private func allowed(_ loss: Double, beside mean: Double) -> String {
        if case .share(let share) = margin { return "\(decimal(100 * share, places: 1)) %" }
        return decimal(loss)
    }
}

/// A number with four places, without Foundation.
func decimal(_ value: Double) -> String { decimal(value, places: 4) }

/// A number with so many places, 1 to 4.
package func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let unit: Int64 = [10, 100, 1_000, 10_000][places - 1]
    let scaled = Int64((abs(value) * Double(unit)).rounded())
    let fraction = String(scaled % unit)
    let sign = value < 0 && scaled != 0 ? "-" : ""
    return "\(sign)\(scaled / unit)." + String(repeating: "0", count: places - fraction.count) + fraction
}
