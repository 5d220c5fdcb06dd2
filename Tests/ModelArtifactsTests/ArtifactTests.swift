import Foundation
import ModelArtifacts
import Testing
import TowerModel

struct ArtifactTests {
    private func trained(seed: Int = 1) throws -> TwoTowerModel {
        let trainer = try tinyTrainer(seed: seed)
        _ = trainer.runEpoch(now: { 0 })
        return trainer.model()
    }

    @Test func aModelComesBackAsItWas() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: "\(folder.path)/deep/models")
        let model = try trained()
        let vectors = (0..<model.itemIDs.count * 8).map { Float($0) / 7 }
        let reference = try store.write(model, name: "v1", itemVectors: vectors, notes: ["watermark": "12 \"é\""])
        let artifact = try store.read(reference)
        #expect(artifact.model.tensors == model.tensors)
        #expect(artifact.model.itemIDs == model.itemIDs)
        #expect(artifact.model.configuration == model.configuration)
        #expect(artifact.itemVectors == vectors)
        #expect(artifact.notes == ["watermark": "12 \"é\""])
        #expect(store.names() == ["v1"])
        #expect(
            try folder.names("deep/models/v1") == ["items.ids", "items.safetensors", "manifest.json", "model.safetensors"])
        #expect(try folder.names("deep/models") == ["v1"])

        let plain = try store.read(try store.write(model, name: "v2"))
        #expect(plain.itemVectors == nil)
        #expect(store.names() == ["v1", "v2"])
        try store.remove(name: "v1")
        #expect(store.names() == ["v2"])
        #expect(code { _ = try store.read(reference) } == .missing)
    }

    @Test(arguments: ["int8-post", "int8-aware"]) func aModelOf8BitsTakesAQuarterAndComesBackAsItWas(quantisation: String) throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        // Rows long enough that names and scales weigh little.
        let sizes = [("dimension", "64"), ("hidden", "64"), ("text_buckets", "1024"), ("tag_buckets", "1024")]
        func model(_ more: [(String, String)]) throws -> TwoTowerModel {
            let trainer = try tinyTrainer(seed: 1, sizes + more)
            _ = trainer.runEpoch(now: { 0 })
            return trainer.model()
        }
        let rounded = try model([("quantisation", quantisation)])
        _ = try store.write(try model([]), name: "float")
        let read = try store.read(try store.write(rounded, name: "int8")).model
        #expect(read.configuration == rounded.configuration)
        func byName(_ model: TwoTowerModel) -> [NamedTensor] { model.tensors.sorted { $0.name < $1.name } }
        #expect(byName(read) == byName(rounded))
        let bytes = (try folder.bytes("int8/model.safetensors").count, try folder.bytes("float/model.safetensors").count)
        #expect(Double(bytes.0) < 0.29 * Double(bytes.1), "\(bytes)")
        // Any damage is still refused.
        var damaged = try folder.bytes("int8/model.safetensors")
        damaged[damaged.count - 9] ^= 1
        try folder.write(damaged, "int8/model.safetensors")
        #expect(code { _ = try store.read(path: "\(folder.path)/int8") } == .damaged)
    }

    @Test func equalModelsGiveEqualChecksums() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let model = try trained()
        let first = try store.write(model, name: "a")
        let second = try store.write(model, name: "b")
        #expect(first.checksum == second.checksum)
        #expect(try store.write(try trained(seed: 2), name: "c").checksum != first.checksum)
    }

    @Test func everyDamageIsRefused() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let model = try trained()
        let vectors = [Float](repeating: 0.5, count: model.itemIDs.count * 8)
        _ = try store.write(model, name: "v", itemVectors: vectors)
        #expect(code { _ = try store.read(path: "\(folder.path)/v") } == nil)
        for name in try folder.names("v") {
            let whole = try folder.bytes("v/\(name)")
            let stride = max(1, whole.count / 150)
            let places = Array(Swift.stride(from: 0, to: whole.count, by: stride)) + [whole.count - 1]
            for place in Array(0..<min(40, whole.count)) + places {
                var bytes = whole
                bytes[place] ^= UInt8(1 << (place % 8))
                try folder.write(bytes, "v/\(name)")
                let found = code { _ = try store.read(path: "\(folder.path)/v") }
                #expect(found == .damaged, "\(name): a change of byte \(place) gave \(String(describing: found))")
                try folder.write(Array(whole[..<place]), "v/\(name)")
                let cut = code { _ = try store.read(path: "\(folder.path)/v") }
                #expect(cut == .damaged, "\(name): a cut to \(place) bytes gave \(String(describing: cut))")
            }
            try folder.write(whole + [0x20], "v/\(name)")
            #expect(code { _ = try store.read(path: "\(folder.path)/v") } == .damaged)
            try FileManager.default.removeItem(atPath: "\(folder.path)/v/\(name)")
            #expect(code { _ = try store.read(path: "\(folder.path)/v") } == .missing)
            try folder.write(whole, "v/\(name)")
        }
        #expect(code { _ = try store.read(path: "\(folder.path)/v") } == nil)
    }

    @Test func anotherModelsFilesAndAnotherModelAreRefused() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let first = try store.write(try trained(seed: 1), name: "a")
        let second = try store.write(try trained(seed: 2), name: "b")
        let mixed = ArtifactReference(path: second.path, checksum: first.checksum)
        #expect(code { _ = try store.read(mixed) } == .otherArtifact)
        try folder.write(try folder.bytes("b/model.safetensors"), "a/model.safetensors")
        #expect(code { _ = try store.read(first) } == .damaged)
        #expect(code { _ = try CheckpointStore(root: folder.path).read(path: second.path) } == .otherArtifact)
    }

    @Test func otherFormatsAreNamed() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        _ = try store.write(try trained(), name: "v")
        let manifest = String(decoding: try folder.bytes("v/manifest.json"), as: UTF8.self)
        // The same manifest with another version and a right checksum, as a later program would write it.
        func rewritten(_ old: String, _ new: String) throws -> ArtifactError.Code? {
            guard let end = manifest.range(of: ",\n  \"manifest_crc32\"") else { return nil }
            let body = String(manifest[..<end.lowerBound]).replacingOccurrences(of: old, with: new)
            let ending = ",\n  \"manifest_crc32\" : \"\(plainCRC32(Array(body.utf8)))\"\n}\n"
            try folder.write(Array((body + ending).utf8), "v/manifest.json")
            return code { _ = try store.read(path: "\(folder.path)/v") }
        }
        #expect(try rewritten("x", "x") == nil)
        #expect(try rewritten("\"format_version\" : 2", "\"format_version\" : 3") == .otherVersion)
        // Of before models kept their parts as tensors: what to do is said.
        #expect(try rewritten("\"format_version\" : 2", "\"format_version\" : 1") == .otherVersion)
        do throws(ArtifactError) {
            _ = try store.read(path: "\(folder.path)/v")
        } catch {
            #expect(error.message.contains("Train again") && error.message.contains("0.2.0"), "\(error)")
        }
        #expect(try rewritten("freshet-artifact", "another-thing") == .notAnArtifact)
        #expect(try rewritten("\"item_count\" : 8", "\"item_count\" : 9") == .damaged)
        #expect(try rewritten("\"item_count\" : 8", "\"item_count\" : 9223372036854775807") == .damaged)
        #expect(try rewritten("\"dimension\" : \"8\"", "\"dimension\" : \"16\"") == .unusable)
        #expect(try rewritten("\"dimension\" : \"8\"", "\"dimensions\" : \"8\"") == .unusable)
        #expect(try rewritten("model.safetensors", "other.safetensors") == .unusable)
        #expect(try rewritten("\"kind\" : \"model\"", "\"kind\" : \"none\"") == .notAnArtifact)
    }

    /// CRC-32 bit by bit, as the definition has it.
    private func plainCRC32(_ bytes: [UInt8]) -> String {
        var state: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? (state >> 1) ^ 0xEDB8_8320 : state >> 1 }
        }
        let digits = String(~state, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    @Test func namesAndDirectoriesAreChecked() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let model = try trained()
        for name in ["", ".", "..", "../x", "a/b", ".hidden", "ü", String(repeating: "a", count: 129)] {
            #expect(code { _ = try store.write(model, name: name) } == .invalidName, "\(name)")
        }
        _ = try store.write(model, name: "v")
        #expect(code { _ = try store.write(model, name: "v") } == .exists)
        #expect(code { _ = try store.write(model, name: "w", itemVectors: [1, 2]) } == .unusable)
        #expect(try folder.names() == ["v"])
        try folder.write([1], "file")
        #expect(code { _ = try ArtifactStore(root: "\(folder.path)/file/x").write(model, name: "v") } == .file)
        #expect(code { _ = try store.read(path: "\(folder.path)/nothing") } == .missing)
    }

    @Test func whatADeadProcessLeftIsSweptAndNeverRead() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        // A process id above the largest that Linux gives.
        let left = "\(folder.path)/.partial-4194305-v9"
        try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
        try folder.write([1, 2, 3], ".partial-4194305-v9/model.safetensors")
        let alive = "\(folder.path)/.partial-\(ProcessInfo.processInfo.processIdentifier)-v8"
        try FileManager.default.createDirectory(atPath: alive, withIntermediateDirectories: true)
        #expect(store.names().isEmpty)
        _ = try store.write(try trained(), name: "v1")
        #expect(!FileManager.default.fileExists(atPath: left))
        #expect(FileManager.default.fileExists(atPath: alive))
        #expect(store.names() == ["v1"])
    }
}
