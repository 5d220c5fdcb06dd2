import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Who gets in: what listens where without keys, and keys that change.
    @Suite struct KeysAndDoorsTests {
        @Test("without keys nothing listens beyond loopback", arguments: ["0.0.0.0", "::", "::ffff:0.0.0.0", "0", "127.example.invalid"])
        func closed(host: String) throws {
            let program = try Workbench().program(broker: "127.0.0.1:1", ["FRESHET_HTTP_HOST": host])
            for command in [["serve"], ["demo", "--check"]] {
                EndToEnd.expectFailure(
                    try program.run(command, limit: 30), status: 1, saying: "http.host is \(host)", "http.read_keys", "http.open: true")
            }
            let doctor = try program.run("doctor", limit: 30)
            #expect(doctor.status == 1 && doctor.output.contains("✗ service settings: "), "\(doctor.output)")
            #expect(doctor.output.contains("http.open: true"), "\(doctor.output)")
        }

        @Test("keys for metrics alone close everything else, which is said")
        func metricsAlone() throws {
            let program = try Workbench().program(broker: "127.0.0.1:1", ["FRESHET_HTTP_METRICS_KEYS": "scrapes"])
            EndToEnd.expectFailure(
                try program.run("serve", limit: 30), status: 1, saying: "http.metrics_keys are the only keys", secret: "scrapes")
        }

        @Test("empty keys are an error and not an open door", arguments: ["", " ", "\n", ",", "[\"\"]"])
        func empty(text: String) throws {
            let program = try Workbench(migrated: false).program(
                broker: "127.0.0.1:1", ["FRESHET_HTTP_HOST": "0.0.0.0", "FRESHET_HTTP_READ_KEYS": text])
            EndToEnd.expectFailure(try program.run("serve", limit: 30), status: 64, saying: "READ_KEYS")
        }

        @Test("in so many words")
        func open() throws {
            let bench = try Workbench()
            let settings = ["FRESHET_HTTP_HOST": "0.0.0.0", "FRESHET_HTTP_OPEN": "true"]
            let role = try bench.program(broker: "127.0.0.1:1", settings).start("serve")
            #expect(role.waitFor("ready url="), "\(role.log)")
            #expect(role.log.contains("whoever reaches the port may read, write and promote models"))
            _ = role.stop()
            // Keys are asked for where there are any.
            let service = try bench.startService(broker: "127.0.0.1:1", ["FRESHET_HTTP_OPEN": "true", "FRESHET_HTTP_READ_KEYS": "reads"])
            #expect(try service.http.send("GET", "/v1/stats").status == 401)
            #expect(service.role.log.contains("http.open says nothing where there are keys"))
            _ = service.role.stop()
        }

        @Test("keys change with their file and on SIGHUP; a bad file changes nothing and is told")
        func rotation() throws {
            let bench = try Workbench()
            func write(_ lines: String...) throws -> String { try bench.write(lines, to: "keys.yaml") }
            let file = try write("http:", "  read_keys: [first-key-1]")
            let service = try Service(role: bench.program(broker: "127.0.0.1:1").start("serve", "--config", file))
            func status(_ key: String) throws -> Int { try service.http.send("GET", "/v1/stats", headers: ["X-API-Key": key]).status }
            #expect(try status("first-key-1") == 200)
            #expect(try status("other-key-2") == 401)
            _ = try write("http:", "  read_keys: [first-key-1, other-key-2]")
            #expect(try eventually(within: 20) { try status("other-key-2") == 200 }, "\(service.role.log)")
            #expect(try status("first-key-1") == 200)
            _ = try write("http:", "  read_keys: [other-key-2]")
            #expect(try eventually(within: 20) { try status("first-key-1") == 401 })
            let bad = ["http: {read_keys: ['third-key-3', 'third-key-3']}", "http: {read_keys: [", "http: {read_keys: []}", "http: {}"]
            for (number, bad) in bad.enumerated() {
                let told = service.role.log.components(separatedBy: "the keys stay as they are").count
                _ = try write(bad)
                #expect(eventually(within: 20) {
                    service.role.log.components(separatedBy: "the keys stay as they are").count > told
                }, "\(number)")
                #expect(try status("other-key-2") == 200)
                #expect(try status("third-key-3") == 401)
                #expect(try service.http.send("GET", "/v1/stats").status == 401)
            }
            func readings() -> Int { service.role.log.components(separatedBy: "keys were read again").count }
            let before = readings()
            _ = try write("http: {read_keys: [other-key-2]}")
            #expect(eventually(within: 20) { readings() > before }, "\(service.role.log)")
            // The file may have been met half written; then it stays as it is, and only the signal asks.
            Thread.sleep(forTimeInterval: 3)
            let quiet = readings()
            service.role.send(SIGHUP)
            #expect(eventually(within: 20) { readings() > quiet })
            #expect(try status("other-key-2") == 200)
            #expect(service.role.isRunning)
            #expect(!service.role.log.contains("other-key-2") && !service.role.log.contains("third-key-3"), "\(service.role.log)")
            #expect(service.role.stop() == 0)
        }
    }
}
