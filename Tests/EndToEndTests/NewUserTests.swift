import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Users of whom only attributes, context or a session are known, in a shop where the region decides taste.
    @Suite struct NewUserTests {
        /// 60 items, of which the even ones please people of the region `n` and the odd ones those of `s`; 200 users with 12 events each.
        private static func writePast(into bench: Workbench) throws {
            var numbers = SeededNumbers(state: 11)
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            _ = try bench.write(
                (0..<60).map { #"{"item_id":"i\#($0)","title":"Thing \#($0)","categories":["c\#($0 / 2 % 5)"],"updated_at":1}"# },
                to: "items.jsonl")
            _ = try bench.write(
                (0..<200).map { #"{"user_id":"u\#($0)","attributes":{"region":"\#($0 % 2 == 0 ? "n" : "s")"},"updated_at":1}"# },
                to: "users.jsonl")
            var events: [String] = []
            for user in 0..<200 {
                var taken = Set<Int>()
                for place in 0..<12 {
                    var item = 0
                    repeat {
                        let isOwn = Int.random(in: 0..<10, using: &numbers) > 0
                        // Squared: some are more popular than others.
                        let rank = Int(pow(Double.random(in: 0..<1, using: &numbers), 2) * 30)
                        item = 2 * rank + (isOwn ? user % 2 : 1 - user % 2)
                    } while !taken.insert(item).inserted
                    let time = now - Int64(3_600_000) + Int64(place * 60_000 + user)
                    events.append(
                        #"{"event_id":"e\#(user)-\#(place)","type":"click","user_id":"u\#(user)","#
                            + #""item_id":"i\#(item)","timestamp":\#(time)}"#)
                }
            }
            _ = try bench.write(events, to: "events.jsonl")
        }

        private static let settings = [
            "FRESHET_TRAIN_REFUSED_STATUS": "0",
            "FRESHET_TRAIN_PRESET": "small", "FRESHET_TRAIN_EPOCHS": "12", "FRESHET_TRAIN_BATCH_SIZE": "64",
            "FRESHET_RULES_EXCLUDE": "seen",
            "FRESHET_COLD_START_SEGMENT_REFRESH_SECONDS": "1", "FRESHET_TRAIN_HOLDOUT": "leave-one-out",
        ]

        /// How many of the items please the region.
        private static func share(_ items: [String], _ region: Int) -> Int { items.count { (Int($0.dropFirst()) ?? -1) % 2 == region } }

        private static func items(_ service: Service, _ query: String) throws -> [String] {
            let answer = try service.http.send("GET", "/v1/recommendations?n=10&\(query)")
            guard answer.status == 200 else { throw TestDatabase.Failure("\(answer.status): \(answer.body)") }
            return (answer.object["items"] as? [[String: Any]])?.compactMap { $0["item_id"] as? String } ?? []
        }

        @Test("attributes and context decide the first list, a session works as a user does, and one click moves it")
        func newUsers() throws {
            let bench = try Workbench()
            try Self.writePast(into: bench)
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address, Self.settings)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train"))
            let ingest = try program.start("ingest")
            let service = try bench.startService(broker: address, Self.settings)
            try #require(ingest.waitFor("partitions taken over"), "\(ingest.log)")

            // By attributes: the towers have learned them.
            for (number, region) in ["n", "s"].enumerated() {
                let put = try service.http.send(
                    "PUT", "/v1/users/new-\(region)?wait=true", body: #"{"attributes":{"region":"\#(region)","shoe":44}}"#)
                #expect(put.status == 202, "\(put.body)")
                let list = try Self.items(service, "user_id=new-\(region)")
                #expect(list.count == 10 && Self.share(list, number) >= 8, "\(region): \(list)")
                // By the request alone.
                let asked = try Self.items(service, "user_id=nobody&context.region=\(region)")
                #expect(asked.count == 10 && Self.share(asked, number) >= 8, "\(region): \(asked)")
                // Of a session of which the request says nothing more.
                let session = try Self.items(service, "session_id=s\(number)&context.region=\(region)")
                #expect(session.count == 10 && Self.share(session, number) >= 8, "\(region): \(session)")
            }
            // Values that nobody has are harmless.
            for query in ["context.region=zzz", "context.region=", "context.%22=%7B", "context.region=n%00"] {
                let list = try? Self.items(service, "user_id=nobody&\(query)")
                #expect(list == nil || list?.count == 10, "\(query)")
            }
            // Sessions do not all get one list, and each gets its own again.
            let lists = try (0..<12).map { try Self.items(service, "session_id=anonymous-\($0)") }
            #expect(Set(lists).count > 6 && lists.allSatisfy { $0.count == 10 }, "\(lists)")
            #expect(try Self.items(service, "session_id=anonymous-3") == lists[3])

            // From the first click on the user tower answers.
            let clicked = lists[3].first { Self.share([$0], 1) == 1 } ?? lists[3][0]
            let mark = try service.post("click", user: "session:anonymous-3", item: clicked)
            let after = try Self.items(service, "session_id=anonymous-3&wait=\(mark)")
            #expect(after != lists[3] && !after.contains(clicked), "\(after)")
            #expect(Self.share(after, 1) >= 7, "\(after)")
            // Nobody else's list moved, but for what is trending.
            #expect(try Self.items(service, "session_id=anonymous-4").count == 10)
            #expect(service.role.stop() == 0)
        }

        @Test("users held out whole are asked with more and more history, and what the attribute decides is found")
        func userCold() throws {
            let bench = try Workbench()
            try Self.writePast(into: bench)
            let program = bench.program(broker: nil, Self.settings)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            let result = try program.run("evaluate", "--protocol", "user-cold", "--seeds", "2", "--longest-history", "5", "--json")
            #expect(result.status == 0, "\(result.errors)")
            let found = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any] ?? [:]
            func value(_ length: Int, _ name: String, _ metric: String = "NDCG@10") -> Double {
                (((found["history_\(length)"] as? [String: Any])?[name] as? [String: Any])?[metric] as? NSNumber)?.doubleValue ?? -1
            }
            for name in [
                "freshet", "freshet_by_accuracy", "without_attributes", "popularity", "recent_popularity", "segment_popularity", "markov",
            ] {
                for length in [0, 1, 2, 5] { #expect((0...1).contains(value(length, name)), "\(name) with \(length)") }
            }
            #expect(found["history_10"] == nil && (found["rounds"] as? Int) == 2)
            // Without a history only those who look at attributes can tell the regions apart.
            #expect(value(0, "freshet_by_accuracy") > 1.2 * value(0, "popularity"), "\(result.output)")
            #expect(value(0, "segment_popularity") > 1.3 * value(0, "popularity"), "\(result.output)")
            #expect(value(0, "freshet_by_accuracy") > 1.3 * value(0, "without_attributes"), "\(result.output)")
            // Five clicks tell it too.
            #expect(value(5, "without_attributes") > 1.15 * value(5, "popularity"), "\(result.output)")
            // Popularity is the same list for all; what is served is not.
            #expect(value(0, "freshet", "Coverage@10") > value(0, "popularity", "Coverage@10"))
            let text = try program.run("evaluate", "--protocol", "user-cold", "--seeds", "1", "--longest-history", "1")
            #expect(
                text.status == 0 && text.output.contains("segment_popularity") && text.output.contains("with 1: freshet"),
                "\(text.output)\(text.errors)")
            EndToEnd.expectFailure(try program.run("evaluate", "--protocol", "user-cold", "--seeds", "9"), status: 64, saying: "--folds")
            EndToEnd.expectFailure(
                try program.run("evaluate", "--protocol", "user-cold", "--longest-history", "7"), status: 64, saying: "[0, 1, 2, 5, 10]")
        }
    }
}
