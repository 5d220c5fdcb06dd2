import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// What users of whom nothing is known are shown where nobody has trained, after an import of old history.
    @Suite struct TrendingProcessTests {
        /// Purchases of 30 items a year ago, item 0 most often over four weeks, item 28 most often on the last day, and ten items that
        /// nobody took.
        private static func writePast(into bench: Workbench) throws {
            let day: Int64 = 86_400_000, year = Int64(Date().timeIntervalSince1970 * 1_000) - 365 * day
            _ = try bench.write(
                (0..<40).map {
                    #"{"item_id":"i\#($0)","categories":["c\#($0)"],"published_at":\#(year + Int64($0) * day),"updated_at":1}"#
                }, to: "items.jsonl")
            var events: [String] = []
            for item in 0..<30 {
                for number in 0..<(31 - item) {
                    let ago = item == 28 ? 1_000 : Int64(number) * 27 * day / Int64(31 - item) + Int64(item) * 1_000, time = year - ago
                    events.append(
                        #"{"event_id":"e\#(item)-\#(number)","type":"purchase","user_id":"u\#(number)","item_id":"i\#(item)","#
                            + #""timestamp":\#(time)}"#)
                }
            }
            _ = try bench.write(events, to: "events.jsonl")
        }

        @Test("the bestsellers in their order, then what is new, as many as the shop has, and no score is 0")
        func oldHistory() throws {
            let bench = try Workbench()
            try Self.writePast(into: bench)
            let (broker, address) = try bench.startBroker()
            defer { _ = broker.stop() }
            let program = bench.program(broker: address)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--events", "events.jsonl"))
            let service = try bench.startService(
                broker: address,
                ["FRESHET_COLD_START_VARIETY": "0", "FRESHET_COLD_START_DIVERSITY": "0", "FRESHET_EXPLORATION_EVERY_SLOTS": "0"])
            let answer = try service.http.send("GET", "/v1/recommendations?user_id=nobody&n=40")
            #expect(answer.status == 200, "\(answer.body)")
            let items = try #require(answer.object["items"] as? [[String: Any]])
            let ids = items.compactMap { $0["item_id"] as? String }, scores = items.compactMap { ($0["score"] as? NSNumber)?.doubleValue }
            #expect(ids == (0..<30).map { "i\($0)" } + (30..<40).reversed().map { "i\($0)" }, "\(ids)")
            #expect(scores.count == 40 && scores.allSatisfy { $0 > 0 }, "\(scores)")
            #expect(zip(scores, scores.dropFirst()).allSatisfy { $1 <= $0 }, "\(scores)")
            #expect(items.filter { $0["reason"] as? String == "trending" }.count == 30)
            #expect(service.role.stop() == 0)
        }
    }
}
