import Foundation
import RecommendationAPI
import Testing

@Suite struct RecommendationRouteTests {
    @Test func everyQueryNameReachesTheOperation() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(
                .get,
                "/v1/recommendations?user_id=u%2F1&session_id=s4&n=3&category=wine+%26+beer&exclude=a&exclude=b%2Cc&items=x&items=y"
                    + "&context.device=phone&objective.cvr=0.5&explain&details=true&wait=events:3=17"
            )
            #expect(answer.status == 200)
            let request = try #require(service.seen.withLock { $0.recommendations.first })
            #expect(
                request
                    == RecommendationRequest(
                        requestID: request.requestID, userID: "u/1", sessionID: "s4", count: 3, category: "wine & beer",
                        excludedItemIDs: ["a", "b,c"], context: ["device": "phone"], candidateItemIDs: ["x", "y"],
                        objective: ["cvr": 0.5], explain: true, includeDetails: true, waitFor: "events:3=17"))
        }
    }

    @Test func aBodyMeansTheSameAsAQuery() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(
                .post, "/v1/recommendations",
                #"{"user_id":"u/1","session_id":"s4","n":3,"category":"wine & beer","exclude":["a","b,c"],"items":["x","y"],"#
                    + #""context":{"device":"phone","age":25,"member":true},"objective":{"cvr":0.5},"explain":true,"#
                    + #""details":true,"wait":"events:3=17"}"#
            )
            #expect(answer.status == 200)
            let request = try #require(service.seen.withLock { $0.recommendations.first })
            #expect(
                request
                    == RecommendationRequest(
                        requestID: request.requestID, userID: "u/1", sessionID: "s4", count: 3, category: "wine & beer",
                        excludedItemIDs: ["a", "b,c"], context: ["device": "phone", "age": "25", "member": "true"],
                        candidateItemIDs: ["x", "y"], objective: ["cvr": 0.5], explain: true, includeDetails: true,
                        waitFor: "events:3=17"))
        }
    }

    @Test func theAnswerHasItsPromisedShape() async throws {
        let service = TestService { operations in
            operations.recommend = { request in
                RecommendationList(
                    requestID: request.requestID, userID: "q\"\u{1}\né", modelVersion: nil, experiment: "e1",
                    items: [
                        RecommendedEntry(
                            itemID: "i1", score: 0.25, reason: .fresh, explanation: "new",
                            details: ItemSummary(
                                itemID: "i1", title: "T", categories: ["c"], priceMicros: 19_990_000, currency: "EUR")),
                        RecommendedEntry(itemID: "i2", score: .nan, reason: .trending),
                    ], watermark: "events:0=1")
            }
        }
        try await service.test { client async throws in
            let answer = try await client.send(.get, "/v1/recommendations?user_id=u1")
            let object = try answer.object()
            #expect(object["user_id"] as? String == "q\"\u{1}\né")
            #expect(object["model_version"] is NSNull)
            #expect(object["experiment"] as? String == "e1")
            #expect(object["watermark"] as? String == "events:0=1")
            #expect(object["took_ms"] is Double)
            #expect((object["request_id"] as? String)?.isEmpty == false)
            let items = try #require(object["items"] as? [[String: Any]])
            #expect(items.map { $0["item_id"] as? String } == ["i1", "i2"])
            #expect(items[0]["score"] as? Double == 0.25)
            #expect(items[0]["reason"] as? String == "fresh")
            #expect(items[0]["explanation"] as? String == "new")
            let details = try #require(items[0]["details"] as? [String: Any])
            #expect(details["price"] as? Double == 19.99)
            #expect(items[1]["score"] is NSNull)
            #expect(answer.text.contains(#""price":19.99,"#))
        }
    }

    @Test func requestIDsAreNeverTheSame() async throws {
        let service = TestService()
        try await service.test { client async throws in
            for _ in 0..<50 {
                _ = try await client.send(.get, "/v1/recommendations?user_id=u1", headers: ["X-Request-Id": "mine"])
            }
        }
        let ids = service.seen.withLock { $0.recommendations.map(\.requestID) }
        #expect(Set(ids).count == 50)
        #expect(!ids.contains("mine"))
    }

    @Test func withoutAnythingTheDefaultsHold() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(.get, "/v1/recommendations")
            #expect(answer.status == 200)
            #expect((try answer.object()["items"] as? [Any])?.count == 10)
            #expect(try await client.send(.post, "/v1/recommendations", "{}").status == 200)
        }
    }

    @Test(arguments: [
        ("n=0", "n"), ("n=1001", "n"), ("n=ten", "n"), ("n=1.5", "n"), ("n=99999999999999999999", "n"), ("n=1&n=2", "n"),
        ("explain=maybe", "explain"), ("user_id=%00", "user_id"), ("user_id=a&user_id=b", "user_id"),
        ("exclude=", "exclude"), ("category=a%0Ab", "category"), ("objective.ctr=much", "objective.ctr"),
        ("objective.ctr=nan", "objective.ctr"), ("objective.ctr=-1", "objective.ctr"),
        ("user_id=\(String(repeating: "u", count: 257))", "user_id"), ("user_id=%FF", "user_id"), ("user_id=%4", "user_id"),
        ("user_id=%zz", "user_id"),
    ])
    func badParametersAreNamed(query: String, parameter: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(.get, "/v1/recommendations?\(query)")
            _ = try answer.problem(400)
            #expect(try answer.object()["parameter"] as? String == parameter)
        }
        #expect(service.seen.withLock { $0.recommendations.isEmpty })
    }

    @Test(arguments: [
        (#"{"n":"10"}"#, "n"), (#"{"n":0}"#, "n"), (#"{"n":1.5}"#, "n"), (#"{"user_id":7.5}"#, "user_id"),
        (#"{"user_id":1e3}"#, "user_id"), (#"{"user_id":true}"#, "user_id"), (#"{"exclude":["a",[2]]}"#, "exclude[1]"),
        (#"{"exclude":["a",null]}"#, "exclude[1]"), (#"{"items":[""]}"#, "items[0]"), (#"{"exclude":"a"}"#, "exclude"),
        (#"{"user_id":"a\u0085b"}"#, "user_id"), (#"{"context":"phone"}"#, "context"), (#"{"objective":{"ctr":"1"}}"#, "objective.ctr"),
        (#"{"items":{}}"#, "items"), (#"{"context":{"a":[1]}}"#, "context.a"),
        (#"{"explain":"yes"}"#, "explain"), (#"{"user_id":""}"#, "user_id"), (#"{"objective":{"ctr":-1}}"#, "objective.ctr"),
    ])
    func badFieldsAreNamed(body: String, parameter: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(.post, "/v1/recommendations", body)
            _ = try answer.problem(400)
            #expect(try answer.object()["parameter"] as? String == parameter)
        }
        #expect(service.seen.withLock { $0.recommendations.isEmpty })
    }

    @Test(arguments: ["", "{", "[]", "null", "{\"n\":10}}", "nonsense"])
    func badBodiesAreRefused(body: String) async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(.post, "/v1/recommendations", body)
            #expect(try answer.problem(400) == "malformed-body")
        }
    }

    @Test func bytesThatAreNotUTF8AreRefused() async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(
                .post, "/v1/recommendations", bytes: Array(#"{"user_id":""#.utf8) + [0xFF, 0xC0] + Array(#""}"#.utf8))
            _ = try answer.problem(400)
        }
    }

    @Test func longListsAreRefused() async throws {
        try await TestService().test { client async throws in
            let ids = (0..<1_001).map { "\"i\($0)\"" }.joined(separator: ",")
            let answer = try await client.send(.post, "/v1/recommendations", "{\"items\":[\(ids)]}")
            _ = try answer.problem(400)
            #expect(try answer.object()["parameter"] as? String == "items")
            let context = (0..<33).map { "context.k\($0)=v" }.joined(separator: "&")
            _ = try await client.send(.get, "/v1/recommendations?\(context)").problem(400)
            let many = String(repeating: "a&", count: 2_200)
            #expect(try await client.send(.get, "/v1/recommendations?\(many)").problem(400) == "too-many-parameters")
        }
    }

    @Test func similarItems() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(.get, "/v1/items/a%2Fb%20c/similar?n=2&exclude=x&category=c&explain=1")
            #expect(answer.status == 200)
            #expect((try answer.object()["items"] as? [Any])?.count == 2)
            _ = try await client.send(.get, "/v1/items/i1/similar?n=-1").problem(400)
            _ = try await client.send(.get, "/v1/items/%00/similar").problem(400)
            #expect(try await client.send(.get, "/v1/items/%FF/similar").problem(400) == "invalid-encoding")
        }
        let seen = try #require(service.seen.withLock { $0.similar.first })
        #expect(
            seen
                == SimilarItemsRequest(
                    requestID: seen.requestID, itemID: "a/b c", count: 2, category: "c", excludedItemIDs: ["x"],
                    explain: true))
    }
}
