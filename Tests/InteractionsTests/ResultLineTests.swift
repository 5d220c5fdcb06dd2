import Interactions
import Testing

@Suite("A command's result as words and as JSON")
struct ResultLineTests {
    private let line = ResultLine([
        "items_seen": .integer(3), "share": .number(0.123456), "name": .text("a \"b\""), "done": .boolean(true), "rest": .json("[1,2]"),
        "none_yet": .null,
    ])

    @Test("fields keep their order, and JSON has the whole numbers")
    func json() {
        #expect(line.json == #"{"items_seen":3,"share":0.123456,"name":"a \"b\"","done":true,"rest":[1,2],"none_yet":null}"#)
    }

    @Test("words are rounded for people")
    func words() {
        #expect(line.words == #"items seen 3, share 0.1235, name a "b", done yes, rest [1,2], none yet none"#)
    }

    @Test("what is no number is null in JSON, and a field may come later")
    func notANumber() {
        var line = ResultLine(["x": .number(.nan)])
        line.add("y", .number(2))
        #expect(line.json == #"{"x":null,"y":2.0}"#)
        #expect(line.words == "x none, y 2")
    }
}
