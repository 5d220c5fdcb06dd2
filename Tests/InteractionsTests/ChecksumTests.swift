import Interactions
import Testing

/// Databases and files hold these values: none may change.
@Suite("Hashes that are stored stay as they are")
struct ChecksumTests {
    private func hash(_ parts: String...) -> UInt64 {
        var hash = PayloadHash()
        for part in parts { withRaw(Array(part.utf8)) { hash.combine($0) } }
        return hash.value
    }

    @Test("of payloads")
    func payloads() {
        #expect(hash("") == 0x9369_8FD6_25F1_4655)
        #expect(hash("user-1") == 0x5E59_F3C2_6AC3_4047)
        #expect(hash("a longer text than eight bytes") == 0xC80B_5A66_C05B_18E1)
        #expect(hash("a", "b") == 0xC0C7_3EF8_479E_7B1D)
        #expect(hash("ab") != hash("a", "b"))
    }

    @Test("of files, in whole blocks and at once")
    func files() {
        let bytes = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0) } + Array("rest".utf8)
        #expect(withRaw(bytes) { FileChecksum.of($0) } == 0x9EA4_9F50_626D_B9BE)
        var checksum = FileChecksum()
        withRaw(Array(bytes.prefix(FileChecksum.blockBytes))) { checksum.combine($0) }
        withRaw(Array(bytes.dropFirst(FileChecksum.blockBytes))) { checksum.combine($0) }
        #expect(checksum.value == 0x9EA4_9F50_626D_B9BE)
    }
}
