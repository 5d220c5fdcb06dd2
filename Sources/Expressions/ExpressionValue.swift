/// A value of an expression: the types of CEL that the subset has.
public enum ExpressionValue: Sendable {
    /// No value, as JSON has it.
    case null
    /// True or false.
    case bool(Bool)
    /// A whole number with a sign, of 64 bits.
    case int(Int64)
    /// A whole number without a sign, of 64 bits.
    case uint(UInt64)
    /// A floating-point number of 64 bits.
    case double(Double)
    /// Text, compared by its code points.
    case string(String)
    /// A moment, in milliseconds since 1970-01-01T00:00:00Z, within the years 0000 to 9999.
    case timestamp(Int64)
    /// A span of time in milliseconds, at most ``maxDurationMilliseconds`` either way.
    case duration(Int64)
    /// Values in an order.
    case list([ExpressionValue])
    /// Values by names.
    case map([String: ExpressionValue])

    /// The longest duration: 315,576,000,000 s, about 10,000 years.
    public static let maxDurationMilliseconds: Int64 = 315_576_000_000_000

    /// CEL's name of the type.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .list: "list"
        case .map: "map"
        }
    }
}

extension ExpressionValue: Equatable {
    /// CEL's equality: numbers of different types are equal where they are the same number, other values of different types are
    /// not, and NaN equals nothing.
    ///
    /// - Complexity: O(size of the smaller value)
    public static func == (left: ExpressionValue, right: ExpressionValue) -> Bool {
        switch (left, right) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.string(let left), .string(let right)): return sameText(left, right)
        case (.timestamp(let left), .timestamp(let right)), (.duration(let left), .duration(let right)): return left == right
        case (.list(let left), .list(let right)): return left == right
        case (.map(let left), .map(let right)):
            return left.count == right.count && left.allSatisfy { name, value in right[name].map { $0 == value } ?? false }
        default: return NumberOrder.compare(left, right) == .equal
        }
    }

    /// Whether two texts have the same code points. Swift's own equality ignores how an accent is composed.
    static func sameText(_ left: String, _ right: String) -> Bool {
        left == right && left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
    }
}

/// Which of two values comes first.
enum ValueOrder: Equatable {
    case less, equal, greater

    init<T: Comparable>(_ left: T, _ right: T) {
        self = left < right ? .less : left == right ? .equal : .greater
    }
}

/// The order of numbers of different types, exact: no integer is rounded to a double.
enum NumberOrder {
    /// Nil where one of them is no number, or NaN.
    static func compare(_ left: ExpressionValue, _ right: ExpressionValue) -> ValueOrder? {
        switch (left, right) {
        case (.int(let left), .int(let right)): ValueOrder(left, right)
        case (.uint(let left), .uint(let right)): ValueOrder(left, right)
        case (.double(let left), .double(let right)): left.isNaN || right.isNaN ? nil : ValueOrder(left, right)
        case (.int(let left), .uint(let right)): ValueOrder(Int128(left), Int128(right))
        case (.uint(let left), .int(let right)): ValueOrder(Int128(left), Int128(right))
        case (.int(let left), .double(let right)): compare(Int128(left), right)
        case (.uint(let left), .double(let right)): compare(Int128(left), right)
        case (.double(let left), .int(let right)): reversed(compare(Int128(right), left))
        case (.double(let left), .uint(let right)): reversed(compare(Int128(right), left))
        default: nil
        }
    }

    private static func compare(_ whole: Int128, _ double: Double) -> ValueOrder? {
        guard !double.isNaN else { return nil }
        // Beyond 2^65 no integer of 64 bits reaches, and below it the whole part fits.
        if double >= 0x1p65 { return .less }
        if double <= -0x1p65 { return .greater }
        let floor = double.rounded(.down), order = ValueOrder(whole, Int128(floor))
        return order == .equal && floor < double ? .less : order
    }

    private static func reversed(_ order: ValueOrder?) -> ValueOrder? {
        switch order {
        case .less: .greater
        case .greater: .less
        case .equal: .equal
        case nil: nil
        }
    }
}
