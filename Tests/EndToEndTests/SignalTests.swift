import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// What ratings and the weights of the heads' losses make of a training.
    @Suite struct SignalTests {
        private static func objectives(_ bench: Workbench) throws -> [String: Any] {
            let text = try bench.database.sql("select metrics::jsonb->'objectives' from models order by version desc limit 1")
            return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
        }

        @Test("what is rated low is no example and teaches the head for clicks; a sweep of loss weights is in the registry and the report")
        func declinedItemsAndSweep() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            // Every fifth click comes with a low rating, the others with a high one.
            var low = 0, number = 0
            let events = try String(contentsOfFile: bench.path("events.jsonl"), encoding: .utf8).split(separator: "\n").map {
                line -> String in
                guard var event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                    event["type"] as? String == "click"
                else { return String(line) }
                number += 1
                var context = event["context"] as? [String: Any] ?? [:]
                context["rating"] = number % 5 == 0 ? 1 : 5
                low += number % 5 == 0 ? 1 : 0
                event["context"] = context
                return String(decoding: try JSONSerialization.data(withJSONObject: event, options: .sortedKeys), as: UTF8.self)
            }
            try #require(low > 100)
            _ = try bench.write(events, to: "events.jsonl")
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))

            let train = ["train", "--set", "epochs=1", "--set", "final_fit=false", "--set", "adaptation.mode=off"]
            try SmallShop.check(program.run(train + ["--set", "positive_ratings_from=3"]))
            #expect(try Self.objectives(bench)["declined"] as? Int == 0)
            try SmallShop.check(program.run(train + ["--set", "negative_ratings_below=3", "--set", "objectives.balance=sweep"]))
            let found = try Self.objectives(bench)
            #expect(found["declined"] as? Int ?? 0 > 20, "\(found)")
            // Both leave the same events out.
            let counts = try bench.database.sql("select metrics::jsonb->'data'->0->>'value' from models order by version").split(
                separator: "\n")
            #expect(counts.count == 2 && counts[0] == counts[1], "\(counts)")
            let clash = train + ["--set", "negative_ratings_below=3", "--set", "positive_ratings_from=2"]
            EndToEnd.expectFailure(
                try program.run(clash), status: 64, saying: "train.negative_ratings_below", "train.positive_ratings_from")

            let sweep = try #require(found["sweep"] as? [[String: Any]])
            #expect(sweep.count == 7 && sweep.count { $0["picked"] as? Bool == true } == 1)
            #expect(sweep.contains { $0["front"] as? Bool == true && $0["picked"] as? Bool == true })
            #expect(sweep.allSatisfy { ($0["click_loss"] as? Double ?? 0) > 0 && $0["conversion_weight"] is NSNumber })
            let table = try program.run("models", "objectives", "2")
            #expect(table.output.contains("in use") && table.output.contains("uncertainty"), "\(table.output)\(table.errors)")
            let page = try program.run("models", "report", "2", "--output", "-")
            #expect(page.output.contains("Weights of the losses") && EvaluateTests.flaw(in: page.output) == nil)
        }
    }
}
