import Tensors

extension Variable {
    /// Causal attention of one head over one sequence: softmax(scale · Q Kᵀ + bias) V, or HSTU's pointwise form; see
    /// `CausalAttention`. Fused kernels each way, which keep the logarithms of the sums and compute the weights again.
    ///
    /// - Parameters:
    ///   - queries, keys: `[length, width]`; values: `[length, valueWidth]`.
    ///   - biases: `[1, length]`, added to scores by distance in order of falling distance: the last is that of a position with itself.
    ///   - scale: factor of the scores; 1 / √width unless given.
    /// - Returns: `[length, valueWidth]`.
    public static func causalAttention(
        queries: Variable, keys: Variable, values: Variable, biases: Variable? = nil, scale: Float? = nil,
        form: CausalAttention.Form = .softmax
    ) -> Variable {
        let length = queries.rows
        precondition(
            keys.rows == length && keys.columns == queries.columns && values.rows == length
                && (biases.map { $0.rows == 1 && $0.columns == length } ?? true),
            "attention of \(queries.value.shape), \(keys.value.shape), \(values.value.shape), biases \(biases?.value.shape ?? "none")")
        let scale = scale ?? 1 / Float(queries.columns).squareRoot()
        let attention = CausalAttention(length: length, width: queries.columns, valueWidth: values.columns, scale: scale, form: form)
        let hasBias = biases != nil
        let made = filled([(length, values.columns), (length, 1), (1, attention.forwardScratchFloats)]) { made in
            withPointers([queries.value, keys.value, values.value]) { x in
                withOptional(biases?.value) { biases in
                    attention.forward(
                        x[0], stride: attention.width, x[1], stride: attention.width, x[2], stride: attention.valueWidth,
                        biases: biases, into: made[0], stride: attention.valueWidth, logSums: made[1], scratch: made[2])
                }
            }
        }
        let (out, saved) = (made[0], made[1])
        return .fused(
            out, inputs: [queries, keys, values] + (biases.map { [$0] } ?? []),
            composed: { composedAttention($0[0], $0[1], $0[2], biases: hasBias ? $0[3] : nil, scale: scale, form: form) },
            backward: { all, out, outer in fusedBackward(attention, all, out: out, logSums: saved, outer: outer) })
    }

    /// The same function in operations of this library: the whole square of scores, with a mask.
    private static func composedAttention(
        _ q: Variable, _ k: Variable, _ v: Variable, biases: Variable?, scale: Float, form: CausalAttention.Form
    ) -> Variable {
        let length = q.rows
        var scores = scale * product(q, k, transposeB: true)
        if let biases {
            // Row p, entry j takes the bias of distance p − j; what lies ahead takes any, it is masked.
            let places = (0..<length).flatMap { p in (0..<length).map { j in Int32(min(length - 1, length - 1 - p + j)) } }
            scores = scores + biases.transposed().gatheringRows(places).reshaped(rows: length, columns: length)
        }
        func mask(_ seen: Float, _ ahead: Float) -> Variable {
            .constant(
                Matrix(rows: length, columns: length) { target in
                    for i in target.indices { target[i] = i % length <= i / length ? seen : ahead }
                })
        }
        switch form {
        case .softmax: return product((scores + mask(0, -.infinity)).softmaxRows(), v)
        case .silu(let weight): return product(scores.silu() * mask(weight, 0), v)
        }
    }

    private static func fusedBackward(
        _ attention: CausalAttention, _ all: [Matrix], out: Matrix, logSums: Matrix, outer: Matrix
    ) -> [Matrix] {
        let biases = all.count > 3 ? all[3] : nil
        let (length, width, valueWidth) = (attention.length, attention.width, attention.valueWidth)
        let made = filled([
            (length, width), (length, width), (length, valueWidth), (1, length), (1, attention.backwardScratchFloats),
        ]) { made in
            withPointers([all[0], all[1], all[2], out, logSums, outer]) { x in
                withOptional(biases) { biases in
                    attention.backward(
                        x[0], stride: width, x[1], stride: width, x[2], stride: valueWidth, biases: biases, out: x[3],
                        stride: valueWidth, logSums: x[4], outer: x[5], stride: valueWidth, gradientQ: made[0], stride: width,
                        gradientK: made[1], stride: width, gradientV: made[2], stride: valueWidth, biasGradient: made[3],
                        scratch: made[4])
                }
            }
        }
        return Array(made[..<all.count])
    }
}
