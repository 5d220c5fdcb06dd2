import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// `content.encoder` from training to serving, with a tiny model of made-up weights.
    @Suite struct TextEncoderTests {
        /// Writes a folder in the layout of sentence-transformers; another `seed` gives other weights.
        private static func writeEncoder(_ name: String, into bench: Workbench, seed: Int = 1) throws -> String {
            let path = bench.path(name)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let width = 8, inner = 16,
                pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + "abcdefghijklmnopqrstuvwxyz".flatMap { ["\($0)", "##\($0)"] }
            _ = try bench.write(
                [
                    #"{"model_type":"bert","vocab_size":\#(pieces.count),"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"#
                        + #""intermediate_size":16,"max_position_embeddings":64,"hidden_act":"gelu"}"#,
                ],
                to: "\(name)/config.json")
            _ = try bench.write(pieces, to: "\(name)/vocab.txt")
            var shapes: [(String, Int)] = [
                ("embeddings.word_embeddings.weight", pieces.count * width), ("embeddings.position_embeddings.weight", 64 * width),
                ("embeddings.token_type_embeddings.weight", 2 * width), ("embeddings.LayerNorm.weight", width),
                ("embeddings.LayerNorm.bias", width),
            ]
            for (part, count) in [
                ("attention.self.query", width), ("attention.self.key", width), ("attention.self.value", width),
                ("attention.output.dense", width),
            ] { shapes += [("encoder.layer.0.\(part).weight", count * width), ("encoder.layer.0.\(part).bias", count)] }
            shapes += [
                ("encoder.layer.0.attention.output.LayerNorm.weight", width), ("encoder.layer.0.attention.output.LayerNorm.bias", width),
                ("encoder.layer.0.intermediate.dense.weight", inner * width), ("encoder.layer.0.intermediate.dense.bias", inner),
                ("encoder.layer.0.output.dense.weight", inner * width), ("encoder.layer.0.output.dense.bias", width),
                ("encoder.layer.0.output.LayerNorm.weight", width), ("encoder.layer.0.output.LayerNorm.bias", width),
            ]
            var header: [String: Any] = [:], data = Data(), numbers = SeededNumbers(state: UInt64(seed))
            for (name, count) in shapes {
                let start = data.count
                for _ in 0..<count {
                    let value = name.hasSuffix("LayerNorm.weight") ? Float(1) : Float.random(in: -0.5...0.5, using: &numbers)
                    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
                }
                header[name] = ["dtype": "F32", "shape": [count], "data_offsets": [start, data.count]]
            }
            let text = try JSONSerialization.data(withJSONObject: header)
            var file = Data()
            withUnsafeBytes(of: UInt64(text.count).littleEndian) { file.append(contentsOf: $0) }
            try (file + text + data).write(to: URL(fileURLWithPath: path + "/model.safetensors"))
            return path
        }

        @Test("texts are encoded once, the model names its encoder, and a server with another one says so and answers")
        func trainAndServe() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let encoder = try Self.writeEncoder("encoder", into: bench), other = try Self.writeEncoder("other", into: bench, seed: 2)
            let settings = SmallShop.training.merging(["FRESHET_CONTENT_ENCODER": encoder]) { $1 }
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address, settings)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            let first = try program.run("train", "--set", "holdout=none")
            #expect(first.status == 0 && first.errors.contains("encode texts"), "\(first.errors)")
            // The next run finds every text in the file beside the models, and learns the same.
            let second = try program.run("train", "--set", "holdout=none")
            #expect(second.status == 0 && !second.errors.contains("encode texts"), "\(second.errors)")
            let folders = try FileManager.default.contentsOfDirectory(atPath: bench.path("artifacts")).filter { $0.first?.isNumber == true }
                .sorted()
            try #require(folders.count == 2, "\(folders)")
            let models = try folders.map { try Data(contentsOf: URL(fileURLWithPath: bench.path("artifacts/\($0)/model.safetensors"))) }
            #expect(models[0] == models[1], "the same seed and texts gave two models")
            let manifest = try String(contentsOfFile: bench.path("artifacts/\(folders[0])/manifest.json"), encoding: .utf8)
            #expect(manifest.contains("text_encoder"), "\(manifest)")

            let good = try program.run("doctor")
            #expect(good.output.contains("✓ text encoder") && good.output.contains("width 8"), "\(good.output)")
            let service = try bench.startService(broker: address, settings)
            let ingest = try program.start("ingest")
            try #require(ingest.waitFor("partitions taken over"), "\(ingest.log)")
            #expect(!service.role.log.contains("sentence encoder"), "\(service.role.log)")
            try service.put(item: "told", #""title":"Green watering can","description":"For gardens"#  + #"","categories":["garden"]"#)
            #expect(try service.http.send("GET", "/v1/items/told").object["index_state"] as? String == "fresh")
            let vector = try service.http.send("POST", "/v1/recommendations", body: #"{"user_id":"u7","items":["told"]}"#)
            #expect(service.role.stop() == 0)

            for (folder, words) in [(other, "names another one"), ("", "names none")] {
                let blind = try bench.startService(broker: address, SmallShop.training.merging(["FRESHET_CONTENT_ENCODER": folder]) { $1 })
                #expect(
                    blind.role.log.contains("was trained with the sentence encoder") && blind.role.log.contains(words), "\(blind.role.log)")
                #expect(try blind.recommendations(user: "u7").items.count == 10)
                let score = try blind.http.send("POST", "/v1/recommendations", body: #"{"user_id":"u7","items":["told"]}"#)
                #expect(Self.score(score) != Self.score(vector), "the vector of the text made no difference: \(score.body)")
                #expect(blind.role.stop() == 0)
            }

            try FileManager.default.removeItem(atPath: encoder + "/vocab.txt")
            let wrong = try program.run("doctor")
            #expect(wrong.status == 1 && wrong.output.contains("✗ text encoder") && wrong.output.contains("vocab.txt"), "\(wrong.output)")
            EndToEnd.expectFailure(try program.run("train"), status: 1, saying: "vocab.txt")
        }

        private static func score(_ answer: HTTPAnswer) -> Double? {
            ((answer.object["items"] as? [[String: Any]])?.first?["score"] as? NSNumber)?.doubleValue
        }
    }
}
