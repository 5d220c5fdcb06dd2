import Interactions
import Testing

@Suite struct ObjectFieldsTests {
    private let decoder = RecordDecoder()

    private func read<Value>(_ json: String, _ use: (ObjectFields) throws(Rejection) -> Value) -> Result<Value, Rejection> {
        Array(json.utf8).withUnsafeBytes { decoder.object($0, maxBytes: 1 << 20, use) }
    }

    @Test func everyDigitOfANumberIsKept() throws {
        let ids = try read(#"{"a":18446744073709551616,"b":[42,"x",-1,42]}"#) { fields throws(Rejection) in
            (try fields.id("a"), try fields.ids("b", limit: 4), try fields.id("c"))
        }.get()
        #expect(ids.0 == "18446744073709551616")
        #expect(ids.1 == ["42", "x", "-1", "42"])
        #expect(ids.2 == nil)
    }

    @Test(arguments: [#"{"a":1e3}"#, #"{"a":1.5}"#, #"{"a":""}"#, #"{"a":[1]}"#, #"{"a":true}"#, "{\"a\":\"\u{85}\"}"])
    func whatIsNoIDIsRefusedByName(json: String) {
        let result = read(json) { fields throws(Rejection) in try fields.id("a") }
        guard case .failure(let rejection) = result else { return #expect(Bool(false), "\(json)") }
        #expect(rejection.field == "a")
    }

    @Test(arguments: ["", "[]", "null", "{", #"{"a":1"#, #"{"a":1}}"#, #"{"a":"\ud800"}"#, #"{"a":01}"#])
    func whatIsNoObjectIsRefusedAsAWhole(json: String) {
        let result = read(json) { fields throws(Rejection) in try fields.id("a") }
        guard case .failure(let rejection) = result else { return #expect(Bool(false), "\(json)") }
        #expect(rejection.field == nil)
    }

    @Test func boundsAreKept() {
        let list = read(#"{"a":[1,2,3]}"#) { fields throws(Rejection) in try fields.ids("a", limit: 2) }
        let map = read(#"{"a":{"x":1,"y":2,"z":3}}"#) { fields throws(Rejection) in try fields.scalars("a", limit: 2) }
        let weights = read(#"{"a":{"x":1,"y":2,"z":3}}"#) { fields throws(Rejection) in try fields.numbers("a", limit: 2) }
        for code in [failure(list), failure(map), failure(weights)] { #expect(code == .tooManyElements) }
        // A name that is repeated counts with its last value, as in records.
        let last = read(#"{"a":{"x":1,"x":2,"x":3}}"#) { fields throws(Rejection) in try fields.scalars("a", limit: 2) }
        #expect((try? last.get()) == ["x": "3"])
    }

    private func failure<Value>(_ result: Result<Value, Rejection>) -> RejectionCode? {
        if case .failure(let rejection) = result { rejection.code } else { nil }
    }

    @Test func anIDOfAPathIsHeldToTheRulesOfRecords() {
        let long = String(repeating: "é", count: 129)
        for (text, isFine) in [("i1", true), ("a\"b\\c/", true), ("", false), ("a\u{0}", false), ("\u{9F}", false), (long, false)] {
            #expect((failure(decoder.id(text, field: "id")) == nil) == isFine, "\(text)")
        }
        #expect((try? decoder.id("a\"b\\c/", field: "id").get()) == "a\"b\\c/")
        let doubling = RecordDecoder(rules: DecodingRules(idForm: IDForm(name: "twice") { $0 + $0 }))
        #expect(failure(doubling.id(String(repeating: "é", count: 100), field: "id")) == .tooLarge)
    }
}
