import Foundation
import ModelArtifacts
import TextEncoding
import Testing

@Suite struct TextEncoderFolderTests {
    /// A folder with a model of made-up weights, removed at the end.
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-encoder-\(UUID().uuidString)")
        let shape = TextEncoderShape(vocabulary: 6, width: 4, layers: 1, heads: 2, inner: 8, positions: 8)

        init(dtype: String = "F32") throws {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            try write(
                "config.json",
                #"{"model_type":"bert","vocab_size":6,"hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,"#
                    + #""intermediate_size":8,"max_position_embeddings":8,"hidden_act":"gelu","layer_norm_eps":1e-12}"#
            )
            try write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nblue\nshoe\n")
            var header: [String: Any] = [:], data = Data(), number = 0
            _ = try TextEncoder(
                shape: shape, tokenizer: #require(WordPieceTokenizer(vocabulary: ["[UNK]", "[CLS]", "[SEP]"])), maxTokens: 8
            ) { name, count in
                let start = data.count
                for index in 0..<count {
                    // Quarters are exact in every type.
                    let value = Float((index * 7 + number * 3) % 9 - 4) / 4 + (name.hasSuffix("LayerNorm.weight") ? 3 : 0)
                    switch dtype {
                    case "BF16": withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) { data.append(contentsOf: $0) }
                    case "F16": withUnsafeBytes(of: Self.half(value).littleEndian) { data.append(contentsOf: $0) }
                    default: withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
                    }
                }
                header[name] = ["dtype": dtype, "shape": [count], "data_offsets": [start, data.count]]
                number += 1
                return [Float](repeating: 0, count: count)
            }
            let text = try JSONSerialization.data(withJSONObject: header)
            var file = Data()
            withUnsafeBytes(of: UInt64(text.count).littleEndian) { file.append(contentsOf: $0) }
            try (file + text + data).write(to: url.appendingPathComponent("model.safetensors"))
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: url.appendingPathComponent(name)) }

        static func half(_ value: Float) -> UInt16 {
            if value == 0 { return 0 }
            let bits = value.bitPattern
            return UInt16(bits >> 16 & 0x8000) | UInt16(Int(bits >> 23 & 0xFF) - 127 + 15) << 10 | UInt16(bits >> 13 & 0x3FF)
        }
    }

    @Test("weights of every type give the same encoder", arguments: ["BF16", "F16"])
    func types(_ dtype: String) throws {
        func vector(_ folder: Folder) throws -> [Float] {
            try withExtendedLifetime(folder) { try TextEncoderFolder.load(folder.url.path).encode(["blue shoe"]).row(0) }
        }
        let plain = try vector(Folder()), other = try vector(Folder(dtype: dtype))
        for (left, right) in zip(plain, other) { #expect(abs(left - right) < 1e-6) }
    }

    @Test("what is missing, damaged or of another kind is refused by its file")
    func refused() throws {
        func code(_ change: (Folder) throws -> Void) throws -> (ArtifactError.Code, String)? {
            let folder = try Folder()
            try change(folder)
            defer { withExtendedLifetime(folder) {} }
            do throws(ArtifactError) {
                _ = try TextEncoderFolder.load(folder.url.path)
                return nil
            } catch { return (error.code, URL(fileURLWithPath: error.path).lastPathComponent) }
        }
        let weights = "model.safetensors"
        #expect(try code { try FileManager.default.removeItem(at: $0.url.appendingPathComponent("vocab.txt")) }! == (.missing, "vocab.txt"))
        #expect(try code { try $0.write("config.json", "{") }! == (.damaged, "config.json"))
        #expect(try code { try $0.write("config.json", #"{"model_type":"t5"}"#) }! == (.unusable, "config.json"))
        #expect(try code { try $0.write("vocab.txt", "a\nb\n") }! == (.unusable, "vocab.txt"))
        #expect(try code { try $0.write(weights, "abc") }! == (.damaged, weights))
        #expect(try code {
            let path = $0.url.appendingPathComponent(weights)
            try Data(contentsOf: path).dropLast(4).write(to: path)
        }! == (.damaged, weights))
        #expect(try code { _ in } == nil)
    }

    /// A real model, where `FRESHET_TEXT_ENCODER` names one (`ops/text-encoder DIR` fetches all-MiniLM-L6-v2).
    private static let realModel = ProcessInfo.processInfo.environment["FRESHET_TEXT_ENCODER"]

    @Test(
        "all-MiniLM-L6-v2 gives the vectors that its own library computes",
        .enabled(if: realModel != nil, "FRESHET_TEXT_ENCODER names no model folder"))
    func reference() throws {
        let encoder = try TextEncoderFolder.load(#require(Self.realModel))
        // The first eight numbers of each vector and Σ i·vᵢ, by transformers 4.57 on torch, mean of tokens, unit length.
        let expected: [(text: String, tokens: Int, head: [Float], moment: Float)] = [
            ("Trail running shoe with a grippy sole for wet rock.", 14,
             [-0.079742, 0.034253, 0.072842, 0.0503, 0.040296, -0.024715, 0.021391, 0.010527], 55.2949),
            ("Café Ångström: naïve résumé, 2024 – “quotes” & C++/Swift!", 22,
             [-0.07607, -0.017939, 0.028338, 0.053496, 0.044236, 0.066592, -0.002122, 0.021435], -49.4321),
            ("映画 は 楽しい", 8, [0.046222, 0.102394, 0.031268, 0.019609, 0.018913, 0.03255, 0.111533, -0.016529], 208.0172),
            (String(repeating: "A man is eating food. ", count: 40), 242,
             [-0.000531, -0.0236, 0.021898, -0.027984, -0.148025, -0.004348, 0.018763, -0.17944], 187.2731),
            ("", 2, [-0.118838, 0.048299, -0.002548, -0.011011, 0.051951, 0.010292, 0.115433, 0.000701], 232.4979),
        ]
        for (text, tokens, head, moment) in expected {
            #expect(encoder.tokenizer.rows(of: text, limit: encoder.maxTokens).count == tokens)
            let vector = encoder.encode([text]).row(0)
            for (got, want) in zip(vector, head) { #expect(abs(got - want) < 1e-4, "\(text): \(got) where \(want) was computed") }
            let sum = vector.enumerated().reduce(Float(0)) { $0 + Float($1.offset + 1) * $1.element }
            #expect(abs(sum - moment) < 0.05, "\(text): \(sum) where \(moment) was computed")
        }
    }
}
