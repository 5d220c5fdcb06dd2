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

    @Test("a whole number is an id with every digit, a fraction of zeros included", arguments: [
        ("257597.0", "257597"), ("18446744073709551616", "18446744073709551616"), ("-1.00", "-1"),
    ])
    func numbersAsIDs(written: String, id: String) {
        let body = #"{"user_id":\#(written),"items":[\#(written)]}"#
        let found = read(body) { fields throws(Rejection) in (try fields.id("user_id"), try fields.ids("items", limit: 2)) }
        #expect((try? found.get())?.0 == id && (try? found.get())?.1 == [id])
        let refused = read(#"{"user_id":1e3}"#) { fields throws(Rejection) in try fields.id("user_id") }
        #expect(failure(refused) == .wrongType)
    }
}
