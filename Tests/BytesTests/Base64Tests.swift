import Bytes
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test("the RFC's examples, with and without padding")
    func examples() {
        for (plain, text) in [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ] {
            #expect(Base64.text(plain.utf8) == text)
            #expect(Base64.bytes(of: text.utf8) == Array(plain.utf8))
            #expect(Base64.bytes(of: text.utf8.filter { $0 != UInt8(ascii: "=") }) == Array(plain.utf8))
        }
    }

    @Test("all bytes come back, and what is none gives nothing")
    func anyBytes() {
        for count in 0..<64 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64.bytes(of: Base64.text(bytes).utf8) == bytes)
        }
        for text in ["Z", "Zg=", "Zg===", "Z=g=", "Zm9v=", "Zm-v", "Zm 9", "é"] { #expect(Base64.bytes(of: text.utf8) == nil, "\(text)") }
    }
}
