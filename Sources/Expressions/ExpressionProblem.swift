/// Why a text is no expression: what is wrong, where, and what to do.
public struct ExpressionProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The character where it is wrong, counted from 1 in Unicode scalars.
    public let column: Int
    /// What is wrong and what to do, a sentence without its end.
    public let reason: String

    init(_ column: Int, _ reason: String) {
        (self.column, self.reason) = (column, reason)
    }

    /// The reason with its place, for people.
    public var description: String { "column \(column): \(reason)" }
}

/// Why an evaluation has no value. Where an expression is a condition, it then counts as false.
public enum EvaluationFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// A name of which the facts say nothing, such as a field that the item does not have.
    case absent(String)
    /// A value of another type than the operator or function takes.
    case wrongType(String)
    /// A result that the type does not hold: an overflow, a time outside the years 0000 to 9999.
    case outOfRange(String)
    /// An integer divided by zero.
    case divisionByZero
    /// A text that is no number, time or duration.
    case unreadable(String)
    /// The evaluation took more than its steps.
    case tooManySteps(Int)

    /// What went wrong, for people.
    public var description: String {
        switch self {
        case .absent(let name): "\(name) is not there: ask has() first"
        case .wrongType(let what): what
        case .outOfRange(let what): "\(what) is out of range"
        case .divisionByZero: "an integer is divided by zero"
        case .unreadable(let what): what
        case .tooManySteps(let steps): "it takes more than \(steps) steps: make it shorter, or its lists"
        }
    }

    /// One word for counting: `absent`, `wrong_type`, `out_of_range`, `division_by_zero`, `unreadable` or `too_many_steps`.
    public var code: String {
        switch self {
        case .absent: "absent"
        case .wrongType: "wrong_type"
        case .outOfRange: "out_of_range"
        case .divisionByZero: "division_by_zero"
        case .unreadable: "unreadable"
        case .tooManySteps: "too_many_steps"
        }
    }
}
