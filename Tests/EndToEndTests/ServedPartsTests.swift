import Foundation
import Synchronization
import Testing
import TestSupport

extension EndToEnd {
    /// What a running service says of the parts around it, and what it goes on doing without them.
    @Suite struct ServedPartsTests {
        private struct Parts {
            var status: Int
            var parts: [String: [String: Any]]

            func detail(_ name: String) -> String { parts[name]?["detail"] as? String ?? "" }
            func isReady(_ name: String) -> Bool { parts[name]?["ready"] as? Bool ?? false }
        }

        private func parts(_ service: Service, _ headers: [String: String] = [:]) throws -> Parts {
            let answer = try service.http.send("GET", "/readyz", headers: headers)
            var found: [String: [String: Any]] = [:]
            for part in answer.object["parts"] as? [[String: Any]] ?? [] { found[part["name"] as? String ?? ""] = part }
            return Parts(status: answer.status, parts: found)
        }

        private static let click = #"{"event_id":"e1","type":"click","user_id":"u1","item_id":"a","timestamp":"2026-11-21T08:00:00Z"}"#

        @Test("a frozen broker: ready, answers go on, intake is refused at once and comes back by itself")
        func frozenBroker() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.killNow() }
            let service = try bench.startService(broker: address, ["FRESHET_HTTP_MAX_INTAKE_REQUESTS": "4"])
            defer { _ = service.role.stop() }
            #expect(try service.http.send("POST", "/v1/events", body: Self.click).status == 202)
            #expect(try eventually(within: 20) { try parts(service).isReady("broker") })
            broker.send(SIGSTOP)
            // More than may wait, at once: each is refused, and recommendations are answered meanwhile.
            let statuses = Mutex<[Int]>([])
            let writers = (0..<24).map { _ in
                Thread {
                    let answer = try? service.http.send("POST", "/v1/events", body: Self.click)
                    statuses.withLock { $0.append(answer?.status ?? 0) }
                }
            }
            for writer in writers { writer.start() }
            #expect(try service.http.send("GET", "/v1/recommendations?user_id=u1").status == 200)
            #expect(eventually(within: 60) { statuses.withLock { $0.count } == 24 })
            #expect(statuses.withLock { $0.allSatisfy { $0 == 503 } }, "\(statuses.withLock { $0 })")
            let metrics = try service.http.send("GET", "/metrics").body
            let refused = metrics.split(separator: "\n").first { $0.hasPrefix("freshet_intake_refused_requests_total ") }
            #expect(refused != nil && refused?.hasSuffix(" 0") == false, "\(metrics)")
            // Known to be away: nobody waits to find out.
            for (method, path) in [("POST", "/v1/events"), ("PUT", "/v1/items/a"), ("DELETE", "/v1/users/u1")] {
                let body = method == "POST" ? Self.click : method == "PUT" ? "{}" : nil
                let answer = try service.http.send(method, path, body: body)
                #expect(answer.status == 503 && answer.body.contains("was not tried"), "\(answer.body)")
                #expect(answer.headers.contains { $0.lowercased().hasPrefix("retry-after: ") })
            }
            #expect(try eventually(within: 30) { try !parts(service).isReady("broker") })
            let away = try parts(service)
            #expect(away.status == 200 && !away.isReady("intake") && away.isReady("database"))
            #expect(try service.http.send("GET", "/v1/recommendations?user_id=u1").status == 200)
            #expect(service.role.log.contains("Kafka does not take records"))
            broker.send(SIGCONT)
            #expect(try eventually(within: 60) { try service.http.send("POST", "/v1/events", body: Self.click).status == 202 })
            #expect(try eventually(within: 30) {
                let now = try parts(service)
                return now.isReady("intake") && now.isReady("broker")
            })
        }

        @Test("rows of former clusters and topics keep nobody out; rows of partitions in use that are of another cluster are said")
        func formerCluster() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.killNow() }
            func row(_ topic: String, _ partition: Int) throws {
                _ = try bench.database.sql(
                    """
                    insert into stream_offsets (topic, partition, cluster, epoch, next_offset)
                    values ('\(topic)', \(partition), 'gone', 1, 9000) returning 1
                    """)
            }
            try row("former.events", 0)
            try row("freshet.events", 77)
            let service = try bench.startService(broker: address)
            defer { _ = service.role.stop() }
            #expect(try eventually(within: 20) { try parts(service).isReady("ingest") }, "\(service.role.log)")
            #expect(try parts(service).status == 200)
            let stats = try service.http.send("GET", "/v1/stats").object["ingest"] as? [String: Any]
            #expect(stats?["lag"] as? Int == 0)
            #expect(try eventually(within: 20) {
                let ingest = try service.http.send("GET", "/v1/stats").object["ingest"] as? [String: Any]
                return ingest?["committed_offset_total"] as? Int == 0
            })
            try row("freshet.events", 1)
            #expect(try eventually(within: 20) { try !parts(service).isReady("ingest") })
            let found = try parts(service)
            #expect(found.status == 200 && found.detail("ingest").contains("1 partitions are of another cluster"), "\(found)")
            #expect(found.detail("ingest").contains("--accept-new-cluster") && found.isReady("broker"))
        }

        @Test("a promoted model that cannot be read is said to be promoted, and not to be none")
        func unreadableModel() throws {
            let bench = try Workbench()
            _ = try bench.database.sql(
                """
                insert into models (status, artifact_path, artifact_checksum, promoted_at)
                values ('promoted', 'version-1', 'x', now()) returning 1
                """)
            let service = try bench.startService(broker: "127.0.0.1:1")
            defer { _ = service.role.stop() }
            #expect(try eventually(within: 20) { try !parts(service).isReady("model") })
            let found = try parts(service)
            #expect(found.status == 200, "answers come from what is trending")
            #expect(found.detail("model").contains("version 1 is promoted and cannot be used"), "\(found)")
            #expect(!found.isReady("model") && (found.parts["model"]?["reason"] as? String)?.isEmpty == false)
            // An empty registry is another thing.
            _ = try bench.database.sql("update models set status = 'retired' returning 1")
            #expect(try eventually(within: 20) { try parts(service).detail("model").hasPrefix("none is promoted yet") })
        }

        @Test("without a key only states are told, and the database's words to nobody else")
        func strangers() throws {
            let bench = try Workbench()
            let service = try bench.startService(broker: "127.0.0.1:1", ["FRESHET_HTTP_READ_KEYS": "reads"])
            defer { _ = service.role.stop() }
            #expect(try eventually(within: 30) { try parts(service, ["X-API-Key": "reads"]).parts["broker"]?["reason"] != nil })
            let stranger = try service.http.send("GET", "/readyz")
            #expect(stranger.status == 200 && !stranger.body.contains("127.0.0.1") && !stranger.body.contains("detail"), "\(stranger.body)")
            // A table that nobody may read any more: answers fail, and so does readiness.
            _ = try bench.database.sql("alter table users rename to people; select 1")
            #expect(try eventually(within: 10) { try service.http.send("GET", "/readyz").status == 503 })
            let told = try service.http.send("GET", "/readyz")
            #expect(!told.body.contains("relation") && !told.body.contains("127.0.0.1"), "\(told.body)")
            #expect(try parts(service, ["X-API-Key": "reads"]).parts["database"]?["reason"] != nil)
            _ = try bench.database.sql("alter table people rename to users; select 1")
            #expect(try eventually(within: 10) { try service.http.send("GET", "/readyz").status == 200 })
        }

        @Test("what a reader makes the service record is bounded by item and by second")
        func impressions() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.killNow() }
            let items = (0..<300).map { #"{"item_id":"i\#($0)","title":"t","updated_at":"2026-01-01T00:00:00Z"}"# }
            #expect(try bench.program(broker: address).run("backfill", "--items", bench.write(items, to: "items.jsonl")).status == 0)
            let ingest = try bench.program(broker: address).start("ingest")
            defer { _ = ingest.stop() }
            let service = try bench.startService(
                broker: address, ["FRESHET_SERVE_IMPRESSIONS_PER_SECOND": "10", "FRESHET_SERVE_IMPRESSIONS_PER_ANSWER": "50"])
            defer { _ = service.role.stop() }
            let shown = try service.recommendations(user: "u1", n: 300)
            #expect(shown.items.count > 50)
            #expect(try eventually(within: 40) { try bench.database.sql("select count(*) from interactions") == "50" }, "\(ingest.log)")
            let first = shown.items.prefix(50).joined(separator: "','")
            let slots = try bench.database.sql("select count(*) from interactions where item_id in ('\(first)')")
            #expect(slots == "50", "the first ones")
            for number in 0..<40 { #expect(try service.recommendations(user: "v\(number)", n: 300).items.count > 50) }
            let metrics = try service.http.send("GET", "/metrics").body
            let held = metrics.split(separator: "\n").first { $0.hasPrefix("freshet_impressions_held_answers_total ") }
            #expect(held != nil && held?.hasSuffix(" 0") == false, "\(metrics)")
            #expect(service.role.log.contains("serve.impressions_per_second"))
        }
    }
}
