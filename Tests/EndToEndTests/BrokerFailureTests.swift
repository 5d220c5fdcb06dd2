import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Failures of the embedded broker: what it says, what goes on, and what the others are told.
    @Suite struct BrokerFailureTests {
        @Test("a broker that fails begins again on its port, empty, and says so; ingest refuses it until it is told")
        func beginsAgain() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address)
            let event = #"{"event_id":"e1","type":"click","user_id":"u1","item_id":"i1","timestamp":\#(EndToEnd.past)}"#
            let file = try bench.write([event], to: "e.jsonl")
            #expect(try program.run("produce", "--topic", "events", file).status == 0)
            #expect(try program.run("ingest", "--until-end").status == 0)
            let reader = try program.start("ingest")
            #expect(reader.waitFor("partitions taken over"), "\(reader.log)")
            // Members of one group that agree on no protocol: an assertion of the mock cluster, once their group has formed.
            let members = try ["range", "roundrobin"].map { name in
                let member = try RawMember(address, group: "disagreeing")
                try member.join(as: "", protocol: name)
                return member
            }
            #expect(broker.waitFor("as another, empty cluster"), "\(broker.log)")
            withExtendedLifetime(members) {}
            #expect(broker.isRunning)
            #expect(broker.log.contains("--accept-new-cluster"), "\(broker.log)")
            #expect(reader.ended(within: 30) == 1, "\(reader.log)")
            for words in ["--accept-new-cluster", "events without one count again"] {
                #expect(reader.log.contains(words), "\(reader.log)")
            }
            #expect(try eventually { try program.run("produce", "--topic", "events", file).status == 0 })
            let refused = try program.run("ingest", "--until-end")
            EndToEnd.expectFailure(refused, status: 1, saying: "--accept-new-cluster")
            #expect(try program.run("ingest", "--until-end", "--accept-new-cluster").status == 0)
            #expect(try bench.database.sql("select count(*) from interactions") == "1")
            #expect(broker.stop() == 0, "\(broker.log)")
        }

        @Test("topics of other programs are named with their partitions, and what is no topic is refused")
        func namedTopics() throws {
            let bench = try Workbench(migrated: false)
            for wrong in ["a:b", ":4", "a:0", "a b"] {
                EndToEnd.expectFailure(
                    try bench.program().run("broker", "--port", "0", "--topic", wrong, limit: 20), status: 64, saying: "--topic")
            }
        }

        @Test("a broker that belongs to another process outlives the signals of its terminal and ends with that process")
        func endsWithInput() throws {
            let result = try Workbench(migrated: false).program().run("broker", "--port", "0", "--ends-with-input", limit: 20)
            #expect(result.status == 0 && !result.wasKilled, "\(result.errors)")
            #expect(result.output.hasPrefix("127.0.0.1:"), "\(result.output)")
        }
    }

    /// `ops/servers`, whose broker is another one at every start.
    @Suite struct ServersTests {
        @Test("a kept folder with a new broker says so, a broker that ends takes nothing with it, and topics are named by a variable")
        func keptFolder() throws {
            let bench = try Workbench(migrated: false)
            let folder = bench.path("servers")
            defer { _ = try? Scripts.run(["ops/servers", "remove", folder], in: bench.directory) }
            func start() throws -> (program: Program, said: String) {
                let result = try Scripts.run(
                    ["ops/servers", "start", folder], in: bench.directory,
                    [
                        "FRESHET_BINARY": Program.path, "FRESHET_BROKER_PARTITIONS": "8",
                        "FRESHET_BROKER_TOPICS": "peer.events:96 orders:3",
                    ])
                #expect(result.status == 0, "\(result.errors)")
                var settings: [String: String] = [:]
                for word in result.output.split(whereSeparator: \.isWhitespace).dropFirst() {
                    let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
                    if pair.count == 2 { settings[pair[0]] = pair[1] }
                }
                return (bench.program().with(settings), result.errors)
            }
            let (program, said) = try start()
            #expect(!said.contains("--accept-new-cluster"), "\(said)")
            let event = #"{"event_id":"e1","type":"click","user_id":"u1","item_id":"i1","timestamp":\#(EndToEnd.past)}"#
            let file = try bench.write([event], to: "e.jsonl")
            #expect(try program.run("migrate").status == 0)
            #expect(try program.run("produce", "--topic", "events", file).status == 0)
            #expect(try program.run("ingest", "--until-end").status == 0)

            // The broker's process alone: PostgreSQL goes on, and another broker takes the port.
            let port = try #require(program.environment["FRESHET_KAFKA_BOOTSTRAP_SERVERS"]?.split(separator: ":").last)
            let broker = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.first { id in
                let words = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") ?? Data()
                return String(decoding: words, as: UTF8.self).contains("freshet\0broker\0--port\0\(port)\0")
            }
            #expect(kill(try #require(broker), SIGKILL) == 0)
            let log = URL(fileURLWithPath: folder + "/supervisor.log")
            #expect(try eventually(within: 20) { try String(contentsOf: log, encoding: .utf8).contains("takes its place") })
            #expect(try eventually(within: 20) { try program.run("produce", "--topic", "events", file).status == 0 })
            EndToEnd.expectFailure(try program.run("ingest", "--until-end"), status: 1, saying: "--accept-new-cluster")

            #expect(try Scripts.run(["ops/servers", "stop", folder], in: bench.directory).status == 0)
            let again = try start()
            #expect(again.said.contains("--accept-new-cluster") && again.said.contains("ops/servers remove"), "\(again.said)")
            #expect(try again.program.run("ingest", "--until-end", "--accept-new-cluster").status == 0)
        }
    }

    /// Measurements without what they measure: each says what is missing instead of waiting for it.
    @Suite struct BenchReadinessTests {
        @Test("a bench whose service is not there says so at once")
        func noService() throws {
            let bench = try Workbench(migrated: false)
            let items = try bench.write(["i1"], to: "items.txt")
            let url = "http://127.0.0.1:1"
            for arguments in [
                ["freshness", "--items", items], ["fresh-items", "--items", items], ["adapt"], ["churn"], ["serve"],
            ] {
                let result = try bench.program().run(["bench"] + arguments + ["--url", url], limit: 30)
                EndToEnd.expectFailure(result, status: 1, saying: url, "freshet serve", "--url")
            }
        }

        @Test("a bench whose service has no consumer, or no model, says so at once")
        func noIngest() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let service = try bench.startService(broker: address)
            let users = try bench.write((0..<100).map { "u\($0)" }, to: "users.txt")
            let items = try bench.write((0..<300).map { "i\($0)" }, to: "items.txt")
            let common = ["--url", "http://127.0.0.1:\(service.http.port)", "--users", users]
            let program = bench.program(broker: address, SmallShop.training)
            for arguments in [["freshness", "--items", items], ["fresh-items", "--items", items], ["adapt"]] {
                EndToEnd.expectFailure(
                    try program.run(["bench"] + arguments + common, limit: 60), status: 1, saying: "no model", "freshet train")
            }
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train", "--set", "holdout=none"))
            #expect(try eventually(within: 20) { try service.recommendations(user: "u1").modelVersion != nil })
            for arguments in [["freshness", "--items", items], ["fresh-items", "--items", items], ["adapt"], ["churn"]] {
                EndToEnd.expectFailure(
                    try program.run(["bench"] + arguments + common, limit: 60), status: 1, saying: "freshet ingest")
            }
        }
    }
}
