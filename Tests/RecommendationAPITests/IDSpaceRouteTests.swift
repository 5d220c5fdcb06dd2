import RecommendationAPI
import Testing

@Suite("Requests with a space of ids")
struct IDSpaceRouteTests {
    /// The user who was asked for by a query, and by the body of the same meaning.
    private func asked(_ query: String, _ body: String) async throws -> [String?] {
        let service = TestService()
        try await service.test { client async throws in
            #expect(try await client.send(.get, "/v1/recommendations?" + query).status == 200)
            #expect(try await client.send(.post, "/v1/recommendations", body).status == 200)
        }
        return service.seen.withLock { $0.recommendations.map(\.userID) }
    }

    @Test func theUserHasTheSpaceInFront() async throws {
        #expect(try await asked("user_id=7&id_space=app", #"{"user_id":7,"id_space":"app"}"#) == ["app:7", "app:7"])
        #expect(try await asked("user_id=7", #"{"user_id":"7","id_space":null}"#) == ["7", "7"])
        #expect(try await asked("user_id=7&id_space=", #"{"user_id":"7"}"#) == ["7", "7"])
        #expect(try await asked("user_id=app:7", #"{"user_id":"app:7"}"#) == ["app:7", "app:7"])
    }

    @Test func ofASessionAloneItSaysNothing() async throws {
        #expect(try await asked("session_id=s4&id_space=app", #"{"session_id":"s4","id_space":"app"}"#) == [nil, nil])
    }

    @Test(arguments: ["session", "a%20b", "a:b", "%C3%A9", String(repeating: "a", count: 33)])
    func whatIsNoSpaceIsRefusedByItsName(space: String) async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(.get, "/v1/recommendations?user_id=7&id_space=" + space)
            #expect(answer.status == 400 && answer.text.contains("id_space"), "\(answer.text)")
        }
    }

    @Test func aBodysSpaceIsHeldToTheSameRules() async throws {
        try await TestService().test { client async throws in
            let refused = try await client.send(.post, "/v1/recommendations", #"{"user_id":"7","id_space":"session"}"#)
            #expect(refused.status == 400 && refused.text.contains("id_space"), "\(refused.text)")
            let long = String(repeating: "x", count: 253)
            for answer in [
                try await client.send(.get, "/v1/recommendations?user_id=\(long)&id_space=app"),
                try await client.send(.post, "/v1/recommendations", #"{"user_id":"\#(long)","id_space":"app"}"#),
            ] {
                #expect(answer.status == 400 && answer.text.contains("256 bytes with its"), "\(answer.text)")
            }
        }
    }

    @Test func aPathHasTheWholeId() async throws {
        try await TestService().test { client async throws in
            let refused = try await client.send(.put, "/v1/users/7", #"{"id_space":"app","attributes":{}}"#)
            #expect(refused.status == 400 && refused.text.contains("SPACE:ID"), "\(refused.text)")
            #expect(try await client.send(.put, "/v1/users/app:7", #"{"id_space":null,"attributes":{}}"#).status == 202)
        }
    }
}
