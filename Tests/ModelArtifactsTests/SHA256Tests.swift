import CDigest
import ModelArtifacts
import Testing

struct SHA256Tests {
    private func digest(_ text: String) -> String { Array(text.utf8).withUnsafeBytes { SHA256.of($0).text } }

    /// Examples of FIPS 180-4 as NIST publishes them.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func publishedExamples(text: String, expected: String) { #expect(digest(text) == expected) }

    @Test func piecesGiveTheDigestOfTheWhole() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for length in [0, 1, 55, 56, 63, 64, 65, 119, 127, 128, 1_000] {
            let whole = bytes[..<length].withUnsafeBytes { SHA256.of($0).text }
            for step in [1, 7, 63, 64, 65, 300] {
                var pieces = SHA256()
                for start in stride(from: 0, to: length, by: step) {
                    bytes[start..<min(length, start + step)].withUnsafeBytes { pieces.combine($0) }
                }
                #expect(pieces.text == whole, "\(length) bytes by \(step)")
            }
        }
    }

    /// With the processor's extensions, where it has them, and without: the same.
    @Test func bothBlockFunctionsAgree() {
        let bytes = (0..<64 * 50).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 5) }
        var fast: [UInt32] = [1, 2, 3, 4, 5, 6, 7, 8], plain = fast
        fd_sha256_blocks(&fast, bytes, 50)
        fd_sha256_blocks_plain(&plain, bytes, 50)
        #expect(fast == plain && fast != [1, 2, 3, 4, 5, 6, 7, 8])
    }

    /// Test cases 1 to 4, 6 and 7 of RFC 4231 (5 is of a shortened code).
    @Test(arguments: [
        ([UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (Array(1...25), [UInt8](repeating: 0xcd, count: 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            [UInt8](repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before "
                    + "being used by the HMAC algorithm.").utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ])
    func publishedCodes(key: [UInt8], data: [UInt8], expected: String) {
        let code = data.withUnsafeBytes { SHA256.authenticationCode(of: $0, key: key) }
        #expect(code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == expected)
    }
}
