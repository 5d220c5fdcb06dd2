import Tensors

/// A user's history at request time: item vectors with the type and time of each interaction, oldest first.
///
/// Items that no vector exists for are simply not appended. Keeps the newest `limit` entries.
public struct UserSequence: Sendable {
    /// Length of each vector.
    public let dimension: Int
    /// Entries kept at most.
    public let limit: Int
    /// `[count, dimension]`; may hold up to `limit` older entries that were pushed out, before `start`.
    package private(set) var vectors: [Float] = []
    /// Type of each entry, with those of ``vectors`` that were pushed out.
    package private(set) var types: [UInt8] = []
    /// Time of each entry in milliseconds, the same.
    package private(set) var times: [Int64] = []
    /// Entries that were pushed out and are still held.
    package private(set) var start = 0

    /// An empty history.
    public init(dimension: Int, limit: Int = 50) {
        precondition(dimension > 0 && limit > 0, "a history of \(limit) entries of length \(dimension)")
        self.dimension = dimension
        self.limit = limit
        vectors.reserveCapacity(dimension * limit)
        types.reserveCapacity(limit)
        times.reserveCapacity(limit)
    }

    /// Entries held.
    public var count: Int { types.count - start }

    /// Appends the next newer interaction. `vector.count` must be ``dimension``; unknown types count as clicks.
    public mutating func append(vector: UnsafeBufferPointer<Float>, type: UInt8, time: Int64) {
        precondition(vector.count == dimension, "a vector of length \(vector.count) in a history of length \(dimension)")
        vectors.append(contentsOf: vector)
        types.append(type < UInt8(TowerShape.typeCount) ? type : 1)
        times.append(time)
        guard count > limit else { return }
        start += 1
        // Moving the rest only now and then keeps an append cheap.
        if start >= limit {
            vectors.removeFirst(start * dimension)
            types.removeFirst(start)
            times.removeFirst(start)
            start = 0
        }
    }

    /// Appends from an array; see the variant over a buffer.
    public mutating func append(vector: [Float], type: UInt8, time: Int64) {
        vector.withUnsafeBufferPointer { append(vector: $0, type: type, time: time) }
    }

    /// Forgets all entries and keeps the memory.
    public mutating func removeAll() {
        vectors.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        start = 0
    }
}

extension PooledUserTower {
    /// The vector of one user, d floats, from entries counted from the newest.
    ///
    /// - Parameters:
    ///   - tokens: rows of the user token table; table: `[userRows, d]`.
    ///   - now: milliseconds since 1970; trainedIdle: the idle buckets that training met.
    package func encode(
        vectors: UnsafeBufferPointer<Float>, length: Int, type: (Int) -> UInt8, time: (Int) -> Int64, row: (Int) -> Int32,
        tokens: ArraySlice<Int32>, table: UnsafePointer<Float>, now: Int64, trainedIdle: [Bool]
    ) -> [Float] {
        let shape = layout.shape, d = shape.dimension
        let idle =
            length > 0
            ? Self.nearest(TimeBuckets.idle(milliseconds: TimeBuckets.difference(now, time(0))), in: trainedIdle) : TowerShape.noIdle
        let floats = shape.inputWidth + shape.innerWidth + 1 + shape.heads * length + 1
        return [Float](unsafeUninitializedCapacity: d) { output, written in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: floats) { scratch in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: length + 1) { rows in
                    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * length + 2) { bytes in
                        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { starts in
                            guard let inputs = scratch.baseAddress, let rows = rows.baseAddress, let types = bytes.baseAddress,
                                let starts = starts.baseAddress, let u = output.baseAddress
                            else { return }
                            let gaps = types + length + 1, inner = inputs + shape.inputWidth
                            let lengths = inner + shape.innerWidth, attention = lengths + 1
                            starts[0] = 0
                            starts[1] = length
                            for j in 0..<length {
                                rows[j] = row(j)
                                types[j] = type(j)
                                gaps[j] = TimeBuckets.gap(milliseconds: TimeBuckets.difference(time(0), time(j)))
                            }
                            // An empty history never reads a vector, so any address will do for it.
                            let batch = HistoryBatch(
                                starts: starts, rows: rows, types: types, gaps: gaps, vectors: vectors.baseAddress ?? table)
                            pool(batch, entry: 0, length: length, attention: attention, input: inputs)
                            network.attributes(tokens: tokens, table: table, idle: idle, into: inputs + shape.heads * d)
                            network.forward(count: 1, inputs: inputs, inner: inner, vectors: u, lengths: lengths)
                        }
                    }
                }
            }
            written = d
        }
    }

    /// The nearest bucket that training met, the smaller of equally near ones; none where training met none. A shop whose data
    /// never has users return within the hour has learned nothing about that, so the nearest it has learned stands in.
    package static func nearest(_ bucket: UInt8, in trained: [Bool]) -> UInt8 {
        for distance in 0..<trained.count {
            let (below, above) = (Int(bucket) - distance, Int(bucket) + distance)
            if below >= 0, below < trained.count, trained[below] { return UInt8(below) }
            if above < trained.count, trained[above] { return UInt8(above) }
        }
        return TowerShape.noIdle
    }
}
