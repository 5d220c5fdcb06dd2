import Tensors
import TowerModel

extension SequenceTower {
    /// The way back through ``forward(_:space:dropout:)``.
    ///
    /// - Parameters:
    ///   - space: as the way forth left it, with the gradients of h in `outputGradient` and of the moving means in `meanGradient`, both
    ///     changed. `vectorGradient` holds the gradient of the entries' vectors so far and is added to.
    ///   - gradient: the dense block's gradient, added to.
    func backward(
        _ tile: SequenceTile, space: SequenceSpace, gradient: UnsafeMutablePointer<Float>, dropout: SequenceDropout?
    ) {
        let t = tile.entries
        guard t > 0 else { return }
        meansBackward(tile, space: space, gradient: gradient)
        normBackward(
            .sequenceNorm, rows: t, space.output, facts: space.outputFacts, outer: space.outputGradient, into: space.gradient,
            adding: false,
            gradient: gradient)
        for index in (0..<sequence.blocks).reversed() {
            feedBackward(index, rows: t, space: space, gradient: gradient, dropout: dropout)
            attentionBackward(index, tile, space: space, gradient: gradient, dropout: dropout)
        }
        embedBackward(tile, space: space, gradient: gradient, dropout: dropout)
    }

    private func place(_ parameter: DenseParameter, block: Int = 0, in gradient: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float>
    {
        gradient + layout.offset(parameter) + block * perBlock(parameter)
    }

    /// The way back through a feed-forward layer; `space.gradient` becomes that of its input.
    private func feedBackward(
        _ index: Int, rows t: Int, space: SequenceSpace, gradient: UnsafeMutablePointer<Float>, dropout: SequenceDropout?
    ) {
        let b = space.block(index), f = sequence.feedForward
        guard f > 0 else { return }
        let outer = dropped(space.gradient, rows: t, space: space, dropout: dropout, place: 3 * index + 3)
        multiplyBackward(
            b.hidden, rows: t, inner: f, .feedOutputWeight, .feedOutputBias, block: index, columns: d, outer: outer, into: space.wide,
            gradient: gradient)
        dropout?.apply(space.wide, count: t * f, place: 3 * index + 2)
        // What was left out of the hidden layer is zero in it, as is what relu cut.
        Kernels.activateRowsBackward(.relu, rows: t, columns: f, b.hidden, stride: f, gradient: space.wide, stride: f)
        multiplyBackward(
            b.feedNorm, rows: t, inner: d, .feedInputWeight, .feedInputBias, block: index, columns: f, outer: space.wide,
            into: space.branch, gradient: gradient)
        normBackward(
            .feedNorm, block: index, rows: t, b.middle, facts: b.feedFacts, outer: space.branch, into: space.gradient, adding: true,
            gradient: gradient)
    }

    /// The way back through a block's attention; `space.gradient` becomes that of the block's input.
    private func attentionBackward(
        _ index: Int, _ tile: SequenceTile, space: SequenceSpace, gradient: UnsafeMutablePointer<Float>, dropout: SequenceDropout?
    ) {
        let b = space.block(index), t = tile.entries, w = sequence.projection(d), isGated = sequence.kind == .hstu
        let outer = dropped(space.gradient, rows: t, space: space, dropout: dropout, place: 3 * index + 1)
        let mixedGradient = space.outputGradient
        multiplyBackward(
            isGated ? b.gated : b.mixed, rows: t, inner: d, .blockOutputWeight, .blockOutputBias, block: index, columns: d,
            outer: outer, into: mixedGradient, gradient: gradient)
        if isGated {
            for row in 0..<t {
                let g = mixedGradient + row * d
                Kernels.apply(.multiply, g, b.mixedNorm + row * d, into: space.wide + row * w, count: d)
                Kernels.apply(.multiply, g, b.projection + row * w, into: g, count: d)
            }
            normBackward(
                nil, rows: t, b.mixed, facts: b.mixedFacts, outer: mixedGradient, into: mixedGradient, adding: false, gradient: gradient)
        }
        attendBackward(index, tile, space: space, outer: mixedGradient, gradient: gradient)
        if let raw = b.raw {
            Kernels.activateRowsBackward(.silu, rows: t, columns: w, raw, stride: w, gradient: space.wide, stride: w)
        }
        multiplyBackward(
            b.norm, rows: t, inner: d, .blockInputWeight, .blockInputBias, block: index, columns: w, outer: space.wide,
            into: space.branch, gradient: gradient)
        normBackward(
            .blockNorm, block: index, rows: t, b.input, facts: b.normFacts, outer: space.branch, into: space.gradient, adding: true,
            gradient: gradient)
    }

    private func attendBackward(
        _ index: Int, _ tile: SequenceTile, space: SequenceSpace, outer: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) {
        let b = space.block(index), w = sequence.projection(d), t = tile.entries, limit = layout.shape.historyLength
        for window in 0..<tile.count where tile.length(window) > 0 {
            let entry = tile.starts[window] - tile.first, n = tile.length(window), attention = attention(n)
            for head in 0..<sequence.heads {
                let offset = queryOffset(entry: entry, head: head), rows = b.projection + offset, slopes = space.wide + offset
                let mixed = entry * d + head * headWidth
                attention.backward(
                    rows, stride: w, rows + d, stride: w, rows + 2 * d, stride: w, biases: distances(index, head: head, length: n),
                    out: b.mixed + mixed, stride: d, logSums: b.logSums + head * t + entry, outer: outer + mixed, stride: d,
                    gradientQ: slopes, stride: w, gradientK: slopes + d, stride: w, gradientV: slopes + 2 * d, stride: w,
                    biasGradient: sequence.hasDistances
                        ? place(.blockDistances, block: index, in: gradient) + head * limit + limit - n : nil, scratch: space.scratch)
            }
        }
    }

    /// The gradient of a branch behind dropout: a copy where something is dropped.
    private func dropped(
        _ outer: UnsafePointer<Float>, rows: Int, space: SequenceSpace, dropout: SequenceDropout?, place: Int
    ) -> UnsafePointer<Float> {
        guard let dropout else { return outer }
        Kernels.dropout(outer, into: space.branch, count: rows * d, rate: dropout.rate, key: dropout.key(place))
        return UnsafePointer(space.branch)
    }

    private func normBackward(
        _ parameter: DenseParameter?, block: Int = 0, rows: Int, _ x: UnsafePointer<Float>, facts: UnsafePointer<Float>,
        outer: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, adding: Bool, gradient: UnsafeMutablePointer<Float>
    ) {
        let affine = parameter.map { place($0, block: block, in: gradient) }
        Kernels.layerNormRowsBackward(
            rows: rows, columns: d, x, stride: d, gain: parameter.map { weights($0, block: block) }, means: facts, inverses: facts + rows,
            outer: outer, stride: d, into: target, stride: d, adding: adding, gainGradient: affine, biasGradient: affine.map { $0 + d })
    }

    /// The way back through x · weight + bias.
    ///
    /// - Parameter target: gradient of x `[rows, inner]`, overwritten.
    private func multiplyBackward(
        _ x: UnsafePointer<Float>, rows: Int, inner: Int, _ weight: DenseParameter, _ bias: DenseParameter, block: Int, columns: Int,
        outer: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) {
        Kernels.multiply(
            rows: inner, columns: columns, inner: rows, x, stride: inner, transposed: true, outer, stride: columns, beta: 1,
            into: place(weight, block: block, in: gradient), stride: columns, threads: 1, precision: precision)
        Kernels.addSumOfRows(rows: rows, columns: columns, outer, stride: columns, into: place(bias, block: block, in: gradient))
        Kernels.multiply(
            rows: rows, columns: inner, inner: columns, outer, stride: columns, transposed: false, weights(weight, block: block),
            stride: columns, transposed: true, into: target, stride: inner, threads: 1, precision: precision)
    }

    private func meansBackward(_ tile: SequenceTile, space: SequenceSpace, gradient: UnsafeMutablePointer<Float>) {
        let stride = sequence.means * d, decays = place(.sequenceDecays, in: gradient)
        for mean in 0..<sequence.means {
            let kept = keptShare(mean)
            var slope: Float = 0
            for window in 0..<tile.count {
                for entry in (tile.starts[window]..<tile.starts[window + 1]).reversed() {
                    let row = entry - tile.first, g = space.meanGradient + row * stride + mean * d
                    let vector = tile.vectors + Int(tile.rows[entry]) * d
                    if entry + 1 < tile.starts[window + 1] { Kernels.axpy(kept, g + stride, into: g, count: d) }
                    Kernels.axpy(1 - kept, g, into: space.vectorGradient + row * d, count: d)
                    // dm/da = m_{p−1} − v
                    slope -= Kernels.dot(g, vector, count: d)
                    if entry > tile.starts[window] { slope += Kernels.dot(g, space.means + (row - 1) * stride + mean * d, count: d) }
                }
            }
            decays[mean] += slope * kept * (1 - kept)
        }
    }

    private func embedBackward(
        _ tile: SequenceTile, space: SequenceSpace, gradient: UnsafeMutablePointer<Float>, dropout: SequenceDropout?
    ) {
        dropout?.apply(space.gradient, count: tile.entries * d, place: 0)
        let types = place(.sequenceTypes, in: gradient), gaps = place(.sequenceGaps, in: gradient)
        let places = place(.sequencePlaces, in: gradient), scale = Float(d).squareRoot()
        for window in 0..<tile.count {
            for entry in tile.starts[window]..<tile.starts[window + 1] {
                let row = entry - tile.first, g = space.gradient + row * d
                Kernels.axpy(1, g, into: types + Int(tile.types[entry]) * d, count: d)
                Kernels.axpy(1, g, into: gaps + Int(tile.gaps[entry]) * d, count: d)
                if sequence.hasPlaces { Kernels.axpy(1, g, into: places + (entry - tile.starts[window]) * d, count: d) }
                Kernels.axpy(scale, g, into: space.vectorGradient + row * d, count: d - 1)
            }
        }
    }

    /// The way back through ``gather(entry:tile:space:attributes:into:)``: `outer` is the gradient of the inputs.
    func gatherBackward(
        entry: Int, space: SequenceSpace, outer: UnsafePointer<Float>, attributes: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>
    ) {
        let h = entry < 0 ? place(.sequenceEmpty, in: gradient) : space.outputGradient + entry * d
        Kernels.axpy(1, outer, into: h, count: d)
        guard sequence.hasNetwork else { return Kernels.axpy(1, outer, into: attributes, count: d) }
        if entry >= 0 {
            Kernels.axpy(1, outer + d, into: space.vectorGradient + entry * d, count: d)
            let width = sequence.means * d
            Kernels.axpy(1, outer + 2 * d, into: space.meanGradient + entry * width, count: width)
        }
        Kernels.axpy(1, outer + (2 + sequence.means) * d, into: attributes, count: d)
    }
}
