import Foundation
import RecommendationAPI
import Testing

@Suite struct MetricsTests {
    /// `name{labels}` to value, and the type of each metric.
    private func parse(_ text: String) throws -> (samples: [String: Double], types: [String: String]) {
        var samples: [String: Double] = [:]
        var types: [String: String] = [:]
        #expect(text.hasSuffix("\n"))
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let parts = line.split(separator: " ")
                #expect(types[String(parts[2])] == nil, "\(parts[2]) has two types")
                types[String(parts[2])] = String(parts[3])
            } else if !line.hasPrefix("# HELP ") {
                let match = try #require(
                    String(line).wholeMatch(of: /([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (\S+)/), "\(line)")
                let key = String(match.output.1) + String(match.output.2 ?? "")
                #expect(samples[key] == nil, "\(key) stands twice")
                let value = try #require(Double(String(match.output.3)))
                samples[key] = value
            }
        }
        return (samples, types)
    }

    @Test func requestsAreCountedByRouteAndStatus() async throws {
        try await TestService().test { client async throws in
            for _ in 0..<3 { _ = try await client.send(.get, "/v1/recommendations?user_id=u1&n=5") }
            _ = try await client.send(.get, "/v1/recommendations?n=0")
            _ = try await client.send(.get, "/v1/users/secret-person")
            _ = try await client.send(.get, "/nowhere")
            _ = try await client.send(.post, "/v1/events", #"[{"user_id":"a"},{}]"#)
            let answer = try await client.send(.get, "/metrics")
            #expect(answer["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(!answer.text.contains("secret-person"))
            let (samples, types) = try parse(answer.text)
            let route = #"method="GET",route="/v1/recommendations""#
            #expect(samples["freshet_http_requests_total{\(route),status=\"200\"}"] == 3)
            #expect(samples["freshet_http_requests_total{\(route),status=\"400\"}"] == 1)
            #expect(samples[#"freshet_http_requests_total{method="GET",route="/v1/users/{id}",status="200"}"#] == 1)
            #expect(samples[#"freshet_http_requests_total{method="",route="unmatched",status="404"}"#] == 1)
            #expect(samples["freshet_http_requests_in_flight"] == 1)
            #expect(samples[#"freshet_recommended_items_total{reason="fresh"}"#] == 3)
            #expect(samples[#"freshet_recommendations_total{user="known"}"#] == 3)
            #expect(samples[#"freshet_intake_records_total{result="accepted"}"#] == 1)
            #expect(samples[#"freshet_intake_records_total{result="rejected"}"#] == 1)
            #expect(types["freshet_http_request_duration_seconds"] == "histogram")
        }
    }

    @Test func histogramsAreCumulativeAndComplete() async throws {
        try await TestService().test { client async throws in
            for _ in 0..<7 { _ = try await client.send(.get, "/healthz") }
            let text = try await client.send(.get, "/metrics").text
            let name = "freshet_http_request_duration_seconds"
            let labels = #"method="GET",route="/healthz""#
            let buckets = text.split(separator: "\n").filter { $0.hasPrefix("\(name)_bucket{\(labels)") }
            let counts = try buckets.map { try #require(Double($0.split(separator: " ")[1])) }
            #expect(buckets.count == 16)
            #expect(buckets.first?.contains(#"le="0.0001""#) == true)
            #expect(buckets.last?.contains(#"le="+Inf""#) == true)
            #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 <= $1 })
            let (samples, _) = try parse(text)
            #expect(counts.last == 7)
            #expect(samples["\(name)_count{\(labels)}"] == 7)
            #expect(try #require(samples["\(name)_sum{\(labels)}"]) >= 0)
        }
    }

    @Test func metricsFromElsewhereAreGroupedAndEscaped() async throws {
        try await TestService().test { client async throws in
            let text = try await client.send(.get, "/metrics").text
            let (samples, types) = try parse(text)
            #expect(samples[#"freshet_lag{partition="0"}"#] == 1.5)
            #expect(samples[#"freshet_lag{partition="\"1\""}"#] == 3)
            #expect(types["freshet_other"] == "counter")
            #expect(text.contains(#"# HELP freshet_other A \\ and\na line."#))
        }
    }

    @Test func aRateSeriesKeepsItsSpanAndForgetsTheRest() {
        let series = RateSeries(spanSeconds: 10)
        series.record(5, second: 100)
        series.record(second: 100)
        series.record(2, second: 103)
        #expect(series.points(before: 104, seconds: 4).map(\.count) == [6, 0, 0, 2])
        #expect(series.perSecond(before: 104, seconds: 4) == 2)
        #expect(series.points(before: 104, seconds: 50).count == 9)
        series.record(1, second: 110)
        #expect(series.points(before: 111, seconds: 9).map(\.count) == [0, 2, 0, 0, 0, 0, 0, 0, 1])
        #expect(series.points(before: 1_000, seconds: 9).allSatisfy { $0.count == 0 })
    }

    @Test func aRateSeriesCountsFromManyThreads() async {
        let series = RateSeries(spanSeconds: 10)
        series.record(second: 7)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1_000 { series.record(second: 7) } } }
        }
        #expect(series.points(before: 8, seconds: 1) == [RatePoint(second: 7, count: 8_001)])
    }
}
