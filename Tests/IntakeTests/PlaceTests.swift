import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging
import TestSupport
import Testing

/// A partition that the broker does not have where it was read up to, batches that cannot be stored, and clocks that are off.
@Suite(
    "Where reading goes on", .serialized,
    .enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)), .timeLimit(.minutes(15)))
struct PlaceTests {
    private let database: TestDatabase
    private let broker: EmbeddedBroker
    private let lines = LogLines()
    private var settings: IngestSettings

    init() throws {
        database = try TestDatabase()
        broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t.events", "t.dead"])
        settings = IngestSettings(databaseURL: database.url, clock: { Intakes.wall })
        settings.kafka = KafkaSettings(
            bootstrapServers: broker.bootstrapServers, properties: ["session.timeout.ms": "6000", "heartbeat.interval.ms": "500"])
        settings.group = database.name
        settings.topics = ["t.events": .events]
        settings.deadLetterTopic = "t.dead"
    }

    private func ingest(newCluster: Bool = false, missing: Bool = false) throws -> IngestRun.Totals {
        try IngestRole(
            settings: settings, acceptNewCluster: newCluster, acceptMissingRecords: missing, logger: lines.logger, isStopping: { false }
        ).run(untilEnd: true)
    }

    private func send(_ count: Int, to partition: Int32, named name: String = "i") throws {
        let producer = try StreamProducer(settings.kafka)
        for number in 0..<count {
            let value = #"{"type":"click","user_id":"u","item_id":"\#(name)\#(number)","timestamp":1790000000000}"#
            try producer.produce(topic: "t.events", key: nil, value: Array(value.utf8), partition: partition)
        }
        try producer.flush(timeoutMilliseconds: 10_000)
    }

    private func failure(_ work: () throws -> IngestRun.Totals) -> IntakeError? {
        do {
            _ = try work()
            return nil
        } catch {
            return error as? IntakeError
        }
    }

    private func offsets() throws -> String {
        try database.sql("select string_agg(next_offset::text, ',' order by partition) from stream_offsets")
    }

    @Test("a partition that is shorter than it was read stands still with a sentence; the others go on, and consent reads it anew")
    func shorter() throws {
        try send(4, to: 0)
        try send(4, to: 1)
        #expect(try ingest().stored == 8)
        try database.sql("update stream_offsets set next_offset = 500 where partition = 0")
        try send(3, to: 0, named: "more")
        try send(3, to: 1, named: "more")
        let refused = try #require(failure { try ingest() })
        #expect(
            refused.code == .otherCluster && refused.message.contains("t.events[0]") && refused.message.contains("--accept-new-cluster"))
        #expect(refused.message.contains("offset 500") && refused.message.contains("it has 0 to 7"))
        // The other partition is read, and whoever looks at the service sees why this one is not.
        #expect(try database.sql("select count(*) from interactions") == "11")
        #expect(try offsets() == "500,7")
        #expect(try database.sql("select partition from stream_offsets where halted like '%was made anew%'") == "0")
        let totals = try ingest(newCluster: true)
        // Events without an id are new ones: nothing is taken for a repetition of what stood at the same offset.
        #expect(totals.stored == 7 && totals.rejected == 0 && totals.gaps == 1)
        #expect(try offsets() == "7,7")
        #expect(try database.sql("select count(*) from stream_offsets where halted is not null") == "0")
        #expect(try ingest().records == 0)
    }

    @Test("a topic that was made anew is noticed though it has more records than were read")
    func madeAnew() throws {
        try send(5, to: 0)
        #expect(try ingest().stored == 5)
        // As if the record before the stored offset had been another one.
        try database.sql("update stream_offsets set last_record_time = last_record_time - interval '1 hour' where partition = 0")
        try send(5, to: 0, named: "more")
        let refused = try #require(failure { try ingest() })
        #expect(refused.message.contains("t.events[0]: the topic was made anew") && refused.message.contains("--accept-new-cluster"))
        #expect(try offsets() == "5")
        let totals = try ingest(newCluster: true)
        #expect(totals.stored == 10 && totals.rejected == 0)
        #expect(try ingest().records == 0)
        // A time that fits is no reason to stop, nor is one that is not known.
        try send(2, to: 0, named: "last")
        #expect(try ingest().stored == 2)
        try database.sql("update stream_offsets set last_record_time = null")
        try send(2, to: 0, named: "end")
        #expect(try ingest().stored == 2)
    }

    @Test("records that retention took are named and counted, and consent goes on behind them")
    func retention() throws {
        try send(1, to: 0)
        try send(1, to: 1)
        #expect(try ingest().stored == 2)
        // One partition of the embedded broker keeps 5 MiB: of 30 MB the oldest are dropped.
        var bulky = settings.kafka
        bulky.properties["compression.type"] = "none"
        let producer = try StreamProducer(bulky, mode: .throughput)
        let padding = String(repeating: "p", count: 10_000)
        for number in 0..<3_000 {
            let value = #"{"type":"click","user_id":"u","item_id":"i\#(number)","timestamp":1790000000000,"context":{"p":"\#(padding)"}}"#
            try producer.produce(topic: "t.events", key: nil, value: Array(value.utf8), partition: 0, whenFull: .wait)
        }
        try producer.flush(timeoutMilliseconds: 20_000)
        try send(3, to: 1, named: "more")
        let refused = try #require(failure { try ingest() })
        #expect(refused.message.contains("t.events[0]") && refused.message.contains("--accept-missing-records"))
        #expect(try database.sql("select next_offset from stream_offsets where partition = 1") == "4")
        let totals = try ingest(missing: true)
        #expect(totals.missing > 1_000 && totals.gaps == 1 && totals.records == 3_000 - totals.missing)
        #expect(try database.sql("select missing_records from stream_offsets where partition = 0") == "\(totals.missing)")
        #expect(lines.count(of: "\(totals.missing) records are missing: the next one is 1") > 0, "\(lines.lines)")
        #expect(try offsets() == "3001,4")
        // The other consent covers it, too; and the next start has nothing to say.
        #expect(try ingest().gaps == 0)
    }

    @Test("a batch that cannot be stored for good ends the role at once, although no more records come", arguments: [
        ("alter table interactions rename to elsewhere", "freshet migrate"),
        ("create function no() returns trigger language plpgsql as $$ begin raise insufficient_privilege using message = 'mine'; end $$; "
            + "create trigger mine before insert on interactions execute function no()", "mine"),
    ])
    func cannotBeStored(_ sql: String, _ words: String) throws {
        _ = try ingest()
        try database.sql(sql)
        let stop = Stop(), told = LogLines()
        let role = IngestRole(settings: settings, acceptNewCluster: false, logger: told.logger, isStopping: { stop.isAsked })
        let ended = Outcome()
        let thread = Thread {
            do { ended.set("\(try role.run(untilEnd: false))") } catch { ended.set("\(error)") }
        }
        thread.start()
        #expect(eventually(within: 30) { told.count(of: "partitions taken over") > 0 })
        try send(1, to: 0)
        #expect(eventually(within: 30) { ended.text != nil }, "\(told.lines)")
        #expect(ended.text?.contains(words) == true, "\(ended.text ?? "it goes on")")
        stop.ask()
    }

    @Test("a consumer whose clock is behind, or ahead, says so and takes live events", arguments: [-700, 700] as [Int64])
    func clockOff(_ seconds: Int64) throws {
        var settings = settings
        settings.followsDatabaseClock = true
        settings.clock = { EventTime(milliseconds: Intakes.wall.milliseconds + seconds * 1_000) }
        let now = Intakes.wall.milliseconds
        let producer = try StreamProducer(settings.kafka)
        // One of now, and one that lies ahead of every right clock.
        for (item, time) in [("live", now), ("ahead", now + 600_000)] {
            let value = #"{"type":"click","user_id":"u","item_id":"\#(item)","timestamp":\#(time)}"#
            try producer.produce(topic: "t.events", key: nil, value: Array(value.utf8), partition: 0)
        }
        try producer.flush(timeoutMilliseconds: 10_000)
        let totals = try IngestRole(settings: settings, acceptNewCluster: false, logger: lines.logger, isStopping: { false })
            .run(untilEnd: true)
        #expect(totals.stored == 1 && totals.rejected == 1)
        #expect(try database.sql("select item_id from interactions") == "live")
        #expect(lines.count(of: "700 s \(seconds < 0 ? "behind" : "ahead of") PostgreSQL's") == 1
            || lines.count(of: "699 s \(seconds < 0 ? "behind" : "ahead of") PostgreSQL's") == 1, "\(lines.lines)")
    }

    /// Whether a role should end.
    private final class Stop: @unchecked Sendable {
        private let lock = NSLock()
        private var asked = false
        var isAsked: Bool { lock.withLock { asked } }
        func ask() { lock.withLock { asked = true } }
    }

    /// How a role ended.
    private final class Outcome: @unchecked Sendable {
        private let lock = NSLock()
        private var said: String?
        var text: String? { lock.withLock { said } }
        func set(_ text: String) { lock.withLock { said = text } }
    }
}
