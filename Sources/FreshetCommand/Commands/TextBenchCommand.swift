import ArgumentParser
import Console
import EventStream
import Foundation
import Interactions
import ModelArtifacts
import Tensors
import TextEncoding
import TrainingFiles

/// `freshet bench text`
struct TextBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text", abstract: "Texts a second of a sentence encoder, and its share of the arithmetic bound.",
        discussion: "Reads the titles and descriptions of item records, as content.encoder does, and encodes them from shortest to longest.")

    @Argument(help: "A folder as content.encoder names it.") var folder: String
    @Option(help: "Item records, JSON Lines, plain or .gz.") var items: String
    @Option(help: "Texts to encode, spread over the file.") var texts = 512
    @Option(help: "Threads.") var threads = 2
    @Flag(help: "With float32 products even where the processor has bfloat16.") var float32 = false
    @Flag(help: "Print as JSON (always).") var json = false

    private static let textsAtOnce = 256

    func validate() throws {
        guard texts > 0, threads > 0 else { throw ValidationError("--texts and --threads take numbers above 0") }
    }

    func run() throws {
        let encoder = try TextEncoderFolder.load(folder)
        var all: [String] = []
        let reader = try LineReader(path: items), decoder = RecordDecoder(rules: DecodingRules())
        while let line = try reader.next() {
            let origin = RecordOrigin(
                source: items, cluster: "", position: Position(partition: Position.filePartition, offset: Int64(line.number)))
            if case .success(let record) = decoder.item(line.bytes, origin: origin, now: .now), let text = ContentEncoder.text(of: record.content) { all.append(text) }
        }
        guard !all.isEmpty else { throw CommandFailure("\(items) has no item with a title or a description") }
        let step = max(1, Double(all.count) / Double(texts))
        let chosen = (0..<min(texts, all.count)).map { all[Int(Double($0) * step)] }
        let precision: ProductPrecision = float32 || !Kernels.hasBFloat16 ? .float32 : .bfloat16

        let clock = ContinuousClock.now
        let tokens = chosen.map { encoder.tokenizer.rows(of: $0, limit: encoder.maxTokens) }.sorted { $0.count < $1.count }
        let cutting = clock.duration(to: .now).inSeconds
        for start in stride(from: 0, to: tokens.count, by: Self.textsAtOnce) {
            _ = encoder.encode(
                tokens: Array(tokens[start..<min(start + Self.textsAtOnce, tokens.count)]), threads: threads, precision: precision)
        }
        let seconds = clock.duration(to: .now).inSeconds
        let shape = encoder.shape
        let perToken = 2.0 * Double(shape.layers) * Double(4 * shape.width * shape.width + 2 * shape.width * shape.inner)
        // Products of queries and keys, and of weights and values.
        let operations = tokens.reduce(0.0) { sum, text in
            sum + Double(text.count) * (perToken + 4 * Double(shape.layers) * Double(shape.width) * Double(text.count))
        }
        let bound = ArithmeticBound.measured(threads: threads)
        let most = precision == .bfloat16 ? bound.bfloat16 ?? bound.float32 : bound.float32
        ResultLine([
            "texts": .integer(tokens.count), "tokens": .integer(tokens.reduce(0) { $0 + $1.count }), "seconds": .number(seconds),
            "texts_per_second": .number(Double(tokens.count) / seconds),
            "tokens_per_second": .number(Double(tokens.reduce(0) { $0 + $1.count }) / seconds),
            "share_of_bound": .number(operations / (seconds - cutting) / most), "cutting_seconds": .number(cutting),
            "precision": .text(precision == .bfloat16 ? "bfloat16" : "float32"), "threads": .integer(threads),
        ]).print(asJSON: true)
    }
}
