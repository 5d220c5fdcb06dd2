import Foundation
import Simulation

/// Vectors and queries of the index workload, `[_, dimension]`, row-major, of unit length.
public struct IndexBenchData {
    /// The items' vectors, one after another.
    package private(set) var vectors: [Float]
    /// The queries' vectors, one after another.
    package private(set) var queries: [Float]
    let dimension: Int

    /// A gaussian mixture: a centre for about 500 vectors, drawn with weights 1/√rank, and noise 1.25 times as long as a centre.
    public static func mixture(vectors: Int, queries: Int, dimension: Int, seed: UInt64) -> IndexBenchData {
        var random = SplitMix64(seed: seed)
        func normal() -> Float {
            // Box and Muller 1958.
            let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random))).squareRoot()
            return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random)))
        }
        func normalised(_ vector: [Float]) -> [Float] {
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return vector.map { $0 / length }
        }
        let centres = (0..<max(16, vectors / 500)).map { _ in normalised((0..<dimension).map { _ in normal() }) }
        var weights: [Double] = []
        var sum = 0.0
        for rank in 1...centres.count {
            sum += 1 / Double(rank).squareRoot()
            weights.append(sum)
        }
        let noise = 1.25 / Float(dimension).squareRoot()
        func draw(_ count: Int) -> [Float] {
            var drawn: [Float] = []
            drawn.reserveCapacity(count * dimension)
            for _ in 0..<count {
                let place = Double.random(in: 0..<sum, using: &random)
                let centre = centres[weights.partitioningIndex { $0 > place }]
                drawn.append(contentsOf: normalised(centre.map { $0 + noise * normal() }))
            }
            return drawn
        }
        return IndexBenchData(vectors: draw(vectors), queries: draw(queries), dimension: dimension)
    }

    /// Reads `vectors.f32` and `queries.f32` of a folder: floats in the machine's order, nothing else.
    ///
    /// - Throws: ``IndexBenchError`` for a file of another size; the system's error where it cannot be read.
    public static func read(folder: String, dimension: Int) throws -> IndexBenchData {
        func floats(_ name: String) throws -> [Float] {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder).appendingPathComponent(name), options: .alwaysMapped)
            guard data.count % (4 * dimension) == 0, !data.isEmpty else {
                throw IndexBenchError(
                    description: "\(folder)/\(name) has \(data.count) bytes, no whole number of vectors of \(dimension) floats.")
            }
            return data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        }
        return IndexBenchData(vectors: try floats("vectors.f32"), queries: try floats("queries.f32"), dimension: dimension)
    }
}

/// What is wrong with the workload's files.
public struct IndexBenchError: Error, CustomStringConvertible {
    /// The file and what is wrong with it.
    public let description: String
}

extension [Double] {
    /// The first place whose element fulfils the condition, where all after it do; the last place if none does.
    fileprivate func partitioningIndex(_ belongs: (Double) -> Bool) -> Int {
        var low = 0
        var high = count - 1
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
