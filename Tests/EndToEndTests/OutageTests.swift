import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Servers that go away for a while under running roles.
    @Suite struct OutageTests {
        /// The workbench's database behind a gate; nil where the server is not reached by a port on loopback.
        private func gated(_ bench: Workbench) throws -> (gate: Gate, url: String)? {
            guard var parts = URLComponents(string: bench.database.url), let port = parts.port, parts.host == "127.0.0.1" else {
                return nil
            }
            let gate = try Gate(to: UInt16(port))
            parts.port = Int(gate.port)
            return (gate, try #require(parts.string))
        }

        @Test("a database that is away for a while stops nobody and loses nothing")
        func database() throws {
            let bench = try Workbench()
            guard let (gate, url) = try gated(bench) else { return }
            try SmallShop.writePast(into: bench)
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let settings = ["FRESHET_DATABASE_URL": url].merging(SmallShop.training) { $1 }
            let program = bench.program(broker: address, settings)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train", "--set", "holdout=none"))
            // Not there at the start: both wait.
            gate.cutOff()
            let ingest = try program.start("ingest")
            let serving = try program.start("serve")
            #expect(ingest.waitFor("waiting for the database", limit: 10), "\(ingest.log)")
            #expect(serving.waitFor("waiting for the database", limit: 10), "\(serving.log)")
            try gate.letIn()
            let service = try Service(role: serving)
            #expect(ingest.waitFor("partitions taken over", limit: 30), "\(ingest.log)")
            for round in 0..<2 {
                let first = try service.post("click", user: "u\(round)", item: "i1")
                #expect(try service.recommendations(user: "u\(round)", "&wait=\(first)").items.count == 10)
                gate.cutOff()
                // The broker takes what the database cannot store yet; answers that need the database are refused as such.
                let mark = try service.post("click", user: "u\(round)", item: "i2")
                let refused = try service.http.send("GET", "/v1/recommendations?user_id=u1")
                #expect(
                    refused.status == 503 && refused.headers.contains { $0.lowercased().hasPrefix("retry-after") },
                    "\(refused.status) \(refused.body)")
                #expect(try service.http.send("GET", "/healthz").status == 200)
                #expect(try eventually(within: 5) { try service.http.send("GET", "/readyz").status == 503 })
                // What the log says is what callers see; probes ask the database themselves, before the loop that logs does.
                #expect(service.role.waitFor("is answered 503 until it is back", limit: 10), "\(service.role.log)")
                #expect(!service.role.log.contains("last snapshot"))
                try gate.letIn()
                #expect(try eventually(within: 15) {
                    try service.http.send("GET", "/v1/recommendations?user_id=u\(round)&wait=\(mark)").status == 200
                }, "\(service.role.log)\(ingest.log)")
                #expect(try eventually(within: 5) { try service.http.send("GET", "/readyz").status == 200 })
            }
            #expect(ingest.isRunning && service.role.isRunning)
            #expect(
                try bench.database.sql(
                    "select count(*) from interactions where user_id in ('u0','u1') and event_time > now() - interval '1 hour' "
                        + "and type = 1 and item_id in ('i1','i2') and source_partition >= 0"
                ) == "4")
            #expect(service.role.stop() == 0, "\(service.role.log)")
            #expect(ingest.stop() == 0, "\(ingest.log)")
        }

        @Test("a broker that does not answer for a while stops nobody")
        func broker() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.killNow() }
            let program = bench.program(broker: address)
            let ingest = try program.start("ingest")
            let service = try bench.startService(broker: address)
            #expect(ingest.waitFor("partitions taken over"), "\(ingest.log)")
            broker.send(SIGSTOP)
            Thread.sleep(forTimeInterval: EndToEnd.isSoak ? 30 : 8)
            #expect(try service.http.send("GET", "/v1/recommendations?user_id=u1").status == 200)
            broker.send(SIGCONT)
            let mark = try service.post("click", user: "u1", item: "i1")
            #expect(try eventually(within: 30) {
                try service.http.send("GET", "/v1/recommendations?user_id=u1&wait=\(mark)").status == 200
            }, "\(ingest.log)")
            #expect(ingest.isRunning && service.role.isRunning, "\(ingest.log)")
        }
    }
}
