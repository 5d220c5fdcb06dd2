import Foundation
import Testing
import TestSupport

extension EndToEnd {
/// Records that no program should have to see, between records that must all arrive.
@Suite struct BadInputTests {
    /// Bad records with the reason that each must be given.
    static let bad: [(record: [UInt8], code: String)] = {
        func text(_ string: String) -> [UInt8] { Array(string.utf8) }
        let future = Int(Date().timeIntervalSince1970 * 1_000) + 86_400_000
        return [
            (text(#"{"event_id":"x","type":"click""#), "malformed_json"),
            (text("no json at all"), "malformed_json"),
            (text("[1,2,3]"), "not_an_object"),
            (text(#"{"event_id":"b1","type":"click","item_id":"i1","timestamp":1700000000000}"#), "missing_field"),
            (text(#"{"event_id":"b2","type":"click","user_id":"u1","item_id":"i1"}"#), "missing_field"),
            (text(#"{"event_id":"b3","type":"click","user_id":["u1"],"item_id":"i1","timestamp":1700000000000}"#), "wrong_type"),
            (text(#"{"event_id":"b4","type":"teleport","user_id":"u1","item_id":"i1","timestamp":1700000000000}"#), "unknown_type"),
            (text(#"{"event_id":"b5","type":"click","user_id":"u1","item_id":"i1","timestamp":"1970-01-01T00:00:00Z"}"#), "time_too_early"),
            (text(#"{"event_id":"b6","type":"click","user_id":"u1","item_id":"i1","timestamp":"2100-01-01T00:00:00Z"}"#), "time_in_future"),
            (text(#"{"event_id":"b7","type":"click","user_id":"u1","item_id":"i1","timestamp":\#(future)}"#), "time_in_future"),
            (
                text(#"{"event_id":"b8","type":"purchase","user_id":"u1","item_id":"i1","timestamp":1700000000000,"value":-3.5}"#),
                "out_of_range"
            ),
            (text(#"{"event_id":"b9","type":"click","user_id":"u\u0000","item_id":"i1","timestamp":1700000000000}"#), "control_character"),
            (
                text(#"{"event_id":"b10","type":"click","user_id":""#) + [0xFF, 0xFE]
                    + text(#"","item_id":"i1","timestamp":1700000000000}"#), "invalid_utf8"
            ),
            (
                text(#"{"event_id":"b11","type":"click","user_id":"u1","item_id":"i1","timestamp":1700000000000,"context":"#)
                    + text(String(repeating: "[", count: 400)) + text("}"), "too_deep"
            ),
            (
                text(#"{"event_id":"b12","type":"click","user_id":"u1","item_id":"i1","timestamp":1700000000000,"note":""#)
                    + [UInt8](repeating: 0x61, count: 10_000_000) + text(#""}"#), "too_large"
            ),
        ]
    }()

    @Test("through Kafka each becomes a dead letter with its reason, and every good record around it arrives")
    func throughKafka() throws {
        let bench = try Workbench()
        let (broker, address) = try bench.startBroker(partitions: 2)
        defer { _ = broker.stop() }
        var bytes: [UInt8] = []
        for (number, bad) in Self.bad.enumerated() {
            bytes +=
                Array(
                    #"{"event_id":"g\#(number)","type":"click","user_id":"u1","item_id":"i\#(number)","timestamp":1700000000000}"#.utf8)
                + [0x0A]
            bytes += bad.record + [0x0A]
        }
        let file = try bench.write(bytes: bytes, to: "events.jsonl")
        let program = bench.program(broker: address)
        let produced = try program.run("produce", "--topic", "events", file)
        #expect(produced.status == 0, "\(produced.errors)")
        let ingested = try program.run("ingest", "--until-end", "--json")
        #expect(ingested.status == 0, "\(ingested.errors)")
        #expect(try bench.database.sql("select count(*) from interactions") == "\(Self.bad.count)")
        try expectReasons(in: bench)
        let listed = try program.run("dead-letters", "list", "--json")
        #expect(listed.output.split(separator: "\n").count == Self.bad.count)
        let kept = try bench.database.sql("select max(octet_length(payload)) from dead_letters")
        #expect((Int(kept) ?? .max) <= 65_536, "a dead letter keeps \(kept) bytes")
    }

    @Test("a backfill treats them the same")
    func throughBackfill() throws {
        let bench = try Workbench()
        var bytes: [UInt8] = []
        for (number, bad) in Self.bad.enumerated() {
            bytes += bad.record + [0x0A]
            bytes +=
                Array(
                    #"{"event_id":"g\#(number)","type":"click","user_id":"u1","item_id":"i\#(number)","timestamp":1700000000000}"#.utf8)
                + [0x0A]
        }
        let file = try bench.write(bytes: bytes, to: "events.jsonl")
        let result = try bench.program().run("backfill", "--events", file, "--json")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try bench.database.sql("select count(*) from interactions") == "\(Self.bad.count)")
        try expectReasons(in: bench)
    }

    @Test("an item with 10,000 tags is a dead letter, its neighbours arrive, and a deletion deletes")
    func items() throws {
        let bench = try Workbench()
        let tags = (0..<10_000).map { #""t\#($0)""# }.joined(separator: ",")
        let file = try bench.write(
            [
                #"{"item_id":"i1","title":"One","price":9.5,"currency":"EUR"}"#, #"{"item_id":"i2","tags":[\#(tags)]}"#,
                #"{"item_id":"i3","price":-1}"#, #"{"item_id":"i4","title":"Four","hidden":true}"#,
            ], to: "items.jsonl")
        #expect(try bench.program().run("backfill", "--items", file).status == 0)
        #expect(try bench.database.sql("select string_agg(item_id, ',' order by item_id) from items") == "i1,i4")
        #expect(try bench.database.sql("select string_agg(code, ',' order by code) from dead_letters") == "out_of_range,too_many_elements")
    }

    private func expectReasons(in bench: Workbench) throws {
        let found = try bench.database.sql("select code from dead_letters order by code").split(separator: "\n").map(String.init)
        #expect(found == Self.bad.map(\.code).sorted())
    }
}
}
