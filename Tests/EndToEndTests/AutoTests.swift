import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// A training that nobody gave a recipe, as an operator sees it.
    @Suite struct AutoTests {
        @Test("without a recipe a training says what it saw, what it chose and why, everywhere; what is set wins")
        func chosen() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(
                broker: nil,
                ["FRESHET_TRAIN_REFUSED_STATUS": "0", "FRESHET_TRAIN_EPOCHS": "1", "FRESHET_TRAIN_CHOICE_BUDGET_MINUTES": "0"])
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            let first = try program.run("train", "--json")
            #expect(first.status == 0, "\(first.errors)")
            // A simulated shopper has a handful of events.
            #expect(first.output.contains(#""chosen":{"train.preset":"small"}"#), "\(first.output)")
            #expect(first.output.contains(#""choice":{"#) && first.output.contains(#""events_a_user":"#), "\(first.output)")
            #expect(first.errors.contains("preset auto: chosen by what the data look like"), "\(first.errors)")
            #expect(first.errors.contains("a large model would learn so short histories by heart"), "\(first.errors)")

            let table = try program.run("models", "show", "1", "--choice")
            #expect(table.output.contains("What auto chose:\ntrain.preset\tsmall\t"), "\(table.output) \(table.errors)")
            #expect(table.output.contains("events a user, an item (median)\t"))
            // The registry writes its own spaces.
            let shown = try program.run("models", "show", "1").output.replacing(" ", with: "")
            #expect(shown.contains(#""chosen":[{"#) && shown.contains(#""preset":"small""#), "\(shown)")
            #expect(try program.run("models", "report", "1", "--output", bench.path("page.html")).status == 0)
            let page = try String(contentsOfFile: bench.path("page.html"), encoding: .utf8)
            #expect(page.contains("<h2>What auto chose</h2>") && page.contains("What was seen") && page.contains("train.preset"))

            let own = try program.run("train", "--json", "--preset", "default", "--set", "dimension=16", "--set", "heads=1")
            #expect(own.status == 0 && own.output.contains(#""chosen":{}"#) && !own.output.contains(#""choice":{"#), "\(own.output)")
            #expect(try program.run("models", "show", "2", "--choice").output.hasPrefix("nothing was chosen for version 2"))
            let part = try program.run("train", "--json", "--preset", "auto", "--set", "dimension=16")
            #expect(part.output.contains(#""chosen":{"train.preset":"small"}"#), "\(part.output) \(part.errors)")
            let settings = try bench.database.sql("select configuration from models where version = 3")
            #expect(settings.replacing(" ", with: "").contains(#""dimension":"16""#), "\(settings)")
        }

        @Test("alternatives are compared, a killed training goes on where it compared, and the next one keeps what was chosen")
        func compared() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(
                broker: nil,
                ["FRESHET_TRAIN_REFUSED_STATUS": "0", "FRESHET_TRAIN_EPOCHS": "1", "FRESHET_GATE_RIVALS": "off"])
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            let role = try program.start("train")
            #expect(role.waitFor("settings=rules", limit: 120), "\(role.log)")
            role.killNow()
            let trials = try String(contentsOfFile: bench.path("artifacts/training/trials.jsonl"), encoding: .utf8)
            let first = try program.run("train", "--resume", "--json")
            #expect(first.status == 0 && !first.errors.contains("settings=rules"), "\(first.errors)")
            #expect(first.output.contains(#""comparison":{"#) && first.output.contains(#""budget_seconds":180"#), "\(first.output)")
            let seconds = try #require(trials.split(separator: "\"seconds\":").last?.prefix { $0 != "," && $0 != "}" })
            #expect(first.output.contains("\"seconds\":\(seconds)"), "\(seconds) is not in \(first.output)")
            #expect(!FileManager.default.fileExists(atPath: bench.path("artifacts/training")))

            let table = try program.run("models", "show", "1", "--choice").output
            #expect(table.contains("What was compared on the held-out part:\nchoice\tusers\tquestions\t"), "\(table)")
            #expect(table.contains("\nrules\tall\t") && table.contains("of 3 min 0 s (train.choice_budget_minutes)."), "\(table)")
            #expect(try program.run("models", "report", "1", "--output", bench.path("page.html")).status == 0)
            let page = try String(contentsOfFile: bench.path("page.html"), encoding: .utf8)
            #expect(page.contains("<h3>What was compared on the held-out part</h3>"))

            if !first.output.contains(#""promoted":true"#) {
                try SmallShop.check(program.run("models", "promote", "1", "--force", "--reason", "a test"))
            }
            let second = try program.run("train", "--json")
            #expect(second.status == 0 && second.output.contains(#""former_version":1"#), "\(second.output) \(second.errors)")
            func chosen(_ line: String) -> Substring? { line.split(separator: "\"chosen\":{").dropFirst().first?.prefix { $0 != "}" } }
            #expect(chosen(second.output) == chosen(first.output) && chosen(first.output) != nil, "\(second.output)")
        }

        @Test("a search begins with what a training would choose, and goes on with it")
        func searched() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, ["FRESHET_TRAIN_EPOCHS": "1"])
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            let words = ["search", "--range", "train.dimension=8,16", "--trials", "2", "--method", "random"]
            let found = try program.run(words)
            #expect(found.status == 0, "\(found.errors)")
            let recipe = try String(contentsOfFile: bench.path("artifacts/searches/search/best.yaml"), encoding: .utf8)
            #expect(recipe.contains("preset: small"), "\(recipe)")
            let again = try program.run(words)
            #expect(again.status == 0 && !again.errors.contains("read interactions"), "\(again.errors)")
        }
    }
}
