/// An expression of the subset of CEL that rules are written in (`docs/rules.md`), read and checked.
///
/// It is an array of nodes, a constant of a few kilobytes at most; it may be evaluated from any number of threads at once.
public struct RuleExpression: Sendable {
    /// As it was written. Parts of an expression have the text of the whole.
    public let text: String
    let nodes: [Node]
    let root: Int32

    /// Reads an expression of any type.
    ///
    /// - Throws: what is wrong, with its column: a text that is no expression, an unknown name, types that never go together, or more
    ///   than ``ExpressionLimits`` allow.
    /// - Complexity: O(text)
    public init(_ text: String) throws(ExpressionProblem) {
        try self.init(text, checksTypes: true)
    }

    /// Reads an expression that is true or false.
    public init(condition text: String) throws(ExpressionProblem) {
        try self.init(text, checksTypes: true)
        let type = nodes[Int(root)].type
        guard type == .bool || type == .any else {
            throw ExpressionProblem(1, "a condition is true or false, and this is \(type.rawValue); compare it, as in item.price > 10.0")
        }
    }

    /// - Parameter checksTypes: whether to refuse types that never go together; else they fail when they are evaluated, as CEL without
    ///   a checker has it.
    package init(_ text: String, checksTypes: Bool) throws(ExpressionProblem) {
        var lexer = try Lexer(text)
        var parser = Parser(try lexer.tokens(), checksTypes: checksTypes)
        let root = try parser.whole()
        try parser.builder.complete(root)
        (self.text, self.nodes, self.root) = (text, parser.builder.nodes, root)
    }

    private init(part root: Int32, of whole: RuleExpression) {
        (text, nodes, self.root) = (whole.text, whole.nodes, root)
    }

    /// The parts of a conjunction `a && b && …`, or the expression alone. All are true exactly where the whole is.
    public var conjuncts: [RuleExpression] {
        var parts: [RuleExpression] = [], waiting = [root]
        while let next = waiting.popLast() {
            if case .all(let children) = nodes[Int(next)].operation {
                waiting.append(contentsOf: children.reversed())
            } else {
                parts.append(RuleExpression(part: next, of: self))
            }
        }
        return parts
    }

    /// The facts that it may ask for.
    ///
    /// - Complexity: O(nodes)
    public var facts: Set<FactPath> {
        var facts: Set<FactPath> = [], waiting = [root]
        while let next = waiting.popLast() {
            switch nodes[Int(next)].operation {
            case .fact(let path), .hasFact(let path): facts.insert(path)
            default:
                waiting.append(contentsOf: nodes[Int(next)].children)
            }
        }
        return facts
    }

    /// The value for some facts.
    ///
    /// - Complexity: at most ``ExpressionLimits/maxStepsPerEvaluation`` steps.
    public func value(_ facts: some ExpressionFacts) throws(EvaluationFailure) -> ExpressionValue {
        var evaluation = Evaluation(nodes: nodes, facts: facts, stepsLeft: ExpressionLimits.maxStepsPerEvaluation)
        return try evaluation.value(root)
    }

    /// Whether a condition holds: true or false, or why it is neither, which counts as false.
    public func holds(_ facts: some ExpressionFacts) -> Result<Bool, EvaluationFailure> {
        do {
            let value = try value(facts)
            guard case .bool(let holds) = value else {
                return .failure(.wrongType("the condition is \(value.typeName), and not true or false"))
            }
            return .success(holds)
        } catch {
            return .failure(error)
        }
    }
}
