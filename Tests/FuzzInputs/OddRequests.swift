/// A request as a client, a crawler or a broken proxy sends it.
public struct OddRequest: Sendable {
    /// `GET`.
    public var method: String
    /// Path and query, encoded.
    public var target: String
    /// Names and values of header fields.
    public var headers: [(name: String, value: String)] = []
    /// The body, where there is one.
    public var body: [UInt8]?
}

extension FuzzSource {
    private static let lookUps = [
        "/v1/users/{}", "/v1/items/{}", "/v1/items/{}/similar", "/v1/models", "/v1/experiments", "/v1/stats", "/v1/stream", "/healthz",
        "/readyz", "/metrics", "/openapi.json", "/", "/dashboard.js", "/favicon.svg", "/v1/recommendations", "/v1/recommendations",
        "/v1/recommendations", "/v1/recommendations", "/v1/items/{}/similar",
    ]

    private static let parameters = [
        "user_id", "session_id", "n", "category", "exclude", "items", "context.device", "context.", "context.country", "objective.click",
        "objective.", "objective.value", "explain", "details", "wait", "user", "N", "",
    ]

    private static let methods = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"]

    private static let contentTypes = [
        "application/json", "application/json; charset=utf-8", "Application/JSON", "application/x-ndjson", "application/jsonl",
        "application/x-www-form-urlencoded", "application/cloudevents+json", "text/plain", "application/json;;;", "", "*/*", "+json",
        "application/octet-stream",
    ]

    /// A request whose path and query are odd.
    public mutating func oddQuery() -> OddRequest {
        var request = OddRequest(method: once(in: 8) ? pick(Self.methods) : "GET", target: path(pick(Self.lookUps)))
        if once(in: 8) {
            request.method = once(in: 2) ? "DELETE" : "POST"
            request.target = path(pick(["/v1/users/{}", "/v1/items/{}", "/v1/models/{}/promote", "/v1/models/rollback"]))
        }
        if once(in: 12) {
            var bytes = Array(request.target.utf8)
            mutate(&bytes, times: 1)
            request.target = Self.visible(bytes)
        }
        let count = once(in: 400) ? 2_098 + below(4) : below(5)
        for index in 0..<count {
            request.target += index == 0 ? "?" : "&"
            request.target += count > 5 ? "exclude=i\(index)" : parameter()
        }
        addHeaders(to: &request)
        return request
    }

    /// A request whose body is odd.
    public mutating func oddBody() -> OddRequest {
        var request: OddRequest
        switch below(8) {
        case 0, 1, 2:
            request = OddRequest(method: "POST", target: "/v1/events", body: eventsBody())
            request.headers.append(("Content-Type", once(in: 3) ? pick(Self.contentTypes) : "application/json"))
        case 3: request = OddRequest(method: "PUT", target: path("/v1/items/{}"), body: recordBody(.items))
        case 4: request = OddRequest(method: "PUT", target: path("/v1/users/{}"), body: recordBody(.users))
        default: request = OddRequest(method: "POST", target: "/v1/recommendations", body: recommendationBody())
        }
        if once(in: 4) { request.target += "?wait=" + pick(["true", "1", "false", "", "yes", "%31", "true&wait=true"]) }
        if once(in: 4), var body = request.body {
            mutate(&body, times: 1 + below(3))
            request.body = body
        }
        addHeaders(to: &request)
        return request
    }

    private mutating func path(_ template: String) -> String {
        guard let range = template.firstRange(of: "{}") else { return template }
        return template[..<range.lowerBound] + percentEncoded(pathID()) + template[range.upperBound...]
    }

    /// Mostly an id that a shop has, at times a model's version.
    private mutating func pathID() -> [UInt8] {
        switch below(8) {
        case 0, 1: plainBytes()
        case 2: Array(pick(["0", "-1", "9223372036854775808", "1e3", "٣", "a/b", ".", "..", "nobody", "nothing"]).utf8)
        case 3: Array(String(below(12)).utf8)
        default: Array("i\(below(100))".utf8)
        }
    }

    private mutating func parameter() -> String {
        let name = pick(Self.parameters)
        var value: [UInt8] = []
        switch below(6) {
        case 0: value = plainBytes()
        case 1: addNumber(to: &value)
        case 2:
            value.add(
                pick(["true", "false", "1", "0", "yes", "events:0=5", "events:0=5,1=7", "0=9223372036854775808", ":=,", "events:0=-1"]))
        case 3: value.add(pick(["u1", "nobody", "i1", "shoes", "phone", "10", "0", "1001", "5"]))
        default: value.add(String(below(40)))
        }
        let written = once(in: 20) ? name : name + "=" + percentEncoded(value)
        return once(in: 20) ? pick(["&&", "=", "%", "%zz", "%ff", "+", ";", "n=5;n=6", "n[]=5"]) : written
    }

    /// Bytes for a URL: what must be encoded is, and at times what need not be.
    private mutating func percentEncoded(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let wholly = once(in: 4)
        var text: [UInt8] = []
        for byte in bytes {
            let isPlain = byte.isLetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            if isPlain && !wholly {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What can stand in a request line: visible ASCII.
    private static func visible(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.map { (0x21..<0x7F).contains($0) ? $0 : UInt8(ascii: "~") }, as: UTF8.self)
    }

    private mutating func addHeaders(to request: inout OddRequest) {
        if once(in: 6) {
            request.headers.append(("Idempotency-Key", pick(["k\(below(50))", "", "a b", String(repeating: "k", count: 127 + below(3))])))
        }
        if once(in: 6) {
            request.headers.append(("X-Request-Id", pick(["r1", "", String(repeating: "r", count: 127 + below(3)), "é", "a b"])))
        }
        if once(in: 10) {
            request.headers.append(("Origin", pick(["http://localhost", "https://shop.example", "null", "://", "http://evil.example:80"])))
        }
        if once(in: 10) { request.headers.append(("If-None-Match", pick(["*", "\"x\"", ""]))) }
        if once(in: 20) { request.headers.append(("Content-Encoding", pick(["gzip", "identity", "IDENTITY", "", "br, gzip"]))) }
        if once(in: 10) { request.headers.append(("Content-Type", pick(Self.contentTypes))) }
        if once(in: 20) { request.headers.append(("Accept", pick(["*/*", "text/html", ""]))) }
    }

    private mutating func eventsBody() -> [UInt8] {
        let asLines = once(in: 3)
        var body: [UInt8] = asLines ? [] : [UInt8(ascii: "[")]
        if once(in: 4) { return anyRecord(.events) }
        for index in 0..<(once(in: 200) ? 999 + below(4) : below(4)) {
            if index > 0 { body.append(asLines ? UInt8(ascii: "\n") : UInt8(ascii: ",")) }
            body += once(in: 4) ? anyRecord(.events) : plausibleRecord(.events)
        }
        if !asLines { body.append(UInt8(ascii: "]")) }
        return body
    }

    /// A record whose id stands in the path, too, or does not.
    private mutating func recordBody(_ kind: FuzzKind) -> [UInt8] {
        var bytes = once(in: 3) ? anyRecord(kind) : plausibleRecord(kind)
        let name = Array((kind == .items ? "\"item_id\"" : "\"user_id\"").utf8)
        // Most senders leave the id to the path.
        if once(in: 2), let range = bytes.firstRange(of: name) { bytes.replaceSubrange(range, with: "\"id_elsewhere\"".utf8) }
        return bytes
    }

    private mutating func recommendationBody() -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        let fields: [StaticString] = [
            "user_id", "session_id", "n", "category", "exclude", "items", "context", "objective", "explain", "details", "wait",
        ]
        for field in fields where once(in: 3) {
            if bytes.count > 1 { addSeparator(to: &bytes) }
            bytes.add("\"")
            bytes.add(field)
            bytes.add("\":")
            if once(in: 4) {
                addValue(to: &bytes)
                continue
            }
            switch String(describing: field) {
            case "user_id", "session_id", "category": once(in: 2) ? addText(to: &bytes) : addKnownID("u", of: 200, to: &bytes)
            case "n": once(in: 2) ? addNumber(to: &bytes) : bytes.add(String(below(40)))
            case "exclude", "items":
                bytes.add(pick(["[\"i1\",\"i2\"]", "[]", "[1,2]", "[12345678901234567890123]", "[1.0,\"é\"]", "\"i1\""]))
            case "context": addAttributes(to: &bytes)
            case "objective":
                bytes.add(pick(["{\"click\":1}", "{\"purchase\":0.5,\"value\":1e-300}", "{\"click\":-1}", "{\"a\":1e309}", "{}"]))
            case "explain", "details": bytes.add(pick(["true", "false", "null", "1", "\"true\""]))
            default: bytes.add(pick(["\"events:0=5\"", "\"0=1\"", "\"\"", "true", "\"events:99999999999999999999=1\""]))
            }
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
