import Foundation
import FuzzInputs
import ModelArtifacts
import Testing
import TowerModel

/// Damaged model files, and files that lie under a right checksum: each is refused by name, and none ends the process.
@Suite struct ModelDoorTests {
    /// CRC-32 as the manifest writes it.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1 }
    }

    private static func crc32(_ bytes: some Sequence<UInt8>) -> String {
        let value = ~bytes.reduce(UInt32.max) { ($0 >> 8) ^ table[Int(($0 ^ UInt32($1)) & 255)] }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The manifest as a program would write it that wrote these files.
    private static func sealed(_ manifest: [UInt8], _ file: String, _ bytes: [UInt8], was old: [UInt8]) -> [UInt8] {
        let ending = Array(",\n  \"manifest_crc32\"".utf8)
        var text = String(decoding: manifest[..<(manifest.firstRange(of: ending)?.lowerBound ?? manifest.count)], as: UTF8.self)
        if file != "manifest.json" {
            text = text.replacingOccurrences(of: crc32(old), with: crc32(bytes))
            text = text.replacingOccurrences(of: "\"bytes\" : \(old.count),", with: "\"bytes\" : \(bytes.count),")
        }
        return Array((text + ",\n  \"manifest_crc32\" : \"\(crc32(text.utf8))\"\n}\n").utf8)
    }

    @Test func models() async throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        // Every part that a model may have, the dense space of contents among them.
        let bundle = try TinyBundle.make(hasSpace: true)
        let vectors = [Float](repeating: 0.5, count: bundle.model.itemIDs.count * 8)
        _ = try store.write(bundle, name: "v", itemVectors: vectors)
        let names = try folder.names("v")
        let files = try names.map { ($0, try folder.bytes("v/\($0)")) }
        let manifest = try folder.bytes("v/manifest.json")
        let report = await FuzzDoor("files.models", short: 300, long: 20_000).run { source, _ in
            let (name, whole) = source.pick(files)
            var bytes = whole
            // Headers and the manifest are where a lie does most.
            if source.once(in: 2) {
                source.mutateWord(&bytes, within: 0..<min(bytes.count, source.once(in: 2) ? 16 : 4_096))
            } else {
                source.mutate(&bytes, times: 1 + source.below(3))
            }
            let isSealed = source.once(in: 2)
            if name == "manifest.json" {
                try folder.write(isSealed ? Self.sealed(bytes, name, [], was: []) : bytes, "v/\(name)")
            } else {
                try folder.write(bytes, "v/\(name)")
                if isSealed { try folder.write(Self.sealed(manifest, name, bytes, was: whole), "v/manifest.json") }
            }
            defer {
                try? folder.write(whole, "v/\(name)")
                try? folder.write(manifest, "v/manifest.json")
            }
            do throws(ArtifactError) {
                _ = try store.read(path: "\(folder.path)/v")
                return isSealed || bytes == whole ? .accepted : .broken("a change of \(name) went unseen")
            } catch {
                guard !error.description.isEmpty, error.path.contains(folder.path) else { return .broken("\(error) names no file") }
                return .refused
            }
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        _ = try store.read(path: "\(folder.path)/v")
    }

    /// The vectors of texts: a damaged file costs what is damaged.
    @Test func textVectors() async throws {
        let folder = try Folder()
        let path = folder.path + "/texts"
        let cache = try TextVectorCache(path: path, encoder: "ab12", width: 3, limitBytes: 1 << 20)
        for number in 0..<20 { try cache.add([(TextKey(UInt64(number), 7), [Float(number), 0, 1])]) }
        let whole = try folder.bytes("texts")
        let report = await FuzzDoor("files.text-vectors", short: 200, long: 10_000).run { source, _ in
            var bytes = whole
            source.once(in: 2) ? source.mutateWord(&bytes, within: 0..<bytes.count) : source.mutate(&bytes, times: 1 + source.below(3))
            try folder.write(bytes, "texts")
            let again = try TextVectorCache(path: path, encoder: "ab12", width: 3, limitBytes: 1 << 20)
            for number in 0..<20 {
                guard let vector = again[TextKey(UInt64(number), 7)] else { continue }
                guard vector == [Float(number), 0, 1] else { return .broken("text \(number) has the vector \(vector)") }
            }
            return again.count == 20 ? .accepted : .refused
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }
}
