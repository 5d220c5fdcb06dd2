#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// The plain forms of the loops over tiles: whole arrays without strides, sums in Double.
extension ReferenceKernels {
    /// The gradients of x, gain and bias of one layer-normalised row.
    public static func layerNormBackward(
        _ x: [Float], gain: [Float]?, outer: [Float], epsilon: Float
    ) -> (x: [Float], gain: [Float], bias: [Float]) {
        let count = Double(x.count), mean = x.reduce(0.0) { $0 + Double($1) } / count
        let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        let inverse = 1 / (variance + Double(epsilon)).squareRoot()
        let y = x.map { (Double($0) - mean) * inverse }
        let h = x.indices.map { Double(outer[$0]) * Double(gain?[$0] ?? 1) }
        let sum = h.reduce(0, +) / count, along = zip(h, y).reduce(0) { $0 + $1.0 * $1.1 } / count
        return (
            x.indices.map { Float(inverse * (h[$0] - sum - y[$0] * along)) }, x.indices.map { Float(Double(outer[$0]) * y[$0]) }, outer
        )
    }

    /// `Kernels.dropout`: 8 bits a number, four numbers from each mixed counter.
    public static func dropout(_ x: [Float], addedTo base: [Float]? = nil, rate: Float, key: UInt64) -> [Float] {
        let threshold = min(255, UInt32((rate * 256).rounded()))
        return x.indices.map { i in
            var bits = UInt32(truncatingIfNeeded: i / 64 * 16 + i % 16) &+ UInt32(truncatingIfNeeded: key)
            bits ^= bits >> 16
            bits = bits &* 0x7feb_352d
            bits ^= (bits >> 15) ^ UInt32(truncatingIfNeeded: key >> 32)
            bits = bits &* 0x846c_a68b
            bits ^= bits >> 16
            let kept = (bits >> UInt32(8 * (i / 16 % 4))) & 255 >= threshold
            return (kept ? x[i] * (256 / (256 - Float(threshold))) : 0) + (base?[i] ?? 0)
        }
    }

    /// A function between layers and its slope, in Double.
    public static func activation(_ f: Kernels.Activation, _ x: Float) -> (value: Double, slope: Double) {
        let d = Double(x), s = 1 / (1 + exp(-d))
        switch f {
        case .identity: return (d, 1)
        case .relu: return (d < 0 ? 0 : d, d > 0 ? 1 : 0)
        case .silu: return (d * s, s * (1 + d * (1 - s)))
        case .tanh: return (tanh(d), 1 - tanh(d) * tanh(d))
        case .sigmoid: return (s, s * (1 - s))
        case .gelu:
            let scale = (2 / Double.pi).squareRoot(), t = tanh(scale * (d + 0.044715 * d * d * d))
            return (0.5 * d * (1 + t), 0.5 * (1 + t) + 0.5 * d * (1 - t * t) * scale * (1 + 3 * 0.044715 * d * d))
        }
    }

    /// What `CausalAttention` computes, pair by pair: the result, the logarithms of the sums (softmax), and where `outer` is given
    /// the gradients of q, k, v and the biases.
    public static func causalAttention(
        q: Matrix, k: Matrix, v: Matrix, scale: Float, form: CausalAttention.Form, biases: [Float]? = nil, outer: Matrix? = nil
    ) -> (out: Matrix, logSums: [Float], gradients: (q: Matrix, k: Matrix, v: Matrix, biases: [Float])?) {
        let length = q.rows
        var out = Matrix(rows: length, columns: v.columns), logSums: [Float] = []
        var (dq, dk, dv) = (
            Matrix(rows: length, columns: q.columns), Matrix(rows: length, columns: q.columns), Matrix(rows: length, columns: v.columns)
        )
        var dBiases = [Float](repeating: 0, count: length)
        for p in 0..<length {
            let scores = (0...p).map { j in
                Double(scale) * (0..<q.columns).reduce(0.0) { $0 + Double(q[p, $1]) * Double(k[j, $1]) }
                    + Double(biases?[length - 1 - p + j] ?? 0)
            }
            let top = scores.max() ?? 0, total = scores.reduce(0) { $0 + exp($1 - top) }
            logSums.append(Float(top + log(total)))
            let weights = scores.map { t in
                switch form {
                case .softmax: exp(t - top) / total
                case .silu(let weight): t / (1 + exp(-t)) * Double(weight)
                }
            }
            for c in 0..<v.columns { out[p, c] = Float((0...p).reduce(0.0) { $0 + weights[$1] * Double(v[$1, c]) }) }
            guard let outer else { continue }
            let slopes = (0...p).map { j in (0..<v.columns).reduce(0.0) { $0 + Double(outer[p, $1]) * Double(v[j, $1]) } }
            let mean = zip(weights, slopes).reduce(0) { $0 + $1.0 * $1.1 }
            for j in 0...p {
                let slope: Double
                switch form {
                case .softmax: slope = weights[j] * (slopes[j] - mean)
                case .silu(let weight):
                    let s = 1 / (1 + exp(-scores[j]))
                    slope = slopes[j] * Double(weight) * s * (1 + scores[j] * (1 - s))
                }
                dBiases[length - 1 - p + j] += Float(slope)
                for c in 0..<q.columns {
                    dq[p, c] += Float(slope * Double(scale) * Double(k[j, c]))
                    dk[j, c] += Float(slope * Double(scale) * Double(q[p, c]))
                }
                for c in 0..<v.columns { dv[j, c] += Float(weights[j] * Double(outer[p, c])) }
            }
        }
        return (out, logSums, outer == nil ? nil : (dq, dk, dv, dBiases))
    }
}
