import Console
import EventStream
import Foundation
import Interactions
import ModelArtifacts
import Tensors
import TextEncoding

/// Texts a second of a sentence encoder, from the shortest to the longest, and its share of what the processor could do at most.
package struct TextBench {
    private static let textsAtOnce = 256

    let encoder: TextEncoder
    let texts: [String]
    let threads: Int
    let precision: ProductPrecision

    /// Reads the encoder, and the titles and descriptions of item records, as a training does.
    ///
    /// - Parameters:
    ///   - folder: as `content.encoder` names it.
    ///   - items: item records, JSON Lines, plain or .gz.
    ///   - count: texts to encode, spread over the file.
    ///   - isFloat32: whether bfloat16 is left alone where the processor has it.
    /// - Throws: `ArtifactError` or `StreamError` with the file at fault; `CommandFailure` where there is no text.
    package init(folder: String, items: String, texts count: Int, threads: Int, isFloat32: Bool) throws {
        encoder = try TextEncoderFolder.load(folder)
        var all: [String] = []
        let reader = try LineReader(path: items), decoder = RecordDecoder(rules: DecodingRules())
        while let line = try reader.next() {
            let origin = RecordOrigin(
                source: items, cluster: "", position: Position(partition: Position.filePartition, offset: Int64(line.number)))
            guard case .success(let record) = decoder.item(line.bytes, origin: origin, now: .now),
                let text = ContentEncoder.text(of: record.content)
            else { continue }
            all.append(text)
        }
        guard !all.isEmpty else { throw CommandFailure("\(items) has no item with a title or a description") }
        texts = Self.spread(count, over: all)
        self.threads = threads
        precision = isFloat32 || !Kernels.hasBFloat16 ? .float32 : .bfloat16
    }

    /// So many of a list, evenly over all of it; the whole list where it has no more.
    package static func spread<Element>(_ count: Int, over all: [Element]) -> [Element] {
        let step = max(1, Double(all.count) / Double(count))
        return (0..<min(count, all.count)).map { all[Int(Double($0) * step)] }
    }

    /// Multiplications and additions of encoding texts of so many tokens each.
    package static func operations(tokens counts: [Int], layers: Int, width: Int, inner: Int) -> Double {
        let perToken = 2.0 * Double(layers) * Double(4 * width * width + 2 * width * inner)
        // Products of queries and keys, and of weights and values.
        return counts.reduce(0.0) { $0 + Double($1) * (perToken + 4 * Double(layers) * Double(width) * Double($1)) }
    }

    /// Measures.
    package func run() -> ResultLine {
        let clock = ContinuousClock.now
        let tokens = texts.map { encoder.tokenizer.rows(of: $0, limit: encoder.maxTokens) }.sorted { $0.count < $1.count }
        let cutting = clock.duration(to: .now).inSeconds
        for start in stride(from: 0, to: tokens.count, by: Self.textsAtOnce) {
            _ = encoder.encode(
                tokens: Array(tokens[start..<min(start + Self.textsAtOnce, tokens.count)]), threads: threads, precision: precision)
        }
        let seconds = clock.duration(to: .now).inSeconds
        let shape = encoder.shape, count = tokens.reduce(0) { $0 + $1.count }
        let operations = Self.operations(tokens: tokens.map(\.count), layers: shape.layers, width: shape.width, inner: shape.inner)
        let most = ArithmeticBound.measured(threads: threads).bound(of: precision)
        return ResultLine([
            "texts": .integer(tokens.count), "tokens": .integer(count), "seconds": .number(seconds),
            "texts_per_second": .number(Double(tokens.count) / seconds), "tokens_per_second": .number(Double(count) / seconds),
            "share_of_bound": .number(operations / (seconds - cutting) / most), "cutting_seconds": .number(cutting),
            "precision": .text(precision == .bfloat16 ? "bfloat16" : "float32"), "threads": .integer(threads),
        ])
    }
}
