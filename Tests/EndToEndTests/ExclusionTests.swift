import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// `rules.exclude: auto`, from events to lists: what people take again is shown again.
    @Suite struct ExclusionTests {
        private static let users = 240

        /// Purchases of ten days by everybody; `item` says what somebody buys on a day.
        private static func shop(_ item: (_ user: Int, _ day: Int) -> Int) throws -> (bench: Workbench, program: Program) {
            let bench = try Workbench(), program = bench.program(broker: nil, SmallShop.training)
            let start = (Int(Date().timeIntervalSince1970) - 11 * 86_400) * 1_000
            let events = (0..<users).flatMap { user in
                (0..<10).map { day in
                    #"{"event_id":"\#(user)-\#(day)","type":"purchase","user_id":"u\#(user)","item_id":"i\#(item(user, day))","#
                        + #""timestamp":\#(start + day * 86_400_000 + user * 60_000)}"#
                }
            }
            let items = (0..<60).map { #"{"item_id":"i\#($0)","title":"Thing \#($0)","timestamp":\#(start)}"# }
            _ = try bench.write(items, to: "items.jsonl")
            _ = try bench.write(events, to: "events.jsonl")
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--events", "events.jsonl"))
            return (bench, program)
        }

        /// How many of the first five of some users' lists they had bought before.
        private static func repeats(_ bench: Workbench, _ program: Program, _ more: String...) throws -> Int {
            let users = try bench.write((0..<20).map { "u\($0)" }, to: "users.txt")
            let result = try program.run(["recommend", "--users", users, "--n", "5"] + more)
            #expect(result.status == 0, "\(result.errors)")
            return try result.output.split(separator: "\n").reduce(0) { sum, line in
                let object = try Self.object(String(line))
                let user = object["user_id"] as? String ?? ""
                let had = try bench.database.sql("select distinct item_id from interactions where user_id = '\(user)'")
                    .split(separator: "\n")
                let items = (object["items"] as? [[String: Any]] ?? []).compactMap { $0["item_id"] as? String }
                return sum + Set(items).intersection(had.map(String.init)).count
            }
        }

        private static func object(_ text: String) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
        }

        private static func exclusion(_ bench: Workbench) throws -> [String: Any] {
            let metrics = try bench.database.sql("select metrics from models order by version desc limit 1")
            return try Self.object(metrics)["exclusion"] as? [String: Any] ?? [:]
        }

        @Test("a shop where people buy the same again shows it again, and says what a set rule would cost")
        func repeating() throws {
            let (bench, program) = try Self.shop { user, day in day % 4 == 3 ? (user * 7 + day) % 60 : (user * 2 + day % 2) % 60 }
            try SmallShop.check(program.run("train"))
            let found = try Self.exclusion(bench)
            #expect(found["setting"] as? String == "auto" && found["types"] as? [String] == [], "\(found)")
            #expect(found["removed"] as? Double == 0, "\(found)")
            #expect(try Self.repeats(bench, program) >= 20)
            #expect(try Self.repeats(bench, program, "--set", "rules.exclude=purchased") == 0)
            // A server that is told to keep it out does, and doctor says what for.
            let doctor = try program.run("doctor", "--set", "rules.exclude=purchased")
            #expect(doctor.output.contains("rules.exclude keeps out what was bought"), "\(doctor.output)")
            #expect(doctor.output.contains("% of what users bought of late"))
            #expect(try !program.run("doctor").output.contains("rules.exclude keeps out"))
            // A training that is told to is judged by all that people bought.
            let fixed = try program.run("train", "--set", "rules.exclude=purchased")
            #expect(fixed.errors.contains("rules.exclude: [purchased] removes"), "\(fixed.errors)")
            let cost = try Self.exclusion(bench)
            #expect(cost["removed"] as? Double ?? 0 > 0.5 && cost["without"] is [String: Any], "\(cost)")
            #expect(cost["ndcg_at_10"] as? Double ?? 1 < cost["ndcg_at_10_without"] as? Double ?? 0)
            let page = try program.run("models", "report", "2", "--output", bench.path("report.html"))
            #expect(page.status == 0, "\(page.errors)")
        }

        @Test("a shop where nobody takes a thing twice shows nothing twice")
        func films() throws {
            let (bench, program) = try Self.shop { user, day in (user * 7 + day * (1 + user % 5)) % 60 }
            try SmallShop.check(program.run("train"))
            let found = try Self.exclusion(bench)
            #expect(found["types"] as? [String] == ["click", "add_to_cart", "purchase"], "\(found)")
            #expect(try Self.repeats(bench, program) == 0)
            #expect(try Self.repeats(bench, program, "--set", "rules.exclude=[]") > 0)
        }
    }
}
