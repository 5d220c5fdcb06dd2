import Tensors

extension Variable {
    /// An operation whose way forward and way back are fused kernels.
    ///
    /// Where gradients are not to be differentiated again, `backward` gives those of all inputs at once. Where they are, the rules
    /// differentiate `composed`, the same function written in operations of this library: so derivatives of every order are exact,
    /// and only they pay for the composition.
    ///
    /// - Parameters:
    ///   - value: what the fused kernel computed.
    ///   - composed: the function in terms of its inputs. It captures no variables.
    ///   - backward: the gradients of the inputs, from the inputs, the output and its gradient.
    static func fused(
        _ value: Matrix, inputs: [Variable], composed: @escaping (_ inputs: [Variable]) -> Variable,
        backward: @escaping (_ inputs: [Matrix], _ output: Matrix, _ gradient: Matrix) -> [Matrix]
    ) -> Variable {
        let recent = RecentBackward()
        return Variable(
            value, inputs: inputs,
            rules: inputs.indices.map { index in
                { inputs, output, gradient in
                    if gradient.isDifferentiable || inputs.contains(where: \.isDifferentiable) {
                        return composedGradient(composed, inputs: inputs, of: index, gradient: gradient)
                    }
                    return .constant(
                        recent.result(for: gradient) { backward(inputs.map(\.value), output.value, gradient.value) }[index])
                }
            })
    }

    /// The gradient of one input of a composition. The inputs' own graphs are not walked: what is asked ends at them.
    private static func composedGradient(
        _ composed: ([Variable]) -> Variable, inputs: [Variable], of index: Int, gradient: Variable
    ) -> Variable {
        let places = inputs.map { $0.place() }
        return gradients(
            of: composed(places), withRespectTo: places, weights: gradient, creatingGraph: true, walkingBelow: false)[index]
    }

    /// This variable as an input of its own: the same variable given twice is differentiated by twice, and derivatives of what is
    /// computed from it reach it.
    private func place() -> Variable {
        isDifferentiable ? Variable(value, inputs: [self], rules: [{ _, _, g in g }]) : Variable(value)
    }

    /// A function that keeps none of its inner results: they are computed again on the way back, once for each input that is
    /// differentiated by. Memory is that of one evaluation at a time, for derivatives of every order (Chen et al. 2016).
    ///
    /// - Parameter function: of its inputs alone; it captures no differentiable variables.
    public static func recomputing(
        _ inputs: [Variable], function: @escaping (_ inputs: [Variable]) -> Variable
    ) -> Variable {
        Variable(
            function(inputs.map { $0.detached() }).value, inputs: inputs,
            rules: inputs.indices.map { index in
                { inputs, _, gradient in
                    recomputing(inputs + [gradient]) { all in
                        composedGradient(function, inputs: Array(all.dropLast()), of: index, gradient: all[all.count - 1])
                    }
                }
            })
    }
}

/// The gradients that a fused way back gave for all inputs, kept until they are asked for with another output gradient: the rules
/// of one operation run one after the other. Only numbers are kept, and the gradient is not kept alive, so no graph is.
private final class RecentBackward {
    private weak var gradient: Variable?
    private var values: [Matrix] = []

    func result(for gradient: Variable, _ compute: () -> [Matrix]) -> [Matrix] {
        if self.gradient !== gradient {
            values = compute()
            self.gradient = gradient
        }
        return values
    }
}

/// Borrows several matrices at once.
func withPointers(_ matrices: [Matrix], _ body: ([UnsafePointer<Float>]) -> Void) {
    func borrow(_ rest: ArraySlice<Matrix>, _ pointers: [UnsafePointer<Float>]) {
        guard let first = rest.first else { return body(pointers) }
        first.withUnsafePointer { borrow(rest.dropFirst(), pointers + [$0]) }
    }
    borrow(matrices[...], [])
}

/// Borrows a matrix that may be absent.
func withOptional(_ matrix: Matrix?, _ body: (UnsafePointer<Float>?) -> Void) {
    guard let matrix else { return body(nil) }
    matrix.withUnsafePointer { body($0) }
}

/// New matrices of zeros in the given shapes, filled by a body that gets all of them at once.
func filled(_ shapes: [(rows: Int, columns: Int)], by body: ([UnsafeMutablePointer<Float>]) -> Void) -> [Matrix] {
    func fill(_ rest: ArraySlice<(rows: Int, columns: Int)>, _ pointers: [UnsafeMutablePointer<Float>]) -> [Matrix] {
        guard let shape = rest.first else {
            body(pointers)
            return []
        }
        var matrix = Matrix(rows: shape.rows, columns: shape.columns), others: [Matrix] = []
        matrix.withUnsafeMutablePointer { others = fill(rest.dropFirst(), pointers + [$0]) }
        return [matrix] + others
    }
    return fill(shapes[...], [])
}
