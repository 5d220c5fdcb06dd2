import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import RecommendationAPI
import Synchronization
import Testing

/// Each concern of answering by itself.
@Suite struct ConcernTests {
    private struct Odd: Error {}

    // MARK: Keys and names

    private static func ring() -> KeyRing {
        KeyRing([
            APIKey(name: "reader", secret: "read", scopes: [.read]), APIKey(name: "writer", secret: "write", scopes: [.write]),
            APIKey(name: "prometheus", secret: "scrape", scopes: [.metrics]),
        ])
    }

    @Test(arguments: [
        ("/looks", "read", nil), ("/looks", "write", "scope-required"), ("/looks", "guess", "unknown-key"), ("/looks", nil, "key-required"),
        ("/scrape", "scrape", nil), ("/looks", "scrape", "scope-required"), ("/probe", nil, nil), ("/probe", "guess", nil),
    ] as [(String, String?, String?)])
    func keysOpenWhatTheirScopesSay(path: String, key: String?, slug: String?) async throws {
        var asked = TestExchange(.get, path, headers: key.map { ["X-API-Key": $0] } ?? [:])
        let outcome = try await asked.pass(KeyCheck(Self.ring()))
        #expect(outcome.slug == slug)
        #expect(outcome.isLetThrough == (slug == nil))
        if slug == nil, path != "/probe" { #expect(asked.exchange.caller > 0) }
    }

    @Test func keysThatAreExchangedCountFromThenOn() async throws {
        let ring = KeyRing()
        let check = KeyCheck(ring)
        var asked = TestExchange(.get, "/looks")
        #expect(try await asked.pass(check).isLetThrough)
        #expect(asked.exchange.caller == -1)
        ring.replace(by: [APIKey(name: "a", secret: "new", scopes: [.read])])
        #expect(try await asked.pass(check).slug == "key-required")
        var keyed = TestExchange(.get, "/looks", headers: ["Authorization": "Bearer new"])
        #expect(try await keyed.pass(check).isLetThrough)
    }

    @Test(arguments: [
        ("localhost:8080", true), ("shop.localhost", true), ("127.9.9.9", true), ("[::1]:80", true), ("proxy.example.:1", true),
        ("PROXY.example", true), ("me.internal", true), ("evil.example", false), ("localhost.evil.example", false), ("10.0.0.1", false),
        ("[::2]", false), ("localhost:80a", false), ("", false),
    ])
    func withoutKeysOnlyOwnNamesAreAnswered(authority: String, isOwn: Bool) async throws {
        let rules = HostRules(ring: KeyRing(), host: "me.internal", allowedHosts: ["proxy.example"], listensOnLoopbackOnly: true)
        var asked = TestExchange(.get, "/looks", authority: authority)
        #expect(try await asked.pass(rules).slug == (isOwn ? nil : "foreign-host"))
        // With keys, or where others reach the service, any name will do.
        let keyed = HostRules(ring: Self.ring(), host: "127.0.0.1", allowedHosts: [], listensOnLoopbackOnly: true)
        #expect(try await asked.pass(keyed).isLetThrough)
        let open = HostRules(ring: KeyRing(), host: "0.0.0.0", allowedHosts: [], listensOnLoopbackOnly: false)
        #expect(try await asked.pass(open).isLetThrough)
    }

    @Test(arguments: [
        (.get, "/looks", ["Origin": "https://evil.example"], true), (.get, "/looks", ["Sec-Fetch-Site": "cross-site"], true),
        (.get, "/shows", ["Sec-Fetch-Site": "cross-site"], false), (.get, "/shows", ["Origin": "https://evil.example"], false),
        (.get, "/shows?preview=true", ["Sec-Fetch-Site": "cross-site"], true), (.get, "/shows", [:], true),
        (.get, "/shows", ["Sec-Fetch-Site": "same-site"], false), (.get, "/shows", ["Sec-Fetch-Site": "same-origin"], true),
        (.get, "/shows", ["Sec-Fetch-Site": "none"], true), (.get, "/shows", ["Referer": "http://evil.example/a?b"], false),
        (.get, "/looks", ["Referer": "http://evil.example/"], true), (.post, "/writes", ["Sec-Fetch-Site": "same-site"], false),
        (.post, "/writes", ["Referer": "http://evil.example/"], false), (.get, "/shows", ["Referer": "no address"], true),
        (.post, "/writes", ["Origin": "https://evil.example"], false), (.post, "/writes", ["Sec-Fetch-Site": "cross-site"], false),
        (.post, "/writes", ["Sec-Fetch-Site": "same-origin"], true), (.post, "/writes", ["Origin": "https://shop.example"], true),
        (.post, "/writes", ["Origin": "http://localhost:8080"], true), (.post, "/writes", ["Origin": "http://localhost:9090"], false),
        (.post, "/writes", ["Origin": "null"], false),
    ] as [(HTTPRequest.Method, String, [String: String], Bool)])
    func pagesOfOthersReadAndWriteNothing(method: HTTPRequest.Method, path: String, headers: [String: String], passes: Bool) async throws {
        let hosts = HostRules(ring: KeyRing(), host: "127.0.0.1", allowedHosts: [], listensOnLoopbackOnly: true)
        let rules = OriginRules(ring: KeyRing(), allowedOrigins: ["https://shop.example"], hosts: hosts)
        var asked = TestExchange(method, path, headers: headers)
        #expect(try await asked.pass(rules).slug == (passes ? nil : "foreign-origin"))
    }

    @Test func configuredPagesMayReadWhatComes() async throws {
        let concern = CrossOrigin(allowedOrigins: ["https://shop.example"])
        var own = TestExchange(.get, "/looks", headers: ["Origin": "https://shop.example"])
        let allowed = try await own.pass(concern)
        #expect(allowed["Access-Control-Allow-Origin"] == "https://shop.example" && allowed["Vary"] == "Origin")
        var foreign = TestExchange(.get, "/looks", headers: ["Origin": "https://evil.example"])
        let other = try await foreign.pass(concern)
        #expect(other.isLetThrough && other["Access-Control-Allow-Origin"] == nil && other["Vary"] == "Origin")
        let off = try await own.pass(CrossOrigin(allowedOrigins: []))
        #expect(off["Access-Control-Allow-Origin"] == nil && off["Vary"] == nil)
        let preflight = concern.preflight(own.exchange.request, allow: "POST, OPTIONS")
        #expect(preflight.headers[.accessControlAllowMethods] == "POST, OPTIONS" && preflight.headers[.accessControlMaxAge] == "600")
        #expect(concern.preflight(foreign.exchange.request, allow: "POST").headers[.accessControlAllowMethods] == nil)
    }

    // MARK: What is asked

    @Test(arguments: [
        (.get, "/looks", nil), (.head, "/looks", nil), (.put, "/looks", "method-not-allowed"), (.get, "/nothing", "unknown-route"),
    ] as [(HTTPRequest.Method, String, String?)])
    func onlyRoutesAreLetThrough(method: HTTPRequest.Method, path: String, slug: String?) async throws {
        var asked = TestExchange(method, path)
        let outcome = try await asked.pass(KnownRoutes(crossOrigin: CrossOrigin(allowedOrigins: [])))
        #expect(outcome.slug == slug)
        #expect(outcome.reached == (slug == nil ? 1 : 0))
        if slug == "method-not-allowed" { #expect(outcome.problem?.headers[.allow] == "GET, HEAD, OPTIONS") }
        // A chain without this concern ends with an answer, too.
        var unmatched = TestExchange(.get, "/nothing")
        do {
            _ = try await RouteWork().handle(&unmatched.exchange)
            Issue.record("it was answered")
        } catch let problem as Problem {
            #expect(problem.slug == "unknown-route")
        }
    }

    @Test func optionsAreAnsweredWithoutARoute() async throws {
        var asked = TestExchange(.options, "/writes")
        let outcome = try await asked.pass(KnownRoutes(crossOrigin: CrossOrigin(allowedOrigins: [])))
        #expect(outcome.response?.status == .noContent && outcome["Allow"] == "POST, OPTIONS" && outcome.reached == 0)
    }

    @Test(arguments: [
        ("/looks?n=1&context.device=phone", nil), ("/looks?N=1", "unknown-parameter"), ("/looks?context.=1", "unknown-parameter"),
        ("/looks?n=%zz", "invalid-encoding"), ("/looks?preview=maybe", "invalid-parameter"), ("/scrape?n=1", "unknown-parameter"),
        ("/looks?preview", nil),
    ] as [(String, String?)])
    func onlyKnownParametersAreLetThrough(path: String, slug: String?) async throws {
        var asked = TestExchange(.get, path)
        let outcome = try await asked.pass(KnownQuery())
        #expect(outcome.slug == slug)
        if path.contains("n=1&") { #expect(asked.exchange.query.values("n") == ["1"]) }
    }

    @Test(arguments: [
        ("/looks?preview=1", true), ("/looks?preview=false", false), ("/looks?preview=maybe", false), ("/scrape?preview=1", false),
    ])
    func aPreviewIsKnownFromTheStart(path: String, isPreview: Bool) {
        #expect(TestExchange(.get, path).exchange.asksForPreview == isPreview)
    }

    @Test func bodiesAreReadWhereTheRouteTakesThem() async throws {
        var writes = TestExchange(.post, "/writes", headers: ["Content-Type": "application/json"], body: "{\"a\":1}")
        #expect(try await writes.pass(BodyIntake(maxBytes: 7)).isLetThrough)
        #expect(String(decoding: writes.exchange.body, as: UTF8.self) == "{\"a\":1}")
        var long = TestExchange(.post, "/writes", headers: ["Content-Type": "application/json"], body: "{\"a\":12}")
        #expect(try await long.pass(BodyIntake(maxBytes: 7)).slug == "too-large")
        var looks = TestExchange(.get, "/looks", body: "{\"a\":12}")
        #expect(try await looks.pass(BodyIntake(maxBytes: 7)).isLetThrough)
        #expect(looks.exchange.body.isEmpty)
    }

    // MARK: How much, and how long

    @Test func eachCallerHasARateAndProbesHaveNone() async throws {
        let rates = CallerRates(limit: RateLimit(requestsPerSecond: 1, burstRequests: 2, now: .now - .seconds(100)))
        var first = TestExchange(.get, "/looks")
        first.exchange.admitted = Exchange.Caller(number: 1, name: "one")
        var passed = 0
        for _ in 0..<4 {
            let outcome = try await first.pass(rates)
            if outcome.isLetThrough { passed += 1 } else { #expect(outcome.problem?.headers[.retryAfter] != nil) }
        }
        #expect(passed == 2)
        var second = TestExchange(.get, "/looks")
        second.exchange.admitted = Exchange.Caller(number: 2, name: "two")
        #expect(try await second.pass(rates).isLetThrough)
        var probe = TestExchange(.get, "/probe")
        probe.exchange.admitted = Exchange.Caller(number: 1, name: "one")
        #expect(try await probe.pass(rates).isLetThrough)
        #expect(try await first.pass(CallerRates(limit: nil)).isLetThrough)
    }

    @Test func asManyAtOnceAsAllowedAndEachPlaceIsGivenBack() async throws {
        let metrics = RequestMetrics(routes: [])
        let admission = Admission(metrics: metrics, maxConcurrentRequests: 1)
        var asked = TestExchange(.get, "/looks")
        for _ in 0..<3 { #expect(try await asked.pass(admission).isLetThrough) }
        // A failure gives the place back, too.
        let failing = TestExchange.Next { _ in throw Odd() }
        do {
            _ = try await asked.pass(admission, to: failing)
            Issue.record("the failure is lost")
        } catch is Odd {}
        #expect(metrics.enter() == 1)
        let full = try await asked.pass(admission)
        #expect(full.slug == "overloaded" && full.problem?.headers[.retryAfter] == "1")
        var probe = TestExchange(.get, "/probe")
        #expect(try await probe.pass(admission).isLetThrough)
        metrics.leave()
        #expect(try await asked.pass(admission).isLetThrough)
    }

    @Test func whatTakesTooLongIsGivenUpUnlessItMayGoOn() async throws {
        let deadline = RequestDeadline(clock: DeadlineClock(), limitMilliseconds: 50)
        let endless = TestExchange.Next { _ in
            try await Task.sleep(for: .seconds(600))
            return Response(status: .ok)
        }
        var asked = TestExchange(.get, "/looks")
        #expect(try await asked.pass(deadline, to: endless).slug == "timed-out")
        var quick = TestExchange(.get, "/looks")
        #expect(try await quick.pass(RequestDeadline(clock: DeadlineClock(), limitMilliseconds: 600_000)).isLetThrough)
        var listens = TestExchange(.get, "/listens")
        let slow = TestExchange.Next { _ in
            try await Task.sleep(for: .milliseconds(120))
            return Response(status: .ok)
        }
        #expect(try await listens.pass(deadline, to: slow).isLetThrough)
    }

    // MARK: What is told

    @Test func everyErrorIsAProblemAndOnlyOddOnesAreLogged() async throws {
        for (error, status) in [
            (Problem(.conflict, "in-progress", "Wait."), 409), (ServiceError(.notFound, "No."), 404), (CancellationError(), 503),
            (Odd(), 500),
        ] as [(any Error, Int)] {
            let asked = TestExchange(.get, "/looks")
            var exchange = asked.exchange
            let logged = asked.logged
            let concern = ProblemDetails(logger: Logger(label: "test") { _ in logged.handler() })
            let failing = TestExchange.Next { _ in throw error }
            let response = try await concern.handle(&exchange, next: failing)
            #expect(response.status.code == status && response.headers[.contentType] == "application/problem+json")
            #expect(logged.all.contains { $0.contains("request failed") } == (status == 500))
        }
        var fine = TestExchange(.get, "/looks")
        #expect(try await fine.pass(ProblemDetails(logger: Logger(label: "test"))).response?.status == .ok)
    }

    @Test func everyAnswerIsMarked() async throws {
        var asked = TestExchange(.get, "/looks?preview=true", headers: ["X-Request-Id": "mine-1"])
        let outcome = try await asked.pass(AnswerMarks())
        #expect(outcome["X-Request-Id"] == "mine-1" && outcome["X-Content-Type-Options"] == "nosniff")
        #expect(outcome["X-Freshet-Preview"] == "true")
        var plain = TestExchange(.head, "/looks", headers: ["X-Request-Id": "two words"])
        let body = TestExchange.Next { _ in Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "text"))) }
        let head = try await plain.pass(AnswerMarks(), to: body)
        #expect(head["X-Request-Id"] == plain.exchange.requestID && head["X-Freshet-Preview"] == nil)
        #expect(head["Content-Length"] == "4", "a HEAD tells how long the answer would be")
    }

    @Test func requestsHaveNamesOfTheirOwn() {
        let ids = RequestIDs(prefix: "p"), others = RequestIDs()
        let names = (0..<1_000).map { _ in ids.next() }
        #expect(names.first == "p-0" && Set(names).count == 1_000)
        #expect(others.next() != RequestIDs().next())
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (1_796_007_600, "Mon, 30 Nov 2026 03:00:00 GMT"),
    ] as [(Int64, String)])
    func datesAreWrittenAsHTTPAsks(second: Int64, text: String) {
        let dates = AnswerDates()
        #expect(dates.header(second: second) == text)
        _ = dates.header(second: second + 1)
        #expect(dates.header(second: second) == text)
    }

    @Test func theLogHoldsTheTemplateAndNoPath() async throws {
        var asked = TestExchange(.get, "/looks?n=somebody")
        let logged = asked.logged
        let log = AccessLog(logger: Logger(label: "test") { _ in logged.handler() })
        _ = try await asked.pass(log)
        var unknown = TestExchange(.get, "/users/somebody")
        _ = try await unknown.pass(log)
        #expect(logged.all.count == 2)
        #expect(logged.all[0].contains("/looks") && logged.all[1].contains("unmatched"))
        #expect(!logged.all.joined().contains("somebody"))
    }

    @Test func concernsStandInTheOrderInWhichTheyAreLinked() async throws {
        struct Note: RequestMiddleware {
            let name: String
            let note: @Sendable (String) -> Void

            func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
                note("\(name) in")
                defer { note("\(name) out") }
                return try await next.handle(&exchange)
            }
        }
        let notes = Notes()
        let chain = Note(name: "a", note: notes.add).then(Note(name: "b", note: notes.add).then(RouteWork()))
        var asked = TestExchange(.post, "/writes")
        let response = try await chain.handle(&asked.exchange)
        #expect(response.status == .accepted)
        #expect(notes.all == ["a in", "b in", "b out", "a out"])
    }

    private final class Notes: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }
}
