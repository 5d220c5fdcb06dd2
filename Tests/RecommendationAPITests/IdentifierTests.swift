import Foundation
import RecommendationAPI
import Testing

/// Ids as programs write them: text or whole numbers, in bodies, paths and queries.
@Suite struct IdentifierTests {
    @Test(arguments: ["42", "0", "-7", "9007199254740993", "18446744073709551616", "123456789012345678901234567890"])
    func wholeNumbersAreIDsAsTheirText(number: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            let body = """
                {"user_id":\(number),"session_id": \(number) ,"items":[\(number),"b"],"exclude":[\(number)],"category":\(number),
                 "context":{"store":\(number)}}
                """
            let answer = try await client.send(.post, "/v1/recommendations", body)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try await client.send(.put, "/v1/items/\(number)", "{\"item_id\":\(number)}").status == 202)
            #expect(try await client.send(.put, "/v1/users/\(number)", "{\"x\":1,\"user_id\": \(number)}").status == 202)
            #expect(try await client.send(.put, "/v1/users/1\(number)", "{\"user_id\":\(number)}").problem(400) == "invalid-parameter")
        }
        let request = try #require(service.seen.withLock { $0.recommendations.first })
        #expect(request.userID == number && request.sessionID == number && request.category == number)
        #expect(request.candidateItemIDs == [number, "b"] && request.excludedItemIDs == [number])
        #expect(request.context == ["store": number])
        #expect(service.seen.withLock { $0.records.map(\.id) } == [number, number])
    }

    @Test func numbersThatAreNoIDsAreNamed() async throws {
        try await TestService().test { client async throws in
            for number in ["4200.5", "1e3", "true", "[4200]", "{}"] {
                let answer = try await client.send(.put, "/v1/items/4200", "{\"item_id\":\(number)}")
                _ = try answer.problem(400)
                #expect(try answer.object()["parameter"] as? String == "item_id", "\(number)")
            }
        }
    }

    @Test func textIsTakenHoweverItIsWritten() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let bodies = [
                #"{"user_id":"caf\u00e9"}"#, #"{"user_id":"shop\/u1"}"#, "{\"user_id\":\t\" u1\"}",
                #"{"user\u005fid":"u2","context":{"user_id":"no"}}"#,
            ]
            for body in bodies { #expect(try await client.send(.post, "/v1/recommendations", body).status == 200, "\(body)") }
            #expect(try await client.send(.put, "/v1/items/caf%C3%A9", #"{"item_id":"caf\u00e9"}"#).status == 202)
            #expect(try await client.send(.put, "/v1/items/a%2Fb%20c", #"{"item_id":"a\/b c"}"#).status == 202)
            #expect(try await client.send(.put, "/v1/items/%F0%9F%91%9F", #"{"item_id":"\ud83d\udc5f"}"#).status == 202)
        }
        #expect(service.seen.withLock { $0.recommendations.map(\.userID) } == ["café", "shop/u1", " u1", "u2"])
    }

    @Test(arguments: ["%C2%80", "a%C2%9Fb", "%7F", "%00", "a%0Ab"])
    func whatNoRecordMayHoldNoPathMay(id: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            for path in ["/v1/items/\(id)", "/v1/users/\(id)", "/v1/items/\(id)/similar"] {
                _ = try await client.send(.get, path).problem(400)
            }
            _ = try await client.send(.delete, "/v1/users/\(id)").problem(400)
            _ = try await client.send(.delete, "/v1/items/\(id)").problem(400)
            _ = try await client.send(.get, "/v1/recommendations?user_id=\(id)").problem(400)
        }
        #expect(service.seen.withLock { $0.records.isEmpty })
    }

    @Test func thePersonOfALongSessionCanBeSeenAndErased() async throws {
        let service = TestService()
        let person = "session:" + String(repeating: "s", count: 256)
        try await service.test { client async throws in
            #expect(try await client.send(.get, "/v1/users/\(person)").status == 200)
            #expect(try await client.send(.delete, "/v1/users/\(person)").status == 202)
            #expect(try await client.send(.get, "/v1/recommendations?user_id=\(person)").status == 200)
            #expect(try await client.send(.post, "/v1/recommendations", "{\"user_id\":\"\(person)\"}").status == 200)
            for path in ["/v1/users/\(person)s", "/v1/items/\(person)", "/v1/users/\(String(repeating: "u", count: 257))"] {
                _ = try await client.send(.delete, path).problem(400)
            }
        }
        #expect(service.seen.withLock { $0.records.map(\.id) } == [person])
    }
}
