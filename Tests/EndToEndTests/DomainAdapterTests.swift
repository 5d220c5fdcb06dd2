import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// A shop where the country decides what follows what, which the shared model is kept from seeing.
    @Suite struct DomainAdapterTests {
        /// Four kinds of items, 15 each. Everybody takes two of kinds 0 and 1 on one day, and on the next people of `n` take one of kind 2
        /// and those of `s` one of kind 3: no history says which. People of `w` are too few to be a domain.
        private static func writePast(into bench: Workbench) throws {
            var numbers = SeededNumbers(state: 23)
            let now = Int64(Date().timeIntervalSince1970 * 1_000), day: Int64 = 86_400_000
            _ = try bench.write(
                (0..<60).map { #"{"item_id":"i\#($0)","title":"Thing \#($0)","categories":["c\#($0 % 4)"],"updated_at":1}"# },
                to: "items.jsonl")
            func country(_ user: Int) -> String { user % 40 == 39 ? "w" : user % 2 == 0 ? "n" : "s" }
            let users = (0..<600).map { ("u\($0)", country($0)) } + [("new-n", "n")]
            _ = try bench.write(
                users.map { #"{"user_id":"\#($0.0)","attributes":{"country":"\#($0.1)"},"updated_at":1}"# }, to: "users.jsonl")
            var events: [String] = []
            func add(_ user: String, _ item: Int, at time: Int64) {
                events.append(
                    #"{"event_id":"e\#(events.count)","type":"click","user_id":"\#(user)","item_id":"i\#(item)","timestamp":\#(time)}"#)
            }
            for user in 0..<600 {
                func item(_ kind: Int) -> Int { 4 * Int.random(in: 0..<15, using: &numbers) + kind }
                for place in 0..<2 {
                    add("u\(user)", item(Int.random(in: 0..<2, using: &numbers)), at: now - 2 * day + Int64(place * 60_000 + user))
                }
                add("u\(user)", item(country(user) == "n" ? 2 : 3), at: now - day + Int64.random(in: 0..<day / 2, using: &numbers))
            }
            // Two newcomers, one with a country, whose visits have begun alike.
            for user in ["new", "new-n"] { for place in 0..<2 { add(user, 4 * place, at: now - day / 2 + Int64(place * 60_000)) } }
            _ = try bench.write(events, to: "events.jsonl")
        }

        private static let settings = [
            "FRESHET_TRAIN_REFUSED_STATUS": "0",
            "FRESHET_TRAIN_PRESET": "small", "FRESHET_TRAIN_EPOCHS": "15", "FRESHET_TRAIN_BATCH_SIZE": "128", "FRESHET_RULES_EXCLUDE": "",
            "FRESHET_TRAIN_LEARNING_RATE": "0.01", "FRESHET_TRAIN_TABLE_LEARNING_RATE": "0.01",
            "FRESHET_TRAIN_ATTRIBUTE_MINIMUM_USERS": "100000", "FRESHET_RANKING_BLEND": "off",
            "FRESHET_OBJECTIVES_HEADS": "off", "FRESHET_ADAPTATION_MODE": "off", "FRESHET_CONTENT_CHANNEL": "off",
            "FRESHET_EXPLORATION_EVERY_SLOTS": "0",
        ]

        /// Of the first ten items, those of a kind.
        private static func count(_ service: Service, _ query: String, kind: Int) throws -> (count: Int, items: [String]) {
            let answer = try service.http.send("GET", "/v1/recommendations?n=10&\(query)")
            guard answer.status == 200 else { throw TestDatabase.Failure("\(answer.status): \(answer.body)") }
            let items = (answer.object["items"] as? [[String: Any]])?.compactMap { $0["item_id"] as? String } ?? []
            return (items.count { (Int($0.dropFirst()) ?? -1) % 4 == kind }, items)
        }

        @Test("two-stage fine-tuning: each country's adapter is judged, kept, written and served")
        func domains() throws {
            let bench = try Workbench()
            try Self.writePast(into: bench)
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address, Self.settings)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train", "--set", "domain_field=country", "--set", "domain_minimum_interactions=400"))

            let metrics = try bench.database.sql("select metrics from models order by version desc limit 1")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(metrics.utf8)) as? [String: Any])
            let domains = try #require(object["domains"] as? [[String: Any]], "\(metrics)")
            #expect(domains.compactMap { $0["domain"] as? String }.sorted() == ["country=n", "country=s"], "\(domains)")
            #expect(domains.allSatisfy { $0["kept"] as? Bool == true && ($0["gain_low"] as? Double ?? 0) > 0 }, "\(domains)")
            let name = try bench.database.sql("select artifact_path from models order by version desc limit 1")
            let folder = bench.directory.appendingPathComponent("artifacts/\(name)")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files.contains("domains.safetensors"), "\(files)")
            #expect(try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8).contains("<td>country=n</td>"))

            let service = try bench.startService(broker: address, Self.settings)
            let north = try Self.count(service, "user_id=new&context.country=n", kind: 2)
            let south = try Self.count(service, "user_id=new&context.country=s", kind: 2)
            #expect(north.count >= south.count + 3 && north.items.count == 10, "\(north) \(south)")
            // Who is of no domain gets the shared model's list.
            let shared = try Self.count(service, "user_id=new", kind: 2)
            let unknown = try Self.count(service, "user_id=new&context.country=w", kind: 2)
            #expect(shared.items == unknown.items && shared.items != north.items && shared.items != south.items)
            // The stored attribute of a user counts as that of a request, whose own goes before it.
            #expect(try Self.count(service, "user_id=new-n", kind: 2).items == north.items)
            #expect(try Self.count(service, "user_id=new-n&context.country=s", kind: 2).items == south.items)
            #expect(try Self.count(service, "user_id=new-n&context.country=w", kind: 2).items == shared.items)
        }

        @Test("without a field nothing of it is there")
        func off() throws {
            let bench = try Workbench()
            try Self.writePast(into: bench)
            let program = bench.program(broker: nil, Self.settings)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train"))
            let metrics = try bench.database.sql("select metrics from models order by version desc limit 1")
            #expect(!metrics.contains("\"domains\""))
            let name = try bench.database.sql("select artifact_path from models order by version desc limit 1")
            let files = try FileManager.default.contentsOfDirectory(
                atPath: bench.directory.appendingPathComponent("artifacts/\(name)").path)
            #expect(!files.contains { $0.hasPrefix("domains") })
        }
    }
}
