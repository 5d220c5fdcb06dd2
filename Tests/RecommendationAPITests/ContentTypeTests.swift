import Foundation
import RecommendationAPI
import Testing

/// What a body may call itself: command-line clients say nothing or "form", browsers can be made to.
@Suite struct ContentTypeTests {
    private static let unstated = [
        "application/x-www-form-urlencoded", "text/plain", "text/plain; charset=utf-8", "Application/X-WWW-Form-URLEncoded", nil,
    ]

    private static func headers(_ type: String?, _ others: [String: String] = [:]) -> [String: String] {
        type.map { others.merging(["Content-Type": $0]) { $1 } } ?? others
    }

    @Test(arguments: unstated)
    func whatClientsSendUnaskedIsTakenForJSON(type: String?) async throws {
        let service = TestService()
        try await service.test { client async throws in
            let headers = Self.headers(type)
            #expect(try await client.send(.post, "/v1/events", #"{"user_id":"a"}"#, headers: headers).status == 202)
            #expect(try await client.send(.post, "/v1/events", " \n[{\"user_id\":\"a\"}]", headers: headers).status == 202)
            #expect(try await client.send(.put, "/v1/items/i9", #"{"title":"T"}"#, headers: headers).status == 202)
            #expect(try await client.send(.put, "/v1/users/u9", "{}", headers: headers).status == 202)
            #expect(try await client.send(.post, "/v1/recommendations", "{}", headers: headers).status == 200)
        }
        #expect(service.seen.withLock { $0.events.count } == 2)
    }

    @Test func aByteOrderMarkIsPassedOver() async throws {
        let service = TestService()
        try await service.test { client async throws in
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            let event = mark + Array(#"{"user_id":"a"}"#.utf8), empty = mark + Array("{}".utf8)
            for type in ["application/json", "text/plain"] {
                let headers = ["Content-Type": type]
                #expect(try await client.send(.post, "/v1/events", bytes: event, headers: headers).status == 202)
                #expect(try await client.send(.put, "/v1/items/i1", bytes: empty, headers: headers).status == 202)
                #expect(try await client.send(.post, "/v1/recommendations", bytes: empty, headers: headers).status == 200)
            }
        }
        #expect(service.seen.withLock { $0.events } == [[#"{"user_id":"a"}"#], [#"{"user_id":"a"}"#]])
    }

    @Test func aFormIsNoJSON() async throws {
        let service = TestService()
        try await service.test { client async throws in
            for type in ["application/x-www-form-urlencoded", "text/plain"] {
                let answer = try await client.send(.post, "/v1/events", "user_id=a&type=click", headers: ["Content-Type": type])
                #expect(try answer.problem(415) == "unsupported-media-type")
            }
        }
        #expect(service.seen.withLock { $0.events.isEmpty })
    }

    /// A form, or a fetch without a question before it, can send these types from any page.
    @Test(arguments: unstated)
    func fromABrowserOnlyWhatSaysJSONIsRead(type: String?) async throws {
        let service = TestService(APIConfiguration(allowedOrigins: ["https://shop.example"]))
        try await service.test { client async throws in
            for mark in [["Origin": "https://shop.example"], ["Sec-Fetch-Site": "same-origin"]] {
                for (method, path) in [("POST", "/v1/events"), ("PUT", "/v1/items/i1"), ("POST", "/v1/recommendations")] {
                    let answer = try await client.send(
                        try #require(.init(rawValue: method)), path, "{}", headers: Self.headers(type, mark))
                    #expect(try answer.problem(415) == "unsupported-media-type", "\(mark) \(path)")
                }
                let said = try await client.send(
                    .post, "/v1/events", "{}", headers: mark.merging(["Content-Type": "application/json"]) { $1 })
                #expect(said.status == 202, "\(mark)")
            }
            for mark in [
                ["Origin": "https://evil.example"], ["Origin": "null"], ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"],
            ] {
                for type in [type, "application/json"] {
                    let answer = try await client.send(.post, "/v1/events", "{}", headers: Self.headers(type, mark))
                    #expect(try answer.problem(403) == "foreign-origin", "\(mark)")
                }
            }
        }
    }

    @Test func theRefusalOfAPageNamesTheKey() async throws {
        try await TestService().test { client async throws in
            let answer = try await client.send(.post, "/v1/events", "{}", headers: ["Origin": "https://shop.example"])
            #expect(answer.text.contains("http.cors_origins"))
        }
    }

    @Test func originsAreReadAsBrowsersSendThem() {
        for (text, origin) in [
            ("https://shop.example", "https://shop.example"), ("HTTPS://Shop.Example/", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"), ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"), ("capacitor://localhost", "capacitor://localhost"),
        ] {
            #expect(AllowedOrigin.normalised(text) == origin, "\(text)")
        }
        for text in ["*", "", "shop.example", "https://", "https://shop.example/path", "https://*.example", "null", "https://a b", "://x"] {
            #expect(AllowedOrigin.normalised(text) == nil, "\(text)")
        }
    }
}
