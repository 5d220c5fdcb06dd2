import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Items that come, change and go while the service runs, and the index files that it keeps beside the model.
    @Suite struct LiveItemsTests {
        /// A kind that keeps files, however small the shop.
        private static let lists = ["FRESHET_INDEX_KIND": "lists"]

        private func folder(_ shop: SmallShop) throws -> String {
            let root = shop.bench.path("artifacts")
            let names = try FileManager.default.contentsOfDirectory(atPath: root).filter { !$0.hasPrefix(".") }
            return try #require(names.first.map { root + "/" + $0 })
        }

        private func flip(_ path: String) throws {
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count / 2] ^= 8
            try bytes.write(to: URL(fileURLWithPath: path))
        }

        @Test("the index is kept beside the model; what changed meanwhile is known; a damaged file is replaced with a sentence")
        func indexFiles() throws {
            let shop = try SmallShop()
            let folder = try folder(shop), index = folder + "/serving.index", vectors = folder + "/serving.vectors"
            #expect(!FileManager.default.fileExists(atPath: index))
            func start() throws -> Service { try shop.bench.startService(broker: shop.address, Self.lists) }
            func stop(_ service: Service) { #expect(service.role.stop() == 0, "\(service.role.log)") }

            let first = try start()
            let before = try first.recommendations(user: "u5", n: 20)
            stop(first)
            #expect(FileManager.default.fileExists(atPath: index) && FileManager.default.fileExists(atPath: vectors))

            // A new item, another text and a deletion while that service is away.
            let gone = before.items[0], changed = before.items[1]
            try shop.service.put(item: "late", #""title":"Late","categories":["garden"]"#)
            try shop.service.put(item: changed, #""title":"Something else","categories":["garden"]"#)
            #expect(try shop.service.http.send("DELETE", "/v1/items/\(gone)?wait=true").status == 202)
            let second = try start()
            #expect(!second.role.log.contains("not serve") && !second.role.log.contains("computed again"), "\(second.role.log)")
            func state(_ item: String) throws -> String? {
                try second.http.send("GET", "/v1/items/\(item)").object["index_state"] as? String
            }
            #expect(try state("late") == "fresh")
            #expect(try state(before.items[2]) == "indexed")
            #expect(try !second.recommendations(user: "u5", n: 300).items.contains(gone))
            // All that may be shown, however it was indexed.
            #expect(
                try Set(second.recommendations(user: "u5", n: 301).items) == Set(shop.service.recommendations(user: "u5", n: 301).items))
            stop(second)

            for (path, words) in [(index, "the index file does not serve"), (vectors, "the saved vectors do not serve")] {
                try flip(path)
                let third = try start()
                #expect(third.role.log.contains(words) && third.role.log.contains("checksum"), "\(third.role.log)")
                #expect(try third.recommendations(user: "u6", n: 20).items.count == 20)
                stop(third)
                let fourth = try start()
                #expect(!fourth.role.log.contains(words), "\(fourth.role.log)")
                stop(fourth)
            }
        }

        @Test("a service that is killed while it writes the index leaves nothing that a later one trips over")
        func killedWhileWriting() throws {
            let shop = try SmallShop()
            let folder = try folder(shop)
            func files() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("serving.") }.sorted()
            }
            for round in 0..<6 {
                for name in try files() { try FileManager.default.removeItem(atPath: folder + "/" + name) }
                // As a writer that was killed half-way leaves it.
                try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder + "/serving.index.4194305.partial"))
                let role = try shop.bench.program(broker: shop.address, Self.lists).start("serve")
                if round % 2 == 0 {
                    _ = eventually(within: 20) { ((try? files()) ?? []).count > 1 }
                } else {
                    Thread.sleep(forTimeInterval: 0.05 + 0.1 * Double(round))
                }
                role.killNow()
                let service = try shop.bench.startService(broker: shop.address, Self.lists)
                #expect(!service.role.log.contains("does not serve"), "\(service.role.log)")
                #expect(try service.recommendations(user: "u5", n: 20).items.count == 20)
                #expect(service.role.stop() == 0)
                #expect(try files() == ["serving.index", "serving.vectors"])
            }
        }

        @Test("new items get slots of their own, which are marked, counted and explained, and can be switched off")
        func exploration() throws {
            let shop = try SmallShop()
            let service = try shop.bench.startService(broker: shop.address)
            // More than an answer of twenty can hold, wherever the towers put them.
            for number in 0..<30 {
                try service.put(item: "new-\(number)", #""title":"Momo patterned watering can","categories":["garden"]"#)
            }
            func numbers() throws -> [String: Int] {
                let catalogue = try service.http.send("GET", "/v1/stats").object["catalogue"] as? [String: Any]
                return catalogue?["exploration"] as? [String: Int] ?? [:]
            }
            #expect(try eventually { try numbers()["items", default: 0] >= 30 })
            let answer = try service.http.send("GET", "/v1/recommendations?user_id=u5&n=20&explain=true")
            let slots = (answer.object["items"] as? [[String: Any]] ?? []).filter { $0["exploration"] as? Bool == true }
            #expect(slots.count == 2, "\(answer.body)")
            for slot in slots {
                #expect(slot["reason"] as? String == "fresh" && (slot["explanation"] as? String)?.contains("exploration") == true)
            }
            // The figures of the service are read anew once a second.
            #expect(try eventually { try numbers()["slots"] == 2 && numbers()["every_slots"] == 10 })
            #expect(try service.http.send("GET", "/metrics").body.contains("freshet_exploration_slots_total 2"))
            // What was shown comes back through the stream and is counted.
            #expect(try eventually { try numbers()["impressions", default: 0] >= 2 })

            #expect(service.role.stop() == 0)
            // The shop's own service explores nothing.
            #expect(try !shop.service.http.send("GET", "/v1/recommendations?user_id=u5&n=100").body.contains("exploration"))
        }

        @Test("an item is in answers soon after its record came, and no answer has what was hidden, moved or removed")
        func benches() throws {
            let shop = try SmallShop()
            let users = try shop.bench.write((0..<100).map { "u\($0)" }, to: "users.txt")
            let items = try shop.bench.write((0..<300).map { "i\($0)" }, to: "items.txt")
            let url = "http://127.0.0.1:\(shop.service.http.port)"
            func bench(_ arguments: String...) throws -> [String: Any] {
                let result = try shop.program.run(["bench"] + arguments)
                try SmallShop.check(result)
                return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result.output)")
            }
            let fresh = try bench(
                "fresh-items", "--url", url, "--users", users, "--items", items, "--count", "10", "--depth", "400", "--events", "50",
                "--requests", "20")
            #expect(fresh["appeared"] as? Int == 10 && fresh["unseen"] as? Int == 0 && fresh["after_deletion"] as? Int == 0, "\(fresh)")
            #expect(fresh["load_errors"] as? Int == 0, "\(fresh)")
            let size = EndToEnd.isSoak ? "100000" : "200"
            let churn = try bench("churn", "--url", url, "--users", users, "--items", size, "--writers", "16", "--readers", "2")
            #expect(churn["changes"] as? Int == 3 * (Int(size) ?? 0), "\(churn)")
            #expect(churn["wrong_items"] as? Int == 0 && churn["failed_requests"] as? Int == 0, "\(churn)")
            #expect((churn["answers_with_changing_items"] as? Int ?? 0) > 0, "\(churn)")
        }
    }
}
