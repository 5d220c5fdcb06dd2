import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// What a caller over HTTP is told of what it sent, and what it is not charged for.
    @Suite struct IntakeFateTests {
        private func time(_ seconds: Double) -> String {
            ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: seconds))
        }

        private func errors(_ answer: HTTPAnswer) -> [String] {
            (answer.object["errors"] as? [[String: Any]] ?? []).map { "\($0["index"] ?? "") \($0["code"] ?? "")" }
        }

        private func counts(_ answer: HTTPAnswer) -> [Int?] {
            ["accepted", "rejected", "duplicates"].map { answer.object[$0] as? Int }
        }

        @Test("what intake can know it says at once; what the commit finds, wait=true reports")
        func fates() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let ingest = try bench.program(broker: address).start("ingest")
            defer { _ = ingest.stop() }
            let service = try bench.startService(broker: address)
            defer { _ = service.role.stop() }
            #expect(ingest.waitFor("partitions taken over", limit: 30), "\(ingest.log)")
            func send(_ method: String, _ path: String, _ body: String? = nil) throws -> HTTPAnswer {
                let answer = try service.http.send(method, path, body: body)
                #expect(answer.status == 202, "\(answer.status) \(answer.body)")
                return answer
            }
            // Of the future.
            for path in ["/v1/items/x", "/v1/items/x?wait=true", "/v1/users/x?wait=true"] {
                let answer = try send("PUT", path, #"{"updated_at":"\#(time(7_200))"}"#)
                #expect(counts(answer) == [0, 1, nil], "\(answer.body)")
                #expect(errors(answer) == ["0 time_in_future"])
            }
            #expect(try service.http.send("GET", "/v1/items/x").status == 404)
            // Older than what is stored, for items, deletions and users.
            for kind in ["items", "users"] {
                #expect(counts(try send("PUT", "/v1/\(kind)/x?wait=true", #"{"updated_at":"\#(time(-60))"}"#)) == [1, 0, nil])
                let older = try send("PUT", "/v1/\(kind)/x?wait=true", #"{"updated_at":"\#(time(-120))"}"#)
                #expect(counts(older) == [0, 1, nil] && older.object["committed"] as? Bool == true)
                #expect(errors(older) == ["0 superseded"])
                #expect(counts(try send("PUT", "/v1/\(kind)/x?wait=true", "{}")) == [1, 0, nil])
                #expect(counts(try send("DELETE", "/v1/\(kind)/x?wait=true")) == [1, 0, nil])
                let late = try send("PUT", "/v1/\(kind)/x?wait=true", #"{"updated_at":"\#(time(-50))"}"#)
                #expect(errors(late) == [kind == "items" ? "0 superseded" : "0 erased_user"], "\(late.body)")
            }
            // Events: a known one, another under its id, one of an erased person, one without an id, one that is none.
            let at = time(-30)
            func event(_ id: String?, _ user: String, _ item: String) -> String {
                (id.map { #"{"event_id":"\#($0)","# } ?? "{")
                    + #""type":"click","user_id":"\#(user)","item_id":"\#(item)","timestamp":"\#(at)"}"#
            }
            #expect(counts(try send("POST", "/v1/events?wait=true", "[\(event("e1", "u1", "a"))]")) == [1, 0, 0])
            let mixed = try send(
                "POST", "/v1/events?wait=true",
                "[\(event("e1", "u1", "a")),{},\(event("e1", "u1", "b")),\(event("e2", "x", "a")),"
                    + "\(event(nil, "u1", "a")),\(event("e3", "u1", "a"))]")
            #expect(counts(mixed) == [3, 3, 1], "\(mixed.body)")
            #expect(errors(mixed) == ["1 missing_field", "2 conflicting_duplicate", "3 erased_user"])
            #expect(try bench.database.sql("select count(*) from interactions where user_id = 'u1'") == "3")
            // Somebody of whom only a session is known, with the longest id that one may have, can be erased.
            let session = String(repeating: "s", count: 256)
            let anonymous = #"{"event_id":"e9","type":"click","session_id":"\#(session)","item_id":"a","timestamp":"\#(at)"}"#
            #expect(counts(try send("POST", "/v1/events?wait=true", anonymous)) == [1, 0, 0])
            func stored() throws -> String { try bench.database.sql("select count(*) from interactions where event_id = 'e9'") }
            #expect(try stored() == "1")
            #expect(try service.http.send("GET", "/v1/users/session:\(session)").status == 200)
            #expect(counts(try send("DELETE", "/v1/users/session:\(session)?wait=true")) == [1, 0, nil])
            #expect(try stored() == "0")
            // An id that outgrows its bound in its normal form names nothing that is stored.
            let growing = String(repeating: "%E0%A5%98", count: 80)
            #expect(errors(try send("DELETE", "/v1/items/\(growing)?wait=true")) == ["0 too_large"])
            // Whole numbers are ids.
            #expect(counts(try send("PUT", "/v1/items/4200?wait=true", #"{"item_id":4200}"#)) == [1, 0, nil])
            #expect(try service.http.send("GET", "/v1/items/4200").status == 200)
        }

        @Test("a preview stores no impression; prices, warnings, readiness and the newest items are told as they are")
        func previews() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let ingest = try bench.program(broker: address).start("ingest")
            defer { _ = ingest.stop() }
            let service = try bench.startService(broker: address)
            defer { _ = service.role.stop() }
            #expect(ingest.waitFor("partitions taken over", limit: 30), "\(ingest.log)")
            for (item, day) in [("z", 1), ("a", 3), ("m", 2)] {
                try service.put(item: item, #""title":"\#(item)","price":5,"currency":"EUR","published_at":"2026-01-0\#(day)T00:00:00Z""#)
            }
            let looked = try service.http.send("GET", "/v1/recommendations?user_id=u1&details=true&preview=true")
            #expect(looked.body.contains(#""currency":"EUR""#) && (looked.object["items"] as? [Any])?.count == 3, "\(looked.body)")
            let shown = try service.recommendations(user: "u1")
            // Records of one user keep their order: a preview's would have come before.
            let request = "request_id = '\(shown.requestID)'"
            #expect(try eventually(within: 20) { try bench.database.sql("select count(*) from interactions where \(request)") == "3" })
            #expect(try bench.database.sql("select count(*) from interactions where not \(request)") == "0")
            let metrics = try service.http.send("GET", "/metrics").body
            #expect(metrics.contains(#"freshet_recommendations_total{user="cold"} 1"#), "\(metrics)")

            func warned(_ body: String) throws -> [String] {
                let answer = try service.http.send("POST", "/v1/recommendations", body: body)
                #expect(answer.status == 200, "\(answer.body)")
                return (answer.object["warnings"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
            }
            #expect(try warned(#"{"items":["nope",18446744073709551616]}"#) == ["unknown_items"])
            #expect(try warned(#"{"items":["a","nope"]}"#) == ["unknown_items"])
            #expect(try warned(#"{"items":["a"],"exclude":["a"]}"#) == ["no_items_left"])
            #expect(try warned(#"{"category":"none of it"}"#) == ["no_items_left"])
            #expect(try warned(#"{"items":["a"]}"#) == [])

            func newest() throws -> [String] {
                let stats = try service.http.send("GET", "/v1/stats").object
                guard stats["counted_at"] is String else { return [] }
                return ((stats["catalogue"] as? [String: Any])?["newest"] as? [[String: Any]] ?? []).compactMap { $0["item_id"] as? String }
            }
            #expect(try eventually(within: 20) { try newest() == ["a", "m", "z"] })
            #expect(try eventually(within: 20) { try service.http.send("GET", "/readyz").status == 200 })

            // A broker that is away: refused as such, not as a request that took too long.
            broker.killNow()
            let click = #"{"event_id":"e1","type":"click","user_id":"u1","item_id":"a","timestamp":"2026-11-21T08:00:00Z"}"#
            let refused = try service.http.send("POST", "/v1/events", body: click)
            #expect(refused.status == 503, "\(refused.body)")
            #expect(refused.headers.contains { $0.lowercased().hasPrefix("retry-after: ") })
            #expect(refused.body.contains(address) && refused.body.contains("kafka.bootstrap_servers"), "\(refused.body)")
            for (method, path) in [("PUT", "/v1/items/a"), ("DELETE", "/v1/users/u1")] {
                #expect(try service.http.send(method, path, body: method == "PUT" ? "{}" : nil).status == 503)
            }
        }

        @Test("keys, origins and limits of the HTTP service come from the configuration")
        func settings() throws {
            let bench = try Workbench()
            let service = try bench.startService(
                broker: "127.0.0.1:1",
                [
                    "FRESHET_HTTP_READ_KEYS": "reads", "FRESHET_HTTP_METRICS_KEYS": "scrapes",
                    "FRESHET_HTTP_CORS_ORIGINS": "https://Shop.example/, http://localhost:3000", "FRESHET_HTTP_RATE_LIMIT_PER_SECOND": "1",
                    "FRESHET_HTTP_RATE_LIMIT_BURST": "2",
                ])
            defer { _ = service.role.stop() }
            func status(_ path: String, _ headers: [String: String]) throws -> Int {
                try service.http.send("GET", path, headers: headers).status
            }
            #expect(try status("/metrics", [:]) == 401)
            for key in ["scrapes", "reads"] { #expect(try status("/metrics", ["Authorization": "Bearer \(key)"]) == 200) }
            #expect(try status("/v1/stats", ["X-API-Key": "scrapes"]) == 403)
            let preflight = try service.http.send("OPTIONS", "/v1/events", headers: ["Origin": "https://shop.example"])
            let allowed = "access-control-allow-origin: https://shop.example"
            #expect(preflight.headers.contains { $0.lowercased() == allowed }, "\(preflight.headers)")
            let statuses = try (0..<6).map { _ in try status("/v1/models", ["X-API-Key": "reads"]) }
            #expect(statuses.prefix(2) == [200, 200] && statuses.contains(429), "\(statuses)")

            for origin in ["*", "shop.example"] {
                let result = try bench.program(["FRESHET_HTTP_CORS_ORIGINS": origin]).run("serve")
                EndToEnd.expectFailure(result, status: 1, saying: "http.cors_origins", "https://shop.example")
            }
        }
    }
}
