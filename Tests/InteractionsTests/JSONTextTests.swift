import Foundation
import Interactions
import Testing

@Suite struct JSONTextTests {
    @Test func tokens() {
        #expect(
            JSONText.tokens(ofObject: #"{"brand":"Acme","cites":["i3","i5"],"age":25,"new":true,"none":null,"size":{"w":3}}"#)
                == ["age=25", "brand=Acme", "cites=i3", "cites=i5", "new=true", "size.w=3"])
        #expect(JSONText.tokens(ofObject: #"{"a":1,"a":2}"#) == ["a=2"])
        #expect(JSONText.tokens(ofObject: #"{"a":"x\"\u00e9\n"}"#) == ["a=x\"é\n"])
        #expect(JSONText.tokens(ofObject: "{}") == [])
        #expect(JSONText.tokens(ofObject: "nonsense") == [])
        #expect(JSONText.tokens(ofObject: "") == [])
    }

    /// What PostgreSQL's numeric prints for each.
    @Test func numbersAsJsonbPrintsThem() {
        for (written, printed) in [
            ("1e3", "1000"), ("1.5e-3", "0.0015"), ("-0", "0"), ("1.50", "1.50"), ("1.50e1", "15.0"), ("-2.5E+2", "-250"),
            ("0.0", "0.0"), ("-0.0", "0.0"), ("12e-1", "1.2"), ("100e-2", "1.00"), ("0e5", "0"),
        ] {
            #expect(JSONText.tokens(ofObject: "{\"n\":\(written)}") == ["n=\(printed)"])
        }
    }

    @Test func lookUp() {
        let json = #"{ "rating": 4.5, "text":"3.25", "list":[1], "name":"B\u00e4r", "flag":false, "word":"nan" }"#
        #expect(JSONText.number("rating", inObject: json) == 4.5)
        #expect(JSONText.number("text", inObject: json) == 3.25)
        #expect(JSONText.number("list", inObject: json) == nil)
        #expect(JSONText.number("word", inObject: json) == nil)
        #expect(JSONText.number("absent", inObject: json) == nil)
        #expect(JSONText.string("name", inObject: json) == "Bär")
        #expect(JSONText.string("flag", inObject: json) == "false")
        #expect(JSONText.string("rating", inObject: json) == "4.5")
        #expect(JSONText.string("list", inObject: json) == nil)
    }

    @Test func quotedIsReadBack() throws {
        for text in ["", "plain", "a\"b\\c/d", "\u{0}\u{1}\u{1F}\u{7F}", "line\nbreak\ttab\r", "é😀\u{2028}", "e\u{301}"] {
            let data = Data("[\(JSONText.quoted(text))]".utf8)
            let read = try #require(try JSONSerialization.jsonObject(with: data) as? [String])
            #expect(read[0].unicodeScalars.elementsEqual(text.unicodeScalars))
        }
    }
}
