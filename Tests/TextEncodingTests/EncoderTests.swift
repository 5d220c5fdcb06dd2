import Tensors
import Testing
import TextEncoding

@Suite struct EncoderTests {
    /// Random weights by name, the same for the same name.
    private final class Weights {
        var seen: [String: [Float]] = [:]

        func callAsFunction(_ name: String, _ count: Int) -> [Float] {
            if let known = seen[name] { return known }
            var random = SeededGenerator(seed: UInt64(seen.count + 1), stream: 7)
            let isGain = name.hasSuffix("LayerNorm.weight")
            let values = (0..<count).map { _ in (isGain ? 1 : 0) + 0.4 * random.normal() }
            seen[name] = values
            return values
        }
    }

    private let shape = TextEncoderShape(vocabulary: 12, width: 8, layers: 2, heads: 2, inner: 16, positions: 10)

    private func tokenizer() throws -> WordPieceTokenizer {
        try #require(WordPieceTokenizer(vocabulary: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "e", "f", "g", "h"]))
    }

    @Test("the encoder computes what its formula says, number by number")
    func reference() throws {
        let weights = Weights()
        let encoder = try TextEncoder(shape: shape, tokenizer: tokenizer(), maxTokens: 10) { weights($0, $1) }
        let texts = ["a b c", "h", "d e f g h a b c d e f"]
        let vectors = encoder.encode(texts)
        for (row, text) in texts.enumerated() {
            let expected = SlowEncoder(shape: shape, weights: weights.seen).vector(encoder.tokenizer.rows(of: text, limit: 10))
            for (got, want) in zip(vectors.row(row), expected) { #expect(abs(got - Float(want)) < 2e-5, "\(text): \(got) \(want)") }
        }
    }

    @Test("threads and company change nothing")
    func company() throws {
        let weights = Weights()
        let encoder = try TextEncoder(shape: shape, tokenizer: tokenizer(), maxTokens: 10) { weights($0, $1) }
        let texts = (0..<40).map { String("abcdefgh".prefix($0 % 8 + 1).map { String($0) }.joined(separator: " ")) }
        let together = encoder.encode(texts, threads: 2)
        for (row, text) in texts.enumerated() {
            for (left, right) in zip(together.row(row), encoder.encode([text]).row(0)) { #expect(abs(left - right) < 1e-5) }
        }
    }

    @Test("a missing tensor and impossible sizes are named")
    func refused() throws {
        #expect(throws: TextEncoderError.self) {
            try TextEncoder(shape: shape, tokenizer: tokenizer(), maxTokens: 10) { name, count in
                name.contains("layer.1.output.dense.bias") ? nil : [Float](repeating: 0, count: count)
            }
        }
        var odd = shape
        odd.heads = 3
        #expect(throws: TextEncoderError.self) {
            try TextEncoder(shape: odd, tokenizer: tokenizer(), maxTokens: 10) { [Float](repeating: 0, count: $1) }
        }
    }
}

/// The encoder written out in Double, term by term.
private struct SlowEncoder {
    let shape: TextEncoderShape
    let weights: [String: [Float]]

    private func value(_ name: String, _ index: Int) -> Double { Double(weights[name]?[index] ?? .nan) }

    func vector(_ rows: [Int32]) -> [Double] {
        let w = shape.width
        var x = rows.enumerated().map { place, row in
            (0..<w).map {
                value("embeddings.word_embeddings.weight", Int(row) * w + $0)
                    + value("embeddings.position_embeddings.weight", place * w + $0)
                    + value("embeddings.token_type_embeddings.weight", $0)
            }
        }
        x = x.map { norm($0, "embeddings.LayerNorm") }
        for layer in 0..<shape.layers {
            let name = "encoder.layer.\(layer)."
            let q = x.map { linear($0, name + "attention.self.query", w) }, k = x.map { linear($0, name + "attention.self.key", w) }
            let v = x.map { linear($0, name + "attention.self.value", w) }
            let depth = w / shape.heads
            for i in x.indices {
                var mixed = [Double](repeating: 0, count: w)
                for head in 0..<shape.heads {
                    let part = head * depth..<(head + 1) * depth
                    let scores = x.indices.map { j in exponential(part.reduce(0) { $0 + q[i][$1] * k[j][$1] } / Double(depth).squareRoot())
                    }
                    let total = scores.reduce(0, +)
                    for column in part { mixed[column] = x.indices.reduce(0) { $0 + scores[$1] / total * v[$1][column] } }
                }
                let out = linear(mixed, name + "attention.output.dense", w)
                x[i] = norm(zip(x[i], out).map(+), name + "attention.output.LayerNorm")
            }
            for i in x.indices {
                let hidden = linear(x[i], name + "intermediate.dense", shape.inner).map { $0 * normalDistribution($0) }
                x[i] = norm(zip(x[i], linear(hidden, name + "output.dense", w)).map(+), name + "output.LayerNorm")
            }
        }
        let mean = (0..<w).map { column in x.reduce(0) { $0 + $1[column] } / Double(x.count) }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return mean.map { $0 / length }
    }

    private func linear(_ x: [Double], _ name: String, _ outputs: Int) -> [Double] {
        (0..<outputs).map { row in
            value(name + ".bias", row) + x.indices.reduce(0) { $0 + value(name + ".weight", row * x.count + $1) * x[$1] }
        }
    }

    private func norm(_ x: [Double], _ name: String) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return x.indices.map {
            (x[$0] - mean) / (variance + Double(shape.epsilon)).squareRoot() * value(name + ".weight", $0) + value(name + ".bias", $0)
        }
    }

    /// Φ by summing its series.
    private func normalDistribution(_ x: Double) -> Double {
        var term = x, sum = x, n = 1.0
        while abs(term) > 1e-17, n < 400 {
            term *= -x * x / 2 / n
            sum += term / (2 * n + 1)
            n += 1
        }
        return 0.5 + sum / (2 * Double.pi).squareRoot()
    }

    private func exponential(_ x: Double) -> Double {
        var term = 1.0, sum = 1.0
        for n in 1..<200 {
            term *= x / Double(n)
            sum += term
        }
        return sum
    }
}
