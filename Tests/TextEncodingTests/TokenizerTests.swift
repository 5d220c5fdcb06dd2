import Testing
import TextEncoding

@Suite struct TokenizerTests {
    private let vocabulary = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "trail", "shoe", "##s", "run", "##ning", "cafe", "!", "20", "##24", "山", "a",
    ]

    private func rows(_ text: String, limit: Int = 64) -> [Int32] {
        WordPieceTokenizer(vocabulary: vocabulary)?.rows(of: text, limit: limit) ?? []
    }

    @Test("words are cut into the longest known pieces between the two markers")
    func pieces() {
        #expect(rows("the trail shoes") == [2, 4, 5, 6, 7, 3])
        #expect(rows("running") == [2, 8, 9, 3])
        #expect(rows("2024!") == [2, 12, 13, 11, 3])
    }

    @Test("case, accents, controls and spaces of any kind do not matter")
    func cleaning() {
        #expect(rows("  THE\u{00A0}Trail\t\u{0000}sho\u{200D}e\n") == [2, 4, 5, 6, 3])
        #expect(rows("Café") == [2, 10, 3])
        #expect(rows("Cafe\u{301}") == [2, 10, 3])
    }

    @Test("CJK characters are words of their own")
    func cjk() { #expect(rows("the山a") == [2, 4, 14, 15, 3]) }

    @Test("a word that cannot be cut is unknown as a whole, and so is a very long one")
    func unknown() {
        #expect(rows("shoex the") == [2, 1, 4, 3])
        #expect(rows(String(repeating: "a", count: 101)) == [2, 1, 3])
    }

    @Test("the limit counts the markers")
    func limit() {
        #expect(rows("the the the the", limit: 4) == [2, 4, 4, 3])
        #expect(rows("running running", limit: 4) == [2, 8, 9, 3])
        #expect(rows("", limit: 4) == [2, 3])
    }

    @Test("a vocabulary without its markers is refused")
    func noMarkers() { #expect(WordPieceTokenizer(vocabulary: ["a", "b"]) == nil) }
}
