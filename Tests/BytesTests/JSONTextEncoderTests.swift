import Bytes
import Testing

@Suite("Values as JSON text, keys in the order in which a type has them")
struct JSONTextEncoderTests {
    private struct Inner: Encodable {
        var zebra = 1
        var ant: Double? = 0.1
        var nothing: Int?
    }

    private struct Outer: Encodable {
        var text = "a \"quoted\" line\n"
        var flag = true
        var whole = 3.0
        var none = Double.nan
        var short: Float = 0.1
        var list = [1, 2, 3]
        var pairs = [[0.5, 1]]
        var inner = Inner()
        var empty: [Inner] = []
        var byte: UInt8 = 255
    }

    @Test("every kind of value, nested, in order")
    func kinds() throws {
        #expect(
            try JSONTextEncoder.text(Outer())
                == #"{"text":"a \"quoted\" line\n","flag":true,"whole":3.0,"none":null,"short":0.1,"list":[1,2,3],"#
                + #""pairs":[[0.5,1.0]],"inner":{"zebra":1,"ant":0.1},"empty":[],"byte":255}"#)
    }

    @Test("values without keys")
    func plain() throws {
        #expect(try JSONTextEncoder.text("x") == #""x""#)
        #expect(try JSONTextEncoder.text([Int?.none, 2]) == "[null,2]")
        #expect(try JSONTextEncoder.text([String: Int]()) == "{}")
        #expect(try JSONTextEncoder.text(Double.infinity) == "null")
    }
}
