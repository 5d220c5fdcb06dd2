import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Roles whose log lines nobody can take go on.
    @Suite struct LogLossTests {
        /// Starts the program with standard error as the shell's words say; `exec` keeps the process.
        private static func shell(_ redirection: String) -> [String] { ["/bin/bash", "-c", "exec \"$@\" \(redirection)", "bash"] }

        @Test(
            "a full disk, a reader that has gone, one that stands still, and no standard error at all end neither ingest nor serve",
            arguments: ["2>/dev/full", "2> >(head -c 1 >/dev/null)", "2>FIFO", "2>&-", "2>&- >&- <&-"])
        func rolesGoOn(_ redirection: String) throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            // With every line that there is, so that a pipe which nobody empties fills.
            let fifo = bench.path("fifo")
            try #require(mkfifo(fifo, 0o600) == 0)
            // Opened and never read.
            let reader = open(fifo, O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            let redirection = redirection.replacing("FIFO", with: fifo)
            let talkative = ["FRESHET_LOG_LEVEL": "trace"]
            let ingest = try bench.program(broker: address, talkative).started(by: Self.shell(redirection)).start("ingest")
            let serve = try bench.program(broker: address, talkative).started(by: Self.shell(redirection)).start("serve")
            let file = try bench.write(
                (0..<20).map { #"{"type":"click","user_id":"u1","item_id":"i\#($0)","timestamp":\#(EndToEnd.past + $0)}"# },
                to: "events.jsonl")
            #expect(try bench.program(broker: address).run("produce", "--topic", "events", file).status == 0)
            #expect(
                try eventually(within: 30) { try bench.database.sql("select count(*) from interactions") == "20" },
                "ingest runs: \(ingest.isRunning)")
            #expect(ingest.isRunning && serve.isRunning)
            // Descriptors that were closed are nobody's files or connections.
            #expect(ingest.stop() != nil && serve.stop() == 0)
        }

        @Test("a result that nobody gets is no success, and no signal ends a command without a word")
        func results() throws {
            let bench = try Workbench()
            let full = try bench.program().started(by: Self.shell(">/dev/full")).run("models", "list")
            #expect(full.status == 1 && !full.wasKilled && full.errors.contains("standard output"), "\(full)")
            let closed = try bench.program().started(by: Self.shell(">&-")).run("models", "list")
            #expect(closed.status == 1 && closed.errors.contains("standard output"), "\(closed)")
        }
    }
}
