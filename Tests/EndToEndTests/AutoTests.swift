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
            let program = bench.program(broker: nil, ["FRESHET_TRAIN_REFUSED_STATUS": "0", "FRESHET_TRAIN_EPOCHS": "1"])
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
