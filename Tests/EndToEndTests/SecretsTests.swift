import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Nothing that the program writes, and nothing that `ps` shows, holds a secret.
    @Suite struct SecretsTests {
        private static let secret = "s3cret-Word-77"

        @Test("no command's last words repeat a secret, wherever it was written", arguments: [
            ["doctor", "database.url=postgres://u:s3cret-Word-77@h"], ["doctor", "--set", "database.url s3cret-Word-77"],
            ["doctor", "--set", "database.url=postgresql://u:s3cret-Word-77/x@127.0.0.1:1/d"],
            ["migrate", "--set", "database.url=postgresql://u:s3cret-Word-77/x@127.0.0.1:1/d"],
            ["migrate", "--set", "database.url=host=127.0.0.1 port=1 password=s3cret-Word-77 sslmode=s3cret-Word-77"],
            ["migrate", "--set", "database.url=postgresql://u:s3cret-Word-77@127.0.0.1:1/d?sslmode=s3cret-Word-77"],
            ["doctor", "--set", "kafka.properties.sasl.password=s3cret-Word-77", "--set", "kafka.properties.sasl.mechanism=s3cret-Word-77"],
            ["doctor", "--set", "http.admin_keys=[s3cret-Word-77, s3cret-Word-77]"], ["serve", "--set", "http.keys=s3cret-Word-77"],
        ])
        func lastWords(arguments: [String]) throws {
            let bench = try Workbench(migrated: false)
            for format in ["text", "json"] {
                let result = try bench.program(broker: "127.0.0.1:1").with(["FRESHET_LOG_FORMAT": format]).run(arguments)
                #expect(result.status != 0 && !result.wasKilled)
                #expect(!(result.output + result.errors).contains(Self.secret), "\(result.output)\(result.errors)")
            }
        }

        @Test("the command line that others see holds no secret")
        func title() throws {
            let bench = try Workbench(migrated: false)
            let role = try bench.program().started(by: ["/bin/sh", "-c", "echo $$; exec \"$0\" \"$@\""]).start(
                "broker", "--port", "0", "--set", "kafka.properties.sasl.password=\(Self.secret)", "--set=http.admin_keys=\(Self.secret)")
            #expect(role.waitFor("127.0.0.1:"))
            let id = try #require(role.log.split(separator: "\n").first.flatMap { Int32($0) })
            let line = String(decoding: try #require(FileManager.default.contents(atPath: "/proc/\(id)/cmdline")), as: UTF8.self)
            #expect(line.contains("kafka.properties.sasl.password=xxx") && !line.contains(Self.secret), "\(line)")
            #expect(role.stop() == 0)
        }

        @Test("a number at its limits is a sentence, not a trap", arguments: [
            ["doctor", "--set", "http.port=-0x-8000000000000000"], ["doctor", "--set", "ranking.tail_dial=0x-8000000000000000"],
            ["doctor", "--set", "currency.rates={VND: 1e-9223372036854775808}"],
            ["migrate", "--set", "database.url=postgresql://127.0.0.1:1/x?connect_timeout=2147483647"],
            ["simulate", "past", "--days", "9223372036854775807"], ["simulate", "past", "--users", "9223372036854775807"],
            ["simulate", "shoppers", "--seconds", "9223372036854775807"], ["simulate", "shoppers", "--visits", "1e300"],
        ])
        func limits(arguments: [String]) throws {
            let result = try Workbench(migrated: false).program(broker: "127.0.0.1:1").run(arguments)
            #expect(!result.wasKilled && (result.status == 64 || result.status == 1), "\(result.status): \(result.errors)")
        }

        @Test("doctor says what a role lacks and what it has too much, and a secret comes from a file")
        func roles() throws {
            let bench = try Workbench()
            let url = try bench.write([bench.database.url], to: "url")
            var program = bench.program(broker: "127.0.0.1:1")
            program.environment["FRESHET_DATABASE_URL"] = nil
            program.environment["FRESHET_DATABASE_URL_FILE"] = url
            let result = try program.run("doctor", "--role", "serve")
            #expect(result.output.contains("rights") && result.output.contains("more than serve needs"), "\(result.output)\(result.errors)")
            #expect(result.errors.contains("FRESHET_DATABASE_URL_FILE") && result.errors.contains("chmod"))
            #expect(try program.run("doctor", "--role", "nobody").status == 64)
            let printed = try program.run("migrate", "--print-roles")
            #expect(printed.status == 0 && printed.output.contains("create role"))
        }
    }
}
