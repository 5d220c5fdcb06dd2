import Tensors
import TowerModel

extension TwoTowerModel {
    /// This model's vectors of a training set's items, `[set.itemCount, dimension]`; items that it does not know are encoded by content.
    public func teacherItems(_ set: TrainingSet, threads: Int = 1) -> Matrix {
        encodeItems(set.itemContents, rows: set.itemIDs.map { row(of: $0) }, threads: threads)
    }

    /// The vector of a user just before each of their events.
    ///
    /// The sequence tower sees half its window or more before an event, all of it where the history is short, so that a window of events
    /// costs two passes and not one for each; other towers see what they would when asked.
    ///
    /// - Parameters:
    ///   - user: user row of `set`. - items: from ``teacherItems(_:threads:)``.
    ///   - target: `[events of the user, dimension]`, overwritten.
    public func encodeBefore(user: Int, of set: TrainingSet, items: Matrix, into target: UnsafeMutablePointer<Float>) {
        precondition(items.rows == set.itemCount && items.columns == dimension, "\(items.shape) are no vectors of \(set.itemCount) items")
        let events = set.userStarts[user]..<set.userStarts[user + 1], length = historyLength
        items.withUnsafePointer { vectors in
            guard configuration.users.kind == .sequence else {
                let all = UnsafeBufferPointer(start: vectors, count: items.rows * dimension)
                for event in events {
                    let history = UserSequence(
                        events.lowerBound..<event, items: set.items, types: set.types, times: set.times, vectors: all, dimension: dimension,
                        limit: length)
                    let vector = encodeUser(history, attributes: set.userAttributes[user], now: set.times[event])
                    vector.withUnsafeBufferPointer {
                        if let from = $0.baseAddress {
                            (target + (event - events.lowerBound) * dimension).update(from: from, count: dimension)
                        }
                    }
                }
                return
            }
            var first = events.lowerBound, done = events.lowerBound
            while done < events.upperBound {
                // Entries from `first` on; those before an event are seen by it.
                let end = min(events.upperBound - 1, first + length), known = done
                let last = max(known, end)
                encodeWindow(
                    set, user: user, entries: first..<max(first, last), events: known..<last + 1, vectors: vectors,
                    into: target + (known - events.lowerBound) * dimension)
                done = last + 1
                first = max(first, done - max(1, length / 2))
            }
        }
    }

    /// The vectors before `events`, each of which follows one of `entries` or, where it is the first of all, none.
    private func encodeWindow(
        _ set: TrainingSet, user: Int, entries: Range<Int>, events: Range<Int>, vectors: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>
    ) {
        let n = entries.count, d = dimension, m = max(shape.inputWidth, d)
        let buckets = UserTokens.buckets(of: set.userAttributes[user], count: shape.userRows)
        let memory = FloatBuffer(SequenceSpace.floats(shape, entries: n, longest: n, forTraining: false))
        let inputs = FloatBuffer(events.count * m), inner = FloatBuffer(shape.hasNetwork ? events.count * shape.innerWidth : 0)
        let lengths = FloatBuffer(events.count), attributes = FloatBuffer(d)
        let rows = entries.map { set.items[$0] } + [0], types = entries.map { set.types[$0] } + [0]
        let gaps =
            entries.map { $0 == entries.lowerBound ? TimeBuckets.unknownGap : TimeBuckets.gap(from: set.times[$0 - 1], to: set.times[$0]) }
            + [0]
        dense.withUnsafePointer { dense in
            userTokens.withUnsafePointer { table in
                [0, n].withUnsafeBufferPointer { starts in
                    rows.withUnsafeBufferPointer { rows in
                        types.withUnsafeBufferPointer { types in
                            gaps.withUnsafeBufferPointer { gaps in
                                guard let starts = starts.baseAddress, let rows = rows.baseAddress, let types = types.baseAddress,
                                    let gaps = gaps.baseAddress
                                else { return }
                                let tower = SequenceTower(configuration, layout: layout, dense: dense)
                                let tile = SequenceTile(starts: starts, count: 1, rows: rows, types: types, gaps: gaps, vectors: vectors)
                                let space = SequenceSpace(shape, entries: n, longest: n, forTraining: false, base: memory.start)
                                tower.forward(tile, space: space, dropout: nil)
                                for (index, event) in events.enumerated() {
                                    let entry = event - 1 - entries.lowerBound
                                    let idle = entry < 0
                                        ? TowerShape.noIdle
                                        : PooledUserTower.nearest(
                                            TimeBuckets.idle(from: set.times[event - 1], to: set.times[event]), in: trainedIdle)
                                    tower.network.attributes(tokens: buckets[...], table: table, idle: idle, into: attributes.start)
                                    tower.gather(
                                        entry: entry, tile: tile, space: space, attributes: attributes.start, into: inputs.start + index * m
                                    )
                                }
                                if shape.hasNetwork {
                                    tower.network.forward(
                                        count: events.count, inputs: inputs.start, inner: inner.start, vectors: target,
                                        lengths: lengths.start)
                                } else {
                                    target.update(from: inputs.start, count: events.count * d)
                                    tower.network.finish(count: events.count, vectors: target, lengths: lengths.start)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
