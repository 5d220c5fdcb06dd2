import Tensors

/// One run of texts through the encoder, on one thread. Texts lie one after the other, without padding.
struct TextEncoderPass {
    /// The last layer's vectors `[tokens, width]`; those of text i are rows `starts[i]..<starts[i + 1]`.
    struct States {
        var values: [Float]
        var starts: [Int]
    }

    private let encoder: TextEncoder
    private let rows: [Int32]
    private let starts: [Int]
    private let precision: ProductPrecision

    init(_ encoder: TextEncoder, tokens: ArraySlice<[Int32]>, precision: ProductPrecision) {
        self.encoder = encoder
        self.precision = precision
        var rows: [Int32] = [], starts = [0]
        for text in tokens {
            precondition(
                text.count <= encoder.shape.positions,
                "a text of \(text.count) tokens for an encoder of \(encoder.shape.positions) positions")
            rows += text
            starts.append(rows.count)
        }
        (self.rows, self.starts) = (rows, starts)
    }

    func run() -> States {
        let shape = encoder.shape, width = shape.width, count = rows.count
        var x = embedded()
        var query = [Float](repeating: 0, count: count * width), key = query, value = query, mixed = query
        var hidden = [Float](repeating: 0, count: count * shape.inner)
        x.withUnsafeMutableBufferPointer { x in
            query.withUnsafeMutableBufferPointer { query in
                key.withUnsafeMutableBufferPointer { key in
                    value.withUnsafeMutableBufferPointer { value in
                        mixed.withUnsafeMutableBufferPointer { mixed in
                            hidden.withUnsafeMutableBufferPointer { hidden in
                                guard let x = x.baseAddress, let query = query.baseAddress, let key = key.baseAddress,
                                    let value = value.baseAddress, let mixed = mixed.baseAddress, let hidden = hidden.baseAddress
                                else { return }
                                for layer in encoder.layers {
                                    layer.query.apply(rows: count, x, into: query, precision: precision)
                                    layer.key.apply(rows: count, x, into: key, precision: precision)
                                    layer.value.apply(rows: count, x, into: value, precision: precision)
                                    attend(query, key, value, into: mixed)
                                    // The query's place is free again.
                                    layer.output.apply(rows: count, mixed, into: query, precision: precision)
                                    Kernels.apply(.add, x, query, into: x, count: count * width)
                                    layer.attentionNorm.apply(rows: count, x)
                                    layer.inner.apply(rows: count, x, into: hidden, precision: precision)
                                    Kernels.geluOfNormal(hidden, into: hidden, count: count * shape.inner)
                                    layer.outer.apply(rows: count, hidden, into: query, precision: precision)
                                    Kernels.apply(.add, x, query, into: x, count: count * width)
                                    layer.outputNorm.apply(rows: count, x)
                                }
                            }
                        }
                    }
                }
            }
        }
        return States(values: x, starts: starts)
    }

    /// Sums of token, position and segment vectors, normed.
    private func embedded() -> [Float] {
        let width = encoder.shape.width
        var x = [Float](repeating: 0, count: rows.count * width)
        x.withUnsafeMutableBufferPointer { x in
            guard let x = x.baseAddress else { return }
            encoder.words.withUnsafePointer { words in
                encoder.places.withUnsafePointer { places in
                    encoder.segment.withUnsafeBufferPointer { segment in
                        guard let segment = segment.baseAddress else { return }
                        for text in 0..<starts.count - 1 {
                            for token in starts[text]..<starts[text + 1] {
                                let target = x + token * width
                                target.update(from: words + Int(rows[token]) * width, count: width)
                                Kernels.apply(.add, target, places + (token - starts[text]) * width, into: target, count: width)
                                Kernels.apply(.add, target, segment, into: target, count: width)
                            }
                        }
                    }
                }
            }
            encoder.norm.apply(rows: rows.count, x)
        }
        return x
    }

    /// Scaled dot-product attention of each head within each text (Vaswani et al. 2017, equation 1).
    private func attend(
        _ query: UnsafePointer<Float>, _ key: UnsafePointer<Float>, _ value: UnsafePointer<Float>, into mixed: UnsafeMutablePointer<Float>
    ) {
        let width = encoder.shape.width, heads = encoder.shape.heads, depth = width / heads
        let longest = zip(starts.dropFirst(), starts).map { $0 - $1 }.max() ?? 0
        withUnsafeTemporaryAllocation(of: Float.self, capacity: longest * longest + 1) { scratch in
            guard let scores = scratch.baseAddress else { return }
            for text in 0..<starts.count - 1 {
                let length = starts[text + 1] - starts[text], first = starts[text] * width
                for head in 0..<heads {
                    let offset = first + head * depth
                    Kernels.multiply(
                        rows: length, columns: length, inner: depth, alpha: 1 / Float(depth).squareRoot(), query + offset, stride: width,
                        transposed: false, key + offset, stride: width, transposed: true, into: scores, stride: length, threads: 1)
                    for row in 0..<length { Kernels.softmax(scores + row * length, into: scores + row * length, count: length) }
                    Kernels.multiply(
                        rows: length, columns: depth, inner: length, scores, stride: length, value + offset, stride: width,
                        into: mixed + offset, stride: width, threads: 1)
                }
            }
        }
    }
}
