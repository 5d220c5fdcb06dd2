import Bytes
import Foundation
import TextEncoding

/// Reads a folder in the layout of sentence-transformers: `config.json`, `vocab.txt`, `model.safetensors`, and, where present,
/// `sentence_bert_config.json`, `1_Pooling/config.json` and `tokenizer_config.json`.
public enum TextEncoderFolder {
    /// Larger weight files are refused.
    public static let maxWeightBytes = 4 << 30
    /// Larger vocabularies are refused.
    public static let maxVocabularyBytes = 64 << 20

    /// Loads the encoder.
    ///
    /// - Throws: ``ArtifactError`` with the file at fault: `missing`, `damaged`, or `unusable` for another kind of model.
    public static func load(_ path: String) throws(ArtifactError) -> TextEncoder {
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        let settings = try object(folder, "config.json")
        func size(_ name: String) throws(ArtifactError) -> Int {
            guard let number = settings[name] as? Int, number > 0, number < 1 << 24 else {
                throw ArtifactError(.unusable, path: folder.appendingPathComponent("config.json").path, "\(name) is missing or no size.")
            }
            return number
        }
        let kind = settings["model_type"] as? String ?? "bert"
        guard kind == "bert" else {
            throw ArtifactError(
                .unusable, path: folder.appendingPathComponent("config.json").path,
                "model_type is \(kind); only BERT-type encoders with a WordPiece vocabulary can be run.")
        }
        if let activation = settings["hidden_act"] as? String, activation != "gelu" {
            throw ArtifactError(
                .unusable, path: folder.appendingPathComponent("config.json").path, "hidden_act is \(activation); only gelu is known.")
        }
        let shape = TextEncoderShape(
            vocabulary: try size("vocab_size"), width: try size("hidden_size"), layers: try size("num_hidden_layers"),
            heads: try size("num_attention_heads"), inner: try size("intermediate_size"), positions: try size("max_position_embeddings"),
            epsilon: (settings["layer_norm_eps"] as? Double).map { Float($0) } ?? 1e-12)
        let tokenizer = try vocabulary(folder, shape: shape)
        let limit = (try optionalObject(folder, "sentence_bert_config.json")?["max_seq_length"] as? Int) ?? shape.positions
        let pooling = try pooling(folder)
        let weights = folder.appendingPathComponent("model.safetensors").path
        let tensors = try TensorFile(weights, limitBytes: maxWeightBytes)
        do {
            return try TextEncoder(shape: shape, tokenizer: tokenizer, pooling: pooling, maxTokens: limit) { name, count in
                tensors.floats(name, count: count) ?? tensors.floats("bert." + name, count: count)
            }
        } catch {
            throw ArtifactError(.unusable, path: weights, "\(error.description).")
        }
    }

    /// Eight hexadecimal digits over the files that decide what the encoder computes; a model's manifest names its encoder by it.
    ///
    /// - Throws: ``ArtifactError`` where one of the files that must be there is missing.
    public static func checksum(_ path: String) throws(ArtifactError) -> String {
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        var checksum = CRC32()
        for (name, limit) in [("config.json", 16 << 20), ("vocab.txt", maxVocabularyBytes), ("model.safetensors", maxWeightBytes)] {
            let data = try bytes(folder.appendingPathComponent(name).path, limit: limit)
            data.withUnsafeBytes { checksum.combine($0) }
        }
        for name in ["sentence_bert_config.json", "tokenizer_config.json", "1_Pooling/config.json"] {
            let path = folder.appendingPathComponent(name).path
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let data = try bytes(path, limit: 16 << 20)
            data.withUnsafeBytes { checksum.combine($0) }
        }
        return checksum.text
    }

    private static func vocabulary(_ folder: URL, shape: TextEncoderShape) throws(ArtifactError) -> WordPieceTokenizer {
        let path = folder.appendingPathComponent("vocab.txt").path
        let data = try bytes(path, limit: maxVocabularyBytes)
        // By lines of bytes: a piece may be a character that counts as a line break elsewhere.
        var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self)
        }
        if lines.last == "" { lines.removeLast() }
        guard lines.count <= shape.vocabulary else {
            throw ArtifactError(.unusable, path: path, "it has \(lines.count) pieces and the model \(shape.vocabulary).")
        }
        let lowercases = (try optionalObject(folder, "tokenizer_config.json")?["do_lower_case"] as? Bool) ?? true
        guard let tokenizer = WordPieceTokenizer(vocabulary: lines, lowercases: lowercases) else {
            throw ArtifactError(.unusable, path: path, "[CLS], [SEP] or [UNK] is not in it.")
        }
        return tokenizer
    }

    private static func pooling(_ folder: URL) throws(ArtifactError) -> TextPooling {
        guard let settings = try optionalObject(folder, "1_Pooling/config.json") else { return .mean }
        if settings["pooling_mode_mean_tokens"] as? Bool == true { return .mean }
        if settings["pooling_mode_cls_token"] as? Bool == true { return .first }
        throw ArtifactError(
            .unusable, path: folder.appendingPathComponent("1_Pooling/config.json").path,
            "only the mean of the tokens or the first one are known.")
    }

    // MARK: Files

    private static func bytes(_ path: String, limit: Int) throws(ArtifactError) -> Data {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ArtifactError(
                .missing, path: path, "there is no such file; content.encoder names a folder as sentence-transformers saves it.")
        }
        let size = ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0
        guard size <= limit else { throw ArtifactError(.unusable, path: path, "it has \(size) bytes; \(limit) is the most.") }
        // Read and not mapped: a file that is cut while it is copied here would end the process.
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw ArtifactError(.file, path: path, "it cannot be read.")
        }
        return data
    }

    private static func object(_ folder: URL, _ name: String) throws(ArtifactError) -> [String: Any] {
        let path = folder.appendingPathComponent(name).path
        let data = try bytes(path, limit: 16 << 20)
        guard let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
            throw ArtifactError(.damaged, path: path, "it is no JSON object.")
        }
        return object
    }

    private static func optionalObject(_ folder: URL, _ name: String) throws(ArtifactError) -> [String: Any]? {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path) ? try object(folder, name) : nil
    }

    /// Float tensors of a safetensors file of any origin, converted when they are asked for.
    private struct TensorFile {
        private struct Entry: Decodable {
            var dtype: String
            var shape: [Int]
            var data_offsets: [Int]
        }

        private let data: Data
        private var entries: [String: Entry] = [:]
        private var start = 8

        init(_ path: String, limitBytes: Int) throws(ArtifactError) {
            data = try TextEncoderFolder.bytes(path, limit: limitBytes)
            func damaged(_ what: String) -> ArtifactError { ArtifactError(.damaged, path: path, "\(what). Fetch the model again.") }
            guard data.count >= 8 else { throw damaged("its header is cut short") }
            let size = data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
            guard size <= UInt64(Safetensors.maxHeaderBytes), Int(size) <= data.count - 8 else {
                throw damaged("its header of \(size) bytes is larger than the file")
            }
            start = 8 + Int(size)
            guard let header = (try? JSONSerialization.jsonObject(with: data.subdata(in: 8..<start))) as? [String: Any] else {
                throw damaged("its header is not that of tensors")
            }
            for (name, value) in header where name != "__metadata__" {
                guard let fields = value as? [String: Any], let dtype = fields["dtype"] as? String, let shape = fields["shape"] as? [Int],
                    let offsets = fields["data_offsets"] as? [Int], offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1],
                    offsets[1] <= data.count - start
                else { throw damaged("tensor \(name) does not fit its place") }
                entries[name] = Entry(dtype: dtype, shape: shape, data_offsets: offsets)
            }
        }

        /// A tensor of `count` numbers, nil where there is none of this size and a known type, or where a number is not finite.
        func floats(_ name: String, count: Int) -> [Float]? {
            guard let entry = entries[name] else { return nil }
            let bytes = data.subdata(in: start + entry.data_offsets[0]..<start + entry.data_offsets[1])
            let values: [Float]? = bytes.withUnsafeBytes { raw in
                switch entry.dtype {
                case "F32" where raw.count == 4 * count:
                    (0..<count).map { Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))) }
                case "BF16" where raw.count == 2 * count:
                    (0..<count).map {
                        Float(bitPattern: UInt32(UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))) << 16)
                    }
                case "F16" where raw.count == 2 * count:
                    (0..<count).map { HalfFloat.value(UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))) }
                default: nil
                }
            }
            guard let values, values.allSatisfy(\.isFinite) else { return nil }
            return values
        }
    }

    /// Half-precision floats (IEEE 754 binary16), which the language does not have on every platform.
    private enum HalfFloat {
        static func value(_ bits: UInt16) -> Float {
            let sign: Float = bits & 0x8000 != 0 ? -1 : 1
            let exponent = Int(bits >> 10 & 0x1F), fraction = Float(bits & 0x3FF) / 1024
            return switch exponent {
            case 0: sign * fraction * 0x1p-14
            case 31: fraction == 0 ? sign * .infinity : .nan
            default: sign * (1 + fraction) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
            }
        }
    }
}
