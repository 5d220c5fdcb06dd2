import Foundation
import Testing
import TestSupport

/// libfaketime, which sets the clock of one process and never the machine's.
private enum FakeTime {
    /// The library, where it is installed.
    static let library: String? = {
        let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/local/lib"]
        let named = ProcessInfo.processInfo.environment["FAKETIME_LIBRARY"].map { [$0] } ?? []
        return (named + folders.map { $0 + "/faketime/libfaketime.so.1" }).first { FileManager.default.fileExists(atPath: $0) }
    }()
}

extension EndToEnd {
    /// Processes whose clock is off.
    @Suite(.enabled(if: FakeTime.library != nil, "needs libfaketime (Debian: libfaketime)"))
    struct ClockProcessTests {
        private static func off(by shift: String) -> [String: String] {
            ["LD_PRELOAD": FakeTime.library ?? "", "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"]
        }

        @Test("a consumer and a server whose clocks are ahead take live events and say so", arguments: ["+700s"])
        func live(_ shift: String) throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            // By way of `env`: libfaketime changes the environment of the first process that it is loaded into, and Swift's then has no
            // arguments.
            let ingest = try bench.program(broker: address, Self.off(by: shift)).started(by: ["/usr/bin/env"]).start("ingest")
            #expect(ingest.waitFor("partitions taken over"), "\(ingest.log)")
            let service = try Service(
                role: try bench.program(broker: address, Self.off(by: shift)).started(by: ["/usr/bin/env"]).start("serve"))
            let now = Int(Date().timeIntervalSince1970 * 1_000)
            let event = #"{"type":"click","user_id":"u1","item_id":"i1","timestamp":\#(now)}"#
            let taken = try service.http.send("POST", "/v1/events?wait=true", body: event)
            #expect(taken.status == 202 || taken.status == 200, "\(taken.status) \(taken.body)")
            let item = try service.http.send("PUT", "/v1/items/i1?wait=true", body: #"{"item_id":"i1","title":"one"}"#)
            #expect(item.status == 202 || item.status == 200, "\(item.status) \(item.body)")
            #expect(try eventually(within: 20) { try bench.database.sql("select count(*) from interactions where type = 1") == "1" })
            #expect(try eventually(within: 20) { try bench.database.sql("select count(*) from items") == "1" })
            #expect(try bench.database.sql("select count(*) from dead_letters") == "0")
            // What lies ahead of the right clock is refused in either case.
            let ahead = #"{"type":"click","user_id":"u1","item_id":"i1","timestamp":\#(now + 600_000)}"#
            let refused = try service.http.send("POST", "/v1/events", body: ahead)
            #expect(refused.body.contains("time_in_future"), "\(refused.status) \(refused.body)")
            for role in [ingest, service.role] {
                #expect(role.log.contains(shift.hasPrefix("-") ? "s behind PostgreSQL's" : "s ahead of PostgreSQL's"), "\(role.log)")
            }
        }
    }
}
