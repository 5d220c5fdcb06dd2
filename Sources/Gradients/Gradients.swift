import Tensors

/// The gradients of a scalar with respect to parameters or intermediate results, in reverse mode.
///
/// - Parameters:
///   - output: what to differentiate, `[1, 1]` unless `weights` is given.
///   - variables: what to differentiate by. One that `output` does not depend on has a gradient of zeros.
///   - weights: for an output that is no scalar, how much each element counts, in the output's shape: the result is the
///     gradient of `Σ weights · output`.
///   - creatingGraph: whether the gradients can be differentiated themselves. Without it they are constants, and nothing
///     beyond the widest layer of the graph is kept.
/// - Returns: one gradient a variable, in the variable's shape.
/// - Complexity: the cost of the forward operations, about two to three times; the stack does not grow with the graph.
public func gradients(
    of output: Variable, withRespectTo variables: [Variable], weights: Variable? = nil, creatingGraph: Bool = false
) -> [Variable] {
    gradients(of: output, withRespectTo: variables, weights: weights, creatingGraph: creatingGraph, walkingBelow: true)
}

/// The same; without `walkingBelow` what the variables themselves depend on is not looked at, so none of them may depend on another.
func gradients(
    of output: Variable, withRespectTo variables: [Variable], weights: Variable?, creatingGraph: Bool, walkingBelow: Bool
) -> [Variable] {
    precondition(
        weights != nil || output.value.count == 1,
        "a gradient is that of a scalar, not of \(output.value.shape); sum it or pass weights")
    if let weights {
        precondition(
            weights.rows == output.rows && weights.columns == output.columns,
            "weights \(weights.value.shape) for an output of \(output.value.shape)")
    }
    let order = DependencyOrder(from: output, to: variables, walkingBelow: walkingBelow)
    var sums = [GradientSum](repeating: GradientSum(), count: order.nodes.count)
    var found: [ObjectIdentifier: Variable] = [:]
    let wanted = Set(variables.map(ObjectIdentifier.init))
    if let last = sums.indices.last {
        let one = Variable.constant(Matrix(rows: output.rows, columns: output.columns, repeating: 1))
        sums[last].add(weights ?? one, creatingGraph: creatingGraph)
    }
    for position in order.nodes.indices.reversed() {
        let node = order.nodes[position]
        guard let gradient = sums[position].take() else { continue }
        if wanted.contains(ObjectIdentifier(node)) { found[ObjectIdentifier(node)] = gradient }
        // Constants in place of the inputs keep the rules from growing a graph.
        let inputs = creatingGraph ? node.inputs : node.inputs.map { $0.detached() }
        let result = creatingGraph ? node : node.detached()
        for (i, input) in node.inputs.enumerated() {
            guard let place = order.positions[ObjectIdentifier(input)] else { continue }
            let part = node.rules[i](inputs, result, gradient)
            precondition(
                part.rows == input.rows && part.columns == input.columns,
                "a derivative rule gave \(part.value.shape) for an input of \(input.value.shape)")
            sums[place].add(part, creatingGraph: creatingGraph)
        }
    }
    return variables.map {
        found[ObjectIdentifier($0)] ?? .constant(Matrix(rows: $0.rows, columns: $0.columns))
    }
}

/// The nodes between an output and the variables it is differentiated by, each after all of its inputs.
private struct DependencyOrder {
    private(set) var nodes: [Variable] = []
    private(set) var positions: [ObjectIdentifier: Int] = [:]

    init(from output: Variable, to variables: [Variable], walkingBelow: Bool) {
        let wanted = Set(variables.map(ObjectIdentifier.init))
        var visited: Set<ObjectIdentifier> = [ObjectIdentifier(output)]
        var stack: [(node: Variable, nextInput: Int)] = [(output, 0)]
        while let (node, nextInput) = stack.last {
            if nextInput < node.inputs.count, walkingBelow || !wanted.contains(ObjectIdentifier(node)) {
                stack[stack.count - 1].nextInput += 1
                let input = node.inputs[nextInput]
                if input.isDifferentiable, visited.insert(ObjectIdentifier(input)).inserted { stack.append((input, 0)) }
                continue
            }
            stack.removeLast()
            // All inputs have been decided. A node from which no wanted variable is reached needs no gradient.
            let id = ObjectIdentifier(node)
            if wanted.contains(id) || node.inputs.contains(where: { positions[ObjectIdentifier($0)] != nil }) {
                positions[id] = nodes.count
                nodes.append(node)
            }
        }
    }
}

/// The gradient of one node while its parts arrive. Without a graph the parts are added in place.
private struct GradientSum {
    private var graph: Variable?
    private var plain: Matrix?

    mutating func add(_ part: Variable, creatingGraph: Bool) {
        if creatingGraph {
            graph = graph.map { $0 + part } ?? part
        } else if plain == nil {
            plain = part.value
        } else {
            plain?.add(part.value)
        }
    }

    /// The sum of the parts, if there were any; leaves nothing behind.
    mutating func take() -> Variable? {
        defer { (graph, plain) = (nil, nil) }
        return graph ?? plain.map { Variable.constant($0) }
    }
}
