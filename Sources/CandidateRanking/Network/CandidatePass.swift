import Tensors

/// A pass of one question's candidates through a network and back, on one thread, with the memory that it needs.
///
/// The rows of a question stay in the first two caches, and each product's sums are in the same order whatever else runs.
package final class CandidatePass {
    private let layout: NetworkLayout
    private let memory: UnsafeMutablePointer<Float>
    private let capacity: Int
    /// Scaled signals, `[candidates, width]`.
    package let inputs: UnsafeMutablePointer<Float>
    /// `[candidates, goals]`, as ``forward(candidates:_:)`` leaves them.
    package let scores: UnsafeMutablePointer<Float>
    /// The loss by each score, `[candidates, goals]`, from which ``backward(candidates:_:into:)`` starts.
    package let slopes: UnsafeMutablePointer<Float>
    private let activations: UnsafeMutablePointer<Float>
    private let deltas: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
    /// `[units, inputs]` of the hidden layers but the first.
    private let transposes: UnsafeMutablePointer<Float>

    /// A pass for up to so many candidates.
    ///
    /// - Parameter isForwardOnly: there is no room for the way back, which is then not to be asked for.
    package init(_ layout: NetworkLayout, candidates: Int, isForwardOnly: Bool = false) {
        self.layout = layout
        capacity = candidates
        let widest = isForwardOnly ? 0 : layout.layers.map(\.units).max() ?? 0
        let between = isForwardOnly ? 0 : layout.layers.dropFirst().reduce(0) { $0 + $1.inputs * $1.units }
        let sizes = [
            candidates * layout.width, candidates * layout.goals, candidates * layout.goals, candidates * layout.units,
            candidates * widest, candidates * widest, between,
        ]
        memory = .allocate(capacity: max(1, sizes.reduce(0, +)))
        var parts: [UnsafeMutablePointer<Float>] = [], end = memory
        for size in sizes {
            parts.append(end)
            end += size
        }
        (inputs, scores, slopes, activations) = (parts[0], parts[1], parts[2], parts[3])
        deltas = (parts[4], parts[5])
        transposes = parts[6]
    }

    deinit { memory.deallocate() }

    /// Scores from ``inputs``.
    package func forward(candidates: Int, _ parameters: UnsafePointer<Float>) {
        precondition(candidates <= capacity, "\(candidates) candidates where there is room for \(capacity)")
        let width = layout.width, goals = layout.goals, units = layout.lastUnits
        var values = UnsafePointer(inputs), next = activations
        for layer in layout.layers {
            Kernels.rowProduct(
                .biasRelu, rows: candidates, columns: layer.units, inner: layer.inputs, values, strides: (layer.inputs, 1),
                parameters + layer.weights, stride: layer.units, into: next, stride: layer.units, extra: parameters + layer.biases)
            values = UnsafePointer(next)
            next += candidates * layer.units
        }
        for candidate in 0..<candidates {
            for goal in 0..<goals {
                var score = Kernels.dot(inputs + candidate * width, parameters + goal * width, count: width)
                if units > 0 { score += Kernels.dot(values + candidate * units, parameters + layout.output + goal * units, count: units) }
                scores[candidate * goals + goal] = score
            }
        }
    }

    /// Makes ready for ``backward(candidates:_:into:)`` with these parameters.
    package func prepare(_ parameters: UnsafePointer<Float>) {
        var next = transposes
        for layer in layout.layers.dropFirst() {
            Kernels.transpose(
                rows: layer.inputs, columns: layer.units, parameters + layer.weights, stride: layer.units, into: next, stride: layer.inputs)
            next += layer.inputs * layer.units
        }
    }

    /// Adds the loss's derivative by each parameter, from ``slopes`` and what the pass forward left.
    package func backward(candidates: Int, _ parameters: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>) {
        let width = layout.width, goals = layout.goals
        for candidate in 0..<candidates {
            for goal in 0..<goals {
                let slope = slopes[candidate * goals + goal]
                if slope != 0 { Kernels.axpy(slope, inputs + candidate * width, into: gradient + goal * width, count: width) }
            }
        }
        guard let last = layout.layers.last else { return }
        var values = activations + candidates * (layout.units - last.units)
        var (delta, other) = deltas
        Kernels.rowProduct(
            .add, rows: goals, columns: last.units, inner: candidates, slopes, strides: (1, goals), values, stride: last.units,
            into: gradient + layout.output, stride: last.units)
        Kernels.rowProduct(
            .reluSlope, rows: candidates, columns: last.units, inner: goals, slopes, strides: (goals, 1), parameters + layout.output,
            stride: last.units, into: delta, stride: last.units, extra: values, extraStride: last.units)
        var transpose = transposes + layout.layers.dropFirst().reduce(0) { $0 + $1.inputs * $1.units }
        for (place, layer) in layout.layers.enumerated().reversed() {
            let below = place == 0 ? inputs : values - candidates * layer.inputs
            Kernels.rowProduct(
                .add, rows: layer.inputs, columns: layer.units, inner: candidates, below, strides: (1, layer.inputs), delta,
                stride: layer.units, into: gradient + layer.weights, stride: layer.units)
            Kernels.addSumOfRows(
                rows: candidates, columns: layer.units, delta, stride: layer.units, into: gradient + layer.biases)
            guard place > 0 else { break }
            transpose -= layer.inputs * layer.units
            Kernels.rowProduct(
                .reluSlope, rows: candidates, columns: layer.inputs, inner: layer.units, delta, strides: (layer.units, 1), transpose,
                stride: layer.inputs, into: other, stride: layer.inputs, extra: below, extraStride: layer.inputs)
            swap(&delta, &other)
            values = below
        }
    }
}
