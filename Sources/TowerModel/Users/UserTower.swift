import Tensors

/// The user tower of a model, whichever form it has, as serving and validation use it.
package enum UserTower {
    case pooled(PooledUserTower)
    case sequence(SequenceTower)

    /// The tower that a configuration describes.
    package init(_ configuration: TowerConfiguration, layout: DenseLayout, dense: UnsafePointer<Float>) {
        switch configuration.users.kind {
        case .pooled: self = .pooled(PooledUserTower(configuration, layout: layout, dense: dense))
        case .sequence: self = .sequence(SequenceTower(configuration, layout: layout, dense: dense))
        }
    }

    /// The vector of one user; see ``PooledUserTower``.
    package func encode(
        _ sequence: UserSequence, tokens: ArraySlice<Int32>, table: UnsafePointer<Float>, now: Int64, trainedIdle: [Bool]
    ) -> [Float] {
        sequence.vectors.withUnsafeBufferPointer { vectors in
            let last = sequence.types.count - 1
            return encode(
                vectors: vectors, count: sequence.count, type: { sequence.types[last - $0] }, time: { sequence.times[last - $0] },
                row: { Int32(last - $0) }, tokens: tokens, table: table, now: now, trainedIdle: trainedIdle)
        }
    }

    /// The vector of one user from entries counted from the newest, `count` of them or more than the tower sees.
    package func encode(
        vectors: UnsafeBufferPointer<Float>, count: Int, type: (Int) -> UInt8, time: (Int) -> Int64, row: (Int) -> Int32,
        tokens: ArraySlice<Int32>, table: UnsafePointer<Float>, now: Int64, trainedIdle: [Bool]
    ) -> [Float] {
        switch self {
        case .pooled(let tower):
            tower.encode(
                vectors: vectors, length: min(count, tower.layout.shape.historyLength), type: type, time: time, row: row, tokens: tokens,
                table: table, now: now, trainedIdle: trainedIdle)
        case .sequence(let tower):
            tower.encode(
                vectors: vectors, count: count, type: type, time: time, row: row, tokens: tokens, table: table, now: now,
                trainedIdle: trainedIdle)
        }
    }
}

extension SequenceTower {
    /// The vector of one user from entries counted from the newest.
    package func encode(
        vectors: UnsafeBufferPointer<Float>, count: Int, type: (Int) -> UInt8, time: (Int) -> Int64, row: (Int) -> Int32,
        tokens: ArraySlice<Int32>, table: UnsafePointer<Float>, now: Int64, trainedIdle: [Bool]
    ) -> [Float] {
        let shape = layout.shape, length = min(count, shape.historyLength)
        let idle = length > 0
            ? PooledUserTower.nearest(TimeBuckets.idle(from: time(0), to: now), in: trainedIdle) : TowerShape.noIdle
        let memory = SequenceSpace.floats(shape, entries: length, longest: length, forTraining: false)
        let inputs = max(shape.inputWidth, d), inner = shape.hasNetwork ? shape.innerWidth : 0
        return [Float](unsafeUninitializedCapacity: d) { output, written in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: memory + inputs + inner + d + 1 + 16) { floats in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: length + 1) { rows in
                    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * length + 2) { bytes in
                        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { starts in
                            guard let base = floats.baseAddress, let rows = rows.baseAddress, let types = bytes.baseAddress,
                                let starts = starts.baseAddress, let u = output.baseAddress
                            else { return }
                            let gaps = types + length + 1
                            starts[0] = 0
                            starts[1] = length
                            for j in 0..<length {
                                let age = length - 1 - j
                                rows[j] = row(age)
                                types[j] = type(age)
                                gaps[j] = j == 0 ? TimeBuckets.unknownGap : TimeBuckets.gap(from: time(age + 1), to: time(age))
                            }
                            // An empty history never reads a vector, so any address will do for it.
                            let tile = SequenceTile(
                                starts: starts, count: 1, rows: rows, types: types, gaps: gaps, vectors: vectors.baseAddress ?? table)
                            let space = SequenceSpace(
                                shape, entries: length, longest: length, forTraining: false, base: base)
                            forward(tile, space: space, dropout: nil)
                            let input = base + memory, attributes = input + inputs
                            network.attributes(tokens: tokens, table: table, idle: idle, into: attributes)
                            gather(entry: length - 1, tile: tile, space: space, attributes: attributes, into: input)
                            let hidden = attributes + d, size = hidden + inner
                            if shape.hasNetwork {
                                network.forward(count: 1, inputs: input, inner: hidden, vectors: u, lengths: size)
                            } else {
                                u.update(from: input, count: d)
                                network.finish(count: 1, vectors: u, lengths: size)
                            }
                        }
                    }
                }
            }
            written = d
        }
    }
}
