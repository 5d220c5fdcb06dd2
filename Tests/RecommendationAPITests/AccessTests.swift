import Foundation
import HTTPTypes
import RecommendationAPI
import Testing

@Suite struct AccessTests {
    private static let keys = [
        APIKey(name: "reader", secret: "read-secret", scopes: [.read]),
        APIKey(name: "writer", secret: "write-secret", scopes: [.write]),
        APIKey(name: "chief", secret: "chief-secret", scopes: [.read, .write, .admin]),
    ]

    private static func method(_ route: RouteDescription) throws -> HTTPRequest.Method {
        try #require(HTTPRequest.Method(rawValue: route.method))
    }

    private static func uri(_ route: RouteDescription) -> String {
        route.path.replacing("{id}", with: "x1").replacing("{version}", with: "3")
    }

    @Test(arguments: routeDescriptions.filter { $0.path != "/v1/stream" })
    func everyRouteAsksForItsScope(route: RouteDescription) async throws {
        try await TestService(APIConfiguration(apiKeys: Self.keys)).test { client async throws in
            let method = try Self.method(route)
            let uri = Self.uri(route)
            let body = [.post, .put, .patch].contains(method) ? "{}" : nil
            guard let scope = route.scope else {
                #expect(try await client.send(method, uri, body).status == 200)
                return
            }
            #expect(try await client.send(method, uri, body).problem(401) == "key-required")
            for wrong in ["read-secre", "read-secret-", "", "READ-SECRET"] {
                let answer = try await client.send(method, uri, body, headers: ["X-API-Key": wrong])
                #expect(try answer.problem(401) == "unknown-key")
                #expect(answer["WWW-Authenticate"] != nil)
            }
            for (secret, scopes) in [("read-secret", [AccessScope.read]), ("write-secret", [.write])] where !scopes.contains(scope) {
                let answer = try await client.send(method, uri, body, headers: ["X-API-Key": secret])
                #expect(try answer.problem(403) == "scope-required")
            }
            let answer = try await client.send(method, uri, body, headers: ["X-API-Key": "chief-secret"])
            #expect(answer.status != 401 && answer.status != 403)
        }
    }

    @Test(arguments: routeDescriptions.filter { $0.path != "/v1/stream" && $0.scope != nil })
    func aBearerTokenOpensWhatTheKeyOpens(route: RouteDescription) async throws {
        try await TestService(APIConfiguration(apiKeys: Self.keys)).test { client async throws in
            let method = try Self.method(route)
            let uri = Self.uri(route)
            let body = [.post, .put, .patch].contains(method) ? "{}" : nil
            for header in ["Bearer chief-secret", "bearer chief-secret", "BEARER  chief-secret"] {
                let answer = try await client.send(method, uri, body, headers: ["Authorization": header])
                #expect(answer.status != 401 && answer.status != 403, "\(header)")
            }
            for (header, slug) in [
                ("Bearer guess", "unknown-key"), ("Bearer chief-secret x", "unknown-key"), ("Basic Y2hpZWY6c2VjcmV0", "key-required"),
                ("Bearer", "key-required"), ("chief-secret", "key-required"),
            ] {
                let answer = try await client.send(method, uri, body, headers: ["Authorization": header])
                #expect(try answer.problem(401) == slug, "\(header)")
                #expect(answer["WWW-Authenticate"]?.contains("Bearer") == true && answer["WWW-Authenticate"]?.contains("X-API-Key") == true)
            }
            // A proxy's own credentials do not hide the key.
            let both = try await client.send(method, uri, body, headers: ["Authorization": "Basic eDp5", "X-API-Key": "chief-secret"])
            #expect(both.status != 401 && both.status != 403)
        }
    }

    @Test(arguments: routeDescriptions.filter { $0.path != "/v1/stream" })
    func aKeyForMetricsOpensNothingElse(route: RouteDescription) async throws {
        let keys = Self.keys + [APIKey(name: "prometheus", secret: "scrape", scopes: [.metrics])]
        try await TestService(APIConfiguration(apiKeys: keys)).test { client async throws in
            let method = try Self.method(route)
            let answer = try await client.send(
                method, Self.uri(route), method == .get ? nil : "{}", headers: ["Authorization": "Bearer scrape"])
            if route.path == "/metrics" || route.scope == nil {
                #expect(answer.status == 200)
            } else {
                #expect(try answer.problem(403) == "scope-required")
            }
        }
    }

    @Test func withoutKeysEverybodyMayDoEverything() async throws {
        try await TestService().test { client async throws in
            #expect(try await client.send(.post, "/v1/models/3/promote").status == 200)
        }
    }

    @Test func secretsAreInNoLogAndNoDescription() async throws {
        let service = TestService(APIConfiguration(apiKeys: Self.keys))
        try await service.test { client async throws in
            _ = try await client.send(.get, "/v1/stats", headers: ["X-API-Key": "chief-secret"])
            _ = try await client.send(.get, "/v1/stats", headers: ["X-API-Key": "guess"])
            _ = try await client.send(.get, "/v1/users/somebody", headers: ["X-API-Key": "chief-secret"])
        }
        let log = service.logged.all.joined(separator: "\n")
        #expect(log.contains("/v1/stats"))
        #expect(!log.contains("chief-secret") && !log.contains("guess") && !log.contains("somebody"))
        var dumped = ""
        dump(Self.keys, to: &dumped)
        #expect(!"\(Self.keys) \(String(reflecting: Self.keys)) \(dumped)".contains("secret"))
    }

    @Test func pagesOfOtherOriginsChangeNothing() async throws {
        let service = TestService(APIConfiguration(allowedOrigins: ["https://shop.example"]))
        try await service.test { client async throws in
            for origin in ["https://evil.example", "null"] {
                let answer = try await client.send(.post, "/v1/models/3/promote", headers: ["Origin": origin])
                #expect(try answer.problem(403) == "foreign-origin")
                #expect(answer["Access-Control-Allow-Origin"] == nil)
            }
            let read = try await client.send(.get, "/v1/stats", headers: ["Origin": "https://evil.example"])
            #expect(read.status == 200 && read["Access-Control-Allow-Origin"] == nil)
            let allowed = try await client.send(.post, "/v1/models/3/promote", headers: ["Origin": "https://shop.example"])
            #expect(allowed.status == 200)
            #expect(allowed["Access-Control-Allow-Origin"] == "https://shop.example")
            let preflight = try await client.send(.options, "/v1/events", headers: ["Origin": "https://shop.example"])
            #expect(preflight.status == 204)
            #expect(preflight["Access-Control-Allow-Headers"]?.contains("X-API-Key") == true)
            #expect(preflight["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
        }
        #expect(service.seen.withLock { $0.promoted } == [3])
    }

    @Test func corsIsOffByDefault() async throws {
        try await TestService().test { client async throws in
            let preflight = try await client.send(.options, "/v1/events", headers: ["Origin": "https://shop.example"])
            #expect(preflight["Access-Control-Allow-Origin"] == nil)
            #expect(preflight["Access-Control-Allow-Methods"] == nil)
            #expect(preflight["Allow"] == "POST, OPTIONS")
        }
    }

    @Test func theDashboardRunsUnderAStrictPolicy() async throws {
        try await TestService().test { client async throws in
            let page = try await client.send(.get, "/")
            #expect(page.status == 200)
            #expect(page["Content-Security-Policy"]?.hasPrefix("default-src 'self';") == true)
            #expect(page["X-Content-Type-Options"] == "nosniff")
            #expect(page.text.contains("<title>Freshet</title>"))
            // What the policy would block: inline scripts, styles and handlers, and whatever comes from elsewhere.
            #expect(!page.text.contains("style=\"") && !page.text.contains("<style") && !page.text.contains("onclick"))
            #expect(!page.text.contains("<script>") && !page.text.contains("http://") && !page.text.contains("https://"))
            let references = page.text.matches(of: /(?:src|href)="(\/[^"]*)"/).map { String($0.output.1) }
            #expect(references.contains("/dashboard.js") && references.contains("/dashboard.css"))
            for reference in references { #expect(try await client.send(.get, reference).status == 200, "\(reference)") }
            let tag = try #require(page["ETag"])
            let again = try await client.send(.get, "/", headers: ["If-None-Match": tag])
            #expect(again.status == 304 && again.text.isEmpty)
        }
    }
}
