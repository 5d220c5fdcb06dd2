import Foundation
import Testing
import TestSupport

extension EndToEnd {
/// The whole way from files through a real broker into a real database, with processes that die in the middle.
@Suite struct ExactlyOnceProcessTests {
    static let events = isSoak ? 200_000 : 30_000

    /// Clicks and purchases of a few hundred users, some of them sent twice under the same id.
    static func lines(_ count: Int) -> [String] {
        (0..<count).map { number in
            let original = number % 97 == 96 ? number - 48 : number
            let buys = original % 11 == 0
            let value = buys ? #","value":\#(original % 90 + 1).\#(original % 9)5,"currency":"EUR","quantity":\#(original % 3 + 1)"# : ""
            return #"{"event_id":"e\#(original)","type":"\#(buys ? "purchase" : "click")","user_id":"u\#(original % 499)","#
                + #""item_id":"i\#(original * 7 % 311)","timestamp":\#(past + original * 1_000)\#(value),"context":{"device":"phone"}}"#
        }
    }

    @Test("a consumer that is killed again and again leaves the same tables as one that is left alone")
    func killedConsumer() throws {
        let bench = try Workbench(), calm = try Workbench()
        let file = try bench.write(Self.lines(Self.events), to: "events.jsonl")
        let (broker, address) = try bench.startBroker(partitions: 16)
        defer { _ = broker.stop() }
        let settings = ["FRESHET_INGEST_BATCH_RECORDS": "700"]
        #expect(try bench.program(broker: address).run("produce", "--topic", "events", file).status == 0)
        let alone = try calm.program(broker: address, settings).run("ingest", "--until-end", "--json")
        #expect(alone.status == 0, "\(alone.errors)")

        let program = bench.program(broker: address, settings)
        var numbers = SeededNumbers(state: 11)
        for _ in 0..<(isSoak ? 25 : 2) {
            let role = try program.start("ingest")
            // In the middle of its work, somewhere in a batch.
            let before = try bench.database.sql("select count(*) from interactions")
            #expect(
                try eventually(within: 60) { try bench.database.sql("select count(*) > \(before) + 700 from interactions") == "t" },
                "\(role.log)")
            Thread.sleep(forTimeInterval: Double.random(in: 0...0.02, using: &numbers))
            role.killNow()
        }
        let finish = try program.run("ingest", "--until-end", "--json", limit: 240)
        #expect(finish.status == 0, "\(finish.errors)")
        let left = try calm.database.content(), right = try bench.database.content()
        for (table, content) in left {
            // The values are megabytes: only whether they are equal is for the report.
            let same = content == right[table]
            #expect(same, "table \(table) differs")
        }
        let stored = try bench.database.sql("select count(*) from interactions")
        #expect(Int(stored) == Set(Self.lines(Self.events)).count)

        // Producing everything again changes nothing but the offsets.
        let before = try bench.database.sql("select md5(string_agg(t::text, ';' order by user_id)) from user_features t")
        #expect(try program.run("produce", "--topic", "events", file).status == 0)
        #expect(try program.run("ingest", "--until-end", limit: 240).status == 0)
        #expect(try bench.database.sql("select count(*) from interactions") == stored)
        #expect(try bench.database.sql("select md5(string_agg(t::text, ';' order by user_id)) from user_features t") == before)
    }

    @Test("a consumer that slept through its session while another took over counts nothing twice")
    func sleepingConsumer() throws {
        let bench = try Workbench()
        let lines = Self.lines(isSoak ? 200_000 : 20_000)
        let file = try bench.write(lines, to: "events.jsonl")
        let (broker, address) = try bench.startBroker(partitions: 8)
        defer { broker.stop() }
        let program = bench.program(broker: address, ["FRESHET_INGEST_BATCH_RECORDS": "300"])
        let sleeper = try program.start("ingest")
        #expect(sleeper.waitFor("partitions taken over"), "\(sleeper.log)")
        let producer = try program.start("produce", "--topic", "events", file)
        // In the middle of its work: it holds a batch, and its offsets.
        #expect(try eventually { try bench.database.sql("select count(*) > 300 from interactions") == "t" })
        sleeper.send(SIGSTOP)
        #expect(producer.ended(within: 60) == 0, "\(producer.log)")
        let other = try program.start("ingest")
        let expected = "\(Set(lines).count)"
        // Its session is 6 s; the group forms anew after that.
        #expect(try eventually(within: 60) { try bench.database.sql("select count(*) from interactions") == expected }, "\(other.log)")
        sleeper.send(SIGCONT)
        #expect(try program.run("produce", "--topic", "events", file).status == 0)
        let total = "select sum(next_offset) from stream_offsets where topic = 'freshet.events'"
        #expect(try eventually(within: 60) { try bench.database.sql(total) == "\(lines.count * 2)" }, "\(sleeper.log)")
        #expect(try bench.database.sql("select count(*) from interactions") == expected)
        #expect(try bench.database.sql("select sum(clicks + purchases) from user_features") == expected)
        #expect(try bench.database.sql("select sum(clicks + purchases) from item_features") == expected)
        #expect(sleeper.isRunning && other.isRunning, "\(sleeper.log)\(other.log)")
        #expect(sleeper.stop() == 0 && other.stop() == 0)
    }

    @Test("a broker that restarts empty is recognised and named, and accepted on request")
    func restartedBroker() throws {
        let bench = try Workbench()
        let lines = Self.lines(2_000)
        let file = try bench.write(lines, to: "events.jsonl")
        let (first, address) = try bench.startBroker()
        let program = bench.program(broker: address)
        #expect(try program.run("produce", "--topic", "events", file).status == 0)
        #expect(try program.run("ingest", "--until-end").status == 0)
        _ = first.stop()
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        let (second, _) = try bench.startBroker(port: port)
        defer { _ = second.stop() }
        #expect(try program.run("produce", "--topic", "events", file).status == 0)
        let refused = try program.run("ingest", "--until-end")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("--accept-new-cluster"), "\(refused.errors)")
        let accepted = try program.run("ingest", "--until-end", "--accept-new-cluster", "--json")
        #expect(accepted.status == 0, "\(accepted.errors)")
        #expect(try bench.database.sql("select count(*) from interactions") == "\(Set(lines).count)")
    }

    @Test("a backfill that is killed goes on where it was, and a second one changes nothing")
    func killedBackfill() throws {
        let bench = try Workbench(), calm = try Workbench()
        let lines = Self.lines(Self.events)
        let file = try bench.write(lines, to: "events.jsonl")
        let settings = ["FRESHET_INGEST_BATCH_RECORDS": "500"]
        #expect(try calm.program(broker: nil, settings).run("backfill", "--events", file).status == 0)
        let program = bench.program(broker: nil, settings)
        for delay in [0.15, 0.3, 0.2] {
            let role = try program.start("backfill", "--events", file)
            Thread.sleep(forTimeInterval: delay)
            role.killNow()
        }
        let finish = try program.run("backfill", "--events", file, "--json")
        #expect(finish.status == 0, "\(finish.errors)")
        let left = try calm.database.content(), right = try bench.database.content()
        for table in ["interactions", "user_features", "item_features", "item_revenue"] {
            let same = left[table] == right[table]
            #expect(same, "table \(table) differs")
        }
        let again = try program.run("backfill", "--events", file, "--json")
        #expect(again.output.contains(#""stored":0"#), "\(again.output)")
    }
}
}
