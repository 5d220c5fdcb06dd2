import Foundation
import RecommendationAPI
import Testing

/// What comes over real sockets that no well-behaved client sends: each is answered as a problem, in its turn, and nothing breaks.
@Suite struct TransportTests {
    private static let host = "Host: localhost\r\n"
    private static let kilobyte = String(repeating: "a", count: 990)
    private static let post = "POST /v1/events HTTP/1.1\r\n\(host)"
    private static let chunked = "POST /v1/events HTTP/1.1\r\n\(host)Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let last = "Connection: close\r\n\r\n"

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let request: String
        let status: Int
        /// The last part of the problem's type; nil where the answer is no problem.
        let slug: String?

        init(_ name: String, _ status: Int, _ slug: String?, _ request: String) {
            testDescription = name
            self.request = request
            self.status = status
            self.slug = slug
        }
    }

    static let cases: [Case] = [
        Case("a chunk size that is no number", 400, "malformed-request", "\(chunked)zz\r\n{}\r\n0\r\n\r\n"),
        Case("a chunk longer than announced", 400, "malformed-request", "\(chunked)2\r\n{}{}\r\n0\r\n\r\n"),
        Case("a chunk size beyond all numbers", 400, "malformed-request", "\(chunked)fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        Case(
            "a query of 100 KB", 414, "uri-too-long",
            "GET /v1/recommendations?user_id=\(String(repeating: "u", count: 100_000)) HTTP/1.1\r\n\(host)\r\n"),
        Case("a path of 200 KB", 414, "uri-too-long", "GET /\(String(repeating: "p", count: 200_000)) HTTP/1.1\r\n\(host)\r\n"),
        Case(
            "a field of 100 KB", 431, "header-too-large",
            "GET /healthz HTTP/1.1\r\n\(host)X-A: \(String(repeating: "a", count: 100_000))\r\n\r\n"),
        Case(
            "fields of 100 KB together", 431, "header-too-large",
            "GET /healthz HTTP/1.1\r\n\(host)\(String(repeating: "X-A: \(kilobyte)\r\n", count: 100))\r\n"),
        Case(
            "two thousand fields", 431, "header-too-large",
            "GET /healthz HTTP/1.1\r\n\(host)\(String(repeating: "a: b\r\n", count: 2_000))\r\n"),
        Case("a length that is no number", 400, "malformed-request", "POST /v1/events HTTP/1.1\r\n\(host)Content-Length: two\r\n\r\n{}"),
        Case("a negative length", 400, "malformed-request", "POST /v1/events HTTP/1.1\r\n\(host)Content-Length: -2\r\n\r\n{}"),
        Case(
            "two lengths", 400, "malformed-request",
            "POST /v1/events HTTP/1.1\r\n\(host)Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        Case(
            "a length and chunks", 400, "malformed-request",
            "\(post)Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        Case(
            "a coding that is not read", 501, "unsupported-transfer-encoding",
            "POST /v1/events HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        Case("no host", 400, "malformed-request", "GET /healthz HTTP/1.1\r\n\r\n"),
        Case("two hosts", 400, "malformed-request", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: 127.0.0.1\r\n\r\n"),
        Case("a target that is no path", 400, "malformed-request", "GET healthz HTTP/1.1\r\n\(host)\r\n"),
        Case("a target of another scheme", 400, "malformed-request", "GET ftp://localhost/healthz HTTP/1.1\r\n\(host)\r\n"),
        Case("an absolute target", 200, nil, "GET http://localhost/healthz HTTP/1.1\r\n\(host)\(last)"),
        Case("an absolute target elsewhere", 421, "foreign-host", "GET http://shop.example/healthz HTTP/1.1\r\n\(host)\(last)"),
        Case("CONNECT", 405, "method-not-allowed", "CONNECT example.com:443 HTTP/1.1\r\n\(host)\r\n"),
        Case("TRACE", 405, "method-not-allowed", "TRACE /healthz HTTP/1.1\r\n\(host)\(last)"),
        Case(
            "an unknown expectation", 417, "expectation-failed",
            "POST /v1/events HTTP/1.1\r\n\(host)Expect: money\r\nContent-Length: 2\r\n\r\n{}"),
        Case("HTTP/1.0", 200, nil, "GET /healthz HTTP/1.0\r\n\r\n"),
        Case("HTTP/2", 400, "malformed-request", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Case("a handshake of TLS", 400, "malformed-request", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}"),
        Case("a header cut off", 400, "malformed-request", "GET /healthz HTTP/1.1\r\nHost local\r\n\r\n"),
        Case("a refused request behind a good one", 200, nil, "GET /healthz HTTP/1.1\r\n\(host)\r\nGET healthz HTTP/1.1\r\n\(host)\r\n"),
    ]

    @Test(arguments: cases) func whatIsMalformedIsAnsweredAsAProblem(_ example: Case) async throws {
        try await TestService().serve { port, _ in
            let answer = try await RawClient.ask(port, example.request)
            let version = example.testDescription == "HTTP/1.0" ? "HTTP/1.0" : "HTTP/1.1"
            #expect(answer.hasPrefix("\(version) \(example.status) "), "\(answer.prefix(400))")
            #expect(answer.lowercased().contains("connection: close"))
            if let slug = example.slug {
                #expect(answer.contains("application/problem+json"), "\(answer.prefix(600))")
                #expect(answer.contains("urn:freshet:problem:\(slug)\""), "\(answer.prefix(600))")
            }
            if example.testDescription.hasPrefix("a refused request behind") {
                #expect(answer.contains("HTTP/1.1 400 ") && answer.contains("malformed-request"))
            }
            // It counts like every other answer, and the service goes on.
            let metrics = try await RawClient.get(port, "/metrics")
            if example.slug != nil { #expect(metrics.contains("status=\"\(example.status)\"")) }
        }
    }

    @Test func whoWaitsForContinueGetsItOnlyWhereTheBodyIsWanted() async throws {
        let service = TestService(APIConfiguration(maxBodyBytes: 100, requestMilliseconds: 600_000))
        try await service.serve { port, _ in
            let head = "POST /v1/events HTTP/1.1\r\n\(Self.host)Content-Type: application/json\r\nExpect: 100-continue\r\n"
            let wanted = try RawClient(port: port)
            await wanted.send(head + "Connection: close\r\nContent-Length: 15\r\n\r\n")
            #expect(await wanted.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            await wanted.send(#"{"user_id":"u"}"#)
            #expect(await wanted.receiveAll().hasPrefix("HTTP/1.1 202 "))
            // Whether the body follows nobody can tell, so the connection ends.
            let refused = try await RawClient.ask(port, head + "Content-Length: 1000\r\n\r\n")
            #expect(refused.hasPrefix("HTTP/1.1 413 ") && refused.lowercased().contains("connection: close"))
        }
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:8080", true), ("localhost.", true), ("shop.localhost", true), ("127.0.0.1", true),
        ("127.9.8.7:1", true), ("[::1]:80", true), ("[::ffff:127.0.0.1]", true), ("shop.example:443", true), ("evil.example", false),
        ("localhost.evil.example", false),
        ("127.0.0.1.evil.example", false), ("192.168.1.5", false), ("[::2]", false), ("127.0.0.1@evil.example", false),
        ("localhost:80:evil", false), ("", false),
    ]) func aServiceWithoutKeysOnLoopbackAnswersByItsOwnNamesOnly(_ host: String, _ isOwn: Bool) async throws {
        let request = "GET /healthz HTTP/1.1\r\nHost: \(host)\r\n\(Self.last)"
        try await TestService(APIConfiguration(allowedHosts: ["shop.example"])).serve { port, _ in
            let answer = try await RawClient.ask(port, request)
            let wanted = isOwn ? "HTTP/1.1 200 " : "HTTP/1.1 421 "
            #expect(answer.hasPrefix(wanted), "\(answer)")
            if !isOwn { #expect(answer.contains("http.allowed_hosts")) }
        }
        // With keys nobody gets far by a borrowed name, and proxies have names of their own.
        let keyed = APIConfiguration(apiKeys: [APIKey(name: "a", secret: "s", scopes: [.read])])
        try await TestService(keyed).serve { port, _ in
            let answer1 = try await RawClient.ask(port, request)
            #expect(answer1.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func aPageOfAnAllowedHostIsOurOwnAndAForeignOneWritesNothing() async throws {
        let service = TestService(APIConfiguration(allowedHosts: ["shop.example"]))
        try await service.serve { port, _ in
            func write(_ host: String, _ origin: String) async throws -> String {
                try await RawClient.ask(
                    port, "DELETE /v1/items/i1 HTTP/1.1\r\nHost: \(host)\r\nOrigin: \(origin)\r\n\(Self.last)")
            }
            let answer2 = try await write("shop.example", "http://shop.example")
            #expect(answer2.hasPrefix("HTTP/1.1 202 "))
            let answer3 = try await write("localhost", "http://evil.example")
            #expect(answer3.hasPrefix("HTTP/1.1 403 "))
            let answer4 = try await write("localhost", "null")
            #expect(answer4.hasPrefix("HTTP/1.1 403 "))
            let answer5 = try await write("evil.example", "http://evil.example")
            #expect(answer5.hasPrefix("HTTP/1.1 421 "))
            // What is shown is written down: an image on a page must not do that.
            let image = "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n\(Self.last)"
            let answer6 = try await RawClient.ask(port, "GET /v1/recommendations?user_id=u HTTP/1.1\r\n\(image)")
            #expect(answer6.hasPrefix("HTTP/1.1 403 "))
            let answer7 = try await RawClient.ask(port, "GET /v1/stats HTTP/1.1\r\n\(image)")
            #expect(answer7.hasPrefix("HTTP/1.1 200 "))
            // Nothing is written down of items like another.
            let answer8 = try await RawClient.ask(port, "GET /v1/items/i1/similar HTTP/1.1\r\n\(image)")
            #expect(answer8.hasPrefix("HTTP/1.1 200 "))
        }
        #expect(service.seen.withLock { $0.records.count } == 1)
    }
}
