import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// What `gate.rivals` lets pass, of a shop where everybody buys again what they bought.
    @Suite struct RivalGateProcessTests {
        /// 150 users with three of 60 items each, which they take in turn for 14 days.
        private static func writePast(into bench: Workbench) throws {
            var numbers = SeededNumbers(state: 5), events: [String] = []
            let now = Int64(Date().timeIntervalSince1970 * 1_000), day: Int64 = 86_400_000
            for user in 0..<150 {
                let own = (0..<60).shuffled(using: &numbers).prefix(3)
                for place in 0..<14 {
                    let item = own[place % 3], time = now - Int64(15 - place) * day + Int64(user) * 60_000
                    events.append(
                        #"{"event_id":"e\#(events.count)","type":"purchase","user_id":"u\#(user)","item_id":"i\#(item)","#
                            + #""timestamp":\#(time)}"#)
                }
            }
            _ = try bench.write(events, to: "events.jsonl")
        }

        /// Towers that learn nothing and nothing else to rank by.
        private static let crippled = [
            "train", "--json", "--set", "learning_rate=0.000001", "--set", "table_learning_rate=0.000001", "--set", "epochs=1",
            "--set", "dimension=8", "--set", "ranking.blend=off", "--set", "ranking.counters=off",
            "--set", "content.channel=off", "--set", "objectives.heads=off",
        ]

        private static func status(of version: Int, _ bench: Workbench) throws -> String {
            try bench.database.sql("select status from models where version = \(version)")
        }

        @Test("a first model that buying again beats is not promoted, one that knows what it knows is, and warn lets anything pass")
        func refusedAndPromoted() throws {
            let bench = try Workbench()
            try Self.writePast(into: bench)
            let program = bench.program(broker: nil, ["FRESHET_TRAIN_PRESET": "small", "FRESHET_RULES_EXCLUDE": "[]"])
            try SmallShop.check(program.run("backfill", "--events", "events.jsonl"))
            let refused = try program.run(Self.crippled)
            #expect(refused.status == 3 && refused.output.contains(#""promoted":false"#), "\(refused.output) \(refused.errors)")
            let words = [
                "buy it again (", "has NDCG@10 ", ", the model 0.", "difference 0.", "look at rules.exclude", "Better, too: EASE (",
            ]
            for word in words {
                #expect(refused.output.contains(word) && refused.errors.contains(word), "\(word): \(refused.output) \(refused.errors)")
            }
            #expect(refused.output.contains(#""rivals":[{"rival":"popularity","questions":"#), "\(refused.output)")
            #expect(try Self.status(of: 1, bench) == "refused")

            let warned = try program.run(Self.crippled + ["--set", "gate.rivals=warn", "--set", "gate_margin_percent=50"])
            #expect(warned.status == 0 && warned.errors.contains("a counter is better than this model"), "\(warned.errors)")
            #expect(try Self.status(of: 2, bench) == "promoted")
            let page = try program.run("models", "report", "2", "--output", bench.path("page.html"))
            #expect(page.status == 0, "\(page.errors)")
            let html = try String(contentsOfFile: bench.path("page.html"), encoding: .utf8)
            #expect(html.contains("Counters") && html.contains("<td>buy it again</td>") && html.contains("gate.rivals: warn lets it pass"))

            let good = try program.run("train", "--json")
            #expect(good.status == 0 && good.output.contains(#""promoted":true"#), "\(good.output) \(good.errors)")
            let sentences = ["At least as good as every counter: ", "No counter is better by more than chance: "]
            #expect(sentences.contains { good.output.contains($0) }, "\(good.output)")
            #expect(try Self.status(of: 3, bench) == "promoted")
            // By force alone.
            EndToEnd.expectFailure(try program.run("models", "promote", "1"), status: 1, saying: "buy it again", "--force")
            #expect(try program.run("models", "promote", "1", "--force").status == 0)
        }
    }
}
