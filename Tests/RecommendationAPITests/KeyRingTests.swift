import HTTPTypes
import RecommendationAPI
import Testing

@Suite("Keys change while the service answers")
struct KeyRingTests {
    private static let old = APIKey(name: "read-1", secret: "old-secret", scopes: [.read])
    private static let new = APIKey(name: "read-1", secret: "new-secret", scopes: [.read])
    private static let writer = APIKey(name: "write-1", secret: "writes", scopes: [.read, .write])

    @Test func aKeyThatIsGoneOpensNothingAndANewOneOpensAtOnce() async throws {
        let configuration = APIConfiguration(apiKeys: [Self.old, Self.writer])
        try await TestService(configuration).test { client async throws in
            func status(_ key: String) async throws -> Int { try await client.send(.get, "/v1/stats", headers: ["X-API-Key": key]).status }
            #expect(try await status("old-secret") == 200)
            #expect(try await status("new-secret") == 401)
            configuration.keyRing.replace(by: [Self.new, Self.old, Self.writer])
            #expect(try await status("old-secret") == 200)
            #expect(try await status("new-secret") == 200)
            configuration.keyRing.replace(by: [Self.new, Self.writer])
            #expect(try await status("old-secret") == 401)
            #expect(try await status("new-secret") == 200)
            #expect(try await client.send(.get, "/v1/stats").status == 401)
        }
    }

    @Test("from no keys to some: closed at once")
    func closing() async throws {
        let configuration = APIConfiguration()
        try await TestService(configuration).test { client async throws in
            #expect(try await client.send(.get, "/v1/stats").status == 200)
            configuration.keyRing.replace(by: [Self.old])
            #expect(try await client.send(.get, "/v1/stats").status == 401)
        }
    }

    @Test("a caller keeps its limit and its answers whatever stands before it, and nobody takes them over")
    func callers() async throws {
        let configuration = APIConfiguration(apiKeys: [Self.writer], maxRequestsPerSecond: 1, rateBurstRequests: 2)
        let service = TestService(configuration)
        try await service.test { client async throws in
            let event = #"{"type":"click","user_id":"u1","item_id":"i1"}"#
            func post(_ key: String) async throws -> Answer {
                try await client.send(
                    .post, "/v1/events", event,
                    headers: ["X-API-Key": key, "Idempotency-Key": "k1", "Content-Type": "application/json"])
            }
            #expect(try await post("writes").status == 202)
            let other = APIKey(name: "write-1", secret: "another", scopes: [.write])
            configuration.keyRing.replace(by: [other, Self.writer])
            // In the place where the other key stood, and yet another caller.
            let first = try await post("another")
            #expect(first.status == 202 && first["Idempotency-Replayed"] == nil)
            let repeated = try await post("writes")
            #expect(repeated.status == 429 || repeated["Idempotency-Replayed"] == "true")
            configuration.keyRing.replace(by: [Self.new])
            configuration.keyRing.replace(by: [Self.writer])
            // It was gone: what was kept for it before is nobody's.
            let again = try await post("writes")
            #expect(again.status == 202 && again["Idempotency-Replayed"] == nil)
        }
    }
}
