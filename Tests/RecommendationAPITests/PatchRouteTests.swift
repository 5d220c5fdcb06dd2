import RecommendationAPI
import Testing

@Suite struct PatchRouteTests {
    @Test func aPatchIsARecordThatSaysSo() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let merge = ["Content-Type": "application/merge-patch+json"]
            #expect(try await client.send(.patch, "/v1/items/i1", #"{"price":9,"title":null}"#, headers: merge).status == 202)
            #expect(try await client.send(.patch, "/v1/items/i1?wait=true", #"{"item_id":"i1"}"#).status == 202)
            let removal = #"{"patch":false,"attributes":{"a":null}}"#
            #expect(try await client.send(.patch, "/v1/users/u1", removal, headers: merge).status == 202)
            #expect(try await client.send(.patch, "/v1/users/u1", " {} ").status == 202)
        }
        let (records, waited) = service.seen.withLock { ($0.records, $0.waited) }
        #expect(
            records.map(\.body) == [
                #"{"item_id":"i1","price":9,"title":null,"patch":true}"#, #"{"item_id":"i1","patch":true}"#,
                #"{"user_id":"u1","patch":false,"attributes":{"a":null},"patch":true}"#, #"{"user_id":"u1","patch":true}"#,
            ])
        #expect(records.map(\.route) == ["put item", "put item", "put user", "put user"])
        #expect(waited == [false, true, false, false])
    }

    @Test(arguments: [#"{"item_id":"i2"}"#, #"{"item_id":null,"price":1}"#, "[]", "7", "", "{"])
    func badPatchesAreRefused(body: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            _ = try await client.send(.patch, "/v1/items/i1", body).problem(400)
            _ = try await client.send(.patch, "/v1/items/i1", "{}", headers: ["Content-Type": "text/xml"]).problem(415)
        }
        #expect(service.seen.withLock { $0.records.isEmpty })
    }

    @Test func aRepeatedKeyIsOnePatch() async throws {
        let service = TestService()
        try await service.test { client async throws in
            for _ in 0..<2 {
                #expect(try await client.send(.patch, "/v1/items/i1", #"{"price":9}"#, headers: ["Idempotency-Key": "k"]).status == 202)
            }
            // Of another method the same key is another request.
            #expect(try await client.send(.put, "/v1/items/i1", #"{"price":9}"#, headers: ["Idempotency-Key": "k"]).status == 202)
        }
        #expect(service.seen.withLock { $0.records.count } == 2)
    }
}
