import Foundation
import Interactions
import RecommendationAPI
import Testing

@Suite struct IntakeRouteTests {
    /// Sends a body and gives back what arrived as events.
    private func arrived(_ body: String, type: String? = "application/json") async throws -> [String] {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(
                .post, "/v1/events", body, headers: type.map { ["Content-Type": $0] } ?? [:])
            #expect(answer.status == 202, "\(answer.text)")
        }
        return try #require(service.seen.withLock { $0.events.first })
    }

    @Test func oneEventArrivesInItsOwnBytes() async throws {
        let event = #"{ "user_id" : "u1", "x": 1.50e3 }"#
        #expect(try await arrived(" \n\(event)\n ") == [event])
        #expect(try await arrived(event, type: nil) == [event])
    }

    @Test func anArrayIsSplitWhateverTheStringsHold() async throws {
        let events = [
            #"{"user_id":"a]}","b":"\\"}"#, #"{"user_id":"\"},{\"","c":[[],[{}]]}"#, #"{"user_id":"é[{"}"#, "17", #""text""#,
            "nonsense", "null", "[1,2]",
        ]
        #expect(try await arrived("[" + events.joined(separator: " ,\n ") + "]") == events)
        #expect(try await arrived("[]") == [])
        #expect(try await arrived("[ ] ") == [])
    }

    @Test func linesAreSplitAndABadOneKeepsItsPlace() async throws {
        let lines = [#"{"user_id":"a"}"#, "{broken", #"{"user_id":"b"}"#]
        #expect(try await arrived(lines.joined(separator: "\r\n") + "\n\n", type: "application/x-ndjson") == lines)
        let good = [#"{"user_id":"a"}"#, #"{"user_id":"b"}"#]
        #expect(try await arrived(good.joined(separator: "\n")) == good)
    }

    @Test func theAnswerCountsAndNamesPositions() async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(.post, "/v1/events?wait=true", #"[{"user_id":"a"},{"x":1},{"user_id":"b"}]"#)
            #expect(answer.status == 202)
            let object = try answer.object()
            #expect(object["accepted"] as? Int == 2)
            #expect(object["rejected"] as? Int == 1)
            #expect(object["watermark"] as? String == "events:0=5")
            #expect(object["committed"] as? Bool == true)
            let errors = try #require(object["errors"] as? [[String: Any]])
            #expect(errors[0]["index"] as? Int == 1)
            #expect(errors[0]["code"] as? String == "missing_field")
            #expect(errors[0]["field"] as? String == "user_id")
        }
    }

    @Test(arguments: [
        "", "  \n", "[{\"a\":1}", "[{\"a\":1},]", "[{\"a\":1} {\"b\":2}]", "[{\"a\":1}] x", "{\"a\":1} x", "[{\"a\":\"1}]",
        "[{]}", "{\"a\":", ",", "[,]", String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
    ])
    func whatCannotBeSplitIsRefused(body: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            #expect(try await client.send(.post, "/v1/events", body).problem(400) == "malformed-body")
        }
        #expect(service.seen.withLock { $0.events.isEmpty })
    }

    @Test func boundsHold() async throws {
        try await TestService(APIConfiguration(maxBodyBytes: 2_000, maxEventsPerRequest: 3)).test { client async throws in
            #expect(try await client.send(.post, "/v1/events", "[{},{},{}]").status == 202)
            #expect(try await client.send(.post, "/v1/events", "[{},{},{},{}]").problem(413) == "too-large")
            #expect(try await client.send(.post, "/v1/events", "{}\n{}\n{}\n{}\n").problem(413) == "too-large")
            let large = "{\"a\":\"\(String(repeating: "x", count: 2_001))\"}"
            #expect(try await client.send(.post, "/v1/events", large).problem(413) == "too-large")
        }
    }

    @Test func otherMediaTypesAreRefused() async throws {
        try await TestService().test { client async throws in
            for type in ["multipart/form-data; boundary=x", "text/html", "application/xml"] {
                _ = try await client.send(.post, "/v1/events", "{}", headers: ["Content-Type": type]).problem(415)
            }
            _ = try await client.send(.post, "/v1/events", "{}", headers: ["Content-Encoding": "gzip"]).problem(415)
            for type in ["application/json; charset=utf-8", "Application/JSON", "application/cloudevents+json"] {
                #expect(try await client.send(.post, "/v1/events", "{}", headers: ["Content-Type": type]).status == 202)
            }
        }
    }

    @Test func recordsTakeTheIDOfThePath() async throws {
        let service = TestService()
        try await service.test { client async throws in
            #expect(try await client.send(.put, "/v1/items/a%2Fb", #"{"title":"T"}"#).status == 202)
            #expect(try await client.send(.put, "/v1/items/i1?wait=true", #"{ }"#).status == 202)
            #expect(try await client.send(.put, "/v1/items/i1", #"{"item_id":null,"title":"T"}"#).status == 202)
            #expect(try await client.send(.put, "/v1/users/u%22", #"{"user_id":"u\"","x":{"user_id":"no"}}"#).status == 202)
            #expect(try await client.send(.delete, "/v1/items/i1").status == 202)
            #expect(try await client.send(.delete, "/v1/users/u1?wait=1").status == 202)
        }
        let (records, waited) = service.seen.withLock { ($0.records, $0.waited) }
        #expect(
            records.map(\.body) == [
                #"{"item_id":"a/b","title":"T"}"#, #"{"item_id":"i1" }"#, #"{"item_id":"i1","title":"T"}"#,
                #"{"user_id":"u\"","x":{"user_id":"no"}}"#, "", "",
            ])
        #expect(records.map(\.route) == ["put item", "put item", "put item", "put user", "delete item", "delete user"])
        #expect(records.map(\.id) == ["a/b", "i1", "i1", "u\"", "i1", "u1"])
        #expect(waited == [false, true, false, false, false, true])
    }

    @Test(arguments: [#"{"item_id":"i2"}"#, #"{"item_id":7}"#, "[]", "[{}]", "7", "", "{", #"{"item_\u0069d":"i2"}"#])
    func badRecordsAreRefused(body: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            _ = try await client.send(.put, "/v1/items/i1", body).problem(400)
        }
        #expect(service.seen.withLock { $0.records.isEmpty })
    }
}

@Suite struct IdempotencyTests {
    private let event = #"{"user_id":"u1"}"#

    @Test func aRepeatedKeyGetsTheSameAnswerAndSendsNothing() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let first = try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": "k1"])
            let second = try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": "k1"])
            #expect(first.status == 202 && second.status == 202)
            #expect(first.text == second.text)
            #expect(first["Idempotency-Replayed"] == nil && second["Idempotency-Replayed"] == "true")
            #expect(service.seen.withLock { $0.events.count } == 1)
            #expect(
                try await client.send(.post, "/v1/events", "{}", headers: ["Idempotency-Key": "k1"]).problem(422)
                    == "idempotency-key-reused")
            #expect(try await client.send(.delete, "/v1/items/i1", headers: ["Idempotency-Key": "k1"]).status == 202)
            #expect(try await client.send(.delete, "/v1/items/i1", headers: ["Idempotency-Key": "k1"]).status == 202)
            #expect(try await client.send(.delete, "/v1/items/i2", headers: ["Idempotency-Key": "k1"]).status == 202)
            #expect(service.seen.withLock { $0.records.map(\.id) } == ["i1", "i2"])
        }
    }

    @Test func eventsWithoutAnIDTakeOneFromTheKey() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let body =
                #"[{"user_id":"a"},{"event_id":"mine"},{"event_id":null,"user_id":"c"},{},{"event\u005fid":"mine"},[],"#
                + #"{"x":{"event_id":"inner"}}]"#
            _ = try await client.send(.post, "/v1/events", body, headers: ["Idempotency-Key": "k"])
        }
        #expect(
            service.seen.withLock { $0.events.first } == [
                #"{"event_id":"k#0","user_id":"a"}"#, #"{"event_id":"mine"}"#, #"{"event_id":"k#2","user_id":"c"}"#,
                #"{"event_id":"k#3"}"#, #"{"event\u005fid":"mine"}"#, "[]",
                #"{"event_id":"k#6","x":{"event_id":"inner"}}"#,
            ])
    }

    @Test func aFailureIsNotKept() async throws {
        let attempts = Counter()
        let service = TestService { operations in
            operations.submitEvents = { _ in
                if attempts.next() == 0 { throw ServiceError(.unavailable, "The broker does not answer.", retryAfterSeconds: 3) }
                return IntakeOutcome(accepted: 1)
            }
        }
        try await service.test { client async throws in
            let failed = try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": "k1"])
            #expect(try failed.problem(503) == "unavailable")
            #expect(failed["Retry-After"] == "3")
            #expect(try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": "k1"]).status == 202)
        }
    }

    @Test func theSecondOfTwoAtOnceIsToldSo() async throws {
        let gate = Gate()
        let service = TestService { operations in
            operations.submitEvents = { _ in
                await gate.pass()
                return IntakeOutcome(accepted: 1)
            }
        }
        try await service.test { client async throws in
            async let first = client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": "k1"])
            await gate.waitForArrival()
            #expect(
                try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": "k1"]).problem(409)
                    == "in-progress")
            await gate.open()
            #expect(try await first.status == 202)
        }
    }

    @Test func oldKeysMakeRoomAndBadKeysAreRefused() async throws {
        let service = TestService(APIConfiguration(maxIdempotencyKeys: 2))
        try await service.test { client async throws in
            for key in ["a", "b", "c", "a"] {
                _ = try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": key])
            }
            #expect(service.seen.withLock { $0.events.count } == 4)
            _ = try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": "c"])
            #expect(service.seen.withLock { $0.events.count } == 4)
            for key in ["a b", String(repeating: "k", count: 129)] {
                #expect(
                    try await client.send(.post, "/v1/events", event, headers: ["Idempotency-Key": key]).problem(400)
                        == "invalid-idempotency-key")
            }
        }
    }

    @Test func keysOfTwoCallersDoNotMeet() async throws {
        let service = TestService(
            APIConfiguration(apiKeys: [
                APIKey(name: "a", secret: "secret-a", scopes: [.write]), APIKey(name: "b", secret: "secret-b", scopes: [.write]),
            ]))
        try await service.test { client async throws in
            for secret in ["secret-a", "secret-b", "secret-a"] {
                _ = try await client.send(
                    .post, "/v1/events", event, headers: ["Idempotency-Key": "k", "X-API-Key": secret])
            }
        }
        #expect(service.seen.withLock { $0.events.count } == 2)
    }
}
