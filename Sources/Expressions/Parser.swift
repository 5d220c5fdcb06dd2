/// Reads tokens into nodes by CEL's grammar, and checks names, counts and types on the way.
///
/// Brackets are read by recursion, which is bounded before it goes deeper; chains of operators are loops.
struct Parser {
    private let tokens: [Token]
    private var place = 0, level = 0
    var builder: NodeBuilder
    /// The variables of the macros around, the outermost first.
    private var variables: [String] = []

    init(_ tokens: [Token], checksTypes: Bool) {
        self.tokens = tokens
        builder = NodeBuilder(checksTypes: checksTypes)
    }

    /// The whole expression.
    mutating func whole() throws(ExpressionProblem) -> Int32 {
        guard next.kind != .end else { throw ExpressionProblem(1, "the expression is empty") }
        let root = try expression()
        guard next.kind == .end else { throw unexpected("the end or an operator") }
        return root
    }

    private var next: Token { tokens[place] }

    private mutating func take(_ sign: String) -> Bool {
        guard next.kind == .sign(sign) else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ sign: String) throws(ExpressionProblem) {
        guard take(sign) else { throw unexpected("'\(sign)'") }
    }

    private func unexpected(_ wanted: String) -> ExpressionProblem {
        if case .name(let name) = next.kind, ["and", "or", "not"].contains(name) {
            return ExpressionProblem(next.column, "'\(name)' is no operator; write \(name == "and" ? "&&" : name == "or" ? "||" : "!")")
        }
        return ExpressionProblem(next.column, "\(next.shown) stands where \(wanted) is expected")
    }

    private mutating func expression() throws(ExpressionProblem) -> Int32 {
        level += 1
        guard level <= ExpressionLimits.maxDepthLevels else { throw NodeBuilder.tooDeep(next.column) }
        defer { level -= 1 }
        let condition = try chain(or: true)
        let column = next.column
        guard take("?") else { return condition }
        let yes = try chain(or: true)
        try expect(":")
        let no = try expression()
        return try builder.conditional(condition, yes, no, column)
    }

    /// Parts joined by `||`, or by `&&`.
    private mutating func chain(or isOr: Bool) throws(ExpressionProblem) -> Int32 {
        let sign = isOr ? "||" : "&&", column = next.column
        let first = isOr ? try chain(or: false) : try relation()
        guard next.kind == .sign(sign) else { return first }
        var parts = [first]
        while take(sign) { parts.append(isOr ? try chain(or: false) : try relation()) }
        return try builder.logic(parts, isOr: isOr, column)
    }

    private mutating func relation() throws(ExpressionProblem) -> Int32 {
        var left = try sum()
        while true {
            let column = next.column
            if case .sign(let sign) = next.kind, let comparison = Comparison(rawValue: sign) {
                place += 1
                left = try builder.compare(comparison, left, try sum(), column)
            } else if next.kind == .name("in") {
                place += 1
                left = try builder.isIn(left, try sum(), column)
            } else {
                return left
            }
        }
    }

    private mutating func sum() throws(ExpressionProblem) -> Int32 {
        var left = try product()
        while case .sign(let sign) = next.kind, sign == "+" || sign == "-", let operation = Arithmetic(rawValue: sign) {
            let column = next.column
            place += 1
            left = try builder.arithmetic(operation, left, try product(), column)
        }
        return left
    }

    private mutating func product() throws(ExpressionProblem) -> Int32 {
        var left = try unary()
        while case .sign(let sign) = next.kind, ["*", "/", "%"].contains(sign), let operation = Arithmetic(rawValue: sign) {
            let column = next.column
            place += 1
            left = try builder.arithmetic(operation, left, try unary(), column)
        }
        return left
    }

    private mutating func unary() throws(ExpressionProblem) -> Int32 {
        let column = next.column
        var nots = 0, minuses = 0
        while take("!") { nots += 1 }
        if nots == 0 { while take("-") { minuses += 1 } }
        if nots > ExpressionLimits.maxDepthLevels || minuses > ExpressionLimits.maxDepthLevels { throw NodeBuilder.tooDeep(column) }
        // The smallest integer has no positive: its sign belongs to it.
        var isNegative = false
        if minuses > 0, case .int = next.kind { (minuses, isNegative) = (minuses - 1, true) }
        var node = try suffixed(try primary(isNegative: isNegative))
        for _ in 0..<nots { node = try builder.not(node, column) }
        for _ in 0..<minuses { node = try builder.negate(node, column) }
        return node
    }

    private mutating func primary(isNegative: Bool) throws(ExpressionProblem) -> Int32 {
        let token = next
        place += 1
        switch token.kind {
        case .int(let value):
            if isNegative { return try builder.constant(.int(Int64(truncatingIfNeeded: 0 &- value)), token.column) }
            guard let whole = Int64(exactly: value) else {
                throw ExpressionProblem(token.column, "the number \(value) does not fit 64 bits")
            }
            return try builder.constant(.int(whole), token.column)
        case .uint(let value): return try builder.constant(.uint(value), token.column)
        case .double(let value): return try builder.constant(.double(value), token.column)
        case .string(let value): return try builder.constant(.string(value), token.column)
        case .name(let name): return try named(name, token.column)
        case .sign("("):
            let inner = try expression()
            try builder.complete(inner)
            try expect(")")
            return inner
        case .sign("["):
            return try builder.list(try arguments(until: "]"), token.column)
        case .sign("{"):
            throw ExpressionProblem(token.column, "maps and messages cannot be written in the subset; use a list")
        default:
            place -= 1
            throw unexpected("a value")
        }
    }

    /// Expressions between commas up to a bracket. A comma may follow the last element of a list.
    private mutating func arguments(until bracket: String) throws(ExpressionProblem) -> [Int32] {
        var values: [Int32] = []
        while !take(bracket) {
            values.append(try expression())
            if take(bracket) { break }
            guard take(",") else { throw unexpected("',' or '\(bracket)'") }
            if next.kind == .sign(bracket), bracket == ")" { throw unexpected("a value") }
        }
        return values
    }

    private mutating func named(_ name: String, _ column: Int) throws(ExpressionProblem) -> Int32 {
        switch name {
        case "true", "false": return try builder.constant(.bool(name == "true"), column)
        case "null": return try builder.constant(.null, column)
        default: break
        }
        if next.kind == .sign("(") {
            place += 1
            if name == "has" { return try has(column) }
            return try builder.call(name, before: nil, try arguments(until: ")"), column)
        }
        if let slot = variables.lastIndex(of: name) { return try builder.variable(slot, column) }
        return try builder.root(name, column, variables)
    }

    private mutating func has(_ column: Int) throws(ExpressionProblem) -> Int32 {
        let argument = try expression()
        try expect(")")
        return try builder.has(argument, column)
    }

    /// What follows a value: fields, elements and functions.
    private mutating func suffixed(_ first: Int32) throws(ExpressionProblem) -> Int32 {
        var value = first
        while true {
            let column = next.column
            if take(".") {
                let token = next
                guard case .name(let name) = token.kind else { throw unexpected("a name") }
                place += 1
                if take("(") {
                    if let macro = Macro(rawValue: name) {
                        value = try each(macro, over: value, token.column)
                    } else {
                        value = try builder.call(name, before: value, try arguments(until: ")"), token.column)
                    }
                } else {
                    value = try builder.select(value, name, token.column)
                }
            } else if take("[") {
                let place = try expression()
                try expect("]")
                value = try builder.index(value, place, column)
            } else {
                return value
            }
        }
    }

    private mutating func each(_ macro: Macro, over range: Int32, _ column: Int) throws(ExpressionProblem) -> Int32 {
        guard case .name(let name) = next.kind, !NodeBuilder.reserved.contains(name) else {
            throw unexpected("the name of a variable, as in \(macro.rawValue)(x, …)")
        }
        place += 1
        try expect(",")
        variables.append(name)
        defer { variables.removeLast() }
        var body = try expression(), transform: Int32?
        if macro == .map, take(",") { transform = try expression() }
        try expect(")")
        // With one part, map changes every element; with two, the first says which.
        if macro == .map {
            if transform == nil { (transform, body) = (body, try builder.constant(.bool(true), column)) }
        }
        return try builder.each(macro, range: range, variable: variables.count - 1, body: body, transform: transform, column)
    }
}
