import Interactions
import Testing

/// The tokens of one object are few, however it is nested: a record of 15 KB once gave 7 MB of them.
@Suite struct TokenBoundTests {
    /// A long key over a list of many values: each value would repeat the key.
    private static func longKey(_ key: Int, values: Int) -> String {
        "{\"\(String(repeating: "k", count: key))\":[\((0..<values).map(String.init).joined(separator: ","))]}"
    }

    /// Keys within keys, a value at each level.
    private static func nested(_ levels: Int, key: Int) -> String {
        let name = String(repeating: "n", count: key)
        return (0..<levels).reduce(into: "{\"a\":0}") { $0 = "{\"\(name)\":\($0),\"v\($1)\":[1,2,3,4,5,6,7,8,9]}" }
    }

    private static func bytes(_ tokens: [String]) -> Int { tokens.reduce(0) { $0 + $1.utf8.count } }

    @Test func tokensAreBoundedWhateverTheShape() {
        for values in [100, 1_000, 10_000] {
            for json in [
                Self.longKey(200, values: values), Self.longKey(7_000, values: values), Self.nested(min(200, values), key: 60),
                Self.nested(min(200, values), key: 1), "{\"x\":[\((0..<values).map { "\($0)e300" }.joined(separator: ","))]}",
            ] {
                let size = Self.bytes(JSONText.tokens(ofObject: json))
                #expect(size <= JSONText.tokensBytesLimit, "\(size) of \(json.utf8.count)")
            }
        }
        #expect(JSONText.tokens(ofObject: Self.longKey(JSONText.tokenKeyBytesLimit, values: 3)).count == 3)
        #expect(JSONText.tokens(ofObject: Self.longKey(JSONText.tokenKeyBytesLimit + 1, values: 3)).isEmpty)
        // What a shop writes is never cut.
        let cites = "{\"cites\":[\((0..<1_600).map { "\"item-\($0)\"" }.joined(separator: ","))]}"
        #expect(JSONText.tokens(ofObject: cites).count == 1_600)
    }

    /// What is left out depends on the content alone: `jsonb` orders members otherwise and writes spaces.
    @Test func theSameTokensAreKeptInEveryOrder() {
        let values = (0..<9_000).map { "\"v\($0)\"" }
        let first = "{\"long-name-of-a-key\":[\(values.joined(separator: ","))],\"z\":1,\"b\":{\"c\":2}}"
        let second = "{ \"b\": {\"c\": 2}, \"z\": 1, \"long-name-of-a-key\": [\(values.reversed().joined(separator: ", "))] }"
        let tokens = JSONText.tokens(ofObject: first)
        #expect(tokens.count < 9_000 && Self.bytes(tokens) > JSONText.tokensBytesLimit - 100)
        #expect(tokens == JSONText.tokens(ofObject: second))
        #expect(tokens.contains("z=1") && tokens.contains("b.c=2"), "the shortest stay")
    }

    @Test func ofAKeyThatOccursTwiceTheLastCountsAtEveryLevel() {
        #expect(JSONText.tokens(ofObject: #"{"a":{"b":[1,2],"c":3},"a":{"b":4,"b":{"d":5}}}"#) == ["a.b.d=5"])
        #expect(JSONText.tokens(ofObject: #"{"a":[[1],{"b":2}],"\u0061":[[3]]}"#) == ["a=3"])
        #expect(JSONText.tokens(ofObject: #"{"a":[1,2}"#).isEmpty)
        #expect(JSONText.tokens(ofObject: #"{"a":1"#).isEmpty)
        #expect(JSONText.tokens(ofObject: "{\"a\":\(String(repeating: "[", count: 300))1\(String(repeating: "]", count: 300))}").isEmpty)
    }

    /// An exponent is written out once, not digit by digit from the front.
    @Test func smallNumbersAreWrittenOut() {
        #expect(JSONText.tokens(ofObject: #"{"a":1e-300}"#) == ["a=0." + String(repeating: "0", count: 299) + "1"])
        #expect(JSONText.tokens(ofObject: #"{"a":25e-1}"#) == ["a=2.5"])
    }
}
