import Tensors

/// A matrix in a graph of operations that can be differentiated.
///
/// Operations on variables compute at once and, if any input is to be differentiated by, remember their inputs and a
/// derivative rule for each. The rules are written in these same operations, so a gradient is again a variable that can be
/// differentiated (see `gradients(of:withRespectTo:creatingGraph:)`).
///
/// The graph lives as long as its last variable: dropping the loss and the outputs frees it. Not `Sendable`: a graph belongs
/// to the thread that builds it.
public final class Variable {
    /// The value, fixed when the variable was made.
    public let value: Matrix
    /// Whether gradients flow through this variable: it is a parameter or depends on one.
    public let isDifferentiable: Bool

    private(set) var inputs: [Variable]
    private(set) var rules: [DerivativeRule]

    /// The part of the gradient that one input receives, given all inputs, the output and the output's gradient.
    ///
    /// A rule uses only what it is given. If it captured variables, the graph would be freed recursively, and where no graph of
    /// derivatives is wanted it could not be kept from growing one.
    typealias DerivativeRule = (_ inputs: [Variable], _ output: Variable, _ gradient: Variable) -> Variable

    /// A parameter: something to differentiate by.
    public init(_ value: Matrix) {
        self.value = value
        isDifferentiable = true
        inputs = []
        rules = []
    }

    private init(constant value: Matrix) {
        self.value = value
        isDifferentiable = false
        inputs = []
        rules = []
    }

    /// A value that no gradient flows to: data, masks, targets.
    public static func constant(_ value: Matrix) -> Variable { Variable(constant: value) }

    /// A constant scalar, `[1, 1]`.
    public static func constant(_ value: Float) -> Variable { Variable(constant: Matrix(scalar: value)) }

    /// The result of an operation, with one derivative rule an input. Without a differentiable input it is a constant, and
    /// the inputs are let go.
    init(_ value: Matrix, inputs: [Variable], rules: [DerivativeRule]) {
        precondition(inputs.count == rules.count, "\(inputs.count) inputs need as many derivative rules, not \(rules.count)")
        self.value = value
        isDifferentiable = inputs.contains(where: \.isDifferentiable)
        self.inputs = isDifferentiable ? inputs : []
        self.rules = isDifferentiable ? rules : []
    }

    /// Frees the graph below without recursion: a graph may be deeper than the stack.
    deinit {
        var pending = inputs
        inputs = []
        while var last = pending.popLast() {
            if isKnownUniquelyReferenced(&last) {
                pending.append(contentsOf: last.inputs)
                last.inputs = []
            }
        }
    }

    /// Rows of the value.
    public var rows: Int { value.rows }
    /// Columns of the value.
    public var columns: Int { value.columns }
    /// The value of a scalar, `[1, 1]`.
    public var scalar: Float {
        precondition(value.count == 1, "a scalar is asked of \(value.shape)")
        return value[0, 0]
    }

    /// The same value with nothing behind it: gradients stop here.
    public func detached() -> Variable { Variable(constant: value) }
}
