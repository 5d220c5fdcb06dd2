import Foundation
import RecommendationAPI
import Testing

/// Who only looks changes nothing and is counted nowhere.
@Suite struct PreviewTests {
    @Test func aPreviewIsMarkedAndInNoFigure() async throws {
        let service = TestService()
        try await service.test { client async throws in
            for path in [
                "/v1/recommendations?user_id=u1&preview=true", "/v1/recommendations?preview", "/v1/items/i1/similar?preview=1",
                "/v1/users/u1?preview=true", "/v1/users/nobody?preview=true", "/v1/items/i1?preview=true", "/v1/models?preview=true",
                "/v1/stats?preview=true", "/v1/experiments?preview=true",
            ] {
                #expect(try await client.send(.get, path)["X-Freshet-Preview"] == "true", "\(path)")
            }
            let posted = try await client.send(.post, "/v1/recommendations", #"{"user_id":"u1","preview":true}"#)
            #expect(posted["X-Freshet-Preview"] == "true")
            #expect(try posted.object()["preview"] as? Bool == true)
            let metrics = try await client.send(.get, "/metrics").text
            #expect(!metrics.contains("freshet_http_requests_total{"), "\(metrics)")
            #expect(!metrics.contains("freshet_http_request_duration_seconds_count"))
            #expect(metrics.contains(#"freshet_recommendations_total{user="known"} 0"#))
            #expect(metrics.contains(#"freshet_recommended_items_total{reason="personal"} 0"#))
            let serving = try #require(try await client.send(.get, "/v1/stats").object()["serving"] as? [String: Any])
            #expect(serving["requests"] as? Int == 0)
        }
        #expect(service.seen.withLock { $0.recommendations.map(\.isPreview) } == [true, true, true])
    }

    @Test func everythingElseCountsAndPublishes() async throws {
        let service = TestService()
        try await service.test { client async throws in
            for path in ["/v1/recommendations?user_id=u1", "/v1/recommendations?user_id=u1&preview=false"] {
                let answer = try await client.send(.get, path)
                #expect(answer["X-Freshet-Preview"] == nil)
                #expect(try answer.object()["preview"] == nil)
            }
            #expect(try await client.send(.post, "/v1/recommendations", #"{"preview":false}"#).status == 200)
            #expect(try await client.send(.get, "/metrics").text.contains(#"freshet_recommendations_total{user="known"} 3"#))
            _ = try await client.send(.get, "/v1/recommendations?preview=maybe").problem(400)
            // What changes something is never a preview.
            #expect(try await client.send(.post, "/v1/events?preview=true", "{}").problem(400) == "unknown-parameter")
        }
        #expect(service.seen.withLock { $0.recommendations.map(\.isPreview) } == [false, false, false])
    }

    /// The page's own questions: all that it reads goes through one function that marks it, and it sends events from one place, behind
    /// the choice that says what it does.
    @Test func theDashboardLooksAndStoresAClickOnlyWhereThatWasChosen() async throws {
        try await TestService().test { client async throws in
            let page = try await client.send(.get, "/").text
            var scripts: [String: String] = [:]
            for name in ["dashboard.js", "shopper.js", "charts.js"] { scripts[name] = try await client.send(.get, "/\(name)").text }
            let all = scripts.values.joined(separator: "\n")
            let asked = all.matches(of: /[^.\w]ask\(([^,)]*)/).map { String($0.output.1) }
                .filter { $0 != "path" && !$0.contains("${path}") }
            #expect(asked == [#""/v1/events""#], "asked without a mark: \(asked)")
            #expect(all.matches(of: /fetch\(/).count == 1)
            let looked = Set(all.matches(of: /look\([`"](\/v1\/[a-z]+)/).map { String($0.output.1) })
            #expect(looked == ["/v1/stats", "/v1/models", "/v1/recommendations", "/v1/users"])
            #expect(scripts["dashboard.js"]?.contains(#"preview: "true""#) == true)
            #expect(scripts["shopper.js"]?.contains("async function click(item) {\n  if (!storesClicks()) return;") == true)
            #expect(page.contains("this stores a real click"))
            #expect(page.matches(of: /type="checkbox" id="clicks-stored"(?! checked)/).count == 1)
            // Enter submits a form's first submit button.
            let dialog = try #require(page.firstMatch(of: /<form method="dialog"[\s\S]*?<\/form>/)).output
            let buttons = dialog.matches(of: /<button([^>]*)>/).map { String($0.output.1) }
            #expect(buttons.first { !$0.contains(#"type="button""#) }?.contains(#"value="save""#) == true)
        }
    }

    @Test func pricesCarryTheirCurrencyAndFiguresSayWhenTheyWereCounted() async throws {
        let service = TestService { operations in
            operations.recommend = { request in
                let shoe = ItemSummary(itemID: "i1", categories: [], priceMicros: 19_990_000, currency: "EUR")
                return RecommendationList(
                    requestID: request.requestID, items: [RecommendedEntry(itemID: "i1", score: 1, reason: .fresh, details: shoe)],
                    warnings: [AnswerWarning(code: "unknown_items", detail: "1 of the 2 ids")])
            }
        }
        try await service.test { client async throws in
            let answer = try await client.send(.get, "/v1/recommendations?details=true")
            #expect(answer.text.contains(#""price":19.99,"currency":"EUR""#))
            #expect(answer.text.contains(#""warnings":[{"code":"unknown_items","detail":"1 of the 2 ids"}]"#))
            #expect(try await client.send(.get, "/v1/stats").object()["counted_at"] is NSNull)
        }
    }
}
