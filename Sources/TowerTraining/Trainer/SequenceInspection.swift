import Tensors
import TowerModel

/// For checks of the sequence tower; a training does not use it.
extension Trainer {
    /// What the sequence tower makes of histories in training, all in one tile: for each the user's vector after every entry.
    ///
    /// - Parameter histories: item rows, oldest first, no longer than the window; clicks a minute apart, of users without attributes who
    ///   ask a minute after their last one.
    public func userVectors(histories: [[Int32]]) -> [[[Float]]] {
        let shape = parameters.shape, d = shape.dimension
        precondition(shape.sequence != nil, "only the sequence tower has a vector after every entry")
        let pass = ItemPass(parameters, content: content, configuration: configuration)
        pass.forward((0..<Int32(set.itemCount)).map { $0 }, key: 0, rate: 0)
        var starts = [0], rows: [Int32] = [], types: [UInt8] = [], gaps: [UInt8] = []
        for history in histories {
            rows += history
            types += history.map { _ in 1 }
            gaps += history.indices.map { $0 == 0 ? TimeBuckets.unknownGap : TimeBuckets.gap(milliseconds: 60_000) }
            starts.append(rows.count)
        }
        let tower = SequenceTower(configuration, layout: parameters.layout, dense: parameters.dense.start)
        let idle = PooledUserTower.nearest(TimeBuckets.idle(milliseconds: 60_000), in: plan.idleBuckets(set))
        let result = FloatBuffer(rows.count * d), attributes = FloatBuffer(d), n = rows.count
        let inputs = FloatBuffer(n * max(d, shape.inputWidth)), inner = FloatBuffer(n * shape.innerWidth), lengths = FloatBuffer(n)
        starts.withUnsafeBufferPointer { starts in
            rows.withUnsafeBufferPointer { rows in
                types.withUnsafeBufferPointer { types in
                    gaps.withUnsafeBufferPointer { gaps in
                        guard let starts = starts.baseAddress, let rows = rows.baseAddress, let types = types.baseAddress,
                            let gaps = gaps.baseAddress
                        else { return }
                        let tile = SequenceTile(
                            starts: starts, count: histories.count, rows: rows, types: types, gaps: gaps, vectors: pass.vectors.start)
                        let memory = FloatBuffer(
                            SequenceSpace.floats(shape, entries: n, longest: tile.longest, forTraining: true))
                        let space = SequenceSpace(
                            shape, entries: n, longest: tile.longest, forTraining: true, base: memory.start)
                        tower.forward(tile, space: space, dropout: nil)
                        tower.network.attributes(
                            tokens: [], table: parameters.table(.userTokens).start, idle: idle, into: attributes.start)
                        for entry in 0..<n {
                            tower.gather(
                                entry: entry, tile: tile, space: space, attributes: attributes.start,
                                into: inputs.start + entry * shape.inputWidth)
                        }
                        if shape.hasNetwork {
                            tower.network.forward(
                                count: n, inputs: inputs.start, inner: inner.start, vectors: result.start, lengths: lengths.start)
                        } else {
                            result.start.update(from: inputs.start, count: n * d)
                            tower.network.finish(count: n, vectors: result.start, lengths: lengths.start)
                        }
                    }
                }
            }
        }
        return zip(starts, starts.dropFirst()).map { from, to in
            (from..<to).map { Array(UnsafeBufferPointer(start: result.start + $0 * d, count: d)) }
        }
    }
}
