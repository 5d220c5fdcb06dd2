import Interactions
import Testing

@Suite("Paths into records")
struct RecordPathTests {
    @Test("names, quoted names, elements, the record and the line")
    func steps() throws {
        #expect(try RecordPath("payload.user.id").steps == [.member("payload"), .member("user"), .member("id")])
        #expect(try RecordPath("lines[0].sku").steps == [.member("lines"), .element(0), .member("sku")])
        #expect(try RecordPath("[2][3]").steps == [.element(2), .element(3)])
        #expect(try RecordPath(#"a."b.c"."d\"e\\""#).steps == [.member("a"), .member("b.c"), .member(#"d"e\"#)])
        #expect(try RecordPath("$.order.id").isOfRecord)
        #expect(try RecordPath("$[1]").steps == [.element(1)])
        #expect(try RecordPath("$").steps.isEmpty)
        let line = try RecordPath("@")
        #expect(line.steps.isEmpty && !line.isOfRecord)
        #expect(try RecordPath("größe.日本-x:y@z").steps == [.member("größe"), .member("日本-x:y@z")])
    }

    @Test("what is no path is refused in words", arguments: [
        ("", "empty"), ("a..b", "empty name"), ("a.", "ends with a dot"), ("$.", "ends with a dot"), ("$a", "no dot behind $"),
        ("a[x]", "bracket"), ("a[", "bracket"), ("a[-1]", "bracket"), ("a[10000]", "bracket"), ("a]b", "']'"), ("a b", "' '"),
        (#"a."b"#, "quote without its end"), (#"a."b\n""#, "backslash"), ("a[0]b", "where a dot"), (#"a"b"#, "'\"'"),
        ("a\u{1}", "control character"), (".a", "empty name"), (String(repeating: "a", count: 513), "512 bytes"),
        (String(repeating: "[0]", count: 170) + String(repeating: "[0]", count: 100), "512 bytes"),
    ])
    func refusals(_ text: String, _ words: String) {
        let error = #expect(throws: RecordPath.Problem.self) { _ = try RecordPath(text) }
        #expect(error?.detail.contains(words) == true, "\(error?.detail ?? "")")
    }
}
