import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// `freshet recommend`, and files in general.
    @Suite struct BatchTests {
        private struct Line: Decodable {
            struct Item: Decodable {
                var item_id: String
                var score: Double
            }
            var user_id: String
            var items: [Item]
        }

        private func lines(_ text: String) throws -> [Line] {
            try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        }

        @Test("users in the order of the file, unknown ones too, candidates alone, and a file that is whole or not there")
        func recommend() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(
                broker: nil, SmallShop.training.merging(["FRESHET_RULES_EXCLUDE": "purchased"]) { $1 })
            let items = try bench.write(["i1"], to: "none.txt")
            EndToEnd.expectFailure(try program.run("recommend", "--users", items), status: 1, saying: "freshet train")
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train", "--set", "holdout=none"))

            let order = ["u9", "stranger", "u3", #"{"user_id":"u150","other":1}"#, "ünï", "u1"]
            let users = try bench.write(order, to: "users.txt")
            let result = try program.run("recommend", "--users", users, "--n", "25", "--output", bench.path("out.jsonl"))
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output == "")
            let inFile = try lines(String(contentsOfFile: bench.path("out.jsonl"), encoding: .utf8))
            #expect(inFile.map(\.user_id) == ["u9", "stranger", "u3", "u150", "ünï", "u1"])
            for line in inFile {
                #expect(line.items.count == 25 && Set(line.items.map(\.item_id)).count == 25, "\(line.user_id)")
                #expect(zip(line.items, line.items.dropFirst()).allSatisfy { $0.score >= $1.score }, "\(line.user_id)")
                let bought = try bench.database.sql(
                    "select distinct item_id from interactions where type = 3 and user_id = '\(line.user_id)'")
                #expect(Set(bought.split(separator: "\n").map(String.init)).isDisjoint(with: line.items.map(\.item_id)))
            }
            #expect(!FileManager.default.fileExists(atPath: bench.path("out.jsonl.partial")))
            let printed = try program.run("recommend", "--users", users, "--n", "25")
            #expect(printed.output == (try String(contentsOfFile: bench.path("out.jsonl"), encoding: .utf8)))

            let no = try bench.write([#"{"user_id":"u9","personalised":false}"#], to: "no.jsonl")
            try SmallShop.check(program.run("backfill", "--users", no))
            let told = try program.run("recommend", "--users", users, "--n", "25").output.split(separator: "\n")
            #expect(told.map { $0.hasSuffix(#","personalised":false}"#) } == [true, false, false, false, false, false])

            let some = ["i5", "i7", "i11", "no-such-item", #"{"item_id":"i13"}"#]
            let candidates = try bench.write(some, to: "candidates.txt")
            let ranked = try lines(program.run("recommend", "--users", users, "--candidates", candidates, "--set", "rules.exclude=").output)
            for line in ranked { #expect(Set(line.items.map(\.item_id)) == ["i5", "i7", "i11", "i13"], "\(line.user_id)") }

            let unknown = try bench.write(["nobody", "nothing"], to: "unknown.txt")
            EndToEnd.expectFailure(
                try program.run("recommend", "--users", users, "--candidates", unknown), status: 1, saying: "2 of the 2 candidates",
                "such as nobody")
            let counted = try program.run("recommend", "--users", users, "--candidates", candidates)
            #expect(counted.status == 0 && counted.errors.contains("1 of the 5 candidates"), "\(counted.errors)")

            // JSON is JSON, however it is written, and a pipe is written through.
            let written = try bench.write(
                [#" {"context":{"user_id":"x"},"user_id":"\u00fcn\u00ef"}"#, "{\"user_id\":\t\"shop\\/u1\"}", "77", #"{"user_id":77}"#],
                to: "json.txt")
            let fifo = bench.path("out.fifo")
            try #require(mkfifo(fifo, 0o600) == 0)
            let reader = open(fifo, O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            let piped = try program.run("recommend", "--users", written, "--n", "2", "--output", fifo)
            #expect(piped.status == 0, "\(piped.errors)")
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = read(reader, &bytes, bytes.count)
            #expect(try lines(String(decoding: bytes[..<max(0, count)], as: UTF8.self)).map(\.user_id) == ["ünï", "shop/u1", "77"])

            // A run that fails leaves the earlier file alone.
            let wrong = try bench.write(["u1", "{\"nobody\":1}"], to: "wrong.txt")
            EndToEnd.expectFailure(
                try program.run("recommend", "--users", wrong, "--output", bench.path("out.jsonl")), status: 1, saying: "line 2",
                "wrong.txt")
            #expect(try lines(String(contentsOfFile: bench.path("out.jsonl"), encoding: .utf8)).count == order.count)
            EndToEnd.expectFailure(
                try program.run("recommend", "--users", users, "--output", bench.path("nowhere/out.jsonl")), status: 1,
                saying: "nowhere/out.jsonl")
            EndToEnd.expectFailure(try program.run("recommend", "--users", "nowhere.txt"), status: 1, saying: "nowhere.txt")
        }

        @Test("a file given first as the wrong kind is still stored as the right one")
        func wrongKindFirst() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program()
            _ = try program.run("backfill", "--items", "events.jsonl")
            let right = try program.run("backfill", "--events", "events.jsonl", "--json")
            #expect(right.status == 0, "\(right.errors)")
            #expect(try bench.database.sql("select count(*) from interactions") == "8000", "\(right.output)")
        }

        @Test("a rejected record of a file is replayed to the topic of its kind")
        func replay() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address)
            let events = try bench.write(
                [#"{"event_id":"a","type":"view","user_id":"u1","item_id":"i1","timestamp":\#(EndToEnd.past)}"#], to: "events.jsonl")
            let tags = (0..<1_100).map { #""t\#($0)""# }.joined(separator: ",")
            let items = try bench.write([#"{"item_id":"i1","tags":[\#(tags)]}"#], to: "items.jsonl")
            EndToEnd.expectFailure(
                try program.run("backfill", "--events", events, "--items", items), status: 1, saying: "not one line", "line 1: type",
                "dead-letters replay")
            #expect(
                try bench.database.sql("select string_agg(code, ',' order by code) from dead_letters") == "too_many_elements,unknown_type")
            let replayed = try program.run("dead-letters", "replay", "--json")
            #expect(replayed.status == 0 && replayed.output.contains(#""replayed":2"#), "\(replayed.output)\(replayed.errors)")
            let ingested = try program.with(["FRESHET_INGEST_EVENT_TYPES_VIEW": "click"]).run("ingest", "--until-end", "--json")
            #expect(ingested.status == 0, "\(ingested.errors)")
            #expect(try bench.database.sql("select type, user_id from interactions") == "1|u1")
            // It was refused for the same reason: one letter, which is not sent round for ever.
            #expect(
                try bench.database.sql("select source, code from dead_letters where source like 'freshet.%'")
                    == "freshet.items|too_many_elements")
            #expect(try bench.database.sql("select count(*) from dead_letters") == "2")
            #expect(try program.run("dead-letters", "list").output.contains("(refused again)"))
            #expect(try program.run("dead-letters", "replay", "--json").output.contains(#""replayed":0"#))
            #expect(try program.run("dead-letters", "replay", "--again", "--json").output.contains(#""replayed":1"#))
        }

        @Test("any number of letters is replayed, each once, and what cannot be is counted")
        func replayOfMany() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address)
            // None has an id of its own: a second sending would count twice.
            let lines = (0..<1_500).map {
                #"{"type":"view","user_id":"u\#($0 % 40)","item_id":"i\#($0 % 7)","timestamp":\#(EndToEnd.past + $0)}"#
            }
            let events = try bench.write(lines, to: "views.jsonl")
            #expect(try program.run("produce", "--topic", "freshet.events", events).status == 0)
            #expect(try program.run("ingest", "--until-end").status == 0)
            let long = #"{"event_id":"long","type":"view","user_id":"u1","item_id":"\#(String(repeating: "x", count: 70_000))"}"#
            #expect(try program.run("backfill", "--events", try bench.write([long], to: "long.jsonl")).output.contains("rejected 1"))
            let listed = try program.run("dead-letters", "list", "--limit", "1200")
            #expect(listed.output.split(separator: "\n").count == 1_200 && listed.errors.contains("301 more"), "\(listed.errors)")

            let replayed = try program.run("dead-letters", "replay", "--json")
            #expect(
                replayed.status == 0 && replayed.output.contains(#""replayed":1500,"left_out":1"#), "\(replayed.output)\(replayed.errors)")
            #expect(replayed.errors.contains("cut"), "\(replayed.errors)")
            let mapped = program.with(["FRESHET_INGEST_EVENT_TYPES_VIEW": "click"])
            #expect(try mapped.run("ingest", "--until-end").status == 0)
            #expect(
                try bench.database.sql("select count(*), sum(clicks) from user_features join interactions using (user_id)").hasPrefix(
                    "1500|"))
            #expect(try bench.database.sql("select count(*) from interactions") == "1500")
            #expect(try mapped.run("dead-letters", "replay", "--json").output.contains(#""replayed":0"#))
        }

        @Test("letters of a backfill are stored without Kafka, each once, and a second refusal is said")
        func replayDirectly() throws {
            let bench = try Workbench()
            let program = bench.program()
            let lines =
                (0..<700).map { #"{"type":"view","user_id":"u\#($0 % 40)","item_id":"i\#($0 % 7)","timestamp":\#(EndToEnd.past + $0)}"# }
                + [#"{"type":"wink","user_id":"u1","item_id":"i1","timestamp":\#(EndToEnd.past)}"#]
            _ = try program.run("backfill", "--events", try bench.write(lines, to: "views.jsonl"))
            #expect(try bench.database.sql("select count(*) from dead_letters") == "701")
            let unmapped = try program.run("dead-letters", "replay", "--directly", "--json")
            #expect(
                unmapped.status == 0 && unmapped.output.contains(#""replayed":0"#) && unmapped.output.contains(#""refused_again":701"#),
                "\(unmapped.output)")
            #expect(unmapped.errors.contains("refused again"), "\(unmapped.errors)")
            let mapped = program.with(["FRESHET_INGEST_EVENT_TYPES_VIEW": "click"])
            #expect(try mapped.run("dead-letters", "replay", "--directly", "--json").output.contains(#""replayed":0"#))
            let again = try mapped.run("dead-letters", "replay", "--directly", "--again", "--json")
            #expect(
                again.output.contains(#""replayed":700"#) && again.output.contains(#""refused_again":1"#), "\(again.output)\(again.errors)")
            #expect(try mapped.run("dead-letters", "replay", "--directly", "--again", "--json").output.contains(#""replayed":0"#))
            #expect(try bench.database.sql("select count(*) from interactions") == "700")
            #expect(try bench.database.sql("select count(*) from dead_letters") == "701")
        }
    }
}
