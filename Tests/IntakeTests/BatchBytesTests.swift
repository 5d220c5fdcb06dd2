import FeatureStore
import Features
import Intake
import Interactions
import Testing

/// A batch is bounded by what it takes in memory, not by records alone.
@Suite("Bytes of a batch")
struct BatchBytesTests {
    private func intake(historyLimitEvents: Int = 200) -> RecordIntake {
        RecordIntake(rules: DecodingRules(), featureRules: FeatureRules(historyLimitEvents: historyLimitEvents))
    }

    @Test("malformed lines fill a batch by their bytes")
    func malformed() {
        var intake = intake()
        let line = "{\"broken\": \"" + String(repeating: "x", count: 66 << 10)
        while !intake.isFull(batchRecords: 200_000) { intake.add(.events, value: line) }
        let records = intake.records, kept = intake.batch.rejections.reduce(0) { $0 + $1.payload.count }
        #expect(records <= RecordIntake.batchBytesLimit / RecordIntake.rejectedPayloadBytes + 1)
        #expect(kept <= RecordIntake.batchBytesLimit + RecordIntake.rejectedPayloadBytes)
        _ = intake.take(offsets: [])
        let bytes = intake.bytes, isFull = intake.isFull(batchRecords: 1)
        #expect(bytes == 0 && !isFull)
    }

    @Test("a slate counts by its items, which are an event each")
    func slates() {
        var intake = intake()
        let items = (0..<1_000).map { "{\"item_id\":\"i\($0)\"}" }.joined(separator: ",")
        while !intake.isFull(batchRecords: 200_000) {
            intake.add(
                .impressions,
                value: "{\"request_id\":\"r\(intake.records)\",\"user_id\":\"u\",\"timestamp\":1795248000000,\"items\":[\(items)]}")
            guard intake.batch.rejections.isEmpty else { break }
        }
        let refusal = intake.batch.rejections.first?.rejection.detail, events = intake.batch.interactions.count
        #expect(refusal == nil)
        #expect(events > 10_000 && events <= 140_000)
    }

    @Test("small records count by what they take beside their bytes", arguments: [RecordKind.items, .users, .events])
    func small(kind: RecordKind) {
        var intake = intake(historyLimitEvents: 1)
        while !intake.isFull(batchRecords: 2_000_000) {
            let n = intake.records
            switch kind {
            case .items: intake.add(.items, value: "{\"item_id\":\"\(n)\"}")
            case .users: intake.add(.users, value: "{\"user_id\":\"\(n)\"}")
            default: intake.add(.events, value: "{\"type\":\"click\",\"user_id\":\"u\",\"item_id\":\"i\",\"timestamp\":1795248000000}")
            }
        }
        let records = intake.records, refused = intake.batch.rejections.count
        #expect(records <= 140_000 && refused == 0)
    }

    @Test("where stored histories are short a batch has more users, up to what full histories would take; where they are long it has fewer")
    func expectedHistories() {
        func users(afterEntries entries: Int) -> Int {
            var intake = intake(), summary = IngestSummary()
            (summary.userRows, summary.historyEntries) = (20_000, 20_000 * entries)
            for _ in 0..<10 { intake.note(summary) }
            while !intake.isFull(batchRecords: 200_000) {
                let n = intake.records
                intake.add(.events, value: "{\"type\":\"click\",\"user_id\":\"u\(n)\",\"item_id\":\"i\",\"timestamp\":1795248000000}")
            }
            return intake.records
        }
        let short = users(afterEntries: 3), half = users(afterEntries: 60), long = users(afterEntries: 200)
        #expect(short == 60_000)
        #expect(half > 25_000 && half < 40_000)
        #expect(long == 20_000)
    }

    @Test("users with long histories make a batch full: a row each is read and written whole")
    func histories() {
        for (limit, most) in [(200, 20_000), (2_000, 2_000)] {
            var intake = intake(historyLimitEvents: limit)
            while !intake.isFull(batchRecords: 200_000) {
                let n = intake.records
                intake.add(.events, value: "{\"type\":\"click\",\"user_id\":\"u\(n)\",\"item_id\":\"i\",\"timestamp\":1795248000000}")
            }
            let records = intake.records
            #expect(records == most)
        }
    }
}
