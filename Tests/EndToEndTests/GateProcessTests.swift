import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// What the promotion gate lets pass, as a scheduler and an operator see it.
    @Suite struct GateProcessTests {
        /// A model that has learned next to nothing, and nothing else to rank by.
        private static let worse = [
            "train", "--json", "--set", "learning_rate=0.000001", "--set", "table_learning_rate=0.000001", "--set", "ranking.blend=off",
            "--set", "ranking.counters=off", "--set", "content.channel=off",
        ]

        private static func statusOf(_ version: Int, _ bench: Workbench) throws -> String {
            try bench.database.sql("select status from models where version = \(version)")
        }

        @Test("a worse model is refused with a status of its own, seen everywhere, and serves by force alone")
        func refused() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let (broker, address) = try bench.startBroker()
            defer { _ = broker.stop() }
            let program = bench.program(broker: address, SmallShop.training).with(["FRESHET_TRAIN_REFUSED_STATUS": "3"])
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train"))
            let refused = try program.run(Self.worse)
            #expect(refused.status == 3, "\(refused.output) \(refused.errors)")
            #expect(refused.output.contains(#""promoted":false"#) && refused.errors.contains("refused by the gate"), "\(refused.errors)")
            #expect(try Self.statusOf(1, bench) == "promoted" && Self.statusOf(2, bench) == "refused")
            #expect(try program.with(["FRESHET_TRAIN_REFUSED_STATUS": "0"]).run(Self.worse).status == 0)
            #expect(try Self.statusOf(3, bench) == "refused")

            EndToEnd.expectFailure(try program.run("models", "promote", "2"), status: 1, saying: "the gate refused version 2", "--force")
            let service = try bench.startService(broker: address)
            let calm = try service.http.send("POST", "/v1/models/2/promote")
            #expect(calm.status == 409 && calm.body.contains("the gate refused version 2"), "\(calm.body)")
            #expect(
                try eventually(within: 10) {
                    try service.http.send("GET", "/metrics").body.contains("freshet_trainings_refused_in_a_row 2")
                })
            #expect(try service.http.send("GET", "/v1/stats").body.contains(#""refusals":{"total":2,"in_a_row":2,"version":3,"#))
            let forced = try service.http.send("POST", "/v1/models/2/promote?force=true&reason=to%20see%20it")
            #expect(forced.status == 200 && forced.body.contains("to see it") && forced.body.contains(#""refusal":""#), "\(forced.body)")
            let listed = try program.run("models", "list")
            #expect(listed.output.contains("promoted over HTTP with force: to see it. The gate had refused it: "), "\(listed.output)")
            let page = try program.run("models", "report", "2", "--output", bench.path("page.html"))
            #expect(page.status == 0, "\(page.errors)")
            let html = try String(contentsOfFile: bench.path("page.html"), encoding: .utf8)
            #expect(html.contains("Promoted all the same") && html.contains("asked of it before it was promoted"))

            // Back to the first, and forward again: a refused version needs force there, too.
            #expect(try service.http.send("POST", "/v1/models/rollback").status == 200)
            _ = try bench.database.sql("update models set replaced_version = 2 where version = 1")
            EndToEnd.expectFailure(try program.run("models", "rollback"), status: 1, saying: "the gate refused version 2")
            #expect(try service.http.send("POST", "/v1/models/rollback").status == 409)
            #expect(try Self.statusOf(1, bench) == "promoted")
            #expect(service.role.stop() == 0)
        }

        @Test("a promoted model that cannot be read opens no gate: what was recorded of it decides")
        func unreadable() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training).with(["FRESHET_TRAIN_REFUSED_STATUS": "3"])
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train"))
            let folder = try bench.database.sql("select artifact_path from models where version = 1")
            try FileManager.default.removeItem(atPath: bench.path("artifacts/\(folder)"))
            let worse = try program.run(Self.worse)
            #expect(worse.status == 3 && worse.errors.contains("the promoted version 1 cannot be read"), "\(worse.output) \(worse.errors)")
            #expect(!worse.output.contains("No model is promoted yet"), "\(worse.output)")
            // The same training again gives the same answers to the same questions.
            let equal = try program.run("train", "--json")
            #expect(equal.status == 0 && equal.output.contains("questions that were asked of it before it was promoted"), "\(equal.output)")
            #expect(try Self.statusOf(3, bench) == "promoted")
            EndToEnd.expectFailure(try program.run("models", "rollback"), status: 1, saying: "version 1", "cannot be used")
            #expect(try Self.statusOf(3, bench) == "promoted")

            // Nothing was recorded of a model that was never judged, and its files are gone: nothing can be compared, so it stays.
            _ = try bench.database.sql("update models set answers = null, metrics = '{}' where version = 3")
            let lost = try bench.database.sql("select artifact_path from models where version = 3")
            try FileManager.default.removeItem(atPath: bench.path("artifacts/\(lost)"))
            let blind = try program.run("train", "--json", "--set", "gate_anchor_days=0")
            #expect(blind.status == 3 && blind.output.contains("Nothing can be compared with version 3"), "\(blind.output)")

            // Without a holdout nobody judges, and everybody is told.
            let unjudged = try program.run("train", "--json", "--set", "holdout=none")
            #expect(unjudged.status == 0 && unjudged.errors.contains("promoted without being judged"), "\(unjudged.errors)")
            #expect(try program.run("models", "list").output.contains("Promoted without being judged"))
        }
    }
}
