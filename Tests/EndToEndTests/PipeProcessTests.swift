import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Pipes between processes, and the signals that end a wait for one.
    @Suite struct PipeProcessTests {
        private static func events(_ count: Int) -> String {
            (0..<count).map { #"{"type":"click","user_id":"u1","item_id":"i\#($0)","timestamp":\#(EndToEnd.past + $0)}"# + "\n" }.joined()
        }

        @Test("a substituted process and standard input are read, plain and compressed")
        func substitution() throws {
            let bench = try Workbench()
            let file = try bench.write(bytes: Array(Self.events(5).utf8), to: "events.jsonl")
            for (line, stored) in [
                ("\"$1\" backfill --json --events <(head -3 \(file))", 3), ("head -4 \(file) | \"$1\" backfill --json --events -", 1),
                ("gzip -c \(file) | \"$1\" backfill --json --events /dev/stdin", 1),
            ] {
                let result = try bench.program().started(by: ["/bin/bash", "-c", line, "bash"]).run("backfill")
                #expect(result.status == 0 && result.output.contains(#""stored":\#(stored),"#), "\(line): \(result.output)\(result.errors)")
            }
        }

        @Test("a signal ends the wait for a pipe's writer", .timeLimit(.minutes(15)))
        func signal() throws {
            let bench = try Workbench()
            let fifo = bench.path("fifo")
            try #require(mkfifo(fifo, 0o600) == 0)
            for (arguments, number) in [
                (["backfill", "--events", fifo], SIGTERM), (["backfill", "--items", fifo], SIGINT),
                (["produce", "--topic", "events", fifo], SIGTERM),
            ] {
                let role = try bench.program(broker: "127.0.0.1:9").start(arguments)
                // Asked while it waits, or before: it ends in either case, but only a wait shows what was wrong.
                Thread.sleep(forTimeInterval: 1.5)
                role.send(number)
                #expect(role.ended(within: 30) == 1, "\(arguments): \(role.log)")
            }
        }
    }
}
