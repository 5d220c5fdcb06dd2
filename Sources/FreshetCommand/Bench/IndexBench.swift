import Evaluation
import Foundation
import Recommending
import Simulation
import VectorIndex

/// The index workload: vectors in gaussian clusters, built, then searched by one thread; recall against the exact answer.
struct IndexBench {
    let vectors: Int
    let dimension = 64
    let clusters = 256
    let queries = 300
    let count = 100

    func run() throws -> ResultLine {
        var random = SplitMix64(seed: 5)
        func normal() -> Double {
            // Box and Muller 1958.
            let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random))).squareRoot()
            return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
        }
        let centres = (0..<clusters * dimension).map { _ in Float(normal()) / 8 }
        func draw(_ place: Int) -> [Float] {
            var vector = (0..<dimension).map { centres[place % clusters * dimension + $0] + Float(normal()) * 0.125 }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for index in vector.indices { vector[index] /= length }
            return vector
        }
        var rows: [Float] = []
        rows.reserveCapacity(vectors * dimension)
        for place in 0..<vectors { rows.append(contentsOf: draw(place)) }
        let asked = (0..<queries).map { draw($0 &* 31) }

        let building = ContinuousClock.now
        let index = try ItemIndex.build(vectors: rows, dimension: dimension, threads: 2)
        let buildSeconds = building.duration(to: .now).inSeconds
        let searching = ContinuousClock.now
        let found = asked.map { query in query.withUnsafeBufferPointer { index.search($0, count: count) } }
        let searchSeconds = searching.duration(to: .now).inSeconds
        var hits = 0
        for (query, answer) in zip(asked, found) {
            let exact = Self.exact(query, rows: rows, dimension: dimension, count: count)
            hits += exact.intersection(answer.map(\.row)).count
        }
        return ResultLine([
            "bench": .text("index"), "vectors": .integer(vectors), "dimension": .integer(dimension), "build_seconds": .number(buildSeconds),
            "qps_1thread": .number((Double(queries) / searchSeconds).rounded()),
            "recall_at_100": .number(Double(hits) / Double(queries * count)),
        ])
    }

    private static func exact(_ query: [Float], rows: [Float], dimension: Int, count: Int) -> Set<Int32> {
        var scores: [Float] = []
        scores.reserveCapacity(rows.count / dimension)
        rows.withUnsafeBufferPointer { values in
            for row in 0..<values.count / dimension {
                var sum: Float = 0
                for index in 0..<dimension { sum += values[row * dimension + index] * query[index] }
                scores.append(sum)
            }
        }
        return Set(topRows(count, of: scores))
    }
}
