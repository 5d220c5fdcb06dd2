/// Unit vectors around random centres: what item vectors look like after training.
struct Clusters {
    var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform() -> Float { Float(next() >> 40) / Float(1 << 24) }

    /// Nearly normal: the sum of twelve uniform numbers.
    mutating func normal() -> Float {
        var sum: Float = -6
        for _ in 0..<12 { sum += uniform() }
        return sum
    }

    mutating func unit(_ dimension: Int, around centre: [Float]? = nil, spread: Float = 1) -> [Float] {
        var vector = (0..<dimension).map { (centre?[$0] ?? 0) + spread * normal() }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for place in vector.indices { vector[place] /= length }
        return vector
    }

    mutating func table(_ count: Int, _ dimension: Int, centres: Int) -> [Float] {
        let middles = (0..<centres).map { _ in unit(dimension) }
        var table: [Float] = []
        table.reserveCapacity(count * dimension)
        for row in 0..<count { table += unit(dimension, around: middles[row % centres], spread: 0.08) }
        return table
    }
}

/// The rows with the largest inner products, by the plainest means.
func exactRows(_ table: [Float], _ dimension: Int, _ query: [Float], _ count: Int) -> [Int32] {
    let scores = (0..<table.count / dimension).map { row in
        (0..<dimension).reduce(Double(0)) { $0 + Double(table[row * dimension + $1]) * Double(query[$1]) }
    }
    let order = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    return order.prefix(count).map { Int32($0) }
}
