import Tensors
import TowerModel

/// Tokens turned round: which places (items or examples) have a token row, for updates that visit each row once.
struct TokenTranspose {
    /// Token rows that occur, ascending.
    private(set) var buckets: [Int32] = []
    /// Bucket i is at the places `starts[i]..<starts[i + 1]`.
    private(set) var starts: [Int] = [0]
    private(set) var places: [Int32] = []
    private(set) var weights: [Float] = []

    /// Turns the tokens of `rows` round; `range` gives the tokens of a row.
    init(
        _ rows: [Int32], bucketCount: Int, range: (Int32) -> Range<Int>, buckets all: [Int32], weight: (Int) -> Float
    ) {
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
}

extension TokenTranspose {
    /// The user tokens of a step's users turned round.
    init(_ gradients: StepGradients, userTokens: UserTokens, shape: TowerShape) {
        self.init(
            gradients.users, bucketCount: shape.userRows, range: userTokens.range, buckets: userTokens.buckets,
            weight: { _ in UserTokens.weight })
    }
}
