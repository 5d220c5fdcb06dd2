import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Trainings that go on from the promoted model, data that are refused, and searches, each as a process.
    @Suite struct IncrementProcessTests {
        private static func shop() throws -> (bench: Workbench, program: Program) {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            return (bench, program)
        }

        private static func newest(_ bench: Workbench) throws -> Int {
            try #require(Int(try bench.database.sql("select (extract(epoch from max(event_time)) * 1000)::bigint from interactions")))
        }

        private static func event(_ id: String, user: String, item: String, at time: Int) -> String {
            #"{"event_id":"\#(id)","type":"click","user_id":"\#(user)","item_id":"\#(item)","timestamp":\#(time)}"#
        }

        /// `count` clicks of known users, a second apart, the last of them on an item that nobody knew.
        private static func writeNews(_ bench: Workbench, count: Int) throws -> String {
            let users = try bench.database.sql("select distinct user_id from interactions where type > 0 order by 1 limit 100").split(
                separator: "\n"
            ).map(String.init)
            let items = try bench.database.sql("select item_id from items where not hidden order by 1 limit 40").split(separator: "\n").map(
                String.init)
            let start = try newest(bench)
            return try bench.write(
                (0..<count).map { place in
                    let item = place == count - 1 ? "never-seen" : items[(place * 7 + place / 100 * 11) % items.count]
                    return event("news-\(place)", user: users[place % users.count], item: item, at: start + (place + 1) * 1_000)
                }, to: "news.jsonl")
        }

        private static func object(_ text: String) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        @Test("an incremental training learns what the promoted model has not seen, and is judged on it and on what was known")
        func increment() throws {
            let (bench, program) = try Self.shop()
            // Without a promoted model there is nothing to go on from: a training in full.
            let first = try program.run("train", "--incremental", "--set", "holdout=none")
            #expect(first.status == 0 && first.errors.contains("training in full"), "\(first.errors)")
            #expect(try bench.database.sql("select status from models") == "promoted")
            EndToEnd.expectFailure(try program.run("train", "--incremental"), status: 1, saying: "nothing new")
            try SmallShop.check(program.run("backfill", "--events", try Self.writeNews(bench, count: 300)))
            EndToEnd.expectFailure(try program.run("train", "--incremental", "--set", "dimension=16"), status: 1, saying: "train.dimension")
            let second = try program.run("train", "--incremental", "--json")
            #expect(second.status == 0, "\(second.errors)")
            #expect(try bench.database.sql("select metrics->'increment'->>'new_interactions' from models where version = 2") == "300")
            #expect(try bench.database.sql("select configuration->>'train.base_version' from models where version = 2") == "1")
            let reasons = try #require(try Self.object(second.output)["reasons"] as? [String])
            #expect(
                reasons.contains { $0.hasPrefix("New interactions: ") } && reasons.contains { $0.hasPrefix("What was known: ") },
                "\(reasons)")
            // The new item has a row of its own: it is recommended by what was learned of it.
            let paths = try bench.database.sql("select artifact_path from models where version = 2")
            let ids = try #require(FileManager.default.contents(atPath: bench.path("artifacts/\(paths)/items.ids")))
            #expect(String(decoding: ids, as: UTF8.self).contains("never-seen"))
            let page = try program.run("models", "report", "2")
            #expect(page.status == 0, "\(page.errors)")
            // The same again is the same, bit for bit.
            _ = try bench.database.sql(
                "update models set status = 'retired' where status = 'promoted'; update models set status = 'promoted' where version = 1")
            try SmallShop.check(program.run("train", "--incremental"))
            let artifacts = try bench.database.sql("select artifact_path from models where version > 1 order by version").split(
                separator: "\n")
            let models = artifacts.map { FileManager.default.contents(atPath: bench.path("artifacts/\($0)/model.safetensors")) }
            #expect(models.count == 2 && models[0] != nil && models[0] == models[1])
        }

        @Test("a replay trains again after each slice, incrementally and in full")
        func retraining() throws {
            let (bench, program) = try Self.shop()
            try SmallShop.check(program.run("train", "--set", "holdout=none"))
            let file = try Self.writeNews(bench, count: 400)
            let result = try program.run(
                "evaluate", "--protocol", "replay", "--events", file, "--retrain-every", "2m", "--retrain", "both", "--json",
                "--set", "rules.exclude=seen")
            #expect(result.status == 0, "\(result.errors)")
            let found = try Self.object(result.output)
            let retraining = try #require(found["retraining"] as? [String: Any])
            for kind in ["full", "incremental"] {
                let entry = try #require(retraining[kind] as? [String: Any])
                // 400 seconds of news: borders at 120, 240 and 360.
                #expect(entry["slices"] as? Int == 3 && entry["new_events"] as? Int == 360, "\(entry)")
                #expect(found["freshet_\(kind)"] is [String: Any])
            }
            #expect((retraining["incremental_over_full_all"] as? [String: Any])?["gain"] is NSNumber)
            EndToEnd.expectFailure(try program.run("evaluate", "--retrain-every", "1d"), status: 64, saying: "--protocol replay")
            EndToEnd.expectFailure(
                try program.run("evaluate", "--protocol", "replay", "--retrain-every", "soon"), status: 64, saying: "soon")
        }

        @Test("a machine is left out, and repeated data are refused with a page")
        func dataGate() throws {
            let (bench, program) = try Self.shop()
            let start = try Self.newest(bench)
            let items = try bench.database.sql("select item_id from items order by 1 limit 50").split(separator: "\n").map(String.init)
            let machine = try bench.write(
                (0..<400).map { Self.event("m\($0)", user: "machine", item: items[$0 % items.count], at: start + $0) }, to: "machine.jsonl")
            try SmallShop.check(program.run("backfill", "--events", machine))
            let kept = try program.run("train", "--set", "holdout=none", "--set", "data_gate=enforce", "--json")
            #expect(kept.status == 0 && kept.errors.contains("look like machines"), "\(kept.errors)")
            let all = try #require(Int(try bench.database.sql("select count(*) from interactions where type > 0")))
            #expect(try Self.object(kept.output)["interactions"] as? Int == all - 400)
            #expect(
                try bench.database.sql("select metrics->'data_profile'->'all'->>'events' from models where version = 1") == "\(all - 400)")
            let whole = try program.run("train", "--set", "holdout=none", "--set", "data_gate=off", "--json")
            #expect(try Self.object(whole.output)["interactions"] as? Int == all)

            let repeated = try bench.write(
                (0..<all).map { Self.event("r\($0)", user: "u\(1 + $0 % 100)", item: items[$0 % 2], at: start + 60_000 * ($0 % 100)) },
                to: "repeated.jsonl")
            try SmallShop.check(program.run("backfill", "--events", repeated))
            let refused = try program.run("train", "--set", "holdout=none", "--set", "data_gate=enforce")
            EndToEnd.expectFailure(refused, status: 1, saying: "repeated", "data-report.html", "train.data_gate=warn")
            let page = try String(contentsOfFile: bench.path("artifacts/data-report.html"), encoding: .utf8)
            #expect(page.contains("refused") && page.contains("repeated interactions"))
            let warned = try program.run("train", "--set", "holdout=none")
            #expect(warned.status == 0 && warned.errors.contains("the data look broken"), "\(warned.errors)")
        }

        @Test("a search tries settings on one snapshot, goes on where it was, and writes a recipe that trains")
        func search() throws {
            let (bench, program) = try Self.shop()
            let arguments = [
                "search", "--range", "train.learning_rate=1e-3..1e-2:log", "--range", "train.epochs=1,2", "--trials", "4", "--rungs", "2",
                "--keep-one-in", "2", "--seed", "3", "--json", "--set", "train.threads=1",
            ]
            let first = try program.run(arguments)
            #expect(first.status == 0, "\(first.errors)")
            let found = try Self.object(first.output)
            #expect(found["trials"] as? Int == 6 && found["complete"] as? Bool == true, "\(first.output)")
            let best = try #require((found["ndcg@10"] as? NSNumber)?.doubleValue),
                stands = try #require((found["as_it_stands_ndcg@10"] as? NSNumber)?.doubleValue)
            #expect(best >= stands)
            let again = try program.run(arguments)
            #expect(again.status == 0 && again.output == first.output && !again.errors.contains("trial="), "\(again.errors)")
            EndToEnd.expectFailure(try program.run(arguments.map { $0 == "3" ? "4" : $0 }), status: 1, saying: "--name")
            EndToEnd.expectFailure(
                try program.run("search", "--range", "train.learning_rat=1..2"), status: 64, saying: "train.learning_rate")
            EndToEnd.expectFailure(try program.run("search", "--range", "train.epochs=2..1"), status: 64, saying: "the lower first")
            #expect(try bench.database.sql("select count(*) from models") == "0", "a search registers nothing")
            let recipe = try #require(found["recipe"] as? String)
            let trained = try bench.program(broker: nil).run("train", "--set", "refused_status=0", "--config", recipe)
            #expect(trained.status == 0, "\(trained.errors)")
        }
    }
}
