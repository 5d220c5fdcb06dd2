import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Starting while something is missing: one clear sentence, and roles that can wait do wait.
    @Suite struct StartTests {
        /// A port on loopback that nobody listens on for now.
        private static func freePort() throws -> Int {
            let bench = try Workbench(migrated: false)
            let (broker, address) = try bench.startBroker()
            broker.stop()
            return try #require(address.split(separator: ":").last.flatMap { Int($0) })
        }

        @Test("ingest waits for a broker that starts later, and stores what it then holds")
        func withoutBroker() throws {
            let bench = try Workbench()
            let port = try Self.freePort()
            let program = bench.program(broker: "127.0.0.1:\(port)")
            let role = try program.start("ingest", "--until-end", "--json")
            #expect(role.waitFor("waiting for Kafka", limit: 15), "\(role.log)")
            let (broker, _) = try bench.startBroker(port: port)
            defer { broker.stop() }
            #expect(role.ended(within: 40) == 0, "\(role.log)")
            #expect(role.log.contains(#""stored":0"#), "\(role.log)")
        }

        @Test("ingest that waits for a broker or a database ends when asked")
        func waitingEnds() throws {
            let bench = try Workbench()
            let role = try bench.program(broker: "127.0.0.1:1").start("ingest")
            #expect(role.waitFor("waiting for Kafka", limit: 15), "\(role.log)")
            #expect(role.stop(limit: 10) == 0, "\(role.log)")
            let other = try bench.program(broker: "127.0.0.1:1", ["FRESHET_DATABASE_URL": "postgresql://a@127.0.0.1:1/b"]).start("ingest")
            #expect(other.waitFor("waiting for the database", limit: 15), "\(other.log)")
            #expect(other.stop(limit: 10) == 0, "\(other.log)")
            let service = try bench.program(broker: "127.0.0.1:1", ["FRESHET_DATABASE_URL": "postgresql://a@127.0.0.1:1/b"]).start("serve")
            #expect(service.waitFor("waiting for the database", limit: 15), "\(service.log)")
            #expect(service.stop(limit: 10) == 0, "\(service.log)")
        }

        @Test("without a database batch commands say so at once")
        func withoutDatabase() throws {
            let bench = try Workbench(migrated: false)
            let file = try bench.write(["u1"], to: "users.txt")
            let program = bench.program(broker: "127.0.0.1:1", ["FRESHET_DATABASE_URL": "postgresql://freshet@127.0.0.1:1/freshet"])
            for command in [
                ["migrate"], ["train"], ["recommend", "--users", file], ["models", "list"], ["dead-letters"], ["backfill", "--events", file]
            ] {
                let result = try program.run(command, limit: 20)
                EndToEnd.expectFailure(result, status: 1, saying: "127.0.0.1:1")
                #expect(result.errors.split(separator: "\n").count == 1, "\(command): \(result.errors)")
            }
            var nowhere = program
            nowhere.environment["FRESHET_DATABASE_URL"] = nil
            EndToEnd.expectFailure(try nowhere.run("migrate"), status: 1, saying: "FRESHET_DATABASE_URL")
        }

        @Test("a wrong password is one sentence, and nobody waits for it to become right")
        func wrongPassword() throws {
            let bench = try Workbench()
            var parts = try #require(URLComponents(string: bench.database.url))
            guard parts.password != nil else { return }
            parts.password = "wr0ng-one"
            let file = try bench.write(["u1"], to: "users.txt")
            let program = bench.program(broker: "127.0.0.1:1", ["FRESHET_DATABASE_URL": try #require(parts.string)])
            for command in [["ingest"], ["serve"], ["migrate"], ["train"], ["recommend", "--users", file]] {
                let result = try program.run(command, limit: 20)
                EndToEnd.expectFailure(result, status: 1, saying: "password", secret: "wr0ng-one")
                #expect(result.errors.split(separator: "\n").count == 1, "\(command): \(result.errors)")
            }
        }

        @Test("a database without the schema is named with the command that makes it, by every role")
        func olderSchema() throws {
            let bench = try Workbench(migrated: false)
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let file = try bench.write(["u1"], to: "users.txt")
            let program = bench.program(broker: address)
            for command in [
                ["ingest"], ["serve"], ["train"], ["recommend", "--users", file], ["backfill", "--users", file], ["models", "list"],
                ["dead-letters", "list"], ["evaluate"],
            ] {
                let result = try program.run(command, limit: 20)
                EndToEnd.expectFailure(result, status: 1, saying: "freshet migrate")
                #expect(result.errors.split(separator: "\n").count == 1, "\(command): \(result.errors)")
            }
            #expect(try program.run("migrate").output.contains("applied"))
            #expect(try program.run("migrate").output.contains("up to date"))
            #expect(try program.run("doctor").status == 0)
        }

        @Test("migrations run from several places at once are applied once")
        func migrateAtOnce() throws {
            let bench = try Workbench(migrated: false)
            let roles = try (0..<4).map { _ in try bench.program().start("migrate") }
            for role in roles { #expect(role.ended(within: 30) == 0, "\(role.log)") }
            let applied = roles.map(\.log).joined().components(separatedBy: "applied ").count - 1
            #expect(try bench.database.sql("select count(*) from freshet_migrations") == "\(applied)")
        }

        @Test("a port that is taken is named by whoever wants it")
        func portTaken() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let port = String(address.split(separator: ":")[1])
            EndToEnd.expectFailure(try bench.program().run("broker", "--port", port, limit: 20), status: 1, saying: port)
            EndToEnd.expectFailure(
                try bench.program(broker: address).run("serve", "--port", port, limit: 20), status: 1, saying: port)
        }

        @Test("files that are not there are named")
        func missingFiles() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let program = bench.program(broker: address)
            EndToEnd.expectFailure(try program.run("backfill", "--events", "nowhere.jsonl"), status: 1, saying: "nowhere.jsonl")
            EndToEnd.expectFailure(
                try program.run("produce", "--topic", "events", "nowhere.jsonl", limit: 20), status: 1, saying: "nowhere.jsonl")
            EndToEnd.expectFailure(
                try program.run("backfill", "--events", bench.directory.path), status: 1, saying: bench.directory.lastPathComponent)
            let broken = try bench.write(bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], to: "broken.jsonl.gz")
            EndToEnd.expectFailure(try program.run("backfill", "--events", broken), status: 1, saying: "broken.jsonl.gz")
            EndToEnd.expectFailure(
                try program.run("backfill", "--events", "good.jsonl", "--items", "nowhere.jsonl"), status: 1, saying: "nowhere.jsonl")
        }

        @Test("every role ends with status 0 soon after SIGTERM")
        func stopping() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            let ingest = try bench.program(broker: address).start("ingest")
            let service = try bench.startService(broker: address)
            #expect(ingest.waitFor("partitions taken over"), "\(ingest.log)")
            for role in [service.role, ingest, broker] {
                let started = Date()
                #expect(role.stop(limit: 15) == 0, "\(role.log)")
                #expect(Date().timeIntervalSince(started) < 10)
            }
        }
    }
}
