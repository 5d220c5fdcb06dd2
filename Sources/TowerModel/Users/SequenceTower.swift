import Bytes
import Tensors

/// The sequence user tower: causal blocks over a user's entries, so that every entry's output is what the user looks like just after it.
///
/// x_p = √d v_p + type + gap (+ place), without v's popularity; each block adds attention (or HSTU's gated pointwise attention) and a
/// feed-forward layer to x, each behind a layer norm; h = norm(x). The user's vector after entry p is
/// ``UserNetwork`` of [h_p, v_p, moving means of v up to p, attributes + idle time], or h_p plus attributes and idle time with the direct
/// head.
package struct SequenceTower {
    /// Where the parameters lie in the block.
    package let layout: DenseLayout
    /// The dense block; valid for the life of the value.
    package let dense: UnsafePointer<Float>
    /// How the tower ends.
    package let network: UserNetwork
    /// The sizes of the blocks.
    package let sequence: SequenceShape
    /// How the products of the blocks are computed.
    package let precision: ProductPrecision

    /// The tower that a configuration describes, over a dense block that the caller keeps.
    package init(
        _ configuration: TowerConfiguration, layout: DenseLayout, dense: UnsafePointer<Float>, precision: ProductPrecision = .float32
    ) {
        self.layout = layout
        self.dense = dense
        self.precision = precision
        network = UserNetwork(configuration, layout: layout, dense: dense, precision: precision)
        sequence = layout.shape.sequence ?? .none
    }

    /// The length of a vector.
    package var d: Int { layout.shape.dimension }

    /// A dense parameter's values for a block.
    package func weights(_ parameter: DenseParameter, block: Int = 0) -> UnsafePointer<Float> {
        dense + layout.offset(parameter) + block * perBlock(parameter)
    }

    /// Floats of a parameter that belong to one block.
    package func perBlock(_ parameter: DenseParameter) -> Int { layout.length(parameter) / max(1, sequence.blocks) }

    /// From entries to h and the moving means, in `space`. `dropout` is nil where nothing is dropped.
    package func forward(_ tile: SequenceTile, space: SequenceSpace, dropout: SequenceDropout?) {
        guard tile.entries > 0 else { return }
        embed(tile, into: space.block(0).input, dropout: dropout)
        for index in 0..<sequence.blocks {
            let isLast = index + 1 == sequence.blocks
            block(index, tile, space: space, into: isLast ? space.output : space.block(index + 1).input, dropout: dropout)
        }
        norm(.sequenceNorm, rows: tile.entries, space.output, facts: space.outputFacts, into: space.outputNorm)
        means(tile, into: space.means)
    }

    private func embed(_ tile: SequenceTile, into target: UnsafeMutablePointer<Float>, dropout: SequenceDropout?) {
        let types = weights(.sequenceTypes), gaps = weights(.sequenceGaps), places = weights(.sequencePlaces)
        let scale = Float(d).squareRoot()
        for window in 0..<tile.count {
            for entry in tile.starts[window]..<tile.starts[window + 1] {
                let x = target + (entry - tile.first) * d
                Kernels.scale(scale, tile.vectors + Int(tile.rows[entry]) * d, into: x, count: d)
                x[d - 1] = 0
                Kernels.apply(.add, x, types + Int(tile.types[entry]) * d, into: x, count: d)
                Kernels.apply(.add, x, gaps + Int(tile.gaps[entry]) * d, into: x, count: d)
                if sequence.hasPlaces { Kernels.apply(.add, x, places + (entry - tile.starts[window]) * d, into: x, count: d) }
            }
        }
        dropout?.apply(target, count: tile.entries * d, place: 0)
    }

    /// One block: x + attention(norm x), then + feed(norm).
    private func block(
        _ index: Int, _ tile: SequenceTile, space: SequenceSpace, into next: UnsafeMutablePointer<Float>, dropout: SequenceDropout?
    ) {
        let b = space.block(index), t = tile.entries, w = sequence.projection(d), f = sequence.feedForward
        norm(.blockNorm, block: index, rows: t, b.input, facts: b.normFacts, into: b.norm)
        let product = b.raw ?? b.projection
        multiply(b.norm, rows: t, inner: d, .blockInputWeight, block: index, columns: w, into: product)
        Kernels.activateRows(
            sequence.kind == .hstu ? .silu : .identity, rows: t, columns: w, product, stride: w,
            bias: weights(.blockInputBias, block: index),
            into: b.projection, stride: w)
        attend(index, tile, space: space)
        var mixed = b.mixed
        if sequence.kind == .hstu {
            norm(nil, rows: t, b.mixed, facts: b.mixedFacts, into: b.mixedNorm)
            for row in 0..<t { Kernels.apply(.multiply, b.mixedNorm + row * d, b.projection + row * w, into: b.gated + row * d, count: d) }
            mixed = b.gated
        }
        multiply(mixed, rows: t, inner: d, .blockOutputWeight, block: index, columns: d, into: space.branch)
        join(
            space.branch, rows: t, .blockOutputBias, block: index, to: b.input, into: f > 0 ? b.middle : next, dropout: dropout,
            place: 3 * index + 1)
        guard f > 0 else { return }
        norm(.feedNorm, block: index, rows: t, b.middle, facts: b.feedFacts, into: b.feedNorm)
        multiply(b.feedNorm, rows: t, inner: d, .feedInputWeight, block: index, columns: f, into: b.hidden)
        Kernels.activateRows(
            .relu, rows: t, columns: f, b.hidden, stride: f, bias: weights(.feedInputBias, block: index), into: b.hidden, stride: f)
        dropout?.apply(b.hidden, count: t * f, place: 3 * index + 2)
        multiply(b.hidden, rows: t, inner: f, .feedOutputWeight, block: index, columns: d, into: space.branch)
        join(space.branch, rows: t, .feedOutputBias, block: index, to: b.middle, into: next, dropout: dropout, place: 3 * index + 3)
    }

    /// The norm of rows with a parameter's gain and bias, or with neither; `facts` are two floats a row for the way back.
    private func norm(
        _ parameter: DenseParameter?, block: Int = 0, rows: Int, _ x: UnsafePointer<Float>, facts: UnsafeMutablePointer<Float>,
        into target: UnsafeMutablePointer<Float>
    ) {
        let affine = parameter.map { weights($0, block: block) }
        Kernels.layerNormRows(
            rows: rows, columns: d, x, stride: d, gain: affine, bias: affine.map { $0 + d }, into: target, stride: d, means: facts,
            inverses: facts + rows)
    }

    private func multiply(
        _ x: UnsafePointer<Float>, rows: Int, inner: Int, _ weight: DenseParameter, block: Int, columns: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        Kernels.multiply(
            rows: rows, columns: columns, inner: inner, x, stride: inner, weights(weight, block: block), stride: columns, into: target,
            stride: columns, threads: 1, precision: precision)
    }

    /// The end of a branch: base + dropout(branch + bias).
    private func join(
        _ branch: UnsafeMutablePointer<Float>, rows: Int, _ bias: DenseParameter, block: Int, to base: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>, dropout: SequenceDropout?, place: Int
    ) {
        Kernels.activateRows(
            .identity, rows: rows, columns: d, branch, stride: d, bias: weights(bias, block: block), into: branch, stride: d)
        if let dropout {
            Kernels.dropout(branch, addedTo: base, into: target, count: rows * d, rate: dropout.rate, key: dropout.key(place))
        } else {
            Kernels.apply(.add, branch, base, into: target, count: rows * d)
        }
    }

    /// Attention of one block over all windows and heads of a tile.
    private func attend(_ index: Int, _ tile: SequenceTile, space: SequenceSpace) {
        let b = space.block(index), w = sequence.projection(d), t = tile.entries
        for window in 0..<tile.count where tile.length(window) > 0 {
            let entry = tile.starts[window] - tile.first, n = tile.length(window), attention = attention(n)
            for head in 0..<sequence.heads {
                let rows = b.projection + queryOffset(entry: entry, head: head)
                attention.forward(
                    rows, stride: w, rows + d, stride: w, rows + 2 * d, stride: w, biases: distances(index, head: head, length: n),
                    into: b.mixed + entry * d + head * headWidth, stride: d, logSums: b.logSums + head * t + entry, scratch: space.scratch)
            }
        }
    }

    /// Where the distance biases of a head begin for a window of a length; nil where distances do not count.
    package func distances(_ block: Int, head: Int, length: Int) -> UnsafePointer<Float>? {
        guard sequence.hasDistances else { return nil }
        let limit = layout.shape.historyLength
        return weights(.blockDistances, block: block) + head * limit + limit - length
    }

    /// Columns of a head.
    package var headWidth: Int { d / sequence.heads }

    /// Where the query of an entry stands in a projection; key and value follow after d and 2d.
    package func queryOffset(entry: Int, head: Int) -> Int {
        let w = sequence.projection(d)
        return entry * w + w - 3 * d + head * headWidth
    }

    /// What HSTU's weights are multiplied with; a norm follows, so it only keeps numbers small.
    private static let pointwiseWeight: Float = 1 / 16

    /// Attention over a window of a length.
    package func attention(_ length: Int) -> CausalAttention {
        CausalAttention(
            length: length, width: headWidth, scale: 1 / Float(headWidth).squareRoot(),
            form: sequence.kind == .hstu ? .silu(weight: Self.pointwiseWeight) : .softmax, precision: precision)
    }

    /// Moving means m_p = a m_{p−1} + (1 − a) v_p of each window, from zero; a = σ(decay) is learned.
    private func means(_ tile: SequenceTile, into target: UnsafeMutablePointer<Float>) {
        let stride = sequence.means * d
        for mean in 0..<sequence.means {
            let kept = keptShare(mean)
            for window in 0..<tile.count {
                for entry in tile.starts[window]..<tile.starts[window + 1] {
                    let m = target + (entry - tile.first) * stride + mean * d
                    Kernels.scale(1 - kept, tile.vectors + Int(tile.rows[entry]) * d, into: m, count: d)
                    if entry > tile.starts[window] { Kernels.axpy(kept, m - stride, into: m, count: d) }
                }
            }
        }
    }

    /// What a moving mean keeps from one entry to the next.
    package func keptShare(_ mean: Int) -> Float { 1 / (1 + Kernels.exp(-weights(.sequenceDecays)[mean])) }

    /// The inputs of the network for one example, or with the direct head the vector itself before it is finished.
    ///
    /// - Parameters:
    ///   - entry: the newest entry that it sees, counted from the tile's first, −1 for none.
    ///   - attributes: d floats; target: inputWidth floats, overwritten.
    package func gather(
        entry: Int, tile: SequenceTile, space: SequenceSpace, attributes: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        let h = entry < 0 ? weights(.sequenceEmpty) : UnsafePointer(space.outputNorm + entry * d)
        target.update(from: h, count: d)
        guard sequence.hasNetwork else { return Kernels.apply(.add, target, attributes, into: target, count: d) }
        if entry < 0 {
            (target + d).update(repeating: 0, count: (1 + sequence.means) * d)
        } else {
            (target + d).update(from: tile.vectors + Int(tile.rows[tile.first + entry]) * d, count: d)
            (target + 2 * d).update(from: space.means + entry * sequence.means * d, count: sequence.means * d)
        }
        (target + (2 + sequence.means) * d).update(from: attributes, count: d)
    }
}

/// What a step leaves out: the same key and place give the same choice, so that the way back repeats it without storing it.
package struct SequenceDropout {
    /// The share that is left out.
    package let rate: Float
    /// Decides which are.
    package let key: UInt64

    /// Leaves out a share, as the key says.
    package init(rate: Float, key: UInt64) { (self.rate, self.key) = (rate, key) }

    /// Leaves values out and scales the others up.
    package func apply(_ values: UnsafeMutablePointer<Float>, count: Int, place: Int) {
        Kernels.dropout(values, into: values, count: count, rate: rate, key: key(place))
    }

    /// The key of a place.
    package func key(_ place: Int) -> UInt64 { SplitMix64Mixing.mixed(key &+ UInt64(place) &* 0xd1b5_4a32_d192_ed03) }
}
