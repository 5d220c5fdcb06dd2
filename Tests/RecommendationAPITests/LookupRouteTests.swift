import Foundation
import RecommendationAPI
import Testing

@Suite struct LookupRouteTests {
    @Test func aUserIsShown() async throws {
        try await TestService().test { client async throws in
            let object = try await client.send(.get, "/v1/users/%C3%A9%2F1").object()
            #expect(object["user_id"] as? String == "é/1")
            #expect((object["attributes"] as? [String: Any])?["age"] as? Int == 25)
            #expect((object["counts"] as? [String: Int])?["click"] == 4)
            let history = try #require(object["history"] as? [[String: Any]])
            #expect(history[0]["type"] as? String == "add_to_cart")
            #expect(history[0]["timestamp"] as? String == "2023-11-14T22:13:20.123Z")
            #expect((history[0]["details"] as? [String: Any])?["title"] as? String == "Shoe \"9\"")
            #expect(try await client.send(.get, "/v1/users/nobody").problem(404) == "unknown-user")
            _ = try await client.send(.get, "/v1/users/a%09b").problem(400)
        }
    }

    @Test func whatIsStoredOfAPersonIsWrittenDownLineByLine() async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(.get, "/v1/users/u1/export")
            #expect(answer.status == 200 && answer["Content-Type"] == "application/x-ndjson" && answer["Cache-Control"] == "no-store")
            let lines = answer.text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == 6 && lines.first == #"{"kind":"export","ids":["u1","session:s4"]}"# && lines.last?.isEmpty == true)
            #expect(lines.dropLast().last == #"{"kind":"end","lines":3}"#)
            #expect(try await client.send(.get, "/v1/users/nobody/export").problem(404) == "unknown-user")
            #expect(try await client.send(.head, "/v1/users/u1/export").text.isEmpty)
            _ = try await client.send(.get, "/v1/users/u1/export?limit=3").problem(400)
        }
    }

    @Test func anItemIsShown() async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(.get, "/v1/items/i9")
            let object = try answer.object()
            #expect(object["title"] as? String == "Tab\there")
            #expect(answer.text.contains(#""price":89.9,"#))
            #expect(object["index_state"] as? String == "fresh")
            #expect(object["catalogue_version"] as? Int == 7)
            #expect(try await client.send(.get, "/v1/items/nothing").problem(404) == "unknown-item")
        }
    }

    @Test func modelsAreListedAndPromoted() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let models = try #require(try await client.send(.get, "/v1/models").object()["models"] as? [[String: Any]])
            #expect(models[0]["version"] as? Int == 3)
            #expect((models[0]["metrics"] as? [String: Double])?["ndcg@10"] == 0.125)
            #expect(try await client.send(.post, "/v1/models/4/promote").object()["version"] as? Int == 4)
            #expect(try await client.send(.post, "/v1/models/9/promote").problem(404) == "not-found")
            for bad in ["0", "-1", "x", "1.0"] {
                _ = try await client.send(.post, "/v1/models/\(bad)/promote").problem(400)
            }
            #expect(try await client.send(.post, "/v1/models/rollback").problem(409) == "conflict")
            #expect(try await client.send(.post, "/v1/models/rollback?force=perhaps").problem(400) == "invalid-parameter")
            // What the gate refused serves only by force, and its refusal stays.
            for calm in ["", "?force=false", "?reason=because"] {
                #expect(try await client.send(.post, "/v1/models/8/promote" + calm).problem(409) == "conflict")
            }
            _ = try await client.send(.post, "/v1/models/8/promote?forced=true").problem(400)
            _ = try await client.send(.post, "/v1/models/8/promote?force=true&reason=" + String(repeating: "a", count: 1_001)).problem(400)
            let forced = try await client.send(.post, "/v1/models/8/promote?force=true&reason=the%20shop%20is%20empty").object()
            #expect(forced["refusal"] as? String == "worse" && forced["note"] as? String == "the shop is empty")
            #expect((try await client.send(.get, "/v1/experiments").object()["experiments"] as? [Any])?.isEmpty == true)
        }
        #expect(service.seen.withLock { $0.promoted } == [4, 8])
    }

    @Test func statisticsHoldWhatTheServiceCountedItself() async throws {
        let service = TestService()
        try await service.test { client async throws in
            for _ in 0..<3 { _ = try await client.send(.get, "/v1/recommendations?user_id=u1&n=5") }
            _ = try await client.send(.get, "/v1/recommendations?user_id=stranger&n=5")
            let object = try await client.send(.get, "/v1/stats").object()
            let serving = try #require(object["serving"] as? [String: Any])
            #expect(serving["requests"] as? Int == 4)
            #expect(serving["cold_share"] as? Double == 0.25)
            #expect(serving["reasons"] as? [String: Int] == ["personal": 4, "similar": 4, "fresh": 4, "adapted": 4, "trending": 4])
            let median = try #require(serving["p50_ms"] as? Double)
            let p99 = try #require(serving["p99_ms"] as? Double)
            #expect(median >= 0 && p99 >= median)
            let events = try #require(object["events"] as? [String: Any])
            #expect(events["total"] as? Int == 12)
            #expect(events["series"] as? [[Int]] == [[1_700_000_000, 5]])
            #expect((object["ingest"] as? [String: Any])?["lag"] as? Int == 4)
            #expect(object["training"] is NSNull && object["model"] is NSNull)
            let refusals = try #require(object["refusals"] as? [String: Any])
            #expect(refusals["total"] as? Int == 5 && refusals["in_a_row"] as? Int == 2 && refusals["version"] as? Int == 7)
            #expect(refusals["reason"] as? String == "worse by 7 %" && refusals["at"] is String)
            #expect((object["parts"] as? [[String: Any]])?.first?["name"] as? String == "database")
        }
    }

    @Test func statisticsAreReadOnceForAllWhoAskAtOnce() async throws {
        let service = TestService()
        try await service.test { client async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await client.send(.get, "/v1/stats").status } }
                for try await status in group { #expect(status == 200) }
            }
        }
        // Twenty at once within the half second that an answer lives; a slow machine may see a second read.
        #expect(service.seen.withLock { $0.statisticsReads } < 20)
    }

    private static let parts = [
        PartStatus(name: "database", isReady: true, detail: "answers", reason: "postgresql://db.internal"),
        PartStatus(name: "broker", isReady: false, detail: "does not answer", isRequired: false, reason: "kafka.internal:9093 refused"),
    ]

    @Test func readinessNamesTheParts() async throws {
        let service = TestService { operations in
            operations.readiness = { [PartStatus(name: "database", isReady: false, detail: "does not answer")] + Self.parts }
        }
        try await service.test { client async throws in
            let answer = try await client.send(.get, "/readyz")
            #expect(answer.status == 503)
            let parts = try #require(try answer.object()["parts"] as? [[String: Any]])
            #expect(parts.map { $0["ready"] as? Bool } == [false, true, false])
            #expect(parts.map { $0["required"] as? Bool } == [true, true, false])
            #expect(parts[2]["reason"] as? String == "kafka.internal:9093 refused")
            #expect(try await client.send(.get, "/healthz").text == #"{"status":"ok"}"#)
        }
    }

    @Test("what answers do not need keeps no server out of service")
    func readinessIsWhatAnswersNeed() async throws {
        try await TestService { $0.readiness = { Self.parts } }.test { client async throws in
            let answer = try await client.send(.get, "/readyz")
            #expect(answer.status == 200)
            #expect(try answer.object()["status"] as? String == "ready")
        }
    }

    @Test("where there are keys, only readers are told more than states")
    func readinessTellsStrangersNothing() async throws {
        let keys = [
            APIKey(name: "reader", secret: "reads", scopes: [.read]), APIKey(name: "prometheus", secret: "scrapes", scopes: [.metrics]),
        ]
        try await TestService(APIConfiguration(apiKeys: keys)) { $0.readiness = { Self.parts } }.test { client async throws in
            let strangers =
                [[:], ["X-API-Key": "guess"], ["X-API-Key": "scrapes"], ["Authorization": "Bearer reads2"]] as [[String: String]]
            for headers in strangers {
                let answer = try await client.send(.get, "/readyz", headers: headers)
                #expect(answer.status == 200)
                let parts = try #require(try answer.object()["parts"] as? [[String: Any]])
                #expect(parts.map { Set($0.keys) } == [["name", "ready", "required", "state"], ["name", "ready", "required", "state"]])
                #expect(!answer.text.contains("internal") && !answer.text.contains("answer"))
            }
            for headers in [["X-API-Key": "reads"], ["Authorization": "Bearer reads"]] {
                #expect(try await client.send(.get, "/readyz", headers: headers).text.contains("kafka.internal:9093"))
            }
            #expect(try await client.send(.get, "/v1/stats", headers: ["X-API-Key": "reads"]).text.contains("kafka.internal:9093"))
        }
    }
}
