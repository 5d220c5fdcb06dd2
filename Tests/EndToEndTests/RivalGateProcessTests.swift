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
            let program = bench.program(
                broker: nil, ["FRESHET_TRAIN_PRESET": "small", "FRESHET_RULES_EXCLUDE": "[]", "FRESHET_TRAIN_COUNTER": "off"])
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
            #expect(try bench.database.sql("select count(*) from models") == "3", "train.counter: off registers no counter")
            // By force alone.
            EndToEnd.expectFailure(try program.run("models", "promote", "1"), status: 1, saying: "buy it again", "--force")
            #expect(try program.run("models", "promote", "1", "--force").status == 0)
        }

        @Test("where a counter beats the first model it serves itself, answers are personal, and a model that is better takes its place")
        func counter() throws {
            let bench = try Workbench()
            try Self.writePast(into: bench)
            let program = bench.program(broker: nil, ["FRESHET_TRAIN_PRESET": "small", "FRESHET_RULES_EXCLUDE": "[]"])
            try SmallShop.check(program.run("backfill", "--events", "events.jsonl"))
            let first = try program.run(Self.crippled)
            #expect(first.status == 0, "\(first.output) \(first.errors)")
            #expect(first.output.contains(#""version":1,"promoted":false"#) && first.errors.contains("a counter serves"), "\(first.errors)")
            let words = #""counter":{"version":2,"promoted":true,"rival":"buy_again","settings":""#
            #expect(first.output.contains(words), "\(first.output)")
            #expect(try Self.status(of: 1, bench) == "refused" && Self.status(of: 2, bench) == "promoted")
            let listed = try program.run("models")
            for words in ["counter: buy it again (", "This version is a counter"] {
                #expect(listed.output.contains(words), "\(listed.output)")
            }
            let shown = try program.run("models", "show", "2", "--json")
            #expect(shown.output.contains(#""counter": {"#) && shown.output.contains(#""rival": "buy_again""#), "\(shown.output)")
            #expect(try program.run("models", "report", "2", "--output", bench.path("page.html")).status == 0)
            let html = try String(contentsOfFile: bench.path("page.html"), encoding: .utf8)
            #expect(html.contains("a counter: buy it again (") && html.contains("this version, the counter buy it again ("))
            // Everybody's own three items, before what is popular.
            let users = try bench.write([3, 60, 149].map { "u\($0)" }, to: "users.txt")
            let lists = try program.run("recommend", "--users", users, "--n", "3")
            #expect(lists.status == 0, "\(lists.errors)")
            for (line, user) in zip(lists.output.split(separator: "\n"), [3, 60, 149]) {
                let own = try bench.database.sql(
                    "select string_agg(distinct item_id, ',' order by item_id) from interactions where user_id = 'u\(user)'")
                for item in own.split(separator: ",") { #expect(line.contains(#""item_id":"\#(item)""#), "\(own): \(line)") }
            }
            // Trained again just so, the counter that serves is renewed or stays; either way a counter serves.
            _ = try program.run(Self.crippled)
            let serving = try program.run("models").output.split(separator: "\n").first { $0.contains("\tpromoted\t") }
            #expect(serving?.contains("counter: buy it again (") == true, "\(String(describing: serving))")
            // Nothing goes on from a counter: an incremental training is a full one, and what knows what the counter knows takes its place.
            let good = try program.run("train", "--json", "--incremental", "--set", "gate_margin_percent=50")
            #expect(good.status == 0 && good.errors.contains("which learned no order to go on from"), "\(good.output) \(good.errors)")
            #expect(good.output.contains(#""promoted":true"#) && good.output.contains(#""counter":null"#), "\(good.output)")
        }
    }
}
