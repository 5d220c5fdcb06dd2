import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// From an event in Kafka to an answer over HTTP, on a shop with a model.
    @Suite struct LineTests {
        @Test("a click changes that user's next answer and nobody else's, and what was bought is gone until it is given back")
        func clickAndPurchase() throws {
            let shop = try SmallShop()
            let service = shop.service
            let before = try service.recommendations(user: "u5")
            #expect(before.items.count == 10 && Set(before.items).count == 10)
            #expect(before.modelVersion == 1)
            let control = try service.recommendations(user: "u6")
            // The same question twice has the same answer: what changes below is the click's work.
            #expect(try service.recommendations(user: "u5").items == before.items)
            var changed = false
            for item in try service.recommendations(user: "u5", n: 100).items.suffix(5) {
                let mark = try service.post("click", user: "u5", item: item)
                let after = try service.recommendations(user: "u5", "&wait=\(mark)")
                #expect(covers(after.watermark, mark), "\(after.watermark ?? "none") does not reach \(mark)")
                changed = changed || after.items != before.items
            }
            #expect(changed, "five clicks changed nothing")
            #expect(try service.recommendations(user: "u6").items == control.items)

            for item in before.items.prefix(3) {
                let mark = try service.post("purchase", user: "u5", item: item, more: #","value":19.99,"currency":"EUR","quantity":1"#)
                let after = try service.recommendations(user: "u5", n: 200, "&wait=\(mark)")
                #expect(!after.items.contains(item), "\(item) was bought and is recommended")
            }
            let bought = try shop.bench.database.sql("select distinct item_id from interactions where user_id = 'u5' and type = 3")
                .split(separator: "\n").map(String.init)
            let all = try service.recommendations(user: "u5", n: 300).items
            #expect(Set(bought).isDisjoint(with: all))
            // A rating of given items leaves them out too.
            let ranked = try service.http.send(
                "POST", "/v1/recommendations", body: #"{"user_id":"u5","items":["\#(bought[0])","\#(all[0])","no-such-item"]}"#)
            #expect((ranked.object["items"] as? [[String: Any]])?.compactMap { $0["item_id"] as? String } == [all[0]])

            // What is given back may be recommended again, and counts no more as bought.
            let back = before.items[0]
            let sold = "select purchases, units from item_features where item_id = '\(back)'"
            let counts = try shop.bench.database.sql(sold)
            let mark = try service.post("return", user: "u5", item: back, more: #","value":19.99,"currency":"EUR","quantity":1"#)
            let after = try service.recommendations(user: "u5", n: 300, "&wait=\(mark)")
            #expect(after.items.contains(back), "\(back) was given back and is still left out")
            #expect(try shop.bench.database.sql(sold) != counts)
            let view = try service.http.send("GET", "/v1/users/u5").object
            #expect((view["counts"] as? [String: Any])?["return"] as? Int == 1)
            #expect((view["history"] as? [[String: Any]])?.contains { $0["returned"] as? Bool == true } == true)
        }

        @Test("hidden and deleted items are gone from the very next answer; a new item is recallable within a second")
        func catalogue() throws {
            let shop = try SmallShop()
            let service = shop.service
            let list = try service.recommendations(user: "u7", n: 20).items
            let hidden = list[0], deleted = list[1]
            try service.put(item: hidden, #""title":"Away","hidden":true"#)
            #expect(try !service.recommendations(user: "u7", n: 200).items.contains(hidden))
            let deletion = try service.http.send("DELETE", "/v1/items/\(deleted)?wait=true")
            #expect(deletion.status == 202, "\(deletion.body)")
            #expect(try !service.recommendations(user: "u7", n: 200).items.contains(deleted))
            #expect(try service.http.send("GET", "/v1/items/\(deleted)").status == 404)
            for user in ["u8", "nobody-at-all"] {
                #expect(try Set(service.recommendations(user: user, n: 300).items).isDisjoint(with: [hidden, deleted]))
            }
            let similar = try service.http.send("GET", "/v1/items/\(list[2])/similar?n=100")
            let alike = (similar.object["items"] as? [[String: Any]])?.compactMap { $0["item_id"] as? String } ?? []
            #expect(alike.count > 10 && Set(alike).isDisjoint(with: [hidden, deleted, list[2]]), "\(similar.body.prefix(300))")
            try service.put(item: hidden, #""title":"Back again","hidden":false"#)
            #expect(try service.recommendations(user: "u7", n: 300).items.contains(hidden))

            let started = Date()
            try service.put(
                item: "brand-new", #""title":"Momo patterned watering can","categories":["garden"],"price":25.5,"currency":"EUR""#)
            let state = try service.http.send("GET", "/v1/items/brand-new")
            #expect(state.object["index_state"] as? String == "fresh", "\(state.body)")
            #expect(Date().timeIntervalSince(started) < 1)
            let ranked = try service.http.send("POST", "/v1/recommendations", body: #"{"user_id":"u7","items":["brand-new"]}"#)
            #expect(ranked.body.contains("brand-new"), "\(ranked.body)")
            let near = try service.http.send("GET", "/v1/items/brand-new/similar?n=10")
            #expect(near.status == 200 && (near.object["items"] as? [Any])?.count == 10, "\(near.body.prefix(300))")
        }

        @Test("an unknown user is answered, and so is everyone before there is a model")
        func coldUsers() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let empty = try bench.startService(broker: address)
            let nothing = try empty.http.send("GET", "/v1/recommendations?user_id=u1")
            #expect(nothing.status == 200, "an empty shop: \(nothing.body)")
            #expect(try empty.http.send("GET", "/healthz").status == 200)
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: address, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--events", "events.jsonl"))
            #expect(
                try eventually(within: 8) { try empty.recommendations(user: "nobody", n: 10).items.count == 10 },
                "\(empty.role.log)")
            // At first with what is new; what is trending follows within seconds.
            #expect(try eventually(within: 8) { Set(try empty.recommendations(user: "nobody", n: 10).reasons) == ["trending"] })
            // A first model comes while the service runs.
            try SmallShop.check(program.run("train", "--set", "holdout=none"))
            #expect(try eventually(within: 8) { try empty.recommendations(user: "u1").modelVersion == 1 })
            #expect(try empty.recommendations(user: "nobody", n: 10).items.count == 10)
            #expect(empty.role.stop() == 0)
        }

        @Test("what was shown is stored with its place and model, and joins the click that names it")
        func impressions() throws {
            let shop = try SmallShop()
            let list = try shop.service.recommendations(user: "u9", n: 5)
            let mark = try shop.service.post("click", user: "u9", item: list.items[2], request: list.requestID)
            _ = try shop.service.recommendations(user: "u1", "&wait=\(mark)")
            let database = shop.bench.database
            let shown = "select slot, item_id, model_version from interactions where type = 0 and user_id = 'u9' "
                + "and request_id = '\(list.requestID)' order by slot"
            let expected = list.items.enumerated().map { "\($0)|\($1)|1" }.joined(separator: "\n")
            #expect(try eventually { try database.sql(shown) == expected })
            let outcome = "select item_id, slot, model_version, type from attributed_outcomes where user_id = 'u9' "
                + "and request_id = '\(list.requestID)'"
            #expect(try database.sql(outcome) == "\(list.items[2])|2|1|1")
        }

        @Test("a deleted user is erased, and old events that come again bring nothing back")
        func erasure() throws {
            let shop = try SmallShop()
            let database = shop.bench.database
            let rows = "select (select count(*) from interactions where user_id = 'u11') "
                + "+ (select count(*) from user_features where user_id = 'u11') + (select count(*) from users where user_id = 'u11')"
            #expect(try Int(database.sql(rows)) ?? 0 > 5)
            let events = try String(contentsOfFile: shop.bench.path("events.jsonl"), encoding: .utf8).split(separator: "\n")
            let old = try shop.bench.write(events.filter { $0.contains(#""user_id":"u11""#) }.map(String.init), to: "old.jsonl")
            let deletion = try shop.service.http.send("DELETE", "/v1/users/u11?wait=true")
            #expect(deletion.status == 202, "\(deletion.body)")
            #expect(try database.sql(rows) == "0")
            #expect(try shop.service.http.send("GET", "/v1/users/u11").status == 404)
            try SmallShop.check(shop.program.run("produce", "--topic", "events", old))
            try SmallShop.check(shop.program.run("backfill", "--events", old, "--users", "users.jsonl"))
            let mark = try shop.service.post("click", user: "u12", item: "i1")
            _ = try shop.service.recommendations(user: "u12", "&wait=\(mark)")
            #expect(try eventually { try lag(shop) == 0 })
            #expect(try database.sql(rows) == "0")
            // What they do from now on is theirs again.
            let later = try shop.service.post("click", user: "u11", item: "i2")
            _ = try shop.service.recommendations(user: "u11", "&wait=\(later)")
            #expect(try database.sql("select count(*) from interactions where user_id = 'u11' and type = 1") == "1")
        }

        @Test("an event sent twice counts once, with the same key or the same id")
        func idempotence() throws {
            let shop = try SmallShop()
            let time = Int64(Date().timeIntervalSince1970 * 1_000)
            let event = #"{"type":"click","user_id":"twice","item_id":"i1","timestamp":\#(time)}"#
            for _ in 0..<2 {
                let answer = try shop.service.http.send("POST", "/v1/events?wait=true", body: event, headers: ["Idempotency-Key": "k1"])
                #expect(answer.status == 202, "\(answer.body)")
            }
            for _ in 0..<2 { try shop.service.post("click", user: "twice", item: "i2", id: "same", more: "") }
            let named = #"{"event_id":"n1","type":"click","user_id":"twice","item_id":"i3","timestamp":\#(time)}"#
            for _ in 0..<3 { #expect(try shop.service.http.send("POST", "/v1/events?wait=true", body: named).status == 202) }
            #expect(
                try shop.bench.database.sql("select count(*) from interactions where user_id = 'twice' and item_id in ('i1','i3')") == "2")
            #expect(
                try shop.bench.database.sql("select clicks from user_features where user_id = 'twice'")
                    == shop.bench.database.sql("select count(*) from interactions where user_id = 'twice' and type = 1"))
            // Of a mixed body the good ones are taken and the bad ones named.
            let mixed = try shop.service.http.send(
                "POST", "/v1/events", body: "[\(named),{\"type\":\"click\"},\(named.replacingOccurrences(of: "click", with: "teleport"))]")
            #expect(mixed.status == 202 && mixed.object["accepted"] as? Int == 1 && mixed.object["rejected"] as? Int == 2, "\(mixed.body)")
        }

        @Test("the service outlives a consumer that is away, and a consumer that comes back catches up")
        func consumerAway() throws {
            let shop = try SmallShop()
            shop.ingest.killNow()
            let mark = try shop.service.post("click", user: "u20", item: "i1")
            #expect(try shop.service.recommendations(user: "u20").items.count == 10)
            let late = try shop.service.http.send("GET", "/v1/recommendations?user_id=u20&wait=\(mark)")
            #expect(late.status == 504 && late.body.contains("freshet ingest"), "\(late.status) \(late.body)")
            let again = try shop.program.start("ingest")
            #expect(try eventually(within: 20) {
                try shop.service.http.send("GET", "/v1/recommendations?user_id=u20&wait=\(mark)").status == 200
            }, "\(again.log)")
        }

        private func lag(_ shop: SmallShop) throws -> Int {
            try shop.service.http.send("GET", "/v1/stats").object["ingest"].flatMap { ($0 as? [String: Any])?["lag"] as? Int } ?? -1
        }

        /// Whether every place of `mark` is at or before that of `watermark`.
        private func covers(_ watermark: String?, _ mark: String) -> Bool {
            func places(_ text: String) -> [Int: Int] {
                Dictionary(
                    text.split(separator: ",").compactMap { part in
                        let halves = part.split(separator: "@").compactMap { Int($0) }
                        return halves.count == 2 ? (halves[0], halves[1]) : nil
                    }, uniquingKeysWith: max)
            }
            let reached = places(watermark ?? "")
            return places(mark).allSatisfy { (reached[$0.key] ?? -1) >= $0.value }
        }
    }
}
