import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Settings and arguments, as people get them wrong.
    @Suite struct ConfigurationTests {
        static let commands = [
            "demo", "migrate", "broker", "produce", "ingest", "backfill", "train", "recommend", "evaluate", "serve", "models",
            "dead-letters", "simulate", "bench", "doctor", "configuration",
        ]

        @Test("an unknown key is refused with the nearest one, wherever it stands")
        func unknownKeys() throws {
            let bench = try Workbench(migrated: false)
            let program = bench.program()
            EndToEnd.expectFailure(
                try program.run("migrate", "--set", "databse.url=postgresql://127.0.0.1/x"), status: 64, saying: "databse.url",
                "did you mean database.url?")
            EndToEnd.expectFailure(
                try program.with(["FRESHET_KAFKA_BOOTSTRAP_SERVER": "127.0.0.1:1"]).run("ingest"), status: 64,
                saying: "FRESHET_KAFKA_BOOTSTRAP_SERVER", "did you mean FRESHET_KAFKA_BOOTSTRAP_SERVERS?")
            EndToEnd.expectFailure(
                try program.run("train", "--set", "epoch=3"), status: 64, saying: "train.epoch", "did you mean train.epochs?")
            _ = try bench.write(["http:", "  prot: 8081"], to: "freshet.yaml")
            EndToEnd.expectFailure(
                try program.run("serve"), status: 64, saying: "freshet.yaml:2", "http.prot", "did you mean http.port?")
            _ = try bench.write(["rules:", "  exclude: [purchsed]"], to: "freshet.yaml")
            EndToEnd.expectFailure(try program.run("serve"), status: 64, saying: "rules.exclude", "did you mean purchased?")
        }

        @Test(
            "a value of the wrong kind is refused before any work",
            arguments: [
                "http.port=eighty", "http.port=70000", "clock=sundial", "serve.impressions=yes", "ingest.batch_records=0",
                "log.level=loud", "database.connections=-1", "ingest.earliest_time=long ago", "train.holdout_percent=many",
                "train.gate_margin=small", "objectives.purchase=much", "train.positive_ratings_from=good",
                "train.negative_ratings_below=low",
            ])
        func badValues(setting: String) throws {
            let program = try Workbench(migrated: false).program()
            EndToEnd.expectFailure(
                try program.run("migrate", "--set", setting, limit: 10), status: 64, saying: String(setting.prefix { $0 != "=" }))
        }

        @Test("files that cannot be read as settings are named")
        func badFiles() throws {
            let bench = try Workbench(migrated: false)
            let program = bench.program()
            EndToEnd.expectFailure(try program.run("migrate", "--config", "nowhere.yaml"), status: 64, saying: "nowhere.yaml")
            let broken = try bench.write(["database: [", "x"], to: "broken.yaml")
            EndToEnd.expectFailure(try program.run("migrate", "--config", broken), status: 64, saying: "broken.yaml")
            let list = try bench.write(["- a", "- b"], to: "list.yaml")
            EndToEnd.expectFailure(try program.run("migrate", "--config", list), status: 64, saying: "list.yaml")
            let empty = try bench.write(["# nothing"], to: "empty.yaml")
            #expect(try program.run("migrate", "--config", empty).status == 0)
        }

        @Test("flags win over the environment, which wins over the file")
        func precedence() throws {
            let bench = try Workbench(migrated: false)
            let program = bench.program()
            // The sentence about a database that does not exist tells which setting won.
            let missing = { (name: String) in TestDatabase.url(database: name) }
            let file = try bench.write(["database:", "  url: \(missing("from_file"))"], to: "settings.yaml")
            var alone = program
            alone.environment["FRESHET_DATABASE_URL"] = nil
            EndToEnd.expectFailure(try alone.run("migrate", "--config", file), status: 1, saying: "from_file")
            let both = alone.with(["FRESHET_DATABASE_URL": missing("from_environment")])
            EndToEnd.expectFailure(try both.run("migrate", "--config", file), status: 1, saying: "from_environment")
            EndToEnd.expectFailure(
                try both.run("migrate", "--config", file, "--set", "database.url=\(missing("from_flag"))"), status: 1, saying: "from_flag")
            #expect(try both.run("migrate", "--set", "database.url=\(bench.database.url)").status == 0)
        }

        @Test("a password is in no message, at any level")
        func secrets() throws {
            let bench = try Workbench()
            let secret = "s3cr3t-horse"
            let kafka = ["FRESHET_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"]
            for url in [
                "postgresql://freshet:\(secret)@127.0.0.1:1/freshet", "postgresql://freshet:\(secret)@127.0.0.1:notaport/freshet",
                "host=127.0.0.1 port=1 user=freshet password=\(secret)", "postgres//freshet:\(secret)@nowhere",
                "postgresql://freshet:\(secret)@127.0.0.1/x?unknown=1",
            ] {
                let program = bench.program(broker: nil, kafka.merging(["FRESHET_DATABASE_URL": url]) { $1 })
                // One that fails on its own URL is enough for doctor, which asks the broker first.
                for command in url.hasPrefix("host") ? [["migrate"], ["doctor"]] : [["migrate"], ["models", "list"]] {
                    let result = try program.run(command + ["--log-level", "trace"], limit: 30)
                    EndToEnd.expectFailure(result, status: 1, secret: secret)
                }
            }
            let shouted = bench.program(broker: nil, [
                "FRESHET_KAFKA_PROPERTIES_SASL_PASSWORD": secret, "FRESHET_KAFKA_PROPERTIES_SECURITY_PROTOCOL": "carrier-pigeon",
            ])
            let told = try shouted.run("doctor", "--log-level", "trace")
            EndToEnd.expectFailure(told, status: 1, secret: secret)
            #expect(told.output.contains("security.protocol"), "\(told.output)")
        }

        @Test("every command explains itself, and what is not a command is wrong usage")
        func usage() throws {
            let program = try Workbench(migrated: false).program()
            for command in Self.commands {
                let help = try program.run(command, "--help")
                #expect(help.status == 0 && help.output.contains("USAGE: freshet \(command)"), "\(command): \(help.errors)")
                let wrong = try program.run(command, "--no-such-flag")
                #expect(wrong.status == 64, "\(command) --no-such-flag: \(wrong.status) \(wrong.errors)")
            }
            #expect(try program.run("--help").status == 0)
            #expect(try program.run("--version").status == 0)
            let unknown = try program.run("ingset")
            EndToEnd.expectFailure(unknown, status: 64, saying: "ingset")
            EndToEnd.expectFailure(try program.run("backfill"), status: 64, saying: "--events")
            EndToEnd.expectFailure(try program.run("recommend"), status: 64, saying: "--users")
            EndToEnd.expectFailure(try program.run("recommend", "--users", "x", "--n", "0"), status: 64, saying: "1 to 1,000")
            EndToEnd.expectFailure(try program.run("train", "--as-of", "yesterday"), status: 64, saying: "--as-of")
            EndToEnd.expectFailure(try program.run("train", "--preset", "enormous"), status: 64, saying: "enormous")
            EndToEnd.expectFailure(try program.run("migrate", "--set", "nonsense"), status: 64, saying: "key=value")
            EndToEnd.expectFailure(try program.run("dead-letters", "list", "--code", "nonsense"), status: 64, saying: "nonsense")
            EndToEnd.expectFailure(try program.run("broker", "--partitions", "0"), status: 64, saying: "artitions")
            EndToEnd.expectFailure(try program.run("broker", "--port", "99999"), status: 64)
        }
    }
}
