extension NodeBuilder {
    mutating func logic(_ parts: [Int32], isOr: Bool, _ column: Int) throws(ExpressionProblem) -> Int32 {
        for part in parts { try need(part, [.bool], for: isOr ? "'||'" : "'&&'") }
        return try add(isOr ? .any(parts) : .all(parts), .bool, column)
    }

    mutating func conditional(_ condition: Int32, _ yes: Int32, _ no: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try need(condition, [.bool], for: "'?'")
        return try add(.conditional(condition, yes, no), type(yes) == type(no) ? type(yes) : .any, column)
    }

    mutating func not(_ value: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try need(value, [.bool], for: "'!'")
        return try add(.not(value), .bool, column)
    }

    mutating func negate(_ value: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try need(value, [.int, .double], for: "'-' before a value")
        return try add(.negate(value), type(value), column)
    }

    mutating func compare(_ comparison: Comparison, _ left: Int32, _ right: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try complete(left)
        try complete(right)
        let types = (type(left), type(right))
        let known = types.0 != .any && types.1 != .any && types.0 != .null && types.1 != .null
        if known, types.0 != types.1, !(types.0.isNumber && types.1.isNumber) {
            let (one, other) = (types.0.rawValue, types.1.rawValue)
            try refuse(column, "\(one) and \(other) are never compared by '\(comparison.rawValue)'\(hint(types.0, types.1))")
        }
        if comparison != .equal, comparison != .unequal {
            for side in [left, right] {
                try need(
                    side, [.int, .uint, .double, .string, .bool, .timestamp, .duration], for: "'\(comparison.rawValue)'")
            }
        }
        return try add(.compare(comparison, left, right), .bool, column)
    }

    private func hint(_ left: StaticType, _ right: StaticType) -> String {
        if left == .timestamp || right == .timestamp { return "; write timestamp(\"2026-01-31T00:00:00Z\")" }
        if left == .duration || right == .duration { return "; write duration(\"24h\")" }
        if left == .list || right == .list { return "; an element is found by 'in'" }
        return left.isNumber || right.isNumber ? "; convert by double() or string()" : ""
    }

    mutating func arithmetic(_ operation: Arithmetic, _ left: Int32, _ right: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        let types = (type(left), type(right))
        guard types.0 != .any, types.1 != .any else { return try add(.arithmetic(operation, left, right), .any, column) }
        let result = Self.result(operation, types.0, types.1)
        if result == nil {
            let help = types.0.isNumber && types.1.isNumber ? "; convert by double() or int(), or write 1.0 for 1" : ""
            try refuse(column, "there is no \(types.0.rawValue) \(operation.rawValue) \(types.1.rawValue)\(help)")
        }
        return try add(.arithmetic(operation, left, right), result ?? .any, column)
    }

    /// The type of a result; nil where the operator does not take the two.
    private static func result(_ operation: Arithmetic, _ left: StaticType, _ right: StaticType) -> StaticType? {
        switch (operation, left, right) {
        case (.remainder, .double, .double): nil
        case (_, .int, .int), (_, .uint, .uint), (_, .double, .double): left
        case (.add, .string, .string), (.add, .list, .list): left
        case (.add, .timestamp, .duration), (.add, .duration, .timestamp), (.subtract, .timestamp, .duration): .timestamp
        case (.subtract, .timestamp, .timestamp), (.add, .duration, .duration), (.subtract, .duration, .duration): .duration
        default: nil
        }
    }

    mutating func isIn(_ value: Int32, _ range: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        try need(range, [.list, .map], for: "'in'")
        return try add(.isIn(value, range), .bool, column)
    }

    /// A function, with the value that it is written behind.
    mutating func call(_ name: String, before value: Int32?, _ rest: [Int32], _ column: Int) throws(ExpressionProblem) -> Int32 {
        let values = (value.map { [$0] } ?? []) + rest
        if name == "matches" { return try matches(values, column) }
        guard let function = Function(rawValue: name), value == nil ? function.isGlobal : function.isMember else {
            throw unknown(name, isMember: value != nil, column)
        }
        guard function.counts.contains(values.count) else {
            let least = function.counts.lowerBound - (value == nil ? 0 : 1), most = function.counts.upperBound - (value == nil ? 0 : 1)
            let taken = least == most ? "\(least)" : "\(least) or \(most)"
            throw ExpressionProblem(column, "'\(name)' takes \(taken) values in its brackets, and here are \(rest.count)")
        }
        for (place, argument) in values.enumerated() { try need(argument, Self.takes(function, place), for: "'\(name)'") }
        // What a literal says is known now, and a misspelt time is found where it is written.
        if [.timestamp, .duration].contains(function), case .constant(let literal) = nodes[Int(values[0])].operation {
            switch Conversion.result(literal, function) {
            case .success(let value): return try constant(value, column)
            case .failure(let failure): try refuse(column, failure.description)
            }
        }
        return try add(.call(function, values), function.result, column)
    }

    private mutating func matches(_ values: [Int32], _ column: Int) throws(ExpressionProblem) -> Int32 {
        guard values.count == 2, case .constant(.string(let text)) = nodes[Int(values[1])].operation else {
            throw ExpressionProblem(column, "'matches' takes a text and a pattern that is a literal, as in item.title.matches(\"^[A-Z]\")")
        }
        try need(values[0], [.string], for: "'matches'")
        let pattern: Pattern
        do {
            pattern = try Pattern(text)
        } catch {
            throw ExpressionProblem(Int(nodes[Int(values[1])].column), "the pattern \(error.reason)")
        }
        return try add(.matches(values[0], pattern), .bool, column)
    }

    private func unknown(_ name: String, isMember: Bool, _ column: Int) -> ExpressionProblem {
        if let function = Function(rawValue: name) {
            return ExpressionProblem(column, "'\(name)' is written \(function.isGlobal ? "\(name)(x)" : "x.\(name)(…)")")
        }
        if Macro(rawValue: name) != nil { return ExpressionProblem(column, "'\(name)' is written x.\(name)(y, …)") }
        let known = Function.allCases.filter { isMember ? $0.isMember : $0.isGlobal }.map(\.rawValue)
            + (isMember ? Macro.allCases.map(\.rawValue) + ["matches"] : ["has", "matches"])
        return ExpressionProblem(column, FactNames.unknown(name, kind: "function", among: known))
    }

    private static func takes(_ function: Function, _ place: Int) -> [StaticType] {
        if place == 1 { return [.string] }
        return switch function {
        case .size: [.string, .list, .map]
        case .int: [.int, .uint, .double, .string, .timestamp]
        case .uint: [.uint, .int, .double, .string]
        case .double: [.double, .int, .uint, .string]
        case .string: [.string, .int, .uint, .double, .bool, .timestamp, .duration]
        case .timestamp: [.timestamp, .string, .int]
        case .duration: [.duration, .string]
        case .dyn: [.null, .bool, .int, .uint, .double, .string, .timestamp, .duration, .list, .map]
        case .startsWith, .endsWith, .contains: [.string]
        case .getHours, .getMinutes, .getSeconds, .getMilliseconds: [.timestamp, .duration]
        default: [.timestamp]
        }
    }
}
