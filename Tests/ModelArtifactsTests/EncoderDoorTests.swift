import Foundation
import FuzzInputs
import ModelArtifacts
import Testing
import TextEncoding

/// Damaged folders of sentence encoders.
@Suite struct EncoderDoorTests {
    /// A model of made-up weights.
    private func write(into folder: Folder) throws {
        let settings = #"{"model_type":"bert","vocab_size":6,"hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,"#
            + #""intermediate_size":8,"max_position_embeddings":8,"hidden_act":"gelu","layer_norm_eps":1e-12}"#
        try folder.write(Array(settings.utf8), "config.json")
        try folder.write(Array("[PAD]\n[UNK]\n[CLS]\n[SEP]\nblue\nshoe\n".utf8), "vocab.txt")
        try folder.write(Array(#"{"do_lower_case":true}"#.utf8), "tokenizer_config.json")
        try folder.write(Array(#"{"max_seq_length":8}"#.utf8), "sentence_bert_config.json")
        let shape = TextEncoderShape(vocabulary: 6, width: 4, layers: 1, heads: 2, inner: 8, positions: 8)
        let pieces = try #require(WordPieceTokenizer(vocabulary: ["[UNK]", "[CLS]", "[SEP]"]))
        var header: [String: Any] = [:], data: [UInt8] = []
        _ = try TextEncoder(shape: shape, tokenizer: pieces, maxTokens: 8) { name, count in
            let start = data.count
            for index in 0..<count { withUnsafeBytes(of: (Float(index % 9 - 4) / 4).bitPattern.littleEndian) { data += $0 } }
            header[name] = ["dtype": "F32", "shape": [count], "data_offsets": [start, data.count]]
            return [Float](repeating: 0, count: count)
        }
        let text = try JSONSerialization.data(withJSONObject: header, options: .sortedKeys)
        var file = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
        file += text
        try folder.write(file + data, "model.safetensors")
    }

    /// The folder of a sentence encoder comes from elsewhere: no checksum stands before its numbers.
    @Test func encoders() async throws {
        let folder = try Folder()
        try write(into: folder)
        _ = try TextEncoderFolder.load(folder.path)
        let files = try folder.names().map { ($0, try folder.bytes($0)) }
        let report = await FuzzDoor("files.encoders", short: 200, long: 10_000).run { source, _ in
            let (name, whole) = source.pick(files)
            var bytes = whole
            if source.once(in: 3) {
                source.mutateWord(&bytes, within: 0..<min(bytes.count, 64))
            } else {
                source.mutate(&bytes, times: 1 + source.below(3))
            }
            try folder.write(bytes, name)
            defer { try? folder.write(whole, name) }
            do throws(ArtifactError) {
                let vector = try TextEncoderFolder.load(folder.path).encode(["blue shoe of no known word"]).row(0)
                return vector.count > 0 ? .accepted : .broken("no vector from \(name)")
            } catch {
                return error.path.contains(folder.path) ? .refused : .broken("\(error) names no file")
            }
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }
}
