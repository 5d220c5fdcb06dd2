import Interactions

/// One evaluation of an expression: CEL's semantics over nodes, within a number of steps.
///
/// Recursion is as deep as the expression, which is bounded when it is read.
struct Evaluation<Facts: ExpressionFacts> {
    let nodes: [Node]
    let facts: Facts
    var stepsLeft: Int
    private var variables: [ExpressionValue] = []

    init(nodes: [Node], facts: Facts, stepsLeft: Int) {
        (self.nodes, self.facts, self.stepsLeft) = (nodes, facts, stepsLeft)
    }

    @inline(__always)
    mutating func spend(_ steps: Int) throws(EvaluationFailure) {
        stepsLeft -= steps
        if stepsLeft < 0 { throw .tooManySteps(ExpressionLimits.maxStepsPerEvaluation) }
    }

    /// Spends what it takes to look at some bytes of text.
    mutating func spend(bytes: Int) throws(EvaluationFailure) { try spend(bytes >> 4) }

    mutating func value(_ node: Int32) throws(EvaluationFailure) -> ExpressionValue {
        try spend(1)
        switch nodes[Int(node)].operation {
        case .constant(let value): return value
        case .fact(let path):
            guard let value = facts.value(of: path) else { throw .absent(path.description) }
            return value
        case .variable(let slot): return variables[slot]
        case .select(let child, let name): return try member(try value(child), name)
        case .hasFact(let path):
            guard let value = facts.value(of: path) else { return .bool(false) }
            if path.isListField, case .list(let elements) = value { return .bool(!elements.isEmpty) }
            return .bool(true)
        case .hasMember(let child, let name):
            guard case .map(let members) = try value(child) else { throw .wrongType("has() asks for a field of a value that has none") }
            return .bool(members[name] != nil)
        case .index(let child, let place): return try element(try value(child), try value(place))
        case .not(let child):
            guard case .bool(let value) = try value(child) else { throw .wrongType("'!' takes a bool") }
            return .bool(!value)
        case .negate(let child): return try negated(try value(child))
        case .all(let parts): return .bool(try joined(parts, decides: false))
        case .any(let parts): return .bool(try joined(parts, decides: true))
        case .conditional(let condition, let yes, let no):
            guard case .bool(let holds) = try value(condition) else { throw .wrongType("the condition before '?' is no bool") }
            return try value(holds ? yes : no)
        case .compare(let comparison, let left, let right): return .bool(try compared(comparison, try value(left), try value(right)))
        case .arithmetic(let operation, let left, let right):
            return try arithmetic(operation, try value(left), try value(right))
        case .isIn(let child, let range): return .bool(try isIn(try value(child), try value(range)))
        case .list(let children):
            var values: [ExpressionValue] = []
            values.reserveCapacity(children.count)
            for child in children { values.append(try value(child)) }
            return .list(values)
        case .call(let function, let arguments): return try call(function, arguments)
        case .matches(let child, let pattern):
            guard case .string(let text) = try value(child) else { throw .wrongType("'matches' takes a string") }
            guard let found = pattern.isFound(in: text, stepsLeft: &stepsLeft) else {
                throw .tooManySteps(ExpressionLimits.maxStepsPerEvaluation)
            }
            return .bool(found)
        case .each(let macro, let range, let variable, let body, let transform):
            return try each(macro, try elements(try value(range), macro), variable, body, transform)
        }
    }

    /// `&&` and `||`: one part that decides is enough, whatever fails beside it.
    private mutating func joined(_ parts: [Int32], decides: Bool) throws(EvaluationFailure) -> Bool {
        var failed: EvaluationFailure?
        for part in parts {
            if try decision(part, &failed) == decides { return decides }
        }
        if let failed { throw failed }
        return !decides
    }

    /// A bool, or nil where it failed; only an evaluation that is too long ends at once.
    private mutating func decision(_ node: Int32, _ failed: inout EvaluationFailure?) throws(EvaluationFailure) -> Bool? {
        do {
            let value = try value(node)
            if case .bool(let bool) = value { return bool }
            failed = failed ?? .wrongType("\(value.typeName) stands where true or false is expected")
            return nil
        } catch {
            if case .tooManySteps = error { throw error }
            failed = failed ?? error
            return nil
        }
    }

    private func elements(_ range: ExpressionValue, _ macro: Macro) throws(EvaluationFailure) -> [ExpressionValue] {
        switch range {
        case .list(let elements): return elements
        // In an order of its own, since that of a dictionary changes from run to run.
        case .map(let members): return members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { .string($0) }
        default: throw .wrongType("'\(macro.rawValue)' takes a list, and not \(range.typeName)")
        }
    }

    private mutating func each(
        _ macro: Macro, _ elements: [ExpressionValue], _ slot: Int, _ body: Int32, _ transform: Int32?
    ) throws(EvaluationFailure) -> ExpressionValue {
        let outer = variables.count
        while variables.count <= slot { variables.append(.null) }
        defer { variables.removeLast(variables.count - outer) }
        var failed: EvaluationFailure?, count = 0, kept: [ExpressionValue] = []
        for element in elements {
            try spend(1)
            variables[slot] = element
            let holds = try decision(body, &failed)
            switch macro {
            case .exists: if holds == true { return .bool(true) }
            case .all: if holds == false { return .bool(false) }
            case .existsOne: count += holds == true ? 1 : 0
            case .filter: if holds == true { kept.append(element) }
            case .map:
                if holds == true, let transform { kept.append(try value(transform)) }
            }
            // The other three have no value as soon as one element has none.
            if let failed, macro != .exists, macro != .all { throw failed }
        }
        if let failed { throw failed }
        return switch macro {
        case .exists: .bool(false)
        case .all: .bool(true)
        case .existsOne: .bool(count == 1)
        case .filter, .map: .list(kept)
        }
    }

    private mutating func call(_ function: Function, _ arguments: [Int32]) throws(EvaluationFailure) -> ExpressionValue {
        let first = try value(arguments[0])
        if case .string(let text) = first { try spend(bytes: text.utf8.count) }
        let second = arguments.count > 1 ? try value(arguments[1]) : nil
        switch function {
        case .startsWith, .endsWith, .contains:
            guard case .string(let text) = first, case .string(let part) = second else {
                throw .wrongType("'\(function.rawValue)' takes two strings, and not \(first.typeName) and \(second?.typeName ?? "nothing")")
            }
            return .bool(try has(function, text, part))
        case .size:
            switch first {
            case .string(let text): return .int(Int64(text.unicodeScalars.count))
            case .list(let elements): return .int(Int64(elements.count))
            case .map(let members): return .int(Int64(members.count))
            default: throw .wrongType("size() takes a string, list or map, and not \(first.typeName)")
            }
        case .int, .uint, .double, .string, .timestamp, .duration, .dyn:
            switch Conversion.result(first, function) {
            case .success(let value): return value
            case .failure(let failure): throw failure
            }
        default:
            return .int(try Calendar.part(function, of: first, zone: second))
        }
    }

    private mutating func has(_ function: Function, _ text: String, _ part: String) throws(EvaluationFailure) -> Bool {
        switch function {
        case .startsWith: return text.utf8.starts(with: part.utf8)
        case .endsWith: return text.utf8.count >= part.utf8.count && text.utf8.suffix(part.utf8.count).elementsEqual(part.utf8)
        default:
            var (text, part) = (text, part)
            let found = text.withUTF8 { text in part.withUTF8 { part in TextSearch.isFound(part, in: text, stepsLeft: &stepsLeft) } }
            guard let found else { throw .tooManySteps(ExpressionLimits.maxStepsPerEvaluation) }
            return found
        }
    }
}

/// Looks for one text in another.
enum TextSearch {
    /// Nil where it takes more steps than there are: one for 16 comparisons of bytes.
    static func isFound(_ part: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, stepsLeft: inout Int) -> Bool? {
        guard let first = part.first else { return true }
        guard text.count >= part.count else { return false }
        var compared = 0
        defer { stepsLeft -= compared >> 4 }
        for start in 0...(text.count - part.count) where text[start] == first {
            var length = 1
            while length < part.count, text[start + length] == part[length] { length += 1 }
            compared += length
            if length == part.count { return true }
            if compared >> 4 > stepsLeft { return nil }
        }
        return false
    }
}
