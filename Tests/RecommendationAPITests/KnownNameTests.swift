import Foundation
import HTTPTypes
import RecommendationAPI
import Testing

/// A misspelt name is refused, never answered as if it were not there.
@Suite struct KnownNameTests {
    @Test(arguments: [
        ("GET", "/v1/recommendations?user=u1", "user", "user_id"), ("GET", "/v1/recommendations?userId=u1", "userId", "user_id"),
        ("GET", "/v1/recommendations?user_id=u1&contxt.device=x", "contxt.device", "context.NAME"),
        ("GET", "/v1/recommendations?context.=x", "context.", "context.NAME"),
        ("GET", "/v1/recommendations?excludes=a", "excludes", "exclude"),
        ("GET", "/v1/items/i1/similar?catgory=a", "catgory", "category"), ("PUT", "/v1/items/i1?wiat=true", "wiat", "wait"),
        ("POST", "/v1/events?waits=1", "waits", "wait"), ("DELETE", "/v1/users/u1?Wait=true", "Wait", "wait"),
        ("GET", "/v1/users/u1?previw", "previw", "preview"),
    ])
    func theNearestParameterIsNamed(method: String, uri: String, wrong: String, nearest: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(try #require(HTTPRequest.Method(rawValue: method)), uri, method == "GET" ? nil : "{}")
            #expect(try answer.problem(400) == "unknown-parameter")
            let object = try answer.object()
            #expect(object["parameter"] as? String == wrong)
            #expect((object["detail"] as? String)?.contains("`\(nearest)`") == true, "\(answer.text)")
        }
        #expect(service.seen.withLock { $0.recommendations.isEmpty && $0.records.isEmpty && $0.events.isEmpty })
    }

    @Test(arguments: routeDescriptions)
    func everyRouteRefusesWhatItDoesNotKnow(route: RouteDescription) async throws {
        let service = TestService()
        try await service.test { client async throws in
            let method = try #require(HTTPRequest.Method(rawValue: route.method))
            let path = route.path.replacing("{id}", with: "x1").replacing("{version}", with: "3")
            let answer = try await client.send(method, path + "?unheard_of=1", method == .get ? nil : "{}")
            // Whoever follows a link to the page gets it, whatever marks the link carries.
            if path == "/" { return #expect(answer.status == 200 && answer.text.contains("<title>Freshet</title>")) }
            #expect(try answer.problem(400) == "unknown-parameter")
        }
        #expect(service.seen.withLock { $0.promoted.isEmpty && $0.records.isEmpty })
    }

    @Test func aQueryDoesNotStandInForABody() async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(.post, "/v1/recommendations?user_id=u1", "{}")
            #expect(try answer.problem(400) == "unknown-parameter")
            #expect(answer.text.contains("body"))
        }
    }

    @Test(arguments: [
        (#"{"user":"u1"}"#, "user", "user_id"), (#"{"user_id":"u1","itmes":["a"]}"#, "itmes", "items"),
        (#"{"user_id":"u1","Explain":true}"#, "Explain", "explain"), (#"{"contexts":{}}"#, "contexts", "context"),
        (#"{"user\u005fids":null}"#, "user_ids", "user_id"),
    ])
    func theNearestFieldIsNamed(body: String, wrong: String, nearest: String) async throws {
        let service = TestService()
        try await service.test { client async throws in
            let answer = try await client.send(.post, "/v1/recommendations", body)
            #expect(try answer.problem(400) == "unknown-field")
            let object = try answer.object()
            #expect(object["parameter"] as? String == wrong)
            #expect((object["detail"] as? String)?.contains("`\(nearest)`") == true, "\(answer.text)")
        }
        #expect(service.seen.withLock { $0.recommendations.isEmpty })
    }

    @Test func contextIsOpen() async throws {
        let service = TestService()
        try await service.test { client async throws in
            #expect(try await client.send(.get, "/v1/recommendations?context.anything=1&context.a.b=2").status == 200)
            #expect(try await client.send(.post, "/v1/recommendations", #"{"context":{"anything":1.50,"b":null,"c":false}}"#).status == 200)
        }
        let contexts = service.seen.withLock { $0.recommendations.map(\.context) }
        #expect(contexts == [["anything": "1", "a.b": "2"], ["anything": "1.50", "c": "false"]])
    }
}
