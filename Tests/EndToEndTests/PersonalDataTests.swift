import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Where a person can be found, in every table, topic, file and log, is where docs/security.md says.
    @Suite struct PersonalDataTests {
        /// What all ids of the person begin with.
        private static let mark = "zqperson"

        private static func tables(_ bench: Workbench) throws -> [String] {
            let all = try bench.database.sql(
                "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1")
            return try all.split(separator: "\n").map(String.init).filter { table in
                let texts = "t::text like '%\(mark)%' or t::text like '%\(mark.utf8.map { String(format: "%02x", $0) }.joined())%'"
                return try bench.database.sql("select count(*) from \(table) t where \(texts)") != "0"
            }
        }

        /// The files of a folder that hold the person, by name.
        private static func files(_ bench: Workbench) -> [String] {
            let found = FileManager.default.enumerator(at: bench.directory, includingPropertiesForKeys: nil)
            return (found?.allObjects as? [URL] ?? []).filter { file in
                guard let bytes = try? Data(contentsOf: file) else { return false }
                return bytes.range(of: Data(mark.utf8)) != nil
            }.map(\.lastPathComponent)
        }

        @Test("a person who says no, is written down, and is erased by another of their ids", .timeLimit(.minutes(5)))
        func allTheWay() throws {
            let bench = try Workbench(), mark = Self.mark
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let ingest = try bench.program(broker: address).start("ingest")
            defer { _ = ingest.stop() }
            let service = try bench.startService(broker: address)
            defer { _ = service.role.stop() }
            try #require(ingest.waitFor("partitions taken over"), "\(ingest.log)")
            func send(_ method: String, _ path: String, _ body: String? = nil) throws {
                let answer = try service.http.send(method, path + "?wait=true", body: body)
                #expect(answer.status == 202 && answer.object["accepted"] as? Int == 1, "\(answer.status) \(answer.body)")
            }
            var last = 0
            func act(_ type: String, _ user: String, _ item: String) throws {
                last += 1
                let now = Int64(Date().timeIntervalSince1970 * 1_000)
                try send(
                    "POST", "/v1/events",
                    #"{"event_id":"e\#(last)","type":"\#(type)","user_id":"\#(user)","item_id":"\#(item)","timestamp":\#(now)}"#)
            }
            for item in 0..<5 { try send("PUT", "/v1/items/i\(item)", #"{"title":"Thing \#(item)"}"#) }
            try act("click", mark, "i0")
            try act("purchase", "somebody", "i1")
            #expect(try Self.tables(bench) == ["interactions", "user_features"])

            // The wish, and an id that is joined after it.
            try send("PUT", "/v1/users/\(mark)", #"{"personalised":false,"attributes":{"region":"\#(mark)-n"}}"#)
            try send("POST", "/v1/events", #"{"type":"identify","user_id":"\#(mark)","anonymous_id":"\#(mark)-device"}"#)
            try act("click", mark, "i1")
            try act("purchase", "\(mark)-device", "i2")
            let rows = try bench.database.sql("select user_id, item_id from interactions order by event_time")
            #expect(rows == "\(mark)|i0\nsomebody|i1", "of what came after the wish nothing is there")
            #expect(try bench.database.sql("select sum(clicks), sum(purchases) from item_features") == "2|2")
            #expect(try Self.tables(bench) == ["identities", "interactions", "user_features", "users", "wishes"])

            // Answers: for the person, by their own id and by the other; for somebody by the request alone.
            for query in ["user_id=\(mark)", "session_id=x&user_id=\(mark)-device", "user_id=somebody&personalised=false"] {
                let answer = try service.http.send("GET", "/v1/recommendations?n=5&\(query)")
                #expect(answer.status == 200 && answer.object["personalised"] as? Bool == false, "\(answer.body)")
                let reasons = Set((answer.object["items"] as? [[String: Any]] ?? []).compactMap { $0["reason"] as? String })
                #expect(reasons.isSubset(of: ["trending", "fresh"]) && !reasons.isEmpty, "\(answer.body)")
            }
            let body = #"{"user_id":"somebody","personalised":false,"n":5,"context":{"device":"\#(mark)"}}"#
            let posted = try service.http.send("POST", "/v1/recommendations", body: body)
            #expect(posted.object["personalised"] as? Bool == false && posted.object["user_id"] as? String == "somebody")
            let shown = eventually(within: 20) { (try? bench.database.sql("select sum(impressions) from item_features")) == "20" }
            #expect(shown, "four answers of five items count for the items")
            #expect(try bench.database.sql("select count(*) from interactions where type = 0") == "0", "and were shown to nobody")

            // What the topic of impressions holds, as another consumer finds it: no event of any kind, so each is kept as it came.
            let other = try Workbench()
            let reader = other.program(
                broker: address, ["FRESHET_TOPICS_EVENTS": "freshet.impressions", "FRESHET_TOPICS_IMPRESSIONS": "none"])
            try SmallShop.check(reader.run("ingest", "--until-end"))
            let payloads = try other.database.sql(
                "select convert_from(payload, 'UTF8') from dead_letters where source = 'freshet.impressions'"
            ).split(separator: "\n")
            #expect(payloads.count == 4 && payloads.allSatisfy { $0.contains(#""personalised":false"#) && !$0.contains("user_id") })
            #expect(!payloads.contains { $0.contains(mark) || $0.contains("somebody") || $0.contains("session") }, "\(payloads)")

            // The export has all of it, by another id of the person too.
            let export = try service.http.send("GET", "/v1/users/\(mark)/export")
            for kind in ["user", "wish", "identity", "counters", "interaction", "end"] {
                #expect(export.body.contains(#""kind":"\#(kind)""#), "\(kind): \(export.body)")
            }
            #expect(try service.http.send("GET", "/v1/users/\(mark)").body.contains(#""personalised":false"#))

            // Erased by an id that is theirs alone: what is left is the ledger and the wish.
            try send("DELETE", "/v1/users/\(mark)-device")
            let isGone = eventually(within: 20) { (try? bench.database.sql("select count(*) from open_erasures")) == "0" }
            #expect(isGone)
            #expect(try Self.tables(bench) == ["erasures", "wishes"])
            let left = try service.http.send("GET", "/v1/users/\(mark)/export").body.split(separator: "\n").filter { $0.contains("kind") }
            #expect(left.count == 3 && left[1].contains(#""kind":"wish""#), "\(left)")
            #expect(try bench.database.sql("select sum(clicks), sum(purchases) from item_features") == "2|2", "sums name nobody")
            #expect(!ingest.log.contains(mark) && !service.role.log.contains(mark))
            #expect(Self.files(bench).isEmpty)
        }
    }
}
