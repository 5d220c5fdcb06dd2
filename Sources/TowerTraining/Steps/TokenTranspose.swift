import Tensors
import TowerModel

/// Tokens turned round: which places (items or examples) have a token row, for updates that visit each row once.
package struct TokenTranspose: Equatable {
    /// Token rows that occur, ascending.
    package private(set) var buckets: [Int32] = []
    /// Bucket i is at the places `starts[i]..<starts[i + 1]`.
    package private(set) var starts: [Int] = [0]
    /// Rows that have the token, by their place, in their order.
    package private(set) var places: [Int32] = []
    /// The weight of the token in each of them.
    package private(set) var weights: [Float] = []

    /// Turns the tokens of `rows` round; `range` gives the tokens of a row.
    package init(
        _ rows: [Int32], bucketCount: Int, range: (Int32) -> Range<Int>, buckets all: [Int32], weight: (Int) -> Float
    ) {
        guard bucketCount > 0 else { return }
        let found = rows.reduce(0) { $0 + range($1).count }
        guard found >= bucketCount / Self.sortedShare else {
            sort(rows, count: found, range: range, buckets: all, weight: weight)
            return
        }
        var counts = [Int32](repeating: 0, count: bucketCount)
        var total = 0
        for row in rows {
            for index in range(row) {
                counts[Int(all[index])] += 1
                total += 1
            }
        }
        places = [Int32](repeating: 0, count: total)
        weights = [Float](repeating: 0, count: total)
        var next = 0
        for bucket in 0..<bucketCount where counts[bucket] > 0 {
            buckets.append(Int32(bucket))
            let count = Int(counts[bucket])
            counts[bucket] = Int32(next)
            next += count
            starts.append(next)
        }
        for (place, row) in rows.enumerated() {
            for index in range(row) {
                let bucket = Int(all[index]), target = Int(counts[bucket])
                places[target] = Int32(place)
                weights[target] = weight(index)
                counts[bucket] += 1
            }
        }
    }

    /// The arrays of tokens turned round, borrowed for parallel loops: arrays would be counted by every thread at each access.
    struct Pointers {
        /// Token rows.
        let count: Int
        let buckets: UnsafePointer<Int32>
        let starts: UnsafePointer<Int>
        let places: UnsafePointer<Int32>
        let weights: UnsafePointer<Float>
    }

    /// Lends the arrays while `body` runs; it does not where there are no tokens.
    func withPointers(_ body: (Pointers) -> Void) {
        buckets.withUnsafeBufferPointer { buckets in
            starts.withUnsafeBufferPointer { starts in
                places.withUnsafeBufferPointer { places in
                    weights.withUnsafeBufferPointer { weights in
                        guard let first = buckets.baseAddress, let starts = starts.baseAddress, let places = places.baseAddress,
                            let weights = weights.baseAddress
                        else { return }
                        body(Pointers(count: buckets.count, buckets: first, starts: starts, places: places, weights: weights))
                    }
                }
            }
        }
    }

    /// Where fewer than a bucket in so many has a token, tokens are sorted: going over all buckets would take longer. The result is the
    /// same.
    private static let sortedShare = 16

    private mutating func sort(
        _ rows: [Int32], count: Int, range: (Int32) -> Range<Int>, buckets all: [Int32], weight: (Int) -> Float
    ) {
        // Bucket and number of a token in one word: equal buckets stay in the order of their places.
        var keys: [UInt64] = [], places: [Int32] = [], indices: [Int] = []
        keys.reserveCapacity(count)
        for (place, row) in rows.enumerated() {
            for index in range(row) {
                keys.append(UInt64(UInt32(bitPattern: all[index])) << 32 | UInt64(keys.count))
                places.append(Int32(place))
                indices.append(index)
            }
        }
        keys.sort()
        for (number, key) in keys.enumerated() {
            let bucket = Int32(truncatingIfNeeded: key >> 32), token = Int(key & 0xffff_ffff)
            if buckets.last != bucket {
                buckets.append(bucket)
                starts.append(number)
            }
            starts[starts.count - 1] = number + 1
            self.places.append(places[token])
            weights.append(weight(indices[token]))
        }
    }
}

extension TokenTranspose {
    /// The user tokens of a step's users turned round.
    init(_ gradients: StepGradients, userTokens: UserTokens, shape: TowerShape) {
        self = userTokens.withRows { tokens in
            TokenTranspose(
                gradients.users, bucketCount: shape.userRows, range: { tokens.range(of: $0) }, buckets: userTokens.buckets,
                weight: { _ in UserTokens.weight })
        }
    }
}
