import Foundation
import HTTPTypes
import RecommendationAPI
import Testing

@Suite struct FailureTests {
    @Test(arguments: ["/v2/recommendations", "/v1", "/v1/items", "/v1/items/", "/v1/items/a/b", "/v1/users/a/similar", "/.env"])
    func unknownPathsAreProblems(path: String) async throws {
        try await TestService().test { client async throws in
            #expect(try await client.send(.get, path).problem(404) == "unknown-route")
        }
    }

    @Test func otherMethodsAreToldWhatIsAllowed() async throws {
        try await TestService().test { client async throws in
            for (method, path, allow) in [
                (HTTPRequest.Method.delete, "/v1/recommendations", "GET, POST, HEAD, OPTIONS"),
                (.post, "/v1/items/i1", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"), (.get, "/v1/events", "POST, OPTIONS"),
                (.head, "/v1/events", "POST, OPTIONS"),
            ] {
                let answer = try await client.send(method, path)
                #expect(answer.status == 405)
                let listed = Set((answer["Allow"] ?? "").split(separator: ", "))
                #expect(listed == Set(allow.split(separator: ", ")), "\(path)")
                if method != .head { #expect(try answer.problem(405) == "method-not-allowed") }
                let options = try await client.send(.options, path)
                #expect(options.status == 204 && options["Allow"] == answer["Allow"])
            }
        }
    }

    @Test func headIsAGetWithoutABody() async throws {
        try await TestService().test { client async throws in
            for path in ["/v1/users/u1", "/", "/healthz", "/metrics", "/v1/stream"] {
                let head = try await client.send(.head, path)
                #expect(head.status == 200 && head.text.isEmpty, "\(path)")
            }
            let get = try await client.send(.get, "/v1/users/u1")
            let head = try await client.send(.head, "/v1/users/u1")
            #expect(head["Content-Length"] == get["Content-Length"])
        }
    }

    @Test func everyAnswerHasARequestID() async throws {
        try await TestService().test { client async throws in
            let own = try await client.send(.get, "/v1/stats", headers: ["X-Request-Id": "trace-7"])
            #expect(own["X-Request-Id"] == "trace-7")
            for bad in ["with space", String(repeating: "x", count: 129)] {
                let answer = try await client.send(.get, "/nowhere", headers: ["X-Request-Id": bad])
                let id = try #require(answer["X-Request-Id"])
                #expect(id != bad && !id.isEmpty)
                #expect(answer.text.contains("urn:freshet:request:\(id)"))
            }
        }
    }

    @Test func errorsOfOperationsKeepTheirMeaning() async throws {
        let codes: [(ServiceError.Code, Int, String)] = [
            (.invalid, 400, "invalid-request"), (.notFound, 404, "not-found"), (.conflict, 409, "conflict"),
            (.tooMany, 429, "too-many-requests"), (.unavailable, 503, "unavailable"), (.timedOut, 504, "timed-out"),
        ]
        for (code, status, slug) in codes {
            let service = TestService { $0.recommend = { _ in throw ServiceError(code, "The reason.", retryAfterSeconds: 2) } }
            try await service.test { client async throws in
                let answer = try await client.send(.get, "/v1/recommendations?user_id=u1")
                #expect(try answer.problem(status) == slug)
                #expect(try answer.object()["detail"] as? String == "The reason.")
                #expect((answer["Retry-After"] == "2") == (status == 429 || status == 503))
            }
        }
    }

    @Test func otherErrorsShowNothingOfThemselves() async throws {
        struct Inner: Error { let text = "password=hunter2" }
        let service = TestService { $0.recommend = { _ in throw Inner() } }
        try await service.test { client async throws in
            let answer = try await client.send(.get, "/v1/recommendations?user_id=u1")
            #expect(try answer.problem(500) == "internal")
            #expect(!answer.text.contains("hunter2"))
        }
        #expect(service.logged.all.contains { $0.contains("request failed") })
    }

    @Test func whatTakesTooLongIsCancelledAndAnswered() async throws {
        let cancelled = Gate()
        let service = TestService(APIConfiguration(requestTimeoutMilliseconds: 2_000)) { operations in
            operations.recommend = { request in
                do { try await Task.sleep(for: .seconds(600)) } catch { await cancelled.pass() }
                return TestService.list(request.requestID, nil, 1)
            }
        }
        try await service.test { client async throws in
            #expect(try await client.send(.get, "/v1/recommendations").problem(504) == "timed-out")
            await cancelled.waitForArrival()
            await cancelled.open()
            // Others are answered; while the machine is busy one of them may take too long, too.
            var status = 0
            for _ in 0..<50 where status != 200 { status = try await client.send(.get, "/v1/stats").status }
            #expect(status == 200)
        }
    }

    @Test func aFullServiceSaysWhenToComeBackAndStillAnswersProbes() async throws {
        let gate = Gate()
        let service = TestService(APIConfiguration(maxConcurrentRequests: 1)) { operations in
            operations.recommend = { request in
                await gate.pass()
                return TestService.list(request.requestID, nil, 1)
            }
        }
        try await service.test { client async throws in
            async let first = client.send(.get, "/v1/recommendations")
            await gate.waitForArrival()
            let second = try await client.send(.get, "/v1/recommendations")
            #expect(try second.problem(503) == "overloaded")
            #expect(second["Retry-After"] == "1")
            #expect(try await client.send(.get, "/healthz").status == 200)
            #expect(try await client.send(.get, "/readyz").status == 200)
            await gate.open()
            #expect(try await first.status == 200)
            #expect(try await client.send(.get, "/v1/recommendations").status == 200)
        }
    }

    @Test func callersAreLimitedApart() async throws {
        let keys = ["a", "b"].map { APIKey(name: $0, secret: "secret-\($0)", scopes: [.read]) }
        let service = TestService(APIConfiguration(apiKeys: keys, maxRequestsPerSecond: 1, rateBurstRequests: 3))
        try await service.test { client async throws in
            var statuses: [Int] = []
            for _ in 0..<4 {
                statuses.append(try await client.send(.get, "/v1/stats", headers: ["X-API-Key": "secret-a"]).status)
            }
            #expect(statuses.prefix(3) == [200, 200, 200])
            let refused = try await client.send(.get, "/v1/stats", headers: ["X-API-Key": "secret-a"])
            if statuses[3] == 429 {
                #expect(try refused.problem(429) == "too-many-requests")
                #expect(Int(refused["Retry-After"] ?? "") ?? 0 >= 1)
            }
            #expect(try await client.send(.get, "/v1/stats", headers: ["X-API-Key": "secret-b"]).status == 200)
            #expect(try await client.send(.get, "/healthz").status == 200)
        }
    }
}
