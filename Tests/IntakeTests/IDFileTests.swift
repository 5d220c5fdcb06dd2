import EventStream
import Foundation
import Intake
import Interactions
import Testing

@Suite("Files of ids")
struct IDFileTests {
    private func ids(_ text: String, field: String = "user_id") throws -> [String] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("ids-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try IDFile.read(path, field: field)
    }

    static let lines: [(line: String, id: String)] = [
        (#"{"user_id":"caf\u00e9"}"#, "café"), (#"{"user_id":"cafe\u0301"}"#, "café"), ("cafe\u{301}", "café"), ("77", "77"),
        (#"{"user_id":77}"#, "77"),
        (#""77""#, "77"), (#"{"user_id":"shop\/u1"}"#, "shop/u1"), (#" {"user_id":"u1"}"#, "u1"), ("\t{\"user_id\":\t\"u1\"}", "u1"),
        ("{\"user_id\"\t:\t \"u1\" , \"n\":1}", "u1"), (#"{"context":{"user_id":"inner"},"user_id":"outer"}"#, "outer"),
        (#"{"list":[{"user_id":"inner"}],"user_id":"outer"}"#, "outer"), (#"{"note":"\"user_id\":\"x\"","user_id":"u1"}"#, "u1"),
        (#"{"\u0075ser_id":"u1"}"#, "u1"), (#"{"user_id":"a","user_id":"b"}"#, "b"), (#""a\"b""#, "a\"b"), ("  plain id  ", "plain id"),
        ("007", "007"), ("3D-printer", "3D-printer"), ("[draft]", "[draft]"), ("a\"b", "a\"b"), ("a,b", "a,b"), ("-", "-"),
        ("true", "true"),
        (#"{"user_id":-5}"#, "-5"), (#"{"user_id":257597.0}"#, "257597"), ("257597.0", "257597"), ("日本", "日本"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ]

    @Test("a line is an id as it stands, or JSON that is read as records are", arguments: lines)
    func line(_ good: (line: String, id: String)) throws {
        #expect(try ids(good.line + "\n").map { Array($0.utf8) } == [Array(good.id.utf8)])
    }

    static let wrong: [(line: String, words: [String])] = [
        (#"{"nobody":1}"#, ["user_id", "missing"]), (#"{"context":{"user_id":"inner"}}"#, ["user_id", "missing"]),
        (#"{"user_id":"u1""#, ["expected"]),
        (#"{"user_id":"u1"} x"#, ["follows"]), (#"{"user_id":["u1"]}"#, ["an array"]), (#"{"user_id":1e3}"#, ["whole number"]),
        ("1e3", ["whole number"]),
        (#"{"user_id":""}"#, ["missing or empty"]), (#"["u1"]"#, ["an array"]), (#""u1",5"#, ["follows"]),
        (#"{"user_id":"a\u0000"}"#, ["U+0000"]),
        ("a\u{1}b", ["U+0001"]), (String(repeating: "a", count: 257), ["256 bytes"]), (#"{"user_id":null}"#, ["missing"]),
    ]

    @Test("a line that holds no id is named with its number and what was wrong", arguments: wrong)
    func wrongLine(_ bad: (line: String, words: [String])) throws {
        let error = #expect(throws: IntakeError.self) { try ids("u1\n\n" + bad.line + "\nu2\n") }
        let message = try #require(error).message
        for word in bad.words + ["line 3 of", "user_id"] { #expect(message.contains(word), "\(message)") }
    }

    @Test("endings, marks, blank lines and repetitions are no ids, and the order stays")
    func form() throws {
        #expect(try ids("\u{FEFF}u2\r\n\r\n   \r\n\t\r\nu1\r\nu2\r\n{\"user_id\":\"u3\"}\r\nu1") == ["u2", "u1", "u3"])
        #expect(try ids("") == [])
        #expect(try ids("{\"item_id\":\"i1\",\"user_id\":\"u1\"}\n", field: "item_id") == ["i1"])
    }

    @Test("bytes that are no UTF-8 are refused, and so is a line without an end")
    func bytes() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("ids-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data([0x75, 0xE9, 0x0A]).write(to: URL(fileURLWithPath: path))
        #expect(throws: IntakeError.self) { try IDFile.read(path, field: "user_id") }
        try Data(repeating: 0x61, count: 3 << 20).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: IntakeError.self) { try IDFile.read(path, field: "user_id") }
        #expect(error?.message.contains("3145728 bytes") == true)
    }
}
