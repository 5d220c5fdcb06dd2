import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// `rules.repeats_percent`, `rules.discoveries_percent` and `rules.new_items_percent`, from the configuration to lists and report.
    @Suite struct ListSharesTests {
        private static let users = 120, days = 12

        /// Purchases by everybody of four things of their own category again and again, and of one of another now and then.
        private static func shop() throws -> Workbench {
            let bench = try Workbench(), start = (Int(Date().timeIntervalSince1970) - 13 * 86_400) * 1_000
            let events = (0..<users).flatMap { user in
                (0..<days).map { day in
                    let category = day % 6 == 5 ? (user + day) % 6 : user % 6
                    let item = category + 6 * (day % 6 == 5 ? (user + day) % 15 : (user / 6 + day % 4) % 15)
                    return #"{"event_id":"\#(user)-\#(day)","type":"purchase","user_id":"u\#(user)","item_id":"i\#(item)","#
                        + #""timestamp":\#(start + day * 86_400_000 + user * 60_000)}"#
                }
            }
            let items = (0..<90).map { #"{"item_id":"i\#($0)","title":"Thing \#($0)","categories":["c\#($0 % 6)"],"updated_at":1}"# }
            _ = try bench.write(items, to: "items.jsonl")
            _ = try bench.write(events, to: "events.jsonl")
            try SmallShop.check(bench.program(broker: nil).run("backfill", "--items", "items.jsonl", "--events", "events.jsonl"))
            return bench
        }

        /// What a user had, and of which categories; what was only shown is not had.
        private static func past(_ bench: Workbench, _ user: String) throws -> (items: Set<String>, categories: Set<Int>) {
            let rows = try bench.database.sql("select distinct item_id from interactions where user_id = '\(user)' and type > 0")
            let items = Set(rows.split(separator: "\n").map(String.init))
            return (items, Set(items.compactMap { Int($0.dropFirst()) }.map { $0 % 6 }))
        }

        /// Whether every beginning of a list has at most 20 % repeats, at least 60 % discoveries and 10 % new items, as whole items allow.
        private static func holds(_ list: [String], _ past: (items: Set<String>, categories: Set<Int>)) -> Bool {
            (1...list.count).allSatisfy { count in
                let first = list.prefix(count), others = first.filter { !past.items.contains($0) }
                let repeats = count - others.count, new = others.count { $0.hasPrefix("n") }
                let found = others.count { item in
                    !item.hasPrefix("n") && !(Int(item.dropFirst()).map { past.categories.contains($0 % 6) } ?? true)
                }
                return repeats <= (count * 20 + 99) / 100 && found >= count * 60 / 100 && new >= count / 10
                    && new <= (count * 10 + 99) / 100
            }
        }

        private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

        private static let shares = [
            "FRESHET_RULES_REPEATS_PERCENT": "0-20", "FRESHET_RULES_DISCOVERIES_PERCENT": "60-100",
            "FRESHET_RULES_NEW_ITEMS_PERCENT": "10-10",
        ]

        @Test("requests and batches keep the shares, a training says what they cost, and what cannot be is refused")
        func shares() throws {
            let bench = try Self.shop()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            var settings = SmallShop.training
            settings["FRESHET_RULES_EXCLUDE"] = "[]"
            let plain = bench.program(broker: address, settings), program = plain.with(Self.shares)
            let refused = try program.run("train", "--set", "rules.discoveries_percent=95-100")
            #expect(refused.status == 64 && refused.errors.contains("105 in all"), "\(refused.errors)")
            try SmallShop.check(program.run("train"))
            let metrics = try bench.database.sql("select metrics from models order by version desc limit 1")
            let record = try JSONSerialization.jsonObject(with: Data(metrics.utf8)) as? [String: Any] ?? [:]
            let told = record["list_shares"] as? [String: Any] ?? [:], lists = told["top_tens"] as? [String: Any] ?? [:]
            #expect(told["repeats_percent"] as? String == "0-20" && told["NDCG@10_without"] is Double, "\(told)")
            #expect(lists["repeat_share"] as? Double ?? 1 <= 0.2 && lists["discovery_share"] as? Double ?? 0 >= 0.6, "\(lists)")
            let own = (record["model"] as? [String: Any])?["top_tens"] as? [String: Any] ?? [:]
            #expect(own["discovery_share"] as? Double ?? 1 < 0.5, "\(own)")
            try SmallShop.check(program.run("models", "report", "1", "--output", bench.path("report.html")))
            let page = try String(contentsOfFile: bench.path("report.html"), encoding: .utf8)
            #expect(page.contains("this model, with the shares that are set") && page.contains("rules.repeats_percent: 0-20"))

            let ingest = try plain.start("ingest")
            defer { _ = ingest.stop() }
            let service = try bench.startService(broker: address, settings.merging(Self.shares) { $1 })
            defer { _ = service.role.stop() }
            for item in 0..<8 { try service.put(item: "n\(item)", #""title":"New \#(item)","categories":["c\#(item % 6)"]"#) }
            let asked = ["u1", "u2", "u33", "u119"]
            for user in asked {
                for count in [1, 10, 20] {
                    let past = try Self.past(bench, user)
                    let list = try service.recommendations(user: user, n: count).items
                    #expect(list.count == count && Self.holds(list, past), "\(user): \(list)")
                    // What was clicked is had from then on.
                    let clicked = try service.http.send(
                        "POST", "/v1/events?wait=true",
                        body: #"{"type":"click","user_id":"\#(user)","item_id":"\#(list[count / 2])","timestamp":\#(Self.now)}"#)
                    #expect(clicked.status == 202, "\(clicked.body)")
                }
            }
            let words = try service.http.send("GET", "/v1/recommendations?user_id=u2&n=10&explain=true").body
            #expect(words.contains("here by the shop's share of discoveries"), "\(words)")
            let stranger = try service.recommendations(user: "nobody", n: 10)
            #expect(stranger.items.count == 10 && stranger.items.count { $0.hasPrefix("n") } == 1, "\(stranger)")
            #expect(try service.http.send("GET", "/v1/recommendations?user_id=u1&category=none").object["items"] as? [String] == [])

            let users = try bench.write(asked, to: "users.txt")
            let batch = try program.run("recommend", "--users", users, "--n", "20")
            #expect(batch.status == 0, "\(batch.errors)")
            for line in batch.output.split(separator: "\n") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
                let items = (object["items"] as? [[String: Any]] ?? []).compactMap { $0["item_id"] as? String }
                let past = try Self.past(bench, object["user_id"] as? String ?? "")
                #expect(items.count == 20 && Self.holds(items, past), "\(items)")
            }
        }
    }
}
