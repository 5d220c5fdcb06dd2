extension Evaluation {
    func member(_ value: ExpressionValue, _ name: String) throws(EvaluationFailure) -> ExpressionValue {
        guard case .map(let members) = value else { throw .wrongType("\(value.typeName) has no field '\(name)'") }
        guard let member = members[name] else { throw .absent("'\(name)'") }
        return member
    }

    func element(_ value: ExpressionValue, _ place: ExpressionValue) throws(EvaluationFailure) -> ExpressionValue {
        switch (value, place) {
        case (.map, .string(let name)): return try member(value, name)
        case (.list(let elements), _):
            guard let index = Self.wholeNumber(place) else {
                throw .wrongType("the place in a list is a whole number, and not \(place.typeName)")
            }
            guard index >= 0, index < elements.count else { throw .absent("element \(index) of a list of \(elements.count)") }
            return elements[Int(index)]
        case (.map, _): throw .wrongType("the place in a map is a string, and not \(place.typeName)")
        default: throw .wrongType("\(value.typeName) has no elements")
        }
    }

    /// An integer, or a double that is one.
    private static func wholeNumber(_ value: ExpressionValue) -> Int64? {
        switch value {
        case .int(let value): value
        case .uint(let value): Int64(exactly: value) ?? .max
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    func negated(_ value: ExpressionValue) throws(EvaluationFailure) -> ExpressionValue {
        switch value {
        case .int(let value):
            guard value != .min else { throw .outOfRange("-(\(value))") }
            return .int(-value)
        case .double(let value): return .double(-value)
        default: throw .wrongType("'-' takes an int or a double, and not \(value.typeName)")
        }
    }

    mutating func compared(
        _ comparison: Comparison, _ left: ExpressionValue, _ right: ExpressionValue
    ) throws(EvaluationFailure) -> Bool {
        if comparison == .equal || comparison == .unequal { return try same(left, right) == (comparison == .equal) }
        if let order = try order(left, right) {
            return switch comparison {
            case .less: order == .less
            case .lessOrEqual: order != .greater
            case .greater: order == .greater
            default: order != .less
            }
        }
        if case .double = left, Self.isNumber(right) { return false }
        if case .double = right, Self.isNumber(left) { return false }
        throw .wrongType("\(left.typeName) and \(right.typeName) have no order")
    }

    private static func isNumber(_ value: ExpressionValue) -> Bool {
        switch value {
        case .int, .uint, .double: true
        default: false
        }
    }

    /// Nil where two values have none.
    private mutating func order(_ left: ExpressionValue, _ right: ExpressionValue) throws(EvaluationFailure) -> ValueOrder? {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            try spend(bytes: min(left.utf8.count, right.utf8.count))
            if ExpressionValue.sameText(left, right) { return .equal }
            // UTF-8 has the order of code points.
            return left.utf8.lexicographicallyPrecedes(right.utf8) ? .less : .greater
        case (.bool(let left), .bool(let right)): return ValueOrder(left ? 1 : 0, right ? 1 : 0)
        case (.timestamp(let left), .timestamp(let right)), (.duration(let left), .duration(let right)): return ValueOrder(left, right)
        default: return NumberOrder.compare(left, right)
        }
    }

    /// Equality with its cost.
    mutating func same(_ left: ExpressionValue, _ right: ExpressionValue) throws(EvaluationFailure) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            guard left.utf8.count == right.utf8.count else { return false }
            try spend(bytes: left.utf8.count)
            return ExpressionValue.sameText(left, right)
        case (.list(let left), .list(let right)):
            guard left.count == right.count else { return false }
            for (one, other) in zip(left, right) {
                try spend(1)
                guard try same(one, other) else { return false }
            }
            return true
        case (.map(let left), .map(let right)):
            guard left.count == right.count else { return false }
            for (name, one) in left {
                try spend(1)
                guard let other = right[name], try same(one, other) else { return false }
            }
            return true
        default: return left == right
        }
    }

    mutating func isIn(_ value: ExpressionValue, _ range: ExpressionValue) throws(EvaluationFailure) -> Bool {
        switch range {
        case .list(let elements):
            for element in elements {
                try spend(1)
                if try same(element, value) { return true }
            }
            return false
        case .map(let members):
            guard case .string(let name) = value else { return false }
            return members[name] != nil
        default: throw .wrongType("'in' takes a list or a map, and not \(range.typeName)")
        }
    }

    mutating func arithmetic(
        _ operation: Arithmetic, _ left: ExpressionValue, _ right: ExpressionValue
    ) throws(EvaluationFailure) -> ExpressionValue {
        switch (operation, left, right) {
        case (_, .int(let left), .int(let right)): return .int(try Self.whole(operation, left, right))
        case (_, .uint(let left), .uint(let right)): return .uint(try Self.whole(operation, left, right))
        case (.add, .double(let left), .double(let right)): return .double(left + right)
        case (.subtract, .double(let left), .double(let right)): return .double(left - right)
        case (.multiply, .double(let left), .double(let right)): return .double(left * right)
        case (.divide, .double(let left), .double(let right)): return .double(left / right)
        case (.add, .string(let left), .string(let right)):
            try spend(bytes: left.utf8.count + right.utf8.count)
            return .string(left + right)
        case (.add, .list(let left), .list(let right)):
            try spend(left.count + right.count)
            return .list(left + right)
        case (.add, .timestamp(let time), .duration(let span)), (.add, .duration(let span), .timestamp(let time)):
            return try Calendar.timestamp(time + span)
        case (.subtract, .timestamp(let time), .duration(let span)): return try Calendar.timestamp(time - span)
        // Times lie within ten thousand years, and so do sums of two of them within 64 bits.
        case (.subtract, .timestamp(let left), .timestamp(let right)), (.subtract, .duration(let left), .duration(let right)):
            return try Calendar.duration(left - right)
        case (.add, .duration(let left), .duration(let right)): return try Calendar.duration(left + right)
        default: throw .wrongType("there is no \(left.typeName) \(operation.rawValue) \(right.typeName)")
        }
    }

    private static func whole<T: FixedWidthInteger>(_ operation: Arithmetic, _ left: T, _ right: T) throws(EvaluationFailure) -> T {
        if right == 0, operation == .divide || operation == .remainder { throw .divisionByZero }
        let (result, overflow) = switch operation {
        case .add: left.addingReportingOverflow(right)
        case .subtract: left.subtractingReportingOverflow(right)
        case .multiply: left.multipliedReportingOverflow(by: right)
        case .divide: left.dividedReportingOverflow(by: right)
        case .remainder: left.remainderReportingOverflow(dividingBy: right)
        }
        guard !overflow else { throw .outOfRange("\(left) \(operation.rawValue) \(right)") }
        return result
    }
}
