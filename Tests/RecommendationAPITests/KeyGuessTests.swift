import NIOCore
import RecommendationAPI
import Testing

/// Whoever guesses keys has to wait, and learns nothing from it; nobody else has to.
@Suite struct KeyGuessTests {
    /// A check whose time does not go on: the tables begin in an hour.
    private static func check() -> KeyCheck {
        let ring = KeyRing([
            APIKey(name: "reader", secret: "right", scopes: [.read]), APIKey(name: "other", secret: "another", scopes: [.read, .write]),
        ])
        return KeyCheck(ring, guesses: KeyGuesses(now: .now + .seconds(3_600)))
    }

    private func ask(_ check: KeyCheck, _ key: String?, from address: String?, _ path: String = "/looks") async throws -> Problem? {
        var asked = TestExchange(.get, path, headers: key.map { ["X-API-Key": $0] } ?? [:], from: address)
        return try await asked.pass(check).problem
    }

    @Test func wrongKeysBeyondABurstWaitAndARightOneThenTellsNothing() async throws {
        let check = Self.check()
        for _ in 0..<KeyGuesses.burst {
            #expect(try await ask(check, "guess", from: "192.0.2.1")?.slug == "unknown-key")
        }
        for key in ["guess", "right", "another"] {
            let refused = try #require(try await ask(check, key, from: "192.0.2.1"))
            #expect(refused.status == .tooManyRequests && refused.slug == "too-many-wrong-keys")
            #expect(refused.headers[.retryAfter].flatMap { Int($0) }.map { (1...60).contains($0) } == true)
        }
        // Who sends none guesses nothing, and others are other addresses.
        #expect(try await ask(check, nil, from: "192.0.2.1")?.slug == "key-required")
        #expect(try await ask(check, nil, from: "192.0.2.1", "/probe") == nil)
        #expect(try await ask(check, "right", from: "192.0.2.2") == nil)
        #expect(try await ask(check, "guess", from: nil)?.slug == "unknown-key")
    }

    @Test func aKeyThatOpenedFromThereBeforeGoesOn() async throws {
        let check = Self.check()
        #expect(try await ask(check, "right", from: "192.0.2.1") == nil)
        for _ in 0..<(2 * KeyGuesses.burst) { _ = try await ask(check, "guess", from: "192.0.2.1") }
        #expect(try await ask(check, "right", from: "192.0.2.1") == nil)
        #expect(try await ask(check, "another", from: "192.0.2.1")?.slug == "too-many-wrong-keys")
    }

    @Test func waitingHelps() {
        let start = ContinuousClock.now, guesses = KeyGuesses(now: start)
        var tried = 0
        while guesses.wrongKey(from: 7, now: start) == nil { tried += 1 }
        #expect(tried == KeyGuesses.burst)
        #expect(guesses.rightKey(of: 1, from: 7, now: start) != nil)
        #expect(guesses.rightKey(of: 1, from: 7, now: start + .seconds(2)) == nil)
        // From then on it is known there, and other keys are not.
        while guesses.wrongKey(from: 7, now: start + .seconds(2)) == nil {}
        #expect(guesses.rightKey(of: 1, from: 7, now: start + .seconds(2)) == nil)
        #expect(guesses.rightKey(of: 2, from: 7, now: start + .seconds(2)) != nil)
    }

    @Test func manyAddressesShareATableOfFixedSize() {
        let start = ContinuousClock.now, guesses = KeyGuesses(now: start)
        var waits = 0
        for address in 0..<(4 * KeyGuesses.places) as Range<Int> {
            for _ in 0..<KeyGuesses.burst where guesses.wrongKey(from: UInt64(address), now: start) != nil { waits += 1 }
        }
        #expect(waits == 3 * KeyGuesses.places * KeyGuesses.burst)
    }

    @Test func anIPv6CallerIsItsNetworkAndAMappedAddressIsTheIPv4One() throws {
        func origin(_ text: String) throws -> UInt64? { KeyGuesses.origin(try SocketAddress(ipAddress: text, port: 1)) }
        #expect(try origin("2001:db8:1:2::1") == origin("2001:db8:1:2:ffff::9"))
        #expect(try origin("2001:db8:1:2::1") != origin("2001:db8:1:3::1"))
        #expect(try origin("::ffff:192.0.2.1") == origin("192.0.2.1"))
        #expect(try origin("192.0.2.1") != origin("192.0.2.2"))
        #expect(KeyGuesses.origin(nil) == nil)
    }

    @Test func whoGuessesAtAProbeWaitsTooAndIsToldNothing() async throws {
        let check = Self.check()
        func mayRead(_ key: String) -> Bool {
            check.mayRead(TestExchange(.get, "/probe", headers: ["X-API-Key": key], from: "192.0.2.1").exchange)
        }
        for _ in 0..<KeyGuesses.burst { #expect(!mayRead("guess")) }
        #expect(!mayRead("right"))
        #expect(try await ask(check, "right", from: "192.0.2.1")?.slug == "too-many-wrong-keys")
    }

    @Test func overASocketTheAddressIsTheConnections() async throws {
        let service = TestService(APIConfiguration(apiKeys: [APIKey(name: "reader", secret: "right", scopes: [.read])]))
        try await service.serve { port, _ in
            func wrong(_ last: Bool) -> String {
                "GET /v1/stats HTTP/1.1\r\nHost: localhost\r\nX-API-Key: guess\r\n\(last ? "Connection: close\r\n" : "")\r\n"
            }
            // In one piece: a machine that stands still for a second lets one more through.
            let many = 20 * KeyGuesses.burst
            let answers = try await RawClient.ask(port, String(repeating: wrong(false), count: many) + wrong(true))
            #expect(answers.contains("HTTP/1.1 401 ") && answers.contains("HTTP/1.1 429 "))
            #expect(answers.lowercased().contains("retry-after: "))
        }
        let told = service.logged.all.filter { $0.contains("keys are being guessed") }
        #expect(!told.isEmpty && told.allSatisfy { $0.contains("127.0.0.1") && !$0.contains("right") }, "\(told)")
    }
}
