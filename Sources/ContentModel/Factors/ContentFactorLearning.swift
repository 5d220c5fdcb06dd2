#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif
import Tensors

/// Learns ``ContentFactors``, also with some items left out, as if they were new.
public struct ContentFactorLearning: Sendable {
    /// Distinct (user, item) pairs that are learned from at most; with more, whole users are left out, evenly.
    public static let pairsLimit = 4_000_000
    private static let ridge: Float = 2
    private static let regressionSteps = 30
    private static let iterations = 8

    private let channel: ContentChannel
    private let vectors: [SparseContent]
    private let numbers: [[Float]]
    /// Each user's distinct items.
    private let starts: [Int]
    private let pairs: [Int32]
    private let counts: [Float]
    private let seed: UInt64

    /// Interactions by item, each user once.
    public var popularity: [Float] { counts }

    /// - Parameters:
    ///   - learning: of the same items.
    ///   - users: each user's entries of `events`, which hold item rows.
    /// - Complexity: O(events · log(events of a user)).
    public init(_ learning: ContentLearning, contents: [ItemContent], users: [Range<Int>], events: UnsafeBufferPointer<Int32>, seed: UInt64)
    {
        channel = learning.channel
        vectors = learning.vectors
        numbers = contents.map { learning.channel.numbers.values(of: $0) }
        self.seed = seed
        var starts = [0], pairs: [Int32] = []
        let total = users.reduce(0) { $0 + $1.count }
        let step = max(1, (total + Self.pairsLimit - 1) / Self.pairsLimit)
        var counts = [Float](repeating: 0, count: contents.count)
        for user in stride(from: 0, to: users.count, by: step) {
            var last: Int32 = -1
            for item in users[user].map({ events[$0] }).sorted() where item != last {
                pairs.append(item)
                counts[Int(item)] += 1
                last = item
            }
            starts.append(pairs.count)
        }
        self.starts = starts
        self.pairs = pairs
        self.counts = counts
    }

    /// The factors with every item that `isNew` names left out, of the histories too.
    ///
    /// - Returns: factors whose history rows are the rows of the items here.
    /// - Complexity: O(pairs · rank · iterations + tokens of all items · rank · steps)
    public func factors(rank: Int, without isNew: (Int) -> Bool = { _ in false }) -> ContentFactors {
        let items = counts.count
        let kept = (0..<items).map { counts[$0] > 0 && !isNew($0) }
        let scales = (0..<items).map { kept[$0] ? pow(counts[$0] + ContentFactors.damping, -ContentFactors.popularityPower) : 0 }
        let factors = singularVectors(rank: rank, scales: scales)
        let rows = (0..<items).filter { kept[$0] }, width = rank + 1
        guard !rows.isEmpty else {
            return ContentFactors(
                rank: rank, tokenRows: [Float](repeating: 0, count: channel.tokenCount * width),
                numberRows: [Float](repeating: 0, count: ContentNumbers.count * width), mean: [Float](repeating: 0, count: width),
                historyRows: [Float](repeating: 0, count: items * rank))
        }
        var mean = [Float](repeating: 0, count: width)
        var targets = [Float](repeating: 0, count: rows.count * width)
        for (place, row) in rows.enumerated() {
            for k in 0..<rank { targets[place * width + k] = factors[row * rank + k] }
            targets[place * width + rank] = log(counts[row] + 1)
            for k in 0..<width { mean[k] += targets[place * width + k] / Float(rows.count) }
        }
        for place in rows.indices { for k in 0..<width { targets[place * width + k] -= mean[k] } }
        let solution = regression(rows: rows, targets: targets, width: width)
        mean[rank] = 0
        var history = factors
        for row in 0..<items { for k in 0..<rank { history[row * rank + k] *= scales[row] } }
        let tokens = channel.tokenCount * width
        return ContentFactors(
            rank: rank, tokenRows: Array(solution[..<tokens]), numberRows: Array(solution[tokens...]), mean: mean, historyRows: history)
    }

    /// An item as factors see it.
    public func item(_ row: Int, in factors: ContentFactors) -> ContentFactors.Item { factors.item(vectors[row], numbers: numbers[row]) }

    /// The right singular vectors of the damped users × items matrix, `[items, rank]`, by subspace iteration (Halko et al. 2011).
    private func singularVectors(rank: Int, scales: [Float]) -> [Float] {
        let items = scales.count, users = starts.count - 1
        var random = SeededGenerator(seed: seed, stream: 0x6661_6374)
        var basis = Matrix.normal(rows: items, columns: rank, deviation: 1, using: &random).values
        var userScales = [Float](repeating: 0, count: users)
        for user in 0..<users {
            let count = (starts[user]..<starts[user + 1]).reduce(Float(0)) { $0 + (scales[Int(pairs[$1])] > 0 ? 1 : 0) }
            userScales[user] = 1 / (count + ContentFactors.damping)
        }
        for _ in 0..<Self.iterations {
            for row in 0..<items { for k in 0..<rank { basis[row * rank + k] *= scales[row] } }
            var next = [Float](repeating: 0, count: items * rank)
            basis.withUnsafeBufferPointer { basis in
                next.withUnsafeMutableBufferPointer { next in
                    pairs.withUnsafeBufferPointer { pairs in
                        withUnsafeTemporaryAllocation(of: Float.self, capacity: rank) { sum in
                            for user in 0..<users {
                                for k in 0..<rank { sum[k] = 0 }
                                for pair in starts[user]..<starts[user + 1] {
                                    let from = Int(pairs[pair]) &* rank
                                    for k in 0..<rank { sum[k] += basis[from &+ k] }
                                }
                                for k in 0..<rank { sum[k] *= userScales[user] }
                                for pair in starts[user]..<starts[user + 1] {
                                    let to = Int(pairs[pair]) &* rank
                                    for k in 0..<rank { next[to &+ k] += sum[k] }
                                }
                            }
                        }
                    }
                }
            }
            for row in 0..<items { for k in 0..<rank { next[row * rank + k] *= scales[row] } }
            basis = Self.orthonormal(next, rows: items, columns: rank)
        }
        return basis
    }

    /// The columns made orthogonal and of unit length, one after the other; one that vanishes becomes zeros.
    ///
    /// Each column is freed of all before it at once, and again for what rounding left: classical Gram–Schmidt twice (Giraud et al. 2005,
    /// doi 10.1007/s00211-005-0615-4). So each step reads the rows in their order.
    private static func orthonormal(_ values: [Float], rows: Int, columns: Int) -> [Float] {
        var result = values
        result.withUnsafeMutableBufferPointer { result in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: columns) { products in
                for column in 0..<columns {
                    for _ in 0..<2 where column > 0 {
                        for other in 0..<column { products[other] = 0 }
                        for row in 0..<rows {
                            let start = row &* columns, own = Double(result[start &+ column])
                            for other in 0..<column { products[other] += own * Double(result[start &+ other]) }
                        }
                        for row in 0..<rows {
                            let start = row &* columns
                            var shadow = 0.0
                            for other in 0..<column { shadow += products[other] * Double(result[start &+ other]) }
                            result[start &+ column] -= Float(shadow)
                        }
                    }
                    var square = 0.0
                    for row in 0..<rows { square += Double(result[row &* columns &+ column]) * Double(result[row &* columns &+ column]) }
                    let scale = square > 1e-20 ? Float(1 / square.squareRoot()) : 0
                    for row in 0..<rows { result[row &* columns &+ column] *= scale }
                }
            }
        }
        return result
    }

    /// Ridge regression of several targets at once by conjugate gradients, each column with its own step.
    private func regression(rows: [Int], targets: [Float], width: Int) -> [Float] {
        let tokens = channel.tokenCount, size = (tokens + ContentNumbers.count) * width
        func add(_ place: Int, _ row: Int, _ values: UnsafePointer<Float>, _ into: UnsafeMutablePointer<Float>) {
            for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) {
                let to = into + Int(token) &* width
                for k in 0..<width { to[k] += weight * values[k] }
            }
            for (number, value) in numbers[row].enumerated() {
                let to = into + (tokens &+ number) &* width
                for k in 0..<width { to[k] += value * values[k] }
            }
        }
        func forward(_ row: Int, _ w: UnsafePointer<Float>, _ sum: UnsafeMutablePointer<Float>) {
            for k in 0..<width { sum[k] = 0 }
            for (token, weight) in zip(vectors[row].tokens, vectors[row].weights) {
                let from = w + Int(token) &* width
                for k in 0..<width { sum[k] += weight * from[k] }
            }
            for (number, value) in numbers[row].enumerated() {
                let from = w + (tokens &+ number) &* width
                for k in 0..<width { sum[k] += value * from[k] }
            }
        }
        func squares(_ values: [Float]) -> [Double] {
            var sums = [Double](repeating: 0, count: width)
            for start in stride(from: 0, to: values.count, by: width) {
                for k in 0..<width { sums[k] += Double(values[start + k]) * Double(values[start + k]) }
            }
            return sums
        }
        var w = [Float](repeating: 0, count: size), residual = w
        residual.withUnsafeMutableBufferPointer { residual in
            targets.withUnsafeBufferPointer { targets in
                guard let into = residual.baseAddress, let from = targets.baseAddress else { return }
                for (place, row) in rows.enumerated() { add(place, row, from + place * width, into) }
            }
        }
        var direction = residual, square = squares(residual)
        for _ in 0..<Self.regressionSteps {
            var image = direction.map { Self.ridge * $0 }
            image.withUnsafeMutableBufferPointer { image in
                direction.withUnsafeBufferPointer { direction in
                    guard let into = image.baseAddress, let from = direction.baseAddress else { return }
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { sum in
                        guard let sum = sum.baseAddress else { return }
                        for (place, row) in rows.enumerated() {
                            forward(row, from, sum)
                            add(place, row, sum, into)
                        }
                    }
                }
            }
            var curved = [Double](repeating: 0, count: width)
            for start in stride(from: 0, to: size, by: width) {
                for k in 0..<width { curved[k] += Double(direction[start + k]) * Double(image[start + k]) }
            }
            let steps = (0..<width).map { curved[$0] > 1e-30 ? Float(square[$0] / curved[$0]) : 0 }
            for start in stride(from: 0, to: size, by: width) {
                for k in 0..<width {
                    w[start + k] += steps[k] * direction[start + k]
                    residual[start + k] -= steps[k] * image[start + k]
                }
            }
            let next = squares(residual)
            let turns = (0..<width).map { square[$0] > 1e-30 ? Float(next[$0] / square[$0]) : 0 }
            for start in stride(from: 0, to: size, by: width) {
                for k in 0..<width { direction[start + k] = residual[start + k] + turns[k] * direction[start + k] }
            }
            square = next
        }
        return w
    }
}
