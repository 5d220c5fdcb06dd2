/// A step of an expression. Nodes stand in one array, children before their parents, so that a deep expression is freed as a flat one.
struct Node: Sendable {
    var operation: Operation
    /// Where it is written, counted from 1.
    var column: Int32
    /// How many levels of nodes it has, itself included.
    var depth: Int32
    /// What is known of its value's type.
    var type: StaticType

    enum Operation: Sendable {
        case constant(ExpressionValue)
        case fact(FactPath)
        /// The element that a macro is at.
        case variable(Int)
        case select(Int32, String)
        case hasFact(FactPath)
        case hasMember(Int32, String)
        case index(Int32, Int32)
        case not(Int32)
        case negate(Int32)
        case all([Int32])
        case any([Int32])
        case conditional(Int32, Int32, Int32)
        case compare(Comparison, Int32, Int32)
        case arithmetic(Arithmetic, Int32, Int32)
        case isIn(Int32, Int32)
        case list([Int32])
        case call(Function, [Int32])
        case matches(Int32, Pattern)
        /// Over a list or a map's names; `variable` is the place of the element among the variables.
        case each(Macro, range: Int32, variable: Int, body: Int32, transform: Int32?)
    }

    /// The nodes that it takes values of.
    var children: [Int32] {
        switch operation {
        case .constant, .fact, .variable, .hasFact: []
        case .select(let child, _), .hasMember(let child, _), .not(let child), .negate(let child), .matches(let child, _): [child]
        case .index(let left, let right), .compare(_, let left, let right), .arithmetic(_, let left, let right), .isIn(let left, let right):
            [left, right]
        case .all(let children), .any(let children), .list(let children), .call(_, let children): children
        case .conditional(let condition, let yes, let no): [condition, yes, no]
        case .each(_, let range, _, let body, let transform): [range, body] + (transform.map { [$0] } ?? [])
        }
    }
}

/// Equality and order.
enum Comparison: String, Sendable {
    case equal = "==", unequal = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
}

/// Operators that make numbers, texts, lists, times and durations.
enum Arithmetic: String, Sendable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%"
}

/// What is done with each element of a list.
enum Macro: String, Sendable, CaseIterable {
    case exists, all, existsOne = "exists_one", filter, map
}

/// The functions that expressions know. Those of a value are written behind it: `text.startsWith("a")`.
enum Function: String, Sendable, CaseIterable {
    case size, int, uint, double, string, timestamp, duration, dyn
    case startsWith, endsWith, contains
    case getFullYear, getMonth, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear
    case getHours, getMinutes, getSeconds, getMilliseconds

    /// Whether it is written alone, as `size(x)`.
    var isGlobal: Bool {
        switch self {
        case .size, .int, .uint, .double, .string, .timestamp, .duration, .dyn: true
        default: false
        }
    }

    /// Whether it is written behind a value, as `x.size()`.
    var isMember: Bool { !isGlobal || self == .size }

    /// How many values it takes, the one before it included.
    var counts: ClosedRange<Int> {
        switch self {
        case .startsWith, .endsWith, .contains: 2...2
        case _ where isGlobal: 1...1
        default: 1...2
        }
    }

    var result: StaticType {
        switch self {
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .timestamp: .timestamp
        case .duration: .duration
        case .dyn: .any
        case .startsWith, .endsWith, .contains: .bool
        default: .int
        }
    }
}
