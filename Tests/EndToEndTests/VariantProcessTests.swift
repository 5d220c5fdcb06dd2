import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Sizes of a shoe, stock and times, as a shop sends them while its service answers.
    @Suite struct VariantProcessTests {
        @Test("one size of each shoe, the user's own; sold out, back, begun and ended within a second, without another record")
        func variantsAndTimes() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { _ = broker.stop() }
            let ingest = try bench.program(broker: address).start("ingest")
            defer { _ = ingest.stop() }
            let service = try bench.startService(broker: address, ["FRESHET_EXPLORATION_EVERY_SLOTS": "0"])
            for size in 41...44 {
                try service.put(
                    item: "shoe-\(size)", #""item_group_id":"shoe","attributes":{"size":\#(size)},"stock":\#(size == 41 ? 0 : 2)"#)
            }
            try service.put(item: "hat", #""stock":5"#)
            _ = try service.http.send("PUT", "/v1/users/u44?wait=true", body: #"{"attributes":{"size":44}}"#)
            func shown(_ user: String, _ more: String = "") throws -> [String] {
                try service.recommendations(user: user, n: 50, more).items.sorted()
            }
            #expect(try shown("nobody") == ["hat", "shoe-42"])
            #expect(try shown("u44") == ["hat", "shoe-44"])
            #expect(try shown("nobody", "&context.size=43") == ["hat", "shoe-43"])
            // What people take most; who bought one size is shown none.
            for number in 0..<5 {
                try service.post("purchase", user: "c\(number)", item: "shoe-43", more: #","value":9,"currency":"EUR""#)
            }
            let mark = try service.post("purchase", user: "buyer", item: "shoe-42", more: #","value":9,"currency":"EUR""#)
            #expect(try shown("buyer", "&wait=\(mark)") == ["hat"])
            #expect(eventually { (try? shown("nobody")) == ["hat", "shoe-43"] })
            // Sold out, and back.
            try service.put(item: "shoe-43", #""item_group_id":"shoe","attributes":{"size":43},"stock":0"#)
            #expect(try !shown("nobody").contains("shoe-43") && shown("nobody").count == 2)
            try service.put(item: "hat", #""stock":0"#)
            #expect(try shown("nobody").count == 1)
            try service.put(item: "hat", #""stock":1"#)
            #expect(try shown("nobody").contains("hat"))
            // Times are those of the clock.
            func milliseconds() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
            let begins = milliseconds() + 1_500, ends = begins + 1_500
            // The service has the time from PostgreSQL, as exactly as it is told over a connection.
            let slack: Int64 = 100
            try service.put(item: "sale", #""available_from":\#(begins),"available_until":\#(ends)"#)
            var seen: [(time: Int64, isShown: Bool)] = []
            while milliseconds() < ends + 1_000 {
                let before = milliseconds(), isShown = try shown("nobody").contains("sale"), after = milliseconds()
                // Only questions that lie wholly on one side of a border have one right answer.
                if (after < begins - slack || before > begins + 1_000), after < ends - slack {
                    seen.append((before, isShown == (before > begins)))
                }
                if before > ends + slack { seen.append((before, !isShown)) }
                usleep(20_000)
            }
            let wrong = seen.filter { !$0.isShown }.map { $0.time - begins }
            #expect(seen.count > 50 && wrong.isEmpty, "\(wrong)")
            let view = try service.http.send("GET", "/v1/items/sale").object
            #expect(view["index_state"] as? String == "hidden" && (view["available_until"] as? String)?.hasSuffix("Z") == true)
            #expect(service.role.stop() == 0)
        }
    }
}
