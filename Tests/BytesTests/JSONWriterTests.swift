import Bytes
import Testing

@Suite("JSON is written as text")
struct JSONWriterTests {
    @Test("commas, nesting and what there is none of")
    func nesting() {
        let none: String? = nil
        let text = JSONWriter.object { object in
            object.field("a", "x")
            object.field("b", none)
            object.field("c", 3)
            object.field("d", [])
            object.key("e")
            object.array { array in
                array.null()
                array.object { $0.field("f", true) }
                array.raw("{}")
            }
            object.field("g", nullable: nil)
            object.field("h", numbers: ["z": 1.5, "y": .infinity])
            object.field("i", counts: ["k \"": 2])
            object.field("j", raw: none)
        }
        #expect(text == #"{"a":"x","c":3,"d":[],"e":[null,{"f":true},{}],"g":null,"h":{"y":null,"z":1.5},"i":{"k \"":2}}"#)
        #expect(JSONWriter.object { _ in } == "{}")
    }

    @Test("strings are escaped where they must be, and stay UTF-8 elsewhere")
    func strings() {
        func quoted(_ text: String) -> String {
            var writer = JSONWriter()
            writer.string(text)
            return writer.text
        }
        #expect(quoted("") == #""""#)
        #expect(quoted("größe 🐟") == #""größe 🐟""#)
        #expect(quoted("a\"b\\c\nd\re\tf") == #""a\"b\\c\nd\re\tf""#)
        #expect(quoted("\u{0}\u{1F}\u{7F}") == #""\u0000\u001f\u007f""#)
    }

    @Test("numbers are the shortest that read back, and null where JSON has none")
    func numbers() {
        var writer = JSONWriter()
        writer.array { array in
            array.number(0.1 as Float)
            array.number(0.1)
            array.number(Double.nan)
            array.number(-Float.infinity)
            array.integer(UInt64.max)
            array.bool(false)
        }
        #expect(writer.text == "[0.1,0.1,null,null,18446744073709551615,false]")
    }
}
