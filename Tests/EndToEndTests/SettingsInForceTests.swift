import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// How commands take settings together, how doctor looks at them, and how a command says its last sentence.
    @Suite struct SettingsInForceTests {
        /// A line of JSON with a level and a message.
        private struct Line: Decodable {
            var level: String
            var role: String
            var message: String
            var exit_status: String?
        }

        @Test("the last error is a line of JSON where log.format asks for that, and the status stays", arguments: [
            (["migrate", "--set", "database.url=postgresql://x@127.0.0.1:1/y"], 1, "migrate", "127.0.0.1:1"),
            (["migrate", "--nonsense"], 64, "migrate", "--nonsense"),
            (["migrate", "--set", "http.port=eighty"], 64, "migrate", "http.port"),
            (["recommend"], 64, "recommend", "--users"), (["ingset"], 64, "freshet", "ingset"),
            (["train", "--set", "artifacts.path=/proc/self"], 1, "train", "artifacts.path"),
        ] as [([String], Int32, String, String)])
        func jsonErrors(arguments: [String], status: Int32, role: String, word: String) throws {
            let bench = try Workbench()
            let file = try bench.write(["log:", "  format: json"], to: "freshet.yaml")
            let environments: [[String: String]] = [[:], ["FRESHET_LOG_FORMAT": "json"]]
            for environment in environments {
                if !environment.isEmpty { try FileManager.default.removeItem(atPath: file) }
                let result = try bench.program().with(environment).run(arguments)
                #expect(result.status == status, "\(result.errors)")
                let lines = result.errors.split(separator: "\n")
                let decoded = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
                let last = try #require(decoded.last)
                #expect(last.level == "error" && last.role == role && last.message.contains(word), "\(result.errors)")
                #expect(last.exit_status == "\(status)")
            }
            let plain = try bench.program().run(arguments)
            #expect(plain.status == status && plain.errors.contains("Error: "), "\(plain.errors)")
        }

        @Test("help stays text, and progress becomes JSON")
        func jsonElsewhere() throws {
            let bench = try Workbench()
            let program = bench.program().with(["FRESHET_LOG_FORMAT": "json"])
            let help = try program.run("train", "--help")
            #expect(help.status == 0 && help.output.contains("USAGE: freshet train"))
            let events = try bench.write(
                [#"{"type":"click","user_id":"u1","item_id":"i1","timestamp":\#(EndToEnd.past)}"#], to: "events.jsonl")
            let result = try program.run("backfill", "--events", events)
            #expect(result.status == 0)
            for line in result.errors.split(separator: "\n") {
                #expect(throws: Never.self, "\(line)") { try JSONDecoder().decode(Line.self, from: Data(line.utf8)) }
            }
        }

        @Test("an option that takes one value is refused where it is given twice")
        func repeated() throws {
            let program = try Workbench(migrated: false).program()
            for arguments in [
                ["train", "--epochs", "1", "--epochs", "2"], ["train", "--epochs=1", "--epochs=2"],
                ["recommend", "--users", "a", "--users", "b"],
                ["migrate", "--log-level", "info", "--log-level", "debug"], ["broker", "--port", "0", "--port=1"],
            ] {
                EndToEnd.expectFailure(
                    try program.run(arguments, limit: 10), status: 64, saying: "more than once", String(arguments[1].prefix { $0 != "=" }))
            }
        }

        @Test("two files of settings are layers")
        func layers() throws {
            let bench = try Workbench(migrated: false)
            let first = try bench.write(["database:", "  url: \(bench.database.url)", "http:", "  port: 81"], to: "first.yaml")
            let second = try bench.write(["http:", "  port: 82"], to: "second.yaml")
            var program = bench.program()
            program.environment["FRESHET_DATABASE_URL"] = nil
            #expect(try program.run("migrate", "--config", first, "--config", second).status == 0)
            #expect(try program.run("migrate", "--config", second, "--config", first).status == 0)
            EndToEnd.expectFailure(try program.run("migrate", "--config", second), status: 1, saying: "database.url")
        }

        @Test("doctor looks at every setting that a role reads", arguments: [
            ("train.epochs=0", 64), ("ingest.event_types.view=klick", 64), ("ingest.default_currency=Euro", 64),
            ("objectives.click_power=0", 64),
            ("train.temperature=0.05", 1), ("kafka.properties.linger.sm=5", 1), ("kafka.properties.enable.auto.commit=true", 1),
            ("kafka.properties.linger.ms=soon", 1),
        ] as [(String, Int32)])
        func doctor(setting: String, status: Int32) throws {
            let program = try Workbench().program(broker: "127.0.0.1:1")
            let result = try program.run("doctor", "--set", setting, limit: 30)
            let key = setting.prefix { $0 != "=" }.replacing("kafka.properties.", with: "")
            #expect(result.status == status && (result.output + result.errors).contains(key), "\(result.output) \(result.errors)")
            #expect(
                result.status == 64 || result.output.split(separator: "\n").contains { $0.hasPrefix("✗") && $0.contains(key) },
                "\(result.output)")
        }

        @Test("doctor tells contradictions of training settings")
        func contradictions() throws {
            let program = try Workbench().program(broker: "127.0.0.1:1")
            let result = try program.run(
                "doctor", "--set", "train.positive_ratings_from=3", "--set", "train.negative_ratings_below=4", "--set", "http.host=0.0.0.0",
                limit: 30)
            #expect(result.status == 1 && result.output.contains("✗ training settings: train.negative_ratings_below"), "\(result.output)")
            #expect(result.output.contains("✗ service settings: ") && result.output.contains("http.host is 0.0.0.0"), "\(result.output)")
        }

        // Neither can be written by anybody, root included.
        @Test("a folder that cannot be written has a sentence in doctor and in train", arguments: ["/proc/self", "/dev/null/models"])
        func unwritable(path: String) throws {
            let bench = try Workbench()
            let events = (0..<120).map {
                #"{"type":"click","user_id":"u\#($0 % 9)","item_id":"i\#($0 % 7)","timestamp":\#(EndToEnd.past + $0)}"#
            }
            let program = bench.program(broker: "127.0.0.1:1").with(["FRESHET_ARTIFACTS_PATH": path])
            #expect(try program.run("backfill", "--events", bench.write(events, to: "events.jsonl")).status == 0)
            let doctor = try program.run("doctor", limit: 30)
            #expect(doctor.output.contains("✗ disk: artifacts.path is \(path), and"), "\(doctor.output)")
            let train = try program.run("train", "--set", "preset=small", "--epochs", "1")
            EndToEnd.expectFailure(train, status: 1, saying: "cannot write \(path)", "artifacts.path")
            #expect(!train.errors.contains("Domain"), "\(train.errors)")
        }

        @Test("doctor makes nothing, and missing model files are no fault of the database")
        func missingFiles() throws {
            let bench = try Workbench()
            let program = bench.program(broker: "127.0.0.1:1")
            _ = try program.run("doctor", limit: 30)
            let events = (0..<120).map {
                #"{"type":"click","user_id":"u\#($0 % 9)","item_id":"i\#($0 % 7)","timestamp":\#(EndToEnd.past + $0)}"#
            }
            #expect(try program.run("backfill", "--events", bench.write(events, to: "events.jsonl")).status == 0)
            let made = bench.path("models")
            _ = try program.run("doctor", "--set", "artifacts.path=\(made)", limit: 30)
            #expect(!FileManager.default.fileExists(atPath: made))
            #expect(
                try program.run(
                    "train", "--set", "preset=small", "--epochs", "1", "--set", "holdout=none", "--set", "artifacts.path=\(made)"
                ).status == 0)
            let moved = try program.run("doctor", "--set", "artifacts.path=\(bench.path("elsewhere"))", limit: 30)
            #expect(
                moved.output.contains("✓ database") && moved.output.contains("✗ model: the database says that version 1 is promoted"),
                "\(moved.output)")
            #expect(!moved.output.contains("✗ database"), "\(moved.output)")
        }
    }
}
