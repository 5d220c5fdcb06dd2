import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// `freshet adapt`: a category that no model was trained on, from its first events to changed answers.
    @Suite struct AdaptTests {
        private static let crafts = ["knots", "sails", "ropes", "paint", "wood", "glass"]
        private static let category = "boats"

        /// Items of six categories and two kinds each; every user likes one kind. Boats are of both kinds.
        private static func items() -> [String] {
            var lines: [String] = []
            for (place, craft) in crafts.enumerated() {
                for number in 0..<20 {
                    let kind = number % 2 == 0 ? "north" : "south"
                    lines.append(
                        #"{"item_id":"\#(craft)\#(number)","title":"\#(craft) \#(kind) \#(number)","#
                            + #""tags":["\#(kind)","t\#(number % 5)"],"categories":["\#(craft)"],"updated_at":\#(EndToEnd.past + place)}"#)
                }
            }
            return lines
        }

        private static func boats() -> [String] {
            (0..<12).map { number in
                let kind = number % 2 == 0 ? "north" : "south"
                return #"{"item_id":"boat\#(number)","title":"boat \#(kind) \#(number)","tags":["\#(kind)"],"#
                    + #""categories":["\#(category)"],"updated_at":\#(EndToEnd.past)}"#
            }
        }

        private static func event(_ number: Int, user: Int, item: String, time: Int) -> String {
            #"{"event_id":"e\#(number)","type":"click","user_id":"u\#(user)","item_id":"\#(item)","timestamp":\#(time)}"#
        }

        private static func history(_ users: Int = 80) -> [String] {
            var lines: [String] = []
            for user in 0..<users {
                for step in 0..<14 {
                    let craft = crafts[(user + step) % crafts.count], number = 2 * ((user * 7 + step * 3) % 10) + user % 2
                    lines.append(event(lines.count, user: user, item: "\(craft)\(number)", time: EndToEnd.past + 60_000 * step))
                }
            }
            return lines
        }

        private static let settings = [
            "FRESHET_TRAIN_PRESET": "small", "FRESHET_TRAIN_EPOCHS": "1", "FRESHET_ADAPTATION_META_STEPS": "40",
            "FRESHET_ADAPTATION_RANK": "4",
            "FRESHET_RULES_EXCLUDE": "seen", "FRESHET_TRAIN_REFUSED_STATUS": "0",
        ]

        private func trained() throws -> Workbench {
            let bench = try Workbench()
            let program = bench.program(Self.settings)
            let items = try bench.write(Self.items(), to: "items.jsonl"), events = try bench.write(Self.history(), to: "events.jsonl")
            try SmallShop.check(program.run("backfill", "--items", items, "--events", events))
            try SmallShop.check(program.run("train", "--set", "holdout=leave-one-out"))
            try SmallShop.check(program.run("models", "promote", "1", "--force"))
            return bench
        }

        private func lines(_ text: String) throws -> [[String: Any]] {
            try text.split(separator: "\n").compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        }

        @Test("waits for five events, adapts once, says what is unknown or trained; answers and batches then carry what was adapted")
        func once() throws {
            let bench = try trained()
            let program = bench.program(Self.settings)
            #expect(try program.run("adapt").output.contains("no category is new"))
            EndToEnd.expectFailure(try program.run("adapt", "--category", "boots"), status: 1, saying: "boots", "spelling")
            EndToEnd.expectFailure(try program.run("adapt", "--category", "sails"), status: 1, saying: "sails", "trained")
            try SmallShop.check(program.run("backfill", "--items", try bench.write(Self.boats(), to: "boats.jsonl")))
            let support = (0..<5).map {
                Self.event(100_000 + $0, user: $0 * 2, item: "boat\($0 * 2)", time: EndToEnd.past + 10_000_000 + $0)
            }
            try SmallShop.check(program.run("backfill", "--events", try bench.write(Array(support.prefix(4)), to: "four.jsonl")))
            let waiting = try lines(program.run("adapt", "--json").output)
            #expect(waiting.count == 1 && waiting[0]["state"] as? String == "waiting" && waiting[0]["events"] as? Int == 4)
            let users = try bench.write(["u1", "u20", "u21"], to: "users.txt"),
                among = try bench.write((0..<12).map { "boat\($0)" }, to: "among.txt")
            let before = try program.run("recommend", "--users", users, "--candidates", among).output

            try SmallShop.check(program.run("backfill", "--events", try bench.write(support, to: "five.jsonl")))
            let adapted = try program.run("adapt", "--json")
            #expect(adapted.status == 0, "\(adapted.errors)")
            let line = try #require(try lines(adapted.output).first)
            #expect(line["category"] as? String == Self.category && line["state"] as? String == "adapted" && line["events"] as? Int == 5)
            #expect((line["held_back_loss"] as? Double)?.isFinite == true && line["held_back_ndcg_at_10"] is Double)
            let again = try lines(program.run("adapt", "--category", Self.category, "--json").output)
            #expect(again.count == 1 && again[0]["state"] as? String == "unchanged")
            #expect(try bench.database.sql("select count(*) from category_adapters") == "1")
            let payload = try bench.database.sql("select checksum from category_adapters")
            _ = try bench.database.sql("delete from category_adapters")
            try SmallShop.check(program.run("adapt"))
            #expect(try bench.database.sql("select checksum from category_adapters") == payload, "the same events gave another adapter")

            let after = try program.run("recommend", "--users", users, "--candidates", among).output
            #expect(before != after)
            for line in try lines(after) { #expect((line["items"] as? [Any])?.count == 12) }
            let few = try program.run("evaluate", "--protocol", "category-few-shot", "--seeds", "1", "--json")
            #expect(few.status == 0, "\(few.errors)")
            let found = try #require(try lines(few.output).first)
            #expect(found["tasks"] as? Int == 30 && found["meta"] is [String: Any] && found["scratch"] is [String: Any])
        }

        @Test("a watch adapts as the fifth event arrives, and a running server answers with it; a new version starts without")
        func watch() throws {
            let bench = try trained()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address, Self.settings)
            let ingest = try program.start("ingest")
            let service = try bench.startService(broker: address, Self.settings)
            #expect(ingest.waitFor("partitions taken over"))
            let watch = try program.start("adapt", "--watch", "--json")
            for (number, line) in Self.boats().enumerated() {
                let fields = line.dropFirst().dropLast().split(separator: ",", maxSplits: 1)[1]
                try service.put(item: "boat\(number)", fields.replacingOccurrences(of: #","updated_at":\#(EndToEnd.past)"#, with: ""))
            }
            func reasons() throws -> Set<String> {
                let answer = try service.http.send("GET", "/v1/recommendations?user_id=u40&n=100")
                let items = answer.object["items"] as? [[String: Any]] ?? []
                return Set(items.filter { ($0["item_id"] as? String)?.hasPrefix("boat") == true }.compactMap { $0["reason"] as? String })
            }
            #expect(try eventually { try reasons() == ["fresh"] })
            for user in 0..<5 { _ = try service.post("click", user: "u\(user * 2)", item: "boat\(user * 2)") }
            #expect(watch.waitFor(#""state":"adapted""#))
            #expect(try eventually { try reasons() == ["adapted"] })
            #expect(watch.stop() == 0)

            // Another version has no adapters of its own.
            try SmallShop.check(program.run("train", "--set", "holdout=none"))
            #expect(
                try eventually { try bench.database.sql("select count(*) from models where status = 'promoted' and version = 2") == "1" })
            #expect(try eventually(within: 20) { try !reasons().contains("adapted") })
        }
    }
}
