import ForeignFormats
import Interactions
import Testing

@Suite("Encodings of foreign files")
struct EncodingTests {
    private static let text = "item_id,title\n1,Crème brûlée – 5 €\n2,plain\n"

    private static func windows1252(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "€": 0x80
            case "–": 0x96
            default: UInt8(truncatingIfNeeded: scalar.value)
            }
        }
    }

    private static func utf16(_ text: String, isLittle: Bool, mark: Bool) -> [UInt8] {
        ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { unit in
            let low = UInt8(unit & 0xFF), high = UInt8(unit >> 8)
            return isLittle ? [low, high] : [high, low]
        }
    }

    @Test("each is found by its mark or its bytes, and reads as the same rows at every border", arguments: [
        ("utf-8", Array(text.utf8)), ("utf-8", [0xEF, 0xBB, 0xBF] + Array(text.utf8)), ("windows-1252", windows1252(text)),
        ("utf-16le", utf16(text, isLittle: true, mark: true)), ("utf-16be", utf16(text, isLittle: false, mark: true)),
        ("utf-16le", utf16(text, isLittle: true, mark: false)), ("utf-16be", utf16(text, isLittle: false, mark: false)),
    ])
    func found(_ name: String, _ bytes: [UInt8]) throws {
        let expected = try Reading(Self.text, kind: .items).records
        #expect(expected[0].contains("Crème brûlée – 5 €"))
        for piece in [1, 2, 3, 1_000] {
            var survey = EncodingSurvey()
            for start in stride(from: 0, to: bytes.count, by: piece) {
                bytes[start..<min(bytes.count, start + piece)].withUnsafeBytes { survey.look(at: $0) }
            }
            #expect(survey.encoding.rawValue == name, "in pieces of \(piece)")
            let records = try Reading(bytes, kind: .items, encoding: survey.encoding, pieceBytes: piece).records
            #expect(records == expected, "pieces of \(piece)")
        }
    }

    @Test("a broken byte in UTF-8 refuses its row, not the file; and what is beyond the first plane comes through UTF-16")
    func mixed() throws {
        let bytes = Array("item_id,title\n1,é é\n2,".utf8) + [0xE9] + Array("\n3,ü\n".utf8)
        var survey = EncodingSurvey()
        bytes.withUnsafeBytes { survey.look(at: $0) }
        #expect(survey.encoding == .utf8)
        let read = try Reading(bytes, kind: .items)
        #expect(read.records.count == 2 && read.refused.map(\.line) == [3])
        let wide = Self.utf16("item_id,title\n1,🛒\n", isLittle: true, mark: true)
        let cart = try Reading(wide, kind: .items, encoding: .utf16LittleEndian, pieceBytes: 3).records
        #expect(cart == [#"{"item_id":"1","title":"🛒"}"#])
    }

    @Test("names of encodings")
    func names() {
        #expect(ForeignEncoding(name: "Latin1") == .windows1252 && ForeignEncoding(name: "UTF8") == .utf8)
        #expect(ForeignEncoding(name: "ebcdic") == nil)
    }
}
