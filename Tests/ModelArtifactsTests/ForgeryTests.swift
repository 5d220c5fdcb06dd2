import Foundation
import ModelArtifacts
import Testing
import TowerModel

/// Who may write the folder makes every CRC-32 right; the registry's SHA-256, or a key, still tell.
struct ForgeryTests {
    private static let crcTable: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { remainder, _ in remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1 }
    }

    private func crc32(_ bytes: some Sequence<UInt8>) -> String {
        let value = ~bytes.reduce(UInt32.max) { Self.crcTable[Int(($0 ^ UInt32($1)) & 255)] ^ $0 >> 8 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    private func model(seed: Int = 1) throws -> TwoTowerModel {
        let trainer = try tinyTrainer(seed: seed)
        _ = trainer.runEpoch(now: { 0 })
        return trainer.model()
    }

    /// Changes the manifest's text and makes its own checksum right again; gives the checksum of the whole file.
    private func forge(_ folder: Folder, _ name: String, _ change: (inout String) -> Void) throws -> String {
        var text = String(decoding: try folder.bytes("\(name)/manifest.json"), as: UTF8.self)
        text = String(text[..<(try #require(text.range(of: ",\n  \"manifest_crc32\"")).lowerBound)])
        change(&text)
        let whole = Array((text + ",\n  \"manifest_crc32\" : \"\(crc32(text.utf8))\"\n}\n").utf8)
        try folder.write(whole, "\(name)/manifest.json")
        return crc32(whole)
    }

    /// Puts other weights under the checksums of the manifest, and says what the manifest's checksum is then.
    private func forgeWeights(_ folder: Folder, _ name: String, keepingSHA: Bool) throws -> String {
        var bytes = try folder.bytes("\(name)/model.safetensors")
        let before = crc32(bytes), digest = bytes.withUnsafeBytes { SHA256.of($0).text }
        bytes[bytes.count - 3] ^= 0x40
        try folder.write(bytes, "\(name)/model.safetensors")
        let after = crc32(bytes), forged = bytes.withUnsafeBytes { SHA256.of($0).text }
        return try forge(folder, name) { text in
            text = text.replacingOccurrences(of: before, with: after)
            if !keepingSHA { text = text.replacingOccurrences(of: digest, with: forged) }
        }
    }

    @Test func weightsUnderARightCRCAreRefused() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        _ = try store.write(model(), name: "v")
        _ = try forgeWeights(folder, "v", keepingSHA: true)
        #expect(code { _ = try store.read(path: "\(folder.path)/v") } == .damaged)
    }

    @Test func aManifestThatFitsItsForgedFilesIsNotTheOneOfTheRegistry() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let reference = try store.write(model(), name: "v")
        let checksum = try forgeWeights(folder, "v", keepingSHA: false)
        // As if even the registry's CRC-32 fitted, which a few bytes of notes make it do.
        let forged = ArtifactReference(path: reference.path, checksum: checksum, sha256: reference.sha256)
        #expect(code { _ = try store.read(forged) } == .otherArtifact)
        #expect(code { try store.verify(forged) } == .otherArtifact)
        #expect(
            code { _ = try store.read(ArtifactReference(path: reference.path, checksum: checksum)) } == nil, "CRC-32 alone says nothing")
    }

    @Test func withAKeyOnlyWhatItSignedIsRead() throws {
        let folder = try Folder()
        let key = Array("a key of thirty-two characters ..".utf8)
        let signing = ArtifactStore(root: folder.path, key: key), plain = ArtifactStore(root: folder.path)
        let signed = try signing.write(model(), name: "signed"), unsigned = try plain.write(model(seed: 2), name: "unsigned")
        #expect(try folder.names("signed").contains("manifest.hmac") && !folder.names("unsigned").contains("manifest.hmac"))
        #expect(code { _ = try signing.read(signed) } == nil && code { try signing.verify(signed) } == nil)
        #expect(code { _ = try plain.read(signed) } == nil, "who has no key reads it as any other")
        #expect(code { _ = try signing.read(unsigned) } == .notSigned && code { try signing.verify(unsigned) } == .notSigned)
        #expect(
            code { _ = try ArtifactStore(root: folder.path, key: Array("another key of thirty characters".utf8)).read(signed) }
                == .notSigned)
        // Another signed artifact's signature does not sign this one.
        try folder.write(try folder.bytes("signed/manifest.hmac"), "unsigned/manifest.hmac")
        #expect(code { _ = try signing.read(unsigned) } == .notSigned)
        _ = try forgeWeights(folder, "signed", keepingSHA: false)
        #expect(code { _ = try signing.read(path: signed.path) } == .notSigned)
    }

    @Test func anArtifactOfBeforeIsReadUnlessAKeyIsSet() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let reference = try store.write(model(), name: "v")
        let checksum = try forge(folder, "v") { text in
            text = text.replacing(#/,\s*"sha256" : "[0-9a-f]{64}"/#, with: "")
            #expect(!text.contains("sha256"))
        }
        let before = ArtifactReference(path: reference.path, checksum: checksum)
        #expect(code { _ = try store.read(before) } == nil && code { try store.verify(before) } == nil)
        #expect(code { _ = try ArtifactStore(root: folder.path, key: [UInt8](repeating: 1, count: 32)).read(before) } == .notSigned)
    }

    @Test func verifyFindsWhatIsMissingAndWhatIsCut() throws {
        let folder = try Folder()
        let store = ArtifactStore(root: folder.path)
        let reference = try store.write(TinyBundle.make(), name: "v")
        #expect(code { try store.verify(reference) } == nil)
        for name in try folder.names("v") {
            let whole = try folder.bytes("v/\(name)")
            try folder.write(Array(whole.dropLast()), "v/\(name)")
            #expect(code { try store.verify(reference) } == .damaged, "\(name)")
            try FileManager.default.removeItem(atPath: "\(folder.path)/v/\(name)")
            #expect(code { try store.verify(reference) } == .missing, "\(name)")
            try folder.write(whole, "v/\(name)")
        }
        #expect(code { try store.verify(reference) } == nil, "files that came late are as good as any")
    }
}
